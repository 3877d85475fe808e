package room_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"nanotypedb/shared/store"
)

// flaky is a store as a bad day shows it, by a seed: replies lost after the
// write happened, writes that arrive long after they were given up, throttling
// and contention, failing reads, and weak reads that see nothing. It breaks
// puts into logs and strong reads of them; names and indexes are spared unless
// all is set.
type flaky struct {
	store.Store
	mu    sync.Mutex
	rnd   *rand.Rand
	rate  float64
	late  [][]store.Write
	calls int
	lost  int // replies
}

func newFlaky(st store.Store, seed uint64, rate float64) *flaky {
	return &flaky{Store: st, rnd: rand.New(rand.NewPCG(seed, 1)), rate: rate}
}

func (f *flaky) chance() (hit bool, choice int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return f.rnd.Float64() < f.rate, f.rnd.IntN(5)
}

func isLog(key store.Key) bool { return strings.HasPrefix(key.SK, store.LogPrefix) }

func (f *flaky) Write(ctx context.Context, writes ...store.Write) error {
	f.arrive(ctx, false)
	if !isLog(writes[0].Item.Key) {
		return f.Store.Write(ctx, writes...)
	}
	hit, choice := f.chance()
	if !hit {
		return f.Store.Write(ctx, writes...)
	}
	switch choice {
	case 0, 1:
		_ = f.Store.Write(ctx, writes...) // the reply is lost, whatever it was
		f.mu.Lock()
		f.lost++
		f.mu.Unlock()
		return store.ErrUnknownOutcome
	case 2:
		f.mu.Lock()
		f.late = append(f.late, slices.Clone(writes))
		f.mu.Unlock()
		return store.ErrUnknownOutcome
	case 3:
		return store.ErrThrottled
	default:
		return store.ErrContended
	}
}

// arrive lets late writes happen: some of them, or all.
func (f *flaky) arrive(ctx context.Context, all bool) {
	f.mu.Lock()
	var now [][]store.Write
	f.late = slices.DeleteFunc(f.late, func(w []store.Write) bool {
		if all || f.rnd.IntN(3) == 0 {
			now = append(now, w)
			return true
		}
		return false
	})
	f.mu.Unlock()
	for _, w := range now {
		_ = f.Store.Write(context.WithoutCancel(ctx), w...) // nobody hears what becomes of it
	}
}

func (f *flaky) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	f.arrive(ctx, false)
	if !strong {
		return store.Item{}, store.ErrNotFound
	}
	if hit, _ := f.chance(); hit && isLog(key) {
		return store.Item{}, store.ErrThrottled
	}
	return f.Store.Get(ctx, key, strong)
}

func (f *flaky) Query(ctx context.Context, q store.Query) (store.Page, error) {
	f.arrive(ctx, false)
	if !q.Strong {
		return store.Page{}, nil
	}
	return f.Store.Query(ctx, q)
}

// soleFlaky is flaky as a store with one writer.
type soleFlaky struct{ *flaky }

func (soleFlaky) MaxAppend() int { return 1000 }
