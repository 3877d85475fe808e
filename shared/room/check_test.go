package room_test

import (
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/store"
)

// TestWrongWriter puts an entry whose sums are wrong into a log, as a writer
// with a damaged replica would. Its operations stand, it is told of, and the
// next writer states the recomputed sums before its own commit.
func TestWrongWriter(t *testing.T) {
	w := newWorld(t)
	var told []int64
	w.wrong = func(seq int64) { told = append(told, seq) }
	e := w.engineOn(shared{w.store})
	w.den(e)
	last := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	wrong := *last.Entry
	wrong.Seq, wrong.Attempt, wrong.Before = last.Entry.Seq+1, "wrong", last.Entry.After
	wrong.Ops = []commitlog.Op{last.Entry.Ops[0]}
	wrong.Ops[0].ID = "b"
	wrong.After.Content.Add([32]byte{1})
	must(t, w.store.Write(t.Context(), store.Write{
		Action: store.Put, Item: store.Item{Key: logKey(last.Room, wrong.Seq), Data: commitlog.AppendEntry(nil, &wrong)}, If: store.Absent,
	}))
	if _, err := w.get(e, bob, "tasks", "b"); err != nil || len(told) == 0 || told[0] != wrong.Seq {
		t.Errorf("the operation of the wrong writer: %v; told of %v", err, told)
	}
	next := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"c","row":{"title":"x"}}`)
	if next.Entry.Seq != wrong.Seq+2 {
		t.Errorf("the next commit is at %d, want %d", next.Entry.Seq, wrong.Seq+2)
	}
	page, err := e.Log(t.Context(), vera, den, wrong.Seq, 1, 0)
	must(t, err)
	if got := wire(t, page.Commits[0]); got["kind"] != "check" {
		t.Errorf("between them: %s", page.Commits[0])
	}
	after := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"d","row":{"title":"x"}}`)
	if after.Entry.Seq != next.Entry.Seq+1 {
		t.Errorf("a check was repeated: %d after %d", after.Entry.Seq, next.Entry.Seq)
	}
	if one, two := w.state(e), w.state(w.engine()); one.Sums != two.Sums || one.Rows != 4 {
		t.Errorf("%d rows, sums agree: %v", one.Rows, one.Sums == two.Sums)
	}
}
