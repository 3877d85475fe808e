package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/schema"
)

// ChangeKind says how a row differs.
type ChangeKind string

// The kinds of changes.
const (
	Added   ChangeKind = "added"
	Changed ChangeKind = "changed"
	Removed ChangeKind = "removed"
)

// Change is a row that differs between two views. From and To are the table's
// definitions there, nil where it is not; the rows, and all, are the callee's
// only while it runs.
type Change struct {
	Table         int
	From, To      *schema.Table
	ID            string
	Kind          ChangeKind
	Before, After *Row // nil of an added, of a removed row
}

// DiffCounts counts the changes of one table.
type DiffCounts struct {
	Table                   int
	From, To                *schema.Table
	Added, Changed, Removed int64
}

// DiffPosition is a place in a diff: the last row seen.
type DiffPosition struct {
	Table int
	ID    string
}

// DiffOptions say what to compare.
type DiffOptions struct {
	Tables  []int                  // by number; nil: all of either view
	Creator func(table int) string // only rows created by this user, before or after; empty or nil: all
	After   *DiffPosition          // changes up to it are counted, and not told
	Times   bool                   // a row whose creator or times alone are others has changed too
}

// Diff finds the rows that differ between two views, by table number and row
// id, and calls fn for each until it returns false; the rest is counted only.
// The views may be of two replicas. Columns are compared by number. Within a
// room, rows of the same version are the same and are not looked at.
func Diff(ctx context.Context, from, to *View, o DiffOptions, fn func(*Change) (bool, error)) ([]DiffCounts, error) {
	d := differ{options: o, fn: fn, sameRoom: from.state.Room == to.state.Room}
	counts := []DiffCounts{}
	for _, num := range tablesOf(from.state.Schema, to.state.Schema) {
		if o.Tables != nil && !slices.Contains(o.Tables, num) {
			continue
		}
		c := DiffCounts{Table: num, From: from.state.Schema.TableByNum(num), To: to.state.Schema.TableByNum(num)}
		if err := d.table(ctx, from, to, &c); err != nil {
			return nil, fmt.Errorf("compare table %d: %w", num, err)
		}
		counts = append(counts, c)
	}
	return counts, nil
}

// tablesOf gives the numbers of the tables of either schema, in order.
func tablesOf(a, b *schema.Schema) []int {
	nums := make([]int, 0, len(a.Tables)+len(b.Tables))
	for _, s := range []*schema.Schema{a, b} {
		for i := range s.Tables {
			nums = append(nums, s.Tables[i].Num)
		}
	}
	slices.Sort(nums)
	return slices.Compact(nums)
}

type differ struct {
	options  DiffOptions
	fn       func(*Change) (bool, error)
	sameRoom bool
	full     bool // fn wants no more
	creator  string
	counts   *DiffCounts
	source   []int // for each column of To: its place in From, or -1
	dropped  []int // places in From of columns that To has not
	before   Row
	after    Row
}

