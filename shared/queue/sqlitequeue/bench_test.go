package sqlitequeue_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/queue"
)

// batchOf makes messages of 200 bytes, about a job's size.
func batchOf(n int) []queue.Outgoing {
	batch := make([]queue.Outgoing, n)
	for i := range batch {
		batch[i].Body = strings.Repeat("x", 200)
	}
	return batch
}

// BenchmarkSend sends batches of ten from a few senders.
func BenchmarkSend(b *testing.B) {
	for _, senders := range []int{1, 8} {
		b.Run(strconv.Itoa(senders), func(b *testing.B) {
			jobs := openQueues(b, b.TempDir()).queue(b, living)
			batch := batchOf(queue.MaxBatch)
			each(b, senders, func() error { return jobs.Send(b.Context(), batch...) })
		})
	}
}

// BenchmarkReceiveDelete receives and deletes batches of ten, with a backlog.
func BenchmarkReceiveDelete(b *testing.B) {
	for _, receivers := range []int{1, 8} {
		b.Run(strconv.Itoa(receivers), func(b *testing.B) {
			jobs := openQueues(b, b.TempDir()).queue(b, living)
			for range b.N + 1000 {
				if err := jobs.Send(b.Context(), batchOf(queue.MaxBatch)...); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			each(b, receivers, func() error {
				messages, err := jobs.Receive(b.Context(), queue.Request{Max: queue.MaxBatch, Visibility: time.Hour})
				if err != nil {
					return err
				}
				receipts := make([]string, len(messages))
				for i, m := range messages {
					receipts[i] = m.Receipt
				}
				return jobs.Delete(b.Context(), receipts...)
			})
		})
	}
}

// each calls do b.N times from so many goroutines and reports messages a second.
func each(b *testing.B, goroutines int, do func() error) {
	b.Helper()
	var group sync.WaitGroup
	for g := range goroutines {
		group.Go(func() {
			for i := g; i < b.N; i += goroutines {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N*queue.MaxBatch)/b.Elapsed().Seconds(), "messages/s")
}
