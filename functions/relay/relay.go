// Package relay follows the change feed and does what hangs off the log: it
// repairs the indexes of users and e-mail addresses, sends the jobs that embed
// texts, and writes checkpoints.
// The feed is only the alarm clock: the relay keeps one contiguous watermark
// per room and reads the log from there, so events out of order, twice, late
// or never are all fine.
package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/usage"
)

// The steps between two effects.
const (
	PointIndexed faultpoint.Name = "relay.indexed" // indexes are repaired, no jobs are sent
	PointPlanned faultpoint.Name = "relay.planned" // jobs are sent, usage is not counted
	PointCounted faultpoint.Name = "relay.counted" // usage is counted, the watermark is not set
	PointMarked  faultpoint.Name = "relay.marked"  // the watermark is set, no checkpoint is written
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointIndexed, PointPlanned, PointCounted, PointMarked}

// indexer keeps the indexes of rooms; room.Engine implements it.
type indexer interface {
	RepairIndexes(ctx context.Context, st *replica.State, entry *commitlog.Entry) error
}

// planner sends the jobs that entries make; indexing.Indexer implements it.
type planner interface {
	Plan(ctx context.Context, r *replica.Replica, room string, entries []*commitlog.Entry) error
}

// ledger counts what commits consume; usage.Ledger implements it.
type ledger interface {
	Logged(ctx context.Context, room string, entries []*commitlog.Entry, sizes []int) error
}

// Deps are the parts that the relay works on.
type Deps struct {
	Store    store.Store
	Replicas *replica.Cache
	Rooms    indexer
	Planner  planner          // nil: no jobs
	Ledger   ledger           // nil: nothing is counted
	Meter    *metering.Meter  // nil: no metrics
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default
}

// Handler is the relay. It is safe for concurrent use.
type Handler struct {
	Deps
	pace pace
}

// New returns a relay.
func New(d Deps) *Handler {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Handler{Deps: d, pace: pace{rested: map[string]time.Time{}, postponed: map[string]bool{}}}
}

// Failure is a change that was not worked off and is to be told again.
type Failure struct {
	Change store.Change
	Err    error
}

// Handle works off the rooms that changes tell of. Rooms fail one by one: a
// room that cannot be relayed holds up no other.
func (h *Handler) Handle(ctx context.Context, changes []store.Change) []Failure {
	var failures []Failure
	done := map[string]error{}
	for _, change := range changes {
		err, seen := done[change.Key.PK]
		if !seen {
			err = h.relay(ctx, change.Key.PK)
			done[change.Key.PK] = err
		}
		if err != nil {
			failures = append(failures, Failure{Change: change, Err: err})
		}
	}
	return failures
}

func (h *Handler) relay(ctx context.Context, partition string) error {
	ulid, ok := commitlog.RoomOf(partition)
	if !ok {
		return nil // not a log; the feed's filter lets none of these through
	}
	ctx, invocation := h.Meter.Begin(ctx)
	usage.From(ctx).In(ulid)
	var worked usage.Counts
	lag := int64(0)
	err := h.work(ctx, ulid, &worked, &lag)
	invocation.End(ctx, metering.Outcome{Principal: usage.System, Op: "relay", Background: true, Failed: err != nil, Values: emf.Values{
		emf.Commits: {float64(worked[usage.Commits])}, emf.Writes: {float64(worked[usage.Writes])}, emf.Lag: {float64(lag)},
	}})
	return err
}

// work works a room's log off and adds what it did to worked. lag is how many
// entries were waiting.
func (h *Handler) work(ctx context.Context, ulid string, worked *usage.Counts, lag *int64) error {
	r, release, err := h.Replicas.Acquire(ctx, ulid)
	if fault.Is(err, fault.NotFound) {
		return nil // purged since
	}
	if err != nil {
		return fmt.Errorf("relay room %s: %w", ulid, err)
	}
	defer release()
	if err := h.advance(ctx, r, ulid, worked, lag); err != nil {
		return fmt.Errorf("relay room %s: %w", ulid, err)
	}
	return h.checkpoint(ctx, r, ulid)
}

// pageEntries is how many entries are worked off between two watermarks.
const pageEntries = 500