func (d *differ) table(ctx context.Context, from, to *View, c *DiffCounts) (err error) {
	d.counts, d.creator = c, ""
	if d.options.Creator != nil {
		d.creator = d.options.Creator(c.Table)
	}
	d.match()
	a, err := openOrdered(from.conn, c.From)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	b, err := openOrdered(to.conn, c.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for n := 0; a.more || b.more; n++ {
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if err := d.step(a, b); err != nil {
			return err
		}
	}
	return nil
}

// match finds which columns are the same.
func (d *differ) match() {
	d.source, d.dropped = d.source[:0], d.dropped[:0]
	from, to := d.counts.From, d.counts.To
	if from == nil || to == nil {
		return
	}
	for i := range to.Columns {
		d.source = append(d.source, slices.IndexFunc(from.Columns, func(c schema.Column) bool { return c.Num == to.Columns[i].Num }))
	}
	for i := range from.Columns {
		if to.ColumnByNum(from.Columns[i].Num) == nil {
			d.dropped = append(d.dropped, i)
		}
	}
}

// step compares the rows that both sides stand on, and goes on.
func (d *differ) step(a, b *ordered) error {
	order := 0
	switch {
	case !a.more:
		order = 1
	case !b.more:
		order = -1
	default:
		order = strings.Compare(a.id, b.id)
	}
	var err error
	switch {
	case order < 0:
		a.read(&d.before)
		err = d.found(a.id, Removed, &d.before, nil)
	case order > 0:
		b.read(&d.after)
		err = d.found(b.id, Added, nil, &d.after)
	case !d.sameRoom || a.version() != b.version():
		a.read(&d.before)
		b.read(&d.after)
		if d.differs() {
			err = d.found(a.id, Changed, &d.before, &d.after)
		}
	}
	if err == nil && order <= 0 {
		err = a.next()
	}
	if err == nil && order >= 0 {
		err = b.next()
	}
	return err
}

func (d *differ) differs() bool {
	if d.options.Times && (d.before.CreatedBy != d.after.CreatedBy || d.before.CreatedAt != d.after.CreatedAt || d.before.UpdatedAt != d.after.UpdatedAt) {
		return true
	}
	for i, at := range d.source {
		var was schema.Value
		if at >= 0 {
			was = d.before.Values[at]
		}
		if was != d.after.Values[i] {
			return true
		}
	}
	return slices.ContainsFunc(d.dropped, func(i int) bool { return d.before.Values[i] != nil })
}

func (d *differ) found(id string, kind ChangeKind, before, after *Row) error {
	if d.creator != "" && (before == nil || before.CreatedBy != d.creator) && (after == nil || after.CreatedBy != d.creator) {
		return nil
	}
	if d.creator != "" { // each side alone must be his to see
		before, after, kind = d.hide(before, after, kind)
	}
	switch kind {
	case Added:
		d.counts.Added++
	case Changed:
		d.counts.Changed++
	case Removed:
		d.counts.Removed++
	}
	if p := d.options.After; d.full || d.fn == nil || p != nil && (d.counts.Table < p.Table || d.counts.Table == p.Table && id <= p.ID) {
		return nil
	}
	more, err := d.fn(&Change{Table: d.counts.Table, From: d.counts.From, To: d.counts.To, ID: id, Kind: kind, Before: before, After: after})
	d.full = !more
	return err
}

// hide leaves out the side of a row that somebody else had created: an id can
// be used again.
func (d *differ) hide(before, after *Row, kind ChangeKind) (*Row, *Row, ChangeKind) {
	if kind != Changed || before.CreatedBy == after.CreatedBy {
		return before, after, kind
	}
	if before.CreatedBy != d.creator {
		return nil, after, Added
	}
	return before, nil, Removed
}

// ordered goes through the rows of a table in order of id.
type ordered struct {
	table *tableStmts
	stmt  *sqlite.Stmt
	done  func() error
	more  bool
	id    string
}

// openOrdered stands on the first row; a table that is not there has none.
func openOrdered(c *conn, def *schema.Table) (*ordered, error) {
	o := &ordered{done: func() error { return nil }}
	if def == nil {
		return o, nil
	}
	ts, err := c.table(def)
	if err != nil {
		return nil, err
	}
	o.table = ts
	o.stmt, o.done, err = ts.list(fmt.Sprintf("SELECT %s%s FROM t%d ORDER BY id", rowFields, ts.columns, def.Num))
	if err != nil {
		return nil, err
	}
	if err := o.next(); err != nil {
		return nil, errors.Join(err, o.done())
	}
	return o, nil
}

func (o *ordered) next() (err error) {
	if o.more, err = o.stmt.Step(); err != nil {
		return fmt.Errorf("read rows in order: %w", err)
	}
	if o.more {
		o.id = o.stmt.ColumnText(0)
	}
	return nil
}

func (o *ordered) version() int64 { return o.stmt.ColumnInt64(1) }
func (o *ordered) read(row *Row)  { o.table.scan(o.stmt, row) }
func (o *ordered) close() error   { return o.done() }
