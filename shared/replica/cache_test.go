package replica_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// TestEveryViewIsConsistent: while one writer moves amounts between rows and
// adds rows, every reader sees rows that fit its state, and states in order.
func TestEveryViewIsConsistent(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "x", cell(3, int64(50))), insert("b", "x", cell(3, int64(50))))
	follower := w.acquire(w.cache())
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for n := range 6 {
		readers.Go(func() {
			r, last := []*replica.Replica{r, follower}[n%2], int64(0)
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := r.View(t.Context(), func(v *replica.View) error {
					s := v.State()
					total, count, newest := int64(0), int64(0), int64(0)
					err := v.Rows(t.Context(), replica.ListQuery{Table: s.Schema.TableByNum(1)}, func(row *replica.Row) (bool, error) {
						if n, ok := row.Values[2].(int64); ok {
							total += n
						}
						count, newest = count+1, max(newest, row.Version)
						return true, nil
					})
					if total != 100 || count != s.Rows || newest != s.Seq || s.Seq < last {
						return fmt.Errorf("seq %d after %d: %d rows of %d, total %d, newest version %d", s.Seq, last, count, s.Rows, total, newest)
					}
					last = s.Seq
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 150 {
		w.commit(r, update("a", cell(3, int64(i))), update("b", cell(3, int64(100-i))), insert(rowID(i), "y"))
		if i%10 == 0 {
			must(t, follower.CatchUp(t.Context()))
		}
		if i == 75 {
			must(t, r.Checkpoint(t.Context()))
		}
	}
	close(stop)
	readers.Wait()
}

func TestConcurrentCatchUpsShareWork(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	follower := w.acquire(w.cache())
	for i := range 20 {
		w.commit(r, insert(rowID(i), "x"))
	}
	var queries atomic.Int64
	w.st.fail = func(op string, _ store.Key) error {
		if op == "query" {
			queries.Add(1)
		}
		return nil
	}
	d, err := follower.Begin(t.Context()) // holds them all back
	must(t, err)
	var all sync.WaitGroup
	var waiting sync.WaitGroup
	for range 10 {
		waiting.Add(1)
		all.Go(func() {
			waiting.Done()
			if err := follower.CatchUp(t.Context()); err != nil || follower.State().Seq != 21 {
				t.Errorf("at seq %d: %v", follower.State().Seq, err)
			}
		})
	}
	waiting.Wait()
	must(t, d.Discard())
	all.Wait()
	if n := queries.Load(); n < 1 || n > 10 {
		t.Errorf("%d queries", n)
	}
}

func TestAcquireOfNoRoom(t *testing.T) {
	w := newWorld(t)
	c := w.cache()
	if _, _, err := c.Acquire(t.Context(), ulid); !fault.Is(err, fault.NotFound) {
		t.Errorf("got %v", err)
	}
	w.create(w.cache())
	if w.acquire(c).State().Seq != 1 { // a failure is not kept
		t.Error("the room is not found after it was made")
	}
}

// TestALoadOutlivesTheCallerWhoBeganIt: the first caller gives up, the second
// still gets the replica of the same load.
func TestALoadOutlivesTheCallerWhoBeganIt(t *testing.T) {
	w := newWorld(t)
	w.create(w.cache())
	c := w.cache()
	begun, goOn := make(chan struct{}), make(chan struct{})
	var loads atomic.Int64
	w.st.fail = func(op string, key store.Key) error {
		if op == "get" && loads.Add(1) == 1 {
			close(begun)
			<-goOn
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, _, err := c.Acquire(ctx, ulid)
		first <- err
	}()
	<-begun
	second := make(chan error, 1)
	waiting := make(chan struct{})
	go func() {
		close(waiting)
		_, release, err := c.Acquire(t.Context(), ulid)
		if err == nil {
			release()
		}
		second <- err
	}()
	<-waiting
	c.WaitForUsers(ulid, 2)
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first got %v", err)
	}
	close(goOn)
	if err := <-second; err != nil || loads.Load() != 1 {
		t.Errorf("the second got %v after %d loads", err, loads.Load())
	}
}

func TestALoadNobodyWaitsForEnds(t *testing.T) {
	w := newWorld(t)
	w.create(w.cache())
	c := w.cache()
	begun := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	goOn := make(chan struct{})
	w.st.fail = func(op string, _ store.Key) error {
		if op == "get" {
			close(begun)
			<-goOn
		}
		return nil
	}
	got := make(chan error, 1)
	go func() {
		_, _, err := c.Acquire(ctx, ulid)
		got <- err
	}()
	<-begun
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.st.fail = nil
	close(goOn)
	must(t, c.Close()) // waits for the load
	if c.Loaded() != 0 {
		t.Error("the room is still in the cache")
	}
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	w := newWorld(t)
	big := w.cache()
	rooms := []string{"01JD00000000000000000000R1", "01JD00000000000000000000R2", "01JD00000000000000000000R3"}
	for _, room := range rooms {
		r, release, err := big.Create(t.Context(), room)
		must(t, err)
		d, err := r.Begin(t.Context())
		must(t, err)
		e := w.entry(commitlog.Create, commitlog.Op{Kind: commitlog.SetRoom, Name: room})
		must(t, try(t.Context(), d, e))
		must(t, w.st.Write(t.Context(), store.Write{Item: store.Item{Key: commitlog.Key(room, 1), Data: commitlog.AppendEntry(nil, e)}}))
		must(t, d.Publish(w.now))
		release()
	}
	c := w.cache(func(o *replica.Options) { o.MaxBytes = big.Bytes() * 5 / 6 }) // two of the three
	use := func(room string) *replica.Replica {
		r, release, err := c.Acquire(t.Context(), room)
		must(t, err)
		release()
		return r
	}
	if files, err := os.ReadDir(big.Dir()); err != nil || len(files) != 10 {
		t.Errorf("files are %v: %v", files, err)
	}
	first := use(rooms[0])
	use(rooms[1])
	if use(rooms[0]) != first {
		t.Fatal("a room was loaded again though there was space")
	}
	third, release, err := c.Acquire(t.Context(), rooms[2])
	must(t, err)
	if use(rooms[0]) != first {
		t.Error("the most recently used room went")
	}
	if n := c.Loaded(); n != 2 {
		t.Errorf("%d rooms are kept", n)
	}
	c.Forget(rooms[2]) // in use: it stays until released
	must(t, third.View(t.Context(), func(*replica.View) error { return nil }))
	release()
	if err := third.View(t.Context(), func(*replica.View) error { return nil }); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a view of a forgotten room: %v", err)
	}
	if files, err := os.ReadDir(c.Dir()); err != nil || len(files) != 4 { // lock, database, -wal, -shm
		t.Errorf("files are %v: %v", files, err)
	}
}

func TestScratchOfDeadProcessesGoes(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	dead := filepath.Join(dir, "nanotype-replicas-1")
	must(t, os.Mkdir(dead, 0o700))
	must(t, os.WriteFile(filepath.Join(dead, "lock"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dead, "room-1"), []byte("x"), 0o600))
	inDir := func(o *replica.Options) { o.Dir = dir }
	living := w.cache(inDir)
	w.cache(inDir)
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder of a dead process is still there")
	}
	if _, err := os.Stat(living.Dir()); err != nil {
		t.Error("the folder of a living process went")
	}
	w.close()
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("after closing there is %v", left)
	}
}

func TestFilesGoWithReloads(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	c := w.cache()
	follower := w.acquire(c)
	w.commit(r, insert("a", "x"))
	for range 3 {
		must(t, follower.CatchUp(t.Context()))
		must(t, follower.Corrupt("UPDATE t1 SET c1='y'"))
		w.commit(r, update("a", cell(1, "z")))
		must(t, follower.View(t.Context(), func(v *replica.View) error { // an old view lives on through a reload
			if err := follower.CatchUp(t.Context()); err != nil {
				return err
			}
			_, _, err := v.Row(t.Context(), 1, "a")
			return err
		}))
		checkRecount(t, "follower", follower)
	}
	must(t, follower.Checkpoint(t.Context()))
	files, err := os.ReadDir(c.Dir())
	must(t, err)
	if len(files) > 4 { // lock, database, -wal, -shm
		t.Errorf("files are %v", files)
	}
}

func TestAlterationsRewriteRows(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "12", cell(3, int64(1))), insert("b", "13"))
	bytes := r.State().Bytes
	e := w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1,
		Add: []schema.Column{{Num: 9, Name: "prio", Type: schema.Integer, Default: int64(3)}}, Drop: []schema.ColumnName{{Num: 8, Name: "extra"}},
		Change: []schema.Column{{Num: 1, Name: "title", Type: schema.Integer}, {Num: 3, Name: "count", Type: schema.Text}}}})
	got := rows(t, r, replica.ListQuery{})
	if !e.Ops[0].Rewrites || got[0].Values[0] != int64(12) || got[0].Values[2] != "1" || got[1].Values[2] != nil || got[1].Values[7] != int64(3) ||
		got[0].Version != e.Seq || len(got[0].Values) != 8 {
		t.Errorf("rows are %v, rewrites %t", got, e.Ops[0].Rewrites)
	}
	if r.State().Bytes >= bytes { // no text is embedded any more
		t.Errorf("%d bytes, before %d", r.State().Bytes, bytes)
	}
	// Only what changes is given a new version.
	e = w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Drop: []schema.ColumnName{{Num: 3, Name: "count"}}}})
	if got := rows(t, r, replica.ListQuery{}); got[0].Version != e.Seq || got[1].Version != e.Seq-1 {
		t.Errorf("rows are %v", got)
	}
	e = w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Name: "jobs", Add: []schema.Column{{Num: 10, Name: "note", Type: schema.Text}}}})
	if e.Ops[0].Rewrites {
		t.Error("a column without values is told as a rewrite")
	}
	required := w.entry("", commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Add: []schema.Column{{Num: 11, Name: "x", Type: schema.Text, Required: true}}}})
	if err := w.write(r, required); !fault.Is(err, fault.Conflict) {
		t.Errorf("a required column without default: %v", err)
	}
	checkRecount(t, "writer", r)
	if w.acquire(w.cache()).State().Sums != r.State().Sums {
		t.Error("a follower has other sums")
	}
}

