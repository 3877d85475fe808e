package indexing

import (
	"context"
	"sync"
	"time"
)

// Pace keeps to what the model takes: so many batches at once, fewer after it
// said that it is asked too often, one more again after each ten that went
// well, and none while it wants to be left alone. Who takes jobs off a queue
// enters first, so that they wait there unreceived.
type Pace struct {
	now func() time.Time

	mu      sync.Mutex
	most    int // as configured
	limit   int // at present
	inside  int
	well    int // batches since the limit last changed
	resume  time.Time
	changed chan struct{} // closed and replaced when somebody may enter
}

// wellEnough is after how many batches another one is tried.
const wellEnough = 10

func newPace(most int, now func() time.Time) *Pace {
	return &Pace{now: now, most: most, limit: most, changed: make(chan struct{})}
}

// Enter waits until another batch may be embedded, or ctx ends. Whoever
// entered leaves.
func (p *Pace) Enter(ctx context.Context) error {
	for {
		if err := p.Ready(ctx); err != nil {
			return err
		}
		p.mu.Lock()
		if p.inside < p.limit && !p.now().Before(p.resume) {
			p.inside++
			p.mu.Unlock()
			return nil
		}
		changed := p.changed
		p.mu.Unlock()
		if !p.rest().IsZero() {
			continue // throttled since: Ready waits
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Leave gives the place free.
func (p *Pace) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inside--
	p.announce()
}

func (p *Pace) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// rest is when the model may be asked again, zero when it may be now.
func (p *Pace) rest() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Before(p.resume) {
		return p.resume
	}
	return time.Time{}
}

// Ready waits while the model wants to be left alone.
func (p *Pace) Ready(ctx context.Context) error {
	for until := p.rest(); !until.IsZero(); until = p.rest() {
		if err := pause(ctx, until.Sub(p.now())); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// throttled notes that the model wants to be left alone for a while.
func (p *Pace) throttled(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := p.now().Add(wait); until.After(p.resume) {
		p.resume = until
	}
	p.limit, p.well = max(1, p.limit/2), 0
}

// worked notes a batch that went well.
func (p *Pace) worked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.well++; p.well >= wellEnough && p.limit < p.most {
		p.limit, p.well = p.limit+1, 0
		p.announce()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
