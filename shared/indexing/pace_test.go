package indexing

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// inside lets n try to enter and tells how many are in, once all have tried.
func inside(t *testing.T, p *Pace, n int) int64 {
	t.Helper()
	var in atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer synctest.Wait()
	defer cancel()
	for range n {
		go func() {
			if p.Enter(ctx) == nil {
				in.Add(1)
			}
		}()
	}
	synctest.Wait()
	return in.Load()
}

func leave(p *Pace, n int64) {
	for range n {
		p.Leave()
	}
}

func TestPaceLetsSoManyIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(3, time.Now)
		if got := inside(t, p, 5); got != 3 {
			t.Errorf("%d are in, want 3", got)
		}
		leave(p, 1)
		if got := inside(t, p, 5); got != 1 {
			t.Errorf("%d came in for the one that left", got)
		}
	})
}

func TestPaceSlowsDownAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(4, time.Now)
		p.throttled(time.Minute)
		if got := inside(t, p, 5); got != 0 {
			t.Errorf("%d are in while the model rests", got)
		}
		<-time.After(time.Minute)
		got := inside(t, p, 5)
		if got != 2 {
			t.Errorf("%d are in after a rest, want half of 4", got)
		}
		leave(p, got)
		for range 2 * wellEnough {
			p.worked()
		}
		if got = inside(t, p, 5); got != 4 {
			t.Errorf("%d are in after twenty batches that went well, want all 4", got)
		}
		leave(p, got)
		for range 9 {
			p.throttled(0)
		}
		if got = inside(t, p, 5); got != 1 {
			t.Errorf("%d are in, want one at least", got)
		}
	})
}

func TestPaceWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1, time.Now)
		if err := p.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		entered := make(chan error)
		go func() { entered <- p.Enter(t.Context()) }()
		synctest.Wait()
		p.Leave()
		if err := <-entered; err != nil {
			t.Error(err)
		}
		p.throttled(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ready while the model rests: %v", err)
		}
	})
}

func TestWait(t *testing.T) {
	x := New(Options{Base: 2 * time.Second})
	for receives, middle := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 4: 16 * time.Second} {
		for range 50 {
			if got := x.Wait(receives, errors.New("x")); got < middle*3/4 || got > middle*5/4 {
				t.Errorf("after %d receives: %v, want about %v", receives, got, middle)
			}
		}
	}
	if got := x.Wait(MaxReceives, errors.New("x")); got != 0 {
		t.Errorf("after the last receive: %v", got)
	}
}
