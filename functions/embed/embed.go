// Package embed takes jobs off the queue of texts to embed and lets
// shared/indexing do them: batches of jobs, and those that came out of the
// dead-letter queue. It says of each message whether it is done. No message is
// acknowledged because it cannot be understood.
package embed

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nanotypedb/shared/alert"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/usage"
)

// PointTold is between telling a room of new vectors and the end of their jobs.
const PointTold faultpoint.Name = "embed.told"

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointTold}

// Alerts compares texts that have vectors now with what people want to hear
// of; alert.Alerts implements it.
type Alerts interface {
	Check(ctx context.Context, room string, texts []alert.Matched) error
}

// Announcer tells who looks at a room what its index log says;
// audience.Audience implements it.
type Announcer interface {
	TellIndex(ctx context.Context, st *replica.State, n int64, rows []audience.IndexedRow) error
}

// Deps are the parts that the function works on.
type Deps struct {
	Indexer *indexing.Indexer
	Queue   queue.Queue     // whose messages they are
	Alerts  Alerts          // nil: there are none
	Meter   *metering.Meter // nil: nothing is counted
	Log     *slog.Logger    // nil: slog.Default
}

// Handler works jobs off. It is safe for concurrent use.
type Handler struct{ Deps }

// New returns a handler.
func New(d Deps) *Handler {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Handler{Deps: d}
}

// Failure is a message that is not done. It is received again after Wait.
type Failure struct {
	Message queue.Message
	Err     error
	Wait    time.Duration
}

// Handle works a batch of messages off. Those it does not return are done and
// may be deleted. The others stay, and come again after a while: it has changed
// their visibility already.
func (h *Handler) Handle(ctx context.Context, messages []queue.Message) []Failure {
	ctx, invocation := h.Meter.Begin(ctx)
	failures := h.handle(ctx, messages)
	texts := usage.From(ctx).Counts()[usage.AI]
	counts := usage.Of(usage.Queued, requests(len(messages)))
	counts[usage.AI] = -texts // the indexer has counted them, for whose rows they are in
	invocation.End(ctx, metering.Outcome{
		Principal: usage.System, Op: "embed", Background: true, Rooms: roomsOf(messages), Counts: counts, Values: emf.Values{emf.AITexts: {float64(texts)}},
	})
	return failures
}

// roomsOf counts the jobs of each room: what a batch costs is divided so.
func roomsOf(messages []queue.Message) map[string]int64 {
	rooms := map[string]int64{}
	for _, m := range messages {
		if job, err := indexing.DecodeJob(m.Body); err == nil {
			rooms[job.Room]++
		}
	}
	return rooms
}

// requests is what a batch takes of the queue: to send, receive and delete up
// to ten messages is a request each.
func requests(messages int) int64 {
	return 3 * int64((messages+queue.MaxBatch-1)/queue.MaxBatch)
}

func (h *Handler) handle(ctx context.Context, messages []queue.Message) []Failure {
	var failures []Failure
	var deliveries []indexing.Delivery
	var of []queue.Message
	for _, m := range messages {
		job, err := indexing.DecodeJob(m.Body)
		switch {
		case err != nil: // kept until it is dead, so that somebody sees it
			failures = append(failures, Failure{Message: m, Err: err, Wait: h.Indexer.Wait(m.Receives, err)})
		case job.Sweep != nil:
			if err := h.sweep(ctx, job); err != nil {
				failures = append(failures, Failure{Message: m, Err: err, Wait: h.Indexer.Wait(m.Receives, err)})
			}
		default:
			deliveries, of = append(deliveries, indexing.Delivery{Job: job, Receives: m.Receives}), append(of, m)
		}
	}
	failures = append(failures, h.fail(ctx, deliveries, of, h.index(ctx, deliveries))...)
	h.putOff(ctx, failures)
	return failures
}

// sweep does a step of a sweep and sends the rest on.
func (h *Handler) sweep(ctx context.Context, job indexing.Job) error {
	swept, err := h.Indexer.SweepStep(ctx, job.Room, *job.Sweep, h.check)
	if err != nil || swept.Next == nil {
		return err
	}
	job.Sweep = swept.Next
	return h.Indexer.Send(ctx, job)
}

