package alert

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/push"
	"nanotypedb/shared/store"
)

func wantTold(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func TestCheckTellsWhatIsNear(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "network outage")
	w.set(vera, "down", "outage")
	w.set(vera, "money", "billing invoice")
	_, err := w.alerts.Set(t.Context(), cleo, den, "elsewhere", Request{Description: "outage", Table: "notes"})
	must(t, err)
	zero := 0.0
	_, err = w.alerts.Set(t.Context(), ada, den, "everything", Request{Description: "cat", Threshold: &zero})
	must(t, err)
	m := w.row("r1", "outage network")
	must(t, w.alerts.Check(t.Context(), w.ulid, []Matched{m}))
	first := w.told.all[0]
	row := first.params["row"].(map[string]any)
	if first.method != "alert" || first.params["table"] != "tasks" || row["title"] != "outage network" || row["_version"] != float64(m.Version) {
		t.Errorf("told %+v", first)
	}
	if id, _ := first.params["id"].(string); !validID(id) {
		t.Errorf("id %q", id)
	}
	for _, one := range w.told.all {
		want := map[string]float64{"bob": 1, "vera": 0.7071, "ada": 0}[one.user] // 1, 1/√2
		if s := one.params["similarity"].(float64); s < want-0.01 || s > want+0.01 {
			t.Errorf("%s: similarity %v, want about %v", one.user, s, want)
		}
	}
	wantTold(t, w.told.take(), "ada:everything:r1", "bob:down:r1", "vera:down:r1")
	wantTold(t, w.check(w.row("r2", "invoice")), "ada:everything:r2", "vera:money:r2")
	wantTold(t, w.check())
}

