package indexing

import (
	"context"
	"fmt"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/usage"
	"nanotypedb/shared/vector"
)

// wanted is a text that this call embeds.
type wanted struct {
	key    textKey
	text   string
	by     string // whose row it is in
	claim  *claim
	result embedder.Result
	vector vector.Int8
	kept   bool // its vector was kept already
	alone  bool // it failed before, and is asked for alone: it would fail its neighbours too
}

// embed gives vectors to the works that have none: those that were kept
// before, those that another call is embedding, and the rest from the model.
func (x *Indexer) embed(ctx context.Context, works []*work) {
	mine, theirs := x.claim(works)
	defer func() { // also when something panics, so that nobody waits for ever
		for _, w := range mine {
			x.claims.finish(w.key, w.claim, vector.Int8{}, embedder.Stopped(ctx))
		}
	}()
	x.find(ctx, mine)
	x.afford(ctx, mine)
	x.ask(ctx, mine)
	x.keep(ctx, mine)
	found := map[textKey]*wanted{}
	for _, w := range mine {
		found[w.key] = w
	}
	for _, w := range works {
		if of := found[w.key()]; w.open() && of != nil {
			w.vector, w.err = of.vector, of.result.Err
		}
	}
	// Those of others are waited for behind: two calls that wait for each
	// other have both told what they have. The claims are finished first.
	for _, w := range mine {
		x.claims.finish(w.key, w.claim, w.vector, w.result.Err)
	}
	mine = nil
	for _, w := range works {
		if of := theirs[w.key()]; w.open() && of != nil {
			w.vector, w.err = of.await(ctx)
		}
	}
}

// claim divides the texts that have no vector into those of this call and
// those that another is embedding.
func (x *Indexer) claim(works []*work) (mine []*wanted, theirs map[textKey]*claim) {
	theirs = map[textKey]*claim{}
	seen := map[textKey]bool{}
	for _, w := range works {
		key := w.key()
		if !w.open() || seen[key] {
			continue
		}
		seen[key] = true
		if c, own := x.claims.take(key); own {
			mine = append(mine, &wanted{key: key, text: w.text, by: w.row.CreatedBy, claim: c, alone: w.Receives > 1})
		} else {
			theirs[key] = c
		}
	}
	return mine, theirs
}

// await waits for what another call makes of a text.
func (c *claim) await(ctx context.Context) (vector.Int8, error) {
	select {
	case <-c.done:
	case <-ctx.Done():
		return vector.Int8{}, embedder.Stopped(ctx)
	}
	return c.vector, c.err
}

// find finds the vectors that were kept before.
func (x *Indexer) find(ctx context.Context, mine []*wanted) {
	atOnce(len(mine), 32, func(i int) {
		w := mine[i]
		v, ok, err := x.kept(ctx, w.key.room, w.key.hash)
		switch {
		case err != nil:
			w.result.Err = err
		case ok:
			w.vector, w.kept = v, true
		}
	})
}

// ClassBudget is the class of jobs of rooms that have used their budget up.
const ClassBudget = "budget"

// overBudget is why a text is not asked for.
type overBudget struct{ error }

// Unwrap gives the guard's sentence.
func (e overBudget) Unwrap() error { return e.error }

// afford leaves out the texts of rooms that may not have more embedded.
func (x *Indexer) afford(ctx context.Context, mine []*wanted) {
	if x.Budget == nil {
		return
	}
	for _, w := range mine {
		if w.kept || w.result.Err != nil {
			continue
		}
		if err := x.Budget.AllowAI(ctx, w.key.room); err != nil {
			w.result.Err = overBudget{err}
		}
	}
}

// ask asks the model for the texts that have no vector, each once. What it is
// too busy for is asked for again when it wants, as long as that is soon: so a
// busy model costs a job no receive.
func (x *Indexer) ask(ctx context.Context, mine []*wanted) {
	patience := x.Now().Add(patienceBases * x.Base)
	for {
		open := unanswered(mine)
		if len(open) == 0 {
			return
		}
		if rest := x.Pace.rest(); rest.After(patience) || pastDeadline(ctx, rest.Sub(x.Now())) {
			giveUp(open, rest.Sub(x.Now()))
			return
		}
		if err := x.Pace.Ready(ctx); err != nil {
			return
		}
		busy := x.askOnce(ctx, open)
		if busy == nil {
			return
		}
		x.Pace.throttled(max(retryAfter(busy), x.Base/2))
	}
}

