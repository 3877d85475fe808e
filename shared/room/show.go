package room

import (
	"encoding/json"
	"slices"
	"strconv"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// Viewer is who a commit is shown to.
type Viewer struct {
	User   string
	Role   access.Role
	Tables map[string]bool // subscribed tables; nil: all
}

// Shown is a commit as one viewer may see it: Commit is the wire commit
// (possibly {seq, ops: []}), or Reset is a reason why the viewer must load
// anew.
type Shown struct {
	Commit json.RawMessage
	Reset  string
}

// The reasons of a reset.
const (
	ResetLoad    = "load"    // bulk content replaced rows
	ResetRewrite = "rewrite" // an alteration changed values of existing rows
	ResetAccess  = "access"  // a table became own or shared
	ResetRole    = "role"    // the viewer became, or is no longer, an owner
	ResetClosed  = "closed"  // the room is deleted
)

// Show renders an entry for a viewer. st is the state at e.Seq, as in a
// Result; with a later one, tables and columns carry their later names.
func Show(e *commitlog.Entry, st *replica.State, viewer Viewer) Shown {
	return show(e, st.Schema, st.Schema, viewer)
}

// ShowClass returns a key that is equal for viewers to whom Show gives the
// same, so that a broadcast renders once per class.
func ShowClass(e *commitlog.Entry, st *replica.State, viewer Viewer) string {
	if reason := resets(e, viewer); reason != "" {
		return reason
	}
	seen := make([]byte, (len(e.Ops)+7)/8)
	for i, names := range namings(e, st.Schema) {
		if visible(&e.Ops[i], names, st.Schema, viewer) {
			seen[i/8] |= 1 << (i % 8)
		}
	}
	return string(seen)
}

// show renders an entry: after is the schema that names are taken from, right
// after the entry; now is the present one, whose access counts too.
func show(e *commitlog.Entry, after, now *schema.Schema, viewer Viewer) Shown {
	if reason := resets(e, viewer); reason != "" {
		return Shown{Reset: reason}
	}
	var ops []byte
	shown := 0
	for i, names := range namings(e, after) {
		if !visible(&e.Ops[i], names, now, viewer) {
			continue
		}
		start := len(ops)
		if shown > 0 {
			ops = append(ops, ',')
		}
		ops = appendOp(ops, e, &e.Ops[i], names)
		if len(ops) == start {
			continue
		}
		shown++
	}
	dst := strconv.AppendInt(append(make([]byte, 0, len(ops)+160), `{"seq":`...), e.Seq, 10)
	if shown > 0 || len(e.Ops) == 0 {
		dst = schema.AppendJSON(append(dst, `,"at":`...), e.At)
		dst = schema.AppendJSON(append(dst, `,"by":`...), e.By)
		dst = appendGiven(dst, `,"commitId":`, e.CommitID)
		dst = appendGiven(dst, `,"kind":`, string(e.Kind))
	}
	dst = append(append(dst, `,"ops":[`...), ops...)
	return Shown{Commit: append(dst, ']', '}')}
}

func appendGiven(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	return schema.AppendJSON(append(dst, key...), text)
}

// namings gives, for each operation of an entry, the schema that its names
// were resolved by, going back from the schema after the entry.
func namings(e *commitlog.Entry, after *schema.Schema) []*schema.Schema {
	names := make([]*schema.Schema, len(e.Ops))
	for i := len(e.Ops) - 1; i >= 0; i-- {
		op := &e.Ops[i]
		if op.Kind == commitlog.AlterTable {
			after = unaltered(after, op.Alter)
		}
		names[i] = after
		switch op.Kind {
		case commitlog.CreateTable:
			after = after.WithoutTable(op.Def.Num)
		case commitlog.DropTable:
			after = undropped(after, op)
		}
	}
	return names
}

// before gives the names of a schema as they were before an entry.
func before(e *commitlog.Entry, after *schema.Schema) *schema.Schema {
	for i := len(e.Ops) - 1; i >= 0; i-- {
		switch op := &e.Ops[i]; op.Kind {
		case commitlog.AlterTable:
			after = unaltered(after, op.Alter)
		case commitlog.CreateTable:
			after = after.WithoutTable(op.Def.Num)
		case commitlog.DropTable:
			after = undropped(after, op)
		}
	}
	return after
}

// unaltered takes the names of an alteration back. Of dropped columns only
// the names return, which is all that rendering needs.
func unaltered(s *schema.Schema, a *schema.Alteration) *schema.Schema {
	at := slices.IndexFunc(s.Tables, func(t schema.Table) bool { return t.Num == a.Table })
	if at < 0 {
		return s
	}
	t := s.Tables[at]
	t.Name = a.Was
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c schema.Column) bool {
		return slices.ContainsFunc(a.Add, func(added schema.Column) bool { return added.Num == c.Num })
	})
	for _, renamed := range a.Rename {
		if c := t.ColumnByNum(renamed.Num); c != nil {
			c.Name = renamed.Was
		}
	}
	for _, dropped := range a.Drop {
		t.Columns = append(t.Columns, schema.Column{Num: dropped.Num, Name: dropped.Name})
	}
	return withTable(s, t)
}

