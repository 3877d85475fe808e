package batch_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/functions/internal/batch"
	"nanotypedb/shared/queue"
)

func record(id, receives string) events.SQSMessage {
	return events.SQSMessage{MessageId: id, ReceiptHandle: "r-" + id, Body: "body of " + id, Attributes: map[string]string{
		"ApproximateReceiveCount": receives, "SentTimestamp": "1000", "ApproximateFirstReceiveTimestamp": "2000",
	}}
}

func TestMessagesFailOneByOne(t *testing.T) {
	var got []queue.Message
	handler := batch.Handler(func(_ context.Context, messages []queue.Message) []queue.Message {
		got = messages
		return messages[1:]
	}, slog.New(slog.DiscardHandler))
	response, err := handler(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record("a", "1"), record("b", "many"), record("c", "5")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[1].ID != "c" || got[1].Receipt != "r-c" || got[1].Body != "body of c" || got[1].Receives != 5 ||
		!got[1].Sent.Equal(time.Unix(1, 0)) || !got[1].FirstReceived.Equal(time.Unix(2, 0)) {
		t.Errorf("received %+v", got)
	}
	if want := "[{b} {c}]"; fmt.Sprint(response.BatchItemFailures) != want {
		t.Errorf("failed: %v, want %s", response.BatchItemFailures, want)
	}
}

func TestNothingFailedIsSaid(t *testing.T) {
	handler := batch.Handler(func(context.Context, []queue.Message) []queue.Message { return nil }, slog.New(slog.DiscardHandler))
	response, err := handler(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record("a", "1")}})
	if err != nil || response.BatchItemFailures == nil || len(response.BatchItemFailures) != 0 {
		t.Errorf("%+v, %v; want an empty list, which is no null in JSON", response, err)
	}
}
