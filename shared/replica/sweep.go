package replica

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/store"
)

// Sweep removes the parts of checkpoints of a room that were replaced, or
// never finished, at least 24 hours ago.
func (c *Cache) Sweep(ctx context.Context, room string) error {
	p, _, err := c.readPointer(ctx, room)
	if err != nil {
		return fmt.Errorf("sweep checkpoints of room %s: %w", room, err)
	}
	keep := c.kept(p)
	if err := errors.Join(c.sweepParts(ctx, room, keep), c.sweepBlobs(ctx, room, keep)); err != nil {
		return fmt.Errorf("sweep checkpoints of room %s: %w", room, err)
	}
	return nil
}

// kept tells the checkpoints whose parts stay: the newest, those replaced
// less than a day ago, and the young ones, which may still be under way or
// were replaced too soon to be listed.
func (c *Cache) kept(p *pointer) func(checkpoint string) bool {
	now := c.o.Now()
	named := map[string]bool{}
	if p != nil {
		named[p.ID] = true
		for _, old := range p.Old {
			named[old.ID] = now.Sub(old.Since) <= partsKept
		}
	}
	return func(checkpoint string) bool {
		made, ok := id.Time(checkpoint)
		return named[checkpoint] || !ok || now.Sub(made) <= partsKept+shortLived
	}
}

func (c *Cache) sweepParts(ctx context.Context, room string, keep func(string) bool) error {
	q := store.Query{PK: commitlog.Partition(room), From: partPrefix, To: partPrefix + "~", Strong: true}
	for {
		page, err := c.o.Store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("list parts: %w", err)
		}
		for i := range page.Items {
			checkpoint, _, _ := strings.Cut(strings.TrimPrefix(page.Items[i].SK, partPrefix), "#")
			if keep(checkpoint) {
				continue
			}
			if err := c.o.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: page.Items[i].Key}}); err != nil {
				return fmt.Errorf("remove part: %w", err)
			}
			faultpoint.Reach(PointBetweenRemovals)
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func (c *Cache) sweepBlobs(ctx context.Context, room string, keep func(string) bool) error {
	prefix := blobPrefix + room + "/"
	for after := ""; ; {
		infos, next, err := c.o.Blobs.List(ctx, prefix, after, 0)
		if err != nil {
			return fmt.Errorf("list images: %w", err)
		}
		for _, info := range infos {
			if keep(strings.TrimPrefix(info.Key, prefix)) {
				continue
			}
			if err := c.o.Blobs.Delete(ctx, info.Key); err != nil {
				return fmt.Errorf("remove image: %w", err)
			}
			faultpoint.Reach(PointBetweenRemovals)
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// Covered tells up to which entry of the log, and of the index log, a room's
// newest checkpoint reaches: what is older is not needed to load the room.
// Without a checkpoint both are 0.
func (c *Cache) Covered(ctx context.Context, room string) (seq, index int64, err error) {
	p, _, err := c.readPointer(ctx, room)
	if p == nil || err != nil {
		return 0, 0, err
	}
	return p.Seq, p.Index, nil
}
