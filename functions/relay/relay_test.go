package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/access"
	"nanotypedb/shared/backend/embedded"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// world is an engine and a relay over one embedded store.
type world struct {
	store  store.Store
	feed   store.Feed
	engine *room.Engine
	relay  *relay.Handler
}

var ada = access.Principal{User: identity.User{ID: "ada", Name: "Ada", Email: "ada@example.com"}}

func newWorld(t *testing.T) world {
	t.Helper()
	b, err := embedded.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	replicas, err := replica.NewCache(replica.Options{Store: b.Store, Blobs: b.Blobs, Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replicas.Close(); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	engine := room.New(room.Options{Store: b.Store, Replicas: replicas, MaxRoomBytes: 1 << 28, Now: time.Now, Log: log})
	return world{store: b.Store, feed: b.Store.Feed(), engine: engine,
		relay: relay.New(relay.Deps{Store: b.Store, Replicas: replicas, Rooms: engine, Log: log})}
}

func (w world) create(t *testing.T, id string) room.Info {
	t.Helper()
	info, err := w.engine.Create(t.Context(), ada, id, id)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func (w world) insert(t *testing.T, id string, n int, title string) {
	t.Helper()
	var ops []json.RawMessage
	for range n {
		ops = append(ops, fmt.Appendf(nil, `{"op":"insert","table":"tasks","row":{"title":%q}}`, title))
	}
	if _, err := w.engine.Commit(t.Context(), ada, room.Ref{ID: id}, room.Request{Ops: ops}); err != nil {
		t.Fatal(err)
	}
}

// changes takes everything the feed has to tell.
func (w world) changes(t *testing.T) []store.Change {
	t.Helper()
	changes, token, err := w.feed.Next(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.feed.Ack(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return changes
}

func (w world) handle(t *testing.T, changes []store.Change) {
	t.Helper()
	for _, f := range w.relay.Handle(t.Context(), changes) {
		t.Errorf("%s: %v", f.Change.Key, f.Err)
	}
}

func (w world) rooms(t *testing.T) int {
	t.Helper()
	infos, _, err := w.engine.Rooms(context.Background(), ada, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(infos)
}

func TestRelayRepairsIndexesThatACrashLeftOut(t *testing.T) {
	w := newWorld(t)
	info := w.create(t, "plans")
	lost := store.Key{PK: "USER#ada", SK: "ROOM#" + info.ULID}
	if err := w.store.Write(t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: lost}, If: store.Present}); err != nil {
		t.Fatal(err)
	}
	if got := w.rooms(t); got != 0 {
		t.Fatalf("%d rooms without an index", got)
	}
	changes := w.changes(t)
	w.handle(t, changes)
	w.handle(t, changes) // told twice
	if got := w.rooms(t); got != 1 {
		t.Errorf("%d rooms after the repair, want 1", got)
	}
}

func TestRelayReadsFromItsWatermark(t *testing.T) {
	w := newWorld(t)
	info := w.create(t, "plans")
	w.insert(t, "plans", 1, "one")
	changes := w.changes(t)
	w.handle(t, changes[len(changes)-1:]) // only the newest is told
	item, err := w.store.Get(t.Context(), room.ShardKey(info.ULID), true)
	if err != nil {
		t.Fatal(err)
	}
	var mark struct {
		Relayed int64
		ID      string
	}
	if err := json.Unmarshal(item.Data, &mark); err != nil {
		t.Fatal(err)
	}
	if mark.Relayed != 2 || mark.ID != "plans" {
		t.Errorf("item of the room after two commits: %s", item.Data)
	}
}

func TestRelayWritesACheckpointWhenTheTailIsLong(t *testing.T) {
	w := newWorld(t)
	info := w.create(t, "plans")
	w.handle(t, w.changes(t))
	pointer := store.Query{PK: commitlog.Partition(info.ULID), From: "CHECKPOINT#", To: "CHECKPOINT#~", Strong: true}
	if page, err := w.store.Query(t.Context(), pointer); err != nil || len(page.Items) != 0 {
		t.Fatalf("%d items of a checkpoint after one entry, %v", len(page.Items), err)
	}
	w.insert(t, "plans", 400, strings.Repeat("a", 400))
	w.handle(t, w.changes(t))
	if page, err := w.store.Query(t.Context(), pointer); err != nil || len(page.Items) == 0 {
		t.Errorf("no checkpoint after 160 KB of entries, %v", err)
	}
}

func TestRelayOfARoomThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	good := w.create(t, "good")
	bad := store.Key{PK: commitlog.Partition("01JBADBADBADBADBADBADBADBA"), SK: commitlog.Key("x", 1).SK}
	if err := w.store.Write(t.Context(), store.Write{Item: store.Item{Key: bad, Data: []byte("no entry")}}); err != nil {
		t.Fatal(err)
	}
	failures := w.relay.Handle(t.Context(), []store.Change{{Key: bad}, {Key: commitlog.Key(good.ULID, 1)}, {Key: bad}})
	if len(failures) != 2 || failures[0].Change.Key != bad || failures[1].Change.Key != bad {
		t.Errorf("failures %v, want the two of the bad room", failures)
	}
	item, err := w.store.Get(t.Context(), room.ShardKey(good.ULID), true)
	if err != nil || !strings.Contains(string(item.Data), `"relayed":1`) {
		t.Errorf("the good room was not relayed: %s, %v", item.Data, err)
	}
}

func TestTendRelaysRoomsThatTheFeedForgot(t *testing.T) {
	w := newWorld(t)
	info := w.create(t, "plans")
	w.create(t, "others")
	if behind, err := w.relay.Tend(t.Context()); behind != 2 || err != nil {
		t.Fatalf("%d rooms behind, %v; want 2", behind, err)
	}
	item, err := w.store.Get(t.Context(), room.ShardKey(info.ULID), true)
	if err != nil || !strings.Contains(string(item.Data), `"relayed":1`) {
		t.Errorf("not relayed: %s, %v", item.Data, err)
	}
	w.insert(t, "plans", 1, "one")
	for _, want := range []int{1, 0} {
		if behind, err := w.relay.Tend(t.Context()); behind != want || err != nil {
			t.Errorf("%d rooms behind, %v; want %d", behind, err, want)
		}
	}
}

// planner fails to make the jobs of one entry.
type planner struct {
	poison  int64
	err     error
	planned []int64
}

func (p *planner) Plan(_ context.Context, _ *replica.Replica, _ string, entries []*commitlog.Entry) error {
	for _, e := range entries {
		if e.Seq == p.poison {
			return p.err
		}
	}
	for _, e := range entries {
		p.planned = append(p.planned, e.Seq)
	}
	return nil
}

func (w world) relayed(t *testing.T, ulid string) (relayed int64) {
	t.Helper()
	item, err := w.store.Get(t.Context(), room.ShardKey(ulid), true)
	if err != nil {
		t.Fatal(err)
	}
	var mark struct{ Relayed int64 }
	if err := json.Unmarshal(item.Data, &mark); err != nil {
		t.Fatal(err)
	}
	return mark.Relayed
}

func TestAPoisonEntryHoldsItsRoomUpForFiveTries(t *testing.T) {
	w := newWorld(t)
	info := w.create(t, "plans")
	for i := range 4 {
		w.insert(t, "plans", 1, fmt.Sprint(i))
	}
	p := &planner{poison: 3, err: errors.New("poison")}
	w.relay.Planner = p
	changes := w.changes(t)[:1]
	for try := range 4 {
		if failures := w.relay.Handle(t.Context(), changes); len(failures) != 1 || !strings.Contains(failures[0].Err.Error(), "entry 3") {
			t.Fatalf("try %d: failures %v", try, failures)
		}
		if got := w.relayed(t, info.ULID); got != 2 {
			t.Fatalf("try %d: relayed up to %d, want 2", try, got)
		}
	}
	w.handle(t, changes)
	if got := w.relayed(t, info.ULID); got != 5 {
		t.Errorf("after five tries relayed up to %d, want 5", got)
	}
	for _, seq := range []int64{1, 2, 4, 5} {
		if !slices.Contains(p.planned, seq) {
			t.Errorf("entry %d was not planned: %v", seq, p.planned)
		}
	}
}

func TestAQueueThatIsDownIsNoEntrysFault(t *testing.T) {
	w := newWorld(t)
	info := w.create(t, "plans")
	p := &planner{poison: 1, err: fmt.Errorf("down: %w", indexing.ErrNotSent)}
	w.relay.Planner = p
	changes := w.changes(t)
	for range 8 {
		if failures := w.relay.Handle(t.Context(), changes); len(failures) != 1 {
			t.Fatalf("failures %v", failures)
		}
	}
	p.poison = 0
	w.handle(t, changes)
	if got := w.relayed(t, info.ULID); got != 1 || len(p.planned) != 1 {
		t.Errorf("relayed up to %d, planned %v", got, p.planned)
	}
}