// giveUp leaves texts to a later receive, as the model wants to be left alone
// for longer.
func giveUp(open []*wanted, rest time.Duration) {
	for _, w := range open {
		if w.result.Err == nil {
			w.result.Err = embedder.Throttle(rest)
		}
	}
}

// patienceBases is how many times Base a call waits for a busy model.
const patienceBases = 4

// deadlineMargin is what a call needs to keep and tell what it has.
const deadlineMargin = 5 * time.Second

func pastDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && wait > 0 && time.Until(deadline) < wait+deadlineMargin
}

// unanswered are the texts to ask for, also those that the model was too busy
// for.
func unanswered(mine []*wanted) (open []*wanted) {
	for _, w := range mine {
		if !w.kept && len(w.result.Vector) == 0 && (w.result.Err == nil || embedder.ClassOf(w.result.Err) == embedder.Throttled) {
			open = append(open, w)
		}
	}
	return open
}

// askOnce asks for each text once, equal ones of several rooms together. It
// returns the error of one that the model was too busy for.
func (x *Indexer) askOnce(ctx context.Context, open []*wanted) (busy error) {
	groups := x.groups(open)
	atOnce(len(groups), alonesAtOnce, func(i int) { x.askFor(ctx, groups[i]) })
	for _, w := range open {
		if embedder.ClassOf(w.result.Err) == embedder.Throttled {
			busy = w.result.Err
		}
	}
	if busy == nil {
		x.Pace.worked()
	}
	return busy
}

// alonesAtOnce is how many calls of the model one batch makes at once.
const alonesAtOnce = 4

// groups are the texts to ask for in one call each: by hash, those with one
// hash being equal.
func (x *Indexer) groups(open []*wanted) (groups []map[indexlog.Hash][]*wanted) {
	most := x.Embedder.Limits().Texts
	group := map[indexlog.Hash][]*wanted{}
	for _, w := range open {
		if w.alone {
			groups = append(groups, map[indexlog.Hash][]*wanted{w.key.hash: {w}})
			continue
		}
		if len(group[w.key.hash]) == 0 && len(group) == most {
			groups = append(groups, group)
			group = map[indexlog.Hash][]*wanted{}
		}
		group[w.key.hash] = append(group[w.key.hash], w)
	}
	if len(group) > 0 {
		groups = append(groups, group)
	}
	return groups
}

// askFor makes one call of the model.
func (x *Indexer) askFor(ctx context.Context, group map[indexlog.Hash][]*wanted) {
	var texts []string
	var of [][]*wanted
	for _, equal := range group {
		texts, of = append(texts, equal[0].text), append(of, equal)
	}
	for i, result := range x.Embedder.Embed(ctx, texts, embedder.Document) {
		if first := of[i][0]; result.Err == nil {
			x.Usage.Count(first.key.room, first.by, usage.Embedded(first.text))
			usage.From(ctx).Add(usage.AI, 1)
		}
		for _, w := range of[i] {
			w.result = result
		}
	}
}

// keep stores new vectors, so that no text is embedded twice.
func (x *Indexer) keep(ctx context.Context, mine []*wanted) {
	if len(mine) > 0 {
		faultpoint.Reach(PointEmbedded)
	}
	atOnce(len(mine), 32, func(i int) {
		w := mine[i]
		if w.kept || w.result.Err != nil {
			return
		}
		var err error
		if len(w.result.Vector) == 0 { // never asked for: the call was stopped
			err = embedder.Stopped(ctx)
		} else if w.vector, err = vector.Quantize(w.result.Vector); err != nil {
			err = embedder.Wrong("the model answered with a vector that cannot be kept").Because(err)
		} else if err = x.store(ctx, w.key.room, w.key.hash, w.vector); err != nil {
			err = fmt.Errorf("keep a vector: %w", err)
		}
		if err != nil {
			w.result = embedder.Result{Err: err}
			w.vector = vector.Int8{}
		}
	})
	if len(mine) > 0 {
		faultpoint.Reach(PointStored)
	}
}
