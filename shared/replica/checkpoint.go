package replica

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/store"
)

// A checkpoint of a small room is a few items, of a larger one a blob. Its
// parts are under an id of their own; the pointer names the newest.
const (
	pointerKey   = "CHECKPOINT#HEAD"
	partPrefix   = "CHECKPOINT#PART#"
	maxPart      = 300_000
	maxParts     = 4
	blobPrefix   = "checkpoints/"
	partsKept    = 24 * time.Hour // for readers of an older pointer
	shortLived   = time.Hour      // a checkpoint replaced sooner is not listed in the pointer
	pointerTries = 5
)

// A checkpoint is due when the log after the newest one is longer than this.
const (
	dueEntries  = 2000
	dueMinBytes = 64 << 10
	dueMaxBytes = 4 << 20
)

// The fault points between the effects of a checkpoint.
const (
	PointBetweenParts    faultpoint.Name = "replica.checkpoint.between-parts"
	PointPartsWritten    faultpoint.Name = "replica.checkpoint.parts-written"
	PointVerified        faultpoint.Name = "replica.checkpoint.verified"
	PointPointerWritten  faultpoint.Name = "replica.checkpoint.pointer-written"
	PointBetweenRemovals faultpoint.Name = "replica.sweep.between-removals"
)

// Points lists every fault point of this package.
var Points = []faultpoint.Name{PointBetweenParts, PointPartsWritten, PointVerified, PointPointerWritten, PointBetweenRemovals}

// pointer says where a room's newest checkpoint is.
type pointer struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"`
	Seq     int64     `json:"seq"`
	Index   int64     `json:"index,omitempty"` // of the index log
	Content digest    `json:"content"`
	State   digest    `json:"state"`
	Parts   int       `json:"parts,omitempty"` // items; 0: a blob
	Size    int64     `json:"size"`            // of the image
	Old     []retired `json:"old,omitempty"`   // checkpoints before it, until their parts may go
}

// retired is a checkpoint that was replaced.
type retired struct {
	ID    string    `json:"id"`
	Since time.Time `json:"since"`
}

func (p *pointer) sums() commitlog.Sums {
	return commitlog.Sums{Content: commitlog.Sum(p.Content), State: commitlog.Sum(p.State)}
}

func partKey(room, checkpoint string, n int) store.Key {
	return store.Key{PK: commitlog.Partition(room), SK: fmt.Sprintf("%s%s#%d", partPrefix, checkpoint, n)}
}

func blobKey(room, checkpoint string) string { return blobPrefix + room + "/" + checkpoint }

// readPointer reads a room's pointer strongly; nil when there is none. raw is
// what a conditional put compares.
func (c *Cache) readPointer(ctx context.Context, room string) (p *pointer, raw []byte, err error) {
	item, err := c.o.Store.Get(ctx, store.Key{PK: commitlog.Partition(room), SK: pointerKey}, true)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read checkpoint of room %s: %w", room, err)
	}
	p = new(pointer)
	if err := json.Unmarshal(item.Data, p); err != nil {
		return nil, item.Data, damaged("pointer: %w", err)
	}
	if p.Format > imageFormat {
		return nil, item.Data, fault.New(fault.Unavailable, "the room was written by a newer version of the program")
	}
	if p.Format < imageFormat {
		return nil, item.Data, damaged("pointer: format %d is no longer read", p.Format)
	}
	return p, item.Data, nil
}

// CheckpointDue reports whether the tail since the newest checkpoint, of the
// log or of the index log as far as it was applied, exceeds
// max(64 KB, min(image/4, 4 MB)) or 2,000 entries.
func (r *Replica) CheckpointDue() bool {
	var seq, index, image int64
	if p := r.checkpoint.Load(); p != nil {
		seq, index, image = p.Seq, p.Index, p.Size
	}
	due := func(entries, bytes int64) bool {
		return entries > dueEntries || entries > 0 && bytes > max(dueMinBytes, min(image/4, dueMaxBytes))
	}
	s := r.State()
	return due(s.Seq-seq, r.tailBytes.Load()) || due(s.Index-index, r.indexBytes.Load())
}

// covers tells whether a checkpoint has everything of another seq and index
// entry. The log comes first: the index log can be read after any of them.
func (p *pointer) covers(seq, index int64) bool {
	return p != nil && (p.Seq > seq || p.Seq == seq && p.Index >= index)
}

