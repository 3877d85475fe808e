// Package room is the engine: it turns requests into entries of a room's log
// with one conditional put, and answers reads from replicas that have caught
// up. Roles and `own` tables are enforced here, below every way in.
//
// A commit goes this way: the request is decoded (decode.go), joins the queue
// of its room's writer (writer.go), is resolved against the replica at seq n
// (resolve.go), put into slot n+1 of the log (put.go), published to readers
// and only then answered.
package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

// Limiter decides whether somebody may do n more of a kind of work in a room.
// access.Limiter implements it. The engine asks for each operation of a commit
// and once a read, and only for members, so that a limit tells nothing about
// rooms to strangers. The making of a room (a commit) and a list of rooms (a
// read) belong to no room: room is empty.
type Limiter interface {
	// Allow returns nil or a fault rate_limited with RetryAfter.
	Allow(ctx context.Context, room, user string, what access.Work, n int) error
}

// Budget refuses commits of a room that may cost no more. Members, roles, the
// room's name and its deletion are never refused. usage.Guard implements it.
type Budget interface {
	AllowWrite(ctx context.Context, room string) error
}

// Options configure an Engine.
type Options struct {
	Store        store.Store
	Replicas     *replica.Cache
	Limiter      Limiter          // nil: no limits
	Budget       Budget           // nil: no budgets
	MaxRoomBytes int64            // NANO_ROOM_MAX_MB; 0: 256 MB
	Now          func() time.Time // nil: time.Now
	Log          *slog.Logger     // nil: slog.Default
}

// Engine serves all rooms of a process. It is safe for concurrent use, and
// starts no goroutine that outlives a call.
type Engine struct {
	store    store.Store
	replicas *replica.Cache
	limiter  Limiter
	budget   Budget
	maxBytes int64
	now      func() time.Time
	log      *slog.Logger
	patience time.Duration // losingTime, but in tests
	sole     bool          // this process is the store's only writer
	group    int           // entries that one put may hold
	visits   int64         // maxVisits, but in tests
	readTime time.Duration // readTime, but in tests
	names    *nameCache

	rooms sync.Map // of *live by ULID
}

// live is what the process knows of a room in use.
type live struct {
	ulid   string
	writer writer
}

// New returns an engine.
func New(o Options) *Engine {
	e := &Engine{
		store: o.Store, replicas: o.Replicas, limiter: o.Limiter, budget: o.Budget, maxBytes: o.MaxRoomBytes, now: o.Now, log: o.Log,
		group: 1, patience: losingTime, visits: maxVisits, readTime: readTime, names: newNameCache(),
	}
	if e.maxBytes <= 0 {
		e.maxBytes = 256 << 20
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.log == nil {
		e.log = slog.Default()
	}
	if a, ok := o.Store.(store.Appender); ok {
		e.sole, e.group = true, max(1, a.MaxAppend())
	}
	return e
}

// room gives the process's state of a room. It stays for the life of the
// process: it is small, and an undecided put must not be forgotten.
func (e *Engine) room(ulid string) *live {
	if lv, ok := e.rooms.Load(ulid); ok {
		return lv.(*live)
	}
	lv := &live{ulid: ulid}
	lv.writer.init(e, lv)
	kept, _ := e.rooms.LoadOrStore(ulid, lv)
	return kept.(*live)
}

// Ref names a room: by the id that users see, or, on a connection that was
// opened earlier, by its ULID, which a room made again under the same name
// does not have.
type Ref struct {
	ID   string
	ULID string
}

var errNoRoom = fault.New(fault.NotFound, "there is no such room, or you are not a member of it")

// closedError says that a room's log has ended. It never leaves the package.
type closedError struct{ ulid string }

func (c *closedError) Error() string { return "room " + c.ulid + " is closed" }

// inRoom runs fn with the ULID that ref means. A name kept from earlier may
// mean a room deleted since: then it is looked up again, once.
func (e *Engine) inRoom(ctx context.Context, ref Ref, fn func(ulid string) error) error {
	ulid, cached, err := e.resolve(ctx, ref)
	if err != nil {
		return err
	}
	err = fn(ulid)
	if !cached || err == nil || !mayBeStale(err) {
		return open(err)
	}
	e.names.forget(ref.ID, ulid)
	again, _, nameErr := e.resolve(ctx, ref)
	if nameErr != nil {
		return nameErr
	}
	if again == ulid {
		return open(err)
	}
	return open(fn(again))
}

func mayBeStale(err error) bool {
	var closed *closedError
	return errors.As(err, &closed)
}

// open turns the end of a room into what users are told.
func open(err error) error {
	var closed *closedError
	if errors.As(err, &closed) {
		return errNoRoom
	}
	return err
}

// resolve finds the ULID of a ref, and tells whether a kept name was used.
func (e *Engine) resolve(ctx context.Context, ref Ref) (ulid string, cached bool, err error) {
	if ref.ULID != "" {
		if _, ok := id.Time(ref.ULID); !ok {
			return "", false, errNoRoom
		}
		return ref.ULID, false, nil
	}
	if ulid, ok := e.names.get(ref.ID); ok {
		return ulid, true, nil
	}
	name, _, err := e.readName(ctx, ref.ID)
	if err != nil {
		return "", false, err
	}
	e.names.put(ref.ID, name.Room)
	return name.Room, false, nil
}

// acquire is the cache's Acquire, with the end of a swept room told apart
// from a log that is broken.
func (e *Engine) acquire(ctx context.Context, ulid string) (*replica.Replica, func(), error) {
	r, release, err := e.replicas.Acquire(ctx, ulid)
	if err == nil {
		return r, release, nil
	}
	if fault.Is(err, fault.NotFound) {
		return nil, nil, &closedError{ulid}
	}
	if last, lastErr := e.lastEntry(ctx, ulid); lastErr == nil && (last == nil || last.Kind == commitlog.Closed) {
		return nil, nil, &closedError{ulid}
	}
	return nil, nil, fmt.Errorf("load room %s: %w", ulid, err)
}

// lastEntry reads the newest entry of a room's log strongly; nil when there
// is none. It works where entries before it are gone.
func (e *Engine) lastEntry(ctx context.Context, ulid string) (*commitlog.Entry, error) {
	page, err := e.store.Query(ctx, store.Query{
		PK: commitlog.Partition(ulid), From: store.LogPrefix, To: store.LogPrefix + "~", Limit: 1, Reverse: true, Strong: true,
	})
	if err != nil || len(page.Items) == 0 {
		return nil, err
	}
	return commitlog.DecodeEntry(page.Items[0].Data)
}

// Head is the newest seq of a room's log by a strong read, without a replica.
func (e *Engine) Head(ctx context.Context, ulid string) (int64, error) {
	seq, err := commitlog.Head(ctx, e.store, ulid)
	if err != nil {
		return 0, fmt.Errorf("read head of room %s: %w", ulid, err)
	}
	return seq, nil
}
