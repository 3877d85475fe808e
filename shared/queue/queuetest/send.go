package queuetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/queue"
)

var sendCases = []testCase{
	{"send/bodies come back as they were", testBodies},
	{"send/a batch", testSendBatch},
	{"send/a batch above the bytes of one message", testLargeBatch},
	{"send/delayed", testDelay},
	{"send/what is above a limit is refused", testSendLimits},
	{"send/the context has ended", testEnded},
}

func testBodies(s *subject) {
	bodies := []string{"x", " a\tb\r\nc ", "<&>\"'\\", "żółć 日本 🙂 \U0010FFFD", strings.Repeat("é", queue.MaxBodyBytes/2)}
	before := time.Now().Add(-time.Second)
	for _, body := range bodies {
		s.send(body)
		m := s.one(hidden)
		after := time.Now().Add(time.Second)
		switch {
		case m.Body != body:
			s.Errorf("sent %.20q, received %.20q", body, m.Body)
		case m.ID == "" || m.Receipt == "" || m.Receives != 1:
			s.Errorf("received %+.100v", m)
		case m.Sent.Before(before) || m.FirstReceived.Before(m.Sent) || m.FirstReceived.After(after) || m.Sent.Location() != time.UTC:
			s.Errorf("sent at %v and received at %v, between %v and %v", m.Sent, m.FirstReceived, before, after)
		}
		s.delete(s.Queue, m)
	}
	s.none(s.Queue)
}

func testSendBatch(s *subject) {
	s.send(numbered(queue.MaxBatch)...)
	messages := s.receive(s.Queue, queue.MaxBatch, hidden)
	if got := bodiesOf(messages); !slices.Equal(got, numbered(queue.MaxBatch)) {
		s.Fatalf("received %q", got)
	}
	ids := map[string]bool{}
	for _, m := range messages {
		ids[m.ID], ids[m.Receipt] = true, true
	}
	if len(ids) != 2*queue.MaxBatch {
		s.Error("ids or receipts come twice")
	}
	s.none(s.Queue)
}

func testLargeBatch(s *subject) {
	size := queue.MaxBodyBytes * 2 / 3
	bodies := []string{strings.Repeat("a", size), strings.Repeat("b", size), "c"}
	s.send(bodies...)
	if got := bodiesOf(s.receive(s.Queue, len(bodies), hidden)); !slices.Equal(got, bodies) {
		s.Errorf("received %.20q", got)
	}
}

func testDelay(s *subject) {
	ctx := s.Context()
	if err := s.Queue.Send(ctx, queue.Outgoing{Body: "late", Delay: short}, queue.Outgoing{Body: "soon"}); err != nil {
		s.Fatal(err)
	}
	if m := s.one(hidden); m.Body != "soon" {
		s.Fatalf("received %q, want the one without delay", m.Body)
	}
	s.none(s.Queue)
	s.counts(s.Queue, 0, 1, 1)
	s.pass(short)
	if m := s.one(hidden); m.Body != "late" || m.Receives != 1 || m.FirstReceived.Sub(m.Sent) < short-time.Second {
		s.Fatalf("received %+v, want the delayed message", m)
	}
}

func testSendLimits(s *subject) {
	eleven := make([]queue.Outgoing, queue.MaxBatch+1)
	for i := range eleven {
		eleven[i].Body = "x"
	}
	good := queue.Outgoing{Body: "good"}
	for name, c := range map[string]struct {
		messages []queue.Outgoing
		code     fault.Code
		path     string
	}{
		"no message":        {nil, fault.Invalid, ""},
		"too many":          {eleven, fault.Invalid, ""},
		"empty":             {[]queue.Outgoing{good, {}}, fault.Invalid, "[1].body"},
		"too large":         {[]queue.Outgoing{{Body: strings.Repeat("x", queue.MaxBodyBytes+1)}}, fault.TooLarge, "[0].body"},
		"not UTF-8":         {[]queue.Outgoing{{Body: "a\xff"}}, fault.Invalid, "[0].body"},
		"control character": {[]queue.Outgoing{{Body: "a\x00"}}, fault.Invalid, "[0].body"},
		"no character":      {[]queue.Outgoing{{Body: "a\uFFFE"}}, fault.Invalid, "[0].body"},
		"negative delay":    {[]queue.Outgoing{{Body: "a", Delay: -1}}, fault.Invalid, "[0].delay"},
		"long delay":        {[]queue.Outgoing{{Body: "a", Delay: queue.MaxDelay + 1}}, fault.Invalid, "[0].delay"},
	} {
		err := s.Queue.Send(s.Context(), c.messages...)
		var refusal *fault.Error
		if !errors.As(err, &refusal) || refusal.Code != c.code || refusal.Path != c.path {
			s.Errorf("%s: %v, want %s at %q", name, err, c.code, c.path)
		}
	}
	s.counts(s.Queue, 0, 0, 0)
}

func testEnded(s *subject) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	_, receiveErr := s.Queue.Receive(ctx, queue.Request{Max: 1, Visibility: hidden})
	_, countErr := s.Queue.Counts(ctx)
	s.send("x")
	m := s.one(hidden)
	for name, err := range map[string]error{
		"Send": s.Queue.Send(ctx, queue.Outgoing{Body: "y"}), "Receive": receiveErr, "Counts": countErr,
		"Delete": s.Queue.Delete(ctx, m.Receipt), "Extend": s.Queue.Extend(ctx, queue.Extension{Receipt: m.Receipt}),
	} {
		if !errors.Is(err, context.Canceled) || errors.Is(err, queue.ErrUnknownOutcome) {
			s.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	s.counts(s.Queue, 0, 1, 0)
}
