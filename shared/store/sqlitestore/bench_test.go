package sqlitestore_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nanotypedb/shared/store"
)

// entry is as large as the log entry of a small commit.
var entry = make([]byte, 400)

func logWrite(room string, seq int) store.Write {
	key := store.Key{PK: "ROOM#" + room, SK: fmt.Sprintf("LOG#%016d", seq)}
	return store.Write{Action: store.Put, Item: store.Item{Key: key, Data: entry}, If: store.Absent}
}

// benchmarkWriters lets writers, each in a room of its own, put n entries in
// all, in writes of batch, and reports the median and the 99th percentile.
func benchmarkWriters(b *testing.B, writers, batch int) {
	s := openStore(b, b.TempDir())
	times := make([][]time.Duration, writers)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			room, seq := fmt.Sprintf("01J00000000000000000000%03d", w), 0
			writes := make([]store.Write, batch)
			for left.Add(-int64(batch)) >= 0 {
				for i := range writes {
					seq++
					writes[i] = logWrite(room, seq)
				}
				start := time.Now()
				if err := s.Write(b.Context(), writes...); err != nil {
					b.Error(err)
					return
				}
				times[w] = append(times[w], time.Since(start))
			}
		})
	}
	group.Wait()
	b.StopTimer()
	all := slices.Concat(times...)
	slices.Sort(all)
	if len(all) > 0 {
		b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
		b.ReportMetric(float64(all[len(all)-1].Microseconds()), "max-us")
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	}
}

func BenchmarkPutSerial(b *testing.B) { benchmarkWriters(b, 1, 1) }

func BenchmarkPut16(b *testing.B) { benchmarkWriters(b, 16, 1) }

func BenchmarkAppend16(b *testing.B) { benchmarkWriters(b, 16, 8) }

func BenchmarkGet(b *testing.B) {
	s := openStore(b, b.TempDir())
	fill(b, s, 1000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if _, err := s.Get(b.Context(), logWrite("r", 1+n%1000).Item.Key, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuery100(b *testing.B) {
	s := openStore(b, b.TempDir())
	fill(b, s, 1000)
	b.ReportAllocs()
	for b.Loop() {
		page, err := s.Query(b.Context(), store.Query{PK: "ROOM#r", From: logWrite("r", 400).Item.SK, Limit: 100})
		if err != nil || len(page.Items) != 100 {
			b.Fatal(len(page.Items), err)
		}
	}
}

func fill(b *testing.B, s *opened, n int) {
	b.Helper()
	writes := make([]store.Write, n)
	for i := range writes {
		writes[i] = logWrite("r", i+1)
	}
	if err := s.Write(b.Context(), writes...); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCreate(b *testing.B) {
	for b.Loop() {
		openStore(b, b.TempDir()).close(b)
	}
}

func BenchmarkReopen(b *testing.B) {
	s := openStore(b, b.TempDir())
	fill(b, s, 1000)
	for b.Loop() {
		s.close(b)
		s = openStore(b, s.folder)
	}
}
