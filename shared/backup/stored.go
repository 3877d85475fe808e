package backup

import (
	"context"
	"fmt"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/store"
)

// Stored measures how many bytes a room has in the table and in the bucket. It
// reads all of the room's items, so it is for once a day.
func (k *Keeper) Stored(ctx context.Context, ulid string) (table, blobs int64, err error) {
	for _, pk := range append([]string{commitlog.Partition(ulid)}, partitionsOf(ulid)...) {
		size, err := k.partitionBytes(ctx, pk)
		if err != nil {
			return 0, 0, fmt.Errorf("measure room %s: %w", ulid, err)
		}
		table += size
	}
	for _, prefix := range []string{BlobPrefix(ulid), "checkpoints/" + ulid + "/"} {
		for after := ""; ; {
			infos, next, err := k.Blobs.List(ctx, prefix, after, 0)
			if err != nil {
				return 0, 0, fmt.Errorf("measure room %s: %w", ulid, err)
			}
			for _, info := range infos {
				blobs += info.Size
			}
			if after = next; after == "" {
				break
			}
		}
	}
	return table, blobs, nil
}

func partitionsOf(ulid string) []string {
	all := make([]string, len(partitions))
	for i, prefix := range partitions {
		all[i] = prefix + ulid
	}
	return all
}

func (k *Keeper) partitionBytes(ctx context.Context, pk string) (size int64, err error) {
	q := store.Query{PK: pk}
	for {
		page, err := k.Store.Query(ctx, q)
		if err != nil {
			return 0, err
		}
		for i := range page.Items {
			size += int64(page.Items[i].Size())
		}
		if q.After = page.Next; q.After == "" {
			return size, nil
		}
	}
}
