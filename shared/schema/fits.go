package schema

import (
	"slices"

	"nanotypedb/shared/fault"
)

// Fits checks a whole row that came in bulk: cells are canonical values of the
// table's columns, in order of number and not null, that meet all that the
// columns ask for. Errors: fault invalid with the column as path, too_large.
func Fits(t *Table, cells []Cell) error {
	at := 0
	for i := range t.Columns {
		if !slices.ContainsFunc(cells, func(c Cell) bool { return c.Num == t.Columns[i].Num }) && t.Columns[i].Required {
			return fault.At(fault.Invalid, t.Columns[i].Name, "%s is required and must not be null", t.Columns[i].Name)
		}
	}
	for _, cell := range cells {
		col := t.ColumnByNum(cell.Num)
		if col == nil || cell.Num <= at {
			return fault.New(fault.Invalid, "table %s has no column of number %d, or it comes twice", t.Name, cell.Num)
		}
		at = cell.Num
		if err := fits(col, cell.Value); err != nil {
			return fault.Under(col.Name, about(col.Name, err))
		}
	}
	if n := RowBytes(cells); n > MaxRowBytes {
		return fault.New(fault.TooLarge, "the row has %d bytes, but a row of table %s may have at most %d", n, t.Name, MaxRowBytes)
	}
	return nil
}

func fits(col *Column, v Value) error {
	if v == nil || !holds(col.Type, v) {
		return fault.New(fault.Invalid, "must be of type %s", col.Type)
	}
	switch v := v.(type) {
	case JSON:
		if same, err := CanonicalJSON([]byte(v)); err != nil || same != v {
			return fault.New(fault.Invalid, "is no canonical JSON")
		}
	case string:
		if col.Type == Date && !isDate(v) {
			return refuse(day, []byte(v))
		}
	}
	return check(col, v)
}

// Stays reports whether rows of one definition are rows of another as they
// are stored: the columns have the same numbers and types and are embedded
// alike. Names, order and what columns ask for may differ.
func Stays(from, to *Table) bool {
	if len(from.Columns) != len(to.Columns) {
		return false
	}
	for i := range from.Columns {
		c := to.ColumnByNum(from.Columns[i].Num)
		if c == nil || c.Type != from.Columns[i].Type || c.Embed != from.Columns[i].Embed {
			return false
		}
	}
	return true
}

// Equal reports whether two definitions are the same.
func (t *Table) Equal(other *Table) bool {
	return string(AppendTable(nil, t)) == string(AppendTable(nil, other))
}

// Tightens reports whether rows of one definition may break what another, of
// which Stays is true, asks for beside uniqueness.
func Tightens(from, to *Table) bool {
	for i := range to.Columns {
		was := *from.ColumnByNum(to.Columns[i].Num)
		was.Unique = to.Columns[i].Unique
		if !Widens(&was, &to.Columns[i]) {
			return true
		}
	}
	return false
}

// Fits checks what bulk content makes of a room's schema: the limits, and that
// names are unique. Errors: fault conflict, too_large.
func (s *Schema) Fits() error {
	if len(s.Tables) > MaxTables {
		return fault.New(fault.TooLarge, "a room may have at most %d tables, but it would have %d", MaxTables, len(s.Tables))
	}
	names := make(map[string]bool, len(s.Tables))
	for i := range s.Tables {
		t := &s.Tables[i]
		if names[t.Name] {
			return fault.New(fault.Conflict, "there is another table %s already; rename or drop it first", t.Name)
		}
		if len(t.Columns) > MaxColumns {
			return tooManyColumns("", len(t.Columns))
		}
		names[t.Name] = true
	}
	return schemaFits(s)
}
