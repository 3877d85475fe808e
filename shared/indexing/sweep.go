package indexing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
	"nanotypedb/shared/store"
	"nanotypedb/shared/vector"
)

// Sweep goes through the rows of a room that have a text and no vector: those
// whose vector is kept get an entry of the index log, the others a job. It is
// where a message of the queue goes on, after row Key of table Table.
type Sweep struct {
	Table  int
	Key    string
	Old    bool // only rows whose text is waiting for longer than a job needs
	Failed bool // those whose jobs are dead too
	Begin  bool // the index of the room begins anew first
}

// oldEnough is when a row without a vector has probably lost its job.
const oldEnough = 15 * time.Minute

// sweepStep is how many rows one step of a sweep looks at.
const sweepStep = 500

func (s *Sweep) append(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"table":`...), int64(s.Table), 10)
	dst = strictjson.AppendString(append(dst, `,"key":`...), s.Key)
	if s.Old {
		dst = append(dst, `,"old":true`...)
	}
	if s.Failed {
		dst = append(dst, `,"failed":true`...)
	}
	if s.Begin {
		dst = append(dst, `,"begin":true`...)
	}
	return append(dst, '}')
}

func (s *Sweep) member(d *strictjson.Scanner, key []byte) (err error) {
	switch string(key) {
	case "table":
		var n int64
		n, err = schema.ScanInt(d)
		s.Table = int(n)
	case "key":
		s.Key, err = d.String()
	case "old":
		s.Old, err = d.Bool()
	case "failed":
		s.Failed, err = d.Bool()
	case "begin":
		s.Begin, err = d.Bool()
	default:
		err = fmt.Errorf("there is an unknown member %.40q", key)
	}
	return err
}

func (s *Sweep) check() error {
	if s.Table < 0 || len(s.Key) > 64 {
		return errors.New("its sweep has no place to go on")
	}
	return nil
}

// Swept is what one step of a sweep did.
type Swept struct {
	Next  *Sweep // where the next goes on; nil: the room is done
	Jobs  int
	Found int // rows whose vector was kept
}

// Check does what hangs off vectors that rows have now; nil: nothing does.
type Check func(context.Context, Indexed) error

// SweepStep does one step of a sweep. It may be done again from the same
// place. Rows whose vector was kept are checked before the index log says so,
// after which no sweep finds them again; those that cannot be get a job.
func (x *Indexer) SweepStep(ctx context.Context, room string, s Sweep, check Check) (Swept, error) {
	var rows []replica.PendingRow
	var seq int64
	r, release, err := x.Replicas.Acquire(ctx, room)
	if fault.Is(err, fault.NotFound) {
		return Swept{}, nil // purged since
	}
	if err != nil {
		return Swept{}, fmt.Errorf("sweep room %s: %w", room, err)
	}
	defer release()
	if err := x.prepare(ctx, r, room); err != nil {
		return Swept{}, fmt.Errorf("sweep room %s: %w", room, err)
	}
	if s.Begin && !r.State().Closed {
		if err := x.begin(ctx, r, room); err != nil {
			return Swept{}, fmt.Errorf("sweep room %s: %w", room, err)
		}
	}
	s.Begin = false
	err = r.View(ctx, func(v *replica.View) (err error) {
		if v.State().Closed {
			return nil
		}
		seq = v.State().Seq
		rows, err = v.Unindexed(ctx, s.Table, s.Key, sweepStep, s.Failed)
		return err
	})
	if err != nil {
		return Swept{}, fmt.Errorf("sweep room %s: %w", room, err)
	}
	swept, err := x.sweepRows(ctx, room, seq, x.due(rows, s), check)
	if err != nil {
		return Swept{}, fmt.Errorf("sweep room %s: %w", room, err)
	}
	if len(rows) == sweepStep {
		next := s
		last := rows[len(rows)-1]
		next.Table, next.Key = last.Table, last.ID
		swept.Next = &next
	}
	return swept, nil
}

// prepare brings a room to the present, and to the model.
func (x *Indexer) prepare(ctx context.Context, r *replica.Replica, room string) error {
	if err := r.CatchUp(ctx); err != nil {
		return err
	}
	if err := r.CatchUpIndex(ctx); err != nil {
		return err
	}
	st := r.State()
	if x.Embedder == nil || st.Closed || st.Model == x.Embedder.Model() || st.Model == "" {
		return nil
	}
	return x.adopt(ctx, r, room)
}

// due leaves the rows that a sweep is for.
func (x *Indexer) due(rows []replica.PendingRow, s Sweep) []replica.PendingRow {
	if !s.Old {
		return rows
	}
	due := make([]replica.PendingRow, 0, len(rows))
	for _, row := range rows {
		if x.Now().Sub(time.UnixMilli(int64(row.Since))) > oldEnough {
			due = append(due, row)
		}
	}
	return due
}

// sweepRows gives each row its kept vector, or a job.
func (x *Indexer) sweepRows(ctx context.Context, room string, seq int64, rows []replica.PendingRow, check Check) (Swept, error) {
	vectors := make([]vector.Int8, len(rows))
	errs := make([]error, len(rows))
	if x.Embedder != nil {
		atOnce(len(rows), 16, func(i int) { vectors[i], _, errs[i] = x.kept(ctx, room, rows[i].Hash) })
	}
	if err := errors.Join(errs...); err != nil {
		return Swept{}, err
	}
	var works []*work
	var bodies []string
	for i, row := range rows {
		w := &work{Delivery: Delivery{Job: Job{Room: room, Table: row.Table, Row: row.ID, Hash: row.Hash, Seq: seq, Again: true}}, vector: vectors[i]}
		if len(vectors[i].Values) == 0 {
			bodies = append(bodies, w.Job.Encode())
		} else {
			works = append(works, w)
		}
	}
	found, err := x.sayFound(ctx, room, works, check)
	if err != nil {
		return Swept{}, err
	}
	if !found {
		for _, w := range works {
			bodies = append(bodies, w.Job.Encode())
		}
		works = nil
	}
	return Swept{Found: len(works), Jobs: len(bodies)}, x.sendAll(ctx, bodies)
}

// sayFound says in the index log that rows have vectors that were kept, unless
// they cannot be checked.
func (x *Indexer) sayFound(ctx context.Context, room string, works []*work, check Check) (found bool, err error) {
	if len(works) == 0 {
		return true, nil
	}
	checked := Indexed{Room: room}
	err = x.view(ctx, room, 0, func(_ *replica.Replica, v *replica.View) error {
		checked.State = v.State()
		for _, w := range works {
			kept := w.vector
			if err := x.lookAt(ctx, v, w); err != nil {
				return err
			}
			w.vector = kept
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	checked.Rows = rows(works)
	if check != nil {
		if err := check(ctx, checked); err != nil {
			x.Log.WarnContext(ctx, "rows whose vectors were kept get jobs, as they could not be checked", "room", room, "rows", len(checked.Rows), "error", err)
			return false, nil
		}
	}
	_, err = x.appendRows(ctx, room, checked.Rows)
	return err == nil, err
}

// sweptItem is what SWEPT of a room holds: up to where, in its log and its
// index log, nothing was left to do.
type sweptItem struct {
	Seq   int64         `json:"seq"`
	Index int64         `json:"index"`
	Model string        `json:"model"`
	At    schema.Millis `json:"at"`
}

// sweptFor is how long a room that does not change is left alone: things that
// nobody needs become old enough to be removed.
const sweptFor = 7 * 24 * time.Hour

func sweptKey(room string) store.Key {
	return store.Key{PK: indexlog.Partition(room), SK: "SWEPT"}
}

// Complete tells whether a room whose newest seq is head needs no sweep: each
// of its texts had a vector of the model when it was last looked at, and
// neither it nor its index has changed since: a retry or a new beginning makes
// rows pending without a commit.
func (x *Indexer) Complete(ctx context.Context, room string, head int64) (bool, error) {
	item, err := x.Store.Get(ctx, sweptKey(room), false)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read how far room %s is swept: %w", room, err)
	}
	var s sweptItem
	if err := json.Unmarshal(item.Data, &s); err != nil {
		return false, nil //nolint:nilerr // it is swept again
	}
	if s.Seq != head || s.Model != x.model() || x.Now().Sub(time.UnixMilli(int64(s.At))) >= sweptFor {
		return false, nil
	}
	index, err := indexlog.Head(ctx, x.Store, room)
	return err == nil && index <= s.Index, err
}

// maxStray is how many messages may wait in the queue when the schedule sends
// jobs: rows without a vector have jobs among them, which it would double.
const maxStray = 1000

// Reconcile sweeps a room for rows that lost their jobs, as the schedule does,
// and removes what nobody needs.
func (x *Indexer) Reconcile(ctx context.Context, room string, check Check) error {
	counts, err := x.Queue.Counts(ctx)
	if err != nil {
		return fmt.Errorf("count the jobs: %w", err)
	}
	if counts.Waiting+counts.InFlight+counts.Delayed > maxStray {
		return nil // they are being worked on; the next time will do
	}
	jobs := 0
	for s := (&Sweep{Old: true}); s != nil; {
		swept, err := x.SweepStep(ctx, room, *s, check)
		if err != nil {
			return err
		}
		jobs += swept.Jobs
		s = swept.Next
	}
	if jobs > 0 {
		x.Log.InfoContext(ctx, "rows without vector and job were queued", "room", room, "jobs", jobs)
	}
	err = x.clean(ctx, room)
	if err == nil {
		err = x.complete(ctx, room)
	}
	if fault.Is(err, fault.NotFound) { // purged meanwhile
		return nil
	}
	return err
}

// complete notes that nothing is left to do in a room, if so.
func (x *Indexer) complete(ctx context.Context, room string) error {
	var s sweptItem
	done := false
	err := x.view(ctx, room, 0, func(_ *replica.Replica, v *replica.View) error {
		c, err := v.Coverage(ctx)
		done = err == nil && c.Pending == 0 && (v.State().Model == x.model() || c.Rows == 0) && !v.State().Closed
		s = sweptItem{Seq: v.State().Seq, Index: v.State().Index, Model: x.model(), At: x.millis()}
		return err
	})
	if err != nil || !done {
		return err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return x.Store.Write(ctx, store.Write{Item: store.Item{Key: sweptKey(room), Data: data}})
}
