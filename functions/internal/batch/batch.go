// Package batch translates the events that a queue of SQS sends to a function:
// messages in, those that are not done out, one by one.
package batch

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/shared/queue"
)

// Handler answers events by work, which returns the messages that are not
// done. A message that cannot be read is not done either.
func Handler(work func(context.Context, []queue.Message) (failed []queue.Message), log *slog.Logger) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		fail := func(id string) {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		messages := make([]queue.Message, 0, len(event.Records))
		for i := range event.Records {
			m, err := message(&event.Records[i])
			if err != nil {
				log.ErrorContext(ctx, "message cannot be read", "message", event.Records[i].MessageId, "error", err)
				fail(event.Records[i].MessageId)
				continue
			}
			messages = append(messages, m)
		}
		if len(messages) == 0 {
			return response, nil
		}
		for _, m := range work(ctx, messages) {
			fail(m.ID)
		}
		return response, nil
	}
}

func message(r *events.SQSMessage) (queue.Message, error) {
	m := queue.Message{ID: r.MessageId, Receipt: r.ReceiptHandle, Body: r.Body}
	receives, err := number(r, "ApproximateReceiveCount")
	if err != nil {
		return m, err
	}
	sent, err := number(r, "SentTimestamp")
	if err != nil {
		return m, err
	}
	first, err := number(r, "ApproximateFirstReceiveTimestamp")
	m.Receives, m.Sent, m.FirstReceived = int(receives), time.UnixMilli(sent).UTC(), time.UnixMilli(first).UTC()
	return m, err
}

func number(r *events.SQSMessage, attribute string) (int64, error) {
	n, err := strconv.ParseInt(r.Attributes[attribute], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("attribute %s of message %s: %w", attribute, r.MessageId, err)
	}
	return n, nil
}
