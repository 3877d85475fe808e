package room_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
)

// diary makes a table that was shared with a row of ada's and one of bob's,
// edits both, and then makes it own, or drops it too.
func (w *world) diary(e *room.Engine, drop bool) (from, to int64) {
	w.tb.Helper()
	w.commit(e, ada, `{"op":"createTable","table":"diary","columns":[{"name":"text","type":"text"}]}`)
	from = w.state(e).Seq
	w.commit(e, ada, `{"op":"insert","table":"diary","id":"a","row":{"text":"secret"}}`)
	w.commit(e, bob, `{"op":"insert","table":"diary","id":"b","row":{"text":"mine"}}`)
	to = w.commit(e, ada, `{"op":"update","table":"diary","id":"a","set":{"text":"secret too"}}`).Entry.Seq
	w.commit(e, ada, `{"op":"alterTable","table":"diary","access":"own"}`)
	if drop {
		w.commit(e, ada, `{"op":"dropTable","table":"diary"}`)
	}
	return from, to
}

// TestOwnHoldsInThePast: what is own now, or was when it was last there, is so
// at any earlier seq: in lists, rows, diffs and history.
func TestOwnHoldsInThePast(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint("dropped=", drop), func(t *testing.T) {
			w := newWorld(t)
			e := w.engine()
			w.den(e)
			from, to := w.diary(e, drop)
			for _, who := range []access.Principal{ada, bob, vera} {
				told := ""
				must(t, e.ReadAt(t.Context(), who, den, to, func(v *room.View) error {
					page, err := v.List(t.Context(), room.ListRequest{Table: "diary"})
					told += string(page.Rows)
					if row, err := v.Get(t.Context(), "diary", "a"); err == nil {
						told += string(row)
					}
					return err
				}))
				diff, err := e.Diff(t.Context(), who, den, room.DiffRequest{From: from, To: to})
				must(t, err)
				text, err := json.Marshal(diff)
				must(t, err)
				told += string(text)
				page, err := e.History(t.Context(), who, den, room.HistoryRequest{Table: "diary", ID: "a"})
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Fatal(err)
				}
				text, err = json.Marshal(page)
				must(t, err)
				told += string(text)
				if sees := strings.Contains(told, "secret"); sees != (who.User.ID == "ada") {
					t.Errorf("%s is told %s", who.User.ID, told)
				}
				if sees := strings.Contains(told, "mine"); sees != (who.User.ID != "vera") {
					t.Errorf("%s is told %s", who.User.ID, told)
				}
			}
			for _, read := range []error{
				e.ReadAt(t.Context(), simon, den, to, func(*room.View) error { return nil }),
				func() error { _, err := e.Diff(t.Context(), simon, den, room.DiffRequest{From: 1}); return err }(),
				func() error {
					_, err := e.History(t.Context(), simon, den, room.HistoryRequest{Table: "tasks", ID: "a"})
					return err
				}(),
			} {
				if !fault.Is(read, fault.NotFound) {
					t.Errorf("a stranger looks at the past: %v", read)
				}
			}
		})
	}
}

