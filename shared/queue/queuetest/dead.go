package queuetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"nanotypedb/shared/queue"
)

var deadCases = []testCase{
	{"dead/after exactly five receives", func(s *subject) { s.die(func(queue.Message, int) {}) }},
	{"dead/also when failures changed the visibility", func(s *subject) {
		s.die(func(m queue.Message, n int) { s.extend(time.Duration(n%2)*time.Second, m) })
	}},
	{"dead/handled at the fifth receive", testHandledAtLast},
	{"dead/a receiver of the dead is woken", testDeadWakes},
	{"dead/can be handled and sent again", testDeadHandled},
}

var countCases = []testCase{
	{"counts/of the whole queue", testCounts},
}

var manyCases = []testCase{
	{"many/each message has one receiver", testMany},
}

// die lets a message die, by what fail does after each receive or by the end of
// its visibility time, and looks at it at each step.
func (s *subject) die(fail func(m queue.Message, receive int)) {
	s.send("x")
	s.none(s.Dead)
	var first queue.Message
	for n := 1; n <= MaxReceives; n++ {
		m := s.one(time.Second)
		if n == 1 {
			first = m
		}
		if m.ID != first.ID || m.Receives != n {
			s.Fatalf("received %+v, want receive %d of %s", m, n, first.ID)
		}
		s.counts(s.Dead, 0, 0, 0)
		fail(m, n)
	}
	s.pass(1100 * time.Millisecond)
	s.counts(s.Queue, 1, 0, 0) // nobody received it once more
	s.counts(s.Dead, 0, 0, 0)
	s.none(s.Queue)
	s.counts(s.Queue, 0, 0, 0)
	s.counts(s.Dead, 1, 0, 0)
	dead := s.receive(s.Dead, 1, hidden)[0]
	if dead.ID != first.ID || dead.Body != "x" || dead.Receives < 1 || !dead.Sent.Equal(first.Sent) {
		s.Fatalf("%+v is dead, want %+v", dead, first)
	}
	s.none(s.Dead)
}

// kill receives a message until it is dead.
func (s *subject) kill() (last queue.Message) {
	for range MaxReceives {
		last = s.one(hidden)
		s.extend(0, last)
	}
	return last
}

func testHandledAtLast(s *subject) {
	s.send("x")
	for n := 1; n < MaxReceives; n++ {
		s.extend(0, s.one(hidden))
	}
	s.delete(s.Queue, s.one(short))
	s.pass(short + 100*time.Millisecond)
	s.none(s.Queue)
	s.none(s.Dead)
}

func testDeadWakes(s *subject) {
	s.send("x")
	dead := &subject{T: s.T, Instance: Instance{Queue: s.Dead}}
	arrived := dead.await(s.Context(), queue.MaxWait)
	s.kill()
	s.pass(short)
	s.none(s.Queue)
	s.came(<-arrived, short, patience)
}

func testDeadHandled(s *subject) {
	s.send("x")
	last := s.kill()
	s.none(s.Queue)
	dead := s.receive(s.Dead, 1, hidden)[0]
	s.onlyStale("Delete", s.Queue.Delete(s.Context(), last.Receipt)) // of the queue it left: the dead message stays
	if err := s.Queue.Send(s.Context(), queue.Outgoing{Body: dead.Body}); err != nil {
		s.Fatal(err)
	}
	s.delete(s.Dead, dead)
	s.counts(s.Dead, 0, 0, 0)
	if m := s.one(hidden); m.Body != "x" || m.Receives != 1 || m.ID == dead.ID {
		s.Fatalf("received %+v, want a new message", m)
	}
}

func testCounts(s *subject) {
	if c := s.counts(s.Queue, 0, 0, 0); c.Oldest != 0 {
		s.Errorf("the oldest message of an empty queue is %v old", c.Oldest)
	}
	s.send("a", "b", "c")
	if err := s.Queue.Send(s.Context(), queue.Outgoing{Body: "late", Delay: time.Minute}); err != nil {
		s.Fatal(err)
	}
	s.pass(short)
	messages := s.receive(s.Queue, 2, hidden)
	c := s.counts(s.Queue, 1, 2, 1)
	if c.OldestKnown && (c.Oldest < short || c.Oldest > patience) {
		s.Errorf("the oldest message is %v old, want %v", c.Oldest, short)
	}
	s.extend(0, messages[0])
	s.delete(s.Queue, messages[1])
	s.counts(s.Queue, 2, 0, 1)
}

// testMany: while the visibility time lasts, no message is given to two.
func testMany(s *subject) {
	const senders, receivers, batches = 3, 6, 8
	total := senders * batches * queue.MaxBatch
	var group, sending sync.WaitGroup
	for sender := range senders {
		sending.Go(func() {
			for batch := range batches {
				messages := make([]queue.Outgoing, queue.MaxBatch)
				for i := range messages {
					messages[i].Body = fmt.Sprintf("%d %d %d", sender, batch, i)
				}
				if err := s.Queue.Send(s.Context(), messages...); err != nil {
					s.Errorf("Send: %v", err)
				}
			}
		})
	}
	var mu sync.Mutex
	handled := map[string]int{}
	for range receivers {
		group.Go(func() {
			for {
				r := queue.Request{Max: 7, Wait: short, Visibility: hidden}
				messages, err := s.Queue.Receive(s.Context(), r)
				if err != nil {
					s.Errorf("Receive: %v", err)
				}
				if len(messages) == 0 {
					return
				}
				mu.Lock()
				for _, m := range messages {
					handled[m.Body]++
				}
				mu.Unlock()
				if err := s.Queue.Delete(s.Context(), receiptsOf(slices.Clone(messages))...); err != nil {
					s.Errorf("Delete: %v", err)
				}
			}
		})
	}
	sending.Wait()
	group.Wait()
	for body, n := range handled {
		if n != 1 {
			s.Errorf("message %s was received %d times", body, n)
		}
	}
	if len(handled) != total {
		s.Errorf("%d of %d messages were received", len(handled), total)
	}
	s.counts(s.Queue, 0, 0, 0)
}
