package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

var errEnded = errors.New("replica: the draft has ended")

// Draft is an open write transaction. It is not safe for concurrent use.
// Its reads see what was applied in it.
type Draft struct {
	r     *Replica
	conn  *conn
	hash  hasher
	cells []schema.Cell

	state     *State // with all entries finished
	work      *State // with the operations of the started entry; nil: none is started
	entry     *commitlog.Entry
	following bool // the entry is one of the log, not a new one
	ops       int  // applied in the started entry
	touched   []touch
	size      int64 // about the bytes of the entries finished
	loaded    int64 // what loads add to the tail, so that a checkpoint follows
	err       error // why the draft can no longer be published
	ended     bool
}

// mark is what Try takes back beside the rows.
type mark struct {
	state, work *State
	copy        State
	entry       *commitlog.Entry
	following   bool
	ops         int
	touched     int
	size        int64
}

// Begin opens the one write transaction of a replica, waiting for the one
// that is open. The caller must end it with Publish or Discard.
func (r *Replica) Begin(ctx context.Context) (*Draft, error) {
	if r.past {
		return nil, errors.New("replica: a room of the past is for reading alone")
	}
	if err := r.lock(ctx); err != nil {
		return nil, err
	}
	d, err := r.beginSound(ctx)
	if err != nil {
		r.unlock()
		return nil, err
	}
	return d, nil
}

// beginSound opens a draft on a database that is not known to be damaged: a
// writer on such a one would state wrong fingerprints.
func (r *Replica) beginSound(ctx context.Context) (*Draft, error) {
	if r.broken.Load() {
		if err := r.follow(ctx, nil); err != nil {
			return nil, err
		}
	}
	return r.begin()
}

// begin opens a draft; the caller holds the writer's lock.
func (r *Replica) begin() (*Draft, error) {
	db := r.db.Load()
	if db == nil {
		return nil, errClosed
	}
	if err := db.write.trim(); err != nil {
		return nil, fmt.Errorf("begin draft: %w", err)
	}
	if err := db.write.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("begin draft: %w", err)
	}
	return &Draft{r: r, conn: db.write, state: r.State()}, nil
}

// State is the state with all entries finished in the draft.
func (d *Draft) State() *State { return d.state }

// Working is the state with the operations applied so far in the started
// entry: its Schema, Members, Rows and Bytes; Sums count from Finish on. It
// changes with the next Apply.
func (d *Draft) Working() *State {
	if d.work != nil {
		return d.work
	}
	return d.state
}

// Row, see View.
func (d *Draft) Row(ctx context.Context, table int, id string) (Row, bool, error) {
	if err := d.usable(ctx); err != nil {
		return Row{}, false, err
	}
	return readRow(d.conn, d.Working().Schema, table, id)
}

// Commit, see View. Within a started entry it is by that entry's seq and time.
func (d *Draft) Commit(ctx context.Context, user, commitID string) (int64, string, error) {
	if err := d.usable(ctx); err != nil {
		return 0, "", err
	}
	w := d.Working()
	seq, at := w.Seq, w.At
	if d.entry != nil {
		at = d.entry.At
	}
	return findCommit(d.conn, expiry(seq, at), user, commitID)
}

func (d *Draft) usable(ctx context.Context) error {
	switch {
	case d.ended:
		return errEnded
	case d.err != nil:
		return d.err
	default:
		return ctx.Err()
	}
}

// Try runs fn within a savepoint: when fn returns an error, everything
// applied by it is taken back and the error returned. A draft in which a
// change of tables was taken back should be discarded: SQLite may still hold a
// full-text index that is no more, and write it at the next savepoint.
func (d *Draft) Try(ctx context.Context, fn func() error) error {
	if err := d.usable(ctx); err != nil {
		return err
	}
	if err := d.conn.exec("SAVEPOINT try"); err != nil {
		return fmt.Errorf("open savepoint: %w", err)
	}
	m := d.mark()
	err := fn()
	if err == nil {
		if err = d.conn.exec("RELEASE try"); err == nil {
			return nil
		}
		err = fmt.Errorf("release savepoint: %w", err)
	}
	d.restore(m)
	if undo := errors.Join(d.conn.exec("ROLLBACK TO try"), d.conn.exec("RELEASE try")); undo != nil {
		d.err = fmt.Errorf("roll back to savepoint: %w", undo)
		return errors.Join(err, d.err)
	}
	return err
}

func (d *Draft) mark() mark {
	m := mark{state: d.state, work: d.work, entry: d.entry, following: d.following, ops: d.ops, touched: len(d.touched), size: d.size}
	if d.work != nil {
		m.copy = *d.work
	}
	return m
}

