// Package schema describes the tables of a room and brings values into their
// one canonical form. It is pure: no database, no clock.
//
// A Schema is immutable; the functions that change one return a new one.
// Tables and columns carry numbers that never come back, so that a name can
// be renamed or used again without touching the data.
package schema

// Type is the type of a column.
type Type string

// The column types of design.md section 3.
const (
	Text      Type = "text"
	Integer   Type = "integer"
	Number    Type = "number"
	Boolean   Type = "boolean"
	Timestamp Type = "timestamp"
	Date      Type = "date"
	JSONType  Type = "json"
	Enum      Type = "enum"
)

// Limits of a room's schema. What exceeds one is refused with an error that
// names it.
const (
	MaxColumns     = 100       // columns of a table
	MaxTables      = 200       // tables of a room
	MaxSchemaBytes = 256 << 10 // of the whole schema, as stored
	MaxRowBytes    = 64 << 10  // of one row, as stored
	MaxInteger     = 1<<53 - 1 // and its negative: what JSON numbers carry exactly
)

// Value is a canonical cell: nil, string (text, date, enum), int64 (integer),
// float64 (number; finite, never -0), bool, Millis (timestamp) or JSON (json,
// RFC 8785 text; never the text "null", which is nil).
type Value any

// Millis is a moment in milliseconds since 1970-01-01T00:00:00Z.
type Millis int64

// JSON is a canonical JSON text (RFC 8785).
type JSON string

// Column is one column. Num is its number within the table; it is left out
// (zero) on the wire. Default is a canonical value of the column's type.
type Column struct {
	Num       int
	Name      string
	Type      Type
	Required  bool
	Default   Value
	MaxLength int // in code points, of text; 0: no limit of its own
	Min, Max  *float64
	Values    []string // of an enum, in order
	Unique    bool
	Embed     bool
}

// Access says who reads and changes the rows of a table.
type Access string

// The kinds of access. Under Own, members other than owners read and change
// only rows that they created.
const (
	Shared Access = ""
	Own    Access = "own"
)

// Table is one table. Columns are in the order users see them. NextColumn is
// the number that the next column will get.
type Table struct {
	Num        int
	Name       string
	Access     Access
	Columns    []Column
	NextColumn int
}

// Schema is the tables of a room in order of number. NextTable is the number
// that the next table will get.
type Schema struct {
	Tables    []Table
	NextTable int
}

// Alteration is a resolved alterTable: columns by number, names kept beside
// them so that history can be told after a rename or drop.
type Alteration struct {
	Table  int
	Name   string       // the table's new name; empty: unchanged
	Was    string       // the table's name before
	Access *Access      // nil: unchanged
	Add    []Column     // with their new numbers
	Drop   []ColumnName // in the order asked for
	Change []Column     // whole new definitions; Num says which
	Rename []ColumnName // Name is the new name, Was the old one
}

// ColumnName names a column by its number.
type ColumnName struct {
	Num  int
	Name string
	Was  string
}

// Table gives a table by name, or nil.
func (s *Schema) Table(name string) *Table {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			return &s.Tables[i]
		}
	}
	return nil
}

// TableByNum gives a table by number, or nil.
func (s *Schema) TableByNum(num int) *Table {
	for i := range s.Tables {
		if s.Tables[i].Num == num {
			return &s.Tables[i]
		}
	}
	return nil
}

// Column gives a column by name, or nil.
func (t *Table) Column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// ColumnByNum gives a column by number, or nil.
func (t *Table) ColumnByNum(num int) *Column {
	for i := range t.Columns {
		if t.Columns[i].Num == num {
			return &t.Columns[i]
		}
	}
	return nil
}

// Embeds reports whether any column of the table is semantic.
func (t *Table) Embeds() bool {
	for i := range t.Columns {
		if t.Columns[i].Embed {
			return true
		}
	}
	return false
}

// Cell is one value by column number.
type Cell struct {
	Num   int
	Value Value
}
