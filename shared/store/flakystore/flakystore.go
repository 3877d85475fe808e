// Package flakystore decorates a store with the failures that a distant one has:
// replies lost after success, requests lost or applied late, throttling,
// contention, delays and stale reads. It is for tests. Failures come from a
// script, from chance with a seed, or from both; with one caller the same seed
// gives the same run.
package flakystore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

// Fault is what happens to one request.
type Fault string

// The faults. The zero value is none. Only Throttle happens to reads.
const (
	None        Fault = ""
	DropReply   Fault = "drop reply"   // decided by the store, but the answer is ErrUnknownOutcome
	LoseRequest Fault = "lose request" // never applied, and the answer is ErrUnknownOutcome
	ApplyLate   Fault = "apply late"   // as LoseRequest, but applied before a later request or by Settle
	Throttle    Fault = "throttle"     // not applied: ErrThrottled
	Contend     Fault = "contend"      // not applied: ErrContended
)

// Plan gives the chance of each fault, from 0 to 1. Add is never applied late.
type Plan struct {
	Seed uint64

	DropReply, LoseRequest, ApplyLate, Throttle, Contend float64 // of a write
	ThrottleRead                                         float64
	Stale                                                float64 // an eventual read is answered from an old copy
	Delay                                                float64 // others run before the request goes on
}

// Store is the decorator. Stale reads know only what was written through it.
type Store struct {
	inner store.Store
	plan  Plan

	mu     sync.Mutex
	random *rand.Rand
	script []Fault
	late   [][]store.Write
	count  map[Fault]int

	replicaMu sync.Mutex
	replica   *storetest.Model
	behind    []store.Key // written, but not copied to the replica
}

// New decorates inner. A test that fails prints plan.Seed.
func New(inner store.Store, plan Plan) *Store {
	return &Store{
		inner: inner, plan: plan,
		random:  rand.New(rand.NewPCG(plan.Seed, plan.Seed)), //nolint:gosec // reproducible on purpose
		count:   map[Fault]int{},
		replica: storetest.NewModel(),
	}
}

// Script lets these faults happen to the next writes, in order, before chance
// has a say again.
func (s *Store) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, faults...)
}

// Count tells how often a fault happened.
func (s *Store) Count(fault Fault) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[fault]
}

// Appending is a Store that is an Appender too, as the decorated store must be.
// A Store by itself is none: to be one means that nobody else writes.
type Appending struct{ *Store }

// MaxAppend implements store.Appender.
func (a Appending) MaxAppend() int { return a.maxAppend() }

func (s *Store) maxAppend() int {
	if appender, ok := s.inner.(store.Appender); ok {
		return appender.MaxAppend()
	}
	return 1
}

func (s *Store) chance(p float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p > 0 && s.random.Float64() < p
}

// draw decides what happens to a write.
func (s *Store) draw() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := s.drawLocked()
	if fault != None {
		s.count[fault]++
	}
	return fault
}

func (s *Store) drawLocked() Fault {
	if len(s.script) > 0 {
		fault := s.script[0]
		s.script = s.script[1:]
		return fault
	}
	x := s.random.Float64()
	for _, c := range []struct {
		fault Fault
		p     float64
	}{
		{DropReply, s.plan.DropReply}, {LoseRequest, s.plan.LoseRequest}, {ApplyLate, s.plan.ApplyLate},
		{Throttle, s.plan.Throttle}, {Contend, s.plan.Contend},
	} {
		if x < c.p {
			return c.fault
		}
		x -= c.p
	}
	return None
}

// delay lets others run.
func (s *Store) delay() {
	if !s.chance(s.plan.Delay) {
		return
	}
	s.mu.Lock()
	n := s.random.IntN(200)
	s.mu.Unlock()
	for range n {
		runtime.Gosched()
	}
}

func unknown(fault Fault) error {
	return fmt.Errorf("flakystore: %s: %w", fault, store.ErrUnknownOutcome)
}

// before tells whether the request never reaches the store, and with what error.
func before(fault Fault) error {
	switch fault {
	case LoseRequest:
		return unknown(fault)
	case Throttle:
		return store.ErrThrottled
	case Contend:
		return store.ErrContended
	default:
		return nil
	}
}

