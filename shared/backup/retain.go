package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/store"
)

// The steps between two effects of the upkeep.
const (
	PointRecordRemoved faultpoint.Name = "backup.retain.record" // a record is gone, the next is not
	PointBlobSwept     faultpoint.Name = "backup.sweep.blob"    // a blob is gone, the next is not
	PointPurged        faultpoint.Name = "backup.purge.item"    // a part of a deleted room is gone
)

// Hourly snapshots are kept for two days, then one a day for two weeks, then one a
// week.
const (
	keepHourly = 48 * time.Hour
	keepDaily  = 14 * 24 * time.Hour
)

// expired picks from a room's snapshots, the oldest first, those that nothing
// needs any more. What stays: the newest snapshot at or before the beginning
// of the retention, from which the oldest seq is rebuilt; the newest of all;
// manual ones until somebody deletes them; of the hourly ones all, the last of
// each day or the last of each week, by age; the others through the retention.
func expired(all []Snapshot, now time.Time, retention time.Duration) (gone []Snapshot) {
	base := baseOf(all, now, retention)
	kept := map[string]bool{} // days and weeks that have their snapshot
	for i := len(all) - 1; i >= 0; i-- {
		s := &all[i]
		at := s.time()
		switch age := now.Sub(at); {
		case i == base, i == len(all)-1 && !s.Unlisted, s.Kind == Manual && !s.Unlisted:
			continue
		case s.Unlisted, age > retention:
		case s.Kind != Hourly, age <= keepHourly:
			continue
		default:
			span := "day " + at.UTC().Format(time.DateOnly)
			if age > keepDaily {
				year, week := at.UTC().ISOWeek()
				span = fmt.Sprint("week ", year, " ", week)
			}
			if !kept[span] {
				kept[span] = true
				continue
			}
		}
		gone = append(gone, *s)
	}
	return gone
}

// baseOf is the place of the newest snapshot that was taken when the retention
// began, or before; -1 when there is none.
func baseOf(all []Snapshot, now time.Time, retention time.Duration) int {
	base := -1
	for i := range all {
		if now.Sub(all[i].time()) >= retention {
			base = i
		}
	}
	return base
}

func (s *Snapshot) time() time.Time { return time.UnixMilli(int64(s.At)) }

// Retain removes the records of snapshots and segments that nothing needs any
// more. Their blobs, named by nothing then, go with the next sweep.
func (k *Keeper) Retain(ctx context.Context, ulid string) error {
	all, err := k.Catalog.all(ctx, ulid)
	if err != nil {
		return err
	}
	now := k.Now()
	for _, s := range expired(all, now, k.Retention) {
		if err := k.remove(ctx, snapKey(ulid, s.ID)); err != nil {
			return err
		}
	}
	base := baseOf(all, now, k.Retention)
	if base < 0 {
		return nil
	}
	segments, err := k.Catalog.segments(ctx, ulid)
	if err != nil {
		return err
	}
	for i, s := range segments {
		// The last one stays, by which archiving knows where to go on.
		if s.To > all[base].Seq || i == len(segments)-1 {
			break
		}
		if err := k.remove(ctx, segmentKey(ulid, s.From)); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) remove(ctx context.Context, key store.Key) error {
	if err := k.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: key}}); err != nil {
		return fmt.Errorf("remove %s: %w", key.SK, err)
	}
	faultpoint.Reach(PointRecordRemoved)
	return nil
}

// sweepAge is how long a blob stays that nothing names: it may be about to be
// named, or be read.
const sweepAge = 7 * 24 * time.Hour

