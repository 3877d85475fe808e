package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// rewriteChunk is how many rows a rewrite holds in memory at a time.
const rewriteChunk = 500

func (d *Draft) createTable(op *commitlog.Op) error {
	w := d.work
	if op.Def == nil || op.Def.Num < w.Schema.NextTable {
		return fmt.Errorf("replica: entry %d makes a table under a number used before", d.entry.Seq)
	}
	if err := d.makeTable(op.Def); err != nil {
		return err
	}
	return d.keepChange(op)
}

// makeTable puts an empty table into schema and database.
func (d *Draft) makeTable(def *schema.Table) error {
	d.changeSchema(d.work.Schema.WithTable(def))
	for _, q := range createTable(def) {
		if err := d.conn.script(q); err != nil {
			return fmt.Errorf("create table: %w", err)
		}
	}
	return nil
}

func (d *Draft) dropTable(ctx context.Context, op *commitlog.Op) error {
	ts, err := d.statements(op.Table)
	if err != nil {
		return err
	}
	if op.Def == nil || op.Def.Num != op.Table {
		return fmt.Errorf("replica: entry %d drops table %d without its definition", d.entry.Seq, op.Table)
	}
	if err := d.removeTable(ctx, ts); err != nil {
		return err
	}
	return d.keepChange(op)
}

// removeTable takes a table with its rows out of schema and database.
func (d *Draft) removeTable(ctx context.Context, ts *tableStmts) error {
	err := ts.each(ctx, func(_ int64, row *Row) error {
		d.count(ts, row, -1)
		return nil
	})
	if err != nil {
		return fmt.Errorf("drop table: %w", err)
	}
	d.changeSchema(d.work.Schema.WithoutTable(ts.def.Num))
	if err := ts.finalize(); err != nil {
		return err
	}
	for _, q := range append(dropWords(ts.def), fmt.Sprintf("DROP TABLE t%d", ts.def.Num)) {
		if err := d.conn.script(q); err != nil {
			return fmt.Errorf("drop table: %w", err)
		}
	}
	return nil
}

// changeSchema puts another schema in place, with its part of the sums.
func (d *Draft) changeSchema(next *schema.Schema) {
	w := d.work
	for i := range w.Schema.Tables {
		w.Sums.Content.Sub(d.hash.table(&w.Schema.Tables[i]))
	}
	w.Sums.State.Sub(d.hash.counters(w.Schema))
	w.Schema, w.SchemaSeq = next, w.Seq
	for i := range next.Tables {
		w.Sums.Content.Add(d.hash.table(&next.Tables[i]))
	}
	w.Sums.State.Add(d.hash.counters(next))
}

// each calls fn for every row of a table in order of key. It reads a chunk
// before it calls, so fn may change the row.
func (ts *tableStmts) each(ctx context.Context, fn func(key int64, row *Row) error) (err error) {
	s, err := ts.conn.transient(fmt.Sprintf("SELECT %s%s,k FROM t%d WHERE k>?1 ORDER BY k LIMIT %d",
		rowFields, ts.columns, ts.def.Num, rewriteChunk))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Finalize()) }()
	rows, keys := make([]Row, rewriteChunk), make([]int64, rewriteChunk)
	for last := int64(-1 << 62); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 0
		s.BindInt64(1, last)
		for ; ; n++ {
			more, err := s.Step()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			ts.scan(s, &rows[n])
			keys[n] = s.ColumnInt64(fieldCount + len(ts.def.Columns))
		}
		if err := s.Reset(); err != nil {
			return err
		}
		for i := range n {
			if err := fn(keys[i], &rows[i]); err != nil {
				return err
			}
		}
		if n < rewriteChunk {
			return nil
		}
		last = keys[n-1]
	}
}

