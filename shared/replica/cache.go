package replica

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// Options configure a Cache.
type Options struct {
	Store     store.Store
	Blobs     blob.Store
	Images    Images           // for At; nil: only checkpoints
	Archive   Archive          // for At; nil: only the log
	Dir       string           // scratch folder for the database files; may be shared by processes. Empty: the system's
	MaxBytes  int64            // of all replicas together, their files and memory; least recently used out. 0: 512 MB
	MaxFiles  int              // descriptors of all replicas together, likewise; 0: half of what the process may open
	MaxReader int              // readers of one replica at the same time; 0: 4
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default

	// OnMismatch is told, beside the log, of an entry whose writer was wrong
	// about the room's state. It must not block.
	OnMismatch func(room string, seq int64)
}

// Cache keeps the replicas of a process.
type Cache struct {
	o       Options
	scratch *scratch

	mu      sync.Mutex
	entries map[string]*entry
	lru     *list.List // of *entry, most recently used first
	warm    warmth     // those with idle readers
	total   cost       // of those in lru
	closed  bool
	loads   sync.WaitGroup
	copies  map[string]*loadCopy // of loads under way, by blob key

	files      atomic.Int64
	loading    semaphore     // replicas made from checkpoint and log at the same time
	statements semaphore     // of users' SQL
	sqlTime    time.Duration // of one; maxSQLTime, but in tests
}

// maxLoads is how many replicas are made at the same time. Each takes some
// 10 MB to decompress, and no budget counts a replica before it is made.
const maxLoads = 8

// entry is a room in the cache: being loaded, or loaded, or failed to load.
type entry struct {
	room    string
	place   *list.Element
	users   int           // holding or waiting for the replica
	ready   chan struct{} // closed when replica or err is set
	cancel  context.CancelFunc
	replica *Replica
	err     error
	gone    bool // no longer to be found; closed when the last user leaves
	warm    *list.Element
	cost    cost
	stored  int64 // bytes of the files
	sizedAt int64 // seq at which they were measured
	readers int   // connections of views
	peak    int   // the most that there were
}

// NewCache returns an empty cache; nothing is opened before Acquire. It
// removes what crashed processes left in the scratch folder.
func NewCache(o Options) (*Cache, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = 512 << 20
	}
	if o.MaxFiles == 0 {
		o.MaxFiles = defaultFiles()
	}
	if o.MaxReader == 0 {
		o.MaxReader = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s, err := openScratch(o.Dir)
	if err != nil {
		return nil, err
	}
	return &Cache{o: o, scratch: s, entries: map[string]*entry{}, lru: list.New(), copies: map[string]*loadCopy{}, loading: make(semaphore, maxLoads),
		statements: make(semaphore, maxStatement), sqlTime: maxSQLTime}, nil
}

// Acquire returns the replica of a room, loading it when needed (checkpoint
// and tail), and a function that releases it. Concurrent callers share one
// load. Errors: not_found when the room has no log (a fault.Error),
// unavailable when an entry has a newer format or the log has a hole that no
// checkpoint covers.
func (c *Cache) Acquire(ctx context.Context, room string) (*Replica, func(), error) {
	return c.acquire(ctx, room, c.build)
}

// acquire finds or makes the replica under a key, which is a room's ULID, or
// that and a seq.
func (c *Cache) acquire(ctx context.Context, key string, load func(context.Context, string) (*Replica, error)) (*Replica, func(), error) {
	e, err := c.enter(ctx, key, false, load)
	if err != nil {
		return nil, nil, err
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		c.leave(e)
		return nil, nil, ctx.Err()
	}
	if e.err != nil {
		c.leave(e)
		return nil, nil, e.err
	}
	return e.replica, sync.OnceFunc(func() { c.leave(e) }), nil
}

