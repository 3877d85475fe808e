package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// Images finds kept images of rooms.
type Images interface {
	// Nearest gives the blob key and the seq of the newest image of a room at
	// seq or before.
	Nearest(ctx context.Context, room string, seq int64) (key string, at int64, ok bool, err error)
}

// Archive has the entries that a log no longer holds.
type Archive interface {
	// Read gives archived entries from after+1 on without a hole, at most
	// limit; none when it does not have the first.
	Read(ctx context.Context, room string, after int64, limit int) (entries []*commitlog.Entry, more bool, err error)
}

// At returns a replica of a room as it was at a seq, for reading alone, and a
// function that releases it. It is made from the nearest image before, the
// room's checkpoint or one of Options.Images, and the entries after that, from
// the log or Options.Archive; it stays in the cache like any other, and never
// catches up. Errors: not_found when the seq can no longer be rebuilt.
func (c *Cache) At(ctx context.Context, room string, seq int64) (*Replica, func(), error) {
	if seq < 1 {
		return nil, nil, fault.New(fault.NotFound, "a room begins at seq 1")
	}
	return c.acquire(ctx, fmt.Sprintf("%s@%d", room, seq), func(ctx context.Context, _ string) (*Replica, error) {
		return c.rebuild(ctx, func(trusted map[int64]bool) (*Replica, error) { return c.loadAt(ctx, room, seq, trusted) })
	})
}

// loadAt makes a replica at a seq once, and closes what it began when it
// fails.
func (c *Cache) loadAt(ctx context.Context, room string, seq int64, trusted map[int64]bool) (*Replica, error) {
	r, err := c.before(ctx, room, seq)
	if err != nil {
		return nil, err
	}
	r.past = true
	if err := r.replayTo(ctx, seq, trusted); err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.setCaughtUp(c.o.Now())
	return r, nil
}

// before opens the newest image of a room at seq or before, or an empty one.
func (c *Cache) before(ctx context.Context, room string, seq int64) (*Replica, error) {
	p, _, err := c.readPointer(ctx, room)
	var d *damage
	if err != nil && !errors.As(err, &d) {
		return nil, err
	}
	if p != nil && p.Seq > seq {
		p = nil
	}
	for upTo := seq; c.o.Images != nil; {
		key, at, ok, err := c.o.Images.Nearest(ctx, room, upTo)
		if err != nil {
			return nil, fmt.Errorf("find image of room %s at seq %d: %w", room, seq, err)
		}
		if !ok || at > upTo || p != nil && at <= p.Seq {
			break
		}
		r, err := c.openBlob(ctx, room, key, seq)
		if err == nil || !errors.As(err, &d) {
			return r, err
		}
		c.o.Log.Error("replica: image refused", "room", room, "image", key, "error", err)
		upTo = at - 1 // an older one and more entries give the same
	}
	if p != nil {
		r, err := c.open(ctx, room, p)
		if err == nil || !errors.As(err, &d) {
			return r, err
		}
		c.o.Log.Error("replica: checkpoint refused", "room", room, "error", err)
	}
	return c.createEmpty(ctx, room)
}

// openBlob opens a kept image of a room at most at a seq.
func (c *Cache) openBlob(ctx context.Context, room, key string, seq int64) (*Replica, error) {
	in, _, err := c.o.Blobs.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDamaged) {
		return nil, damaged("image %s: %w", key, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", key, err)
	}
	defer in.Close()
	path := c.newPath("room")
	h, state, err := loadImage(ctx, in, path)
	if err == nil && (h.Room != room || state.Room != room || h.Seq > seq || state.Seq != h.Seq || state.Sums != h.Sums) {
		err = damaged("image %s: it is of another room or seq", key)
	}
	if err != nil {
		return nil, errors.Join(err, removeDatabase(path))
	}
	db, err := openDatabase(path)
	if err != nil {
		return nil, err
	}
	return newReplica(c, room, db, state), nil
}

