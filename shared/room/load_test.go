package room_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// cacheOf gives the newest engine's replicas.
func (w *world) cache() *replica.Cache { return w.caches[len(w.caches)-1] }

// stage stages the load that brings back a seq, and gives it with the room as
// it was.
func (w *world) stage(c *replica.Cache, ulid string, seq int64, o replica.StageOptions) (req room.LoadRequest, release func()) {
	w.tb.Helper()
	ctx := context.Background()
	target, release, err := c.At(ctx, ulid, seq)
	must(w.tb, err)
	present, free, err := c.Acquire(ctx, ulid)
	must(w.tb, err)
	defer free()
	must(w.tb, present.CatchUp(ctx))
	req = room.LoadRequest{Blob: loadfile.Key(ulid, id.New(w.clock())), Target: target, Rows: o.Rows}
	must(w.tb, present.View(ctx, func(now *replica.View) error {
		return target.View(ctx, func(then *replica.View) error {
			staged, err := c.StageLoad(ctx, req.Blob, then, now, o)
			if err == nil {
				req.SHA256 = staged.Sum.SHA256
			}
			return err
		})
	}))
	return req, release
}

// blobOf stores a load made by hand.
func (w *world) blobOf(h loadfile.Header, records ...loadfile.Record) room.LoadRequest {
	w.tb.Helper()
	var out bytes.Buffer
	lw, err := loadfile.NewWriter(&out, h)
	must(w.tb, err)
	for i := range records {
		must(w.tb, lw.Put(&records[i]))
	}
	sum, err := lw.Close()
	must(w.tb, err)
	key := loadfile.Key(h.Room, id.New(w.clock()))
	must(w.tb, w.blobs.PutNew(w.tb.Context(), key, &out, int64(out.Len())))
	return room.LoadRequest{Blob: key, SHA256: sum.SHA256}
}

func taskRow(rowID, creator, title string) loadfile.Record {
	return loadfile.Record{Kind: loadfile.Row, Table: 1, ID: rowID, Creator: creator, CreatedAt: 5, UpdatedAt: 6,
		Cells: []schema.Cell{{Num: 1, Value: title}, {Num: 2, Value: "pending"}}}
}

func (w *world) header(e *room.Engine, mode loadfile.Mode) loadfile.Header {
	st := w.state(e)
	return loadfile.Header{Room: st.Room, Base: st.Seq, Mode: mode, Tables: []schema.Table{*st.Schema.TableByNum(1)}}
}