// advance works the log off from the watermark to its end.
func (h *Handler) advance(ctx context.Context, r *replica.Replica, ulid string, worked *usage.Counts, lag *int64) error {
	mark, err := h.watermark(ctx, ulid)
	if err != nil {
		return err
	}
	begin := mark.Relayed
	for {
		entries, sizes, more, err := commitlog.Read(ctx, h.Store, ulid, mark.Relayed, pageEntries)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		*lag = max(*lag, entries[len(entries)-1].Seq-begin)
		if err := h.index(ctx, r, entries); err != nil {
			return err
		}
		faultpoint.Reach(PointIndexed)
		for len(entries) > 0 {
			done, err := h.plan(ctx, r, ulid, &mark, entries[:portion(entries)])
			if err != nil {
				return err
			}
			faultpoint.Reach(PointPlanned)
			if err := h.count(ctx, ulid, entries[:done], sizes[:done], worked); err != nil {
				return err
			}
			faultpoint.Reach(PointCounted)
			if err := h.mark(ctx, ulid, &mark, entries[done-1].Seq); err != nil {
				return err
			}
			faultpoint.Reach(PointMarked)
			entries, sizes = entries[done:], sizes[done:]
		}
		if !more {
			return nil
		}
	}
}

// count adds what entries consume to the usage of the room.
func (h *Handler) count(ctx context.Context, ulid string, entries []*commitlog.Entry, sizes []int, worked *usage.Counts) error {
	for i, e := range entries {
		*worked = worked.Plus(usage.Entry(e, sizes[i]))
	}
	if h.Ledger == nil {
		return nil
	}
	if err := h.Ledger.Logged(ctx, ulid, entries, sizes); err != nil {
		return fmt.Errorf("count entries up to %d: %w", entries[len(entries)-1].Seq, err)
	}
	return nil
}

func (h *Handler) index(ctx context.Context, r *replica.Replica, entries []*commitlog.Entry) error {
	for _, e := range entries {
		if !room.TouchesIndexes(e) {
			continue
		}
		if r.State().Seq < e.Seq {
			if err := r.CatchUp(ctx); err != nil {
				return err
			}
		}
		if err := h.Rooms.RepairIndexes(ctx, r.State(), e); err != nil {
			return fmt.Errorf("repair indexes after %d: %w", e.Seq, err)
		}
	}
	return nil
}

// watermark is how far a room has been relayed; it is kept in the room's item
// of the list of all rooms.
type watermark struct {
	Relayed int64 `json:"relayed"`

	// Stuck is an entry whose jobs could not be made, and Tries how often.
	Stuck int64 `json:"stuck"`
	Tries int   `json:"tries"`

	item   store.Item
	absent bool
}

func (h *Handler) watermark(ctx context.Context, ulid string) (watermark, error) {
	key := room.ShardKey(ulid)
	item, err := h.Store.Get(ctx, key, true)
	if errors.Is(err, store.ErrNotFound) {
		return watermark{item: store.Item{Key: key}, absent: true}, nil
	}
	if err != nil {
		return watermark{}, fmt.Errorf("read the watermark: %w", err)
	}
	mark := watermark{item: item}
	if len(item.Data) > 0 {
		if err := json.Unmarshal(item.Data, &mark); err != nil {
			return watermark{}, fmt.Errorf("decode the watermark: %w", err)
		}
	}
	return mark, nil
}

// mark moves the watermark forward. Losing to another relay is no failure:
// both work the same log off, and the later one reads where the other was.
func (h *Handler) mark(ctx context.Context, ulid string, mark *watermark, seq int64) error {
	return h.note(ctx, ulid, mark, watermark{Relayed: seq})
}

// note replaces the watermark by next.
func (h *Handler) note(ctx context.Context, ulid string, mark *watermark, next watermark) error {
	fields := map[string]json.RawMessage{}
	if len(mark.item.Data) > 0 {
		if err := json.Unmarshal(mark.item.Data, &fields); err != nil {
			return fmt.Errorf("decode the watermark: %w", err)
		}
	}
	fields["relayed"] = fmt.Appendf(nil, "%d", next.Relayed)
	delete(fields, "stuck")
	delete(fields, "tries")
	if next.Tries > 0 {
		fields["stuck"], fields["tries"] = fmt.Appendf(nil, "%d", next.Stuck), fmt.Appendf(nil, "%d", next.Tries)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	w := store.Write{Action: store.Put, If: store.Unchanged, Previous: bytes.Clone(mark.item.Data), Item: mark.item}
	if mark.absent {
		w.If, w.Previous = store.Absent, nil
	}
	w.Item.Data = data
	err = h.Store.Write(ctx, w)
	var lost *store.ConditionError
	if errors.As(err, &lost) {
		*mark, err = h.watermark(ctx, ulid)
		return err
	}
	if err != nil {
		return fmt.Errorf("set the watermark to %d: %w", next.Relayed, err)
	}
	*mark = next
	mark.item = w.Item
	return nil
}
