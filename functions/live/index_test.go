package live_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/vector"
)

// index appends an entry that says that rows, as table:id:text, have vectors.
func (w *world) index(rows ...string) int64 {
	w.t.Helper()
	n, err := indexlog.Head(w.t.Context(), w.store, w.ulid)
	must(w.t, err)
	e := &indexlog.Entry{Model: letters{}.Model(), Dim: letters{}.Dim(), Reset: n == 0}
	for _, row := range rows {
		part := strings.SplitN(row, ":", 3)
		v, err := vector.Quantize(letters{}.Embed(w.t.Context(), []string{part[2]}, "")[0].Vector)
		must(w.t, err)
		e.Texts = append(e.Texts, indexlog.Text{
			Hash: indexlog.TextHash(part[2]), Vector: v.Encode(), Rows: []indexlog.RowRef{{Table: w.table(part[0]), ID: part[1]}},
		})
	}
	n, err = indexlog.Append(w.t.Context(), w.store, w.ulid, e, n)
	must(w.t, err)
	return n
}

// reset begins the index anew.
func (w *world) reset() error {
	n, err := indexlog.Head(w.t.Context(), w.store, w.ulid)
	if err != nil {
		return err
	}
	e := &indexlog.Entry{Model: letters{}.Model(), Dim: letters{}.Dim(), Reset: true}
	_, err = indexlog.Append(w.t.Context(), w.store, w.ulid, e, n)
	return err
}

func (w *world) table(name string) (num int) {
	w.t.Helper()
	must(w.t, w.engine.Read(w.t.Context(), user("ada"), den, func(v *room.View) error {
		num = v.State().Schema.Table(name).Num
		return nil
	}))
	return num
}

type indexAnswer struct {
	Result struct {
		Index   int64
		Indexed []room.IndexEntry
	}
}

func (w *world) indexSince(name, params string) (a indexAnswer) {
	w.t.Helper()
	frame := w.call(w.connect(name), "subscribe", params)
	if err := json.Unmarshal([]byte(frame), &a); err != nil || strings.Contains(frame, `"error"`) || len(frame) > push.MaxMessage {
		w.t.Fatalf("subscribe as %s: %d bytes, %v, %.300s", name, len(frame), err, frame)
	}
	return a
}

func TestSubscribeTellsOfTheIndex(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		if a := w.indexSince("vera", `{"since":0,"indexSince":0}`); a.Result.Index != 0 || a.Result.Indexed != nil {
			t.Errorf("before there is one: %+v", a)
		}
		_, err := w.engine.Commit(t.Context(), user("bob"), den, request(
			`{"op":"createTable","table":"memos","columns":[{"name":"text","type":"text","embed":true}]}`,
			`{"op":"insert","table":"memos","id":"m1","row":{"text":"memo"}}`, `{"op":"insert","table":"tasks","id":"t2","row":{"title":"Second"}}`))
		must(t, err)
		_, err = w.engine.Commit(t.Context(), user("ada"), den, request(`{"op":"alterTable","table":"memos","access":"own"}`,
			`{"op":"insert","table":"memos","id":"m2","row":{"text":"hers"}}`))
		must(t, err)
		w.index("tasks:t1:First")
		w.index("memos:m1:memo", "memos:m2:hers", "tasks:gone:Second")
		w.index("tasks:t1:outdated", "tasks:t2:Second")
		t1, t2 := room.IndexRow{Table: "tasks", ID: "t1", Vector: "indexed"}, room.IndexRow{Table: "tasks", ID: "t2", Vector: "indexed"}
		m1, m2 := room.IndexRow{Table: "memos", ID: "m1", Vector: "indexed"}, room.IndexRow{Table: "memos", ID: "m2", Vector: "indexed"}
		for _, tt := range []struct {
			name, params string
			index        int64
			want         [][]room.IndexRow
		}{
			{"ada", `{"indexSince":0}`, 3, [][]room.IndexRow{{t1}, {m1, m2}, {t1, t2}}},
			{"bob", `{"since":3,"indexSince":1}`, 3, [][]room.IndexRow{{m1}, {t1, t2}}},
			{"cleo", `{"indexSince":1}`, 3, [][]room.IndexRow{{}, {t1, t2}}},
			{"ada", `{"indexSince":0,"tables":["memos"]}`, 3, [][]room.IndexRow{{}, {m1, m2}, {}}},
			{"vera", `{"indexSince":3}`, 3, nil},
			{"vera", `{"indexSince":9}`, 3, nil},
			{"vera", `{}`, 3, nil},
		} {
			a := w.indexSince(tt.name, tt.params)
			got, want := fmt.Sprint(a.Result.Index, " ", a.Result.Indexed), fmt.Sprint(tt.index, " ", entries(tt.index, tt.want))
			if got != want {
				t.Errorf("%s %s: %s, want %s", tt.name, tt.params, got, want)
			}
		}
		must(t, w.reset())
		w.index("tasks:t1:First")
		if a := w.indexSince("ada", `{"indexSince":2}`); a.Result.Index != 5 || a.Result.Indexed != nil {
			t.Errorf("over a change of model: %+v", a)
		}
		if a := w.indexSince("ada", `{"indexSince":4}`); a.Result.Index != 5 || len(a.Result.Indexed) != 1 {
			t.Errorf("after a change of model: %+v", a)
		}
		must(t, w.store.Write(t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: indexlog.Key(w.ulid, 1)}}))
		if a := w.indexSince("ada", `{"indexSince":0}`); a.Result.Index != 5 || a.Result.Indexed != nil {
			t.Errorf("of entries that are gone: %+v", a)
		}
	})
}

func entries(last int64, rows [][]room.IndexRow) (all []room.IndexEntry) {
	for i := range rows {
		all = append(all, room.IndexEntry{N: last - int64(len(rows)-1-i), Rows: rows[i]})
	}
	return all
}

// What does not fit is left out from the end, or altogether when entries are
// many or gone: the last entry told falls short of the index.
func TestSubscribeLeavesOutWhatDoesNotFit(t *testing.T) {
	w := newWorld(t, local)
	long := strings.Repeat("x", 40)
	var ops, rows []string
	for i := range 400 {
		ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"%s-%d","row":{"title":"same"}}`, long, i))
		rows = append(rows, fmt.Sprintf("tasks:%s-%d:same", long, i))
	}
	_, err := w.engine.Commit(t.Context(), user("bob"), den, request(ops...))
	must(t, err)
	for i := range 40 {
		w.index(rows[10*i : 10*i+10]...)
	}
	for _, params := range []string{`{"indexSince":0}`, `{"since":0,"indexSince":0}`} {
		a := w.indexSince("vera", params)
		if n := len(a.Result.Indexed); a.Result.Index != 40 || n == 0 || n >= 40 || a.Result.Indexed[n-1].N != int64(n) || len(a.Result.Indexed[n-1].Rows) != 10 {
			t.Errorf("%s: %d of %d entries", params, n, a.Result.Index)
		}
	}
	for range 70 {
		w.index(rows[0])
	}
	if a := w.indexSince("vera", `{"indexSince":0}`); a.Result.Index != 110 || a.Result.Indexed != nil {
		t.Errorf("many: %d of %d entries", len(a.Result.Indexed), a.Result.Index)
	}
}