// index does jobs and what hangs off their vectors. Errors are by delivery.
func (h *Handler) index(ctx context.Context, deliveries []indexing.Delivery) []error {
	if len(deliveries) == 0 {
		return nil
	}
	result := h.Indexer.Index(ctx, deliveries)
	for _, said := range result.Indexed {
		if err := h.check(ctx, said); err != nil {
			for _, row := range said.Rows {
				result.Errs[row.Delivery] = err
			}
		}
	}
	faultpoint.Reach(PointTold)
	for i, d := range deliveries {
		if result.Errs[i] == nil {
			result.Errs[i] = h.Indexer.Settle(ctx, d, &result, i)
		}
	}
	return result.Errs
}

// check compares new vectors with the alerts of their room.
func (h *Handler) check(ctx context.Context, said indexing.Indexed) error {
	return check(ctx, h.Alerts, said)
}

func check(ctx context.Context, alerts Alerts, said indexing.Indexed) error {
	if alerts == nil {
		return nil
	}
	matched := make([]alert.Matched, 0, len(said.Rows))
	for _, row := range said.Rows {
		if row.State == replica.Indexed {
			matched = append(matched, alert.Matched{Table: row.Table, ID: row.ID, Version: row.Version, Vector: row.Vector})
		}
	}
	if len(matched) == 0 {
		return nil
	}
	return alerts.Check(ctx, said.Room, matched)
}

// fail records why jobs failed.
func (h *Handler) fail(ctx context.Context, deliveries []indexing.Delivery, of []queue.Message, causes []error) (failures []Failure) {
	// Also when the batch ran out of time: else nobody would know why it failed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	var recording sync.WaitGroup
	for i, cause := range causes {
		if cause == nil {
			continue
		}
		d := deliveries[i]
		failures = append(failures, Failure{Message: of[i], Err: cause, Wait: h.Indexer.Wait(d.Receives, cause)})
		recording.Go(func() {
			if err := h.Indexer.Fail(ctx, d.Job, d.Receives, cause); err != nil {
				h.Log.ErrorContext(ctx, "a failure was not recorded", "room", d.Job.Room, "job", d.Job.ID(), "error", err)
			}
		})
	}
	recording.Wait()
	return failures
}

// putOff makes failed messages come again when it is worth it. One that cannot
// be put off comes when its visibility ends.
func (h *Handler) putOff(ctx context.Context, failures []Failure) {
	if len(failures) == 0 {
		return
	}
	extensions := make([]queue.Extension, len(failures))
	for i, f := range failures {
		extensions[i] = queue.Extension{Receipt: f.Message.Receipt, For: f.Wait}
		h.Log.Log(ctx, level(f), "job failed", "room", roomOf(f.Message), "class", indexing.ClassOf(f.Err), "message", f.Message.ID, "receives", f.Message.Receives, "again", f.Wait, "error", f.Err)
	}
	// Also when the batch ran out of time: else they would wait for much longer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putOffTime)
	defer cancel()
	for batch := range slices.Chunk(extensions, queue.MaxBatch) {
		if err := h.Queue.Extend(ctx, batch...); err != nil && !errors.Is(err, queue.ErrStaleReceipt) {
			h.Log.WarnContext(ctx, "failed jobs were not put off", "error", err)
		}
	}
}

// roomOf is the room of a message's job; empty when it cannot be read.
func roomOf(m queue.Message) string {
	job, err := indexing.DecodeJob(m.Body)
	if err != nil {
		return ""
	}
	return job.Room
}

const (
	putOffTime = 3 * time.Second
	recordTime = 3 * time.Second
)

// level is that of the log: what the model is to blame for is to be expected.
func level(f Failure) slog.Level {
	var e *embedder.Error
	if errors.As(f.Err, &e) && f.Message.Receives < indexing.MaxReceives {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// Tell makes what indexing.Options wants of an announcer.
func Tell(a Announcer, log *slog.Logger) func(context.Context, indexing.Indexed) {
	if log == nil {
		log = slog.Default()
	}
	return func(ctx context.Context, said indexing.Indexed) {
		rows := make([]audience.IndexedRow, len(said.Rows))
		for i, row := range said.Rows {
			rows[i] = audience.IndexedRow{Table: row.Table, ID: row.ID, Creator: row.Creator, Vector: row.State.String()}
		}
		if err := a.TellIndex(ctx, said.State, said.N, rows); err != nil { // clients notice the gap in n
			log.WarnContext(ctx, "new vectors were not told", "room", said.Room, "n", said.N, "error", err)
		}
	}
}
