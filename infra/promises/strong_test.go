package promises

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/access"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
)

// blank is a store whose eventually consistent reads are answered from a copy
// that has nothing yet, which is as old as one may be.
type blank struct {
	store.Store

	mu      sync.Mutex
	before  func() // called once, before the next write
	removed []store.Key
}

func (b *blank) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	if !strong {
		return store.Item{}, store.ErrNotFound
	}
	return b.Store.Get(ctx, key, strong)
}

func (b *blank) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if !q.Strong {
		return store.Page{}, nil
	}
	return b.Store.Query(ctx, q)
}

func (b *blank) Write(ctx context.Context, writes ...store.Write) error {
	b.mu.Lock()
	before := b.before
	b.before = nil
	for _, w := range writes {
		if w.Action == store.Delete {
			b.removed = append(b.removed, w.Item.Key)
		}
	}
	b.mu.Unlock()
	if before != nil {
		before()
	}
	return b.Store.Write(ctx, writes...)
}

// strongWorld is a room on a blank store, used by processes that know nothing
// of each other.
type strongWorld struct {
	*testing.T
	store *blank
	blobs *dirblob.Store
	first *room.Engine
	late  time.Duration // by which clocks are ahead
	ulid  string
}

var bob = access.Principal{User: identity.User{ID: "bob", Name: "bob", Email: "bob@example.com"}}

func newStrongWorld(t *testing.T) *strongWorld {
	t.Helper()
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	w := &strongWorld{T: t}
	w.must(err)
	st, err := sqlitestore.Open(t.Context(), file)
	w.must(err)
	t.Cleanup(func() { w.must(errors.Join(st.Close(), file.Close())) })
	w.store = &blank{Store: st}
	w.blobs, err = dirblob.Open(t.TempDir())
	w.must(err)
	w.first, _ = w.process()
	info, err := w.first.Create(t.Context(), ada, "den", "The den")
	w.must(err)
	w.ulid = info.ULID
	return w
}

func (w *strongWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *strongWorld) now() time.Time { return time.Now().Add(w.late) }

func (w *strongWorld) process() (*room.Engine, *replica.Cache) {
	w.Helper()
	quiet := slog.New(slog.DiscardHandler)
	replicas, err := replica.NewCache(replica.Options{Store: w.store, Blobs: w.blobs, Dir: w.TempDir(), Now: w.now, Log: quiet})
	w.must(err)
	w.Cleanup(func() { w.must(replicas.Close()) })
	return room.New(room.Options{Store: w.store, Replicas: replicas, Now: w.now, Log: quiet}), replicas
}

func (w *strongWorld) commit(e *room.Engine, commitID, row string) (room.Result, error) {
	op, err := json.Marshal(insertTask(row, "x"))
	w.must(err)
	return e.Commit(w.Context(), ada, den, room.Request{CommitID: commitID, Ops: []json.RawMessage{op}})
}

// rows counts the rows that somebody sees, through a process that knows
// nothing yet.
func (w *strongWorld) rows(p access.Principal, ref room.Ref) (n int64, err error) {
	e, _ := w.process()
	err = e.Read(w.Context(), p, ref, func(v *room.View) error {
		n = v.State().Rows
		return nil
	})
	return n, err
}

// TestStrongReads goes once through everything that must be read strongly,
// each time from a process that has to read it.
func TestStrongReads(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(w *strongWorld){
		"the name of a room":                      strongName,
		"the head of the log":                     strongHead,
		"the first result of a repeated commit":   strongRecall,
		"the entry before a slot, after a sleep":  strongSleep,
		"a room that does not load":               strongBroken,
		"index items and the rooms of a user":     strongIndexes,
		"a ticket":                                strongTicket,
		"a checkpoint that the log depends on":    strongCheckpoint,
		"a connection that another process knows": strongConnection,
		"the relay's watermark":                   strongWatermark,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenario(newStrongWorld(t))
		})
	}
}

func strongName(w *strongWorld) {
	if _, err := w.rows(ada, den); err != nil {
		w.Errorf("a new room: %v", err)
	}
}

func strongHead(w *strongWorld) {
	_, err := w.commit(w.first, "", "r1")
	w.must(err)
	e, _ := w.process()
	if seq, err := e.Head(w.Context(), w.ulid); seq != 2 || err != nil {
		w.Errorf("the head is %d, %v; want 2", seq, err)
	}
}

