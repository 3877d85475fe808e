package alert

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

func ids(in Inbox) (rows []string) {
	for _, item := range in.Items {
		rows = append(rows, item.RowID)
	}
	return rows
}

func TestInboxPages(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	var want []string
	for i := range 7 {
		id := fmt.Sprintf("r%d", i)
		w.check(w.row(id, "outage"))
		want = append([]string{id}, want...)
		w.clock = w.clock.Add(time.Second)
	}
	for _, page := range []Page{{Limit: 3}, {Limit: 7}, {}, {MaxBytes: 2000}} {
		var got []string
		for {
			in := w.inbox(bob, page)
			got = append(got, ids(in)...)
			if in.Unread != 7 || len(got) > 7 {
				t.Fatalf("%+v: unread %d, %v", page, in.Unread, got)
			}
			if page.Cursor = in.Cursor; page.Cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v", page, got)
		}
	}
	if in := w.inbox(ada, Page{}); len(in.Items) != 0 || in.Unread != 0 {
		t.Errorf("ada's inbox has %v", in)
	}
	for _, bad := range []Page{{Limit: -1}, {Limit: MaxItems + 1}, {Cursor: "x"}, {Cursor: "0000000000000-#"}} {
		if _, err := w.alerts.Inbox(t.Context(), bob, den, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := w.alerts.Inbox(t.Context(), eve, den, Page{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

func TestInboxShowsRowsAsTheyAre(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	w.check(w.row("gone", "outage"))
	w.clock = w.clock.Add(time.Second)
	w.check(w.row("here", "outage"))
	w.commit(bob, `{"op":"delete","table":"tasks","id":"gone"}`, `{"op":"update","table":"tasks","id":"here","set":{"title":"calm"}}`)
	in := w.inbox(bob, Page{})
	if len(in.Items) != 2 || in.Items[1].Row != nil || in.Items[0].Row == nil || in.Items[0].Topic != "down" || in.Items[0].Table != "tasks" {
		t.Errorf("inbox %+v", in)
	}
	w.commit(ada, `{"op":"alterTable","table":"tasks","access":"own"}`, `{"op":"insert","table":"tasks","id":"hers","row":{"title":"outage"}}`)
	if in := w.inbox(bob, Page{}); len(in.Items) != 2 { // both are his
		t.Errorf("inbox %+v", in)
	}
	w.commit(ada, `{"op":"dropTable","table":"tasks"}`)
	if in := w.inbox(bob, Page{}); len(in.Items) != 2 || in.Items[0].Row != nil || in.Items[0].Table != "tasks" {
		t.Errorf("inbox %+v", in)
	}
}

func TestMarkRead(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	w.set(vera, "down", "outage")
	for i := range 4 {
		w.check(w.row(fmt.Sprintf("r%d", i), "outage"))
		w.clock = w.clock.Add(time.Second)
	}
	first := w.inbox(bob, Page{}).Items[0].ID
	gone := itemID(1, matchName("x", 1, "x", 1))
	read := func(ids []string, everything bool, want int) {
		t.Helper()
		if n, err := w.alerts.MarkRead(t.Context(), bob, den, ids, everything); err != nil || n != want {
			t.Errorf("%v %t: %d, %v", ids, everything, n, err)
		}
	}
	read([]string{first, gone, first}, false, 1)
	if in := w.inbox(bob, Page{}); in.Unread != 3 || !in.Items[0].Read || in.Items[1].Read {
		t.Errorf("inbox %+v", in)
	}
	read(nil, true, 3)
	read(nil, true, 0)
	if in := w.inbox(vera, Page{}); in.Unread != 4 {
		t.Errorf("vera's inbox has %d unread", in.Unread)
	}
	many := make([]string, 1001)
	for name, ask := range map[string]struct {
		ids        []string
		everything bool
		code       fault.Code
	}{
		"neither": {nil, false, fault.Invalid}, "both": {[]string{first}, true, fault.Invalid},
		"no id": {[]string{first, "x"}, false, fault.Invalid}, "too many": {many, false, fault.TooLarge},
	} {
		if _, err := w.alerts.MarkRead(t.Context(), bob, den, ask.ids, ask.everything); !fault.Is(err, ask.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.alerts.MarkRead(t.Context(), eve, den, nil, true); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

func TestTheInboxForgets(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "down", "outage")
	m := w.row("r1", "outage")
	w.check(m)
	item, err := w.store.Get(t.Context(), matchedKey(w.ulid, "bob", matchName("down", m.Table, "r1", m.Version)), true)
	if err != nil || item.Expires.Sub(w.clock) < Kept-time.Minute {
		t.Errorf("that it was told is forgotten at %v, %v", item.Expires, err)
	}
	w.clock = w.clock.Add(Kept - time.Minute)
	if in := w.inbox(bob, Page{}); len(in.Items) != 1 {
		t.Errorf("inbox %+v", in)
	}
	w.clock = w.clock.Add(2 * time.Minute)
	if in := w.inbox(bob, Page{}); len(in.Items) != 0 || in.Unread != 0 {
		t.Errorf("inbox %+v", in)
	}
}

// Whatever is read as an alert, a match or an id: refused, or as it was written.
func FuzzDecode(f *testing.F) {
	f.Add("ALERT#bob#down", []byte(`{"topic":"down","description":"x","threshold":0.5,"createdAt":1,"model":"m","vector":"AQIAK4dtPVBP"}`))
	f.Add("ALERT#bob", []byte(`{"topic":"down","similarity":1e999}`))
	f.Add("0000000000001-aaaaaaaaaaaaaaaaaaaaaaaaaa", []byte(`{"row":"r","at":5}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if k, err := decodeAlert(store.Item{Key: store.Key{SK: name}, Data: data}); err == nil {
			again, err := k.encode()
			if err != nil {
				t.Fatal(err)
			}
			if back, err := decodeAlert(store.Item{Key: store.Key{SK: name}, Data: again}); err != nil || back.Topic != k.Topic || back.user != k.user {
				t.Fatalf("%+v came back as %+v, %v", k, back, err)
			}
		}
		_, _ = decodeMatch(data) // must not panic
		if validID(name) && len(name) != 13+1+matchLength {
			t.Fatalf("%q is an id", name)
		}
	})
}
