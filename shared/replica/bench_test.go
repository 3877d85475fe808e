package replica_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// loop runs fn b.N times and reports processor time beside the wall clock,
// which says little on a machine that has other work.
func loop(b *testing.B, fn func()) {
	b.Helper()
	b.ReportAllocs()
	begin := processorTime(b)
	for b.Loop() {
		fn()
	}
	b.ReportMetric(float64(processorTime(b)-begin)/float64(b.N), "cpu-ns/op")
}

func processorTime(tb testing.TB) int64 {
	var u syscall.Rusage
	must(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

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
	n := 10_000
	loop(b, func() {
		d, err := r.Begin(ctx)
		must(b, err)
		e := w.entry("", insert(rowID(n), "the title of a row", full...))
		must(b, try(ctx, d, e))
		must(b, d.Publish(w.now))
		n++
	})
}

func BenchmarkDraftInsert(b *testing.B) {
	w := newWorld(b)
	r := filled(b, w, 10_000)
	ctx := b.Context()
	n := 10_000
	d, err := r.Begin(ctx)
	must(b, err)
	loop(b, func() {
		e := w.entry("", insert(rowID(n), "the title of a row", full...))
		e.CommitID = rowID(n)
		must(b, try(ctx, d, e))
		n++
	})
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
			n := 0
			loop(b, func() {
				id := rowID(n * 7919 % size)
				if _, found, err := d.Row(ctx, 1, id); err != nil || !found {
					b.Fatal(found, err)
				}
				must(b, try(ctx, d, w.entry("", update(id, cell(1, "another title"), cell(3, int64(n))))))
				n++
			})
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
			n := 0
			loop(b, func() {
				n++
				must(b, r.View(ctx, func(v *replica.View) error {
					_, found, err := v.Row(ctx, 1, rowID(n*7919%size))
					if !found {
						b.Fatal("no row")
					}
					return err
				}))
			})
		})
	}
}

func BenchmarkList100(b *testing.B) {
	r := filled(b, newWorld(b), 10_000)
	ctx := b.Context()
	n := 0
	loop(b, func() {
		n++
		got := make([]replica.Row, 0, 100)
		must(b, r.View(ctx, func(v *replica.View) error {
			q := replica.ListQuery{Table: v.State().Schema.TableByNum(1), After: &replica.Position{ID: rowID(n * 7919 % 9_000)}, Limit: 100}
			return v.Rows(ctx, q, func(row *replica.Row) (bool, error) {
				got = append(got, *row)
				return true, nil
			})
		}))
		if len(got) != 100 {
			b.Fatal(len(got))
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
			loop(b, func() {
				_, release, err := c.Acquire(b.Context(), ulid)
				must(b, err)
				release()
				c.Forget(ulid)
			})
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
	loop(b, func() {
		_, release, err := c.Acquire(b.Context(), ulid)
		must(b, err)
		release()
		c.Forget(ulid)
	})
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2_000, "ns/entry")
}

func BenchmarkCheckpoint(b *testing.B) {
	for _, size := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b)
			r := filled(b, w, size)
			loop(b, func() {
				w.commit(r, update(rowID(1), cell(3, int64(b.N))))
				must(b, r.Checkpoint(b.Context()))
			})
		})
	}
}

func BenchmarkAlterAddColumn(b *testing.B) {
	w := newWorld(b)
	r := filled(b, w, 100_000)
	ctx := b.Context()
	loop(b, func() {
		d, err := r.Begin(ctx)
		must(b, err)
		must(b, try(ctx, d, w.entry("", commitlog.Op{Kind: commitlog.AlterTable, Alter: &schema.Alteration{Table: 1, Was: "tasks",
			Add: []schema.Column{{Num: 9, Name: "added", Type: schema.Text, Default: "x"}}}})))
		must(b, d.Discard())
	})
}