func (d *Draft) restore(m mark) {
	d.state, d.work, d.entry, d.following, d.ops, d.size = m.state, m.work, m.entry, m.following, m.ops, m.size
	d.touched = d.touched[:m.touched]
	if d.work != nil {
		*d.work = m.copy
	}
}

// Start begins the entry after State().Seq: it sets Format, Seq and Before
// of e. At, By, CommitID, Digest, Attempt and Kind are the caller's; At must
// be set before the first Apply.
func (d *Draft) Start(e *commitlog.Entry) {
	e.Format = commitlog.Format
	e.Seq = d.state.Seq + 1
	e.Before = d.state.Sums
	d.start(e, false)
}

func (d *Draft) start(e *commitlog.Entry, following bool) {
	work := *d.state
	work.Seq = e.Seq
	d.work, d.entry, d.following, d.ops = &work, e, following, 0
	d.touched = d.touched[:0]
}

// Finish ends the entry: uniqueness of everything touched (a fault conflict
// that names table, column and value; Path is "ops[i]..." with the index of
// the op that brought the value), commit id, counters, removal of some of the
// commit ids that have expired, and sets After.
func (d *Draft) Finish(ctx context.Context, e *commitlog.Entry) error {
	if err := d.usable(ctx); err != nil {
		return err
	}
	if d.work == nil || d.entry != e {
		return errors.New("replica: finish of an entry that was not started")
	}
	if e.At < d.state.At {
		return fmt.Errorf("replica: entry %d is older than the one before", e.Seq)
	}
	if err := d.finish(e); err != nil {
		return err
	}
	e.After = d.work.Sums
	d.state, d.work, d.entry = d.work, nil, nil
	d.size += estimate(e)
	return nil
}

func (d *Draft) finish(e *commitlog.Entry) error {
	w := d.work
	w.At = e.At
	if e.Seq == 1 {
		w.CreatedAt = e.At
	}
	if e.Kind == commitlog.Closed {
		w.Sums.State.Sub(d.hash.room(w))
		w.Closed = true
		w.Sums.State.Add(d.hash.room(w))
	}
	if !d.following {
		if err := d.checkUnique(); err != nil {
			return err
		}
	}
	due := expiry(e.Seq, e.At)
	if err := d.expireCommits(due); err != nil {
		return err
	}
	return d.keepCommit(e, due)
}

// Publish makes the draft what readers see. durable is when the log was known
// to end at State().Seq. When it fails the draft is discarded; what the log
// holds then comes with the next catch-up.
func (d *Draft) Publish(durable time.Time) error {
	if d.ended {
		return errEnded
	}
	defer d.r.unlock()
	if err := d.commit(); err != nil {
		return err
	}
	d.r.skew = skew{} // what was published states the sums as they are
	d.r.wrong.Store(false)
	d.r.tailBytes.Add(d.size + d.loaded)
	d.r.setCaughtUp(durable)
	d.r.maintain(d.conn, d.size)
	return nil
}

// commit ends the draft by publishing it, or by rolling it back when that
// fails.
func (d *Draft) commit() error {
	if d.err == nil && d.work != nil {
		d.err = errors.New("replica: an entry was started and not finished")
	}
	before := d.r.State()
	if d.err == nil && d.state != before {
		d.err = writeState(d.conn, d.state, !sameMeta(before, d.state))
	}
	if d.err == nil && d.state.Index != before.Index {
		d.err = writeIndex(d.conn, d.state)
	}
	if d.err == nil {
		d.r.revive(d.state.Seq, d.conn)
	}
	if d.err == nil {
		d.err = d.r.commit(d.conn, d.state)
	}
	if d.err != nil {
		err := fmt.Errorf("publish seq %d: %w", d.state.Seq, d.err)
		return errors.Join(err, d.rollback())
	}
	d.ended = true
	return nil
}

// Discard takes the whole draft back. After Publish it does nothing.
func (d *Draft) Discard() error {
	if d.ended {
		return nil
	}
	defer d.r.unlock()
	return d.rollback()
}

func (d *Draft) rollback() error {
	d.ended = true
	d.conn.revived = d.conn.revived[:0]
	if d.conn.db.AutocommitEnabled() {
		return nil // SQLite has rolled back by itself, as it does when the disk is full
	}
	if err := d.conn.exec("ROLLBACK"); err != nil {
		d.r.broken.Store(true)
		return fmt.Errorf("discard draft: %w", err)
	}
	return nil
}

// estimate is about the encoded size of an entry, without encoding it.
func estimate(e *commitlog.Entry) int64 {
	n := 300
	for i := range e.Ops {
		n += 120 + len(e.Ops[i].ID) + schema.RowBytes(e.Ops[i].Set) + schema.RowBytes(e.Ops[i].Old)
	}
	return int64(n)
}
