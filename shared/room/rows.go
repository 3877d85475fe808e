package room

import (
	"context"
	"errors"
	"fmt"
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
	needs := schema.NeedsDefault(a)
	if len(a.Change) == 0 && len(needs) == 0 {
		return nil
	}
	changed, missing := make([]examples, len(a.Change)), examples{}
	err := b.draft.Each(ctx, t.Num, func(row *replica.Row) error {
		if len(needs) > 0 {
			missing.add(row.ID, "it is required and has no default")
		}
		for i := range a.Change {
			if reason := misfit(t, &a.Change[i], row); reason != "" {
				changed[i].add(row.ID, reason)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range changed {
		if changed[i].rows > 0 {
			return changed[i].refuse(fmt.Sprintf("change[%d]", i), a.Change[i].Name)
		}
	}
	if missing.rows > 0 {
		return missing.refuse("add", needs[0].Name)
	}
	return nil
}

// misfit says why a row's value does not convert to a column's new definition.
func misfit(t *schema.Table, to *schema.Column, row *replica.Row) string {
	for i := range t.Columns {
		if t.Columns[i].Num != to.Num {
			continue
		}
		_, err := schema.Convert(&t.Columns[i], to, row.Values[i])
		var refused *fault.Error
		if errors.As(err, &refused) {
			return refused.Reason
		}
		if err != nil {
			return err.Error()
		}
	}
	return ""
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
