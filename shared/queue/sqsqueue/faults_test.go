package sqsqueue_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqsqueue"
)

// What an SDK makes of lost replies, lost requests and throttling loses no
// message: each is received, or dead after receives whose answers were lost, and
// none comes again after a delete that said it was done.
func TestNothingIsLostUnderFaults(t *testing.T) {
	faults := awstest.NewFaults(t, awstest.Rates{Dropped: 0.15, Late: 0.1, Throttled: 0.1, Failed: 0.1})
	queues := instance(t, faults.Install)
	const total = 120
	want := map[string]bool{}
	for from := 0; from < total; from += queue.MaxBatch {
		var batch []queue.Outgoing
		for i := range queue.MaxBatch {
			batch = append(batch, queue.Outgoing{Body: fmt.Sprint(from + i)})
			want[fmt.Sprint(from+i)] = true
		}
		for queues.Queue.Send(t.Context(), batch...) != nil { // an outcome that is unknown is repeated too
		}
	}
	faults.Deliver()
	deleted := map[string]bool{} // by id
	for until := time.Now().Add(time.Minute); len(want) > 0 && time.Now().Before(until); {
		for _, q := range []queue.Queue{queues.Queue, queues.Dead} {
			messages, err := q.Receive(t.Context(), queue.Request{Max: queue.MaxBatch, Visibility: time.Second})
			if err != nil {
				continue // what it hid comes again
			}
			for _, m := range messages {
				if deleted[m.ID] {
					t.Errorf("message %s came after its delete", m.ID)
				}
				deleted[m.ID] = q.Delete(t.Context(), m.Receipt) == nil
				delete(want, m.Body)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("%d messages are lost: %v", len(want), want)
	}
	if c := faults.Counts(); c.Dropped == 0 || c.Late == 0 || c.Throttled == 0 || c.Failed == 0 {
		t.Errorf("not every fault occurred: %+v", c)
	}
}

// A receive is sent once, whatever becomes of it.
func TestReceiveIsNotRepeated(t *testing.T) {
	for name, rates := range map[string]awstest.Rates{
		"dropped": {Dropped: 1}, "failed": {Failed: 1}, "throttled": {Throttled: 1},
	} {
		faults := awstest.NewFaultsSeeded(1, awstest.Rates{})
		q := instance(t, faults.Install).Queue
		if err := q.Send(t.Context(), queue.Outgoing{Body: "x"}); err != nil {
			t.Fatal(err)
		}
		before := faults.Counts().Requests
		faults.SetRates(rates)
		_, err := q.Receive(t.Context(), queue.Request{Max: 1, Visibility: time.Minute})
		want := queue.ErrUnknownOutcome
		if name == "throttled" {
			want = queue.ErrThrottled
		}
		if n := faults.Counts().Requests - before; !errors.Is(err, want) || n != 1 {
			t.Errorf("%s: %v after %d requests, want %v after 1", name, err, n, want)
		}
	}
}

// scripted is a queue of a server that answers every request alike.
func scripted(t *testing.T, status int, answer string, install ...func(*middleware.Stack) error) *sqsqueue.Queue {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	config := awstest.ConfigFor(server.URL, install...)
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	client := sqs.NewFromConfig(config, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true })
	return sqsqueue.New(client, client, server.URL+"/000000000000/q")
}

func TestFailuresAreMappedToTheirEntries(t *testing.T) {
	q := scripted(t, http.StatusOK, `{"Successful":[{"Id":"1"}],"Failed":[
		{"Id":"0","Code":"ReceiptHandleIsInvalid","SenderFault":true},
		{"Id":"2","Code":"AWS.SimpleQueueService.MessageNotInflight","SenderFault":true},
		{"Id":"3","Code":"InvalidParameterValue","Message":"Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.","SenderFault":true},
		{"Id":"4","Code":"InvalidParameterValue","Message":"Value 43200 for parameter VisibilityTimeout is invalid.","SenderFault":true},
		{"Id":"5","Code":"RequestThrottled","SenderFault":true},
		{"Id":"6","Code":"InternalError","SenderFault":false}]}`)
	want := map[int]error{0: queue.ErrStaleReceipt, 2: queue.ErrStaleReceipt, 3: queue.ErrStaleReceipt, 4: nil,
		5: queue.ErrThrottled, 6: queue.ErrUnknownOutcome, 7: queue.ErrUnknownOutcome}
	known := []error{queue.ErrStaleReceipt, queue.ErrThrottled, queue.ErrUnknownOutcome}
	outgoing, receipts, extensions := make([]queue.Outgoing, 8), make([]string, 8), make([]queue.Extension, 8)
	for i := range 8 {
		outgoing[i].Body, receipts[i], extensions[i].Receipt = "x", "r", "r"
	}
	for name, err := range map[string]error{
		"Send": q.Send(t.Context(), outgoing...), "Delete": q.Delete(t.Context(), receipts...), "Extend": q.Extend(t.Context(), extensions...),
	} {
		var batch *queue.BatchError
		if !errors.As(err, &batch) || len(batch.Failed) != len(want) {
			t.Errorf("%s: %v, want %d failed entries", name, err, len(want))
			continue
		}
		for i, expected := range want {
			for _, k := range known {
				if errors.Is(batch.Failed[i], k) != (k == expected) {
					t.Errorf("%s: entry %d: %v, want %v", name, i, batch.Failed[i], expected)
				}
			}
		}
	}
}

func TestErrorsOfAWholeRequest(t *testing.T) {
	for _, c := range []struct {
		status int
		answer string
		want   error // nil: none of the port's
	}{
		{400, `{"__type":"com.amazonaws.sqs#RequestThrottled"}`, queue.ErrThrottled},
		{400, `{"__type":"com.amazonaws.sqs#OverLimit"}`, queue.ErrThrottled},
		{400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}`, nil},
		{500, `{"__type":"InternalError"}`, queue.ErrUnknownOutcome},
		{503, `<html>`, queue.ErrUnknownOutcome},
		{200, `{"Successful":[{"Id":"0"`, queue.ErrUnknownOutcome},
		{200, `{"Successful":[{"Id":"0"}],"Failed":[{"Id":"9"}]}`, queue.ErrUnknownOutcome},
	} {
		err := scripted(t, c.status, c.answer).Delete(t.Context(), "r")
		for _, k := range []error{queue.ErrStaleReceipt, queue.ErrThrottled, queue.ErrUnknownOutcome} {
			if err == nil || errors.Is(err, k) != (k == c.want) {
				t.Errorf("status %d, %s: %v, want %v", c.status, c.answer, err, c.want)
			}
		}
	}
}