func TestOldValuesAreFilledForWriters(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first", cell(3, int64(1))))
	w.now = w.now.Add(hour)
	up := w.commit(r, update("a", cell(1, "second"), cell(4, 2.5))).Ops[0]
	if up.OldVersion != 2 || up.OldUpdated != 1_800_000_000_000 || len(up.Old) != 2 || up.Old[0] != cell(1, "first") || up.Old[1] != cell(4, nil) {
		t.Errorf("update is %+v", up)
	}
	del := w.commit(r, remove("a")).Ops[0]
	if del.OldVersion != 3 || del.OldCreated != 1_800_000_000_000 || len(del.Old) != 3 || del.Old[2] != cell(4, 2.5) || del.Creator != "ada" {
		t.Errorf("delete is %+v", del)
	}
}

func TestAClosedRoomStaysClosed(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commitAs(r, commitlog.Closed)
	if !r.State().Closed || !w.acquire(w.cache()).State().Closed {
		t.Error("the room is not closed")
	}
	checkRecount(t, "writer", r)
}

func TestAPanicInAViewLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache(func(o *replica.Options) { o.MaxReader = 1 }))
	func() {
		defer func() { _ = recover() }()
		_ = r.View(t.Context(), func(*replica.View) error { panic("in a handler") })
	}()
	must(t, r.View(t.Context(), func(*replica.View) error { return nil }))
}

func TestAWriterDoesNotBeginOnADamagedReplica(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	must(t, r.Corrupt("UPDATE t1 SET c1='other'"))
	if err := r.Checkpoint(t.Context()); err == nil {
		t.Fatal("the damage was not found")
	}
	w.commit(r, update("a", cell(3, int64(1))))
	checkRecount(t, "writer", r)
	if w.acquire(w.cache()).State().Sums != r.State().Sums || len(w.alarm) > 0 {
		t.Error("the writer stated wrong sums")
	}
}

func TestEntriesOfANewerProgramStopTheReader(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	newer := store.Item{Key: commitlog.Key(ulid, r.State().Seq+1), Data: []byte(`{"f":1000}`)}
	must(t, w.st.Write(t.Context(), store.Write{If: store.Absent, Item: newer}))
	if _, _, err := w.cache().Acquire(t.Context(), ulid); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
}
