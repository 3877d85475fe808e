package embed

import (
	"context"
	"log/slog"

	"nanotypedb/shared/emf"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/usage"
)

// DeadLetters ends jobs that came out of the dead-letter queue. It is safe for
// concurrent use.
type DeadLetters struct {
	indexer *indexing.Indexer
	alerts  Alerts
	meter   *metering.Meter
	log     *slog.Logger
}

// NewDeadLetters returns the consumer of the dead-letter queue. alerts, meter
// and log may be nil.
func NewDeadLetters(x *indexing.Indexer, alerts Alerts, meter *metering.Meter, log *slog.Logger) *DeadLetters {
	if log == nil {
		log = slog.Default()
	}
	return &DeadLetters{indexer: x, alerts: alerts, meter: meter, log: log}
}

// Handle records messages as dead. Those it does not return may be deleted;
// the others stay and come again.
func (d *DeadLetters) Handle(ctx context.Context, messages []queue.Message) []Failure {
	ctx, invocation := d.meter.Begin(ctx)
	failures := d.handle(ctx, messages)
	invocation.End(ctx, metering.Outcome{Principal: usage.System, Op: "dead", Background: true, Rooms: roomsOf(messages), Failed: len(failures) > 0, Values: emf.Values{
		emf.DeadJobs: {float64(len(messages) - len(failures))},
	}})
	return failures
}

func (d *DeadLetters) handle(ctx context.Context, messages []queue.Message) []Failure {
	var failures []Failure
	var jobs []indexing.Job
	var of []queue.Message
	for _, m := range messages {
		job, err := indexing.DecodeJob(m.Body)
		if err == nil {
			jobs, of = append(jobs, job), append(of, m)
			continue
		}
		if err := d.indexer.Discarded(ctx, m, err); err != nil {
			failures = append(failures, Failure{Message: m, Err: err})
		}
	}
	if len(jobs) > 0 {
		for i, err := range d.bury(ctx, jobs) {
			if err != nil {
				failures = append(failures, Failure{Message: of[i], Err: err})
			}
		}
	}
	for _, f := range failures {
		d.log.ErrorContext(ctx, "a dead job was not recorded", "message", f.Message.ID, "error", f.Err)
	}
	return failures
}

// bury ends jobs. One that died though its text has a vector may have done so
// over the alerts: they are told now, or the message stays.
func (d *DeadLetters) bury(ctx context.Context, jobs []indexing.Job) []error {
	result := d.indexer.Bury(ctx, jobs)
	for _, said := range result.Indexed {
		if err := check(ctx, d.alerts, said); err != nil {
			for _, row := range said.Rows {
				result.Errs[row.Delivery] = err
			}
		}
	}
	return result.Errs
}
