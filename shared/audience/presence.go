package audience

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/push"
	"nanotypedb/shared/wire"
)

// Limits of presence and cursors.
const (
	MaxStatus     = 1 << 10 // bytes of a status or a position
	presenceEvery = 5 * time.Second
	cursorEvery   = 500 * time.Millisecond
	roomPresence  = 200 // messages a second that a room passes on
	maxListed     = 100 // connections told to a subscriber
)

// Person is a connection as the others see it.
type Person struct {
	User       string `json:"user"`
	Name       string `json:"name"`
	Connection string `json:"connection"`
}

// notice is a presence notification.
type notice struct {
	Person
	N      *int64          `json:"n,omitempty"`
	Status json.RawMessage `json:"status,omitempty"`
	Cursor json.RawMessage `json:"cursor,omitempty"`
	Gone   bool            `json:"gone,omitempty"`
}

func person(c *Connection) Person { return Person{c.User.ID, c.User.Name, c.ID} }

// people lists who else listens, at most maxListed.
func people(present []*Connection, self *Connection) []Person {
	list := []Person{}
	for _, c := range present {
		if c.Subscribed && c.ID != self.ID && len(list) < maxListed {
			list = append(list, person(c))
		}
	}
	return list
}

// SetPresence passes a status on to the others in the room. It is dropped
// without an error when n is not above the one before, when the connection
// passed one on less than 5 s ago, or when the room has too many people or
// messages: nothing of it is kept, and the next one replaces it.
func (a *Audience) SetPresence(ctx context.Context, c *Connection, n int64, status json.RawMessage) error {
	if err := checkStatus("status", status); err != nil {
		return err
	}
	return a.passOn(ctx, c, notice{Person: person(c), N: &n, Status: status}, presenceKind, presenceEvery)
}

// SetCursor passes a position on, at most two a second, see SetPresence.
func (a *Audience) SetCursor(ctx context.Context, c *Connection, n int64, position json.RawMessage) error {
	if err := checkStatus("position", position); err != nil {
		return err
	}
	return a.passOn(ctx, c, notice{Person: person(c), N: &n, Cursor: position}, cursorKind, cursorEvery)
}

func checkStatus(path string, value json.RawMessage) error {
	if len(value) > MaxStatus {
		return fault.At(fault.TooLarge, path, "This has at most %d bytes of JSON, not %d.", MaxStatus, len(value))
	}
	return nil
}

func (a *Audience) passOn(ctx context.Context, c *Connection, n notice, kind kind, every time.Duration) error {
	if !a.pace.allow(c.ID, kind, *n.N, every, a.Now()) {
		return nil
	}
	present, err := a.Registry.InRoom(ctx, c.Room)
	if err != nil {
		return unavailable("read who is here", err)
	}
	self := find(present, c.ID)
	if self == nil {
		return errUnknown
	}
	if !self.Subscribed {
		return nil
	}
	return a.notify(ctx, c, n, present)
}

func find(connections []*Connection, id string) *Connection {
	for _, c := range connections {
		if c.ID == id {
			return c
		}
	}
	return nil
}

func (a *Audience) joined(ctx context.Context, c *Connection, present []*Connection) error {
	return a.notify(ctx, c, notice{Person: person(c)}, present)
}

func (a *Audience) left(ctx context.Context, c *Connection) error {
	present, err := a.Registry.InRoom(ctx, c.Room)
	if err != nil {
		return unavailable("read who is here", err)
	}
	return a.notify(ctx, c, notice{Person: person(c), Gone: true}, present)
}

// notify sends a notice to everybody in the room but its sender, within the
// room's limits.
func (a *Audience) notify(ctx context.Context, from *Connection, n notice, present []*Connection) error {
	others := make([]*Connection, 0, len(present))
	persons := map[string]bool{from.User.ID: true}
	for _, c := range present {
		if c.Subscribed && c.ID != from.ID {
			others = append(others, c)
			persons[c.User.ID] = true
		}
	}
	if len(others) == 0 || a.MaxPeople >= 0 && len(persons) > a.MaxPeople {
		return nil
	}
	if a.pace.room(from.Room, a.Now()) > roomPresence {
		return nil
	}
	params, err := json.Marshal(n)
	if err != nil {
		return err
	}
	a.spread(context.WithoutCancel(ctx), others, wire.AppendNotification(nil, "presence", params))
	return nil
}

// spread sends one frame to many, in no order with other frames. Those that
// are gone are only forgotten: telling that they left could go on for ever.
func (a *Audience) spread(ctx context.Context, to []*Connection, frame []byte) {
	var running sync.WaitGroup
	for _, c := range to {
		if a.Workers < 0 {
			a.whisper(ctx, c, frame)
			continue
		}
		running.Go(func() {
			a.outboxes.slots <- struct{}{}
			defer func() { <-a.outboxes.slots }()
			a.whisper(ctx, c, frame)
		})
	}
	running.Wait()
}

func (a *Audience) whisper(ctx context.Context, c *Connection, frame []byte) {
	err := a.send(ctx, c.ID, frame)
	if errors.Is(err, push.ErrGone) {
		_, err = a.Registry.Remove(ctx, c.ID)
	}
	if err != nil {
		a.Log.DebugContext(ctx, "notice skipped", "connection", c.ID, "error", err)
	}
}

// kind is what a connection may send in its own pace.
type kind int

const (
	presenceKind kind = iota
	cursorKind
	kinds
)

// pace remembers when each connection last passed something on, and how much
// each room passes on in this second. Each process counts by itself.
type pace struct {
	mu     sync.Mutex
	steps  map[string]*[kinds]step
	second int64
	rooms  map[string]int
}

type step struct {
	at   time.Time
	n    int64
	some bool
}

func newPace() pace { return pace{steps: map[string]*[kinds]step{}, rooms: map[string]int{}} }

// allow reports whether a connection may pass on message n of a kind now.
func (p *pace) allow(id string, kind kind, n int64, every time.Duration, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.steps[id]
	if own == nil {
		p.sweep(now)
		own = &[kinds]step{}
		p.steps[id] = own
	}
	s := &own[kind]
	if s.some && (n <= s.n || now.Sub(s.at) < every) {
		return false
	}
	*s = step{at: now, n: n, some: true}
	return true
}

// sweep forgets connections that said nothing for a while, when there are many.
func (p *pace) sweep(now time.Time) {
	if len(p.steps) < maxKnown {
		return
	}
	maps.DeleteFunc(p.steps, func(_ string, own *[kinds]step) bool {
		return now.Sub(own[presenceKind].at) > maxOpen && now.Sub(own[cursorKind].at) > maxOpen
	})
}

func (p *pace) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.steps, id)
}

// room counts one more message of a room in this second.
func (p *pace) room(ulid string, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if second := now.Unix(); second != p.second {
		p.second = second
		clear(p.rooms)
	}
	p.rooms[ulid]++
	return p.rooms[ulid]
}