// Sweep deletes the blobs of a room that are 7 days old and named by no
// snapshot, no segment and no entry that is kept.
func (k *Keeper) Sweep(ctx context.Context, ulid string) error {
	// Listed first: what is named later is younger than what is deleted.
	var old []string
	err := k.eachBlob(ctx, BlobPrefix(ulid), func(key string, modified time.Time) error {
		if k.Now().Sub(modified) >= sweepAge {
			old = append(old, key)
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	named, err := k.named(ctx, ulid)
	if err != nil {
		return err
	}
	for _, key := range old {
		if named[key] {
			continue
		}
		if err := k.Blobs.Delete(ctx, key); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		faultpoint.Reach(PointBlobSwept)
	}
	return nil
}

func (k *Keeper) eachBlob(ctx context.Context, prefix string, fn func(key string, modified time.Time) error) error {
	for after := ""; ; {
		infos, next, err := k.Blobs.List(ctx, prefix, after, 0)
		if err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
		for _, info := range infos {
			if err := fn(info.Key, info.Modified); err != nil {
				return err
			}
		}
		if after = next; after == "" {
			return nil
		}
	}
}

// named are the blobs that something of a room still names.
func (k *Keeper) named(ctx context.Context, ulid string) (map[string]bool, error) {
	named := map[string]bool{}
	snapshots, err := k.Catalog.all(ctx, ulid)
	if err != nil {
		return nil, err
	}
	for _, s := range snapshots {
		named[s.Blob] = true
	}
	segments, err := k.Catalog.segments(ctx, ulid)
	if err != nil {
		return nil, err
	}
	after := int64(0)
	for _, s := range segments {
		named[s.Blob] = true
		for _, load := range s.Loads {
			named[load] = true
		}
		if err := k.namedBetween(ctx, ulid, after, s.From, named); err != nil {
			return nil, err
		}
		after = s.To
	}
	if err := k.namedBetween(ctx, ulid, after, maxSeq, named); err != nil {
		return nil, err
	}
	// Entries may have gone from the log into a segment since those were listed.
	later, err := k.Catalog.segments(ctx, ulid)
	for _, s := range later {
		named[s.Blob] = true
		for _, load := range s.Loads {
			named[load] = true
		}
	}
	return named, err
}

// namedBetween adds what the entries of the log after one seq and before
// another name. Those of a segment are known from its record.
func (k *Keeper) namedBetween(ctx context.Context, ulid string, after, before int64, named map[string]bool) error {
	if after+1 >= before {
		return nil
	}
	q := store.Query{PK: commitlog.Partition(ulid), From: commitlog.Key(ulid, after+1).SK, To: commitlog.Key(ulid, before-1).SK,
		Limit: logPage, Strong: true}
	for {
		page, err := k.Store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read log of room %s: %w", ulid, err)
		}
		for _, item := range page.Items {
			e, err := commitlog.DecodeEntry(item.Data)
			if err != nil {
				return fmt.Errorf("read log of room %s: %s: %w", ulid, item.SK, err)
			}
			for _, load := range loadsOf(e) {
				named[load] = true
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// purgeAge is how long after its end a room is still stored.
const purgeAge = 24 * time.Hour

// closed tells whether a room is deleted, and since when.
func (k *Keeper) closed(ctx context.Context, ulid string) (closed bool, at time.Time, seq int64, err error) {
	key, err := k.last(ctx, commitlog.Key(ulid, 1))
	if err != nil || key == "" {
		return false, at, 0, err
	}
	item, err := k.Store.Get(ctx, store.Key{PK: commitlog.Partition(ulid), SK: key}, true)
	if err != nil {
		return false, at, 0, fmt.Errorf("read the end of room %s: %w", ulid, err)
	}
	e, err := commitlog.DecodeEntry(item.Data)
	if err != nil {
		return false, at, 0, fmt.Errorf("read the end of room %s: %w", ulid, err)
	}
	return e.Kind == commitlog.Closed, time.UnixMilli(int64(e.At)), e.Seq, nil
}

// partitions are those of a room beside its log.
var partitions = []string{"META#", "VEC#", "USE#", "LIVE#"}

// purge removes everything of a deleted room but its last entry, by which
// whoever has its ULID learns that it is gone, and then its place in the list
// of all rooms, by which the purge is found again.
func (k *Keeper) purge(ctx context.Context, ulid string, seq int64) error {
	k.Replicas.Forget(ulid)
	for _, prefix := range []string{BlobPrefix(ulid), "checkpoints/" + ulid + "/"} {
		err := k.eachBlob(ctx, prefix, func(key string, _ time.Time) error {
			defer faultpoint.Reach(PointPurged)
			return k.Blobs.Delete(ctx, key)
		})
		if err != nil {
			return fmt.Errorf("purge room %s: %w", ulid, err)
		}
	}
	for _, prefix := range partitions {
		if err := k.purgePartition(ctx, prefix+ulid, ""); err != nil {
			return fmt.Errorf("purge room %s: %w", ulid, err)
		}
	}
	if err := k.purgePartition(ctx, commitlog.Partition(ulid), commitlog.Key(ulid, seq).SK); err != nil {
		return fmt.Errorf("purge room %s: %w", ulid, err)
	}
	return k.forgetRoom(ctx, ulid)
}

// purgePartition deletes the items of a partition but one.
func (k *Keeper) purgePartition(ctx context.Context, pk, but string) error {
	q := store.Query{PK: pk, Strong: true}
	for {
		page, err := k.Store.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if item.SK == but {
				continue
			}
			if err := k.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: item.Key}}); err != nil {
				return err
			}
			faultpoint.Reach(PointPurged)
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// errNotRelayed says that the indexes of a deleted room's members are not
// repaired yet.
var errNotRelayed = errors.New("backup: the end of the room is not relayed")
