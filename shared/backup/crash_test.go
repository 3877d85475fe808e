package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/store"
)

var errDead = errors.New("the process was killed")

// life is how many effects a process has left. The one at which it dies was
// done or not.
type life struct {
	left atomic.Int64
	done bool
}

// effect does something, as long as the process lives.
func (l *life) effect(do func() error) error {
	left := l.left.Add(-1)
	if left > 0 || left == 0 && l.done {
		if err := do(); err != nil || left > 0 {
			return err
		}
	}
	return errDead
}

func (l *life) over() bool { return l.left.Load() <= 0 }

// mortalStore and mortalBlobs are those of a process that dies.
type mortalStore struct {
	store.Store
	life *life
}

// Write implements store.Store.
func (m mortalStore) Write(ctx context.Context, writes ...store.Write) error {
	return m.life.effect(func() error { return m.Store.Write(ctx, writes...) })
}

// Get implements store.Store.
func (m mortalStore) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	if m.life.over() {
		return store.Item{}, errDead
	}
	return m.Store.Get(ctx, key, strong)
}

type mortalBlobs struct {
	blob.Store
	life *life
}

// PutNew implements blob.Store.
func (m mortalBlobs) PutNew(ctx context.Context, key string, r io.Reader, size int64) error {
	return m.life.effect(func() error { return m.Store.PutNew(ctx, key, r, size) })
}

// Delete implements blob.Store.
func (m mortalBlobs) Delete(ctx context.Context, key string) error {
	return m.life.effect(func() error { return m.Store.Delete(ctx, key) })
}

// The process is killed at each effect of the upkeep in turn. Whatever is left
// behind, every snapshot that is listed is whole, the log and its segments have
// no hole, the rows are all there, and a week later the sweep has left nothing
// that is not named.
func TestUpkeepKilledAtEachEffect(t *testing.T) { killedAtEach(t, upkeepKilledAt, 15) }

// killedAtEach runs a life that is long enough, to count its effects, and one
// that ends at each of them, done and not.
func killedAtEach(t *testing.T, run func(t *testing.T, l *life), least int64) {
	const long = 1 << 30
	whole := &life{}
	whole.left.Store(long)
	run(t, whole)
	effects := long - whole.left.Load()
	if effects < least {
		t.Fatalf("there are only %d effects", effects)
	}
	for n := int64(1); n <= effects; n++ {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprint(n, " ", done), func(t *testing.T) {
				t.Parallel()
				l := &life{done: done}
				l.left.Store(n)
				run(t, l)
				if !l.over() {
					t.Error("it was not killed")
				}
			})
		}
	}
}

func upkeepKilledAt(t *testing.T, l *life) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 8)
	w.take("plans", "to be deleted")
	w.relayed(ulid)
	w.checkpoint(ulid)
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	must(t, w.blobs.Put(t.Context(), backup.BlobPrefix(ulid)+"loads/orphan", nothing{}, 0))
	w.pass(40 * 24 * time.Hour)
	must(t, w.keeper.Delete(t.Context(), ada, ref("plans"), w.snapshots("plans")[0].ID))
	w.fill("plans", 4)
	w.relayed(ulid)
	w.checkpoint(ulid)
	w.pass(25 * time.Hour)

	w.open(mortalStore{w.store, l}, mortalBlobs{w.blobs, l})
	if err := w.keeper.Upkeep(t.Context(), ulid); err != nil && !l.over() {
		t.Fatal(err)
	}
	w.open(w.store, w.blobs)
	w.whole(ulid)
	must(t, w.keeper.Upkeep(t.Context(), ulid))
	w.whole(ulid)
	for range 2 {
		w.pass(8 * 24 * time.Hour)
		must(t, w.keeper.Upkeep(t.Context(), ulid))
	}
	w.whole(ulid)
	w.onlyNamed(ulid)
}

type nothing struct{}

// Read implements io.Reader.
func (nothing) Read([]byte) (int, error) { return 0, io.EOF }

// whole checks what is kept of room plans.
func (w *world) whole(ulid string) {
	w.t.Helper()
	for _, s := range w.snapshots("plans") {
		w.verify(s)
	}
	log := w.log(ulid)
	for i, seq := range log {
		if seq != log[0]+int64(i) {
			w.t.Errorf("the log holds %v", log)
		}
	}
	if log[len(log)-1] != 13 {
		w.t.Errorf("the log ends with %d", log[len(log)-1])
	}
	_, from, ok, err := w.catalog.Nearest(w.t.Context(), ulid, 1e9)
	must(w.t, err)
	if !ok {
		from = 0
	}
	reached := from
	for _, e := range w.archived(ulid, from) {
		reached = e.Seq
	}
	if log[0] > reached+1 {
		w.t.Errorf("from %d the segments reach %d, and the log begins at %d", from, reached, log[0])
	}
	if got := len(w.rows("plans")); got != 12 {
		w.t.Errorf("%d rows", got)
	}
}

// onlyNamed checks that no blob is without a name, and no name without a blob.
func (w *world) onlyNamed(ulid string) {
	w.t.Helper()
	named := map[string]bool{}
	q := store.Query{PK: "META#" + ulid, Strong: true}
	page, err := w.store.Query(w.t.Context(), q)
	must(w.t, err)
	for _, item := range page.Items {
		if key := blobOf(item); key != "" {
			named[key] = true
		}
	}
	keys := w.blobsOf(ulid)
	for _, key := range keys {
		if !named[key] {
			w.t.Errorf("%s is named by nothing", key)
		}
	}
	for key := range named {
		if !slices.Contains(keys, key) {
			w.t.Errorf("%s is named, and not there", key)
		}
	}
}

// A room is deleted, and the process killed at each effect of the purge: the
// next one ends it, and nothing but the last entry is left.
func TestPurgeKilledAtEachEffect(t *testing.T) { killedAtEach(t, purgeKilledAt, 5) }

func purgeKilledAt(t *testing.T, l *life) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 3)
	w.take("plans", "")
	w.checkpoint(ulid)
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	_, err := w.engine.Delete(t.Context(), ada, ref("plans"))
	must(t, err)
	w.relayed(ulid)
	w.pass(25 * time.Hour)
	w.open(mortalStore{w.store, l}, mortalBlobs{w.blobs, l})
	if err := w.keeper.Upkeep(t.Context(), ulid); err != nil && !l.over() {
		t.Fatal(err)
	}
	w.open(w.store, w.blobs)
	must(t, w.keeper.Due(t.Context(), func(ulid string) error { return w.keeper.Upkeep(t.Context(), ulid) }))
	must(t, w.keeper.Due(t.Context(), func(ulid string) error { t.Errorf("%s is still due", ulid); return nil }))
	for _, pk := range []string{commitlog.Partition(ulid), "META#" + ulid} {
		page, err := w.store.Query(t.Context(), store.Query{PK: pk, Strong: true})
		must(t, err)
		if want := map[string]int{commitlog.Partition(ulid): 1}[pk]; len(page.Items) != want {
			t.Errorf("%s has %d items", pk, len(page.Items))
		}
	}
	if got := w.blobsOf(ulid); len(got) != 0 {
		t.Errorf("there are blobs %v", got)
	}
}
