package awstest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Rates say how often each effect happens to a request, from 0 to 1. Dropped,
// Late, Throttled, Conflict and Failed exclude each other: their sum must not
// exceed 1.
type Rates struct {
	// Only names the operations, as "PutItem", that anything but Stale may
	// happen to; empty: all.
	Only []string

	// Stale: an eventually consistent read of DynamoDB is answered as of up to
	// MaxLag (20) writes ago.
	Stale  float64
	MaxLag int

	// Dropped: the request is executed, and the caller gets a time-out, a lost
	// connection or a status 500.
	Dropped float64

	// Late: a write of DynamoDB or SQS times out at once and is executed before
	// one of the next MaxLate (5) requests of any client, or never when there
	// is none. It is what an abandoned request in flight does.
	Late    float64
	MaxLate int

	// Throttled, Conflict and Failed: the request is not executed, and the
	// caller gets a throttling error, a TransactionConflict (writes of DynamoDB
	// only) or a status 500.
	Throttled, Conflict, Failed float64

	// Delayed: the request waits up to MaxDelay (2 ms) before it is sent.
	Delayed  float64
	MaxDelay time.Duration
}

// Counts say how often each effect happened.
type Counts struct {
	Requests, Stale, Dropped, Late, Delivered, Throttled, Conflict, Failed, Delayed int
}

// Faults makes SDK clients misbehave by a seeded schedule. What happens to a
// request is decided by the seed and the number of requests before it, so a
// schedule is the same again for the same sequence of requests; goroutines
// that race make sequences of their own. All clients of a table must share one
// Faults, since its old copy knows only of the writes it saw.
type Faults struct {
	mu     sync.Mutex
	rates  Rates
	rng    *rand.Rand
	counts Counts
	held   []heldRequest

	history history
	slots   keyLocks
}

// heldRequest is a write that timed out and will be executed at request due.
type heldRequest struct {
	due int
	run func()
}

// NewFaults makes a schedule from NANO_TEST_SEED, or a random seed, which a
// failing test prints.
func NewFaults(tb testing.TB, rates Rates) *Faults {
	tb.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("NANO_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			tb.Fatalf("NANO_TEST_SEED: %v", err)
		}
	}
	f := NewFaultsSeeded(seed, rates)
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("faults: NANO_TEST_SEED=%d, %+v", seed, f.Counts())
		}
	})
	return f
}

// NewFaultsSeeded makes a schedule from a seed.
func NewFaultsSeeded(seed uint64, rates Rates) *Faults {
	rates.MaxLag = orDefault(rates.MaxLag, 20)
	rates.MaxLate = orDefault(rates.MaxLate, 5)
	rates.MaxDelay = orDefault(rates.MaxDelay, 2*time.Millisecond)
	return &Faults{rates: rates, rng: rand.New(rand.NewPCG(seed, 0))}
}

func orDefault[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Counts gives the effects so far.
func (f *Faults) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// SetRates changes what happens from now on, as to stop all faults before the
// final state is checked. Zero limits keep their value.
func (f *Faults) SetRates(rates Rates) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rates.MaxLag = orDefault(rates.MaxLag, f.rates.MaxLag)
	rates.MaxLate = orDefault(rates.MaxLate, f.rates.MaxLate)
	rates.MaxDelay = orDefault(rates.MaxDelay, f.rates.MaxDelay)
	f.rates = rates
}

// Deliver executes all late writes now.
func (f *Faults) Deliver() {
	f.mu.Lock()
	due := f.held
	f.held = nil
	f.counts.Delivered += len(due)
	f.mu.Unlock()
	runAll(due)
}

// Install adds the faults to a client's stack; use it in APIOptions. Stale
// reads are answered before the request is made. The rest happens around each
// attempt, inside the SDK's retries.
func (f *Faults) Install(stack *middleware.Stack) error {
	id := fmt.Sprintf("awstest.Faults %p", f) // a client may have several
	err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc(id, f.initialize), middleware.Before)
	if err != nil {
		return fmt.Errorf("install stale reads: %w", err)
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc(id, f.attempt), middleware.Before)
}

// parametersKey is where the request's parameters are kept for its attempts.
type parametersKey struct{}

func (f *Faults) initialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	var result any
	err := ctx.Err()
	if err == nil {
		result, err = f.stale(in.Parameters)
	}
	if err != nil || result != nil {
		return middleware.InitializeOutput{Result: result}, middleware.Metadata{}, err
	}
	ctx = middleware.WithStackValue(ctx, parametersKey{}, in.Parameters)
	return next.HandleInitialize(ctx, in)
}

