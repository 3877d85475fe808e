package audience

import (
	"context"
	"slices"
	"sync"

	"nanotypedb/shared/store"
)

// Registry knows the open connections. Its methods may be called concurrently.
// What it returns is shared: nobody changes it.
type Registry interface {
	// Alone reports whether every connection, and so every commit, is of this
	// process.
	Alone() bool

	// Registration gives the writes that register c, for the transaction that
	// uses up its ticket.
	Registration(c *Connection) ([]store.Write, error)

	// Registered follows when that transaction was made.
	Registered(c *Connection)

	// Find returns a connection as it was registered; its subscription may be
	// out of date. Errors: unauthenticated when there is no such connection.
	Find(ctx context.Context, id string) (*Connection, error)

	// Save replaces the subscription of a connection. Errors: unauthenticated
	// when it was removed.
	Save(ctx context.Context, c *Connection) error

	// Remove forgets a connection and returns it as it was saved, or nil when
	// another call has done so.
	Remove(ctx context.Context, id string) (*Connection, error)

	// InRoom returns every connection to a room, of all that were saved before
	// the call.
	InRoom(ctx context.Context, room string) ([]*Connection, error)
}

// Local is the registry of a process that is the only server: what it holds
// is true, and no store is asked.
type Local struct {
	mu          sync.RWMutex
	connections map[string]*Connection
	rooms       map[string][]*Connection // each slice is replaced, never changed
}

// NewLocal returns a registry without connections.
func NewLocal() *Local {
	return &Local{connections: map[string]*Connection{}, rooms: map[string][]*Connection{}}
}

// Alone implements Registry.
func (l *Local) Alone() bool { return true }

// Registration implements Registry: a connection does not outlive its process.
func (l *Local) Registration(*Connection) ([]store.Write, error) { return nil, nil }

// Registered implements Registry.
func (l *Local) Registered(c *Connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connections[c.ID] = c
	l.rooms[c.Room] = append(slices.Clip(l.rooms[c.Room]), c)
}

// Find implements Registry.
func (l *Local) Find(_ context.Context, id string) (*Connection, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	c := l.connections[id]
	if c == nil {
		return nil, errUnknown
	}
	return c, nil
}

// Save implements Registry.
func (l *Local) Save(_ context.Context, c *Connection) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connections[c.ID] == nil {
		return errUnknown
	}
	l.connections[c.ID] = c
	next := slices.Clone(l.rooms[c.Room])
	next[slices.IndexFunc(next, sameID(c.ID))] = c
	l.rooms[c.Room] = next
	return nil
}

// Remove implements Registry.
func (l *Local) Remove(_ context.Context, id string) (*Connection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.connections[id]
	if c == nil {
		return nil, nil
	}
	delete(l.connections, id)
	next := slices.DeleteFunc(slices.Clone(l.rooms[c.Room]), sameID(id))
	if l.rooms[c.Room] = next; len(next) == 0 {
		delete(l.rooms, c.Room)
	}
	return c, nil
}

// InRoom implements Registry.
func (l *Local) InRoom(_ context.Context, room string) ([]*Connection, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.rooms[room], nil
}

func sameID(id string) func(*Connection) bool {
	return func(c *Connection) bool { return c.ID == id }
}

// Listeners is how many connections a room has.
func (a *Audience) Listeners(ctx context.Context, room string) (int, error) {
	connections, err := a.Registry.InRoom(ctx, room)
	return len(connections), err
}