// undropped brings back the name of a dropped table. Its columns are not
// known any more, so operations on its rows are left out.
func undropped(s *schema.Schema, op *commitlog.Op) *schema.Schema {
	return withTable(s, schema.Table{Num: op.Table, Name: op.Name})
}

// withTable returns the schema with a table put in, or in the place of the
// one with its number.
func withTable(s *schema.Schema, t schema.Table) *schema.Schema {
	next := &schema.Schema{NextTable: s.NextTable, Tables: slices.Clone(s.Tables)}
	at, found := slices.BinarySearchFunc(next.Tables, t.Num, func(t schema.Table, num int) int { return t.Num - num })
	if found {
		next.Tables[at] = t
	} else {
		next.Tables = slices.Insert(next.Tables, at, t)
	}
	return next
}

// resets gives the reason why a viewer must load anew after an entry.
func resets(e *commitlog.Entry, viewer Viewer) string {
	switch e.Kind {
	case commitlog.Load:
		return ResetLoad
	case commitlog.Closed:
		return ResetClosed
	}
	for i := range e.Ops {
		switch op := &e.Ops[i]; {
		case op.Kind == commitlog.SetMember && op.Own && op.User == viewer.User:
			return ResetRole
		case op.Kind != commitlog.AlterTable || !viewer.subscribed(op.Alter.Was) && !viewer.subscribed(op.Alter.Name):
		case op.Rewrites:
			return ResetRewrite
		case viewer.Role != access.Owner && op.Alter.Access != nil && (*op.Alter.Access == schema.Own) != op.Own:
			return ResetAccess
		}
	}
	return ""
}

func (v Viewer) subscribed(table string) bool { return v.Tables == nil || v.Tables[table] }

// visible tells whether a viewer may see an operation and asked for it. A
// table that is `own` now, or was then, shows only the viewer's own rows,
// deletes included.
func visible(op *commitlog.Op, names, now *schema.Schema, viewer Viewer) bool {
	if !viewer.Role.Valid() {
		return false
	}
	switch op.Kind {
	case commitlog.CreateTable:
		return viewer.subscribed(op.Def.Name)
	case commitlog.AlterTable:
		return viewer.subscribed(op.Alter.Was) || op.Alter.Name != "" && viewer.subscribed(op.Alter.Name)
	case commitlog.DropTable:
		return viewer.subscribed(op.Name)
	case commitlog.Insert, commitlog.Update, commitlog.Delete:
		present := now.TableByNum(op.Table)
		own := op.Own || present != nil && present.Access == schema.Own
		grant := access.Grant{Role: viewer.Role}
		grant.Principal.User.ID = viewer.User
		named := names.TableByNum(op.Table)
		return grant.SeesRow(own, op.Creator) && named != nil && viewer.subscribed(named.Name)
	}
	return true
}

