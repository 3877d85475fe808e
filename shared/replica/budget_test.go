package replica_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

func roomID(n int) string { return fmt.Sprintf("01JD0000000000000000000%03d", n) }

// manyRooms writes rooms with a table and one row, whose title is the room.
func (w *world) manyRooms(n int) {
	w.tb.Helper()
	c := w.cache()
	for i := range n {
		room := roomID(i)
		r, release, err := c.Create(w.tb.Context(), room)
		must(w.tb, err)
		d, err := r.Begin(w.tb.Context())
		must(w.tb, err)
		e := w.entry(commitlog.Create, commitlog.Op{Kind: commitlog.SetRoom, Name: room},
			commitlog.Op{Kind: commitlog.CreateTable, Def: tasks()}, insert("a", room))
		must(w.tb, try(w.tb.Context(), d, e))
		must(w.tb, w.st.Write(w.tb.Context(), store.Write{Item: store.Item{Key: commitlog.Key(room, 1), Data: commitlog.AppendEntry(nil, e)}}))
		must(w.tb, d.Publish(w.now))
		release()
	}
}

// readRoom reads a room by several views at a time.
func readRoom(t *testing.T, c *replica.Cache, n, views int) {
	t.Helper()
	r, release, err := c.Acquire(t.Context(), roomID(n))
	if err != nil {
		t.Error(err)
		return
	}
	defer release()
	var open, all sync.WaitGroup
	open.Add(views)
	for range views {
		all.Go(func() {
			err := r.View(t.Context(), func(v *replica.View) error {
				open.Done()
				open.Wait()
				row, _, err := v.Row(t.Context(), 1, "a")
				if err == nil && row.Values[0] != roomID(n) {
					t.Errorf("room %d says it is %v", n, row.Values[0])
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// descriptors counts what this process has open in a folder.
func descriptors(t *testing.T, dir string) (n int) {
	t.Helper()
	const own = "/proc/self/fd"
	open, err := os.ReadDir(own)
	if err != nil {
		t.Skip("this system does not tell which files are open")
	}
	for _, fd := range open {
		if path, err := os.Readlink(filepath.Join(own, fd.Name())); err == nil && strings.HasPrefix(path, dir+"/room") {
			n++
		}
	}
	return n
}

// TestManyRoomsKeepWithinTheirBudget reads many rooms twice over, some by
// several readers, within few descriptors or little memory.
func TestManyRoomsKeepWithinTheirBudget(t *testing.T) {
	const rooms, few = 50, 40
	w := newWorld(t)
	w.manyRooms(rooms)
	for name, budget := range map[string]func(*replica.Options){
		"descriptors": func(o *replica.Options) { o.MaxFiles = few },
		"memory":      func(o *replica.Options) { o.MaxBytes = 8 * 512 << 10 },
	} {
		t.Run(name, func(t *testing.T) {
			c := w.cache(budget)
			most := 0
			for n := range 2 * rooms {
				readRoom(t, c, n%rooms, 1+n%3)
				most = max(most, descriptors(t, c.Dir()))
			}
			if most > few+16 { // of the room in use
				t.Errorf("up to %d descriptors were open", most)
			}
			if n := descriptors(t, c.Dir()); n > few {
				t.Errorf("%d descriptors are open at the end", n)
			}
			if n := c.Loaded(); n < 2 || n > 13 {
				t.Errorf("%d rooms are kept", n)
			}
		})
	}
}

// TestReadersOfIdleRoomsAreClosed: with room for all of them, a room that was
// not used lately keeps its database and no reader, of which SQLite holds back
// one descriptor.
func TestReadersOfIdleRoomsAreClosed(t *testing.T) {
	const rooms = replica.MaxWarm + 10
	w := newWorld(t)
	w.manyRooms(rooms)
	c := w.cache()
	for views := 1; views <= 2; views++ {
		for n := range rooms {
			readRoom(t, c, n, views)
		}
		if n, want := descriptors(t, c.Dir()), rooms*(3+views)+replica.MaxWarm*views; n != want || n != c.Files() {
			t.Errorf("with %d readers %d descriptors are open, %d are counted, want %d", views, n, c.Files(), want)
		}
	}
	if c.Loaded() != rooms {
		t.Errorf("%d rooms are kept, want %d", c.Loaded(), rooms)
	}
}

// TestRoomsComeAndGoUnderConcurrentReaders: rooms are loaded, cooled and put
// out while others read them.
func TestRoomsComeAndGoUnderConcurrentReaders(t *testing.T) {
	const rooms = 12
	w := newWorld(t)
	w.manyRooms(rooms)
	c := w.cache(func(o *replica.Options) { o.MaxFiles = 24 })
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 30 {
				readRoom(t, c, (g*5+i*7)%rooms, 1+i%2)
			}
		})
	}
	all.Wait()
	if n := c.Files(); n > 24 {
		t.Errorf("%d descriptors are counted at the end", n)
	}
}

// TestStatementsOfDroppedTablesGo: a connection does not keep the statements
// of every table there ever was.
func TestStatementsOfDroppedTablesGo(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	most := 0
	for i := range 3 * replica.MaxTables {
		def := tasks()
		def.Num, def.Name = 2+i, fmt.Sprintf("table%d", i)
		row := insert("a", "x")
		row.Table = def.Num
		w.commit(r, commitlog.Op{Kind: commitlog.CreateTable, Def: def}, row)
		must(t, r.View(t.Context(), func(v *replica.View) error {
			_, found, err := v.Row(t.Context(), def.Num, "a")
			if !found {
				t.Errorf("no row in table %d", def.Num)
			}
			most = max(most, v.Tables())
			return err
		}))
		w.commit(r, commitlog.Op{Kind: commitlog.DropTable, Table: def.Num, Name: def.Name, Def: def})
	}
	if most = max(most, r.WriterTables()); most > replica.MaxTables+2 {
		t.Errorf("a connection had the statements of %d tables", most)
	}
	checkRecount(t, "writer", r)
}

// heldReads is a store whose strong reads wait until the test goes on.
type heldReads struct {
	store.Store
	waiting atomic.Int64
	goOn    chan struct{}
}

func (h *heldReads) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	h.waiting.Add(1)
	<-h.goOn
	h.waiting.Add(-1)
	return h.Store.Get(ctx, key, strong)
}

// TestAFewRoomsAreLoadedAtATime, though many are asked for.
func TestAFewRoomsAreLoadedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rooms = 3 * replica.MaxLoads
		w := newWorld(t)
		w.manyRooms(rooms)
		held := &heldReads{Store: w.st, goOn: make(chan struct{})}
		c := w.cache(func(o *replica.Options) { o.Store = held })
		var all sync.WaitGroup
		for n := range rooms {
			all.Go(func() { readRoom(t, c, n, 1) })
		}
		synctest.Wait()
		if n := held.waiting.Load(); n != replica.MaxLoads {
			t.Errorf("%d rooms are being loaded", n)
		}
		close(held.goOn)
		all.Wait()
		w.close()
	})
}
