package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/vector"
)

// indexPause is how long a look at the index log serves the reads that follow.
const indexPause = 100 * time.Millisecond

// indexPage is how many index entries are applied in one transaction.
const indexPage = 50

// CatchUpIndex applies what is new in the index log, by an eventually
// consistent query. It does nothing when one began less than 100 ms ago. The
// caller must not hold a Draft.
func (r *Replica) CatchUpIndex(ctx context.Context) error {
	now := r.cache.o.Now().UnixMilli()
	last := r.lookedAt.Load()
	if now >= last && now-last < indexPause.Milliseconds() || !r.lookedAt.CompareAndSwap(last, now) {
		return nil
	}
	if err := r.catchUpIndex(ctx, false); err != nil {
		r.lookedAt.CompareAndSwap(now, 0)
		return err
	}
	return nil
}

// CatchUpIndexTo applies the index log at least up to entry n, which must be
// there. The caller must not hold a Draft.
func (r *Replica) CatchUpIndexTo(ctx context.Context, n int64) error {
	if r.State().Index >= n {
		return nil
	}
	if err := r.catchUpIndex(ctx, true); err != nil {
		return err
	}
	if have := r.State().Index; have < n {
		return fault.New(fault.Unavailable, "the index of the room is not yet at %d", n).
			Because(fmt.Errorf("index log of room %s: at %d", r.room, have))
	}
	return nil
}

func (r *Replica) catchUpIndex(ctx context.Context, strong bool) error {
	if err := r.indexing.acquire(ctx); err != nil {
		return err
	}
	defer r.indexing.release()
	reloaded := false
	for {
		after := r.State().Index
		entries, more, err := indexlog.Read(ctx, r.cache.o.Store, r.room, after, indexPage, strong)
		var gap *indexlog.GapError
		switch {
		case errors.As(err, &gap) && !strong:
			strong = true // an old copy of the store may lack an entry in between
			continue
		case errors.As(err, &gap) && !reloaded:
			reloaded = true // entries that a checkpoint covers are removed after a day
			if err := r.reload(ctx); err != nil {
				return err
			}
			continue
		case errors.As(err, &gap):
			// Nothing has those entries any more. The rows they were about are
			// pending here, so that reconciliation says it of them again.
			r.log().Error("replica: a hole in the index log", "room", r.room, "from", gap.Want, "to", gap.Got)
			if err := r.applyIndex(ctx, []*indexlog.Entry{{N: gap.Got - 1}}); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("catch up index: %w", err)
		}
		if len(entries) > 0 {
			if err := r.applyIndex(ctx, entries); err != nil {
				return fmt.Errorf("catch up index of room %s: %w", r.room, err)
			}
		}
		if !more {
			return nil
		}
	}
}

// reload makes the replica anew from the newest checkpoint.
func (r *Replica) reload(ctx context.Context) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if r.db.Load() == nil {
		return errClosed
	}
	fresh, err := r.cache.build(ctx, r.room)
	if err != nil {
		return err
	}
	return r.become(fresh)
}

// applyIndex applies and publishes entries, at the seq that is published.
func (r *Replica) applyIndex(ctx context.Context, entries []*indexlog.Entry) error {
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	d, err := r.begin()
	if err != nil {
		return err
	}
	size := int64(0)
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, d.rollback())
		}
		if e.N <= d.state.Index {
			continue // a load brought it meanwhile
		}
		if err := d.applyIndexEntry(e); err != nil {
			return errors.Join(fmt.Errorf("apply index entry %d: %w", e.N, err), d.rollback())
		}
		size += indexSize(e)
	}
	if err := d.commit(); err != nil {
		return err
	}
	r.indexBytes.Add(size)
	r.maintain(d.conn, size)
	return nil
}

// indexSize is about the stored size of an entry.
func indexSize(e *indexlog.Entry) int64 {
	n := 100
	for i := range e.Texts {
		n += 80 + len(e.Texts[i].Vector)*4/3
	}
	return int64(n)
}

