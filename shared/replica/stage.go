package replica

import (
	"context"
	"fmt"
	"io"
	"slices"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/schema"
)

// StageOptions say what of a state to bring back.
type StageOptions struct {
	Tables []int            // whole tables by number, of either view; nil: all, unless there are Rows
	Rows   map[int][]string // single rows by table number
	Drop   []int            // tables of present that go, whatever target has
	At     schema.Millis    // for the header
}

// Staged describes a load that was staged.
type Staged struct {
	Header loadfile.Header
	Sum    loadfile.Sum
	Counts []DiffCounts // what it changes, of present as From and target as To
}

// Stage writes the load that makes present what target is: of whole tables
// schema and rows, of single rows their values in the columns that the table
// has now. The room is present's, its base present's seq. It costs what
// differs; tables whose columns are others are written whole. Whoever loads it
// gives the target along, so that rows changed since are brought back too.
// Errors: conflict when a row has no place in the present table.
func Stage(ctx context.Context, target, present *View, o StageOptions, w io.Writer) (*Staged, error) {
	s := stager{target: target, present: present, options: o}
	if err := s.plan(ctx); err != nil {
		return nil, err
	}
	out, err := loadfile.NewWriter(w, s.staged.Header)
	if err != nil {
		return nil, err
	}
	s.out = out
	if err := s.tables(ctx); err != nil {
		return nil, err
	}
	if err := s.rows(ctx); err != nil {
		return nil, err
	}
	s.staged.Sum, err = out.Close()
	return &s.staged, err
}

type stager struct {
	target, present *View
	options         StageOptions
	out             *loadfile.Writer
	staged          Staged
	whole           []int
	cells           []schema.Cell
}

// plan makes the header.
func (s *stager) plan(ctx context.Context) error {
	now, then := s.present.state.Schema, s.target.state.Schema
	s.whole = s.options.Tables
	if s.whole == nil && len(s.options.Rows) == 0 {
		s.whole = tablesOf(now, then)
	}
	s.whole = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.whole), s.options.Drop...))))
	h := &s.staged.Header
	*h = loadfile.Header{Room: s.present.state.Room, Base: s.present.state.Seq, At: s.options.At, Mode: loadfile.Merge}
	gone, err := s.gone(ctx)
	if err != nil {
		return err
	}
	for _, num := range s.named() {
		is, was := now.TableByNum(num), then.TableByNum(num)
		switch whole := slices.Contains(s.whole, num); {
		case is == nil && was == nil:
			return fault.New(fault.NotFound, "there is no table of number %d", num)
		case !whole && is == nil:
			return fault.New(fault.Conflict, "the table %s is not there any more; restore it as a whole", was.Name)
		case !whole:
			h.Tables = append(h.Tables, *is)
		case was == nil || s.drops(num):
			h.Dropped = append(h.Dropped, num)
		default:
			h.Tables = append(h.Tables, s.definition(is, was, gone[num]))
			if is != nil && !schema.Stays(is, was) {
				h.Replaced = append(h.Replaced, num)
			}
		}
	}
	return nil
}

// named gives the numbers of all tables that the load is about, in order.
func (s *stager) named() []int {
	nums := slices.Clone(s.whole)
	for num := range s.options.Rows {
		nums = append(nums, num)
	}
	slices.Sort(nums)
	return slices.Compact(nums)
}

func (s *stager) drops(table int) bool { return slices.Contains(s.options.Drop, table) }

// definition is what a table was, with numbers of columns that were used since
// staying used, and access not wider than it is or, of a table that is gone,
// was last.
func (s *stager) definition(is, was, last *schema.Table) schema.Table {
	def := *was
	for _, later := range []*schema.Table{is, last} {
		if later == nil {
			continue
		}
		def.NextColumn = max(def.NextColumn, later.NextColumn)
		if later.Access == schema.Own {
			def.Access = schema.Own
		}
	}
	return def
}

// gone finds how the tables that were dropped since the target were last.
func (s *stager) gone(ctx context.Context) (map[int]*schema.Table, error) {
	last := map[int]*schema.Table{}
	if s.target.state.Room != s.present.state.Room || s.target.state.Seq >= s.present.state.SchemaSeq {
		return last, nil
	}
	note := func(t *schema.Table) {
		if last[t.Num] == nil {
			last[t.Num] = t
		}
	}
	known, err := s.present.Changes(ctx, s.target.state.Seq, func(op *commitlog.Op) {
		switch op.Kind {
		case commitlog.DropTable:
			note(op.Def)
		case commitlog.LoadBlob:
			for i := range op.Load.Was {
				note(&op.Load.Was[i])
			}
		default:
		}
	})
	if err != nil || known {
		return last, err
	}
	for i := range s.target.state.Schema.Tables { // forgotten: nobody can have used more
		t := s.target.state.Schema.Tables[i]
		if s.present.state.Schema.TableByNum(t.Num) == nil {
			t.NextColumn, t.Access = t.NextColumn+10*schema.MaxColumns, schema.Own
			last[t.Num] = &t
		}
	}
	return last, nil
}

