package replica

import (
	"slices"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// Cells is the row that a list stands on. It writes values out of the database
// without making a Row of them, which was half the cost of a list. Columns are
// counted as in the table's definition.
type Cells struct {
	table *tableStmts
	stmt  *sqlite.Stmt
}

// Version is the row's version.
func (c *Cells) Version() int64 { return c.stmt.ColumnInt64(1) }

// CreatedAt is when the row was made.
func (c *Cells) CreatedAt() schema.Millis { return schema.Millis(c.stmt.ColumnInt64(2)) }

// UpdatedAt is when the row was last changed.
func (c *Cells) UpdatedAt() schema.Millis { return schema.Millis(c.stmt.ColumnInt64(3)) }

// Vector is what became of the row's text.
func (c *Cells) Vector() VectorState { return VectorState(c.stmt.ColumnInt64(5)) & 3 }

// AppendID appends the row's id as it is.
func (c *Cells) AppendID(dst []byte) []byte { return c.appendText(dst, 0) }

// AppendIDJSON appends the row's id as JSON.
func (c *Cells) AppendIDJSON(dst []byte) []byte { return c.appendString(dst, 0) }

// AppendCreatorJSON appends the id of who made the row as JSON.
func (c *Cells) AppendCreatorJSON(dst []byte) []byte { return c.appendString(dst, 4) }

// Millis is a column of timestamps, and whether it is not null.
func (c *Cells) Millis(column int) (schema.Millis, bool) {
	at := c.stmt.ColumnInt64(fieldCount + column)
	return schema.Millis(at), at != 0 || !c.stmt.ColumnIsNull(fieldCount+column)
}

// AppendJSON appends the value of a column as schema.AppendJSON does.
func (c *Cells) AppendJSON(dst []byte, column int) []byte {
	i := fieldCount + column
	switch t := c.table.def.Columns[column].Type; {
	case t == schema.Integer, t == schema.Number, t == schema.Boolean, t == schema.Timestamp:
		return schema.AppendJSON(dst, columnValue(c.stmt, i, t))
	case c.stmt.ColumnIsNull(i):
		return append(dst, "null"...)
	case t == schema.JSONType:
		return c.appendText(dst, i)
	}
	return c.appendString(dst, i)
}

// Value is a field of the row by its name on the wire, as in ListQuery.OrderBy.
func (c *Cells) Value(field string) schema.Value {
	switch field {
	case "id":
		return c.stmt.ColumnText(0)
	case "_version":
		return c.Version()
	case "_createdAt":
		return c.CreatedAt()
	case "_updatedAt":
		return c.UpdatedAt()
	case "_createdBy":
		return c.stmt.ColumnText(4)
	}
	for i := range c.table.def.Columns {
		if col := &c.table.def.Columns[i]; col.Name == field {
			return columnValue(c.stmt, fieldCount+i, col.Type)
		}
	}
	return nil
}

// appendString appends a text as a JSON string. Most are copied as they are.
func (c *Cells) appendString(dst []byte, i int) []byte {
	start := len(dst)
	dst = c.appendText(append(dst, '"'), i)
	if text := dst[start+1:]; !strictjson.Plain(text) {
		return strictjson.AppendString(dst[:start], string(text))
	}
	return append(dst, '"')
}

// appendText appends a text as it is. To offer more room than most texts take
// and see what is left costs less than to ask for the length first.
func (c *Cells) appendText(dst []byte, i int) []byte {
	const most = 128
	from := len(dst)
	dst = slices.Grow(dst, most)
	if n := c.stmt.ColumnBytes(i, dst[from:cap(dst)]); from+n < cap(dst) {
		return dst[:from+n]
	}
	n := c.stmt.ColumnLen(i)
	dst = slices.Grow(dst[:from], n)[:from+n]
	c.stmt.ColumnBytes(i, dst[from:])
	return dst
}
