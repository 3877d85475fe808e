package usage

import (
	"context"
	"sync"
)

// Tally collects what one request consumes. It is safe for concurrent use, and
// a nil one counts nothing.
type Tally struct {
	mu        sync.Mutex
	room      string
	principal string
	counts    Counts
}

// In says to which room, a ULID, the work belongs. The engine says so once it
// knows that the caller is a member: what strangers ask is nobody's cost.
func (t *Tally) In(room string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.room = room
	t.mu.Unlock()
}

// By says who caused the work.
func (t *Tally) By(principal string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.principal = principal
	t.mu.Unlock()
}

// Principal is who By named; empty when nobody was.
func (t *Tally) Principal() string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.principal
}

// Room is the room that In named; empty when none did.
func (t *Tally) Room() string {
	if t == nil {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.room
}

// Add counts n of a figure.
func (t *Tally) Add(f Figure, n int64) {
	if t == nil || n == 0 {
		return
	}
	t.mu.Lock()
	t.counts[f] += n
	t.mu.Unlock()
}

// AddAll counts several figures.
func (t *Tally) AddAll(c Counts) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.counts = t.counts.Plus(c)
	t.mu.Unlock()
}

// Counts is what was counted so far.
func (t *Tally) Counts() Counts {
	if t == nil {
		return Counts{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

type tallyKey struct{}

// With returns a context whose work is counted by the tally.
func With(ctx context.Context, t *Tally) context.Context {
	return context.WithValue(ctx, tallyKey{}, t)
}

// From is the tally of a context; nil when its work is not counted.
func From(ctx context.Context) *Tally {
	t, _ := ctx.Value(tallyKey{}).(*Tally)
	return t
}