// Create returns an empty replica at seq 0 for a room whose ULID was just
// made, so that its first entry can be drafted. When that entry is not
// written, Forget the room.
func (c *Cache) Create(ctx context.Context, room string) (*Replica, func(), error) {
	e, err := c.enter(ctx, room, true, c.createEmpty)
	if err != nil {
		return nil, nil, err
	}
	<-e.ready
	if e.err != nil {
		c.leave(e)
		return nil, nil, e.err
	}
	return e.replica, sync.OnceFunc(func() { c.leave(e) }), nil
}

// enter finds or makes a room's entry and counts one more user of it. A fresh
// room must not be there yet.
func (c *Cache) enter(ctx context.Context, room string, fresh bool, load func(context.Context, string) (*Replica, error)) (*entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if e := c.entries[room]; e != nil {
		if fresh {
			return nil, fault.New(fault.Conflict, "the room %s is there already", room)
		}
		e.users++
		c.lru.MoveToFront(e.place)
		return e, nil
	}
	// The load outlives the caller that began it as long as another waits.
	loadCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e := &entry{room: room, users: 1, ready: make(chan struct{}), cancel: cancel}
	e.place = c.lru.PushFront(e)
	c.entries[room] = e
	c.loads.Go(func() {
		defer cancel()
		r, err := load(loadCtx, room)
		c.loaded(e, r, err)
	})
	return e, nil
}

func (c *Cache) loaded(e *entry, r *Replica, err error) {
	c.mu.Lock()
	e.replica, e.err = r, err
	if err != nil {
		c.detach(e)
	} else {
		c.measure(e)
	}
	close(e.ready)
	victims := c.overflow()
	if e.gone && e.users == 0 {
		victims = append(victims, e)
	}
	c.mu.Unlock()
	c.closeAll(victims)
}

// leave takes a user away, and with the last one a load nobody waits for.
func (c *Cache) leave(e *entry) {
	c.mu.Lock()
	e.users--
	if e.users == 0 {
		select {
		case <-e.ready:
		default:
			e.cancel()
			c.detach(e)
		}
	}
	var victims []*entry
	var readers []*conn
	if isReady(e) {
		c.measure(e)
		if e.gone && e.users == 0 {
			victims = append(victims, e)
		} else if e.users == 0 {
			readers = c.cool(e)
		}
	}
	victims = append(victims, c.overflow()...)
	c.mu.Unlock()
	c.closeReaders(readers)
	c.closeAll(victims)
}

func isReady(e *entry) bool {
	select {
	case <-e.ready:
		return true
	default:
		return false
	}
}

// detach makes an entry one that nobody finds any more.
func (c *Cache) detach(e *entry) {
	if e.gone {
		return
	}
	e.gone = true
	c.total.change(e.cost, cost{})
	c.warm.drop(e)
	c.lru.Remove(e.place)
	delete(c.entries, e.room)
}

// Forget drops a room's replica when nobody uses it any more.
func (c *Cache) Forget(room string) {
	c.mu.Lock()
	e := c.entries[room]
	if e == nil {
		c.mu.Unlock()
		return
	}
	c.detach(e)
	idle := e.users == 0 && isReady(e)
	c.mu.Unlock()
	if idle {
		c.closeAll([]*entry{e})
	}
}

// Close closes all replicas and removes their files, after the drafts that
// are open. Replicas still in use refuse further work.
func (c *Cache) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	var all []*entry
	for _, e := range c.entries {
		e.cancel()
		all = append(all, e)
	}
	c.mu.Unlock()
	c.loads.Wait()
	c.mu.Lock()
	for _, e := range all {
		c.detach(e)
	}
	c.mu.Unlock()
	c.closeAll(all)
	return c.scratch.close()
}

// newPath is a fresh name for a database file.
func (c *Cache) newPath(kind string) string {
	return filepath.Join(c.scratch.dir, fmt.Sprintf("%s-%d", kind, c.files.Add(1)))
}

