// Package queuetest is the conformance suite of the queue port. Each adapter
// runs it from one test with a harness of its own. Time passes by timers, so
// that an adapter with a clock of this process runs it in a bubble of
// testing/synctest at no cost, and an emulator by the real clock.
package queuetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"nanotypedb/shared/queue"
)

// MaxReceives is the limit of receives that a harness sets.
const MaxReceives = 5

// Instance is one opened queue, empty at first, and its dead-letter queue. A
// message is dead after MaxReceives.
type Instance struct {
	Queue, Dead queue.Queue

	// Reopen closes the queues and opens them again, as after a restart of the
	// process. Nil: the adapter cannot.
	Reopen func(tb testing.TB) Instance
}

// Harness is what an adapter's test brings.
type Harness struct {
	// Open opens queues that nobody else uses. What it opens is closed by
	// tb.Cleanup.
	Open func(tb testing.TB) Instance

	// Skip names the cases that the adapter, or the emulator it runs on,
	// cannot pass, each with the reason.
	Skip map[string]string

	// Bubble runs each case, as synctest.Test. Nil: cases run by the real
	// clock, all at once.
	Bubble func(t *testing.T, f func(t *testing.T))
}

// testCase is one named behaviour.
type testCase struct {
	name string
	run  func(s *subject)
}

func allCases() []testCase {
	return slices.Concat(sendCases, receiveCases, deleteCases, extendCases, deadCases, countCases, manyCases, propertyCases)
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	cases := allCases()
	for name := range h.Skip {
		if !slices.ContainsFunc(cases, func(c testCase) bool { return c.name == name }) {
			t.Errorf("the harness skips %q, which is no case", name)
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if reason, skip := h.Skip[c.name]; skip {
				t.Skip(reason)
			}
			run := func(t *testing.T) { c.run(&subject{T: t, Instance: h.Open(t), open: h.Open, virtual: h.Bubble != nil}) }
			if h.Bubble == nil {
				t.Parallel()
				run(t)
				return
			}
			h.Bubble(t, run)
		})
	}
}

// subject is a queue under test, with the requests that tests make most.
type subject struct {
	*testing.T
	Instance
	open    func(testing.TB) Instance
	virtual bool // time costs nothing
}

// Times of the suite: hidden is longer than any case takes, short is waited for.
const (
	hidden   = 10 * time.Minute
	short    = 2 * time.Second
	patience = 20 * time.Second // until something must have happened on an emulator
)

// pass lets time pass.
func (s *subject) pass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.Context().Done():
	}
}

// send sends bodies and must succeed.
func (s *subject) send(bodies ...string) {
	s.Helper()
	messages := make([]queue.Outgoing, len(bodies))
	for i, body := range bodies {
		messages[i].Body = body
	}
	if err := s.Queue.Send(s.Context(), messages...); err != nil {
		s.Fatalf("Send: %v", err)
	}
}

// receive receives exactly n messages from q, in as many calls as it takes.
func (s *subject) receive(q queue.Queue, n int, visibility time.Duration) []queue.Message {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	var all []queue.Message
	for len(all) < n {
		r := queue.Request{Max: min(n-len(all), queue.MaxBatch), Wait: queue.MaxWait, Visibility: visibility}
		messages, err := q.Receive(ctx, r)
		if err != nil {
			s.Fatalf("Receive: %v, after %d of %d messages", err, len(all), n)
		}
		if len(messages) > r.Max {
			s.Fatalf("Receive gave %d messages, asked for %d", len(messages), r.Max)
		}
		all = append(all, messages...)
	}
	return all
}

// one receives one message.
func (s *subject) one(visibility time.Duration) queue.Message {
	s.Helper()
	return s.receive(s.Queue, 1, visibility)[0]
}

// none requires that nothing is visible.
func (s *subject) none(q queue.Queue) {
	s.Helper()
	messages, err := q.Receive(s.Context(), queue.Request{Max: queue.MaxBatch, Visibility: hidden})
	if err != nil || len(messages) > 0 {
		s.Fatalf("Receive gave %v, %v, want nothing", messages, err)
	}
}

func (s *subject) extend(d time.Duration, messages ...queue.Message) {
	s.Helper()
	extensions := make([]queue.Extension, len(messages))
	for i, m := range messages {
		extensions[i] = queue.Extension{Receipt: m.Receipt, For: d}
	}
	if err := s.Queue.Extend(s.Context(), extensions...); err != nil {
		s.Fatalf("Extend: %v", err)
	}
}

func (s *subject) delete(q queue.Queue, messages ...queue.Message) {
	s.Helper()
	if err := q.Delete(s.Context(), receiptsOf(messages)...); err != nil {
		s.Fatalf("Delete: %v", err)
	}
}

// counts requires the numbers of messages in q.
func (s *subject) counts(q queue.Queue, waiting, inFlight, delayed int64) queue.Counts {
	s.Helper()
	c, err := q.Counts(s.Context())
	if err != nil {
		s.Fatalf("Counts: %v", err)
	}
	if c.Waiting != waiting || c.InFlight != inFlight || c.Delayed != delayed {
		s.Fatalf("the counts are %+v, want %d waiting, %d in flight, %d delayed", c, waiting, inFlight, delayed)
	}
	return c
}

// onlyStale requires that err is nil or says of single entries that their
// receipt is stale.
func (s *subject) onlyStale(what string, err error) {
	s.Helper()
	if err == nil {
		return
	}
	var batch *queue.BatchError
	if !errors.As(err, &batch) {
		s.Fatalf("%s: %v", what, err)
	}
	for i, err := range batch.Failed {
		if !errors.Is(err, queue.ErrStaleReceipt) {
			s.Fatalf("%s: entry %d: %v, want nothing or ErrStaleReceipt", what, i, err)
		}
	}
}

func receiptsOf(messages []queue.Message) []string {
	receipts := make([]string, len(messages))
	for i, m := range messages {
		receipts[i] = m.Receipt
	}
	return receipts
}

func bodiesOf(messages []queue.Message) []string {
	bodies := make([]string, len(messages))
	for i, m := range messages {
		bodies[i] = m.Body
	}
	slices.Sort(bodies)
	return bodies
}

func numbered(n int) []string {
	bodies := make([]string, n)
	for i := range bodies {
		bodies[i] = string(rune('a' + i))
	}
	return bodies
}