func TestOncePerAlertAndVersion(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	m := w.row("r1", "outage")
	var wg sync.WaitGroup
	for range 8 { // the same job several times at once
		wg.Go(func() {
			if err := w.alerts.Check(t.Context(), w.ulid, []Matched{m, m}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantTold(t, w.told.take(), "bob:down:r1")
	w.restart()
	wantTold(t, w.check(m))
	w.set(bob, "down", "outage outage network") // set again: the same alert
	wantTold(t, w.check(m))
	if in := w.inbox(bob, Page{}); len(in.Items) != 1 || in.Unread != 1 {
		t.Errorf("inbox %+v", in)
	}
	w.set(bob, "other", "outage")
	wantTold(t, w.check(m)) // it was there before, and is only embedded anew
	m.Version = w.commit(bob, `{"op":"update","table":"tasks","id":"r1","set":{"title":"network outage"}}`)
	m = w.text("tasks", "r1", "network outage", m.Version)
	wantTold(t, w.check(m), "bob:down:r1", "bob:other:r1")
	wantTold(t, w.check(m))
}

// What was kept and not told, as by a crash in between, is in the inbox.
func TestTheInboxHasWhatWasNotTold(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	w.told.fails = errors.New("no connection")
	m := w.row("r1", "outage")
	wantTold(t, w.check(m))
	w.told.fails = nil
	wantTold(t, w.check(m))
	if in := w.inbox(bob, Page{}); len(in.Items) != 1 || in.Items[0].RowID != "r1" {
		t.Errorf("inbox %+v", in)
	}
	w.alerts.Notifier = nil
	wantTold(t, w.check(w.row("r2", "outage")))
	if in := w.inbox(bob, Page{}); len(in.Items) != 2 {
		t.Errorf("inbox %+v", in)
	}
}

func TestCheckLeavesOutWhatIsNotSoAnyMore(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	changed, deleted, toggled, dropped := w.row("changed", "outage"), w.row("deleted", "outage"), w.row("toggled", "outage"), w.note(bob, "n", "outage")
	w.commit(bob, `{"op":"update","table":"tasks","id":"changed","set":{"title":"cat"}}`, `{"op":"delete","table":"tasks","id":"deleted"}`,
		`{"op":"update","table":"tasks","id":"toggled","set":{"status":"completed"}}`)
	w.commit(ada, `{"op":"dropTable","table":"notes"}`)
	w.index("outage", "cat")
	wantTold(t, w.check(changed, deleted, toggled, dropped), "bob:down:toggled")
	if row := w.inbox(bob, Page{}).Items[0]; row.Version == toggled.Version {
		t.Errorf("the inbox has version %d", row.Version)
	}
	other := w.row("r", "outage")
	other.Vector.Values = other.Vector.Values[:3]
	wantTold(t, w.check(other)) // of another dimension: never compared
	_, err := w.engine.Delete(t.Context(), ada, den)
	must(t, err)
	wantTold(t, w.check(toggled))
}

func TestOwnRowsAndMembers(t *testing.T) {
	w := newWorld(t)
	for _, p := range []access.Principal{ada, bob, cleo, vera} {
		w.set(p, "down", "outage")
	}
	wantTold(t, w.check(w.note(bob, "n1", "outage")), "ada:down:n1", "bob:down:n1")
	w.member("cleo", access.Owner)
	_, err := w.engine.RemoveMember(t.Context(), ada, den, "bob")
	must(t, err)
	wantTold(t, w.check(w.note(vera0(w), "n2", "outage")), "ada:down:n2", "cleo:down:n2", "vera:down:n2")
	w.member("bob", access.Viewer) // comes again: so do his alerts
	w.member("cleo", access.Editor)
	m := w.text("tasks", "r", "outage", w.commit(ada, `{"op":"insert","table":"tasks","id":"r","row":{"title":"outage"}}`))
	wantTold(t, w.check(m), "ada:down:r", "bob:down:r", "cleo:down:r", "vera:down:r")
	if in := w.inbox(cleo, Page{}); len(in.Items) != 1 || in.Items[0].RowID != "r" || in.Unread != 1 {
		t.Errorf("who is no owner any more sees %+v", in)
	}
}

// vera0 lets vera write.
func vera0(w *world) access.Principal {
	w.member("vera", access.Editor)
	return vera
}

func TestAnotherModel(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	w.set(vera, "down", "outage")
	w.model = newWords("words/2", "cat", "dog", "outage") // fewer and other directions
	w.restart()
	w.model.fail(embedder.Unreached("down"))
	m := w.row("r1", "outage")
	if err := w.alerts.Check(t.Context(), w.ulid, []Matched{m}); err == nil {
		t.Error("alerts that could not be compared are passed over")
	}
	w.model.fail(nil)
	wantTold(t, w.check(m), "bob:down:r1", "vera:down:r1")
	if n := w.model.asked["outage"]; n != 3 { // two refused, one for both
		t.Errorf("asked %d times", n)
	}
	w.restart()
	wantTold(t, w.check(w.row("r2", "dog")))
	if n := w.model.asked["outage"]; n != 3 {
		t.Errorf("the new vector was not kept: asked %d times", n)
	}
	w.model = newWords("words/3", "cat")
	w.model.fail(embedder.Refuse("never"))
	w.restart()
	must(t, w.alerts.Check(t.Context(), w.ulid, []Matched{w.text("tasks", "r1", "cat", m.Version)})) // trying again is no use
}

func TestADamagedAlertHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	for _, sk := range []string{"ALERT#ada#broken", "ALERT#nobody"} {
		must(t, w.store.Write(t.Context(), store.Write{Item: store.Item{Key: store.Key{PK: partition(w.ulid), SK: sk}, Data: []byte(`{"vector":"AQ=="}`)}}))
	}
	wantTold(t, w.check(w.row("r1", "outage")), "bob:down:r1")
}

func TestALargeRowIsToldWithoutItsColumns(t *testing.T) {
	w := newWorld(t)
	w.commit(ada, `{"op":"alterTable","table":"tasks","add":[{"name":"body","type":"text"}]}`)
	w.set(bob, "down", "outage")
	seq := w.commit(bob, `{"op":"insert","table":"tasks","id":"big","row":{"title":"outage","body":"`+strings.Repeat("x", push.MaxMessage)+`"}}`)
	must(t, w.alerts.Check(t.Context(), w.ulid, []Matched{w.text("tasks", "big", "outage", seq)}))
	if one := w.told.all[0].params; one["truncated"] != true || one["row"].(map[string]any)["body"] != nil || one["row"].(map[string]any)["_version"] != float64(seq) {
		t.Errorf("told %v", one)
	}
	in := w.inbox(bob, Page{MaxBytes: 20 << 10})
	if len(in.Items) != 1 || in.Items[0].Row != nil || in.Cursor != "" {
		t.Errorf("inbox %+v", in)
	}
}
