package commitlog

import (
	"encoding/base64"
	"strconv"

	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// An entry is stored as JSON with short keys, members that are empty left out.
// The format comes first in every format, so that a reader knows from the
// first bytes whether it can read the rest.
//
//	entry  f format, s seq, a at, b by, i commitId, d digest, x attempt, k kind, z undoes, w pause,
//	       o operations, p and q sums before and after: [content, state] in base64
//	op     k kind, t table, r row id, c creator, s set, p old, v old version, w old updated,
//	       y old created, z old omitted, d definition, a alteration, g rewrites, h own,
//	       u user, n name, e e-mail, l role, i created, j updated, b load
//	load   b blob, x SHA-256 in base64, m mode, s base, t tables, n made, w was, r rows, d deletes
//	cells  [number, value, number, value, …], values as schema.AppendStored writes them

// AppendEntry appends the stored form of an entry. Text that is no UTF-8 comes
// back with U+FFFD in its place, so that whatever is written can be read.
func AppendEntry(dst []byte, e *Entry) []byte {
	dst = strconv.AppendInt(append(dst, `{"f":`...), int64(e.Format), 10)
	dst = appendInt(dst, `,"s":`, e.Seq)
	dst = appendInt(dst, `,"a":`, int64(e.At))
	dst = appendText(dst, `,"b":`, e.By)
	dst = appendText(dst, `,"i":`, e.CommitID)
	dst = appendText(dst, `,"d":`, e.Digest)
	dst = appendText(dst, `,"x":`, e.Attempt)
	dst = appendText(dst, `,"k":`, string(e.Kind))
	dst = appendInt(dst, `,"z":`, e.Undoes)
	dst = appendInt(dst, `,"w":`, e.Pause)
	dst = appendOps(dst, e.Ops)
	dst = appendSums(dst, `,"p":`, e.Before)
	dst = appendSums(dst, `,"q":`, e.After)
	return append(dst, '}')
}

func appendInt(dst []byte, key string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), n, 10)
}

func appendText(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	return strictjson.AppendString(append(dst, key...), text)
}

func appendFlag(dst []byte, key string, set bool) []byte {
	if !set {
		return dst
	}
	return append(append(dst, key...), "true"...)
}

func appendSums(dst []byte, key string, s Sums) []byte {
	dst = append(append(dst, key...), '[', '"')
	dst = base64.RawStdEncoding.AppendEncode(dst, s.Content[:])
	dst = append(dst, '"', ',', '"')
	dst = base64.RawStdEncoding.AppendEncode(dst, s.State[:])
	return append(dst, '"', ']')
}

func appendOps(dst []byte, ops []Op) []byte {
	for i := range ops {
		lead := ","
		if i == 0 {
			lead = `,"o":[`
		}
		dst = appendOp(append(dst, lead...), &ops[i])
	}
	if len(ops) == 0 {
		return dst
	}
	return append(dst, ']')
}

func appendOp(dst []byte, op *Op) []byte {
	dst = strictjson.AppendString(append(dst, `{"k":`...), string(op.Kind))
	dst = appendInt(dst, `,"t":`, int64(op.Table))
	dst = appendText(dst, `,"r":`, op.ID)
	dst = appendText(dst, `,"c":`, op.Creator)
	dst = appendCells(dst, `,"s":`, op.Set)
	dst = appendCells(dst, `,"p":`, op.Old)
	dst = appendInt(dst, `,"v":`, op.OldVersion)
	dst = appendInt(dst, `,"w":`, int64(op.OldUpdated))
	dst = appendInt(dst, `,"y":`, int64(op.OldCreated))
	dst = appendFlag(dst, `,"z":`, op.OldOmitted)
	dst = appendDefinition(dst, op)
	dst = appendText(dst, `,"u":`, op.User)
	dst = appendText(dst, `,"n":`, op.Name)
	dst = appendText(dst, `,"e":`, op.Email)
	dst = appendText(dst, `,"l":`, op.Role)
	dst = appendInt(dst, `,"i":`, int64(op.CreatedAt))
	dst = appendInt(dst, `,"j":`, int64(op.UpdatedAt))
	if op.Load != nil {
		dst = appendLoad(append(dst, `,"b":`...), op.Load)
	}
	return append(dst, '}')
}

func appendLoad(dst []byte, l *Bulk) []byte {
	dst = strictjson.AppendString(append(dst, `{"b":`...), l.Blob)
	dst = append(dst, `,"x":"`...)
	dst = append(base64.RawStdEncoding.AppendEncode(dst, l.SHA256[:]), '"')
	dst = appendText(dst, `,"m":`, l.Mode)
	dst = appendInt(dst, `,"s":`, l.Base)
	dst = appendNums(dst, `,"t":`, l.Tables)
	dst = appendNums(dst, `,"n":`, l.Made)
	for i := range l.Was {
		lead := ","
		if i == 0 {
			lead = `,"w":[`
		}
		dst = schema.AppendTable(append(dst, lead...), &l.Was[i])
	}
	if len(l.Was) > 0 {
		dst = append(dst, ']')
	}
	dst = appendInt(dst, `,"r":`, l.Rows)
	dst = appendInt(dst, `,"d":`, l.Deletes)
	return append(dst, '}')
}

func appendNums(dst []byte, key string, nums []int) []byte {
	for i, n := range nums {
		lead := ","
		if i == 0 {
			lead = key + "["
		}
		dst = strconv.AppendInt(append(dst, lead...), int64(n), 10)
	}
	if len(nums) == 0 {
		return dst
	}
	return append(dst, ']')
}

func appendDefinition(dst []byte, op *Op) []byte {
	if op.Def != nil {
		dst = schema.AppendTable(append(dst, `,"d":`...), op.Def)
	}
	if op.Alter != nil {
		dst = schema.AppendAlteration(append(dst, `,"a":`...), op.Alter)
	}
	dst = appendFlag(dst, `,"g":`, op.Rewrites)
	return appendFlag(dst, `,"h":`, op.Own)
}

// appendCells keeps apart none (nil), which is left out, and an empty list.
func appendCells(dst []byte, key string, cells []Cell) []byte {
	if cells == nil {
		return dst
	}
	dst = append(append(dst, key...), '[')
	for i, c := range cells {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(c.Num), 10)
		dst = schema.AppendStored(append(dst, ','), c.Value)
	}
	return append(dst, ']')
}
