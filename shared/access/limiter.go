package access

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// Window is the length of a rate window. Windows begin at whole minutes of
// each process's clock.
const Window = time.Minute

// slices is into how many leases a budget is cut: the number of writes a
// window costs at most, for each user, room and kind of work, is slices plus
// one for each process.
const slices = 20

// Limits are budgets for a minute, by kind of work. Without an entry, or with
// 0, the kind is not limited.
type Limits map[Work]int

// Limiter limits how much of a kind of work a user does in a room a minute.
// The budget is shared by all processes: each leases a twentieth of it from a
// counter in the store and spends the lease by itself. Together they never
// allow more than the budget; what is left of a lease at the end of a window,
// at most a twentieth for each process, goes unused.
//
// When the store cannot be asked, a process grants itself a lease, at most one
// budget a window: a failing counter must not stop those who only read, and a
// commit fails by itself without a store.
type Limiter struct {
	store  store.Store
	limits Limits
	now    func() time.Time
	log    *slog.Logger

	mu     sync.Mutex
	window int64
	leases map[leaseKey]*lease
}

type leaseKey struct {
	room, user string
	what       Work
}

// lease is what this process may still spend of one budget in the window.
type lease struct {
	mu      sync.Mutex
	left    int
	granted int  // by ourselves, without the store
	spent   bool // the budget is: ask the store no more
}

// NewLimiter returns a limiter. now is the clock; nil: time.Now.
func NewLimiter(st store.Store, limits Limits, now func() time.Time, log *slog.Logger) *Limiter {
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.Default()
	}
	return &Limiter{store: st, limits: limits, now: now, log: log, leases: map[leaseKey]*lease{}}
}

// Allow takes n units from the budget of user in room (empty: outside of
// rooms), or returns a fault
// rate_limited whose RetryAfter is the time to the next window. Work that is
// larger than the whole budget costs the whole budget.
func (l *Limiter) Allow(ctx context.Context, room, user string, what Work, n int) error {
	budget := l.limits[what]
	if budget <= 0 || n <= 0 {
		return nil
	}
	now := l.now()
	key := leaseKey{room, user, what}
	own, window := l.lease(key, now)
	own.mu.Lock()
	defer own.mu.Unlock()
	n = min(n, budget)
	if own.left < n && !own.spent {
		l.renew(ctx, own, key, window, n, budget)
	}
	if own.left < n {
		return exceeded(room, what, budget, now)
	}
	own.left -= n
	return nil
}

// lease finds the lease of the current window; those of earlier windows are
// dropped all at once.
func (l *Limiter) lease(key leaseKey, now time.Time) (*lease, int64) {
	window := now.Unix() / int64(Window/time.Second)
	l.mu.Lock()
	defer l.mu.Unlock()
	if window > l.window {
		l.window = window
		clear(l.leases)
	}
	own := l.leases[key]
	if own == nil {
		own = &lease{}
		l.leases[key] = own
	}
	return own, l.window
}

// renew leases a slice, or as much as n needs, from the shared counter. What
// the counter has beyond the budget is not granted.
func (l *Limiter) renew(ctx context.Context, own *lease, key leaseKey, window int64, n, budget int) {
	want := max((budget+slices-1)/slices, n-own.left)
	expires := time.Unix((window+2)*int64(Window/time.Second), 0)
	at := store.Key{PK: "RATE#" + key.room + "#" + key.user, SK: string(key.what) + "#" + strconv.FormatInt(window, 10)}
	totals, err := l.store.Add(ctx, at, map[string]int64{"used": int64(want)}, expires)
	if err != nil {
		l.log.WarnContext(ctx, "rate counter failed, granting locally", "room", key.room, "work", key.what, "error", err)
		want = min(want, budget-own.granted)
		own.granted += want
		own.left += want
		return
	}
	before := totals["used"] - int64(want)
	grant := max(0, min(int64(want), int64(budget)-before))
	own.left += int(grant)
	own.spent = grant < int64(want)
}

func exceeded(room string, what Work, budget int, now time.Time) error {
	next := now.Truncate(Window).Add(Window)
	where := " in this room"
	if room == "" {
		where = ""
	}
	return fault.New(fault.RateLimited, "More than %d %s a minute%s; try again in the next minute.", budget, what, where).
		After(next.Sub(now))
}
