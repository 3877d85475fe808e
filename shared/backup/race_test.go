package backup_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/backup"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// interposed runs something before the first look at a room's log.
type interposed struct {
	store.Store
	log  string
	once func()
}

func (s *interposed) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if run := s.once; q.PK == s.log && run != nil {
		s.once = nil
		run()
	}
	return s.Store.Query(ctx, q)
}

// Two upkeeps of a room may run at once: while one sweeps, the other may archive
// and trim the entry that names a load.
func TestASweepKeepsLoadsOfEntriesThatAreArchivedMeanwhile(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 3)
	w.restore("plans", backup.Restore{Seq: 2})
	w.fill("plans", 2)
	w.relayed(ulid)
	w.checkpoint(ulid)
	loads := w.loads(ulid)
	if len(loads) != 1 {
		t.Fatalf("there are the loads %v", loads)
	}
	w.pass(8 * 24 * time.Hour)
	before := len(w.log(ulid))
	st := &interposed{Store: w.store, log: commitlog.Partition(ulid), once: func() {
		must(t, w.keeper.Archive(t.Context(), ulid, true))
		must(t, w.keeper.Trim(t.Context(), ulid))
	}}
	other := backup.New(backup.Options{Store: st, Blobs: w.blobs, Replicas: w.cache, Catalog: backup.NewCatalog(st, w.blobs), Rooms: w.engine,
		Now: w.clock, Log: slog.New(slog.DiscardHandler)})
	must(t, other.Sweep(t.Context(), ulid))
	if after := len(w.log(ulid)); after != 1 || before < 5 {
		t.Fatalf("the log has %d entries of %d", after, before)
	}
	if got := w.loads(ulid); !slices.Equal(got, loads) {
		t.Errorf("of the loads %v there are %v", loads, got)
	}
}

func (w *world) loads(ulid string) (keys []string) {
	for _, key := range w.blobsOf(ulid) {
		if strings.Contains(key, "/loads/") {
			keys = append(keys, key)
		}
	}
	return keys
}

// A seq is rebuilt as long as any image before it is whole.
func TestADamagedSnapshotIsPassedOver(t *testing.T) {
	w := newWorld(t)
	ulid := w.create("plans")
	w.fill("plans", 3)
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	w.take("plans", "whole")
	w.fill("plans", 3)
	damaged := w.take("plans", "damaged")
	w.fill("plans", 3)
	w.relayed(ulid)
	w.checkpoint(ulid)
	must(t, w.keeper.Archive(t.Context(), ulid, true))
	w.pass(25 * time.Hour)
	must(t, w.keeper.Trim(t.Context(), ulid))
	w.forget(ulid)
	must(t, w.blobs.Put(t.Context(), damaged.Blob, bytes.NewReader([]byte("no image")), -1))
	w.open(w.store, w.blobs)
	err := w.engine.ReadAt(t.Context(), ada, room.Ref{ID: "plans"}, damaged.Seq+1, func(v *room.View) error {
		if got := v.State().Rows; got != 7 {
			t.Errorf("there are %d rows", got)
		}
		return nil
	})
	must(t, err)
}

// forget removes the oldest segment, so that the past begins at a snapshot.
func (w *world) forget(ulid string) {
	w.t.Helper()
	page, err := w.store.Query(w.t.Context(), store.Query{PK: "META#" + ulid, From: "SEG#", To: "SEG#~", Strong: true})
	must(w.t, err)
	if len(page.Items) < 2 {
		w.t.Fatal("there is no segment to forget")
	}
	must(w.t, w.store.Write(w.t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: page.Items[0].Key}}))
}