func (c *Cache) createEmpty(_ context.Context, room string) (*Replica, error) {
	db, state, err := createDatabase(c.newPath("room"), room)
	if err != nil {
		return nil, err
	}
	return newReplica(c, room, db, state), nil
}

// maxWrongEntries is how many entries with wrong fingerprints are looked into
// one by one, each at the cost of a fresh load.
const maxWrongEntries = 8

// build makes a fresh replica from the newest checkpoint and the log after
// it. An entry that disagrees twice, each time on a fresh replica, was
// written with wrong fingerprints; its operations stand.
func (c *Cache) build(ctx context.Context, room string) (*Replica, error) {
	return c.rebuild(ctx, func(trusted map[int64]bool) (*Replica, error) { return c.load(ctx, room, trusted) })
}

// rebuild loads until it succeeds, trusting one more entry each time.
func (c *Cache) rebuild(ctx context.Context, load func(trusted map[int64]bool) (*Replica, error)) (*Replica, error) {
	if err := c.loading.acquire(ctx); err != nil {
		return nil, err
	}
	defer c.loading.release()
	trusted := map[int64]bool{}
	for {
		r, err := load(trusted)
		var d *disagreement
		if err == nil || !errors.As(err, &d) || trusted[d.seq] || len(trusted) == maxWrongEntries {
			return r, refusal(err)
		}
		c.o.Log.Warn("replica: an entry disagrees with a fresh replica", "entry", d.seq, "error", err)
		trusted[d.seq] = true
	}
}

// refusal makes a hole in the log an error that a user can act on.
func refusal(err error) error {
	var gap *commitlog.GapError
	if errors.As(err, &gap) {
		return fault.New(fault.Unavailable, "the room's log has a hole that no checkpoint covers").Because(err)
	}
	return err
}

// load makes a replica once, and closes what it began when it fails.
func (c *Cache) load(ctx context.Context, room string, trusted map[int64]bool) (*Replica, error) {
	start := c.o.Now()
	r, err := c.restore(ctx, room)
	var refused *damage
	if errors.As(err, &refused) { // the whole log may still be there
		c.o.Log.Error("replica: checkpoint refused", "room", room, "error", err)
		r, err = nil, nil
	}
	if r == nil && err == nil {
		r, err = c.createEmpty(ctx, room)
	}
	if err != nil {
		return nil, err
	}
	err = r.applyLog(ctx, nil, trusted)
	if err == nil && r.State().Seq == 0 {
		err = noLog(refused)
	}
	var gap *commitlog.GapError
	if errors.As(err, &gap) && c.o.Archive != nil {
		err = errors.Join(err, r.close())
		if r = c.salvage(ctx, room, trusted); r == nil {
			return nil, err
		}
		err = r.applyLog(ctx, nil, trusted)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.setCaughtUp(start)
	return r, nil
}

// salvage makes a replica from what is kept of the room's past, for one whose
// log no longer begins where its checkpoint, which cannot be used, would have
// ended; nil when that is not enough. The next checkpoint is due at once.
func (c *Cache) salvage(ctx context.Context, room string, trusted map[int64]bool) *Replica {
	head, err := commitlog.Head(ctx, c.o.Store, room)
	var r *Replica
	if err == nil {
		r, err = c.before(ctx, room, head)
	}
	if err == nil {
		if err = r.replayTo(ctx, head, trusted); err != nil {
			err = errors.Join(err, r.close())
		}
	}
	if err != nil {
		c.o.Log.Warn("replica: not rebuilt from snapshots and segments", "room", room, "error", err)
		return nil
	}
	c.o.Log.Warn("replica: rebuilt from snapshots and segments", "room", room, "entry", head)
	r.tailBytes.Store(dueMaxBytes + 1)
	return r
}

func noLog(refused *damage) error {
	if refused != nil {
		return fault.New(fault.Unavailable, "the room's checkpoint is damaged and its log is gone").Because(refused)
	}
	return fault.New(fault.NotFound, "there is no such room")
}
