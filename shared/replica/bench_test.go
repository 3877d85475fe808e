package replica_test

import (
	"context"
	"fmt"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

func rowID(i int) string { return fmt.Sprintf("01JD%022d", i) }

// filled is a room with n rows of seven columns.
func filled(tb testing.TB, w *world, n int) *replica.Replica {
	tb.Helper()
	r := w.create(w.cache())
	ctx := tb.Context()
	for i := 0; i < n; {
		d, err := r.Begin(ctx)
		must(tb, err)
		for range 50 {
			var ops []commitlog.Op
			for ; len(ops) < 1000 && i < n; i++ {
				ops = append(ops, insert(rowID(i), fmt.Sprintf("the title of row %d", i), full...))
			}
			if len(ops) == 0 {
				break
			}
			e := w.entry("", ops...)
			must(tb, try(ctx, d, e))
			must(tb, w.log(e))
		}
		must(tb, d.Publish(w.now))
	}
	return r
}

func BenchmarkCommitInsert(b *testing.B) {
	w := newWorld(b)
	r := filled(b, w, 10_000)
	ctx := b.Context()
	b.ReportAllocs()
	n := 10_000
	for b.Loop() {
		d, err := r.Begin(ctx)
		must(b, err)
		e := w.entry("", insert(rowID(n), "the title of a row", full...))
		must(b, try(ctx, d, e))
		must(b, d.Publish(w.now))
		n++
	}
}

func BenchmarkDraftInsert(b *testing.B) {
	w := newWorld(b)
	r := filled(b, w, 10_000)
	ctx := b.Context()
	b.ReportAllocs()
	n := 10_000
	d, err := r.Begin(ctx)
	must(b, err)
	for b.Loop() {
		e := w.entry("", insert(rowID(n), "the title of a row", full...))
		e.CommitID = rowID(n)
		must(b, try(ctx, d, e))
		n++
	}
	must(b, d.Discard())
}

func BenchmarkDraftReadAndUpdate(b *testing.B) {
	for _, size := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b)
			r := filled(b, w, size)
			ctx := b.Context()
			d, err := r.Begin(ctx)
			must(b, err)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				id := rowID(n * 7919 % size)
				if _, found, err := d.Row(ctx, 1, id); err != nil || !found {
					b.Fatal(found, err)
				}
				must(b, try(ctx, d, w.entry("", update(id, cell(1, "another title"), cell(3, int64(n))))))
				n++
			}
			must(b, d.Discard())
		})
	}
}

func BenchmarkViewRow(b *testing.B) {
	for _, size := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := filled(b, newWorld(b), size)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				must(b, r.View(ctx, func(v *replica.View) error {
					_, found, err := v.Row(ctx, 1, rowID(n*7919%size))
					if !found {
						b.Fatal("no row")
					}
					return err
				}))
			}
		})
	}
}

func BenchmarkList100(b *testing.B) {
	r := filled(b, newWorld(b), 10_000)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		n := 0
		for pb.Next() {
			n++
			got := make([]replica.Row, 0, 100)
			err := r.View(ctx, func(v *replica.View) error {
				q := replica.ListQuery{Table: v.State().Schema.TableByNum(1), After: &replica.Position{ID: rowID(n * 7919 % 9_000)}, Limit: 100}
				return v.Rows(ctx, q, func(row *replica.Row) (bool, error) {
					got = append(got, *row)
					return true, nil
				})
			})
			if err != nil || len(got) != 100 {
				b.Error(len(got), err)
				return
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	for _, size := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b)
			r := filled(b, w, size)
			must(b, r.Checkpoint(b.Context()))
			c := w.cache()
			for b.Loop() {
				_, release, err := c.Acquire(b.Context(), ulid)
				must(b, err)
				release()
				c.Forget(ulid)
			}
		})
	}
}

func BenchmarkApplyTail(b *testing.B) {
	w := newWorld(b)
	r := w.create(w.cache())
	for i := range 2_000 {
		w.commit(r, insert(rowID(i), "the title of a row", full...))
	}
	c := w.cache()
	for b.Loop() {
		_, release, err := c.Acquire(b.Context(), ulid)
		must(b, err)
		release()
		c.Forget(ulid)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2_000, "ns/entry")
}

func BenchmarkCheckpoint(b *testing.B) {
	for _, size := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b)
			r := filled(b, w, size)
			b.ReportAllocs()
			for b.Loop() {
				w.commit(r, update(rowID(1), cell(3, int64(b.N))))
				must(b, r.Checkpoint(b.Context()))
			}
		})
	}
}

func BenchmarkAlterAddColumn(b *testing.B) {
	w := newWorld(b)
	r := filled(b, w, 100_000)
	ctx := b.Context()
	for b.Loop() {
		d, err := r.Begin(ctx)
		must(b, err)
		must(b, try(ctx, d, w.entry("", commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Was: "tasks",
			Add: []schema.Column{{Num: 9, Name: "added", Type: schema.Text, Default: "x"}}}})))
		must(b, d.Discard())
	}
}