// appendOp appends an operation in wire form; nothing when its names are not
// known any more.
func appendOp(dst []byte, e *commitlog.Entry, op *commitlog.Op, names *schema.Schema) []byte {
	switch op.Kind {
	case commitlog.Insert, commitlog.Update, commitlog.Delete:
		return appendRowOp(dst, e, op, names.TableByNum(op.Table))
	case commitlog.CreateTable:
		dst = appendHead(dst, "createTable", op.Def.Name)
		dst = appendColumns(append(dst, `,"columns":`...), op.Def.Columns)
		dst = appendAccess(dst, op.Def.Access)
	case commitlog.AlterTable:
		dst = appendAlter(appendHead(dst, "alterTable", op.Alter.Was), op.Alter, names)
	case commitlog.DropTable:
		dst = appendHead(dst, "dropTable", op.Name)
	case commitlog.SetMember:
		dst = schema.AppendJSON(append(dst, `{"op":"member","user":`...), op.User)
		dst = appendRole(dst, op.Role)
	case commitlog.SetInvite:
		dst = schema.AppendJSON(append(dst, `{"op":"invite","email":`...), op.Email)
		dst = appendRole(dst, op.Role)
	case commitlog.SetRoom:
		dst = schema.AppendJSON(append(dst, `{"op":"room","name":`...), op.Name)
	}
	return append(dst, '}')
}

func appendHead(dst []byte, op, table string) []byte {
	dst = append(append(append(dst, `{"op":"`...), op...), `","table":`...)
	return schema.AppendJSON(dst, table)
}

func appendRole(dst []byte, role string) []byte {
	if role == "" {
		return append(dst, `,"role":null`...)
	}
	return schema.AppendJSON(append(dst, `,"role":`...), role)
}

func appendRowOp(dst []byte, e *commitlog.Entry, op *commitlog.Op, t *schema.Table) []byte {
	start := len(dst)
	switch op.Kind {
	case commitlog.Insert:
		dst = schema.AppendJSON(append(appendHead(dst, "insert", t.Name), `,"id":`...), op.ID)
		row := replica.Row{ID: op.ID, Version: e.Seq, CreatedAt: e.At, UpdatedAt: e.At, CreatedBy: op.Creator, Values: make([]schema.Value, len(t.Columns))}
		for _, cell := range op.Set {
			at := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Num == cell.Num })
			if at < 0 {
				return dst[:start]
			}
			row.Values[at] = cell.Value
		}
		dst = newRowWriter(t).append(append(dst, `,"row":`...), &row)
	case commitlog.Update:
		dst = schema.AppendJSON(append(appendHead(dst, "update", t.Name), `,"id":`...), op.ID)
		dst = append(dst, `,"set":{`...)
		for i, cell := range op.Set {
			c := t.ColumnByNum(cell.Num)
			if c == nil {
				return dst[:start]
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = schema.AppendJSON(append(schema.AppendJSON(dst, c.Name), ':'), cell.Value)
		}
		dst = append(dst, '}')
	default:
		dst = schema.AppendJSON(append(appendHead(dst, "delete", t.Name), `,"id":`...), op.ID)
	}
	dst = strconv.AppendInt(append(dst, `,"version":`...), e.Seq, 10)
	dst = schema.AppendJSON(append(dst, `,"createdBy":`...), op.Creator)
	return append(dst, '}')
}

// appendAlter appends the parts of an alteration. names is the schema before
// it, by which drop, rename and change name their columns.
func appendAlter(dst []byte, a *schema.Alteration, names *schema.Schema) []byte {
	if len(a.Add) > 0 {
		dst = appendColumns(append(dst, `,"add":`...), a.Add)
	}
	if len(a.Drop) > 0 {
		dst = append(dst, `,"drop":[`...)
		for i, c := range a.Drop {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = schema.AppendJSON(dst, c.Name)
		}
		dst = append(dst, ']')
	}
	if len(a.Change) > 0 {
		dst = appendColumns(append(dst, `,"change":`...), changes(a, names))
	}
	if len(a.Rename) > 0 {
		dst = append(dst, `,"rename":{`...)
		for i, c := range a.Rename {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = schema.AppendJSON(append(schema.AppendJSON(dst, c.Was), ':'), c.Name)
		}
		dst = append(dst, '}')
	}
	dst = appendGiven(dst, `,"name":`, a.Name)
	if a.Access != nil && *a.Access == schema.Shared {
		return append(dst, `,"access":"shared"`...)
	}
	if a.Access != nil {
		return appendAccess(dst, *a.Access)
	}
	return dst
}

// changes gives the new definitions under the names that columns had before,
// as a request names them.
func changes(a *schema.Alteration, names *schema.Schema) []schema.Column {
	columns := slices.Clone(a.Change)
	t := names.TableByNum(a.Table)
	for i := range columns {
		if t == nil {
			break
		}
		if was := t.ColumnByNum(columns[i].Num); was != nil {
			columns[i].Name = was.Name
		}
	}
	return columns
}
