package embed

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/functions/internal/batch"
	"nanotypedb/shared/queue"
)

// Lambda answers the events of the queue, with the messages that are not done.
// While the model wants to be left alone, it waits.
func (h *Handler) Lambda() func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handler(func(ctx context.Context, messages []queue.Message) []queue.Message {
		if err := h.Indexer.Pace.Ready(ctx); err != nil {
			return messages
		}
		defer h.Meter.FlushNow(ctx)
		return failed(h.Handle(ctx, messages))
	}, h.Log)
}

// Lambda answers the events of the dead-letter queue likewise.
func (d *DeadLetters) Lambda() func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handler(func(ctx context.Context, messages []queue.Message) []queue.Message {
		defer d.meter.FlushNow(ctx)
		return failed(d.Handle(ctx, messages))
	}, d.log)
}

func failed(failures []Failure) []queue.Message {
	messages := make([]queue.Message, len(failures))
	for i, f := range failures {
		messages[i] = f.Message
	}
	return messages
}