// Write implements store.Store.
func (s *Store) Write(ctx context.Context, writes ...store.Write) error {
	if err := errors.Join(ctx.Err(), store.ValidateWrites(writes, s.maxAppend())); err != nil {
		return err
	}
	fault := s.draw()
	if err := before(fault); err != nil {
		return err
	}
	if fault == ApplyLate {
		s.postpone(writes)
		return unknown(fault)
	}
	s.delay()
	if err := s.applyLate(ctx, false); err != nil {
		return err
	}
	err := s.inner.Write(ctx, writes...)
	s.wrote(writes)
	if fault == DropReply {
		return unknown(fault)
	}
	return err
}

// Add implements store.Store.
func (s *Store) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fault := s.draw()
	if fault == ApplyLate {
		fault = LoseRequest
	}
	if err := before(fault); err != nil {
		return nil, err
	}
	s.delay()
	values, err := s.inner.Add(ctx, key, deltas, expires)
	s.wrote([]store.Write{{Item: store.Item{Key: key}}})
	if fault == DropReply {
		return nil, unknown(fault)
	}
	return values, err
}

// postpone keeps a copy of the writes, as arguments belong to the caller.
func (s *Store) postpone(writes []store.Write) {
	kept := slices.Clone(writes)
	for i := range kept {
		kept[i].Item.Data = slices.Clone(kept[i].Item.Data)
		kept[i].Previous = slices.Clone(kept[i].Previous)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, kept)
}

// Settle applies everything that is late. It returns the first failure that is
// not a refusal.
func (s *Store) Settle(ctx context.Context) error { return s.applyLate(ctx, true) }

func (s *Store) applyLate(ctx context.Context, all bool) error {
	for {
		writes := s.takeLate(all)
		if writes == nil {
			return nil
		}
		err := s.inner.Write(ctx, writes...)
		s.wrote(writes)
		var refused *store.ConditionError
		if err != nil && !errors.As(err, &refused) {
			return fmt.Errorf("apply late: %w", err)
		}
	}
}

func (s *Store) takeLate(all bool) []store.Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.late) == 0 || !all && s.random.IntN(2) == 0 {
		return nil
	}
	i := s.random.IntN(len(s.late))
	writes := s.late[i]
	s.late = slices.Delete(s.late, i, i+1)
	return writes
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	from, err := s.reader(ctx, strong)
	if err != nil {
		return store.Item{}, err
	}
	return from.Get(ctx, key, strong)
}

// Query implements store.Store.
func (s *Store) Query(ctx context.Context, q store.Query) (store.Page, error) {
	from, err := s.reader(ctx, q.Strong)
	if err != nil {
		return store.Page{}, err
	}
	return from.Query(ctx, q)
}

// reader chooses who answers a read.
func (s *Store) reader(ctx context.Context, strong bool) (store.Store, error) {
	if s.chance(s.plan.ThrottleRead) {
		return nil, store.ErrThrottled
	}
	s.delay()
	if strong || !s.chance(s.plan.Stale) {
		return s.inner, nil
	}
	return s.replica, s.catchUp(ctx)
}

func (s *Store) wrote(writes []store.Write) {
	s.replicaMu.Lock()
	defer s.replicaMu.Unlock()
	for i := range writes {
		s.behind = append(s.behind, writes[i].Item.Key)
	}
}

// catchUp copies a part of what the replica lacks, at random, oldest first.
func (s *Store) catchUp(ctx context.Context) error {
	s.replicaMu.Lock()
	defer s.replicaMu.Unlock()
	s.mu.Lock()
	n := s.random.IntN(len(s.behind) + 1)
	s.mu.Unlock()
	for range n {
		if err := s.copyItem(ctx, s.behind[0]); err != nil {
			return fmt.Errorf("catch up: %w", err)
		}
		s.behind = s.behind[1:]
	}
	return nil
}

func (s *Store) copyItem(ctx context.Context, key store.Key) error {
	item, err := s.inner.Get(ctx, key, true)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return s.replica.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: key}})
	case err != nil:
		return err
	}
	return s.replica.Write(ctx, store.Write{Action: store.Put, Item: item})
}