// Checkpoint writes the newest published state as the room's checkpoint:
// image, recomputed sums, parts under an id of their own, verification by
// loading, then the conditional pointer. It does nothing when a checkpoint as
// new exists. Writers and readers go on meanwhile.
func (r *Replica) Checkpoint(ctx context.Context) error {
	if err := r.checkpointing.acquire(ctx); err != nil {
		return err
	}
	defer r.checkpointing.release()
	// What an older checkpoint covers of the index log may be gone from there.
	if err := r.catchUpIndex(ctx, true); err != nil {
		return fmt.Errorf("checkpoint of room %s: %w", r.room, err)
	}
	p, raw, err := r.cache.readPointer(ctx, r.room)
	var d *damage
	if err != nil && !errors.As(err, &d) {
		return err
	}
	if s := r.State(); p.covers(s.Seq, s.Index) {
		r.checkpoint.Store(p)
		return nil
	}
	tail, index := r.tailBytes.Load(), r.indexBytes.Load()
	next, err := r.writeCheckpoint(ctx)
	if err != nil {
		return fmt.Errorf("checkpoint of room %s: %w", r.room, err)
	}
	newest, err := r.cache.point(ctx, r.room, next, p, raw)
	if err != nil {
		return fmt.Errorf("checkpoint of room %s: %w", r.room, err)
	}
	faultpoint.Reach(PointPointerWritten)
	r.checkpoint.Store(newest)
	r.tailBytes.Add(-tail)
	r.indexBytes.Add(-index)
	return nil
}

// writeCheckpoint writes and verifies the parts of a checkpoint.
func (r *Replica) writeCheckpoint(ctx context.Context) (p *pointer, err error) {
	s, err := r.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	file, err := os.OpenFile(s.path+".zst", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make image file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	if err := s.write(ctx, file); err != nil {
		return nil, err
	}
	p = &pointer{Format: imageFormat, ID: id.New(r.cache.o.Now()), Seq: s.header.Seq, Index: s.header.Index,
		Content: digest(s.header.Sums.Content), State: digest(s.header.Sums.State)}
	if err := r.cache.writeParts(ctx, r.room, p, file); err != nil {
		return nil, err
	}
	faultpoint.Reach(PointPartsWritten)
	if err := r.cache.verify(ctx, r.room, p); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	faultpoint.Reach(PointVerified)
	return p, nil
}

func (c *Cache) writeParts(ctx context.Context, room string, p *pointer, file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("read image file: %w", err)
	}
	p.Size = size
	if size > maxPart*maxParts {
		if err := c.o.Blobs.PutNew(ctx, blobKey(room, p.ID), file, size); err != nil {
			return fmt.Errorf("write image: %w", err)
		}
		return nil
	}
	for rest := size; rest > 0; p.Parts++ {
		part := make([]byte, min(rest, maxPart))
		if _, err := io.ReadFull(file, part); err != nil {
			return fmt.Errorf("read image file: %w", err)
		}
		if p.Parts > 0 {
			faultpoint.Reach(PointBetweenParts)
		}
		w := store.Write{If: store.Absent, Item: store.Item{Key: partKey(room, p.ID, p.Parts), Data: part}}
		if err := c.o.Store.Write(ctx, w); err != nil {
			return fmt.Errorf("write part %d: %w", p.Parts, err)
		}
		rest -= int64(len(part))
	}
	return nil
}

// verify loads a checkpoint from where it was written.
func (c *Cache) verify(ctx context.Context, room string, p *pointer) error {
	path := c.newPath("verify")
	_, err := c.fetch(ctx, room, p, path)
	return errors.Join(err, removeDatabase(path))
}

// point makes next the room's checkpoint unless a newer one is, and returns
// the one that is.
func (c *Cache) point(ctx context.Context, room string, next, p *pointer, raw []byte) (*pointer, error) {
	for try := 1; ; try++ {
		if p != nil && (p.covers(next.Seq, next.Index) || p.Index > next.Index) {
			return p, nil // another process was ahead; Sweep removes our parts
		}
		next.Old = c.replaced(p)
		data, err := json.Marshal(next)
		if err != nil {
			return nil, fmt.Errorf("encode pointer: %w", err)
		}
		w := store.Write{If: store.Unchanged, Previous: raw,
			Item: store.Item{Key: store.Key{PK: commitlog.Partition(room), SK: pointerKey}, Data: data}}
		if raw == nil {
			w.If = store.Absent
		}
		err = c.o.Store.Write(ctx, w)
		if err == nil {
			return next, nil
		}
		var lost *store.ConditionError
		if !errors.As(err, &lost) || try == pointerTries {
			return nil, fmt.Errorf("write pointer: %w", err)
		}
		var d *damage
		if p, raw, err = c.readPointer(ctx, room); err != nil && !errors.As(err, &d) {
			return nil, err
		}
	}
}

