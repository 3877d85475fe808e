package schema

import (
	"encoding/json"
	"fmt"
	"slices"

	"nanotypedb/shared/fault"
)

// AlterRequest is an alterTable as on the wire, names not yet resolved. Drop,
// Change and the keys of Rename name columns as they are called before the
// alteration; Access is "own" or "shared".
type AlterRequest struct {
	Table  string            `json:"table"`
	Add    []json.RawMessage `json:"add,omitempty"`
	Drop   []string          `json:"drop,omitempty"`
	Change []json.RawMessage `json:"change,omitempty"`
	Rename map[string]string `json:"rename,omitempty"`
	Name   *string           `json:"name,omitempty"`
	Access *Access           `json:"access,omitempty"`
}

// ResolveAlter checks a request against the schema and gives numbers for its
// names. All parts take effect at once, as if in this order: drop, rename,
// change, add, the table's name, its access. So names may be swapped, and a
// name dropped or renamed away is free; a column may be renamed and changed,
// but not dropped and changed. Whether rows allow it is for the caller to
// find out with NeedsDefault, Widens and Convert.
// Errors: fault not_found for an unknown table or column, conflict for a name
// in use or two parts that contradict each other, too_large, invalid.
func ResolveAlter(s *Schema, req AlterRequest) (*Alteration, error) {
	t := s.Table(req.Table)
	if t == nil {
		return nil, noTable(req.Table)
	}
	r := resolver{schema: s, table: t, req: req, a: &Alteration{Table: t.Num, Was: t.Name}}
	for _, step := range []func() error{r.drop, r.rename, r.change, r.add, r.name, r.access, r.finish} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r.a, nil
}

func noTable(name string) error {
	return fault.At(fault.NotFound, "table", "there is no table %q", shorten(name))
}

type resolver struct {
	schema *Schema
	table  *Table
	req    AlterRequest
	a      *Alteration
}

// existing finds the column that a part of the request names.
func (r *resolver) existing(path, name string) (*Column, error) {
	if c := r.table.Column(name); c != nil {
		return c, nil
	}
	return nil, fault.At(fault.NotFound, path, "table %s has no column %q", r.table.Name, shorten(name))
}

func (r *resolver) dropped(num int) bool {
	return slices.ContainsFunc(r.a.Drop, func(c ColumnName) bool { return c.Num == num })
}

func (r *resolver) changed(num int) bool {
	return slices.ContainsFunc(r.a.Change, func(c Column) bool { return c.Num == num })
}

func (r *resolver) drop() error {
	for i, name := range r.req.Drop {
		path := fmt.Sprintf("drop[%d]", i)
		c, err := r.existing(path, name)
		if err != nil {
			return err
		}
		if r.dropped(c.Num) {
			return fault.At(fault.Conflict, path, "column %s is dropped twice", c.Name)
		}
		r.a.Drop = append(r.a.Drop, ColumnName{Num: c.Num, Name: c.Name, Was: c.Name})
	}
	return nil
}

// rename goes by the table's columns: the request's order is lost in its map.
func (r *resolver) rename() error {
	if err := r.renamesKnown(); err != nil {
		return err
	}
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		name, ok := r.req.Rename[c.Name]
		if !ok {
			continue
		}
		path := "rename." + c.Name
		if err := ValidName("column", name); err != nil {
			return fault.Under(path, err)
		}
		if r.dropped(c.Num) {
			return fault.At(fault.Conflict, path, "column %s is dropped, so it cannot be renamed", c.Name)
		}
		r.a.Rename = append(r.a.Rename, ColumnName{Num: c.Num, Name: name, Was: c.Name})
	}
	return nil
}