// alterTable changes a table's definition, and its rows where that changes
// their values: cells of changed columns are converted, added columns filled
// with their default, dropped ones taken away. A row whose values changed
// gets the entry's seq and time.
func (d *Draft) alterTable(ctx context.Context, op *commitlog.Op) error {
	if op.Alter == nil {
		return fmt.Errorf("replica: entry %d alters nothing", d.entry.Seq)
	}
	from, err := d.statements(op.Alter.Table)
	if err != nil {
		return err
	}
	next, err := d.work.Schema.Altered(op.Alter)
	if err != nil {
		return err
	}
	if err := d.keepChange(op); err != nil {
		return err
	}
	a := alteration{draft: d, op: op.Alter, from: from.def, to: next.TableByNum(op.Alter.Table)}
	a.plan()
	if !a.passes {
		d.changeSchema(next)
		return a.finish()
	}
	if err := a.prepare(); err != nil {
		return fmt.Errorf("alter table: %w", err)
	}
	changed, err := a.rewrite(ctx)
	if err != nil {
		return fault.Under(fmt.Sprintf("ops[%d]", d.ops), err)
	}
	if !d.following {
		op.Rewrites = changed
	}
	d.changeSchema(next)
	return a.finish()
}

// alteration is one alterTable under way.
type alteration struct {
	draft    *Draft
	op       *schema.Alteration
	from, to *schema.Table
	moved    []int // changed columns that SQLite stores as another type
	source   []int // for each column of to: its place in from, or -1
	passes   bool  // every row must be visited
	retext   bool  // other columns are embedded than before
}

func (a *alteration) plan() {
	a.source = make([]int, len(a.to.Columns))
	a.retext = !slices.Equal(embedded(a.from), embedded(a.to))
	a.passes = schema.NeedsRewrite(a.from, a.op) || len(a.op.Drop) > 0 || len(a.op.Add) > 0
	for i := range a.to.Columns {
		col := &a.to.Columns[i]
		a.source[i] = slices.IndexFunc(a.from.Columns, func(c schema.Column) bool { return c.Num == col.Num })
		if a.source[i] < 0 {
			continue
		}
		old := &a.from.Columns[a.source[i]]
		if storage(old.Type) != storage(col.Type) {
			a.moved = append(a.moved, col.Num)
		}
		if old.Type != col.Type || old.Embed != col.Embed || old.Required != col.Required {
			a.passes = true
		}
	}
}

// prepare brings the columns of SQLite's table to where rows can be
// rewritten: old values of a column that changes its storage under o<num>.
func (a *alteration) prepare() error {
	if a.retext {
		for _, q := range dropWords(a.from) {
			if err := a.script(q); err != nil {
				return err
			}
		}
	}
	for i := range a.from.Columns {
		if old := &a.from.Columns[i]; old.Unique {
			if err := a.script(dropIndex(a.from.Num, old.Num)); err != nil {
				return err
			}
		}
	}
	for _, num := range a.moved {
		if err := a.script(fmt.Sprintf("ALTER TABLE t%d RENAME COLUMN c%d TO o%d", a.to.Num, num, num)); err != nil {
			return err
		}
	}
	for i := range a.to.Columns {
		col := &a.to.Columns[i]
		if a.source[i] >= 0 && !slices.Contains(a.moved, col.Num) {
			continue
		}
		if err := a.script(fmt.Sprintf("ALTER TABLE t%d ADD COLUMN c%d %s", a.to.Num, col.Num, storage(col.Type))); err != nil {
			return err
		}
	}
	return nil
}

func (a *alteration) script(query string) error { return a.draft.conn.script(query) }

// rewrite visits every row and reports whether values of any changed.
func (a *alteration) rewrite(ctx context.Context) (changed bool, err error) {
	d := a.draft
	from := a.reader()
	to, err := d.conn.table(a.to)
	if err != nil {
		return false, err
	}
	err = from.each(ctx, func(key int64, row *Row) error {
		d.count(from, row, -1)
		cells, dropped, err := a.convert(row)
		if err != nil {
			return err
		}
		if len(cells) > 0 || dropped {
			changed = true
			row.Version, row.UpdatedAt = d.entry.Seq, d.entry.At
		}
		if len(cells) > 0 || dropped || len(a.moved) > 0 || a.retext {
			if err := to.writeCells(key, row, a.withMoved(row, cells), a.retext); err != nil {
				return err
			}
		}
		d.count(to, row, 1)
		return nil
	})
	return changed, err
}

