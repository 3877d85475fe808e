package queuetest

import (
	"context"
	"errors"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/queue"
)

var receiveCases = []testCase{
	{"receive/hides for the visibility time", testVisibility},
	{"receive/waits for a message", testWaits},
	{"receive/waits for a visibility time to end", testWaitsForVisibility},
	{"receive/wakes when a message is given back", testWakesOnExtend},
	{"receive/the wait ends", testWaitEnds},
	{"receive/the context ends while it waits", testWaitCancelled},
	{"receive/what is above a limit is refused", testReceiveLimits},
	{"receive/in flight over a restart", testRestart},
}

func testVisibility(s *subject) {
	s.send("x")
	first := s.one(short)
	s.none(s.Queue)
	s.counts(s.Queue, 0, 1, 0)
	s.pass(short + 100*time.Millisecond)
	second := s.one(hidden)
	switch {
	case second.ID != first.ID || second.Body != "x" || second.Receives != 2:
		s.Errorf("received %+v after %+v", second, first)
	case second.Receipt == first.Receipt:
		s.Error("two receives have the same receipt")
	case !second.FirstReceived.Equal(first.FirstReceived) || !second.Sent.Equal(first.Sent):
		s.Errorf("times changed from %+v to %+v", first, second)
	}
	s.none(s.Queue)
}

// arrival is what a waiting receiver got, and when.
type arrival struct {
	messages []queue.Message
	err      error
	after    time.Duration
}

// await receives in the background.
func (s *subject) await(ctx context.Context, wait time.Duration) <-chan arrival {
	arrived := make(chan arrival, 1)
	began := time.Now()
	go func() {
		messages, err := s.Queue.Receive(ctx, queue.Request{Max: 1, Wait: wait, Visibility: hidden})
		arrived <- arrival{messages, err, time.Since(began)}
	}()
	return arrived
}

// came requires one message between two times.
func (s *subject) came(a arrival, from, to time.Duration) {
	s.Helper()
	if a.err != nil || len(a.messages) != 1 || a.after < from || a.after > to {
		s.Fatalf("received %v, %v after %v, want one message after %v to %v", a.messages, a.err, a.after, from, to)
	}
}

func testWaits(s *subject) {
	arrived := s.await(s.Context(), queue.MaxWait)
	s.pass(short)
	s.send("x")
	s.came(<-arrived, short, short+5*time.Second)
}

func testWaitsForVisibility(s *subject) {
	s.send("x")
	s.one(short)
	s.came(<-s.await(s.Context(), queue.MaxWait), short-time.Second, short+5*time.Second)
}

func testWakesOnExtend(s *subject) {
	s.send("x")
	m := s.one(hidden)
	arrived := s.await(s.Context(), queue.MaxWait)
	s.pass(short)
	s.extend(0, m)
	s.came(<-arrived, short, short+5*time.Second)
}

func testWaitEnds(s *subject) {
	a := <-s.await(s.Context(), short)
	if a.err != nil || len(a.messages) != 0 || a.after < short || a.after > short+5*time.Second {
		s.Fatalf("received %v, %v after %v, want nothing after %v", a.messages, a.err, a.after, short)
	}
}

func testWaitCancelled(s *subject) {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	arrived := s.await(ctx, queue.MaxWait)
	s.pass(short)
	cancel()
	if a := <-arrived; !errors.Is(a.err, context.Canceled) || len(a.messages) != 0 || a.after > short+5*time.Second {
		s.Fatalf("received %v, %v after %v, want context.Canceled", a.messages, a.err, a.after)
	}
}

func testReceiveLimits(s *subject) {
	good := queue.Request{Max: 1, Visibility: time.Second}
	for name, change := range map[string]func(*queue.Request){
		"max":        func(r *queue.Request) { r.Max = 0 },
		"max ":       func(r *queue.Request) { r.Max = queue.MaxBatch + 1 },
		"wait":       func(r *queue.Request) { r.Wait = -1 },
		"wait ":      func(r *queue.Request) { r.Wait = queue.MaxWait + 1 },
		"visibility": func(r *queue.Request) { r.Visibility = 0 },
		"long":       func(r *queue.Request) { r.Visibility = queue.MaxVisibility + 1 },
	} {
		r := good
		change(&r)
		if _, err := s.Queue.Receive(s.Context(), r); !fault.Is(err, fault.Invalid) {
			s.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

// testRestart: what was in flight comes at once, and its receives are counted
// over restarts until it is dead.
func testRestart(s *subject) {
	if s.Reopen == nil {
		s.Skip("the adapter has no restart")
	}
	if err := s.Queue.Send(s.Context(), queue.Outgoing{Body: "x"}, queue.Outgoing{Body: "late", Delay: queue.MaxDelay}); err != nil {
		s.Fatal(err)
	}
	for n := 1; n <= MaxReceives; n++ {
		if m := s.one(hidden); m.Body != "x" || m.Receives != n {
			s.Fatalf("received %+v, want receive %d", m, n)
		}
		s.Instance = s.Reopen(s)
		s.counts(s.Queue, 1, 0, 1)
	}
	s.none(s.Queue)
	s.counts(s.Queue, 0, 0, 1)
	if m := s.receive(s.Dead, 1, hidden)[0]; m.Body != "x" {
		s.Fatalf("%+v is dead", m)
	}
}