// stale answers an eventually consistent read, or gives nil to have it sent.
func (f *Faults) stale(parameters any) (any, error) {
	read, ok := eventualRead(parameters)
	if !ok {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	hit, lag := f.rng.Float64() < f.rates.Stale, 1+f.rng.IntN(f.rates.MaxLag)
	if !hit {
		return nil, nil
	}
	result, err := f.history.answer(read, lag)
	if result != nil {
		f.counts.Stale++
	}
	return result, err
}

// effect is what happens to one attempt.
type effect int

const (
	none effect = iota
	dropped
	late
	throttled
	conflict
	failed
)

// plan is drawn once for each attempt, always with the same number of draws.
type plan struct {
	effect effect
	delay  time.Duration
	pick   uint64 // chooses among variants
}

func (f *Faults) attempt(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	call := operation{
		service:    awsmiddleware.GetServiceID(ctx),
		name:       awsmiddleware.GetOperationName(ctx),
		parameters: middleware.GetStackValue(ctx, parametersKey{}),
	}
	execute := func(ctx context.Context) (middleware.DeserializeOutput, middleware.Metadata, error) {
		return f.execute(ctx, call, in, next)
	}
	plan, due := f.draw(call, func() {
		// The caller was told of a time-out; nobody waits for this answer.
		_, _, _ = execute(context.WithoutCancel(ctx))
	})
	runAll(due)
	if err := wait(ctx, plan.delay); err != nil {
		return out, metadata, err
	}
	switch plan.effect {
	case dropped:
		if out, metadata, err = execute(ctx); err != nil {
			return out, metadata, err
		}
		return middleware.DeserializeOutput{RawResponse: out.RawResponse}, metadata, lostReply(plan.pick)
	case late:
		return out, metadata, timeout()
	case throttled:
		return out, metadata, throttling(call)
	case conflict:
		return out, metadata, conflicting(call, plan.pick)
	case failed:
		return out, metadata, internalError()
	default:
		return execute(ctx)
	}
}

// draw decides what happens to this attempt, holds it when it is to be late,
// and takes out the late ones that are due before it.
func (f *Faults) draw(call operation, later func()) (plan, []heldRequest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.Requests++
	due := f.takeDue()
	p := plan{effect: f.pick(f.rng.Float64(), call)}
	slow, share, after := f.rng.Float64(), f.rng.Float64(), 1+f.rng.IntN(f.rates.MaxLate)
	p.pick = f.rng.Uint64() // drawn in any case, so that the schedule does not depend on the operation
	if len(f.rates.Only) > 0 && !slices.Contains(f.rates.Only, call.name) {
		return plan{}, due
	}
	if slow < f.rates.Delayed {
		p.delay = time.Duration(share * float64(f.rates.MaxDelay))
		f.counts.Delayed++
	}
	if p.effect == late {
		f.held = append(f.held, heldRequest{due: f.counts.Requests + after, run: later})
	}
	f.note(p.effect)
	return p, due
}

func (f *Faults) takeDue() []heldRequest {
	var due, rest []heldRequest
	for _, h := range f.held {
		if h.due <= f.counts.Requests {
			due = append(due, h)
		} else {
			rest = append(rest, h)
		}
	}
	f.held = rest
	f.counts.Delivered += len(due)
	return due
}

func (f *Faults) pick(x float64, call operation) effect {
	for _, c := range []struct {
		effect   effect
		rate     float64
		possible bool
	}{
		{dropped, f.rates.Dropped, true},
		{late, f.rates.Late, call.canBeLate()},
		{throttled, f.rates.Throttled, true},
		{conflict, f.rates.Conflict, call.isTableWrite()},
		{failed, f.rates.Failed, true},
	} {
		if x < c.rate {
			if c.possible {
				return c.effect
			}
			return none
		}
		x -= c.rate
	}
	return none
}

func (f *Faults) note(e effect) {
	switch e {
	case dropped:
		f.counts.Dropped++
	case late:
		f.counts.Late++
	case throttled:
		f.counts.Throttled++
	case conflict:
		f.counts.Conflict++
	case failed:
		f.counts.Failed++
	}
}

// execute sends the request. Writes of one item go one after another, so that
// the old copy learns of them in the order in which they were applied.
func (f *Faults) execute(ctx context.Context, call operation, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	keys := writtenKeys(call.parameters)
	defer f.slots.lock(keys)()
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err == nil && len(keys) > 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.history.record(call.parameters, out.Result)
	}
	return out, metadata, err
}

func runAll(held []heldRequest) {
	for _, h := range held {
		h.run()
	}
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
