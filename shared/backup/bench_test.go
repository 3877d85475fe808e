package backup_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/backup"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
)

// fillRows makes a room with rows of about 100 bytes.
func (w *world) fillRows(id string, rows int) (ulid string) {
	w.t.Helper()
	ulid = w.create(id)
	for n := 0; n < rows; n += 1000 {
		ops := make([]string, 0, 1000)
		for i := n; i < min(n+1000, rows); i++ {
			ops = append(ops, insert(fmt.Sprintf("r%07d", i), fmt.Sprintf("task %d: call %d about the %d-th invoice of week %d", i, i*7919%1000, i*104729%97, i%52)))
		}
		w.commit(id, ops...)
	}
	return ulid
}

// peak runs fn and gives by how many MB the process grew at most meanwhile, of
// all its memory, SQLite's too. Linux only; elsewhere it gives 0.
func peak(b *testing.B, fn func()) float64 {
	b.Helper()
	before := status("VmRSS:")
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil { // sets VmHWM to VmRSS, see proc(5)
		before = 0
	}
	fn()
	if before == 0 {
		return 0
	}
	return max(0, status("VmHWM:")-before) / 1024
}

// status reads a line of /proc/self/status, in KB.
func status(name string) float64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb
		}
	}
	return 0
}

func BenchmarkSnapshot(b *testing.B) {
	for _, rows := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
			w := newWorld(b)
			w.fillRows("plans", rows)
			var s backup.Snapshot
			grown := 0.0
			b.ResetTimer()
			for b.Loop() {
				grown = max(grown, peak(b, func() { s = w.take("plans", "") }))
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(s.Bytes)/float64(rows), "B/row")
			b.ReportMetric(grown, "MB-peak")
		})
	}
}

// BenchmarkRestore goes back by a change of every row: the dearest there is.
func BenchmarkRestore(b *testing.B) {
	for _, rows := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
			w := newWorld(b)
			w.fillRows("plans", rows)
			w.take("plans", "")
			seqs := []int64{w.commit("plans", `{"op":"alterTable","table":"tasks","drop":["status"]}`)}
			seqs = append([]int64{seqs[0] - 1}, seqs...)
			grown := 0.0
			b.ResetTimer()
			for n := 0; b.Loop(); n++ {
				grown = max(grown, peak(b, func() {
					j, err := w.keeper.Restore(b.Context(), ada, ref("plans"), backup.Restore{Seq: seqs[n%2]})
					for err == nil && !j.State.Final() {
						w.queue.bodies, err = nil, w.jobs.Handle(b.Context(), queueMessage(w.queue.bodies[len(w.queue.bodies)-1]))
						if err == nil {
							j, err = w.jobs.Get(b.Context(), j.Room, j.ID)
						}
					}
					if err != nil || j.State != job.Done {
						b.Fatal(j.State, j.Error, err)
					}
				}))
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(grown, "MB-peak")
		})
	}
}

// BenchmarkRebuild rebuilds a seq between two snapshots.
func BenchmarkRebuild(b *testing.B) {
	w := newWorld(b)
	ulid := w.fillRows("plans", 10_000)
	w.take("plans", "")
	for i := range 500 {
		w.commit("plans", fmt.Sprintf(`{"op":"update","table":"tasks","id":"r%07d","set":{"title":"changed"}}`, i))
	}
	must(b, w.keeper.Archive(b.Context(), ulid, true))
	b.ResetTimer()
	for n := int64(0); b.Loop(); n++ {
		b.StopTimer()
		w.open(w.store, w.blobs) // an empty cache
		b.StartTimer()
		r, release, err := w.cache.At(b.Context(), ulid, 261)
		must(b, err)
		must(b, r.View(b.Context(), func(*replica.View) error { return nil }))
		release()
	}
}

// BenchmarkWritesMeanwhile measures how long a commit of one row takes while
// snapshots are taken one after the other, or a thousand of 100,000 rows are
// brought back again and again, and without.
func BenchmarkWritesMeanwhile(b *testing.B) {
	for _, during := range []string{"nothing", "snapshots", "restores"} {
		b.Run(during, func(b *testing.B) {
			w := newWorld(b)
			w.fillRows("plans", 100_000)
			seqs := []int64{w.commit("plans", changes("one")...), w.commit("plans", changes("other")...)}
			ctx, stop := context.WithCancel(b.Context())
			var others sync.WaitGroup
			others.Go(func() {
				for n := 0; ctx.Err() == nil && during != "nothing"; n++ {
					if during == "snapshots" {
						w.take("plans", "")
					} else if _, err := w.keeper.Restore(ctx, ada, ref("plans"), backup.Restore{Seq: seqs[n%2]}); err != nil && ctx.Err() == nil {
						b.Error(err)
					}
				}
			})
			var took []time.Duration
			b.ResetTimer()
			for b.Loop() {
				began := time.Now()
				w.fill("plans", 1)
				took = append(took, time.Since(began))
			}
			b.StopTimer()
			stop()
			others.Wait()
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-p50")
			b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "ms-p99")
			b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms-max")
		})
	}
}

// changes changes a thousand rows.
func changes(title string) []string {
	ops := make([]string, 1000)
	for i := range ops {
		ops[i] = fmt.Sprintf(`{"op":"update","table":"tasks","id":"r%07d","set":{"title":%q}}`, i*100, title)
	}
	return ops
}
