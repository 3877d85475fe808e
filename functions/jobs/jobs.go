// Package jobs does long work: jobs that people started, a step at a time, and
// what the schedule has to do in each room. Both come as messages of the queue
// "jobs". It says of each message whether it is done.
package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"nanotypedb/shared/backup"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/job"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/usage"
)

// QueueName and DeadQueueName are the queue of this function and that of its
// dead letters. A message there is of a job that was interrupted MaxReceives
// times; the schedule revives it, and it fails with a reason.
const (
	QueueName     = "jobs"
	DeadQueueName = "jobs-dead"
	MaxReceives   = 5
)

// PointSent is between two rooms of the schedule.
const PointSent faultpoint.Name = "jobs.schedule.sent"

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointSent}

// Runner works on jobs; job.Runner implements it.
type Runner interface {
	Handle(ctx context.Context, m queue.Message) error
}

// Keeper looks after rooms; backup.Keeper implements it.
type Keeper interface {
	Due(ctx context.Context, fn func(ulid string) error) error
	Upkeep(ctx context.Context, ulid string) error
	Stored(ctx context.Context, ulid string) (table, blobs int64, err error)
}

// Ledger sums up the usage of rooms; usage.Ledger implements it.
type Ledger interface {
	RollUp(ctx context.Context, room string) (days int, err error)
	Measure(ctx context.Context, room string, measure func(context.Context) (usage.Sizes, error)) error
}

// Deps are the parts that the function works on.
type Deps struct {
	Runner Runner
	Keeper Keeper
	Ledger Ledger          // nil: usage is not summed up
	Meter  *metering.Meter // nil: nothing is counted
	Queue  queue.Queue     // whose messages they are
	Base   time.Duration   // of the wait before a message comes again; 0: 2 s
	Log    *slog.Logger    // nil: slog.Default
}

// Handler works messages off. It is safe for concurrent use.
type Handler struct{ Deps }

// New returns a handler.
func New(d Deps) *Handler {
	if d.Base == 0 {
		d.Base = 2 * time.Second
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Handler{Deps: d}
}

// Handle works a batch of messages off, one after the other, and returns those
// that are to come again. Their visibility is changed already.
func (h *Handler) Handle(ctx context.Context, messages []queue.Message) (failed []queue.Message) {
	for _, m := range messages {
		err := h.handle(ctx, m)
		if err == nil {
			continue
		}
		failed = append(failed, m)
		if ctx.Err() != nil {
			continue // it comes again when its visibility ends
		}
		h.Log.WarnContext(ctx, "job is to be tried again", "message", m.ID, "receives", m.Receives, "error", err)
		if err := h.Queue.Extend(ctx, queue.Extension{Receipt: m.Receipt, For: h.wait(m.Receives)}); err != nil && !errors.Is(err, queue.ErrStaleReceipt) {
			h.Log.WarnContext(ctx, "job comes again later than it should", "message", m.ID, "error", err)
		}
	}
	return failed
}

func (h *Handler) handle(ctx context.Context, m queue.Message) error {
	if u, ok := backup.DecodeMessage(m.Body); ok {
		return h.upkeep(ctx, u.Upkeep)
	}
	ctx, invocation := h.Meter.Begin(ctx)
	err := h.Runner.Handle(ctx, m)
	invocation.End(ctx, metering.Outcome{
		Principal: cmp.Or(usage.From(ctx).Principal(), usage.System), Op: "job", Background: true, Failed: err != nil, Counts: usage.Of(usage.Queued, queueRequests),
	})
	return err
}

// queueRequests is what a message takes of the queue: it is sent, received and
// deleted.
const queueRequests = 3

// upkeep looks after a room; what that costs is the room's.
func (h *Handler) upkeep(ctx context.Context, ulid string) error {
	ctx, invocation := h.Meter.Begin(ctx)
	usage.From(ctx).In(ulid)
	err := h.Keeper.Upkeep(ctx, ulid)
	if err == nil && h.Ledger != nil {
		err = h.sumUp(ctx, ulid)
	}
	invocation.End(ctx, metering.Outcome{Principal: usage.System, Op: "upkeep", Background: true, Failed: err != nil})
	return err
}

// sumUp sums the room's usage of days that are over, and measures the room.
func (h *Handler) sumUp(ctx context.Context, ulid string) error {
	if _, err := h.Ledger.RollUp(ctx, ulid); err != nil {
		return err
	}
	return h.Ledger.Measure(ctx, ulid, func(ctx context.Context) (sizes usage.Sizes, err error) {
		sizes.Table, sizes.Blobs, err = h.Keeper.Stored(ctx, ulid)
		return sizes, err
	})
}

// maxWait bounds the wait before a message comes again.
const maxWait = 10 * time.Minute

// wait is base·2^(receives-1), with up to a quarter more by chance.
func (h *Handler) wait(receives int) time.Duration {
	d := min(maxWait, h.Base<<min(receives-1, 16))
	return d + rand.N(d/4+1)
}

// Tick is the schedule: it sends a message for each room that has to be looked
// after. It returns how many there were. A room is sent again as long as it
// was not looked after, and looking after it twice does no harm.
func (h *Handler) Tick(ctx context.Context) (rooms int, err error) {
	err = h.Keeper.Due(ctx, func(ulid string) error {
		body, err := backup.Message{Upkeep: ulid}.Encode()
		if err != nil {
			return err
		}
		if err := h.Queue.Send(ctx, queue.Outgoing{Body: body}); err != nil {
			return err
		}
		faultpoint.Reach(PointSent)
		rooms++
		return nil
	})
	return rooms, err
}

// Teller sends a notification to the connections of a user;
// audience.Audience implements it.
type Teller interface {
	Tell(ctx context.Context, ulid, user, method string, params json.RawMessage) error
}

// Announcer tells whoever started a job what became of it, as the notification
// `job`.
type Announcer struct{ Teller }

// maxResult is how large a result may be that is told; what is larger is asked
// for by its id.
const maxResult = 16 << 10

// AnnounceJob implements job.Announcer.
func (a Announcer) AnnounceJob(ctx context.Context, j *job.Job) error {
	notice := struct {
		ID       string          `json:"id"`
		Kind     string          `json:"kind"`
		State    job.State       `json:"state"`
		Progress float64         `json:"progress"`
		Step     string          `json:"step,omitempty"`
		Result   json.RawMessage `json:"result,omitempty"`
		Error    *job.Failure    `json:"error,omitempty"`
	}{j.ID, j.Kind, j.State, j.Progress, j.Phase, j.Result, j.Error}
	if len(notice.Result) > maxResult {
		notice.Result = nil
	}
	params, err := json.Marshal(notice)
	if err != nil {
		return err
	}
	return a.Tell(ctx, j.Room, j.By.ID, "job", params)
}
