package room

import (
	"slices"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// Rewind gives, for consecutive entries of a room of which st is the state
// after the last, the state to Show each by: st with the names of tables and
// columns right after that entry.
func Rewind(entries []*commitlog.Entry, st *replica.State) []*replica.State {
	states := make([]*replica.State, len(entries))
	for i, entry := range slices.Backward(entries) {
		states[i] = st
		if names := before(entry, st.Schema); names != st.Schema {
			earlier := *st
			earlier.Schema = names
			st = &earlier
		}
	}
	return states
}

// namings gives, for each operation of an entry, the schema that its names
// were resolved by, going back from the schema after the entry.
func namings(e *commitlog.Entry, after *schema.Schema) []*schema.Schema {
	names := make([]*schema.Schema, len(e.Ops))
	for i := len(e.Ops) - 1; i >= 0; i-- {
		op := &e.Ops[i]
		if op.Kind == commitlog.AlterTable {
			after = unaltered(after, op.Alter)
		}
		names[i] = after
		switch op.Kind {
		case commitlog.CreateTable:
			after = after.WithoutTable(op.Def.Num)
		case commitlog.DropTable:
			after = undropped(after, op)
		default:
		}
	}
	return names
}

// before gives the names of a schema as they were before an entry.
func before(e *commitlog.Entry, after *schema.Schema) *schema.Schema {
	for i := len(e.Ops) - 1; i >= 0; i-- {
		switch op := &e.Ops[i]; op.Kind {
		case commitlog.AlterTable:
			after = unaltered(after, op.Alter)
		case commitlog.CreateTable:
			after = after.WithoutTable(op.Def.Num)
		case commitlog.DropTable:
			after = undropped(after, op)
		default:
		}
	}
	return after
}

// unaltered takes the names of an alteration back. Of dropped columns only
// the names return, which is all that rendering needs.
func unaltered(s *schema.Schema, a *schema.Alteration) *schema.Schema {
	at := slices.IndexFunc(s.Tables, func(t schema.Table) bool { return t.Num == a.Table })
	if at < 0 {
		return s
	}
	t := s.Tables[at]
	t.Name = a.Was
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c schema.Column) bool {
		return slices.ContainsFunc(a.Add, func(added schema.Column) bool { return added.Num == c.Num })
	})
	for _, renamed := range a.Rename {
		if c := t.ColumnByNum(renamed.Num); c != nil {
			c.Name = renamed.Was
		}
	}
	for _, dropped := range a.Drop {
		t.Columns = append(t.Columns, schema.Column{Num: dropped.Num, Name: dropped.Name})
	}
	return withTable(s, t)
}

// undropped brings back a dropped table, with the access that it had last.
func undropped(s *schema.Schema, op *commitlog.Op) *schema.Schema { return withTable(s, *op.Def) }

// withTable returns the schema with a table put in, or in the place of the
// one with its number.
func withTable(s *schema.Schema, t schema.Table) *schema.Schema {
	next := &schema.Schema{NextTable: s.NextTable, Tables: slices.Clone(s.Tables)}
	at, found := slices.BinarySearchFunc(next.Tables, t.Num, func(t schema.Table, num int) int { return t.Num - num })
	if found {
		next.Tables[at] = t
	} else {
		next.Tables = slices.Insert(next.Tables, at, t)
	}
	return next
}
