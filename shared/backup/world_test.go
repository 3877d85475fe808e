package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/access"
	"nanotypedb/shared/backend/embedded"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// world is everything but the network, over embedded parts and with a clock of
// its own.
type world struct {
	t       testing.TB
	store   store.Store
	blobs   blob.Store
	cache   *replica.Cache
	catalog *backup.Catalog
	engine  *room.Engine
	keeper  *backup.Keeper
	jobs    *job.Runner
	queue   *box
	relay   *relay.Handler

	mu  sync.Mutex
	now time.Time
}

var ada = access.Principal{User: identity.User{ID: "ada", Name: "Ada"}}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// box is a queue that keeps what was sent.
type box struct {
	queue.Queue
	mu     sync.Mutex
	bodies []string
}

func (b *box) Send(_ context.Context, messages ...queue.Outgoing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range messages {
		b.bodies = append(b.bodies, m.Body)
	}
	return nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	b, err := embedded.Open(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	w := &world{t: t, store: b.Store, blobs: b.Blobs, queue: &box{}, now: time.Now()}
	w.open(w.store, w.blobs)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// open makes the parts over a store and blobs anew, as a restart does.
func (w *world) open(st store.Store, blobs blob.Store) {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	w.catalog = backup.NewCatalog(st, blobs)
	var err error
	w.cache, err = replica.NewCache(w.cacheOptions(st, blobs, log))
	must(w.t, err)
	cache := w.cache
	w.t.Cleanup(func() { must(w.t, cache.Close()) })
	w.engine = room.New(room.Options{Store: st, Replicas: w.cache, Now: w.clock, Log: log})
	w.jobs = job.New(job.Options{Store: st, Queue: w.queue, Now: w.clock, Log: log})
	w.keeper = backup.New(backup.Options{Store: st, Blobs: blobs, Replicas: w.cache, Catalog: w.catalog, Rooms: w.engine,
		Jobs: w.jobs, Now: w.clock, Log: log})
	w.relay = relay.New(relay.Deps{Store: st, Replicas: w.cache, Rooms: w.engine, Now: w.clock, Log: log})
}

// create makes a room and gives its ULID.
func (w *world) create(id string) string {
	w.t.Helper()
	info, err := w.engine.Create(w.t.Context(), ada, id, id)
	must(w.t, err)
	return info.ULID
}

func (w *world) commit(id string, ops ...string) int64 {
	w.t.Helper()
	raw := make([]json.RawMessage, len(ops))
	for i, op := range ops {
		raw[i] = json.RawMessage(op)
	}
	r, err := w.engine.Commit(w.t.Context(), ada, room.Ref{ID: id}, room.Request{Ops: raw})
	must(w.t, err)
	return r.Entry.Seq
}

func insert(row, title string) string {
	return fmt.Sprintf(`{"op":"insert","table":"tasks","id":%q,"row":{"title":%q}}`, row, title)
}

// fill makes n commits with one row each.
func (w *world) fill(id string, n int) {
	w.t.Helper()
	for range n {
		w.commit(id, `{"op":"insert","table":"tasks","row":{"title":"something to do"}}`)
	}
}

// relayed brings the watermark of a room to its end and writes a checkpoint.
func (w *world) relayed(ulid string) {
	w.t.Helper()
	for _, f := range w.relay.Handle(w.t.Context(), []store.Change{{Key: commitlog.Key(ulid, 1)}}) {
		w.t.Fatal(f.Err)
	}
}

func (w *world) checkpoint(ulid string) {
	w.t.Helper()
	r, release, err := w.cache.Acquire(w.t.Context(), ulid)
	must(w.t, err)
	defer release()
	must(w.t, r.CatchUp(w.t.Context()))
	must(w.t, r.Checkpoint(w.t.Context()))
}

// log gives the seqs of the entries that the store holds.
func (w *world) log(ulid string) (seqs []int64) {
	w.t.Helper()
	q := store.Query{PK: commitlog.Partition(ulid), From: store.LogPrefix, To: store.LogPrefix + "~", Strong: true}
	for {
		page, err := w.store.Query(w.t.Context(), q)
		must(w.t, err)
		for _, item := range page.Items {
			seq, _ := commitlog.SeqOf(item.SK)
			seqs = append(seqs, seq)
		}
		if q.After = page.Next; q.After == "" {
			return seqs
		}
	}
}

// blobsOf lists the blobs of a room but its checkpoints.
func (w *world) blobsOf(ulid string) (keys []string) {
	w.t.Helper()
	infos, _, err := w.blobs.List(w.t.Context(), backup.BlobPrefix(ulid), "", 0)
	must(w.t, err)
	for _, info := range infos {
		keys = append(keys, info.Key)
	}
	return keys
}

// archived reads every archived entry after a seq.
func (w *world) archived(ulid string, after int64) (all []*commitlog.Entry) {
	w.t.Helper()
	for {
		entries, more, err := w.catalog.Read(w.t.Context(), ulid, after, 3)
		must(w.t, err)
		for _, e := range entries {
			if e.Seq != after+1 {
				w.t.Fatalf("entry %d after %d", e.Seq, after)
			}
			after = e.Seq
		}
		all = append(all, entries...)
		if !more {
			return all
		}
	}
}

func (w *world) take(id, note string) backup.Snapshot {
	w.t.Helper()
	j, err := w.keeper.Take(w.t.Context(), ada, room.Ref{ID: id}, note)
	must(w.t, err)
	if j.State != job.Done {
		w.t.Fatalf("the snapshot is %s", j.State)
	}
	s, err := w.keeper.Get(w.t.Context(), ada, room.Ref{ID: id}, j.ID)
	must(w.t, err)
	return s
}

func (w *world) snapshots(id string) []backup.Snapshot {
	w.t.Helper()
	list, next, err := w.keeper.List(w.t.Context(), ada, room.Ref{ID: id}, "", 1000)
	must(w.t, err)
	if next != "" {
		w.t.Fatal("there are more snapshots than a page holds")
	}
	return list
}

// verify loads a snapshot as it is stored.
func (w *world) verify(s backup.Snapshot) replica.Header {
	w.t.Helper()
	in, info, err := w.blobs.Get(w.t.Context(), s.Blob)
	must(w.t, err)
	h, err := w.cache.VerifyImage(w.t.Context(), in)
	must(w.t, errors.Join(err, in.Close()))
	if h.Seq != s.Seq || h.Rows != s.Rows || info.Size != s.Bytes || len(h.Schema.Tables) != s.Tables {
		w.t.Errorf("the record %+v is not of the image: seq %d, %d rows, %d bytes", s, h.Seq, h.Rows, info.Size)
	}
	return h
}

func queueMessage(body string) queue.Message { return queue.Message{Body: body, Receives: 1} }

func ref(id string) room.Ref { return room.Ref{ID: id} }

// blobOf is what the record of a snapshot or segment names.
func blobOf(item store.Item) string {
	var named struct{ Blob string }
	_ = json.Unmarshal(item.Data, &named) // jobs name none
	return named.Blob
}