// TestDiffGoesOnByCursor: pages together are the whole, whatever is committed
// meanwhile.
func TestDiffGoesOnByCursor(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	for i := range 25 {
		w.commit(e, ada, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"r%02d","row":{"title":"t"}}`, i))
	}
	seen := map[string]bool{}
	req := room.DiffRequest{From: 4, Limit: 4}
	for pages := 0; ; pages++ {
		page, err := e.Diff(t.Context(), vera, den, req)
		must(t, err)
		if got := page.Tables["tasks"]; got == nil || got.Added != 25 || pages > 10 {
			t.Fatalf("page %d: %+v", pages, got)
		}
		for _, raw := range page.Changes {
			var c struct{ ID string }
			must(t, json.Unmarshal(raw, &c))
			if seen[c.ID] {
				t.Errorf("%s comes twice", c.ID)
			}
			seen[c.ID] = true
		}
		w.commit(e, ada, `{"op":"insert","table":"tasks","row":{"title":"later"}}`)
		if req.Cursor = page.Cursor; req.Cursor == "" {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("%d rows were seen", len(seen))
	}
	page, err := e.Diff(t.Context(), vera, den, room.DiffRequest{From: 4, To: 20, MaxBytes: 1})
	must(t, err)
	if len(page.Changes) != 1 || page.Cursor == "" {
		t.Errorf("a small page has %d changes", len(page.Changes))
	}
}

// TestHistoryTellsEveryLife of a row: made, edited, removed, brought back by an
// undo, and by a load.
func TestHistoryTellsEveryLife(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`)
	then := w.commit(e, bob, `{"op":"update","table":"tasks","id":"a","set":{"title":"two"}}`).Entry.Seq
	gone := w.commit(e, cleo, `{"op":"delete","table":"tasks","id":"a"}`).Entry.Seq
	page, err := e.History(t.Context(), vera, den, room.HistoryRequest{Table: "tasks", ID: "a"})
	must(t, err)
	if got := kinds(page); got != "delete update insert" || string(page.Changes[0].Cells["title"].Before) != `"two"` || page.Changes[0].By != "cleo" {
		t.Errorf("of a row that is gone: %s, %+v", got, page)
	}
	_, err = w.undo(e, ada, gone, false)
	must(t, err)
	w.commit(e, bob, `{"op":"update","table":"tasks","id":"a","set":{"title":"three"}}`)
	req, release := w.stage(w.cache(), w.state(e).Room, then, replica.StageOptions{Tables: []int{1}})
	defer release()
	_, err = e.Load(t.Context(), ada, den, req)
	must(t, err)
	page, err = e.History(t.Context(), vera, den, room.HistoryRequest{Table: "tasks", ID: "a"})
	must(t, err)
	if got := kinds(page); got != "load update insert delete update insert" {
		t.Errorf("got %s: %+v", got, page)
	}
	if c := page.Changes[0].Cells["title"]; string(c.Before) != `"three"` || string(c.After) != `"two"` {
		t.Errorf("the load changed %s to %s", c.Before, c.After)
	}
	var parts []string
	for before := int64(0); ; {
		one, err := e.History(t.Context(), vera, den, room.HistoryRequest{Table: "tasks", ID: "a", Before: before, Limit: 1})
		must(t, err)
		parts = append(parts, kinds(one))
		if !one.More {
			break
		}
		before = one.Changes[0].Seq
	}
	if got := strings.Join(parts, " "); got != kinds(page) {
		t.Errorf("by pages: %s", got)
	}
}

func kinds(page room.HistoryPage) string {
	var all []string
	for _, c := range page.Changes {
		all = append(all, c.Kind)
	}
	return strings.Join(all, " ")
}

// TestUndoOfALoad: exactly what was before, unless somebody has written since.
func TestUndoOfALoad(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	then := w.state(e).Seq
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`)
	w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[{"name":"n","type":"integer"}]}`, `{"op":"insert","table":"notes","id":"n","row":{"n":1}}`)
	before := w.state(e)
	req, release := w.stage(w.cache(), before.Room, then, replica.StageOptions{})
	defer release()
	load, err := e.Load(t.Context(), ada, den, req)
	must(t, err)
	if _, err := w.undo(e, bob, load.Entry.Seq, false); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an editor undoes a restore: %v", err)
	}
	undone, err := w.undo(e, ada, load.Entry.Seq, false)
	must(t, err)
	if got := w.state(e); got.Sums.Content != before.Sums.Content {
		t.Error("the undo did not bring back the exact content")
	}
	again, err := w.undo(e, ada, undone.Entry.Seq, false)
	must(t, err)
	later := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"b","row":{"title":"later"}}`)
	_, err = w.undo(e, ada, again.Entry.Seq, false)
	f := faultOf(t, err)
	if got := f.Details["conflicts"].([]room.Conflict); len(got) != 1 || got[0].Seq != later.Entry.Seq || f.Details["commits"] != 1 {
		t.Errorf("got %+v", f.Details)
	}
	_, err = w.undo(e, ada, again.Entry.Seq, true)
	must(t, err)
	if got := w.state(e); got.Sums.Content != before.Sums.Content {
		t.Error("the forced undo did not bring back the exact content")
	}
}
