package replica_test

import (
	"fmt"
	"testing"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// BenchmarkBulkLoad measures how long the writer's draft of a load takes, which is
// how long other writers wait: per row that differs. The table has four times
// as many rows.
func BenchmarkBulkLoad(b *testing.B) {
	for _, rows := range []int{10_000, 100_000} {
		for _, embed := range []bool{false, true} {
			b.Run(fmt.Sprintf("rows=%d/embedded=%t", rows, embed), func(b *testing.B) { benchmarkBulkLoad(b, rows, embed) })
		}
	}
}

func benchmarkBulkLoad(b *testing.B, n int, embed bool) {
	w := newWorld(b)
	c := w.cache()
	r := w.create(c)
	def := schema.Table{Num: 2, Name: "notes", NextColumn: 4, Columns: []schema.Column{{Num: 1, Name: "title", Type: schema.Text, Embed: embed},
		{Num: 2, Name: "n", Type: schema.Integer}, {Num: 3, Name: "status", Type: schema.Text}}}
	title := func(i, version int) string { return fmt.Sprintf("the quick brown fox %d jumps over %d", i, version) }
	all := make([]loadfile.Record, 0, 4*n)
	for i := range 4 * n {
		all = append(all, loadfile.Record{Kind: loadfile.Row, Table: 2, ID: fmt.Sprintf("row%07d", i), Creator: "ada", CreatedAt: 1, UpdatedAt: 2,
			Cells: []schema.Cell{cell(1, title(i, 0)), cell(2, int64(i)), cell(3, "pending")}})
	}
	began := time.Now()
	w.commitAs(r, commitlog.Load, w.writeLoad(header(r, loadfile.Replace, def), all...))
	b.ReportMetric(float64(4*n)/time.Since(began).Seconds(), "new-rows/s")
	some := all[:n]
	var took, staging, following time.Duration
	follower := w.acquire(w.cache())
	rounds := 0
	for b.Loop() {
		rounds++
		for i := range some {
			some[i].Cells = []schema.Cell{cell(1, title(i, rounds)), cell(2, int64(i)), cell(3, "done")}
		}
		op := w.writeLoad(header(r, loadfile.Merge, *r.State().Schema.TableByNum(2)), some...)
		_, _, release, err := c.FetchLoad(b.Context(), op.Load.Blob, op.Load.SHA256, nil)
		must(b, err)
		began := time.Now()
		w.commitAs(r, commitlog.Load, op)
		took += time.Since(began)
		release()
		began = time.Now()
		must(b, follower.CatchUp(b.Context()))
		following += time.Since(began)
		began = time.Now()
		must(b, r.View(b.Context(), func(v *replica.View) error {
			return follower.View(b.Context(), func(f *replica.View) error {
				_, err := replica.Diff(b.Context(), v, f, replica.DiffOptions{}, nil)
				return err
			})
		}))
		staging += time.Since(began)
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(rounds), "ms/load")
	b.ReportMetric(float64(following.Milliseconds())/float64(rounds), "ms/follow")
	b.ReportMetric(float64(staging.Milliseconds())/float64(rounds), "ms/diff")
}