// loadImage decodes an image into a database file and reads its state.
func loadImage(ctx context.Context, in io.Reader, path string) (Header, *State, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Header{}, nil, fmt.Errorf("make database file: %w", err)
	}
	h, err := ReadImage(ctx, in, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return Header{}, nil, err
	}
	s, err := readCopy(ctx, path, func(*conn, *State) error { return nil })
	if err != nil && !fault.Is(err, fault.Unavailable) {
		err = &damage{err}
	}
	return h, s, err
}

// replayTo applies entries up to a seq.
func (r *Replica) replayTo(ctx context.Context, seq int64, trusted map[int64]bool) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	for r.State().Seq < seq {
		after := r.State().Seq
		entries, err := r.cache.Entries(ctx, r.room, after, int(min(seq-after, followPage)))
		if err != nil {
			return err
		}
		if err := r.applyPage(ctx, entries, trusted); err != nil {
			return err
		}
	}
	return nil
}

// Entries gives commits of a room's past from after+1 on, at least one and at
// most limit, from the log or Options.Archive. Errors: not_found when the first
// is no longer kept.
func (c *Cache) Entries(ctx context.Context, room string, after int64, limit int) ([]*commitlog.Entry, error) {
	entries, _, _, err := commitlog.Read(ctx, c.o.Store, room, after, limit)
	var gap *commitlog.GapError
	if err != nil && !errors.As(err, &gap) {
		return nil, fmt.Errorf("read log of room %s: %w", room, err)
	}
	if len(entries) == 0 && c.o.Archive != nil {
		if entries, _, err = c.o.Archive.Read(ctx, room, after, limit); err != nil {
			return nil, fmt.Errorf("read archive of room %s: %w", room, err)
		}
	}
	if len(entries) == 0 || entries[0].Seq != after+1 {
		return nil, fault.New(fault.NotFound, "the room as of this time can no longer be rebuilt, or has not been: commit %d is not kept", after+1)
	}
	return entries[:min(len(entries), limit)], nil
}

// Entry gives one commit of a room's past. Errors: not_found when it is no
// longer kept.
func (c *Cache) Entry(ctx context.Context, room string, seq int64) (*commitlog.Entry, error) {
	entries, err := c.Entries(ctx, room, seq-1, 1)
	if err != nil {
		return nil, err
	}
	return entries[0], nil
}

// SeqAt finds the newest commit of a room at a time or before, of those up to
// head. Errors: not_found when the time is before the room's first commit, or
// before all that are kept.
func (c *Cache) SeqAt(ctx context.Context, room string, head int64, at schema.Millis) (int64, error) {
	low, high := int64(0), head // low is too old to be known, or known to be at the time or before
	kept := false
	for low < high {
		middle := low + (high-low+1)/2
		e, err := c.Entry(ctx, room, middle)
		switch {
		case fault.Is(err, fault.NotFound):
			low, kept = middle, false
		case err != nil:
			return 0, err
		case e.At <= at:
			low, kept = middle, true
		default:
			high = middle - 1
		}
	}
	if low > 0 && !kept {
		e, err := c.Entry(ctx, room, low)
		kept = err == nil && e.At <= at
	}
	if low == 0 || !kept {
		return 0, fault.At(fault.NotFound, "at", "there is no commit of that time or before it, or it is no longer kept")
	}
	return low, nil
}

// Tightened is the view with access `own` for tables that are so now, for
// readers other than owners: own tells it by number.
func (v *View) Tightened(own func(table int) bool) *View {
	next := *v.state.Schema
	next.Tables = append([]schema.Table(nil), next.Tables...)
	for i := range next.Tables {
		if own(next.Tables[i].Num) {
			next.Tables[i].Access = schema.Own
		}
	}
	state := *v.state
	state.Schema = &next
	return &View{conn: v.conn, state: &state, db: v.db, of: v.of}
}
