package local

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/analytics"
	"nanotypedb/shared/config"
	"nanotypedb/shared/room"
)

// openAnalytics opens what tells usage, cost and health of rooms.
func (p *parts) openAnalytics(_ context.Context, c config.Config, log *slog.Logger) error {
	p.insight = analytics.New(analytics.Options{
		Rooms: p.rooms, Ledger: p.meters.ledger, Recorder: p.meters.recorder, Prices: p.meters.prices, Model: p.embedder.Model(),
		Guard: p.meters.guard, MaxRoomBytes: c.MaxRoomBytes(), Log: log,
		Probes: analytics.Probes{
			Queue: p.queues.embeddings.Counts, Dead: p.countDead, Connections: p.audience.Listeners, Relayed: p.relay.Relayed,
			LastSnapshot: p.lastSnapshot, Index: coverage,
		},
	})
	return nil
}

// countedDead is up to how many dead letters are counted.
const countedDead = 1000

func (p *parts) countDead(ctx context.Context, ulid string) (dead int64, err error) {
	for cursor := ""; dead < countedDead; {
		failures, next, err := p.indexer.Failures(ctx, ulid, cursor, 100)
		if err != nil {
			return 0, fmt.Errorf("count dead letters of room %s: %w", ulid, err)
		}
		for _, f := range failures {
			if f.Dead {
				dead++
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return dead, nil
}

func (p *parts) lastSnapshot(ctx context.Context, who access.Principal, ref room.Ref) (time.Time, error) {
	newest, _, err := p.keeper.List(ctx, who, ref, "", 1)
	if err != nil || len(newest) == 0 {
		return time.Time{}, err
	}
	return newest[0].At.Time(), nil
}

func coverage(ctx context.Context, v *room.View) (analytics.IndexHealth, error) {
	c, err := v.Coverage(ctx)
	return analytics.IndexHealth{Rows: c.Rows, Indexed: c.Indexed, Pending: c.Pending, Failed: c.Failed}, err
}
