package schema

import (
	"encoding/json"
	"slices"

	"nanotypedb/shared/fault"
)

// InsertRow makes the cells of a new row, every non-null one in order of
// number: each value canonical, columns not given at their default. Errors:
// fault invalid with the column as path, too_large for the row as a whole.
func InsertRow(t *Table, row map[string]json.RawMessage) ([]Cell, error) {
	if err := knownColumns(t, row); err != nil {
		return nil, err
	}
	cells := make([]Cell, 0, len(t.Columns))
	for i := range t.Columns {
		col := &t.Columns[i]
		v, err := initial(col, row)
		if err != nil {
			return nil, fault.Under(col.Name, err)
		}
		if v != nil {
			cells = append(cells, Cell{Num: col.Num, Value: v})
		}
	}
	return sized(t, cells)
}

func initial(col *Column, row map[string]json.RawMessage) (Value, error) {
	if raw, given := row[col.Name]; given {
		return Canonical(col, raw)
	}
	if col.Default == nil && col.Required {
		return nil, fault.New(fault.Invalid, "%s is required and has no default, so a value must be given", col.Name)
	}
	return col.Default, nil
}

// UpdateSet makes the cells of an update in order of number: the given
// columns only, nulls included. Errors as InsertRow's; what the whole row
// then counts is for the caller to check.
func UpdateSet(t *Table, set map[string]json.RawMessage) ([]Cell, error) {
	if err := knownColumns(t, set); err != nil {
		return nil, err
	}
	cells := make([]Cell, 0, len(set))
	for i := range t.Columns {
		col := &t.Columns[i]
		raw, given := set[col.Name]
		if !given {
			continue
		}
		v, err := Canonical(col, raw)
		if err != nil {
			return nil, fault.Under(col.Name, err)
		}
		cells = append(cells, Cell{Num: col.Num, Value: v})
	}
	return sized(t, cells)
}

// knownColumns refuses the first name, in order, that is no column.
func knownColumns(t *Table, row map[string]json.RawMessage) error {
	var unknown []string
	for name := range row {
		if t.Column(name) == nil {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	name := shorten(unknown[0])
	return fault.At(fault.Invalid, name, "table %s has no column %q", t.Name, name)
}

func sized(t *Table, cells []Cell) ([]Cell, error) {
	if n := RowBytes(cells); n > MaxRowBytes {
		return nil, fault.New(fault.TooLarge, "the row has %d bytes, but a row of table %s may have at most %d", n, t.Name, MaxRowBytes)
	}
	slices.SortFunc(cells, func(a, b Cell) int { return a.Num - b.Num })
	return cells, nil
}

// cellBytes is what a cell counts beside its content.
const cellBytes = 2

// RowBytes is what a row counts against MaxRowBytes and the size of a room:
// for every cell 2 bytes and its content, which is the UTF-8 of text and
// json, 8 bytes of a number or time, and 1 of a boolean.
func RowBytes(cells []Cell) int {
	n := 0
	for _, c := range cells {
		n += cellBytes + valueBytes(c.Value)
	}
	return n
}

func valueBytes(v Value) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		return 1
	case string:
		return len(v)
	case JSON:
		return len(v)
	}
	return 8
}
