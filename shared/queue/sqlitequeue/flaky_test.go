package sqlitequeue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/flakyqueue"
	"nanotypedb/shared/queue/queuetest"
	"nanotypedb/shared/queue/sqlitequeue"
)

// TestScriptedFaults shows each fault of flakyqueue on a queue that knows the
// truth.
func TestScriptedFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		jobs := openQueues(t, t.TempDir()).queue(t, living)
		flaky := flakyqueue.New(jobs, flakyqueue.Plan{})
		flaky.Script(flakyqueue.Send, flakyqueue.LoseRequest, flakyqueue.Throttle, flakyqueue.DropReply, flakyqueue.Twice)
		for i, c := range []struct {
			want  error
			total int64
		}{{queue.ErrUnknownOutcome, 0}, {queue.ErrThrottled, 0}, {queue.ErrUnknownOutcome, 1}, {nil, 3}, {nil, 4}} {
			err := flaky.Send(ctx, queue.Outgoing{Body: fmt.Sprint(i)})
			counts, countErr := jobs.Counts(ctx)
			if !errors.Is(err, c.want) || countErr != nil || counts.Waiting != c.total {
				t.Errorf("send %d: %v, %+v, want %v and %d messages", i, err, counts, c.want, c.total)
			}
		}
		flaky.Script(flakyqueue.Receive, flakyqueue.LoseRequest, flakyqueue.DropReply)
		for i, waiting := range []int64{4, 0} {
			messages, err := flaky.Receive(ctx, queue.Request{Max: 10, Visibility: time.Minute})
			counts, countErr := flaky.Counts(ctx)
			if !errors.Is(err, queue.ErrUnknownOutcome) || len(messages) > 0 || countErr != nil || counts.Waiting != waiting {
				t.Errorf("receive %d: %v, %v, %+v", i, messages, err, counts)
			}
		}
	})
}

// TestEveryJobEndsUnderFaults: a worker that takes no failure for an answer
// handles or buries every job, by the clock of a bubble.
func TestEveryJobEndsUnderFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 100
		ctx, o := t.Context(), openQueues(t, t.TempDir())
		plan := flakyqueue.Plan{Seed: 1, DropReply: 0.2, LoseRequest: 0.1, Throttle: 0.1, Twice: 0.1}
		jobs := flakyqueue.New(o.queue(t, living), plan)
		for i := range total {
			for jobs.Send(ctx, queue.Outgoing{Body: fmt.Sprint(i)}) != nil {
			}
		}
		ended := map[string]bool{}
		for _, q := range []queue.Queue{jobs, o.queue(t, dead)} {
			for wait, cancel := context.WithTimeout(ctx, time.Hour); ; {
				messages, err := q.Receive(wait, queue.Request{Max: 3, Wait: queue.MaxWait, Visibility: time.Minute})
				if errors.Is(err, context.DeadlineExceeded) {
					cancel()
					break
				}
				for _, m := range messages {
					if ended[m.Body] = true; q == jobs && m.Receives > queuetest.MaxReceives {
						t.Errorf("job %s was received %d times", m.Body, m.Receives)
					}
					_ = q.Delete(ctx, m.Receipt) // what stays comes again
				}
			}
		}
		if len(ended) != total {
			t.Errorf("%d of %d jobs ended", len(ended), total)
		}
		for _, fault := range []flakyqueue.Fault{flakyqueue.DropReply, flakyqueue.LoseRequest, flakyqueue.Throttle, flakyqueue.Twice} {
			if jobs.Count(fault) == 0 {
				t.Errorf("the fault %q never occurred", fault)
			}
		}
	})
}

// TestRetention: what is too old is not received, and the rest is, also behind
// many that are too old.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := sqlitequeue.Options{Name: "jobs", Retention: time.Hour}
		jobs := openQueues(t, t.TempDir()).queue(t, options)
		for range 30 {
			if err := jobs.Send(t.Context(), batchOf(queue.MaxBatch)...); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(59 * time.Minute)
		if err := jobs.Send(t.Context(), queue.Outgoing{Body: "young"}); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		messages, err := jobs.Receive(t.Context(), queue.Request{Max: 1, Visibility: time.Minute})
		if err != nil || len(messages) != 1 || messages[0].Body != "young" {
			t.Fatalf("received %v, %v", messages, err)
		}
		if counts, err := jobs.Counts(t.Context()); err != nil || counts.Waiting != 0 || counts.InFlight != 1 {
			t.Fatalf("the counts are %+v, %v", counts, err)
		}
	})
}