// TestWhoMayLoad: owners anything, editors rows of their own that are new.
func TestWhoMayLoad(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"taken","row":{"title":"x"}}`)
	h := w.header(e, loadfile.Merge)
	fresh := schema.Table{Num: 9, Name: "fresh", NextColumn: 2, Columns: []schema.Column{{Num: 1, Name: "n", Type: schema.Integer}}}
	withFresh, ownFresh, renamed, dropping := h, h, h, h
	withFresh.Tables = append(withFresh.Tables[:1:1], fresh)
	fresh.Num, fresh.Name, fresh.Access = 10, "mine", schema.Own
	ownFresh.Tables = append(ownFresh.Tables[:1:1], fresh)
	renamed.Tables = []schema.Table{h.Tables[0]}
	renamed.Tables[0].Name = "todo"
	dropping.Dropped = []int{7}
	for _, c := range []struct {
		name    string
		who     access.Principal
		only    bool
		header  loadfile.Header
		records []loadfile.Record
		code    fault.Code
	}{
		{"a stranger", simon, true, h, nil, fault.NotFound},
		{"a viewer", vera, true, h, nil, fault.Forbidden},
		{"an editor without asking for new rows only", bob, false, h, nil, fault.Forbidden},
		{"an editor with rows of another", bob, true, h, []loadfile.Record{taskRow("r1", "ada", "x")}, fault.Forbidden},
		{"an editor who deletes", bob, true, h, []loadfile.Record{{Kind: loadfile.Delete, Table: 1, ID: "taken"}}, fault.Forbidden},
		{"an editor who replaces", bob, true, w.header(e, loadfile.Replace), nil, fault.Forbidden},
		{"an editor who renames", bob, true, renamed, nil, fault.Forbidden},
		{"an editor who drops", bob, true, dropping, nil, fault.Forbidden},
		{"an editor who makes a table of his own", bob, true, ownFresh, nil, fault.Forbidden},
		{"an editor whose id is taken", bob, true, h, []loadfile.Record{taskRow("taken", "bob", "x")}, fault.Conflict},
		{"an editor", bob, true, h, []loadfile.Record{taskRow("r2", "bob", "x")}, ""},
		{"an editor who makes a table", bob, true, withFresh, []loadfile.Record{taskRow("r3", "bob", "x")}, ""},
		{"an owner", ada, false, h, []loadfile.Record{taskRow("taken", "bob", "y")}, ""},
	} {
		before := w.state(e).Seq
		req := w.blobOf(c.header, c.records...)
		req.InsertOnly = c.only
		_, err := e.Load(t.Context(), c.who, den, req)
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
		if after := w.state(e).Seq; (after != before) != (c.code == "") {
			t.Errorf("%s: the room went from %d to %d", c.name, before, after)
		}
	}
}

// TestALoadIsRefusedEarly: what names no sound blob of the room.
func TestALoadIsRefusedEarly(t *testing.T) {
	w := newWorld(t)
	var shift time.Duration
	w.clock = func() time.Time { return time.Now().Add(shift) }
	e := w.engine()
	w.den(e)
	good := w.blobOf(w.header(e, loadfile.Merge), taskRow("a", "ada", "x"))
	other, gone, path, sum := good, good, good, good
	other.Blob = loadfile.Key(id.New(w.clock()), id.New(w.clock()))
	gone.Blob = loadfile.Key(w.state(e).Room, id.New(w.clock()))
	path.Blob = loadfile.Key(w.state(e).Room, "../../"+id.New(w.clock()))
	sum.SHA256[3]++
	damaged := good
	damaged.Blob = loadfile.Key(w.state(e).Room, id.New(w.clock()))
	must(t, w.blobs.Put(t.Context(), damaged.Blob, strings.NewReader("NANOLOAD and more"), 17))
	long := good
	long.Note = strings.Repeat("x", 501)
	for name, c := range map[string]struct {
		req  room.LoadRequest
		code fault.Code
	}{
		"of another room": {other, fault.Invalid}, "gone": {gone, fault.NotFound}, "a path": {path, fault.Invalid}, "another SHA-256": {sum, fault.Invalid},
		"damaged": {damaged, fault.Invalid}, "a long note": {long, fault.TooLarge},
	} {
		if _, err := e.Load(t.Context(), ada, den, c.req); fault.CodeOf(err) != c.code || room.IsStale(err) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	shift = 6 * 24 * time.Hour
	if _, err := e.Load(t.Context(), ada, den, good); !room.IsStale(err) {
		t.Errorf("too old: %v", err)
	}
	shift = 4 * 24 * time.Hour
	if _, err := e.Load(t.Context(), ada, den, good); err != nil {
		t.Error(err)
	}
}

// TestALoadHappensOnce, by its commitId, also when its blob is gone.
func TestALoadHappensOnce(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	req := w.blobOf(w.header(e, loadfile.Merge), taskRow("a", "ada", "x"))
	req.CommitID, req.Note = "load-1", "a note"
	first, err := e.Load(t.Context(), ada, den, req)
	must(t, err)
	must(t, w.blobs.Delete(t.Context(), req.Blob))
	again, err := e.Load(t.Context(), ada, den, req)
	must(t, err)
	if !again.Repeated || again.Entry.Seq != first.Entry.Seq || again.Entry.Ops[0].Name != "a note" {
		t.Errorf("got %+v", again)
	}
	other := w.blobOf(w.header(e, loadfile.Merge), taskRow("b", "ada", "x"))
	other.CommitID = "load-1"
	if _, err := e.Load(t.Context(), ada, den, other); !fault.Is(err, fault.Conflict) {
		t.Errorf("another load by the same id: %v", err)
	}
}

// TestALoadResetsTheLog: whoever reads across it loads the tables anew, and
// commits before it are named as they were.
func TestALoadResetsTheLog(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	then := w.state(e).Seq
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	w.commit(e, ada, `{"op":"alterTable","table":"tasks","name":"todo"}`, `{"op":"createTable","table":"notes","columns":[]}`)
	req, release := w.stage(w.cache(), w.state(e).Room, then, replica.StageOptions{})
	defer release()
	r, err := e.Load(t.Context(), ada, den, req)
	must(t, err)
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"b","row":{"title":"y"}}`)
	page, err := e.Log(t.Context(), vera, den, then, 10, 0)
	must(t, err)
	if len(page.Commits) != 2 || !page.More || page.Reset || !strings.Contains(string(page.Commits[0]), `"table":"tasks"`) || !strings.Contains(string(page.Commits[1]), `"table":"notes"`) {
		t.Errorf("got %s, more %t, reset %t", page.Commits, page.More, page.Reset)
	}
	page, err = e.Log(t.Context(), vera, den, r.Entry.Seq-1, 10, 0)
	must(t, err)
	if !page.Reset || len(page.Commits) != 0 {
		t.Errorf("got %s, reset %t", page.Commits, page.Reset)
	}
	page, err = e.Log(t.Context(), vera, den, r.Entry.Seq, 10, 0)
	must(t, err)
	if page.Reset || len(page.Commits) != 1 {
		t.Errorf("got %s, reset %t", page.Commits, page.Reset)
	}
	if got := room.Show(r.Entry, r.State, room.Viewer{User: "vera", Role: access.Viewer}); got.Reset != room.ResetLoad {
		t.Errorf("told as %+v", got)
	}
}

