package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// The steps between two effects of archiving and trimming.
const (
	PointSegmentWritten  faultpoint.Name = "backup.segment.written"  // the blob is stored, not verified
	PointSegmentVerified faultpoint.Name = "backup.segment.verified" // nothing names it
	PointSegmentRecorded faultpoint.Name = "backup.segment.recorded" // it is named, the log not trimmed
	PointTrimmed         faultpoint.Name = "backup.trim.entry"       // one entry is gone, the next is not
)

// Entries are archived when there are many bytes of them, or in time before
// they may be trimmed.
const (
	segmentRaw = 4 << 20 // bytes of entries in a segment, about
	archiveDue = 1 << 20
	archiveAge = 18 * time.Hour
	trimAge    = 24 * time.Hour // younger entries stay in the log
	logPage    = 500
)

// tail is entries of the log as they are stored.
type tail struct {
	from  int64
	data  [][]byte
	bytes int
	first schema.Millis
	last  schema.Millis
	loads []string
	more  bool // the log goes on
}

// readTail reads the log after a seq, until there is a segment's worth.
func (k *Keeper) readTail(ctx context.Context, ulid string, after int64) (*tail, error) {
	t := &tail{from: after + 1}
	q := store.Query{PK: commitlog.Partition(ulid), From: commitlog.Key(ulid, after+1).SK, To: store.LogPrefix + "~", Limit: logPage, Strong: true}
	for {
		page, err := k.Store.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read log of room %s: %w", ulid, err)
		}
		for _, item := range page.Items {
			if t.bytes >= segmentRaw {
				t.more = true
				return t, nil
			}
			if err := t.add(ulid, item); err != nil {
				return nil, err
			}
		}
		if q.After = page.Next; q.After == "" {
			return t, nil
		}
	}
}

func (t *tail) add(ulid string, item store.Item) error {
	want := t.from + int64(len(t.data))
	seq, ok := commitlog.SeqOf(item.SK)
	if !ok || seq != want {
		return &commitlog.GapError{Room: ulid, Want: want, Got: seq}
	}
	e, err := commitlog.DecodeEntry(item.Data)
	if err != nil {
		return fmt.Errorf("entry %d of room %s: %w", seq, ulid, err)
	}
	if len(t.data) == 0 {
		t.first = e.At
	}
	t.last = e.At
	t.data = append(t.data, item.Data)
	t.bytes += len(item.Data)
	t.loads = append(t.loads, loadsOf(e)...)
	return nil
}

// loadsOf are the blobs that an entry names.
func loadsOf(e *commitlog.Entry) (blobs []string) {
	for i := range e.Ops {
		if e.Ops[i].Load != nil {
			blobs = append(blobs, e.Ops[i].Load.Blob)
		}
	}
	return blobs
}

// archived is the seq up to which a room's entries are in segments.
func (k *Keeper) archived(ctx context.Context, ulid string) (int64, error) {
	s, err := k.Catalog.newest(ctx, ulid, maxSeq)
	if err != nil || s == nil {
		return 0, err
	}
	return s.To, nil
}

const maxSeq = 1e16 - 1 // what the digits of a sort key hold

// Archive puts entries of the log into segments when they are due, or all of
// them when told so.
func (k *Keeper) Archive(ctx context.Context, ulid string, all bool) error {
	for {
		after, err := k.archived(ctx, ulid)
		if err != nil {
			return err
		}
		t, err := k.readTail(ctx, ulid, after)
		if err != nil {
			return fmt.Errorf("archive: %w", err)
		}
		due := t.bytes >= archiveDue || k.Now().Sub(time.UnixMilli(int64(t.first))) >= archiveAge
		if len(t.data) == 0 || !due && !all {
			return nil
		}
		if err := k.seal(ctx, ulid, t); err != nil {
			return fmt.Errorf("archive entries of room %s from %d: %w", ulid, t.from, err)
		}
		if !t.more {
			return nil
		}
	}
}

// seal writes a segment, verifies it as stored, and records it. Of two that
// begin at the same entry the first recorded counts.
func (k *Keeper) seal(ctx context.Context, ulid string, t *tail) error {
	content, err := sealed(ulid, t.from, t.data)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	s := segment{From: t.from, To: t.from + int64(len(t.data)) - 1, First: t.first, Last: t.last, Bytes: int64(len(content)),
		SHA256: hex.EncodeToString(sum[:]), Loads: t.loads}
	s.Blob = fmt.Sprintf("%ssegments/%016d-%016d-%s", BlobPrefix(ulid), s.From, s.To, id.New(k.Now()))
	if err := k.Blobs.PutNew(ctx, s.Blob, bytes.NewReader(content), s.Bytes); err != nil {
		return err
	}
	faultpoint.Reach(PointSegmentWritten)
	if err := k.verifySegment(ctx, ulid, &s, t); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	faultpoint.Reach(PointSegmentVerified)
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	err = k.Store.Write(ctx, store.Write{Action: store.Put, If: store.Absent, Item: store.Item{Key: segmentKey(ulid, s.From), Data: data}})
	var taken *store.ConditionError
	if err != nil && !errors.As(err, &taken) {
		return err
	}
	faultpoint.Reach(PointSegmentRecorded)
	return nil
}

