package replica

import (
	"context"
	"fmt"
	"slices"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
)

// disagreement says that an entry's fingerprints are not those of the
// replica: either the replica is damaged or the writer was wrong.
type disagreement struct{ seq int64 }

func (e *disagreement) Error() string {
	return fmt.Sprintf("replica: the fingerprints of entry %d are others", e.seq)
}

// skew is by how much the sums that the log states differ from the real ones
// since a writer was wrong. With it an entry after the wrong one is still
// checked, whether its writer had seen through the error or not.
type skew struct{ content, state commitlog.Sum }

func skewOf(claimed, real commitlog.Sums) skew {
	claimed.Content.Sub(real.Content)
	claimed.State.Sub(real.State)
	return skew{claimed.Content, claimed.State}
}

// explains reports whether claimed is real, plainly or by the skew.
func (k skew) explains(claimed, real commitlog.Sums) bool {
	s := skewOf(claimed, real)
	return s == skew{} || s == k
}

// follower applies entries of the log to a draft, each checked against its
// fingerprints before and after.
type follower struct {
	draft   *Draft
	skew    skew
	trusted map[int64]bool
}

func (f *follower) apply(ctx context.Context, e *commitlog.Entry) error {
	d := f.draft
	if e.Seq != d.state.Seq+1 {
		return &commitlog.GapError{Room: d.r.room, Want: d.state.Seq + 1, Got: e.Seq}
	}
	wrong := e.Kind != commitlog.Check && !f.skew.explains(e.Before, d.state.Sums)
	if wrong && !f.trusted[e.Seq] {
		return &disagreement{e.Seq}
	}
	if e.Kind != commitlog.Check {
		f.skew = skewOf(e.Before, d.state.Sums)
	}
	if err := d.replay(ctx, e); err != nil {
		return fmt.Errorf("apply entry %d: %w", e.Seq, err)
	}
	if after := skewOf(e.After, d.state.Sums); after != f.skew && after != (skew{}) {
		if !f.trusted[e.Seq] {
			return &disagreement{e.Seq}
		}
		wrong = true
	}
	if wrong {
		if err := d.recompute(ctx); err != nil {
			return err
		}
		d.r.alarm(e.Seq)
	}
	f.skew = skewOf(e.After, d.state.Sums)
	d.r.paused.note(e, d.r.cache.o.Now())
	return nil
}

// kinds are the entries whose operations are all there is to apply.
var kinds = []commitlog.Kind{commitlog.Ordinary, commitlog.Create, commitlog.Closed, commitlog.Check, commitlog.Undo, commitlog.Load}

// replay applies a whole entry of the log.
func (d *Draft) replay(ctx context.Context, e *commitlog.Entry) error {
	if err := d.usable(ctx); err != nil {
		return err
	}
	if !slices.Contains(kinds, e.Kind) {
		return fault.New(fault.Unavailable, "entry %d is of a newer version of the program", e.Seq)
	}
	d.start(e, true)
	for i := range e.Ops {
		if err := d.Apply(ctx, &e.Ops[i]); err != nil {
			return err
		}
	}
	if err := d.finish(e); err != nil {
		return err
	}
	d.state, d.work, d.entry = d.work, nil, nil
	return nil
}

// recompute replaces the counted sums by those of the rows that are there.
func (d *Draft) recompute(ctx context.Context) error {
	sums, rows, bytes, err := recount(ctx, d.conn, d.state)
	if err != nil {
		return err
	}
	s := *d.state
	s.Sums, s.Rows, s.Bytes = sums, rows, bytes
	d.state = &s
	return nil
}

// alarm tells that an entry was written with wrong fingerprints.
func (r *Replica) alarm(seq int64) {
	r.log().Error("replica: the writer of an entry was wrong about the room's state; its operations stand", "room", r.room, "entry", seq)
	if r.cache.o.OnMismatch != nil {
		r.cache.o.OnMismatch(r.room, seq)
	}
}
