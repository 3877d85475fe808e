package usage

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// slot is what one item counts.
type slot struct {
	room      string // ULID
	hour      time.Time
	principal string
}

// pending is what was not yet written of a slot. Try is the addition whose
// outcome is not known: it is repeated under its number before anything else.
type pending struct {
	fresh Counts
	try   Counts
	n     int64 // of try; 0: none
}

// Recorder keeps what happened in this process until Flush writes it: one
// write an item, however often something was counted. It is safe for concurrent
// use. Flushing is for one caller at a time; others wait.
type Recorder struct {
	ledger *Ledger
	writer string
	now    func() time.Time

	flushing sync.Mutex
	mu       sync.Mutex
	slots    map[slot]*pending
	n        int64
}

// NewRecorder returns a recorder that writes to a ledger.
func NewRecorder(l *Ledger) *Recorder {
	return &Recorder{ledger: l, writer: rand.Text()[:10], now: l.now, slots: map[slot]*pending{}}
}

// Count notes what a principal consumed in a room just now. What belongs to no
// room (an empty ULID) is not counted. It never blocks on the store.
func (r *Recorder) Count(room, principal string, c Counts) {
	if r == nil || room == "" || c.Zero() {
		return
	}
	if principal == "" {
		principal = System
	}
	k := slot{room: room, hour: r.now().UTC().Truncate(time.Hour), principal: principal}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.slots[k]
	if p == nil {
		p = &pending{}
		r.slots[k] = p
	}
	p.fresh = p.fresh.Plus(c)
}

// Flush writes what was counted. What could not be written stays, and is
// written with the next flush; its error is joined to the others'.
func (r *Recorder) Flush(ctx context.Context) error {
	if r == nil {
		return nil
	}
	r.flushing.Lock()
	defer r.flushing.Unlock()
	var all error
	for _, k := range r.waiting() {
		if err := r.flush(ctx, k); err != nil {
			all = errors.Join(all, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return all
}

func (r *Recorder) waiting() []slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]slot, 0, len(r.slots))
	for k := range r.slots {
		keys = append(keys, k)
	}
	return keys
}

// flush writes a slot: first what an earlier flush may have written, then the
// rest.
func (r *Recorder) flush(ctx context.Context, k slot) error {
	for {
		try, n, more := r.next(k)
		if !more {
			return nil
		}
		if err := r.ledger.add(ctx, k, r.writer, n, try); err != nil {
			return err
		}
		r.written(k)
	}
}

func (r *Recorder) next(k slot) (Counts, int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.slots[k]
	if p.n == 0 {
		if p.fresh.Zero() {
			delete(r.slots, k)
			return Counts{}, 0, false
		}
		r.n++
		p.try, p.n, p.fresh = p.fresh, r.n, Counts{}
	}
	return p.try, p.n, true
}

func (r *Recorder) written(k slot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.slots[k]
	p.try, p.n = Counts{}, 0
}

// Pending sums what was counted in a room and is not known to be written, also
// what a flush is writing just now, so that a report of this process is up to
// date.
func (r *Recorder) Pending(room string) Counts {
	var sum Counts
	if r == nil {
		return sum
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, p := range r.slots {
		if k.room == room {
			sum = sum.Plus(p.fresh).Plus(p.try)
		}
	}
	return sum
}
