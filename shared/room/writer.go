package room

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
)

// writer is the one writer of a room in this process. It is no goroutine: of
// the callers that wait, the first leads. It takes those waiting behind it as
// a group, resolves them in order in one draft, puts their entries, publishes,
// answers all, and hands the lead to whoever waits next (flat combining:
// Hendler, Incze, Shavit, Tzafrir, SPAA 2010). So nothing outlives a call, and
// while one group is on its way to the disk the next one gathers.
type writer struct {
	engine *Engine
	ulid   string

	mu     sync.Mutex
	queue  []*call
	leader *call // who leads or was asked to; nil: nobody

	// undecided is a put of which nobody knows whether it happened. Only the
	// leader touches it, and settles it before anything else.
	undecided *attempt

	head  atomic.Int64 // newest seq acknowledged by this process
	doubt atomic.Bool  // the replica may be behind what this process wrote
}

// Bounds of one lead and one group.
const (
	losingTime    = 10 * time.Second // of contention, after which the caller is sent away
	maxGroupBytes = 8 << 20          // of entries
)

// call is a proposal in the queue.
type call struct {
	*proposal
	done chan outcome  // receives once
	lead chan struct{} // receives when the call is to lead
}

type outcome struct {
	result Result
	err    error
}

func (c *call) single() bool { return c.closes || c.alone }

func (c *call) answer(result Result, err error) { c.done <- outcome{result, err} }

func (w *writer) init(e *Engine, lv *live) { w.engine, w.ulid = e, lv.ulid }

var (
	errGivenUp   = fault.New(fault.Unavailable, "the request was given up before it was tried, nothing has changed")
	errUndecided = fault.New(fault.Unavailable, "it cannot be told yet whether the commit happened; repeat it with the same commitId")
	errBusy      = fault.New(fault.RateLimited, "the room has too many writers at the moment, nothing has changed").After(time.Second)
)

// submit brings a proposal into the log, or says why not.
func (w *writer) submit(ctx context.Context, r *replica.Replica, p *proposal) (Result, error) {
	c := &call{proposal: p, done: make(chan outcome, 1), lead: make(chan struct{}, 1)}
	w.enter(c)
	for {
		select {
		case out := <-c.done:
			return out.result, out.err
		case <-c.lead:
			w.run(ctx, r)
		case <-ctx.Done():
			if w.leave(c) {
				return Result{}, errGivenUp.Because(ctx.Err())
			}
			return w.abandon(ctx, c)
		}
	}
}

// abandon gives the answer when it is there already. Otherwise the call is in
// a group, whose leader goes on without this caller.
func (w *writer) abandon(ctx context.Context, c *call) (Result, error) {
	select {
	case out := <-c.done:
		return out.result, out.err
	default:
		return Result{}, errUndecided.Because(ctx.Err())
	}
}

func (w *writer) enter(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, c)
	if w.leader == nil {
		w.promote()
	}
}

// promote asks the first in the queue to lead. The caller holds mu.
func (w *writer) promote() {
	w.leader = nil
	if len(w.queue) > 0 {
		w.leader = w.queue[0]
		w.leader.lead <- struct{}{}
	}
}

// leave takes a call out of the queue, and tells whether it was still there.
func (w *writer) leave(c *call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, c)
	if i < 0 {
		return false
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	if w.leader == c {
		w.promote()
	}
	return true
}

// run leads one group. The leader's own caller going away does not harm the
// others: the work has a deadline of its own.
func (w *writer) run(ctx context.Context, r *replica.Replica) {
	g := &group{writer: w, replica: r, calls: w.take()}
	defer func() {
		g.fail(fault.New(fault.Internal, "the commit failed")) // after a panic: nobody waits for ever
		w.mu.Lock()
		defer w.mu.Unlock()
		w.promote()
	}()
	patience := w.engine.patience
	if len(g.calls) > 0 && g.calls[0].kind == commitlog.Load {
		patience = max(patience, loadTime)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if r.NeedsCheck() {
		check := &group{writer: w, replica: r, calls: []*call{checkCall()}}
		check.serve(ctx)
	}
	g.serve(ctx)
}

// checkCall is a commit that nobody waits for: it states the recomputed sums
// of a room whose log has wrong ones, because some writer was wrong.
func checkCall() *call {
	p := &proposal{kind: commitlog.Check, resolve: func(context.Context, *builder) error { return nil }}
	return &call{proposal: p, done: make(chan outcome, 1)}
}

// take removes the next group from the queue: as many as one put may hold. A
// closing is alone, because it is a transaction with the room's name, and
// so is what asks to be.
func (w *writer) take() []*call {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.queue) && n < w.engine.group && (n == 0 || !w.queue[n].single() && !w.queue[0].single()) {
		n++
	}
	calls := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return calls
}