// reader reads rows by the old definition while the columns are in between.
func (a *alteration) reader() *tableStmts {
	columns := ""
	for i := range a.from.Columns {
		prefix := "c"
		if slices.Contains(a.moved, a.from.Columns[i].Num) {
			prefix = "o"
		}
		columns += fmt.Sprintf(",%s%d", prefix, a.from.Columns[i].Num)
	}
	return &tableStmts{conn: a.draft.conn, def: a.from, byNum: columnOrder(a.from), columns: columns}
}

// convert brings a row's values to the new definition and gives the cells
// that changed; dropped tells that a dropped column had a value.
func (a *alteration) convert(row *Row) (cells []schema.Cell, dropped bool, err error) {
	values := make([]schema.Value, len(a.to.Columns))
	kept := 0
	for i := range a.to.Columns {
		col := &a.to.Columns[i]
		var old schema.Value
		if at := a.source[i]; at >= 0 {
			if old = row.Values[at]; old != nil {
				kept++
			}
			values[i], err = schema.Convert(&a.from.Columns[at], col, old)
		} else {
			values[i], err = added(col)
		}
		if err != nil {
			return nil, false, fmt.Errorf("row %s: %w", row.ID, err)
		}
		if values[i] != old {
			cells = append(cells, schema.Cell{Num: col.Num, Value: values[i]})
		}
	}
	before := 0
	for _, v := range row.Values {
		if v != nil {
			before++
		}
	}
	row.Values = values
	return cells, before > kept, nil
}

// added is the value of an added column in rows that are there already.
func added(col *schema.Column) (schema.Value, error) {
	if col.Required && col.Default == nil {
		return nil, fault.At(fault.Conflict, "add", "column %s is required and has no default, and the table has rows", col.Name)
	}
	return col.Default, nil
}

// withMoved adds to cells the values of moved columns that did not change.
func (a *alteration) withMoved(row *Row, cells []schema.Cell) []schema.Cell {
	for i := range a.to.Columns {
		num := a.to.Columns[i].Num
		if slices.Contains(a.moved, num) && !slices.ContainsFunc(cells, func(c schema.Cell) bool { return c.Num == num }) {
			cells = append(cells, schema.Cell{Num: num, Value: row.Values[i]})
		}
	}
	return cells
}

// finish takes away what is no longer needed, makes the indexes and notes the
// columns whose uniqueness must be checked as a whole.
func (a *alteration) finish() error {
	if a.passes {
		for i := range a.from.Columns {
			num := a.from.Columns[i].Num
			prefix := "c"
			if slices.Contains(a.moved, num) {
				prefix = "o"
			} else if a.to.ColumnByNum(num) != nil {
				continue
			}
			if err := a.script(fmt.Sprintf("ALTER TABLE t%d DROP COLUMN %s%d", a.to.Num, prefix, num)); err != nil {
				return fmt.Errorf("alter table: %w", err)
			}
		}
	}
	for i := range a.to.Columns {
		if err := a.index(i); err != nil {
			return fmt.Errorf("alter table: %w", err)
		}
	}
	if a.retext {
		for _, q := range append(createWords(a.to), fillWords(a.to)...) {
			if err := a.script(q); err != nil {
				return fmt.Errorf("alter table: %w", err)
			}
		}
	}
	return nil
}

func (a *alteration) index(i int) error {
	col, was := &a.to.Columns[i], false
	if at := a.source[i]; at >= 0 {
		was = a.from.Columns[at].Unique
	}
	if col.Unique && !a.draft.following && (a.passes || !was) {
		a.draft.touched = append(a.draft.touched, touch{a.to.Num, col.Num, nil, a.draft.ops, "change"})
	}
	switch {
	case col.Unique && (a.passes || !was):
		return a.script(createIndex(a.to.Num, col.Num))
	case !col.Unique && was && !a.passes:
		return a.script(dropIndex(a.to.Num, col.Num))
	}
	return nil
}