// applyIndexEntry applies one entry. What it says of another model than the
// room's is of no use, unless the room's is changed by it.
func (d *Draft) applyIndexEntry(e *indexlog.Entry) error {
	next := *d.state
	next.Index = e.N
	d.state = &next
	if e.Reset || next.Model == "" && e.Model != "" {
		if err := d.resetIndex(&next, e); err != nil {
			return err
		}
	}
	if e.Model != next.Model || e.Dim != next.Dim {
		return nil
	}
	for i := range e.Texts {
		if err := d.applyText(&next, e, i); err != nil {
			return err
		}
	}
	return nil
}

// resetIndex begins a model: nothing known before counts.
func (d *Draft) resetIndex(s *State, e *indexlog.Entry) error {
	s.Model, s.Dim, s.reset = e.Model, e.Dim, e.N
	if err := d.conn.exec("DELETE FROM vectors"); err != nil {
		return err
	}
	for i := range s.Schema.Tables {
		num := s.Schema.Tables[i].Num
		if !s.Schema.Tables[i].Embeds() {
			continue
		}
		for _, state := range []VectorState{Indexed, Failed} {
			if s.coverage.of(num).counts[state] > 0 {
				if err := d.script("UPDATE t%d SET vs=%d WHERE vs=%d", num, Pending, state); err != nil {
					return err
				}
				n := int64(d.conn.db.Changes())
				s.coverage = s.coverage.with(num, Pending, n).with(num, state, -n)
			}
		}
	}
	return nil
}

func (d *Draft) script(format string, args ...any) error {
	return d.conn.script(fmt.Sprintf(format, args...))
}

// applyText applies what an entry says of a text.
func (d *Draft) applyText(s *State, e *indexlog.Entry, i int) error {
	t := &e.Texts[i]
	was, err := d.conn.textState(t.Hash)
	if err != nil {
		return err
	}
	is, err := d.said(e, t)
	if err != nil {
		return err
	}
	if is == Failed && was == Indexed {
		return nil // another job of the same text succeeded
	}
	if err := d.conn.exec("DELETE FROM vectors WHERE hash=?", t.Hash[:]); err != nil {
		return err
	}
	if is != Pending {
		var v any
		if is == Indexed {
			v = t.Vector
		}
		if err := d.conn.exec("INSERT INTO vectors(n,hash,state,v) VALUES(?,?,?,?)", vectorNumber(e.N, i), t.Hash[:], int64(is), v); err != nil {
			return err
		}
	}
	if is == was {
		return nil
	}
	return d.moveRows(s, t.Hash, was, is)
}

// said is the state that an entry gives a text. A vector that is none was
// written by a program in error; the row then says that it failed.
func (d *Draft) said(e *indexlog.Entry, t *indexlog.Text) (VectorState, error) {
	switch {
	case t.Failed:
		return Failed, nil
	case t.Cleared:
		return Pending, nil
	}
	if v, err := vector.Decode(t.Vector); err != nil || len(v.Values) != e.Dim {
		d.r.log().Error("replica: a vector of the index log is damaged", "room", d.r.room, "entry", e.N, "error", err)
		return Failed, nil
	}
	return Indexed, nil
}

// moveRows changes the state of all rows that have a text.
func (d *Draft) moveRows(s *State, h indexlog.Hash, was, is VectorState) error {
	for _, c := range s.coverage {
		if c.counts[was] == 0 {
			continue
		}
		def := s.Schema.TableByNum(c.table)
		if def == nil {
			return fmt.Errorf("replica: texts of table %d, which is not there", c.table)
		}
		ts, err := d.conn.table(def)
		if err != nil {
			return err
		}
		query, done, err := ts.list(fmt.Sprintf("UPDATE t%d SET vs=?1 WHERE h=?2", c.table))
		if err != nil {
			return err
		}
		query.BindInt64(1, int64(is))
		query.BindBytes(2, h[:])
		if err := errors.Join(run(query), done()); err != nil {
			return err
		}
		n := int64(d.conn.db.Changes())
		s.coverage = s.coverage.with(c.table, was, -n).with(c.table, is, n)
	}
	return nil
}
