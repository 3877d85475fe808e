package room

import (
	"context"
	"slices"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// StateAt gives st, a state of r at seq or later, with the names that tables
// and columns had right after seq. It returns false when so much has changed
// since that they are not known any more.
func StateAt(ctx context.Context, r *replica.Replica, st *replica.State, seq int64) (*replica.State, bool, error) {
	if seq >= st.SchemaSeq {
		return st, true, nil
	}
	earlier, known := *st, false
	err := r.View(ctx, func(v *replica.View) (err error) {
		earlier.Schema = v.State().Schema // perhaps newer than st, as are the changes
		known, err = v.Changes(ctx, seq, func(op *commitlog.Op) { earlier.Schema = beforeOp(op, earlier.Schema) })
		return err
	})
	return &earlier, known, err
}

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
		case commitlog.LoadBlob:
			after = unloaded(after, op.Load)
		default:
		}
	}
	return names
}

// before gives the names of a schema as they were before an entry.
func before(e *commitlog.Entry, after *schema.Schema) *schema.Schema {
	for i := len(e.Ops) - 1; i >= 0; i-- {
		after = beforeOp(&e.Ops[i], after)
	}
	return after
}

// beforeOp gives the names of a schema as they were before an operation.
func beforeOp(op *commitlog.Op, after *schema.Schema) *schema.Schema {
	switch op.Kind {
	case commitlog.AlterTable:
		return unaltered(after, op.Alter)
	case commitlog.CreateTable:
		return after.WithoutTable(op.Def.Num)
	case commitlog.DropTable:
		return undropped(after, op)
	case commitlog.LoadBlob:
		return unloaded(after, op.Load)
	default:
		return after
	}
}

// unloaded takes the names that a load brought back.
func unloaded(s *schema.Schema, l *commitlog.Bulk) *schema.Schema {
	for _, num := range l.Made {
		s = s.WithoutTable(num)
	}
	for i := range l.Was {
		s = withTable(s, l.Was[i])
	}
	return s
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