// TestALoadUnderConcurrentWriters: commits go on in two processes while one
// restores. The tables are exactly those of the target at the load's seq, no
// acknowledged commit is lost, and what is not restored goes on untouched.
func TestALoadUnderConcurrentWriters(t *testing.T) {
	w := newWorld(t)
	st := shared{w.store}
	first, second := w.engineOn(st), w.engineOn(st)
	caches := w.caches
	w.den(first)
	w.commit(first, ada, `{"op":"createTable","table":"notes","columns":[{"name":"n","type":"integer"}]}`)
	for i := range 40 {
		w.commit(first, ada, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"r%d","row":{"title":"old %d"}}`, i, i))
	}
	target := w.state(first).Seq
	ulid := w.state(first).Room
	for i := range 10 {
		w.commit(first, bob, fmt.Sprintf(`{"op":"update","table":"tasks","id":"r%d","set":{"title":"new"}}`, i), fmt.Sprintf(`{"op":"delete","table":"tasks","id":"r%d"}`, i+20))
	}
	var acked sync.Map
	var notes atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i, e := range []*room.Engine{first, second, first} {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			for n := 0; ctx.Err() == nil; n++ {
				op := fmt.Sprintf(`{"op":"update","table":"tasks","id":"r%d","set":{"title":"w%d-%d"}}`, rnd.IntN(40), i, n)
				switch rnd.IntN(4) {
				case 0:
					op = fmt.Sprintf(`{"op":"insert","table":"tasks","row":{"title":"w%d-%d"}}`, i, n)
				case 1:
					op = fmt.Sprintf(`{"op":"insert","table":"notes","row":{"n":%d}}`, n)
				case 2:
					op = fmt.Sprintf(`{"op":"delete","table":"tasks","id":"r%d"}`, rnd.IntN(40))
				}
				r, err := e.Commit(ctx, bob, den, request(op))
				if err == nil {
					acked.Store(r.Entry.Seq, r.Entry.Attempt)
					if strings.Contains(op, "notes") {
						notes.Add(1)
					}
				} else if !fault.Is(err, fault.NotFound) && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	var loads []int64
	for range 4 {
		for {
			req, release := w.stage(caches[1], ulid, target, replica.StageOptions{Tables: []int{1}})
			r, err := second.Load(t.Context(), ada, den, req)
			release()
			if room.IsStale(err) {
				continue
			}
			must(t, err)
			loads = append(loads, r.Entry.Seq)
			break
		}
	}
	cancel()
	all.Wait()
	want := rowsAt(t, first, target, "tasks")
	for _, seq := range loads {
		if got := rowsAt(t, first, seq, "tasks"); got != want {
			t.Errorf("seq %d is\n%s\nnot\n%s", seq, got, want)
		}
	}
	acked.Range(func(seq, attempt any) bool {
		item, err := w.store.Get(t.Context(), logKey(ulid, seq.(int64)), true)
		must(t, err)
		entry, err := commitlog.DecodeEntry(item.Data)
		must(t, err)
		if entry.Attempt != attempt {
			t.Errorf("commit %d is lost", seq)
		}
		return true
	})
	third := w.engineOn(st)
	var counted int64
	must(t, third.Read(t.Context(), ada, den, func(v *room.View) error {
		page, err := v.List(t.Context(), room.ListRequest{Table: "notes", Limit: 1000})
		var rows []json.RawMessage
		must(t, json.Unmarshal(page.Rows, &rows))
		counted = int64(len(rows))
		return err
	}))
	if counted != min(notes.Load(), 1000) {
		t.Errorf("%d notes, %d were acknowledged", counted, notes.Load())
	}
	if a, b, c := w.state(first).Sums, w.state(second).Sums, w.state(third).Sums; a != b || b != c {
		t.Error("the processes disagree")
	}
	t.Logf("%d loads among %d commits", len(loads), w.state(first).Seq)
}

// rowsAt gives the rows of a table at a seq, without their versions.
func rowsAt(t *testing.T, e *room.Engine, seq int64, table string) (text string) {
	t.Helper()
	must(t, e.ReadAt(t.Context(), ada, den, seq, func(v *room.View) error {
		page, err := v.List(t.Context(), room.ListRequest{Table: table, Limit: 1000})
		if err != nil {
			return err
		}
		var rows []map[string]any
		must(t, json.Unmarshal(page.Rows, &rows))
		for _, row := range rows {
			delete(row, "_version")
			delete(row, "_vector")
			line, err := json.Marshal(row)
			must(t, err)
			text += string(line) + "\n"
		}
		return nil
	}))
	return text
}

// TestAChangeOfTablesMakesALoadStale, which then is staged again.
func TestAChangeOfTablesMakesALoadStale(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	st := w.state(e)
	whole, release := w.stage(w.cache(), st.Room, st.Seq-1, replica.StageOptions{})
	defer release()
	single, release2 := w.stage(w.cache(), st.Room, st.Seq-1, replica.StageOptions{Rows: map[int][]string{1: {"a"}}})
	defer release2()
	single.Target = nil
	append1 := w.blobOf(w.header(e, loadfile.Merge), taskRow("n1", "ada", "x"))
	strict := w.blobOf(w.header(e, loadfile.Merge), taskRow("n2", "ada", "x"))
	strict.Strict = true
	w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[]}`)
	if _, err := e.Load(t.Context(), ada, den, whole); !room.IsStale(err) {
		t.Errorf("a whole restore over a new table: %v", err)
	}
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"b","row":{"title":"y"}}`)
	if _, err := e.Load(t.Context(), ada, den, strict); !room.IsStale(err) {
		t.Errorf("a strict one over a new row: %v", err)
	}
	_, err := e.Load(t.Context(), ada, den, append1)
	must(t, err)
	_, err = e.Load(t.Context(), ada, den, single)
	must(t, err)
	if _, err := w.get(e, ada, "tasks", "a"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the row is still there: %v", err)
	}
	if _, err := w.get(e, ada, "tasks", "b"); err != nil {
		t.Errorf("another row went: %v", err)
	}
	late := w.blobOf(w.header(e, loadfile.Merge), taskRow("n3", "ada", "x"))
	w.commit(e, ada, `{"op":"alterTable","table":"tasks","rename":{"title":"name"}}`)
	if _, err := e.Load(t.Context(), ada, den, late); !room.IsStale(err) {
		t.Errorf("over another schema: %v", err)
	}
}