// verifySegment reads a segment from where it was written and compares it with
// the log.
func (k *Keeper) verifySegment(ctx context.Context, ulid string, s *segment, t *tail) error {
	return k.Catalog.readSegment(ctx, ulid, s, func(seq int64, data []byte) error {
		if !bytes.Equal(data, t.data[seq-t.from]) {
			return damaged("entry %d is another", seq)
		}
		return nil
	})
}

// Trim deletes entries of a room's log that are relayed, archived in a
// verified segment, covered by a checkpoint and at least 24 h old, the oldest
// first and never the last; likewise of its index log those that a checkpoint
// covers.
func (k *Keeper) Trim(ctx context.Context, ulid string) error {
	seq, index, err := k.Replicas.Covered(ctx, ulid)
	if err != nil {
		return err
	}
	if err := k.trimIndex(ctx, ulid, index); err != nil {
		return err
	}
	mark, err := k.readMark(ctx, ulid)
	if err != nil {
		return err
	}
	archived, err := k.archived(ctx, ulid)
	if err != nil {
		return err
	}
	limit := min(seq, mark.Relayed, archived)
	return k.trim(ctx, commitlog.Key(ulid, 1), commitlog.Key(ulid, limit), limit, func(item store.Item) (schema.Millis, error) {
		e, err := commitlog.DecodeEntry(item.Data)
		if err != nil {
			return 0, err
		}
		return e.At, nil
	})
}

func (k *Keeper) trimIndex(ctx context.Context, ulid string, limit int64) error {
	return k.trim(ctx, indexlog.Key(ulid, 1), indexlog.Key(ulid, limit), limit, func(item store.Item) (schema.Millis, error) {
		e, err := indexlog.DecodeEntry(item.Data)
		if err != nil {
			return 0, err
		}
		return e.At, nil
	})
}

// trim deletes items from one key to another while they are old enough, and
// never the last of their kind.
func (k *Keeper) trim(ctx context.Context, from, to store.Key, limit int64, at func(store.Item) (schema.Millis, error)) error {
	if limit < 1 {
		return nil
	}
	last, err := k.last(ctx, from)
	if err != nil {
		return err
	}
	q := store.Query{PK: from.PK, From: from.SK, To: to.SK, Limit: logPage, Strong: true}
	for {
		page, err := k.Store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("trim %s: %w", from.PK, err)
		}
		for _, item := range page.Items {
			made, err := at(item)
			if err != nil {
				return fmt.Errorf("trim %s: %s: %w", from.PK, item.SK, err)
			}
			if item.SK >= last || k.Now().Sub(time.UnixMilli(int64(made))) < trimAge {
				return nil
			}
			if err := k.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: item.Key}}); err != nil {
				return fmt.Errorf("trim %s: %w", item.SK, err)
			}
			faultpoint.Reach(PointTrimmed)
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

// last is the greatest sort key of a log that has first as its first key.
func (k *Keeper) last(ctx context.Context, first store.Key) (string, error) {
	prefix := first.SK[:bytes.IndexByte([]byte(first.SK), '#')+1]
	q := store.Query{PK: first.PK, From: prefix, To: prefix + "~", Limit: 1, Reverse: true, Strong: true}
	for {
		page, err := k.Store.Query(ctx, q)
		if err != nil {
			return "", fmt.Errorf("find the end of %s: %w", first.PK, err)
		}
		if len(page.Items) > 0 {
			return page.Items[0].SK, nil
		}
		if q.After = page.Next; q.After == "" {
			return "", nil
		}
	}
}

// mark is what the list of all rooms holds of one: how far it was relayed, and
// how far and when it was last looked after.
type mark struct {
	Relayed int64    `json:"relayed"`
	Kept    keptMark `json:"kept"`
}

type keptMark struct {
	Seq   int64         `json:"seq"`
	At    schema.Millis `json:"at"`
	Swept schema.Millis `json:"swept"`
}

func (k *Keeper) readMark(ctx context.Context, ulid string) (mark, error) {
	item, err := k.Store.Get(ctx, room.ShardKey(ulid), true)
	if errors.Is(err, store.ErrNotFound) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, fmt.Errorf("read mark of room %s: %w", ulid, err)
	}
	return decodeMark(item)
}

func decodeMark(item store.Item) (m mark, err error) {
	if len(item.Data) == 0 {
		return m, nil
	}
	err = decodeItem(item, &m)
	return m, err
}

// writeMark notes that a room was looked after, beside what others note. When
// another is faster every time, the room is looked after again.
func (k *Keeper) writeMark(ctx context.Context, ulid string, kept keptMark) error {
	for range changeTries {
		item, err := k.Store.Get(ctx, room.ShardKey(ulid), true)
		if err != nil {
			return fmt.Errorf("read mark of room %s: %w", ulid, err)
		}
		fields := map[string]any{}
		if len(item.Data) > 0 {
			raw := map[string]json.RawMessage{}
			if err := decodeItem(item, &raw); err != nil {
				return err
			}
			for name, value := range raw {
				fields[name] = value
			}
		}
		fields["kept"] = kept
		data, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		w := store.Write{Action: store.Put, If: store.Unchanged, Previous: item.Data, Item: item}
		w.Item.Data = data
		err = k.Store.Write(ctx, w)
		var met *store.ConditionError
		if !errors.As(err, &met) {
			return err
		}
	}
	return nil
}
