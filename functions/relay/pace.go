package relay

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// restFactor is how many times as long as its last checkpoint took a room
// goes without another. A checkpoint costs in proportion to the room, the
// tail that makes it due does not: so a large room under constant writing
// would be copied again and again. Checkpoints now take at most one part in
// thirty of a processor, and a tail is as long as what is written meanwhile.
const restFactor = 30

// pace spreads the checkpoints of busy rooms.
type pace struct {
	mu        sync.Mutex
	rested    map[string]time.Time // by room: before this, no checkpoint
	postponed map[string]bool
}

// may reports whether a due checkpoint of a room is written now, and remembers
// it for later when not.
func (p *pace) may(ulid string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.rested[ulid]) {
		p.postponed[ulid] = true
		return false
	}
	delete(p.postponed, ulid)
	return true
}

// wrote says how long a checkpoint took that was finished now.
func (p *pace) wrote(ulid string, now time.Time, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for room, until := range p.rested {
		if until.Before(now) {
			delete(p.rested, room)
		}
	}
	p.rested[ulid] = now.Add(restFactor * took)
}

// ready gives the postponed rooms whose rest is over, and how long until the
// next is; 0 when there is none.
func (p *pace) ready(now time.Time) (rooms []string, next time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ulid := range p.postponed {
		switch rest := p.rested[ulid].Sub(now); {
		case rest <= 0:
			rooms = append(rooms, ulid)
		case next == 0 || rest < next:
			next = rest
		}
	}
	return rooms, next
}

func (p *pace) forget(ulid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.postponed, ulid)
}

// Resume writes the checkpoints that were postponed and may be written now,
// and returns how long until the next may be; 0 when none is postponed. A
// host that lives on between events calls it when that time is over.
func (h *Handler) Resume(ctx context.Context) time.Duration {
	rooms, next := h.pace.ready(h.Now())
	for _, ulid := range rooms {
		if err := h.resume(ctx, ulid); err != nil {
			h.pace.forget(ulid) // the room's next commit makes it due again
			h.Log.ErrorContext(ctx, "checkpoint", "room", ulid, "error", err)
		}
	}
	if len(rooms) > 0 {
		_, next = h.pace.ready(h.Now())
	}
	return next
}

func (h *Handler) resume(ctx context.Context, ulid string) error {
	r, release, err := h.Replicas.Acquire(ctx, ulid)
	if err != nil {
		return err
	}
	defer release()
	return h.checkpoint(ctx, r, ulid)
}

// checkpointer is what of a replica writes checkpoints.
type checkpointer interface {
	CheckpointDue() bool
	Checkpoint(ctx context.Context) error
}

// checkpoint writes a room's checkpoint when one is due, unless the last was
// too short a while ago.
func (h *Handler) checkpoint(ctx context.Context, r checkpointer, ulid string) error {
	if !r.CheckpointDue() {
		h.pace.forget(ulid)
		return nil
	}
	began := h.Now()
	if !h.pace.may(ulid, began) {
		return nil
	}
	if err := r.Checkpoint(ctx); err != nil {
		return fmt.Errorf("checkpoint room %s: %w", ulid, err)
	}
	now := h.Now()
	h.pace.wrote(ulid, now, now.Sub(began))
	return nil
}
