// Package flakyqueue decorates a queue with the failures that a distant one has:
// replies lost after success, requests lost, throttling, and messages sent
// twice. It is for tests. Failures come from a script, from chance with a seed,
// or from both; with one caller the same seed gives the same run.
package flakyqueue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"nanotypedb/shared/queue"
)

// Fault is what happens to one request.
type Fault string

// The faults. The zero value is none.
const (
	None        Fault = ""
	DropReply   Fault = "drop reply"   // done, but the answer is ErrUnknownOutcome; of a Receive: counted and hidden
	LoseRequest Fault = "lose request" // not done, and the answer is ErrUnknownOutcome
	Throttle    Fault = "throttle"     // not done: ErrThrottled
	Twice       Fault = "twice"        // done twice; of a Receive: once
)

// Op names a method of the port.
type Op string

// The methods.
const (
	Send    Op = "Send"
	Receive Op = "Receive"
	Delete  Op = "Delete"
	Extend  Op = "Extend"
	Counts  Op = "Counts"
)

// Plan gives the chance of each fault, from 0 to 1, for every method. Their sum
// must not exceed 1.
type Plan struct {
	Seed                                    uint64
	DropReply, LoseRequest, Throttle, Twice float64
}

// Queue is the decorator.
type Queue struct {
	inner queue.Queue
	plan  Plan

	mu      sync.Mutex
	random  *rand.Rand
	scripts map[Op][]Fault
	count   map[Fault]int
}

// New decorates inner. A test that fails prints plan.Seed.
func New(inner queue.Queue, plan Plan) *Queue {
	return &Queue{
		inner: inner, plan: plan,
		random:  rand.New(rand.NewPCG(plan.Seed, plan.Seed)), //nolint:gosec // reproducible on purpose
		scripts: map[Op][]Fault{}, count: map[Fault]int{},
	}
}

// Script lets these faults happen to the next calls of op, in order, before
// chance has a say again.
func (q *Queue) Script(op Op, faults ...Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.scripts[op] = append(q.scripts[op], faults...)
}

// Count tells how often a fault happened.
func (q *Queue) Count(fault Fault) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count[fault]
}

// draw decides what happens to a call.
func (q *Queue) draw(op Op) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	fault := None
	if script := q.scripts[op]; len(script) > 0 {
		fault, q.scripts[op] = script[0], script[1:]
	} else {
		fault = q.chance(q.random.Float64())
	}
	q.count[fault]++
	return fault
}

func (q *Queue) chance(x float64) Fault {
	for _, c := range []struct {
		fault Fault
		rate  float64
	}{
		{DropReply, q.plan.DropReply}, {LoseRequest, q.plan.LoseRequest},
		{Throttle, q.plan.Throttle}, {Twice, q.plan.Twice},
	} {
		if x < c.rate {
			return c.fault
		}
		x -= c.rate
	}
	return None
}

// call makes one call with its fault. The error of a call whose reply is lost is
// lost with it.
func (q *Queue) call(ctx context.Context, op Op, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	fault := q.draw(op)
	switch fault {
	case Throttle:
		return fmt.Errorf("%s: %w: injected", op, queue.ErrThrottled)
	case LoseRequest:
		return fmt.Errorf("%s: %w: injected, %s", op, queue.ErrUnknownOutcome, fault)
	case DropReply:
		_ = do()
		return fmt.Errorf("%s: %w: injected, %s", op, queue.ErrUnknownOutcome, fault)
	case Twice:
		if op != Receive {
			_ = do()
		}
	case None:
	}
	return do()
}

// Send implements queue.Queue.
func (q *Queue) Send(ctx context.Context, messages ...queue.Outgoing) error {
	return q.call(ctx, Send, func() error { return q.inner.Send(ctx, messages...) })
}

// Receive implements queue.Queue.
func (q *Queue) Receive(ctx context.Context, r queue.Request) (messages []queue.Message, err error) {
	err = q.call(ctx, Receive, func() (err error) {
		messages, err = q.inner.Receive(ctx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return messages, nil
}

// Delete implements queue.Queue.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	return q.call(ctx, Delete, func() error { return q.inner.Delete(ctx, receipts...) })
}

// Extend implements queue.Queue.
func (q *Queue) Extend(ctx context.Context, extensions ...queue.Extension) error {
	return q.call(ctx, Extend, func() error { return q.inner.Extend(ctx, extensions...) })
}

// Counts implements queue.Queue.
func (q *Queue) Counts(ctx context.Context) (counts queue.Counts, err error) {
	err = q.call(ctx, Counts, func() (err error) {
		counts, err = q.inner.Counts(ctx)
		return err
	})
	return counts, err
}
