package replica_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/vector"
)

const benchDim = 512

// benchVectors are like those of a model: a common part, and variances that
// fall as 1/(i+10), mixed by a random rotation of pairs; see shared/vector.
func benchVectors(n int) [][]float32 {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	deviation, common := make([]float32, benchDim), make([]float32, benchDim)
	for i := range deviation {
		deviation[i] = float32(1 / math.Sqrt(float64(i+10)))
		common[i] = 0.3 * deviation[i] * float32(r.NormFloat64())
	}
	signs := make([]float32, 3*benchDim)
	for i := range signs {
		signs[i] = float32(2*r.IntN(2) - 1)
	}
	out := make([][]float32, n)
	for k := range out {
		v := make([]float32, benchDim)
		for i := range v {
			v[i] = common[i] + deviation[i]*float32(r.NormFloat64())
		}
		for round := range 3 { // Walsh-Hadamard
			for i := range v {
				v[i] *= signs[round*benchDim+i]
			}
			for h := 1; h < benchDim; h *= 2 {
				for i := 0; i < benchDim; i += 2 * h {
					for j := i; j < i+h; j++ {
						v[j], v[j+h] = v[j]+v[j+h], v[j]-v[j+h]
					}
				}
			}
		}
		out[k], _ = vector.Unit(v)
	}
	return out
}

func benchTitle(i int) string {
	return fmt.Sprintf("row %d about %s and %s", i, benchWords[i%len(benchWords)], benchWords[i/7%len(benchWords)])
}

var benchWords = strings.Fields("invoices payments shipping returns refunds warehouse customers contracts meetings budget travel hiring " +
	"payroll security backups network printers laptops licences training marketing website newsletter support tickets")

// embedded is a room of n rows, each with a vector of its own.
func embedded(tb testing.TB, w *world, all [][]float32) *replica.Replica {
	tb.Helper()
	r := w.create(w.cache(func(o *replica.Options) { o.MaxBytes = 4 << 30 }))
	for i := 0; i < len(all); {
		var ops []commitlog.Op
		for ; len(ops) < 1000 && i < len(all); i++ {
			ops = append(ops, insert(rowID(i), benchTitle(i), cell(3, int64(i))))
		}
		w.commit(r, ops...)
	}
	head := int64(0)
	for i := 0; i < len(all); {
		e := &indexlog.Entry{Model: model, Dim: benchDim}
		for ; len(e.Texts) < 300 && i < len(all); i++ {
			v, err := vector.Quantize(all[i])
			must(tb, err)
			e.Texts = append(e.Texts, indexlog.Text{Hash: indexlog.TextHash(benchTitle(i)), Vector: v.Encode()})
		}
		n, err := indexlog.Append(tb.Context(), w.st, ulid, e, head)
		must(tb, err)
		head = n
	}
	must(tb, r.CatchUpIndexTo(tb.Context(), head))
	return r
}

// percentiles reports p50 and p99 of times.
func percentiles(b *testing.B, name string, times []time.Duration) {
	b.Helper()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), name+"-p50-us")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), name+"-p99-us")
}

// BenchmarkSearch searches by meaning and by words, counts recall@10 against
// an exact ranking by float32, and opens a cold replica with its first search.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			const queries = 50
			all := benchVectors(n + queries)
			all, asked := all[:n], all[n:]
			w := newWorld(b)
			r := embedded(b, w, all)
			ctx := b.Context()
			search := func(r *replica.Replica, query []float32) (hits []replica.NearHit) {
				must(b, r.View(ctx, func(v *replica.View) (err error) {
					hits, err = v.Nearest(ctx, replica.NearestQuery{Model: model, Query: query, K: 10})
					return err
				}))
				return hits
			}
			search(r, asked[0]) // loads the vectors
			found := 0
			for _, query := range asked {
				want := exact(all, query, 10)
				for _, h := range search(r, query) {
					if want[h.ID] {
						found++
					}
				}
			}
			var near, words []time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				search(r, asked[i%queries])
				near = append(near, time.Since(start))
				start = time.Now()
				keywords(b, ctx, r, benchWords[i%len(benchWords)]+" "+benchWords[(i+5)%len(benchWords)])
				words = append(words, time.Since(start))
			}
			b.ReportMetric(float64(found)/(10*queries), "recall@10")
			percentiles(b, "near", near)
			percentiles(b, "words", words)
			must(b, r.Checkpoint(ctx))
			runtime.GC()
			c := w.cache(func(o *replica.Options) { o.MaxBytes = 4 << 30 })
			start := time.Now()
			cold := w.acquire(c)
			b.ReportMetric(float64(time.Since(start).Microseconds()), "cold-us")
			keywords(b, ctx, cold, benchWords[0])
			b.ReportMetric(float64(time.Since(start).Microseconds()), "cold-words-us")
			search(cold, asked[1])
			b.ReportMetric(float64(time.Since(start).Microseconds()), "cold-near-us")
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			search(cold, asked[2])
			must(b, cold.DropVectors())
			runtime.GC()
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(all)
			b.ReportMetric(float64(before.HeapAlloc-after.HeapAlloc)/float64(n), "heap-B/row")
		})
	}
}

func keywords(b *testing.B, ctx context.Context, r *replica.Replica, query string) {
	b.Helper()
	must(b, r.View(ctx, func(v *replica.View) error {
		_, err := v.Keyword(ctx, replica.KeywordQuery{Query: query, K: 10})
		return err
	}))
}

// exact gives the ids of the k nearest by float32.
func exact(all [][]float32, query []float32, k int) map[string]bool {
	type scored struct {
		row    int
		cosine float32
	}
	best := make([]scored, 0, len(all))
	for i, v := range all {
		var sum float32
		for d := range v {
			sum += v[d] * query[d]
		}
		best = append(best, scored{i, sum})
	}
	slices.SortFunc(best, func(a, b scored) int {
		if a.cosine > b.cosine {
			return -1
		}
		return 1
	})
	ids := map[string]bool{}
	for _, s := range best[:k] {
		ids[rowID(s.row)] = true
	}
	return ids
}

// BenchmarkSQL runs statements over 100,000 rows.
func BenchmarkSQL(b *testing.B) {
	r := filled(b, newWorld(b), 100_000)
	for name, sql := range map[string]string{
		"one row by id":     "SELECT title FROM tasks WHERE id='" + rowID(77_777) + "'",
		"count by status":   "SELECT status, count(*) FROM tasks GROUP BY status",
		"sort 100k, top 10": "SELECT id, title FROM tasks ORDER BY title DESC LIMIT 10",
		"10,000 rows":       "SELECT id, title, count FROM tasks LIMIT 10000",
	} {
		b.Run(name, func(b *testing.B) {
			loop(b, func() {
				must(b, r.View(b.Context(), func(v *replica.View) error {
					_, err := v.SQL(b.Context(), replica.SQLQuery{SQL: sql})
					return err
				}))
			})
		})
	}
}
