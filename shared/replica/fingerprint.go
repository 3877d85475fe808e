package replica

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

// The fingerprints are sums of SHA-256 hashes, one for each element of a
// room's state, so that a change costs the hash of what changed. What is
// hashed begins with a tag of its kind; strings and values are preceded by
// their length. The encoding is frozen under commitlog.Format.
const (
	tagRow      = 'r' // content: table, id, creator, times, cells
	tagTable    = 't' // content: definition with access
	tagVersion  = 'v' // state: table, id, version
	tagMember   = 'm' // state
	tagInvite   = 'i' // state
	tagRoom     = 'n' // state: id, name, closed
	tagCommit   = 'c' // state: commit id
	tagCounters = 'k' // state: numbers that tables and columns will get next
)

// hasher has the buffers for one element after another.
type hasher struct{ buf, cell []byte }

func (h *hasher) start(tag byte) { h.buf = append(h.buf[:0], tag) }
func (h *hasher) num(n int64)    { h.buf = binary.AppendVarint(h.buf, n) }
func (h *hasher) sum() [32]byte  { return sha256.Sum256(h.buf) }
func (h *hasher) str(s string)   { h.num(int64(len(s))); h.buf = append(h.buf, s...) }
func (h *hasher) float(f float64) {
	h.buf = binary.LittleEndian.AppendUint64(h.buf, math.Float64bits(f))
}

func (h *hasher) flag(set bool) {
	if set {
		h.num(1)
		return
	}
	h.num(0)
}

func (h *hasher) value(v schema.Value) {
	h.cell = schema.AppendCanonical(h.cell[:0], v)
	h.num(int64(len(h.cell)))
	h.buf = append(h.buf, h.cell...)
}

// row hashes the content of a row; nulls are left out, so that a column
// without values makes no difference.
func (h *hasher) row(def *schema.Table, byNum []int, row *Row) [32]byte {
	h.start(tagRow)
	h.num(int64(def.Num))
	h.str(row.ID)
	h.str(row.CreatedBy)
	h.num(int64(row.CreatedAt))
	h.num(int64(row.UpdatedAt))
	for _, i := range byNum {
		if v := row.Values[i]; v != nil {
			h.num(int64(def.Columns[i].Num))
			h.value(v)
		}
	}
	return h.sum()
}

func (h *hasher) version(table int, id string, version int64) [32]byte {
	h.start(tagVersion)
	h.num(int64(table))
	h.str(id)
	h.num(version)
	return h.sum()
}

func (h *hasher) table(t *schema.Table) [32]byte {
	h.start(tagTable)
	h.num(int64(t.Num))
	h.str(t.Name)
	h.str(string(t.Access))
	for i := range t.Columns {
		h.column(&t.Columns[i])
	}
	return h.sum()
}

func (h *hasher) column(c *schema.Column) {
	h.num(int64(c.Num))
	h.str(c.Name)
	h.str(string(c.Type))
	h.flag(c.Required)
	h.value(c.Default)
	h.num(int64(c.MaxLength))
	for _, bound := range []*float64{c.Min, c.Max} {
		h.flag(bound != nil)
		if bound != nil {
			h.float(*bound)
		}
	}
	h.num(int64(len(c.Values)))
	for _, v := range c.Values {
		h.str(v)
	}
	h.flag(c.Unique)
	h.flag(c.Embed)
}

func (h *hasher) counters(s *schema.Schema) [32]byte {
	h.start(tagCounters)
	h.num(int64(s.NextTable))
	for i := range s.Tables {
		h.num(int64(s.Tables[i].Num))
		h.num(int64(s.Tables[i].NextColumn))
	}
	return h.sum()
}

func (h *hasher) member(m access.Member) [32]byte {
	h.start(tagMember)
	h.str(m.User)
	h.str(string(m.Role))
	h.str(m.Name)
	h.str(m.Email)
	return h.sum()
}

func (h *hasher) invite(email string, role access.Role) [32]byte {
	h.start(tagInvite)
	h.str(email)
	h.str(string(role))
	return h.sum()
}

func (h *hasher) room(s *State) [32]byte {
	h.start(tagRoom)
	h.str(s.ID)
	h.str(s.Name)
	h.flag(s.Closed)
	return h.sum()
}

func (h *hasher) commit(user, id, digest string, seq int64, at schema.Millis) [32]byte {
	h.start(tagCommit)
	h.str(user)
	h.str(id)
	h.str(digest)
	h.num(seq)
	h.num(int64(at))
	return h.sum()
}

// small sums everything that a State itself holds; rows and commit ids are
// added to it.
func (h *hasher) small(s *State) (sums commitlog.Sums) {
	for i := range s.Schema.Tables {
		sums.Content.Add(h.table(&s.Schema.Tables[i]))
	}
	sums.State.Add(h.counters(s.Schema))
	sums.State.Add(h.room(s))
	for m := range maps.Values(s.Members) {
		sums.State.Add(h.member(m))
	}
	for email, role := range s.Invitations {
		sums.State.Add(h.invite(email, role))
	}
	return sums
}

// Each row counts beside its cells for what SQLite keeps of it, and each text
// to be embedded for its place in the full-text index and for its vector,
// made yet or not.
const (
	rowOverhead    = 64
	vectorOverhead = 512 + 64
)

func rowBytes(def *schema.Table, byNum []int, row *Row, scratch []schema.Cell) (int64, []schema.Cell) {
	scratch = scratch[:0]
	n := rowOverhead
	for _, i := range byNum {
		v := row.Values[i]
		if v == nil {
			continue
		}
		scratch = append(scratch, schema.Cell{Num: def.Columns[i].Num, Value: v})
		if text, ok := v.(string); ok && def.Columns[i].Embed {
			n += len(text) + vectorOverhead
		}
	}
	return int64(n + schema.RowBytes(scratch)), scratch
}
