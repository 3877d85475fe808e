package room

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// examples collects the rows that stand in the way of an alteration.
type examples struct {
	rows   int
	ids    []string
	reason string // of the first
}

func (x *examples) add(id, reason string) {
	const shown = 3
	if x.rows++; len(x.ids) < shown {
		x.ids = append(x.ids, id)
	}
	if x.rows == 1 {
		x.reason = reason
	}
}

func (x *examples) refuse(path, column string) error {
	noun := "rows do"
	if x.rows == 1 {
		noun = "row does"
	}
	return fault.At(fault.Conflict, path, "%d %s not fit column %s: %s (%s)", x.rows, noun, column, x.reason, x.list()).
		With("rows", x.rows).With("ids", x.ids)
}

func (x *examples) list() string {
	text := strings.Join(x.ids, ", ")
	if x.rows > len(x.ids) {
		text += ", …"
	}
	return text
}

// checkRows refuses an alteration that rows of the table do not fit, with how
// many they are. Uniqueness is checked when the commit ends.
func (b *builder) checkRows(ctx context.Context, t *schema.Table, a *schema.Alteration) error {
	f := newFitting(t, a)
	if len(a.Change) == 0 && len(f.needs) == 0 && len(f.added) == 0 {
		return nil
	}
	err := b.draft.Each(ctx, t.Num, func(row *replica.Row) error {
		f.check(row)
		return nil
	})
	if err != nil {
		return err
	}
	return f.verdict()
}

// fitting tries an alteration on rows.
type fitting struct {
	table   *schema.Table
	alter   *schema.Alteration
	change  []int               // for each column of the table: its place in Change, or -1
	drops   []bool              // for each column of the table
	needs   []schema.ColumnName // required ones without a default
	added   []schema.Cell       // defaults of added columns
	changed []examples          // for each of Change: the rows whose value does not convert
	missing examples
	large   examples // rows that would grow above the limit

	before, after []schema.Cell // of the row being tried
}

func newFitting(t *schema.Table, a *schema.Alteration) *fitting {
	f := &fitting{table: t, alter: a, needs: schema.NeedsDefault(a), changed: make([]examples, len(a.Change)),
		change: make([]int, len(t.Columns)), drops: make([]bool, len(t.Columns))}
	for i := range t.Columns {
		num := t.Columns[i].Num
		f.change[i] = slices.IndexFunc(a.Change, func(c schema.Column) bool { return c.Num == num })
		f.drops[i] = slices.ContainsFunc(a.Drop, func(c schema.ColumnName) bool { return c.Num == num })
	}
	for i := range a.Add {
		if a.Add[i].Default != nil {
			f.added = append(f.added, schema.Cell{Num: a.Add[i].Num, Value: a.Add[i].Default})
		}
	}
	return f
}

func (f *fitting) check(row *replica.Row) {
	if len(f.needs) > 0 {
		f.missing.add(row.ID, "it is required and has no default")
	}
	f.before, f.after = f.before[:0], append(f.after[:0], f.added...)
	for i, v := range row.Values {
		num := f.table.Columns[i].Num
		if v != nil {
			f.before = append(f.before, schema.Cell{Num: num, Value: v})
		}
		if at := f.change[i]; at >= 0 {
			v = f.convert(i, at, row)
		}
		if v != nil && !f.drops[i] {
			f.after = append(f.after, schema.Cell{Num: num, Value: v})
		}
	}
	if after := schema.RowBytes(f.after); after > schema.MaxRowBytes && after > schema.RowBytes(f.before) {
		f.large.add(row.ID, "")
	}
}

// convert gives a value as the new definition of its column has it, and notes
// a row whose value has no place there.
func (f *fitting) convert(column, change int, row *replica.Row) schema.Value {
	v, err := schema.Convert(&f.table.Columns[column], &f.alter.Change[change], row.Values[column])
	var refused *fault.Error
	switch {
	case errors.As(err, &refused):
		f.changed[change].add(row.ID, refused.Reason)
	case err != nil:
		f.changed[change].add(row.ID, err.Error())
	}
	return v
}

func (f *fitting) verdict() error {
	for i := range f.changed {
		if f.changed[i].rows > 0 {
			return f.changed[i].refuse(fmt.Sprintf("change[%d]", i), f.alter.Change[i].Name)
		}
	}
	switch {
	case f.missing.rows > 0:
		return f.missing.refuse("add", f.needs[0].Name)
	case f.large.rows > 0:
		return fault.New(fault.TooLarge, "%d of the rows would be above the limit of %d bytes a row (%s)", f.large.rows, schema.MaxRowBytes, f.large.list()).
			With("rows", f.large.rows).With("ids", f.large.ids)
	}
	return nil
}

// explain counts the rows that stand in the way of a column becoming unique.
func (b *builder) explain(ctx context.Context, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Conflict {
		return err
	}
	var i int
	var rest string
	if n, _ := fmt.Sscanf(f.Path, "ops[%d]%s", &i, &rest); n != 2 || i >= len(b.entry.Ops) || b.entry.Ops[i].Kind != commitlog.AlterTable {
		return err
	}
	t := b.state().Schema.TableByNum(b.entry.Ops[i].Table)
	column := rest[strings.LastIndexByte(rest, '.')+1:]
	twice, eachErr := b.duplicates(ctx, t, column)
	if eachErr != nil {
		return eachErr
	}
	if twice.rows == 0 {
		return err
	}
	return twice.refuse(f.Path, column)
}

// duplicates finds the rows that share their value of a column.
func (b *builder) duplicates(ctx context.Context, t *schema.Table, column string) (twice examples, err error) {
	at := -1
	for i := range t.Columns {
		if t.Columns[i].Name == column {
			at = i
		}
	}
	if at < 0 {
		return twice, nil
	}
	first := map[schema.Value]string{}
	err = b.draft.Each(ctx, t.Num, func(row *replica.Row) error {
		v := row.Values[at]
		if v == nil {
			return nil
		}
		id, seen := first[v]
		switch {
		case !seen:
			first[v] = row.ID
			return nil
		case id != "":
			twice.add(id, "it would be unique, but they share their value")
			first[v] = ""
		}
		twice.add(row.ID, "")
		return nil
	})
	return twice, err
}
