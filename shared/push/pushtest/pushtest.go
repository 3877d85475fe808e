// Package pushtest is the conformance suite of the push port.
package pushtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/push"
)

// Client is the far end of a connection.
type Client struct {
	ID      string
	Receive func(ctx context.Context) (string, error) // the next message, or an error when the connection is closed
	Close   func()                                    // leaves without a word
}

// Harness is a Pusher and a way to connect to it.
type Harness struct {
	Pusher  push.Pusher
	Connect func(t *testing.T) Client
}

// Run checks a Pusher.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for name, check := range map[string]func(context.Context, *testing.T, Harness){
		"messages arrive in order":            inOrder,
		"many senders":                        manySenders,
		"connections are apart":               apart,
		"a message of the largest size":       largest,
		"a message above it is refused":       tooLarge,
		"unknown connections are gone":        unknown,
		"closed connections are gone":         closed,
		"dropped connections are gone":        dropped,
		"dropping twice is no error":          droppedTwice,
		"the message belongs to the caller":   reused,
		"a cancelled context sends nothing":   cancelled,
		"one that does not read stops nobody": stalled,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			check(ctx, t, open(t))
		})
	}
}

func send(ctx context.Context, t *testing.T, h Harness, id, message string) {
	t.Helper()
	if err := h.Pusher.Send(ctx, id, []byte(message)); err != nil {
		t.Fatalf("send to %s: %v", id, err)
	}
}

func receive(ctx context.Context, t *testing.T, c Client, want string) {
	t.Helper()
	got, err := c.Receive(ctx)
	if err != nil || got != want {
		t.Fatalf("received %.80q, %v; want %.80q", got, err, want)
	}
}

func inOrder(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	for n := range 50 {
		send(ctx, t, h, c.ID, fmt.Sprint("message ", n))
	}
	for n := range 50 {
		receive(ctx, t, c, fmt.Sprint("message ", n))
	}
}

func manySenders(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	const senders, each = 8, 10
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := range each {
				if err := h.Pusher.Send(ctx, c.ID, fmt.Appendf(nil, "%d %d", s, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	next := make([]int, senders)
	for range senders * each {
		message, err := c.Receive(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var s, n int
		if _, err := fmt.Sscan(message, &s, &n); err != nil || n != next[s] {
			t.Fatalf("%q: sender %d is at %d", message, s, next[s])
		}
		next[s]++
	}
}

func apart(ctx context.Context, t *testing.T, h Harness) {
	a, b := h.Connect(t), h.Connect(t)
	if a.ID == b.ID {
		t.Fatalf("two connections %q", a.ID)
	}
	send(ctx, t, h, a.ID, "to a")
	send(ctx, t, h, b.ID, "to b")
	receive(ctx, t, b, "to b")
	receive(ctx, t, a, "to a")
}

func largest(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	message := strings.Repeat("é", push.MaxMessage/2)
	send(ctx, t, h, c.ID, message)
	receive(ctx, t, c, message)
}

func tooLarge(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	if err := h.Pusher.Send(ctx, c.ID, make([]byte, push.MaxMessage+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
	send(ctx, t, h, c.ID, "still open")
	receive(ctx, t, c, "still open")
}

func unknown(ctx context.Context, t *testing.T, h Harness) {
	if err := h.Pusher.Send(ctx, "nobody", []byte("x")); !errors.Is(err, push.ErrGone) {
		t.Errorf("got %v", err)
	}
}

// gone sends until the pusher has noticed that the connection is closed.
func gone(ctx context.Context, t *testing.T, h Harness, id string) {
	t.Helper()
	for ctx.Err() == nil {
		if err := h.Pusher.Send(ctx, id, []byte("x")); errors.Is(err, push.ErrGone) {
			return
		}
	}
	t.Error("the connection is never gone")
}

func closed(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	c.Close()
	gone(ctx, t, h, c.ID)
}

func dropped(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	if err := h.Pusher.Drop(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	gone(ctx, t, h, c.ID)
	for {
		if _, err := c.Receive(ctx); err != nil {
			break
		}
	}
	if ctx.Err() != nil {
		t.Error("the client was not told")
	}
}

func droppedTwice(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	for _, id := range []string{c.ID, c.ID, "nobody"} {
		if err := h.Pusher.Drop(ctx, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func reused(ctx context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	buffer := []byte("first")
	if err := h.Pusher.Send(ctx, c.ID, buffer); err != nil {
		t.Fatal(err)
	}
	receive(ctx, t, c, "first")
	if string(buffer) != "first" {
		t.Errorf("the pusher wrote %q into the message", buffer)
	}
}

func cancelled(_ context.Context, t *testing.T, h Harness) {
	c := h.Connect(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Pusher.Send(ctx, c.ID, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func stalled(ctx context.Context, t *testing.T, h Harness) {
	slow, quick := h.Connect(t), h.Connect(t)
	message := strings.Repeat("x", push.MaxMessage)
	for range 100 {
		err := h.Pusher.Send(ctx, slow.ID, []byte(message))
		if err != nil && !errors.Is(err, push.ErrBusy) && !errors.Is(err, push.ErrGone) {
			t.Fatal(err)
		}
		if err != nil {
			break
		}
	}
	send(ctx, t, h, quick.ID, "quick")
	receive(ctx, t, quick, "quick")
}
