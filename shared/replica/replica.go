// Package replica turns a room's checkpoint and log into a SQLite database
// private to this process, and keeps it up to date. It is the only domain
// package with SQL.
//
// A Replica has many concurrent readers (View) while one Draft applies
// entries. Readers see a state only after Publish; nobody waits for a long
// query. Every applied entry is checked against its two fingerprints.
package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
)

var errClosed = fault.New(fault.Unavailable, "the room is being closed by this server")

// Replica is one room in this process.
type Replica struct {
	room  string
	cache *Cache

	// gate keeps a reader's start (snapshot and state) and a publish (commit
	// and state) apart. No query runs under it.
	gate  sync.RWMutex
	db    atomic.Pointer[database]
	state atomic.Pointer[State]

	readers       semaphore // views at the same time
	writer        semaphore // the one draft
	catching      semaphore // the one catch-up; never taken by who holds writer
	checkpointing semaphore
	indexing      semaphore // the one catch-up of the index; never taken by who holds writer
	skew          skew      // under writer
	published     int       // since the write-ahead log was last moved, under writer
	broken        atomic.Bool
	wrong         atomic.Bool // skew is not zero
	past          bool        // at a seq of the past, for reading alone
	paused        pause       // of writers, as another one asked for

	begun, done atomic.Int64 // numbers of the newest catch-up begun, and of that completed
	timeMu      sync.Mutex
	caughtUp    time.Time

	lookedAt atomic.Int64 // when the index log was last asked without need, in milliseconds

	tailBytes  atomic.Int64 // of the entries since the newest checkpoint, about
	indexBytes atomic.Int64 // likewise of the index log
	checkpoint atomic.Pointer[pointer]
}

// semaphore admits as many as it has room for.
type semaphore chan struct{}

func (s semaphore) acquire(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	default:
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s semaphore) release() { <-s }

func newReplica(c *Cache, room string, db *database, state *State) *Replica {
	r := &Replica{room: room, cache: c, readers: make(semaphore, c.o.MaxReader), writer: make(semaphore, 1),
		catching: make(semaphore, 1), checkpointing: make(semaphore, 1), indexing: make(semaphore, 1)}
	r.db.Store(db)
	r.state.Store(state)
	return r
}

// State is the newest published state.
func (r *Replica) State() *State { return r.state.Load() }

// CaughtUp is when the newest completed catch-up began (by the wall clock),
// or when an own commit was last published: at that moment the replica was at
// the head of the log.
func (r *Replica) CaughtUp() time.Time {
	r.timeMu.Lock()
	defer r.timeMu.Unlock()
	return r.caughtUp
}

func (r *Replica) setCaughtUp(t time.Time) {
	r.timeMu.Lock()
	defer r.timeMu.Unlock()
	if t.After(r.caughtUp) {
		r.caughtUp = t
	}
}

func (r *Replica) lock(ctx context.Context) error { return r.writer.acquire(ctx) }
func (r *Replica) unlock()                        { r.writer.release() }

// commit ends the write transaction and shows its state to readers.
func (r *Replica) commit(c *conn, s *State) error {
	r.gate.Lock()
	defer r.gate.Unlock()
	if err := c.exec("COMMIT"); err != nil {
		return err
	}
	r.state.Store(s)
	return nil
}

// walPublishes is how many publishes the write-ahead log may gather before it
// is moved into the database. SQLite's own trigger would do that under gate.
const walPublishes = 200

// maintain moves the write-ahead log into the database from time to time; the
// caller holds the writer's lock.
func (r *Replica) maintain(c *conn, size int64) {
	r.published += 1 + int(size>>14)
	if r.published < walPublishes {
		return
	}
	r.published = 0
	if err := c.exec("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		r.log().Warn("replica: write-ahead log not moved", "room", r.room, "error", err)
	}
}

func (r *Replica) log() *slog.Logger { return r.cache.o.Log.With("seq", r.State().Seq) }

// close ends the replica, after the draft that is open: later drafts and
// views are refused.
func (r *Replica) close() error {
	if err := r.lock(context.Background()); err != nil {
		return err
	}
	defer r.unlock()
	r.gate.Lock()
	db := r.db.Swap(nil)
	r.gate.Unlock()
	if db == nil {
		return nil
	}
	return db.retire()
}

// CatchUp reads the log strongly from the replica's seq to its end, applies
// and publishes it. Callers that wait together share one catch-up that began
// after they called. It waits for an open Draft only when the log is ahead of
// what is published.
//
// A catch-up that finds nothing takes no lock of the writer, and is
// linearizable all the same: the published state held entries 1…n before the
// strong read began, the read found none after n, and every commit that was
// acknowledged before the call was in the log before the read. So a view
// opened from now on, at n or later, has all of them; a put in flight is not
// acknowledged, and may come after.
func (r *Replica) CatchUp(ctx context.Context) error {
	if r.past {
		return nil
	}
	before := r.begun.Load()
	if err := r.catching.acquire(ctx); err != nil {
		return err
	}
	defer r.catching.release()
	if r.done.Load() > before {
		return nil
	}
	number, start := r.begun.Add(1), r.cache.o.Now()
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	r.setCaughtUp(start)
	r.done.Store(number)
	return nil
}

