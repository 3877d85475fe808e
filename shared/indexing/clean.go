package indexing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

// clean removes failures of texts that have a vector or no row, vectors that
// no row has had for long, and from the index those that no row has.
func (x *Indexer) clean(ctx context.Context, room string) error {
	return errors.Join(
		x.clearUnused(ctx, room),
		x.removeUnneeded(ctx, room, failPrefix, nil, x.failureNeeded),
		x.removeUnneeded(ctx, room, "VEC#", x.unusedForLong, x.vectorNeeded))
}

// cleanAtOnce is how many items are looked at in one view, which others wait
// behind.
const cleanAtOnce = 200

// removeUnneeded removes items of a room's index that are candidates (nil: all)
// and not needed by what the room is now.
func (x *Indexer) removeUnneeded(ctx context.Context, room, prefix string, candidate func(store.Item) bool,
	needed func(context.Context, *replica.View, store.Item) (bool, error),
) error {
	var batch []store.Item
	flush := func() error {
		doomed, err := x.unneeded(ctx, room, batch, needed)
		for _, item := range doomed {
			err = errors.Join(err, x.removeUnchanged(ctx, item))
		}
		batch = batch[:0]
		return err
	}
	err := x.each(ctx, room, prefix, func(item store.Item) error {
		if candidate == nil || candidate(item) {
			batch = append(batch, item)
		}
		if len(batch) < cleanAtOnce {
			return nil
		}
		return flush()
	})
	if err != nil || len(batch) == 0 {
		return err
	}
	return flush()
}

func (x *Indexer) unneeded(ctx context.Context, room string, items []store.Item, needed func(context.Context, *replica.View, store.Item) (bool, error)) (doomed []store.Item, err error) {
	err = x.view(ctx, room, 0, func(_ *replica.Replica, v *replica.View) error {
		for _, item := range items {
			switch is, err := needed(ctx, v, item); {
			case err != nil:
				return err
			case !is && !v.State().Closed:
				doomed = append(doomed, item)
			}
		}
		return nil
	})
	return doomed, err
}

// failureNeeded tells whether a row still has the text of a failure, without a
// vector.
func (x *Indexer) failureNeeded(ctx context.Context, v *replica.View, item store.Item) (bool, error) {
	f, err := decodeFailure(item.Data)
	if err != nil {
		return false, err
	}
	_, hash, _, ok, err := v.RowText(ctx, f.Table, f.Row)
	if fault.Is(err, fault.NotFound) || err == nil && (!ok || hash != f.Hash) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, has, err := v.Vector(ctx, f.Hash)
	return !has, err
}

func (x *Indexer) unusedForLong(item store.Item) bool {
	var stored vectorItem
	err := json.Unmarshal(item.Data, &stored)
	return err != nil || x.Now().Sub(time.UnixMilli(int64(stored.Used))) >= keepUnused
}

// vectorNeeded tells whether a row has the text of a vector of the model.
func (x *Indexer) vectorNeeded(ctx context.Context, v *replica.View, item store.Item) (bool, error) {
	hash, model, ok := parseVectorKey(item.SK)
	if !ok || model != x.model() {
		return false, nil
	}
	rows, err := v.RowsOf(ctx, hash)
	return len(rows) > 0, err
}

func parseVectorKey(sk string) (hash indexlog.Hash, model string, ok bool) {
	rest, ok := strings.CutPrefix(sk, "VEC#")
	if !ok {
		return hash, "", false
	}
	cut := strings.LastIndexByte(rest, '#')
	if cut < 0 {
		return hash, "", false
	}
	hash, ok = parseHash(rest[cut+1:])
	return hash, rest[:cut], ok
}

// removeUnchanged removes an item on the condition that nobody has renewed or
// changed it since it was read.
func (x *Indexer) removeUnchanged(ctx context.Context, item store.Item) error {
	err := x.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: item.Key}, If: store.Unchanged, Previous: item.Data})
	var changed *store.ConditionError
	if errors.As(err, &changed) {
		return nil
	}
	return err
}

// each calls fn for the items of a room's index whose sort keys begin so.
func (x *Indexer) each(ctx context.Context, room, prefix string, fn func(store.Item) error) error {
	q := store.Query{PK: indexlog.Partition(room), From: prefix, To: prefix + "~", Strong: true}
	for {
		page, err := x.Store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read the index of room %s: %w", room, err)
		}
		for _, item := range page.Items {
			if err := fn(item); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// unusedAtOnce is how many texts that no row has are cleared at once. Fewer
// are left: they take little place, and texts come back by an undo.
const unusedAtOnce = 500

// clearUnused takes texts that no row has out of the index of a room, which
// would else grow with each text that there ever was. Their vectors are kept
// beside it for longer, see keepUnused.
func (x *Indexer) clearUnused(ctx context.Context, room string) error {
	if x.Embedder == nil {
		return nil
	}
	for {
		var unused []indexlog.Hash
		var st *replica.State
		err := x.view(ctx, room, 0, func(_ *replica.Replica, v *replica.View) (err error) {
			if st = v.State(); !st.Closed && st.Model == x.model() {
				unused, err = v.Unused(ctx, nil, unusedAtOnce)
			}
			return err
		})
		if err != nil || len(unused) < unusedAtOnce {
			return err
		}
		if won, err := x.clearTexts(ctx, room, st, unused); !won || err != nil {
			return err
		}
	}
}

// clearTexts says that texts which no row has at a state are pending, should
// one have them again, unless the index has moved on since. A row that got one
// meanwhile and whose job did not wait for this is found by a sweep.
func (x *Indexer) clearTexts(ctx context.Context, room string, st *replica.State, texts []indexlog.Hash) (won bool, err error) {
	e := &indexlog.Entry{At: x.millis(), Model: st.Model, Dim: st.Dim}
	for _, h := range texts {
		e.Texts = append(e.Texts, indexlog.Text{Hash: h, Cleared: true})
	}
	if won, err = indexlog.AppendAt(ctx, x.Store, room, e, st.Index+1); !won || err != nil {
		return false, err
	}
	r, release, err := x.Replicas.Acquire(ctx, room)
	if err != nil {
		return true, err
	}
	defer release()
	err = errors.Join(r.CatchUp(ctx), r.CatchUpIndexTo(ctx, e.N))
	if err != nil {
		return true, err
	}
	x.Tell(ctx, Indexed{Room: room, N: e.N, State: r.State()})
	back := false
	err = r.View(ctx, func(v *replica.View) error {
		for _, h := range texts {
			rows, err := v.RowsOf(ctx, h)
			if back = back || len(rows) > 0; back || err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && back {
		err = x.Send(ctx, Job{Room: room, Sweep: &Sweep{}})
	}
	return true, err
}