// replaced lists the checkpoints whose parts stay for readers that have read
// an older pointer. One that was the newest for a short time is left out, as
// its own age keeps it long enough; a busy room has a new one every few
// seconds, and a list of a day's would not fit an item.
func (c *Cache) replaced(p *pointer) []retired {
	if p == nil {
		return nil
	}
	now := c.o.Now()
	old := slices.DeleteFunc(slices.Clone(p.Old), func(r retired) bool { return now.Sub(r.Since) > partsKept })
	if made, ok := id.Time(p.ID); ok && now.Sub(made) <= shortLived {
		return old
	}
	return append(old, retired{ID: p.ID, Since: now})
}

// restore opens the newest checkpoint as a replica; nil when there is none.
// A *damage says that it cannot be trusted.
func (c *Cache) restore(ctx context.Context, room string) (*Replica, error) {
	p, raw, err := c.readPointer(ctx, room)
	if p == nil || err != nil {
		return nil, err
	}
	for {
		r, err := c.open(ctx, room, p)
		var d *damage
		if err == nil || !errors.As(err, &d) {
			return r, err
		}
		// The parts may be gone because the pointer moved on long ago.
		next, nextRaw, nextErr := c.readPointer(ctx, room)
		if nextErr != nil || next == nil || bytes.Equal(nextRaw, raw) {
			return nil, errors.Join(err, nextErr)
		}
		p, raw = next, nextRaw
	}
}

// open fetches a checkpoint and serves it.
func (c *Cache) open(ctx context.Context, room string, p *pointer) (*Replica, error) {
	path := c.newPath("room")
	state, err := c.fetch(ctx, room, p, path)
	if err != nil {
		return nil, errors.Join(err, removeDatabase(path))
	}
	db, err := openDatabase(path)
	if err != nil {
		return nil, err
	}
	r := newReplica(c, room, db, state)
	r.checkpoint.Store(p)
	return r, nil
}

// fetch brings a checkpoint's database into a file and returns its state:
// SHA-256, header, pointer and database must agree.
func (c *Cache) fetch(ctx context.Context, room string, p *pointer, path string) (*State, error) {
	in, err := c.openImage(ctx, room, p)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	h, s, err := loadImage(ctx, in, path)
	if err != nil {
		return nil, err
	}
	if h.Room != room || s.Room != room || h.Seq != p.Seq || s.Seq != p.Seq || h.Rows != s.Rows || h.Index != s.Index || p.Index != s.Index || h.Sums != p.sums() || s.Sums != p.sums() {
		return nil, damaged("header, pointer and database do not agree")
	}
	return s, nil
}

// openImage opens the image of a checkpoint; missing parts are damage.
func (c *Cache) openImage(ctx context.Context, room string, p *pointer) (io.ReadCloser, error) {
	if p.Parts == 0 {
		in, _, err := c.o.Blobs.Get(ctx, blobKey(room, p.ID))
		if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDamaged) {
			return nil, damaged("checkpoint %s: %w", p.ID, err)
		}
		if err != nil {
			return nil, fmt.Errorf("read checkpoint %s: %w", p.ID, err)
		}
		return in, nil
	}
	if p.Parts > maxParts {
		return nil, damaged("checkpoint %s has %d parts", p.ID, p.Parts)
	}
	var all []byte
	for n := range p.Parts {
		item, err := c.o.Store.Get(ctx, partKey(room, p.ID, n), true)
		if errors.Is(err, store.ErrNotFound) {
			return nil, damaged("checkpoint %s: part %d: %w", p.ID, n, err)
		}
		if err != nil {
			return nil, fmt.Errorf("read part %d of checkpoint %s: %w", n, p.ID, err)
		}
		all = append(all, item.Data...)
	}
	return io.NopCloser(bytes.NewReader(all)), nil
}
