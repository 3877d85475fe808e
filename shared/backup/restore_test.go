package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

func (w *world) restore(id string, r backup.Restore) backup.Restored {
	w.t.Helper()
	j, err := w.keeper.Restore(w.t.Context(), ada, ref(id), r)
	must(w.t, err)
	if j.State != job.Done {
		w.t.Fatalf("the restore is %s: %+v", j.State, j.Error)
	}
	done, err := backup.ReadRestored(j.Result)
	must(w.t, err)
	return done
}

// content gives every row of a room by table and id, without versions.
func (w *world) content(id string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	must(w.t, w.engine.Read(w.t.Context(), ada, ref(id), func(v *room.View) error {
		for _, t := range v.State().Schema.Tables {
			all[t.Name] = fmt.Sprint(t.Columns)
			err := v.Scan(w.t.Context(), t.Name, func(row *replica.Row) error {
				all[t.Name+"/"+row.ID] = fmt.Sprint(row.CreatedBy, row.CreatedAt, row.UpdatedAt, row.Values)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
	return all
}

func update(row, title string) string {
	return fmt.Sprintf(`{"op":"update","table":"tasks","id":%q,"set":{"title":%q}}`, row, title)
}

const people = `{"op":"createTable","table":"people","columns":[{"name":"name","type":"text"}]}`

// past makes a room with a past: what it held at a seq, and holds now.
func (w *world) past() (seq int64, then, now map[string]string) {
	w.t.Helper()
	w.create("plans")
	w.commit("plans", people)
	seq = w.commit("plans", insert("a", "first"), insert("b", "second"), insert("c", "third"),
		`{"op":"insert","table":"people","id":"p","row":{"name":"Ada"}}`)
	then = w.content("plans")
	w.pass(time.Minute)
	w.commit("plans", update("a", "changed"), `{"op":"delete","table":"tasks","id":"b"}`, insert("d", "fourth"))
	w.commit("plans", `{"op":"dropTable","table":"people"}`)
	return seq, then, w.content("plans")
}

func TestRestoreOfARoomAndItsUndo(t *testing.T) {
	w := newWorld(t)
	seq, then, _ := w.past()
	head := w.commit("plans", insert("e", "fifth"))
	now := w.content("plans")

	dry := w.restore("plans", backup.Restore{Seq: seq, DryRun: true})
	want := map[string]backup.Changes{"tasks": {Added: 1, Changed: 1, Removed: 2}, "people": {Added: 1}}
	if dry.Seq != head || dry.From != seq || !dry.DryRun || dry.SafetyBackup != "" || !maps.Equal(dry.Tables, want) {
		t.Errorf("the dry run gives %+v", dry)
	}
	if !maps.Equal(w.content("plans"), now) || len(w.snapshots("plans")) != 0 {
		t.Error("the dry run changed something")
	}

	done := w.restore("plans", backup.Restore{Seq: seq})
	if done.Seq != head+1 || done.From != seq || done.DryRun || !maps.Equal(done.Tables, want) {
		t.Errorf("the restore gives %+v", done)
	}
	if got := w.content("plans"); !maps.Equal(got, then) {
		t.Errorf("it holds %v, want %v", got, then)
	}
	if s := w.snapshots("plans"); len(s) != 1 || s[0].ID != done.SafetyBackup || s[0].Seq != head || s[0].Kind != backup.BeforeRestore {
		t.Errorf("the snapshots are %+v", s)
	}

	w.commit("plans", insert("f", "later"))
	_, err := w.engine.Undo(t.Context(), ada, ref("plans"), room.UndoRequest{Seq: done.Seq})
	var f *fault.Error
	if !fault.Is(err, fault.Conflict) || !errors.As(err, &f) || f.Details["commits"] != 1 {
		t.Fatalf("an undo with a later commit: %v", err)
	}
	_, err = w.engine.Undo(t.Context(), ada, ref("plans"), room.UndoRequest{Seq: done.Seq, Force: true})
	must(t, err)
	if got := w.content("plans"); !maps.Equal(got, now) {
		t.Errorf("undone it holds %v, want %v", got, now)
	}

	w.restore("plans", backup.Restore{Backup: done.SafetyBackup})
	if got := w.content("plans"); !maps.Equal(got, now) {
		t.Errorf("from the snapshot it holds %v, want %v", got, now)
	}
}

func TestRestoreOfTablesAndRows(t *testing.T) {
	for _, test := range []struct {
		name  string
		r     backup.Restore
		takes []string // of then
		drops []string // of now
	}{
		{"a table that is gone", backup.Restore{Tables: []string{"people"}}, []string{"people", "people/p"}, nil},
		{"one of two tables", backup.Restore{Tables: []string{"tasks"}}, []string{"tasks/a", "tasks/b"}, []string{"tasks/d"}},
		{"rows", backup.Restore{Rows: []backup.RowName{{Table: "tasks", ID: "b"}, {Table: "tasks", ID: "d"}}}, []string{"tasks/b"}, []string{"tasks/d"}},
		{"rows and a table", backup.Restore{Tables: []string{"people"}, Rows: []backup.RowName{{Table: "tasks", ID: "a"}}},
			[]string{"tasks/a", "people", "people/p"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			seq, then, now := w.past()
			test.r.Seq = seq
			dry := test.r
			dry.DryRun = true
			counted := w.restore("plans", dry)
			done := w.restore("plans", test.r)
			if !maps.Equal(done.Tables, counted.Tables) {
				t.Errorf("%v, and dry %v", done.Tables, counted.Tables)
			}
			for _, key := range test.takes {
				now[key] = then[key]
			}
			for _, key := range test.drops {
				delete(now, key)
			}
			if got := w.content("plans"); !maps.Equal(got, now) {
				t.Errorf("it holds %v, want %v", got, now)
			}
		})
	}
}

// What columns ask for becomes stricter again.
func TestRestoreToStricterColumns(t *testing.T) {
	w := newWorld(t)
	w.create("plans")
	w.commit("plans", `{"op":"createTable","table":"people","columns":[{"name":"name","type":"text","required":true}]}`)
	seq := w.commit("plans", `{"op":"insert","table":"people","id":"p","row":{"name":"Ada"}}`, `{"op":"insert","table":"people","id":"q","row":{"name":"Bob"}}`)
	then := w.content("plans")
	w.commit("plans", `{"op":"alterTable","table":"people","change":[{"name":"name","type":"text","required":false}]}`)
	w.commit("plans", `{"op":"update","table":"people","id":"p","set":{"name":null}}`, `{"op":"insert","table":"people","id":"r","row":{}}`)
	w.restore("plans", backup.Restore{Seq: seq})
	if got := w.content("plans"); !maps.Equal(got, then) {
		t.Errorf("it holds %v, want %v", got, then)
	}
}

func TestRestoreIntoANewRoom(t *testing.T) {
	w := newWorld(t)
	seq, then, now := w.past()
	at := backup.Restore{At: w.clock().Add(-30 * time.Second), Into: &backup.NewRoom{Name: "Plans of old"}}
	dry := at
	dry.DryRun = true
	counted := w.restore("plans", dry)
	done := w.restore("plans", at)
	want := map[string]backup.Changes{"tasks": {Added: 3}, "people": {Added: 1}}
	if done.Room != "plans-of-old" || done.From != seq || done.SafetyBackup != "" || !maps.Equal(counted.Tables, want) {
		t.Errorf("%+v, and dry %+v", done, counted)
	}
	if !maps.Equal(done.Tables, want) {
		t.Errorf("it changed %v", done.Tables)
	}
	if got := w.content(done.Room); !maps.Equal(got, then) {
		t.Errorf("it holds %v, want %v", got, then)
	}
	must(t, w.engine.Read(t.Context(), ada, ref(done.Room), func(v *room.View) error {
		if v.Grant().Role != access.Owner || len(v.State().Members) != 1 {
			t.Errorf("its members are %v", v.State().Members)
		}
		return v.Scan(t.Context(), "tasks", func(row *replica.Row) error {
			if row.Version != done.Seq {
				t.Errorf("row %s has the version %d, not %d", row.ID, row.Version, done.Seq)
			}
			return nil
		})
	}))
	if got := w.content("plans"); !maps.Equal(got, now) {
		t.Error("the room itself has changed")
	}

	again := w.restore("plans", backup.Restore{Seq: seq, Tables: []string{"people"}, Into: &backup.NewRoom{Name: "Plans of old"}})
	got := w.content(again.Room)
	if again.Room == done.Room || len(got) != 2 || got["people/p"] != then["people/p"] {
		t.Errorf("%s holds %v", again.Room, got)
	}
	_, err := w.keeper.Restore(t.Context(), ada, ref("plans"), backup.Restore{Seq: seq, Into: &backup.NewRoom{ID: "plans", Name: "x"}})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("into an id that is taken: %v", err)
	}
}

func TestRestoreIsRefused(t *testing.T) {
	w := newWorld(t)
	seq, _, now := w.past()
	bob := access.Principal{User: identity.User{ID: "bob", Name: "Bob"}}
	must(t, w.addEditor("plans", "bob"))
	for _, test := range []struct {
		name string
		by   access.Principal
		r    backup.Restore
		code fault.Code
	}{
		{"no point", ada, backup.Restore{}, fault.Invalid},
		{"two points", ada, backup.Restore{Seq: seq, At: w.clock()}, fault.Invalid},
		{"no such backup", ada, backup.Restore{Backup: "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, fault.NotFound},
		{"a bad backup", ada, backup.Restore{Backup: "../x"}, fault.NotFound},
		{"beyond the head", ada, backup.Restore{Seq: 1000}, fault.NotFound},
		{"before the beginning", ada, backup.Restore{Seq: -1}, fault.NotFound},
		{"before there was a room", ada, backup.Restore{At: w.clock().Add(-time.Hour)}, fault.NotFound},
		{"no such table", ada, backup.Restore{Seq: seq, Tables: []string{"nothing"}}, fault.NotFound},
		{"no such table of a row", ada, backup.Restore{Seq: seq, Rows: []backup.RowName{{Table: "people", ID: "p"}}}, fault.NotFound},
		{"a row without an id", ada, backup.Restore{Seq: seq, Rows: []backup.RowName{{Table: "tasks"}}}, fault.Invalid},
		{"rows into a room", ada, backup.Restore{Seq: seq, Rows: []backup.RowName{{Table: "tasks", ID: "a"}}, Into: &backup.NewRoom{Name: "x"}}, fault.Invalid},
		{"a bad room", ada, backup.Restore{Seq: seq, Into: &backup.NewRoom{Name: ""}}, fault.Invalid},
		{"an editor", bob, backup.Restore{Seq: seq}, fault.Forbidden},
		{"an editor, dry", bob, backup.Restore{Seq: seq, DryRun: true}, fault.Forbidden},
		{"a stranger", access.Principal{User: identity.User{ID: "eve"}}, backup.Restore{Seq: seq}, fault.NotFound},
	} {
		if _, err := w.keeper.Restore(t.Context(), test.by, ref("plans"), test.r); !fault.Is(err, test.code) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if !maps.Equal(w.content("plans"), now) {
		t.Error("something has changed")
	}
	rooms, _, err := w.engine.Rooms(t.Context(), ada, "", 10)
	if must(t, err); len(rooms) != 1 {
		t.Errorf("there are the rooms %v", rooms)
	}
}

func (w *world) addEditor(id, user string) error {
	_, err := w.engine.SetMember(w.t.Context(), ada, ref(id), user, access.Editor)
	return err
}

func (w *world) drain() {
	w.t.Helper()
	for range 1000 {
		w.queue.mu.Lock()
		if len(w.queue.bodies) == 0 {
			w.queue.mu.Unlock()
			return
		}
		body := w.queue.bodies[0]
		w.queue.bodies = w.queue.bodies[1:]
		w.queue.mu.Unlock()
		if err := w.jobs.Handle(w.t.Context(), queueMessage(body)); err != nil {
			w.t.Log(err)
		}
	}
	w.t.Fatal("the queue never ends")
}

// mortalLog dies before a commit or after it was acknowledged: what becomes of
// one in doubt is the room engine's own, which asks for minutes.
type mortalLog struct{ mortalStore }

// Write implements store.Store.
func (m mortalLog) Write(ctx context.Context, writes ...store.Write) error {
	commits := false
	for _, w := range writes {
		_, is := commitlog.SeqOf(w.Item.SK)
		commits = commits || is
	}
	err := m.mortalStore.Write(ctx, writes...)
	if !commits || !errors.Is(err, errDead) {
		return err
	}
	if m.life.left.Load() == 0 && m.life.done {
		return nil
	}
	return fault.New(fault.Invalid, "dead")
}

// The process is killed at each effect of a restore in turn. The room is
// before or after it, the job goes on to its end, commits once, and leaves no
// room that nobody asked for.
func TestRestoreKilledAtEachEffect(t *testing.T) {
	for _, into := range []bool{false, true} {
		for _, done := range []bool{false, true} {
			for n := int64(1); restoreKilledAt(t, n, into, done); n++ {
			}
		}
	}
}

func restoreKilledAt(t *testing.T, n int64, into, done bool) (killed bool) {
	t.Run(fmt.Sprint(n, into, done), func(t *testing.T) {
		w := newWorld(t)
		seq, then, now := w.past()
		r := backup.Restore{Seq: seq}
		if into {
			r.Into = &backup.NewRoom{Name: "old"}
		}
		l := &life{done: done}
		l.left.Store(n)
		w.open(mortalLog{mortalStore{w.store, l}}, mortalBlobs{w.blobs, l})
		_, err := w.keeper.Restore(t.Context(), ada, ref("plans"), r)
		killed = l.over()
		if !killed && err != nil {
			t.Fatal(err)
		}
		w.open(w.store, w.blobs)
		if got := w.content("plans"); !maps.Equal(got, now) && (into || !maps.Equal(got, then)) {
			t.Fatalf("killed it holds %v", got)
		}
		w.pass(time.Hour)
		w.drain()
		jobs, _, err := w.keeper.ListJobs(t.Context(), ada, ref("plans"), "", 10)
		must(t, err)
		rooms, _, err := w.engine.Rooms(t.Context(), ada, "", 10)
		must(t, err)
		if len(jobs) == 0 {
			if got := w.content("plans"); !maps.Equal(got, now) || len(rooms) != 1 {
				t.Errorf("without a job it holds %v", got)
			}
			return
		}
		if jobs[0].State != job.Done {
			t.Fatalf("the job is %s: %+v", jobs[0].State, jobs[0].Error)
		}
		var result backup.Restored
		must(t, json.Unmarshal(jobs[0].Result, &result))
		id := "plans"
		if into {
			id = result.Room
		}
		if got := w.content(id); !maps.Equal(got, then) {
			t.Errorf("it holds %v, want %v", got, then)
		}
		head := int64(0)
		must(t, w.engine.Read(t.Context(), ada, ref(id), func(v *room.View) error {
			head = v.State().Seq
			return nil
		}))
		if want := map[bool]int{true: 2, false: 1}[into]; len(rooms) != want || head != result.Seq {
			t.Errorf("%d rooms, at %d, restored by %d", len(rooms), head, result.Seq)
		}
		ulid := ""
		must(t, w.engine.Read(t.Context(), ada, ref("plans"), func(v *room.View) error { ulid = v.State().Room; return nil }))
		w.pass(8 * 24 * time.Hour)
		w.relayed(ulid)
		must(t, w.keeper.Sweep(t.Context(), ulid))
		loads := 0
		for _, key := range w.blobsOf(ulid) {
			if key[len(backup.BlobPrefix(ulid)):][:5] == "loads" {
				loads++
			}
		}
		if want := map[bool]int{true: 0, false: 1}[into]; loads != want {
			t.Errorf("%d loads are left of %v", loads, w.blobsOf(ulid))
		}
	})
	return killed
}

// stopping cancels the job that copies vectors.
type stopping struct{ w *world }

func (s stopping) CopyVectors(ctx context.Context, from, _ string, _ func(indexlog.Hash) (bool, error)) error {
	jobs, _, err := s.w.jobs.List(ctx, from, "", 1)
	if err == nil {
		_, err = s.w.jobs.Cancel(ctx, from, jobs[0].ID)
	}
	return err
}

// A restore that is cancelled after it made its room removes that.
func TestRestoreThatIsCancelledLeavesNoRoom(t *testing.T) {
	w := newWorld(t)
	seq, _, _ := w.past()
	w.keeper.Vectors = stopping{w}
	j, err := w.keeper.Restore(t.Context(), ada, ref("plans"), backup.Restore{Seq: seq, Into: &backup.NewRoom{Name: "old"}})
	must(t, err)
	j, err = w.keeper.GetJob(t.Context(), ada, ref("plans"), j.ID)
	must(t, err)
	rooms, _, err := w.engine.Rooms(t.Context(), ada, "", 10)
	must(t, err)
	if j.State != job.Cancelled || j.Untidy || len(rooms) != 1 {
		t.Errorf("the job is %+v, the rooms are %v", j, rooms)
	}
}

// crowd commits rows each time that a load is about to be committed, or
// changes the schema.
type crowd struct {
	backup.Rooms
	before func()
}

func (c crowd) Load(ctx context.Context, p access.Principal, ref room.Ref, req room.LoadRequest) (room.Result, error) {
	c.before()
	return c.Rooms.Load(ctx, p, ref, req)
}

func TestRestoreAmongWriters(t *testing.T) {
	w := newWorld(t)
	seq, then, _ := w.past()
	n := 0
	w.keeper.Rooms = crowd{w.engine, func() {
		n++
		w.commit("plans", insert(fmt.Sprint("late", n), "late"), update("a", "late"))
	}}
	w.restore("plans", backup.Restore{Seq: seq})
	if got := w.content("plans"); !maps.Equal(got, then) || n != 1 {
		t.Errorf("after %d loads it holds %v, want %v", n, got, then)
	}
	w.keeper.Rooms = crowd{w.engine, func() {
		if n++; n < 5 {
			w.commit("plans", fmt.Sprintf(`{"op":"createTable","table":"t%d","columns":[{"name":"name","type":"text"}]}`, n))
		}
	}}
	w.restore("plans", backup.Restore{Seq: seq})
	if got := w.content("plans"); !maps.Equal(got, then) || n != 5 {
		t.Errorf("after %d loads it holds %v, want %v", n, got, then)
	}
	w.keeper.Rooms = crowd{w.engine, func() {
		n++
		w.commit("plans", fmt.Sprintf(`{"op":"createTable","table":"t%d","columns":[{"name":"name","type":"text"}]}`, n))
	}}
	_, err := w.keeper.Restore(t.Context(), ada, ref("plans"), backup.Restore{Seq: seq})
	if !fault.Is(err, fault.Conflict) || n != 10 {
		t.Errorf("after %d loads: %v", n, err)
	}
}