// catchUp is one catch-up. What it reads before it has the writer's lock may
// have been published by the draft it waited for.
func (r *Replica) catchUp(ctx context.Context) error {
	var first *tail
	if r.db.Load() != nil && !r.broken.Load() {
		var err error
		first, err = r.readTail(ctx)
		if err != nil && !worthReload(ctx, err) {
			return err
		}
		if err == nil && len(first.entries) == 0 && !first.more {
			return nil
		}
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	return r.follow(ctx, first)
}

// follow applies the rest of the log, which begins with first unless that is
// nil, on a database made anew when this one does not fit it. The caller holds
// the writer's lock.
func (r *Replica) follow(ctx context.Context, first *tail) error {
	if r.db.Load() == nil {
		return errClosed
	}
	if !r.broken.Load() && !r.skips(ctx, first) {
		err := r.applyLog(ctx, first, nil)
		if err == nil || !worthReload(ctx, err) {
			return err
		}
		r.log().Warn("replica: loading anew", "room", r.room, "error", err)
		r.broken.Store(true)
	}
	fresh, err := r.cache.build(ctx, r.room)
	if err != nil {
		return err
	}
	return r.become(fresh)
}

// misfit is an error of applying an entry that the log holds: the replica may
// be damaged, and a fresh one do better.
type misfit struct{ err error }

func (e *misfit) Error() string { return e.err.Error() }
func (e *misfit) Unwrap() error { return e.err }

// worthReload reports whether a fresh replica may do better.
func worthReload(ctx context.Context, err error) bool {
	var gap *commitlog.GapError
	var m *misfit
	return ctx.Err() == nil && !fault.Is(err, fault.Unavailable) && (errors.As(err, &gap) || errors.As(err, &m))
}

// become takes over the database of another replica that nobody else knows.
func (r *Replica) become(fresh *Replica) error {
	r.gate.Lock()
	old := r.db.Swap(fresh.db.Load())
	if old == nil { // closed meanwhile
		r.db.Store(nil)
		r.gate.Unlock()
		return errors.Join(errClosed, fresh.close())
	}
	r.state.Store(fresh.State())
	r.gate.Unlock()
	r.skew = fresh.skew
	r.wrong.Store(fresh.wrong.Load())
	r.published = fresh.published
	r.tailBytes.Store(fresh.tailBytes.Load())
	r.indexBytes.Store(fresh.indexBytes.Load())
	r.checkpoint.Store(fresh.checkpoint.Load())
	r.broken.Store(false)
	if err := old.retire(); err != nil {
		r.log().Warn("replica: old database not removed", "room", r.room, "error", err)
	}
	return nil
}

// NeedsCheck reports whether the log states sums that are not those of the
// room, because a writer was wrong. An entry of kind check, begun and finished
// like any other, then states the recomputed ones.
func (r *Replica) NeedsCheck() bool { return r.wrong.Load() }

// followPage is how many entries are applied in one transaction.
const followPage = 500

// tail is a page of the log, at its end unless there is more.
type tail struct {
	entries []*commitlog.Entry
	sizes   []int
	more    bool
}

// after leaves out the entries up to seq.
func (t *tail) after(seq int64) *tail {
	n := 0
	for n < len(t.entries) && t.entries[n].Seq <= seq {
		n++
	}
	return &tail{t.entries[n:], t.sizes[n:], t.more}
}

// readTail reads the log strongly from the replica's seq.
func (r *Replica) readTail(ctx context.Context) (*tail, error) {
	entries, sizes, more, err := commitlog.Read(ctx, r.cache.o.Store, r.room, r.State().Seq, followPage)
	if err != nil {
		return nil, fmt.Errorf("read log of room %s: %w", r.room, err)
	}
	return &tail{entries, sizes, more}, nil
}

// applyLog applies the log from the replica's seq to its end. next is what was
// read of it already, or nil. trusted tells the entries whose fingerprints are
// known to be wrong. The caller holds the writer's lock.
func (r *Replica) applyLog(ctx context.Context, next *tail, trusted map[int64]bool) (err error) {
	for {
		if next == nil {
			if next, err = r.readTail(ctx); err != nil {
				return err
			}
		}
		next = next.after(r.State().Seq)
		if len(next.entries) > 0 {
			if err := r.applyPage(ctx, next.entries, trusted); err != nil {
				return err
			}
			for _, n := range next.sizes {
				r.tailBytes.Add(int64(n))
			}
		}
		if !next.more {
			return nil
		}
		next = nil
	}
}

// applyPage applies and publishes entries; the caller holds the writer's lock.
func (r *Replica) applyPage(ctx context.Context, entries []*commitlog.Entry, trusted map[int64]bool) error {
	d, err := r.begin()
	if err != nil {
		return &misfit{err}
	}
	f := follower{draft: d, skew: r.skew, trusted: trusted}
	for _, e := range entries {
		if err := f.apply(ctx, e); err != nil {
			return errors.Join(&misfit{err}, d.rollback())
		}
	}
	if err := d.commit(); err != nil {
		return err
	}
	r.skew = f.skew
	r.wrong.Store(f.skew != skew{})
	r.tailBytes.Add(d.loaded)
	r.maintain(d.conn, d.size+d.loaded)
	return nil
}