func strongRecall(w *strongWorld) {
	_, err := w.commit(w.first, "once", "r1")
	w.must(err)
	e, _ := w.process()
	if again, err := w.commit(e, "once", "r1"); err != nil || again.Entry.Seq != 2 || !again.Repeated {
		w.Errorf("the same commit again: %+v, %v", again, err)
	}
}

// A process sleeps while its put is on the way. The log still goes back to the
// entry before, so the put counts.
func strongSleep(w *strongWorld) {
	w.store.before = func() { w.late += 5 * time.Minute }
	if done, err := w.commit(w.first, "", "r1"); err != nil || done.Entry.Seq != 2 {
		w.Errorf("%+v, %v", done, err)
	}
	if len(w.store.removed) > 0 {
		w.Errorf("entries of the log were removed: %v", w.store.removed)
	}
}

// A log with a hole is a failure, not a room that is gone.
func strongBroken(w *strongWorld) {
	_, err := w.commit(w.first, "", "r1")
	w.must(err)
	w.must(w.store.Store.Write(w.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: commitlog.Key(w.ulid, 1)}}))
	if _, err := w.rows(ada, den); err == nil || fault.Is(err, fault.NotFound) {
		w.Errorf("a room whose log has a hole: %v", err)
	}
}

func strongIndexes(w *strongWorld) {
	for _, role := range []access.Role{access.Viewer, access.Editor} {
		_, err := w.first.SetMember(w.Context(), ada, den, "bob", role)
		w.must(err)
	}
	e, _ := w.process()
	if rooms, _, err := e.Rooms(w.Context(), bob, "", 0); err != nil || len(rooms) != 1 || rooms[0].Role != access.Editor {
		w.Errorf("bob's rooms are %+v, %v", rooms, err)
	}
}

func strongTicket(w *strongWorld) {
	secret, err := access.NewTickets(w.store, nil).Issue(w.Context(), ada.User, w.ulid)
	w.must(err)
	_, err = access.NewTickets(w.store, nil).Take(w.Context(), secret, func(access.Ticket) ([]store.Write, error) { return nil, nil })
	if err != nil {
		w.Errorf("a new ticket: %v", err)
	}
}

// The entries that a checkpoint covers are gone.
func strongCheckpoint(w *strongWorld) {
	e, replicas := w.process()
	_, err := w.commit(e, "", "r1")
	w.must(err)
	r, release, err := replicas.Acquire(w.Context(), w.ulid)
	w.must(err)
	defer release()
	w.must(r.Checkpoint(w.Context()))
	_, err = w.commit(e, "", "r2")
	w.must(err)
	for seq := range int64(2) {
		w.must(w.store.Store.Write(w.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: commitlog.Key(w.ulid, seq+1)}}))
	}
	if n, err := w.rows(ada, den); n != 2 || err != nil {
		w.Errorf("%d rows, %v; want 2", n, err)
	}
}

func strongConnection(w *strongWorld) {
	c := &audience.Connection{ID: "c1", User: ada.User, Room: w.ulid, Opened: time.Now()}
	here, there := audience.NewShared(w.store, nil), audience.NewShared(w.store, nil)
	writes, err := here.Registration(c)
	w.must(err)
	w.must(w.store.Write(w.Context(), writes...))
	if found, err := there.Find(w.Context(), "c1"); err != nil || found.User.ID != "ada" {
		w.Errorf("found %+v, %v", found, err)
	}
	subscribed := *c
	subscribed.Subscribed = true
	w.must(here.Save(w.Context(), &subscribed))
	if in, err := there.InRoom(w.Context(), w.ulid); err != nil || len(in) != 1 || !in[0].Subscribed {
		w.Errorf("in the room: %+v, %v", in, err)
	}
	if gone, err := there.Remove(w.Context(), "c1"); err != nil || gone == nil || !gone.Subscribed {
		w.Errorf("removed %+v, %v: the others would not be told", gone, err)
	}
}

func strongWatermark(w *strongWorld) {
	e, replicas := w.process()
	_, err := w.commit(e, "", "r1")
	w.must(err)
	h := relay.New(relay.Deps{Store: w.store, Replicas: replicas, Rooms: e, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
	defer cancel()
	for _, failure := range h.Handle(ctx, []store.Change{{Key: commitlog.Key(w.ulid, 2)}}) {
		w.Error(failure.Err)
	}
	item, err := w.store.Get(w.Context(), room.ShardKey(w.ulid), true)
	w.must(err)
	if !strings.Contains(string(item.Data), `"relayed":2`) {
		w.Errorf("after the relay the room's item is %s", item.Data)
	}
}
