package jobs

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/functions/internal/batch"
	"nanotypedb/shared/queue"
)

// Lambda answers the events of the queue, with the messages that are not done.
func (h *Handler) Lambda() func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return batch.Handler(func(ctx context.Context, messages []queue.Message) []queue.Message {
		defer h.Meter.FlushNow(ctx)
		return h.Handle(ctx, messages)
	}, h.Log)
}

// Schedule answers the events of the schedule.
func (h *Handler) Schedule() func(context.Context) error {
	return func(ctx context.Context) error {
		rooms, err := h.Tick(ctx)
		h.Log.InfoContext(ctx, "schedule", "rooms", rooms, "error", err)
		return err
	}
}
