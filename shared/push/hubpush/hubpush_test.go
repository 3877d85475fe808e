package hubpush_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nanotypedb/shared/push"
	"nanotypedb/shared/push/hubpush"
	"nanotypedb/shared/push/pushtest"
	"nanotypedb/shared/wire"
)

// pipe is a socket whose messages a test reads. An unbuffered one stalls until
// the test does.
type pipe struct {
	timeout  time.Duration // of a write; 0: none
	messages chan string
	closed   chan struct{}
	once     sync.Once
	code     int
	reason   string
}

func newPipe(buffer int) *pipe {
	return &pipe{messages: make(chan string, buffer), closed: make(chan struct{})}
}

func (p *pipe) Write(message []byte) error {
	var late <-chan time.Time
	if p.timeout > 0 {
		late = time.After(p.timeout)
	}
	select {
	case p.messages <- string(message):
		return nil
	case <-p.closed:
		return errors.New("closed")
	case <-late:
		return errors.New("not read in time")
	}
}

func (p *pipe) Close(code int, reason string) error {
	p.once.Do(func() { p.code, p.reason = code, reason; close(p.closed) })
	return nil
}

func (p *pipe) receive(ctx context.Context) (string, error) {
	select {
	case message := <-p.messages:
		return message, nil
	default:
	}
	select {
	case message := <-p.messages:
		return message, nil
	case <-p.closed:
		return "", errors.New("closed")
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func TestConformance(t *testing.T) {
	pushtest.Run(t, func(t *testing.T) pushtest.Harness {
		hub := hubpush.New(hubpush.Options{})
		t.Cleanup(func() {
			if err := hub.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		n := 0
		return pushtest.Harness{Pusher: hub, Connect: func(t *testing.T) pushtest.Client {
			n++
			id, p := fmt.Sprint("c", n), newPipe(0)
			if err := hub.Attach(id, p); err != nil {
				t.Fatal(err)
			}
			return pushtest.Client{ID: id, Receive: p.receive, Close: func() {
				_ = p.Close(0, "")
				hub.Detach(id)
			}}
		}}
	})
}

func TestASlowConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubpush.New(hubpush.Options{MaxQueue: 100})
		slow, quick := newPipe(0), newPipe(100)
		attach(t, hub, "slow", slow)
		attach(t, hub, "quick", quick)
		message := []byte(strings.Repeat("x", 40))
		var err error
		for n := 0; err == nil && n < 10; n++ {
			if err := hub.Send(t.Context(), "quick", message); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			err = hub.Send(t.Context(), "slow", message)
		}
		if !errors.Is(err, push.ErrBusy) {
			t.Fatalf("got %v", err)
		}
		<-slow.closed
		if slow.code != wire.CloseTooSlow {
			t.Errorf("closed with %d", slow.code)
		}
		if err := hub.Send(t.Context(), "slow", message); !errors.Is(err, push.ErrGone) {
			t.Errorf("afterwards: %v", err)
		}
		if len(quick.messages) != 3 {
			t.Errorf("quick received %d", len(quick.messages))
		}
		if err := hub.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestASocketThatFailsIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubpush.New(hubpush.Options{})
		p := newPipe(0)
		p.timeout = time.Second
		attach(t, hub, "c", p)
		if err := hub.Send(t.Context(), "c", []byte("x")); err != nil {
			t.Fatal(err)
		}
		<-p.closed
		if p.code != wire.CloseTooSlow || hub.Len() != 0 {
			t.Errorf("closed with %d, %d left", p.code, hub.Len())
		}
	})
}

func TestDropComesAfterWhatWasSent(t *testing.T) {
	hub, p := hubpush.New(hubpush.Options{}), newPipe(0)
	attach(t, hub, "c", p)
	for _, m := range []string{"a", "b"} {
		if err := hub.Send(t.Context(), "c", []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if err := hub.Drop(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "b"} {
		if got, err := p.receive(t.Context()); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	<-p.closed
	if p.code != wire.ClosePolicy {
		t.Errorf("closed with %d", p.code)
	}
}

func TestCloseEndsAll(t *testing.T) {
	hub := hubpush.New(hubpush.Options{})
	pipes := make([]*pipe, 20)
	for n := range pipes {
		pipes[n] = newPipe(0)
		attach(t, hub, fmt.Sprint(n), pipes[n])
		if err := hub.Send(t.Context(), fmt.Sprint(n), []byte("unread")); err != nil {
			t.Fatal(err)
		}
	}
	if err := hub.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range pipes {
		if <-p.closed; p.code != wire.CloseGoingAway {
			t.Errorf("closed with %d", p.code)
		}
	}
	if err := hub.Attach("late", newPipe(0)); err == nil {
		t.Error("attached after Close")
	}
}

func TestIdsAreUsedOnce(t *testing.T) {
	hub := hubpush.New(hubpush.Options{})
	attach(t, hub, "c", newPipe(0))
	if err := hub.Attach("c", newPipe(0)); err == nil {
		t.Error("two sockets under one id")
	}
}

func attach(t *testing.T, hub *hubpush.Hub, id string, socket hubpush.Socket) {
	t.Helper()
	if err := hub.Attach(id, socket); err != nil {
		t.Fatal(err)
	}
}
