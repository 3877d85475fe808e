package schema

import (
	"encoding/json"
	"fmt"

	"nanotypedb/shared/fault"
)

// ResolveCreate checks a createTable and gives the table with its numbers.
// Access is "own", "shared" or empty. Errors: fault conflict for a name in
// use, too_large, invalid.
func ResolveCreate(s *Schema, name string, columns []json.RawMessage, access Access) (*Table, error) {
	if err := newTableName(s, name); err != nil {
		return nil, fault.Under("table", err)
	}
	access, err := parseAccess(access)
	if err != nil {
		return nil, err
	}
	if len(s.Tables) >= MaxTables {
		return nil, fault.At(fault.TooLarge, "table", "a room may have at most %d tables", MaxTables)
	}
	t := &Table{Num: max(s.NextTable, 1), Name: name, Access: access, NextColumn: 1}
	if err := t.define(columns); err != nil {
		return nil, err
	}
	return t, schemaFits(s.WithTable(t))
}

func (t *Table) define(columns []json.RawMessage) error {
	if len(columns) > MaxColumns {
		return tooManyColumns("columns", len(columns))
	}
	for i, raw := range columns {
		path := fmt.Sprintf("columns[%d]", i)
		c, err := ParseColumn(raw)
		if err != nil {
			return fault.Under(path, err)
		}
		if t.Column(c.Name) != nil {
			return fault.At(fault.Conflict, path+".name", "the column %s comes twice", c.Name)
		}
		c.Num = t.NextColumn
		t.NextColumn++
		t.Columns = append(t.Columns, c)
	}
	return nil
}

// Default is the schema of a new room: the table tasks.
func Default() *Schema {
	tasks := Table{Num: 1, Name: "tasks", NextColumn: 3, Columns: []Column{
		{Num: 1, Name: "title", Type: Text, Required: true, MaxLength: 500, Embed: true},
		{Num: 2, Name: "status", Type: Enum, Values: []string{"pending", "completed"}, Default: "pending"},
	}}
	return &Schema{Tables: []Table{tasks}, NextTable: 2}
}
