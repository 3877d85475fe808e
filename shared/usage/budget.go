package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// Budget is what a room may cost in a calendar month (UTC), in USD; 0 is no
// limit. From Warn on the room's people are told. From Stop on nothing is
// embedded any more, and with StopWrites nothing is written either.
type Budget struct {
	Warn       float64 `json:"warn"`
	Stop       float64 `json:"stop"`
	StopWrites bool    `json:"stopWrites,omitempty"`
}

// maxBudget keeps mistakes out: nobody means a trillion.
const maxBudget = 1e9

// Check refuses a budget that cannot be meant.
func (b Budget) Check() error {
	for path, usd := range map[string]float64{"warn": b.Warn, "stop": b.Stop} {
		if !(usd >= 0 && usd <= maxBudget) {
			return fault.At(fault.Invalid, path, "A budget is 0 (no limit) to %.0f USD a month.", maxBudget)
		}
	}
	if b.Stop > 0 && b.Warn > b.Stop {
		return fault.At(fault.Invalid, "warn", "The warning comes before the stop: warn is at most stop.")
	}
	return nil
}

func budgetKey(room string) store.Key { return store.Key{PK: "META#" + room, SK: "BUDGET"} }

// SetBudget keeps a room's budget.
func (l *Ledger) SetBudget(ctx context.Context, room string, b Budget) error {
	if err := b.Check(); err != nil {
		return err
	}
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if err := l.st.Write(ctx, store.Write{Action: store.Put, Item: store.Item{Key: budgetKey(room), Data: data}}); err != nil {
		return fmt.Errorf("write budget of room %s: %w", room, err)
	}
	return nil
}

// Budget reads a room's budget; the zero one when none was set.
func (l *Ledger) Budget(ctx context.Context, room string) (Budget, error) {
	var b Budget
	item, err := l.st.Get(ctx, budgetKey(room), false)
	if errors.Is(err, store.ErrNotFound) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("read budget of room %s: %w", room, err)
	}
	if err := json.Unmarshal(item.Data, &b); err != nil {
		return b, fmt.Errorf("decode budget of room %s: %w", room, err)
	}
	return b, nil
}

// Spending is what a room has cost this month, beside its budget.
type Spending struct {
	Budget
	Month time.Time
	Cost  float64
}

// Warned reports whether the warning is due.
func (s Spending) Warned() bool { return s.Warn > 0 && s.Cost >= s.Warn }

// Stopped reports whether the budget is used up.
func (s Spending) Stopped() bool { return s.Stop > 0 && s.Cost >= s.Stop }

// guardAge is how old what a guard knows may be. A room can exceed its budget by
// what it costs in that time.
const guardAge = time.Minute

// Guard refuses what a room's budget does not allow any more. It asks the ledger
// once a minute and room, so that a request pays nothing for it.
type Guard struct {
	ledger *Ledger
	prices *Prices

	mu      sync.Mutex
	model   string
	known   map[string]known
	forgets int // how often Forget was called: what was asked for before is not kept
}

type known struct {
	Spending
	at     time.Time
	asking bool // somebody asks the ledger anew; the others go by what was known
}

// NewGuard returns a guard that counts money by a price list and the tokens of a model.
func NewGuard(l *Ledger, p *Prices, model string) *Guard {
	return &Guard{ledger: l, prices: p, model: model, known: map[string]known{}}
}

// Price makes the guard count the tokens of a model.
func (g *Guard) Price(model string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.model = model
}

// Spending is what a room has cost this month, about a minute old. When the
// ledger cannot be read, what was known of the month still holds.
func (g *Guard) Spending(ctx context.Context, room string) (Spending, error) {
	now := g.ledger.now().UTC()
	month := monthOf(now)
	g.mu.Lock()
	k, ok := g.known[room]
	forgets := g.forgets
	ok = ok && k.Month.Equal(month)
	if ok && (k.asking || now.Sub(k.at) < guardAge) {
		g.mu.Unlock()
		return k.Spending, nil
	}
	if ok {
		k.asking = true
		g.known[room] = k
	}
	g.mu.Unlock()
	s, err := g.read(ctx, room, now)
	if err != nil && ok {
		s, err = k.Spending, nil
		now = now.Add(retryAge - guardAge)
	}
	if err != nil {
		return s, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if forgets != g.forgets {
		return s, nil
	}
	if len(g.known) > maxKnown {
		clear(g.known)
	}
	g.known[room] = known{Spending: s, at: now}
	return s, nil
}

// retryAge is after what time the ledger is asked again that could not be read.
const retryAge = 5 * time.Second

func monthOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// maxKnown bounds the memory of a guard.
const maxKnown = 10_000

func (g *Guard) read(ctx context.Context, room string, now time.Time) (Spending, error) {
	s := Spending{Month: monthOf(now)}
	var err error
	if s.Budget, err = g.ledger.Budget(ctx, room); err != nil || s.Budget == (Budget{}) {
		return s, err
	}
	s.Cost, err = g.Cost(ctx, room)
	return s, err
}

// Cost is what a room has cost this month, also without a budget. It reads the
// ledger.
func (g *Guard) Cost(ctx context.Context, room string) (float64, error) {
	now := g.ledger.now().UTC()
	g.mu.Lock()
	model := g.model
	g.mu.Unlock()
	rep, err := g.ledger.Report(ctx, room, Range{From: monthOf(now), To: now.Truncate(time.Hour).Add(time.Hour), By: ByDay})
	return g.prices.Cost(rep.Totals, model).Total(), err
}

// Forget makes the next question read anew, as after a change of the budget.
func (g *Guard) Forget(room string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.known, room)
	g.forgets++
}

// AllowAI refuses embedding in a room whose budget is used up.
func (g *Guard) AllowAI(ctx context.Context, room string) error {
	s, err := g.Spending(ctx, room)
	if err != nil || !s.Stopped() {
		return err
	}
	return fault.New(fault.Forbidden, "The room has used up its budget of %.2f USD for %s, so nothing is embedded until an owner raises it or the month ends. Keyword search goes on.",
		s.Stop, s.Month.Format("January 2006"))
}

// AllowWrite refuses writes in a room whose budget is used up and stops them.
func (g *Guard) AllowWrite(ctx context.Context, room string) error {
	s, err := g.Spending(ctx, room)
	if err != nil || !s.StopWrites || !s.Stopped() {
		return err
	}
	return fault.New(fault.Forbidden, "The room has used up its budget of %.2f USD for %s, and its owners chose to stop writes then.",
		s.Stop, s.Month.Format("January 2006"))
}
