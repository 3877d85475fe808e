package room

import (
	"cmp"
	"slices"
	"strconv"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

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
		row := replica.Row{ID: op.ID, Version: e.Seq, CreatedAt: cmp.Or(op.CreatedAt, e.At), UpdatedAt: cmp.Or(op.UpdatedAt, e.At),
			CreatedBy: op.Creator, Values: make([]schema.Value, len(t.Columns))}
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
