package replica_test

import (
	"fmt"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// changesAfter lists the kinds of changes after a seq, newest first.
func changesAfter(tb testing.TB, r *replica.Replica, seq int64) (kinds []commitlog.OpKind, known bool) {
	tb.Helper()
	must(tb, r.View(tb.Context(), func(v *replica.View) (err error) {
		known, err = v.Changes(tb.Context(), seq, func(op *commitlog.Op) { kinds = append(kinds, op.Kind) })
		return err
	}))
	return kinds, known
}

// wide is a table of as many columns as there may be.
func wide(num int) *schema.Table {
	t := &schema.Table{Num: num, Name: fmt.Sprint("wide", num), NextColumn: 101}
	for i := range 100 {
		t.Columns = append(t.Columns, schema.Column{Num: i + 1, Name: fmt.Sprintf("a_rather_long_name_of_a_column_that_is_told_apart_by_%d", i), Type: schema.Text})
	}
	return t
}

func TestChangesOfNamesSurviveACheckpoint(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	first := r.State().Seq
	def := wide(r.State().Schema.NextTable)
	w.commit(r, commitlog.Op{Kind: commitlog.CreateTable, Def: def})
	w.commit(r, commitlog.Op{Kind: commitlog.DropTable, Table: def.Num, Name: def.Name, Def: def})
	must(t, r.Checkpoint(t.Context()))
	for name, r := range map[string]*replica.Replica{"writer": r, "loaded": w.acquire(w.cache())} {
		kinds, known := changesAfter(t, r, first)
		if fmt.Sprint(kinds) != "[dt ct]" || !known {
			t.Errorf("%s: %s, known: %t", name, kinds, known)
		}
		if kinds, known := changesAfter(t, r, first+2); len(kinds) > 0 || !known {
			t.Errorf("%s: after the newest: %s, known: %t", name, kinds, known)
		}
	}
}

// A room whose schema changes for ever keeps a bounded memory of it, and tells
// where it ends.
func TestOldChangesOfNamesAreForgotten(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	for range 600 {
		def := wide(r.State().Schema.NextTable)
		w.commit(r, commitlog.Op{Kind: commitlog.CreateTable, Def: def}, commitlog.Op{Kind: commitlog.DropTable, Table: def.Num, Name: def.Name, Def: def})
	}
	head := r.State().Seq
	if _, known := changesAfter(t, r, 0); known {
		t.Error("everything is kept")
	}
	if kinds, known := changesAfter(t, r, head-100); len(kinds) != 200 || !known {
		t.Errorf("of the last hundred %d are kept, known: %t", len(kinds), known)
	}
	if n := r.ChangeBytes(); n > replica.ChangesKept || n < replica.ChangesKept/2 {
		t.Errorf("%d bytes are kept", n)
	}
}
