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
	meter   *metering.Meter
	log     *slog.Logger
}

// NewDeadLetters returns the consumer of the dead-letter queue. meter and log
// may be nil.
func NewDeadLetters(x *indexing.Indexer, meter *metering.Meter, log *slog.Logger) *DeadLetters {
	if log == nil {
		log = slog.Default()
	}
	return &DeadLetters{indexer: x, meter: meter, log: log}
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
		for i, err := range d.indexer.Bury(ctx, jobs).Errs {
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
