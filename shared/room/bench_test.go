package room_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"nanotypedb/shared/room"
)

func benchRows(b *testing.B, w *world, e *room.Engine, rows int) {
	b.Helper()
	w.den(e)
	for n := 0; n < rows; {
		var ops []string
		for range min(500, rows-n) {
			ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"r%06d","row":{"title":"Row number %d of the benchmark"}}`, n, n))
			n++
		}
		w.commit(e, bob, ops...)
	}
}

// BenchmarkCommit is one-row commits by 16 writers of one room, each durable.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint("writers=", writers), func(b *testing.B) {
			w := newWorld(b)
			e := w.engine()
			benchRows(b, w, e, 1000)
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for {
						i := n.Add(1)
						if i > int64(b.N) {
							return
						}
						op := fmt.Sprintf(`{"op":"update","table":"tasks","id":"r%06d","set":{"title":"Changed by commit %d"}}`, i%1000, i)
						req := request(op)
						req.CommitID = fmt.Sprintf("c%d", i)
						if _, err := e.Commit(context.Background(), bob, den, req); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkRead reads from a room of 10,000 rows.
func BenchmarkRead(b *testing.B) {
	w := newWorld(b)
	e := w.engine()
	benchRows(b, w, e, 10_000)
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			must(b, e.Read(context.Background(), vera, den, func(v *room.View) error {
				_, err := v.Get(context.Background(), "tasks", fmt.Sprintf("r%06d", i%10_000))
				return err
			}))
		}
	})
	b.Run("list 100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, e.Read(context.Background(), vera, den, func(v *room.View) error {
				page, err := v.List(context.Background(), room.ListRequest{Table: "tasks"})
				if page.Count != 100 {
					b.Error(page.Count)
				}
				return err
			}))
		}
	})
	b.Run("list 100, 8 readers", func(b *testing.B) {
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				must(b, e.Read(context.Background(), vera, den, func(v *room.View) error {
					_, err := v.List(context.Background(), room.ListRequest{Table: "tasks"})
					return err
				}))
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lists/s")
	})
}
