package indexing

import (
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

// Selection names failures: by id, or all that are dead.
type Selection struct {
	IDs []string
	All bool
}

// MaxSelected is how many failures may be named at once.
const MaxSelected = 1000

// retriable tells whether nobody is trying the job any more: it is dead, or was
// to be sent again and perhaps was not.
func (f *Failure) retriable() bool { return f.Dead || f.Class == "" }

// selected reads the failures that are meant and may be retried.
func (x *Indexer) selected(ctx context.Context, room string, s Selection) (failures []*Failure, err error) {
	if len(s.IDs) > MaxSelected {
		return nil, fault.At(fault.TooLarge, "ids", "at most %d jobs can be named at once; this names %d", MaxSelected, len(s.IDs))
	}
	if s.All {
		err = x.each(ctx, room, failPrefix, func(item store.Item) error {
			f, err := decodeFailure(item.Data)
			if err == nil && f.retriable() {
				failures = append(failures, f)
			}
			return err
		})
		return failures, err
	}
	for _, id := range s.IDs {
		f, err := x.failure(ctx, room, id)
		if err != nil {
			return nil, err
		}
		if f != nil && f.retriable() {
			failures = append(failures, f)
		}
	}
	return failures, nil
}

// Retry sends dead jobs again and returns how many. Their rows are pending
// from then on. Killed in between, it leaves rows that a sweep, or another
// retry, finds.
func (x *Indexer) Retry(ctx context.Context, room string, s Selection) (int, error) {
	failures, err := x.selected(ctx, room, s)
	if err != nil || len(failures) == 0 {
		return 0, err
	}
	if err := x.revive(ctx, room, failures); err != nil {
		return 0, fmt.Errorf("retry in room %s: %w", room, err)
	}
	jobs := make([]Job, len(failures))
	for i, f := range failures {
		jobs[i] = f.job(room)
	}
	if err := x.Send(ctx, jobs...); err != nil {
		return 0, fmt.Errorf("retry in room %s: %w", room, err)
	}
	return len(failures), nil
}

// revive makes the rows of failures pending again, and then the failures ones
// that are tried. Killed in between, it leaves pending rows, which the
// schedule finds, never a row that failed and has no dead job.
func (x *Indexer) revive(ctx context.Context, room string, failures []*Failure) error {
	if err := x.clear(ctx, room, failures); err != nil {
		return err
	}
	faultpoint.Reach(PointCleared)
	errs := make([]error, len(failures))
	atOnce(len(failures), 8, func(i int) {
		errs[i] = x.change(ctx, room, failures[i].ID, func(f *Failure) *Failure {
			if f == nil {
				return nil
			}
			f.Dead, f.Class, f.Error, f.Attempts, f.FirstAt, f.LastAt = false, "", "", 0, 0, 0
			return f
		})
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	faultpoint.Reach(PointRevived)
	return nil
}

// maxCleared is how many texts go into one entry that clears them.
const maxCleared = 500

// clear says in the index log that texts are pending again. Those that have a
// vector by now, of another row's job, keep it.
func (x *Indexer) clear(ctx context.Context, room string, failures []*Failure) error {
	r, release, err := x.Replicas.Acquire(ctx, room)
	if err != nil {
		return err
	}
	defer release()
	if err := r.CatchUpIndex(ctx); err != nil {
		return err
	}
	failures, rows, err := x.unsaid(ctx, r, failures)
	if err != nil {
		return err
	}
	for len(failures) > 0 {
		n := min(len(failures), maxCleared)
		e := &indexlog.Entry{At: x.millis(), Model: r.State().Model, Dim: r.State().Dim}
		for _, f := range failures[:n] {
			e.Texts = append(e.Texts, indexlog.Text{Hash: f.Hash, Cleared: true, Rows: []indexlog.RowRef{{Table: f.Table, ID: f.Row}}})
		}
		at, err := x.record(ctx, r, room, e)
		if err != nil {
			return err
		}
		x.Tell(ctx, Indexed{Room: room, N: at, Rows: rows[:n], State: r.State()})
		failures, rows = failures[n:], rows[n:]
	}
	return nil
}

// unsaid gives the failures whose texts have no vector, with their rows, for
// telling who may see them.
func (x *Indexer) unsaid(ctx context.Context, r *replica.Replica, failures []*Failure) (left []*Failure, rows []Row, err error) {
	err = r.View(ctx, func(v *replica.View) error {
		for _, f := range failures {
			state, err := v.TextState(ctx, f.Hash)
			if err != nil {
				return err
			}
			if state == replica.Indexed {
				continue
			}
			told := Row{Table: f.Table, ID: f.Row, State: replica.Pending}
			row, found, err := v.Row(ctx, f.Table, f.Row)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if err == nil && found {
				told.Creator, told.Version = row.CreatedBy, row.Version
			}
			left, rows = append(left, f), append(rows, told)
		}
		return nil
	})
	return left, rows, err
}

// Discard removes dead jobs and returns how many. Their rows stay failed until
// they have another text or are indexed anew.
func (x *Indexer) Discard(ctx context.Context, room string, s Selection) (int, error) {
	failures, err := x.selected(ctx, room, s)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(failures))
	atOnce(len(failures), 8, func(i int) {
		errs[i] = x.removeUnchanged(ctx, store.Item{Key: failKey(room, failures[i].ID), Data: failures[i].stored})
	})
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("discard failures of room %s: %w", room, err)
	}
	return len(failures), nil
}

// Reindex queues a sweep of a room's rows without a vector, failed ones too;
// with all of it, the index begins anew: vectors that are kept are used, the
// others made again. It returns how many rows it concerns.
func (x *Indexer) Reindex(ctx context.Context, room string, all bool) (queued int64, err error) {
	var c replica.Coverage
	err = x.view(ctx, room, 0, func(r *replica.Replica, v *replica.View) error {
		c, err = v.Coverage(ctx)
		return err
	})
	if err == nil {
		err = x.Send(ctx, Job{Room: room, Sweep: &Sweep{Failed: true, Begin: all}})
	}
	if err != nil {
		return 0, fmt.Errorf("index room %s anew: %w", room, err)
	}
	if all {
		return c.Rows, nil
	}
	return c.Pending + c.Failed, nil
}

// begin begins the index of a room anew with the model that it has.
func (x *Indexer) begin(ctx context.Context, r *replica.Replica, room string) error {
	for {
		st := r.State()
		if st.Model == "" {
			return nil // nothing to begin anew
		}
		if won, err := x.reset(ctx, r, room, st, st.Model, st.Dim); won || err != nil {
			return err
		}
	}
}
