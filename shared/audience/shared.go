package audience

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"nanotypedb/shared/store"
)

// Shared is the registry of processes that serve together: connections are
// items in the store, one by id and one by room. A connection's identity does
// not change, so a process asks for it once.
type Shared struct {
	store store.Store
	now   func() time.Time

	mu    sync.Mutex
	known map[string]*Connection
}

// maxKnown bounds the identities that a process remembers.
const maxKnown = 10_000

// NewShared returns the registry in st. now is the clock; nil: time.Now.
func NewShared(st store.Store, now func() time.Time) *Shared {
	if now == nil {
		now = time.Now
	}
	return &Shared{store: st, now: now, known: map[string]*Connection{}}
}

func byID(id string) store.Key         { return store.Key{PK: "CONN#" + id, SK: "CONN"} }
func byRoom(room, id string) store.Key { return store.Key{PK: "LIVE#" + room, SK: id} }

// Alone implements Registry.
func (s *Shared) Alone() bool { return false }

// Registration implements Registry.
func (s *Shared) Registration(c *Connection) ([]store.Write, error) {
	data, err := c.encode()
	if err != nil {
		return nil, err
	}
	expires := c.Opened.Add(maxOpen)
	return []store.Write{
		{Item: store.Item{Key: byID(c.ID), Data: data, Expires: expires}, If: store.Absent},
		{Item: store.Item{Key: byRoom(c.Room, c.ID), Data: data, Expires: expires}},
	}, nil
}

// Registered implements Registry.
func (s *Shared) Registered(c *Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[c.ID] = c
}

func (s *Shared) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, id)
}

// Find implements Registry.
func (s *Shared) Find(ctx context.Context, id string) (*Connection, error) {
	s.mu.Lock()
	c := s.known[id]
	s.mu.Unlock()
	if c == nil {
		var err error
		if c, err = s.read(ctx, id); err != nil {
			return nil, err
		}
		s.Registered(c)
	}
	if s.expired(c) {
		s.forget(id)
		return nil, errUnknown
	}
	return c, nil
}

func (s *Shared) read(ctx context.Context, id string) (*Connection, error) {
	item, err := s.store.Get(ctx, byID(id), true)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, unavailable("read connection", err)
	}
	return decode(item.Data)
}

func (s *Shared) expired(c *Connection) bool { return !s.now().Before(c.Opened.Add(maxOpen)) }

// Save implements Registry. The subscription is kept with the room, where the
// broadcast reads it.
func (s *Shared) Save(ctx context.Context, c *Connection) error {
	data, err := c.encode()
	if err != nil {
		return err
	}
	item := store.Item{Key: byRoom(c.Room, c.ID), Data: data, Expires: c.Opened.Add(maxOpen)}
	err = s.store.Write(ctx, store.Write{Item: item, If: store.Present})
	var condition *store.ConditionError
	switch {
	case errors.As(err, &condition):
		s.forget(c.ID)
		return errUnknown
	case err != nil:
		return unavailable("keep subscription", err)
	}
	return nil
}

// Remove implements Registry.
func (s *Shared) Remove(ctx context.Context, id string) (*Connection, error) {
	c, err := s.read(ctx, id)
	s.forget(id)
	if errors.Is(err, errUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if live, err := s.store.Get(ctx, byRoom(c.Room, id), true); err == nil {
		if c, err = decode(live.Data); err != nil { // with its subscription
			return nil, err
		}
	}
	err = s.store.Write(ctx,
		store.Write{Action: store.Delete, Item: store.Item{Key: byID(id)}, If: store.Present},
		store.Write{Action: store.Delete, Item: store.Item{Key: byRoom(c.Room, id)}})
	var condition *store.ConditionError
	switch {
	case errors.As(err, &condition):
		return nil, nil
	case err != nil:
		return nil, unavailable("remove connection", err)
	}
	return c, nil
}

// InRoom implements Registry by a strong query: who was registered before a
// commit was put is told about it.
func (s *Shared) InRoom(ctx context.Context, room string) ([]*Connection, error) {
	var connections []*Connection
	q := store.Query{PK: "LIVE#" + room, Strong: true}
	for {
		page, err := s.store.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("query connections of room %s: %w", room, err)
		}
		for _, item := range page.Items {
			c, err := decode(item.Data)
			if err != nil {
				return nil, err
			}
			if !s.expired(c) {
				connections = append(connections, c)
			}
		}
		if q.After = page.Next; q.After == "" {
			return connections, nil
		}
	}
}
