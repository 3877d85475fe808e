package storetest

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// Disorder is a feed that tells the changes of another out of order, twice and
// late, as a stream may. For tests of consumers. It never tells a change less
// than once, and acknowledges one only after all before it were.
type Disorder struct {
	inner  store.Feed
	random *rand.Rand
	batch  int
	round  int
	rounds []round        // to be told
	told   []store.Change // some of those told long ago
}

// round is one answer of Next. Its end acknowledges inner, when that is set.
type round struct {
	changes []store.Change
	inner   string
}

// NewDisorder makes the disorder of a seed, which a failing test prints.
func NewDisorder(inner store.Feed, seed uint64) *Disorder {
	return &Disorder{inner: inner, random: rand.New(rand.NewPCG(seed, seed))}
}

// Next implements store.Feed.
func (d *Disorder) Next(ctx context.Context, limit int) ([]store.Change, string, error) {
	if limit < 1 {
		return nil, "", fault.New(fault.Invalid, "the feed tells at least one change at a time, not %d", limit)
	}
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if len(d.rounds) == 0 {
		changes, token, err := d.inner.Next(ctx, 4*limit)
		if err != nil {
			return nil, "", err
		}
		d.plan(changes, token, limit)
	}
	next := d.rounds[0]
	d.rounds = d.rounds[1:]
	d.remember(next.changes)
	return next.changes, strconv.Itoa(d.batch) + "/" + strconv.Itoa(d.round-len(d.rounds)) + "/" + next.inner, nil
}

// plan shuffles a batch with some changes twice and some old ones, and cuts it
// into rounds.
func (d *Disorder) plan(changes []store.Change, token string, limit int) {
	all := append([]store.Change(nil), changes...)
	for _, change := range changes {
		if d.random.IntN(4) == 0 {
			all = append(all, change)
		}
	}
	for _, change := range d.told {
		if d.random.IntN(8) == 0 {
			all = append(all, change)
		}
	}
	d.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	d.batch++
	for len(all) > 0 {
		n := 1 + d.random.IntN(min(limit, len(all)))
		d.rounds = append(d.rounds, round{changes: all[:n:n]})
		all = all[n:]
	}
	d.round = len(d.rounds)
	d.rounds[len(d.rounds)-1].inner = token
}

const remembered = 16

func (d *Disorder) remember(changes []store.Change) {
	d.told = append(d.told, changes...)
	if extra := len(d.told) - remembered; extra > 0 {
		d.told = d.told[extra:]
	}
}

// Ack implements store.Feed. The inner feed hears of it at the end of a batch.
func (d *Disorder) Ack(ctx context.Context, token string) error {
	parts := strings.SplitN(token, "/", 3)
	if len(parts) != 3 {
		return fault.New(fault.Invalid, "the token %q is not the feed's", token)
	}
	if parts[2] == "" {
		return ctx.Err()
	}
	return d.inner.Ack(ctx, parts[2])
}
