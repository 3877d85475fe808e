package room_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"nanotypedb/shared/store"
)

// gatedStore holds puts of log entries while it is closed. It is a store with
// one writer, as the embedded one is.
type gatedStore struct {
	store.Store
	mu      sync.Mutex
	closed  chan struct{} // closed by open; nil: open
	arrived chan struct{}
	room    string
	largest int // entries of a put
}

func (g *gatedStore) MaxAppend() int { return 1000 }

func (g *gatedStore) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.largest = 0
	g.closed, g.arrived = make(chan struct{}), make(chan struct{}, 100)
}

func (g *gatedStore) open() { close(g.closed) }

func (g *gatedStore) waitForPut() { <-g.arrived }

func (g *gatedStore) ulid(t *testing.T) string {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.room
}

func (g *gatedStore) Write(ctx context.Context, writes ...store.Write) error {
	key := writes[0].Item.Key
	if strings.HasPrefix(key.SK, store.LogPrefix) {
		g.mu.Lock()
		g.room = strings.TrimPrefix(key.PK, "ROOM#")
		g.largest = max(g.largest, len(writes))
		closed, arrived := g.closed, g.arrived
		g.mu.Unlock()
		if closed != nil {
			arrived <- struct{}{}
			<-closed
		}
	}
	return g.Store.Write(ctx, writes...)
}
