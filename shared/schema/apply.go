package schema

import (
	"fmt"
	"slices"
)

// WithTable returns the schema with t added, or in the place of the table of
// its number. The next table's number never goes down.
func (s *Schema) WithTable(t *Table) *Schema {
	tables := slices.Clone(s.Tables)
	i, found := slices.BinarySearchFunc(tables, t.Num, func(u Table, num int) int { return u.Num - num })
	if found {
		tables[i] = *t
	} else {
		tables = slices.Insert(tables, i, *t)
	}
	return &Schema{Tables: tables, NextTable: max(s.NextTable, t.Num+1)}
}

// WithoutTable returns the schema without a table. Its number stays used.
func (s *Schema) WithoutTable(num int) *Schema {
	tables := slices.DeleteFunc(slices.Clone(s.Tables), func(t Table) bool { return t.Num == num })
	return &Schema{Tables: tables, NextTable: s.NextTable}
}

// Altered returns the schema after an alteration: dropped columns go, renamed
// and changed ones keep their places, new ones come last. It fails only for an
// alteration that was not resolved against this schema.
func (s *Schema) Altered(a *Alteration) (*Schema, error) {
	t := s.TableByNum(a.Table)
	if t == nil {
		return nil, fmt.Errorf("alter schema: there is no table %d", a.Table)
	}
	next := *t
	next.Columns = slices.Clone(t.Columns)
	if err := next.alter(a); err != nil {
		return nil, fmt.Errorf("alter table %d: %w", a.Table, err)
	}
	if err := next.sound(); err != nil {
		return nil, fmt.Errorf("alter table %d: %w", a.Table, err)
	}
	after := s.WithTable(&next)
	return after, after.sound()
}

func (t *Table) alter(a *Alteration) error {
	for _, d := range a.Drop {
		i := t.index(d.Num)
		if i < 0 {
			return noNumber(d.Num)
		}
		t.Columns = slices.Delete(t.Columns, i, i+1)
	}
	for _, r := range a.Rename {
		i := t.index(r.Num)
		if i < 0 {
			return noNumber(r.Num)
		}
		t.Columns[i].Name = r.Name
	}
	for _, c := range a.Change {
		i := t.index(c.Num)
		if i < 0 {
			return noNumber(c.Num)
		}
		t.Columns[i] = c
	}
	t.addColumns(a)
	return nil
}

func (t *Table) addColumns(a *Alteration) {
	for _, c := range a.Add {
		t.Columns = append(t.Columns, c)
		t.NextColumn = max(t.NextColumn, c.Num+1)
	}
	if a.Name != "" {
		t.Name = a.Name
	}
	if a.Access != nil {
		t.Access = *a.Access
	}
}

func (t *Table) index(num int) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Num == num })
}

func noNumber(num int) error { return fmt.Errorf("there is no column %d", num) }