// tables writes what differs in whole tables.
func (s *stager) tables(ctx context.Context) (err error) {
	if len(s.whole) == 0 {
		return nil
	}
	s.staged.Counts, err = Diff(ctx, s.present, s.target, DiffOptions{Tables: s.whole, Times: true}, func(c *Change) (bool, error) {
		if c.To == nil || s.drops(c.Table) || s.staged.Header.Replaces(c.Table) {
			return true, nil // dropped, or written whole below
		}
		if c.Kind == Removed {
			return true, s.out.Put(&loadfile.Record{Kind: loadfile.Delete, Table: c.Table, ID: c.ID})
		}
		return true, s.put(c.To, c.After)
	})
	if err != nil {
		return err
	}
	for _, num := range s.staged.Header.Replaced {
		if err := s.all(ctx, s.target.state.Schema.TableByNum(num)); err != nil {
			return err
		}
	}
	return nil
}

// put writes a row by the definition it has.
func (s *stager) put(def *schema.Table, row *Row) error {
	s.cells = s.cells[:0]
	for _, i := range columnOrder(def) {
		if row.Values[i] != nil {
			s.cells = append(s.cells, schema.Cell{Num: def.Columns[i].Num, Value: row.Values[i]})
		}
	}
	return s.write(def.Num, row)
}

// write writes a row whose cells are collected.
func (s *stager) write(table int, row *Row) error {
	return s.out.Put(&loadfile.Record{Kind: loadfile.Row, Table: table, ID: row.ID, Creator: row.CreatedBy,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, Cells: s.cells})
}

// all writes every row of a table.
func (s *stager) all(ctx context.Context, def *schema.Table) error {
	var row Row
	return s.target.List(ctx, ListQuery{Table: def, OrderBy: "id"}, func(c *Cells) (bool, error) {
		c.Row(&row)
		return true, s.put(def, &row)
	})
}

// rows writes single rows, also those that are the same: they may be others
// when the load comes to its slot.
func (s *stager) rows(ctx context.Context) error {
	for _, num := range s.named() {
		ids := slices.Compact(slices.Sorted(slices.Values(s.options.Rows[num])))
		if slices.Contains(s.whole, num) || len(ids) == 0 {
			continue
		}
		counts := DiffCounts{Table: num, From: s.present.state.Schema.TableByNum(num), To: s.target.state.Schema.TableByNum(num)}
		for _, id := range ids {
			if err := s.row(ctx, &counts, id); err != nil {
				return err
			}
		}
		s.staged.Counts = append(s.staged.Counts, counts)
	}
	slices.SortFunc(s.staged.Counts, func(a, b DiffCounts) int { return a.Table - b.Table })
	return nil
}

func (s *stager) row(ctx context.Context, c *DiffCounts, id string) error {
	var was Row
	found := false
	if c.To != nil {
		var err error
		if was, found, err = s.target.Row(ctx, c.Table, id); err != nil {
			return err
		}
	}
	is, present, err := s.present.Row(ctx, c.Table, id)
	if err != nil {
		return err
	}
	if !found {
		if present {
			c.Removed++
		}
		return s.out.Put(&loadfile.Record{Kind: loadfile.Delete, Table: c.Table, ID: id})
	}
	if s.cells, err = Transplant(c.To, c.From, &was, s.cells); err != nil {
		return err
	}
	switch {
	case !present:
		c.Added++
	case !sameCells(c.From, &is, s.cells):
		c.Changed++
	}
	return s.write(c.Table, &was)
}

// Transplant gives the cells of a row of an earlier definition of a table as
// the present one can hold them: columns that are gone are left out, values of
// columns whose type has changed are converted. Errors: conflict.
func Transplant(then, now *schema.Table, row *Row, cells []schema.Cell) ([]schema.Cell, error) {
	cells = cells[:0]
	for _, i := range columnOrder(now) {
		col := &now.Columns[i]
		at := slices.IndexFunc(then.Columns, func(c schema.Column) bool { return c.Num == col.Num })
		v := col.Default
		if at >= 0 {
			var err error
			if v, err = schema.Convert(&then.Columns[at], col, row.Values[at]); err != nil {
				return nil, fmt.Errorf("row %s: %w", row.ID, err)
			}
		}
		if v == nil && col.Required {
			return nil, fault.New(fault.Conflict, "row %s of table %s has no value for the column %s, which is required now", row.ID, now.Name, col.Name)
		}
		if v != nil {
			cells = append(cells, schema.Cell{Num: col.Num, Value: v})
		}
	}
	return cells, nil
}

// sameCells reports whether a row has exactly these values.
func sameCells(def *schema.Table, row *Row, cells []schema.Cell) bool {
	n := 0
	for i, v := range row.Values {
		if v == nil {
			continue
		}
		n++
		if !slices.Contains(cells, schema.Cell{Num: def.Columns[i].Num, Value: v}) {
			return false
		}
	}
	return n == len(cells)
}
