package sqlitequeue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/sqlitefile"
)

// childFolder makes the test binary a child that works on queues in that folder
// until it is killed.
const childFolder = "NANO_TEST_CHILD_FOLDER"

func TestMain(m *testing.M) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), folder); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

// say writes a line in one system call: what was said before the kill is read
// after it.
func say(format string, args ...any) error {
	_, err := fmt.Fprintf(os.Stdout, format+"\n", args...)
	return err
}

func child(ctx context.Context, folder string) error {
	file, err := sqlitefile.Open(ctx, folder, sqlitefile.Options{CheckpointBytes: 64 << 10})
	if err != nil {
		return err
	}
	queues, err := sqlitequeue.Open(ctx, file)
	if err != nil {
		return err
	}
	jobs, err1 := queues.Queue(living)
	failed, err2 := queues.Queue(dead)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	var group sync.WaitGroup
	errs := make([]error, 4)
	group.Go(func() { errs[0] = sendJobs(ctx, jobs) })
	group.Go(func() { errs[1] = workOn(ctx, "live", jobs) })
	group.Go(func() { errs[2] = workOn(ctx, "live", jobs) })
	group.Go(func() { errs[3] = workOn(ctx, "dead", failed) })
	group.Wait()
	return errors.Join(errs...)
}

// sendJobs sends good jobs and poisonous ones, a few more than are handled.
func sendJobs(ctx context.Context, jobs queue.Queue) error {
	for n := 0; ; n++ {
		kind := "good"
		if n%3 == 0 {
			kind = "poison"
		}
		body := fmt.Sprintf("%s-%d-%d", kind, time.Now().UnixNano(), n)
		if err := say("sending %s", body); err != nil {
			return err
		}
		if err := jobs.Send(ctx, queue.Outgoing{Body: body}); err != nil {
			return err
		}
		if err := say("sent %s", body); err != nil {
			return err
		}
	}
}

// workOn deletes good messages and fails with poisonous ones, in both ways.
func workOn(ctx context.Context, where string, q queue.Queue) error {
	for {
		messages, err := q.Receive(ctx, queue.Request{Max: 3, Wait: queue.MaxWait, Visibility: time.Minute})
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := work(ctx, where, q, m); err != nil {
				return err
			}
		}
	}
}

func work(ctx context.Context, where string, q queue.Queue, m queue.Message) error {
	if err := say("%s %s %d", where, m.Body, m.Receives); err != nil {
		return err
	}
	if where == "live" && m.Body[0] == 'p' {
		return q.Extend(ctx, queue.Extension{Receipt: m.Receipt})
	}
	if err := say("deleting %s", m.Body); err != nil {
		return err
	}
	if err := q.Delete(ctx, m.Receipt); err != nil {
		return err
	}
	return say("deleted %s", m.Body)
}