func (r *resolver) renamesKnown() error {
	names := make([]string, 0, len(r.req.Rename))
	for name := range r.req.Rename {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, err := r.existing("rename."+shorten(name), name); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) change() error {
	for i, raw := range r.req.Change {
		path := fmt.Sprintf("change[%d]", i)
		def, err := ParseColumn(raw)
		if err != nil {
			return fault.Under(path, err)
		}
		c, err := r.existing(path+".name", def.Name)
		if err != nil {
			return err
		}
		if r.dropped(c.Num) {
			return fault.At(fault.Conflict, path, "column %s is dropped, so it cannot be changed", c.Name)
		}
		if r.changed(c.Num) {
			return fault.At(fault.Conflict, path, "column %s is changed twice", c.Name)
		}
		def.Num, def.Name = c.Num, r.nameAfter(c)
		r.a.Change = append(r.a.Change, def)
	}
	return nil
}

// nameAfter is what a column that stays will be called.
func (r *resolver) nameAfter(c *Column) string {
	for _, n := range r.a.Rename {
		if n.Num == c.Num {
			return n.Name
		}
	}
	return c.Name
}

func (r *resolver) add() error {
	for i, raw := range r.req.Add {
		c, err := ParseColumn(raw)
		if err != nil {
			return fault.Under(fmt.Sprintf("add[%d]", i), err)
		}
		c.Num = r.table.NextColumn + i
		r.a.Add = append(r.a.Add, c)
	}
	return r.namesUnique()
}

// namesUnique finds two columns of one name after the alteration, blaming the
// part of the request that brings the name a second time.
func (r *resolver) namesUnique() error {
	used := map[string]bool{}
	for i := range r.table.Columns {
		c := &r.table.Columns[i]
		if !r.dropped(c.Num) && r.nameAfter(c) == c.Name {
			used[c.Name] = true
		}
	}
	for _, c := range r.a.Rename {
		if used[c.Name] {
			return nameTaken("rename."+c.Was, r.table.Name, c.Name)
		}
		used[c.Name] = true
	}
	for i, c := range r.a.Add {
		if used[c.Name] {
			return nameTaken(fmt.Sprintf("add[%d].name", i), r.table.Name, c.Name)
		}
		used[c.Name] = true
	}
	return r.count(len(used))
}

func nameTaken(path, table, name string) error {
	return fault.At(fault.Conflict, path, "table %s has a column %s already", table, name)
}

func (r *resolver) count(columns int) error {
	if columns > MaxColumns {
		return tooManyColumns("add", columns)
	}
	return nil
}

func tooManyColumns(path string, n int) error {
	return fault.At(fault.TooLarge, path, "a table may have at most %d columns, but it would have %d", MaxColumns, n)
}

func (r *resolver) name() error {
	if r.req.Name == nil {
		return nil
	}
	name := *r.req.Name
	if err := newTableName(r.schema, name); err != nil {
		return fault.Under("name", err)
	}
	r.a.Name = name
	return nil
}

func newTableName(s *Schema, name string) error {
	if err := ValidName("table", name); err != nil {
		return err
	}
	if s.Table(name) != nil {
		return fault.New(fault.Conflict, "there is a table %s already", name)
	}
	return nil
}

func (r *resolver) access() error {
	if r.req.Access == nil {
		return nil
	}
	access, err := parseAccess(*r.req.Access)
	r.a.Access = &access
	return err
}

// parseAccess reads access as on the wire, where shared has a name too.
func parseAccess(a Access) (Access, error) {
	switch a {
	case Own:
		return Own, nil
	case Shared, "shared":
		return Shared, nil
	}
	return Shared, fault.At(fault.Invalid, "access", `access must be "own" or "shared", but %q was given`, shorten(string(a)))
}

func (r *resolver) finish() error {
	a := r.a
	if len(a.Add)+len(a.Drop)+len(a.Change)+len(a.Rename) == 0 && a.Name == "" && a.Access == nil {
		return fault.New(fault.Invalid, "alterTable must ask for something: add, drop, change, rename, name or access")
	}
	after, err := r.schema.Altered(a)
	if err != nil {
		return err
	}
	return schemaFits(after)
}

func schemaFits(s *Schema) error {
	if n := len(EncodeSchema(s)); n > MaxSchemaBytes {
		return fault.New(fault.TooLarge, "the schema of a room may have at most %d bytes, but it would have %d", MaxSchemaBytes, n)
	}
	return nil
}
