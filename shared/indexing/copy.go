package indexing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/store"
)

// CopyVectors gives a room the vectors that another has of the present model,
// of the texts for which needed is true: rows that get such a text then find
// it, and nothing is embedded again. It may be repeated. Without an embedder it
// does nothing.
func (x *Indexer) CopyVectors(ctx context.Context, from, to string, needed func(indexlog.Hash) (bool, error)) error {
	if x.Embedder == nil {
		return nil
	}
	prefix := "VEC#" + x.model() + "#"
	q := store.Query{PK: indexlog.Partition(from), From: prefix, To: prefix + "~"}
	for {
		page, err := x.Store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read vectors of room %s: %w", from, err)
		}
		errs := make([]error, len(page.Items))
		var chosen []store.Item
		for _, item := range page.Items {
			hash, model, ok := parseVectorKey(item.SK)
			if !ok || model != x.model() {
				continue
			}
			is, err := needed(hash)
			if err != nil {
				return err
			}
			if is {
				chosen = append(chosen, item)
			}
		}
		atOnce(len(chosen), 16, func(i int) { errs[i] = x.copyVector(ctx, to, chosen[i]) })
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("copy vectors to room %s: %w", to, err)
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

func (x *Indexer) copyVector(ctx context.Context, to string, item store.Item) error {
	var stored vectorItem
	if err := json.Unmarshal(item.Data, &stored); err != nil {
		return nil //nolint:nilerr // it is damaged, and made anew
	}
	stored.Used = x.millis()
	data, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	return x.Store.Write(ctx, store.Write{Item: store.Item{Key: store.Key{PK: indexlog.Partition(to), SK: item.SK}, Data: data}})
}
