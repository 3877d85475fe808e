// Package audience knows who listens to a room and tells them: connections,
// subscriptions, the broadcast of commits in order, presence and cursors.
//
// Nothing here delays a commit: it is durable and acknowledged before it is
// broadcast. Nothing here must arrive either: whoever misses a message sees a
// gap in seq and reads the log.
package audience

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/usage"
)

// Options configure an Audience. The zero values of the numbers are those of
// AWS, where each send is a request to the gateway.
type Options struct {
	Registry Registry
	Tickets  *access.Tickets
	Pusher   push.Pusher
	Store    store.Store // where the log is read from
	States   States

	// Workers is how many sends run at once. Negative: sends are made one
	// after the other, for a Pusher whose Send never blocks.
	Workers     int           // 0: 64
	SendTimeout time.Duration // of one send; 0: 2 s

	// MaxSends is how many sends a second the commits of a room may cause;
	// above it only the newest seq is announced, 4 times a second.
	MaxSends int // 0: 1,000

	// MaxPeople is up to how many people see each other's presence and
	// cursors. Negative: any number.
	MaxPeople int // 0: 20

	Usage *usage.Recorder  // counts the messages sent to a room; nil: nobody counts
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: slog.Default
}

// States gives the state of a room at a seq or later, with the names that
// tables and columns had right after that seq.
type States interface {
	State(ctx context.Context, ulid string, seq int64) (*replica.State, error)
}

// Audience is everybody who listens. It is safe for concurrent use and starts
// no goroutine that outlives a call.
type Audience struct {
	Options
	streams  streams
	outboxes outboxes
	pace     pace

	show  func(*commitlog.Entry, *replica.State, room.Viewer) room.Shown
	class func(*commitlog.Entry, *replica.State, room.Viewer) string
}

// New returns an audience without streams.
func New(o Options) *Audience {
	if o.Workers == 0 {
		o.Workers = 64
	}
	if o.SendTimeout == 0 {
		o.SendTimeout = 2 * time.Second
	}
	if o.MaxSends == 0 {
		o.MaxSends = 1000
	}
	if o.MaxPeople == 0 {
		o.MaxPeople = 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Audience{
		Options: o, show: room.Show, class: room.ShowClass,
		streams:  streams{byRoom: map[string]*stream{}},
		outboxes: outboxes{byID: map[string]*outbox{}, slots: make(chan struct{}, max(o.Workers, 1))},
		pace:     newPace(),
	}
}

// Connect registers a connection by using up its ticket. Errors:
// unauthenticated, see access.Tickets.
func (a *Audience) Connect(ctx context.Context, id, ticket string) (*Connection, error) {
	var c *Connection
	_, err := a.Tickets.Take(ctx, ticket, func(t access.Ticket) ([]store.Write, error) {
		c = &Connection{ID: id, User: t.User, Room: t.Room, Opened: a.Now().UTC()}
		return a.Registry.Registration(c)
	})
	if err != nil {
		return nil, err
	}
	a.Registry.Registered(c)
	return c, nil
}

// Find returns an open connection, or a fault unauthenticated.
func (a *Audience) Find(ctx context.Context, id string) (*Connection, error) {
	return a.Registry.Find(ctx, id)
}

// Disconnect forgets a connection that has ended and tells the others.
func (a *Audience) Disconnect(ctx context.Context, id string) error {
	c, err := a.forget(ctx, id)
	if err != nil || c == nil {
		return err
	}
	return a.left(ctx, c)
}

// forget removes a connection and returns it when the others knew of it.
func (a *Audience) forget(ctx context.Context, id string) (*Connection, error) {
	a.pace.forget(id)
	c, err := a.Registry.Remove(ctx, id)
	if err != nil || c == nil || !c.Subscribed {
		return nil, err
	}
	return c, nil
}

// Drop ends a connection from our side.
func (a *Audience) Drop(ctx context.Context, id string) error {
	return errors.Join(a.Pusher.Drop(ctx, id), a.Disconnect(ctx, id))
}

// Subscribe lets a connection listen to tables (nil: all), in place of what it
// listened to before, and returns who else listens. The caller reads what was missed afterwards and then calls Started.
func (a *Audience) Subscribe(ctx context.Context, c *Connection, tables []string) ([]Person, error) {
	present, err := a.Registry.InRoom(ctx, c.Room)
	if err != nil {
		return nil, unavailable("read who is here", err)
	}
	next := c.listening(true, tables)
	if err := a.Registry.Save(ctx, next); err != nil {
		return nil, err
	}
	if !listens(present, c.ID) {
		if err := a.joined(ctx, next, present); err != nil {
			a.Log.WarnContext(ctx, "joining was not told", "room", c.Room, "error", err)
		}
	}
	return people(present, next), nil
}

// Unsubscribe ends the subscription of a connection and tells the others.
func (a *Audience) Unsubscribe(ctx context.Context, c *Connection) error {
	present, err := a.Registry.InRoom(ctx, c.Room)
	if err != nil {
		return unavailable("read who is here", err)
	}
	if err := a.Registry.Save(ctx, c.listening(false, nil)); err != nil || !listens(present, c.ID) {
		return err
	}
	return a.notify(ctx, c, notice{Person: person(c), Gone: true}, present)
}

func listens(connections []*Connection, id string) bool {
	for _, c := range connections {
		if c.ID == id {
			return c.Subscribed
		}
	}
	return false
}

// Replicas finds states in the replicas of this process.
type Replicas struct{ Cache *replica.Cache }

// State implements States.
func (r Replicas) State(ctx context.Context, ulid string, seq int64) (*replica.State, error) {
	rep, release, err := r.Cache.Acquire(ctx, ulid)
	if err != nil {
		return nil, err
	}
	defer release()
	if rep.State().Seq < seq {
		if err := rep.CatchUp(ctx); err != nil {
			return nil, err
		}
	}
	st, known, err := room.StateAt(ctx, rep, rep.State(), seq)
	if err == nil && !known {
		err = fmt.Errorf("the names of seq %d are not kept", seq)
	}
	return st, err
}

// Background broadcasts for callers that do not wait, as the HTTP side of the
// runner. It owns the goroutines it starts; Close waits for them.
type Background struct {
	audience *Audience
	running  sync.WaitGroup
}

// NewBackground returns a Background for an audience.
func NewBackground(a *Audience) *Background { return &Background{audience: a} }

// Announce starts telling a room that it has commits up to seq.
func (b *Background) Announce(ctx context.Context, ulid string, seq int64) error {
	ctx = context.WithoutCancel(ctx)
	b.running.Go(func() {
		if err := b.audience.Announce(ctx, ulid, seq); err != nil {
			b.audience.Log.WarnContext(ctx, "commit was not announced", "room", ulid, "seq", seq, "error", err)
		}
	})
	return nil
}

// Close waits until everything started has been told. Nothing may be announced
// after it.
func (b *Background) Close() error {
	b.running.Wait()
	return nil
}
