package queuetest

import (
	"fmt"
	"time"

	"nanotypedb/shared/queue"

	"pgregory.net/rapid"
)

var propertyCases = []testCase{{"property/behaves as the model", testModel}}

// testModel makes random requests, and then drains the queue: every message is
// received as often as the model says and no more, and what was not deleted is
// there at the end.
func testModel(s *subject) {
	rapid.Check(timeless{s.T}, func(t *rapid.T) {
		p := &model{T: t, subject: &subject{T: s.T, Instance: s.open(s.T), virtual: s.virtual}, messages: map[string]*modelled{}}
		actions := map[string]func(*rapid.T){"send": p.send, "receive": p.receive, "delete": p.delete, "extend": p.extend}
		if s.virtual {
			actions["pass"] = p.pass
		}
		t.Repeat(actions)
		p.drain()
	})
}

// timeless hides Deadline, which must not be called in a bubble.
type timeless struct{ rapid.TB }

// modelled is what the model knows of a message, by its body.
type modelled struct {
	visible  time.Time
	receives int
	receipts []string
	deleted  bool
}

type model struct {
	*rapid.T
	subject  *subject
	messages map[string]*modelled
	bodies   []string
}

var genTime = rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute})

// step is a time that has passed only where time is virtual.
func (p *model) step(t *rapid.T, label string) time.Duration {
	d := genTime.Draw(t, label)
	if !p.subject.virtual && d > 0 {
		return hidden
	}
	return d
}

func (p *model) send(t *rapid.T) {
	batch := make([]queue.Outgoing, rapid.IntRange(1, 4).Draw(t, "messages"))
	now := time.Now()
	for i := range batch {
		delay := time.Duration(0)
		if p.subject.virtual {
			delay = genTime.Draw(t, "delay")
		}
		batch[i] = queue.Outgoing{Body: fmt.Sprintf("m%d", len(p.bodies)), Delay: delay}
		p.bodies = append(p.bodies, batch[i].Body)
		p.messages[batch[i].Body] = &modelled{visible: now.Add(delay)}
	}
	if err := p.subject.Queue.Send(p.subject.Context(), batch...); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

func (p *model) receive(t *rapid.T) {
	visibility := max(p.step(t, "visibility"), time.Second)
	if !p.subject.virtual {
		visibility = hidden
	}
	p.take(rapid.IntRange(1, queue.MaxBatch).Draw(t, "max"), visibility)
}

// take receives once. Where time is virtual nothing visible may be withheld.
func (p *model) take(limit int, visibility time.Duration) (taken int) {
	now, visible := time.Now(), 0
	for _, m := range p.messages {
		if !m.deleted && m.receives < MaxReceives && !m.visible.After(now) {
			visible++
		}
	}
	messages, err := p.subject.Queue.Receive(p.subject.Context(), queue.Request{Max: limit, Visibility: visibility})
	if err != nil || p.subject.virtual && len(messages) != min(limit, visible) {
		p.Fatalf("received %d messages of %d, %d are visible: %v", len(messages), limit, visible, err)
	}
	for _, got := range messages {
		m := p.messages[got.Body]
		if m == nil || m.deleted || m.visible.After(now) || m.receives >= MaxReceives || got.Receives != m.receives+1 {
			p.Fatalf("received %+v, the model has %+v", got, m)
		}
		m.receives++
		m.visible = now.Add(visibility)
		m.receipts = append(m.receipts, got.Receipt)
	}
	return len(messages)
}

// held draws a message that was received. It leaves out those that may be dead:
// any receive of the queue moves a message that is visible after its last.
func (p *model) held(t *rapid.T) *modelled {
	var held []*modelled
	for _, body := range p.bodies {
		m := p.messages[body]
		if len(m.receipts) > 0 && (m.receives < MaxReceives || m.visible.After(time.Now())) {
			held = append(held, m)
		}
	}
	if len(held) == 0 {
		t.Skip("nothing was received")
	}
	return rapid.SampledFrom(held).Draw(t, "message")
}

// delete uses the newest receipt, or an older one, which none of the adapters
// and emulators takes.
func (p *model) delete(t *rapid.T) {
	m := p.held(t)
	last := len(m.receipts) - 1
	at := max(last-rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "age"), 0)
	p.subject.onlyStale("Delete", p.subject.Queue.Delete(p.subject.Context(), m.receipts[at]))
	m.deleted = m.deleted || at == last
}

func (p *model) extend(t *rapid.T) {
	m := p.held(t)
	d, now := p.step(t, "for"), time.Now()
	inFlight := !m.deleted && m.visible.After(now)
	if !inFlight && !p.subject.virtual {
		t.Skip("the emulator extends it all the same")
	}
	err := p.subject.Queue.Extend(p.subject.Context(), queue.Extension{Receipt: m.receipts[len(m.receipts)-1], For: d})
	if inFlight != (err == nil) {
		t.Fatalf("Extend: %v, in flight: %v", err, inFlight)
	}
	if inFlight {
		m.visible = now.Add(d)
	}
}

func (p *model) pass(t *rapid.T) {
	p.subject.pass(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute}).Draw(t, "time"))
}

// drain gives back what is in flight and receives everything that is left.
func (p *model) drain() {
	if p.subject.virtual {
		p.subject.pass(hidden)
	}
	for _, m := range p.messages {
		if !p.subject.virtual && !m.deleted && m.receives > 0 && m.visible.After(time.Now()) {
			p.subject.extend(0, queue.Message{Receipt: m.receipts[len(m.receipts)-1]})
			m.visible = time.Now()
		}
	}
	for p.take(queue.MaxBatch, hidden) > 0 {
	}
	dead := map[string]bool{}
	for more := true; more; {
		messages, err := p.subject.Dead.Receive(p.subject.Context(), queue.Request{Max: queue.MaxBatch, Visibility: hidden})
		if err != nil {
			p.Fatalf("Receive the dead: %v", err)
		}
		for _, m := range messages {
			dead[m.Body] = true
		}
		more = len(messages) > 0
	}
	p.compare(dead)
}

// compare requires each message to be deleted, in flight or dead.
func (p *model) compare(dead map[string]bool) {
	now, inFlight := time.Now(), int64(0)
	for body, m := range p.messages {
		flying := m.visible.After(now)
		switch {
		case m.deleted && dead[body]:
			p.Fatalf("%s was deleted and is dead", body)
		case dead[body] && m.receives != MaxReceives:
			p.Fatalf("%s is dead after %d receives", body, m.receives)
		case !m.deleted && !dead[body] && !flying:
			p.Fatalf("%s is lost: %+v", body, *m)
		case !m.deleted && !dead[body] && flying:
			inFlight++
		}
	}
	p.subject.counts(p.subject.Queue, 0, inFlight, 0)
}
