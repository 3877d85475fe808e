package access_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

// counting counts the writes of a store's counters, or fails them.
type counting struct {
	store.Store
	adds atomic.Int64
	fail error
}

func (c *counting) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	c.adds.Add(1)
	if c.fail != nil {
		return nil, c.fail
	}
	return c.Store.Add(ctx, key, deltas, expires)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// allowed spends one by one until the limiter refuses, and returns how often
// it did not and the refusal.
func allowed(l *access.Limiter, room, user string, what access.Work) (int, error) {
	for n := 0; ; n++ {
		if err := l.Allow(context.Background(), room, user, what, 1); err != nil || n > 10_000 {
			return n, err
		}
	}
}

func TestLimiterStopsAtTheBudget(t *testing.T) {
	c, st := newClock(), &counting{Store: storetest.NewModel()}
	l := access.NewLimiter(st, access.Limits{access.Commits: 100}, c.now, quiet())
	c.advance(15 * time.Second)
	n, err := allowed(l, "r", "u", access.Commits)
	var f *fault.Error
	if n != 100 || !errors.As(err, &f) || f.Code != fault.RateLimited || f.RetryAfter != 45*time.Second {
		t.Fatalf("%d allowed, then %v (after %v)", n, err, f.RetryAfter)
	}
	for range 1000 {
		_ = l.Allow(context.Background(), "r", "u", access.Commits, 1)
	}
	if writes := st.adds.Load(); writes > 21 {
		t.Errorf("%d writes for a window", writes)
	}
	for _, other := range []struct {
		room, user string
		what       access.Work
	}{{"r2", "u", access.Commits}, {"r", "u2", access.Commits}, {"r", "u", access.Reads}} {
		if err := l.Allow(context.Background(), other.room, other.user, other.what, 1); err != nil {
			t.Errorf("%v has its own budget: %v", other, err)
		}
	}
	c.advance(45 * time.Second)
	if n, _ := allowed(l, "r", "u", access.Commits); n != 100 {
		t.Errorf("%d allowed in the next window", n)
	}
}

func TestProcessesShareABudget(t *testing.T) {
	c, st := newClock(), storetest.NewModel()
	const processes, budget = 7, 100
	var total atomic.Int64
	var wg sync.WaitGroup
	for range processes {
		l := access.NewLimiter(st, access.Limits{access.Reads: budget}, c.now, quiet())
		wg.Go(func() {
			for range 50 {
				if l.Allow(context.Background(), "r", "u", access.Reads, 3) == nil {
					total.Add(3)
				}
			}
		})
	}
	wg.Wait()
	// Each process may keep a remainder of its last lease.
	if got := total.Load(); got > budget || got < budget-processes*6 {
		t.Errorf("%d of %d allowed", got, budget)
	}
}

func TestWorkLargerThanTheBudgetCostsAllOfIt(t *testing.T) {
	c := newClock()
	l := access.NewLimiter(storetest.NewModel(), access.Limits{access.Reads: 10}, c.now, quiet())
	if err := l.Allow(context.Background(), "r", "u", access.Reads, 500); err != nil {
		t.Fatal(err)
	}
	if err := l.Allow(context.Background(), "r", "u", access.Reads, 1); !fault.Is(err, fault.RateLimited) {
		t.Errorf("after it: %v", err)
	}
}

func TestWithoutALimitNothingIsCounted(t *testing.T) {
	st := &counting{Store: storetest.NewModel()}
	l := access.NewLimiter(st, access.Limits{access.Reads: 0}, nil, quiet())
	for _, what := range []access.Work{access.Reads, access.AI} {
		for range 100 {
			if err := l.Allow(context.Background(), "r", "u", what, 1000); err != nil {
				t.Fatal(err)
			}
		}
	}
	if st.adds.Load() != 0 {
		t.Errorf("%d writes", st.adds.Load())
	}
}

func TestAFailingCounterGrantsOneBudgetAProcess(t *testing.T) {
	c, st := newClock(), &counting{Store: storetest.NewModel(), fail: store.ErrThrottled}
	l := access.NewLimiter(st, access.Limits{access.Reads: 40}, c.now, quiet())
	if n, err := allowed(l, "r", "u", access.Reads); n != 40 || !fault.Is(err, fault.RateLimited) {
		t.Errorf("%d allowed, then %v", n, err)
	}
}
