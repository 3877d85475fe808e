package indexing

import (
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// ErrNotSent says that the queue did not take all jobs. Sending them again is
// harmless.
var ErrNotSent = errors.New("indexing: some jobs were not sent")

// target is a row whose text a commit may have changed.
type target struct {
	table int
	row   string
}

// Plan sends the jobs that entries of a room's log make: one for each row that
// has a text and whose text they may have changed, and a sweep where they
// change many rows at once. r has caught up with the entries. Entries planned
// again make the same jobs again, which do nothing the second time.
func (x *Indexer) Plan(ctx context.Context, r *replica.Replica, room string, entries []*commitlog.Entry) error {
	if r.State().Closed || len(entries) == 0 {
		return nil
	}
	targets, sweep := touched(entries, r.State().Schema)
	bodies, err := x.bodies(ctx, r, room, targets)
	if err != nil {
		return fmt.Errorf("plan jobs of room %s after %d: %w", room, entries[len(entries)-1].Seq, err)
	}
	if sweep {
		bodies = append(bodies, Job{Room: room, Sweep: &Sweep{}}.Encode())
	}
	return x.sendAll(ctx, bodies)
}

// touched lists the rows that entries put a new text in, each once, and tells
// whether a sweep is needed.
func touched(entries []*commitlog.Entry, now *schema.Schema) (targets []target, sweep bool) {
	seen := map[target]bool{}
	for _, e := range entries {
		sweep = sweep || e.Kind == commitlog.Load
		for i := range e.Ops {
			op := &e.Ops[i]
			sweep = sweep || op.Kind == commitlog.AlterTable && changesTexts(op)
			t := target{op.Table, op.ID}
			if !seen[t] && embeds(op, now.TableByNum(op.Table)) {
				seen[t] = true
				targets = append(targets, t)
			}
		}
	}
	return targets, sweep
}

// embeds tells whether an operation gives a row of a table a new text.
func embeds(op *commitlog.Op, def *schema.Table) bool {
	if def == nil || op.Kind != commitlog.Insert && op.Kind != commitlog.Update {
		return false
	}
	for _, cell := range op.Set {
		if column := def.ColumnByNum(cell.Num); column != nil && column.Embed {
			return true
		}
	}
	return false
}

// changesTexts tells whether an alteration gives rows other texts: by values
// that it converts, or by columns that count from now on, or no more.
func changesTexts(op *commitlog.Op) bool {
	if op.Rewrites || len(op.Alter.Drop) > 0 || len(op.Alter.Change) > 0 {
		return true
	}
	for i := range op.Alter.Add {
		if op.Alter.Add[i].Embed {
			return true
		}
	}
	return false
}

// bodies are the jobs for the rows that have a text now.
func (x *Indexer) bodies(ctx context.Context, r *replica.Replica, room string, targets []target) (bodies []string, err error) {
	if len(targets) == 0 {
		return nil, nil
	}
	err = r.View(ctx, func(v *replica.View) error {
		for _, t := range targets {
			text, hash, _, ok, err := v.RowText(ctx, t.table, t.row)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			if err == nil && ok && text != "" {
				bodies = append(bodies, newJob(room, t.table, t.row, hash, v.State().Seq).Encode())
			}
		}
		return nil
	})
	return bodies, err
}

func newJob(room string, table int, row string, hash indexlog.Hash, seq int64) Job {
	return Job{Room: room, Table: table, Row: row, Hash: hash, Seq: seq}
}

// Send sends jobs.
func (x *Indexer) Send(ctx context.Context, jobs ...Job) error {
	bodies := make([]string, len(jobs))
	for i, j := range jobs {
		bodies[i] = j.Encode()
	}
	return x.sendAll(ctx, bodies)
}

// sendAll sends messages in batches, several at once.
func (x *Indexer) sendAll(ctx context.Context, bodies []string) error {
	batches := (len(bodies) + queue.MaxBatch - 1) / queue.MaxBatch
	errs := make([]error, batches)
	atOnce(batches, 8, func(i int) {
		var batch []queue.Outgoing
		for _, body := range bodies[i*queue.MaxBatch : min((i+1)*queue.MaxBatch, len(bodies))] {
			batch = append(batch, queue.Outgoing{Body: body})
		}
		errs[i] = x.Queue.Send(ctx, batch...)
		faultpoint.Reach(PointSent)
	})
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	return nil
}
