package embed

import (
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// Tend goes through all rooms and sweeps those that may have rows without
// vector and job, or what nobody needs any more. The schedule calls it. The
// errors of single rooms are joined and hold up no other.
func (h *Handler) Tend(ctx context.Context) (err error) {
	for shard := range room.Shards {
		q := store.Query{PK: room.ShardPartition(shard)}
		for {
			page, queryErr := h.Indexer.Store.Query(ctx, q)
			if queryErr != nil {
				return errors.Join(err, fmt.Errorf("list rooms of shard %d: %w", shard, queryErr))
			}
			for _, item := range page.Items {
				if ctx.Err() != nil {
					return errors.Join(err, ctx.Err())
				}
				if roomErr := h.tend(ctx, item.SK); roomErr != nil {
					err = errors.Join(err, fmt.Errorf("reconcile room %s: %w", item.SK, roomErr))
				}
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	return err
}

func (h *Handler) tend(ctx context.Context, ulid string) error {
	head, err := commitlog.Head(ctx, h.Indexer.Store, ulid)
	if err != nil {
		return err
	}
	complete, err := h.Indexer.Complete(ctx, ulid, head)
	if complete || err != nil {
		return err
	}
	return h.Indexer.Reconcile(ctx, ulid, h.check)
}
