package relay

import (
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// Tend goes through all rooms: it relays those that the feed forgot, and
// sweeps what replaced checkpoints left behind. The schedule calls it. It
// returns how many rooms it found behind; the errors of single rooms are
// joined and hold up no other.
func (h *Handler) Tend(ctx context.Context) (behind int, err error) {
	for shard := range room.Shards {
		q := store.Query{PK: room.ShardPartition(shard), Strong: true}
		for {
			page, queryErr := h.Store.Query(ctx, q)
			if queryErr != nil {
				return behind, errors.Join(err, fmt.Errorf("list rooms of shard %d: %w", shard, queryErr))
			}
			for _, item := range page.Items {
				late, roomErr := h.tend(ctx, item.SK)
				if late {
					behind++
				}
				err = errors.Join(err, roomErr)
			}
			if ctx.Err() != nil {
				return behind, errors.Join(err, ctx.Err())
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
	}
	return behind, err
}

func (h *Handler) tend(ctx context.Context, ulid string) (late bool, err error) {
	mark, err := h.watermark(ctx, ulid)
	if err != nil {
		return false, fmt.Errorf("tend room %s: %w", ulid, err)
	}
	head, err := commitlog.Head(ctx, h.Store, ulid)
	if err != nil {
		return false, fmt.Errorf("tend room %s: %w", ulid, err)
	}
	if late = mark.Relayed < head; late {
		if err := h.relay(ctx, commitlog.Partition(ulid)); err != nil {
			return late, err
		}
	}
	if err := h.Replicas.Sweep(ctx, ulid); err != nil {
		return late, fmt.Errorf("sweep room %s: %w", ulid, err)
	}
	return late, nil
}

// Relayed is the seq up to which a room's log is worked off.
func (h *Handler) Relayed(ctx context.Context, ulid string) (int64, error) {
	mark, err := h.watermark(ctx, ulid)
	if err != nil {
		return 0, fmt.Errorf("room %s: %w", ulid, err)
	}
	return mark.Relayed, nil
}
