package vector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
)

// A set of vectors. Those of a model have a common part and variances that fall
// as 1/(i+10), mixed over all components: so do the vectors of all-MiniLM-L6-v2
// and of staticembed for sentences. Even ones fill all directions alike, which
// is the worst case for every approximation and what no embedding does.
type set struct {
	name  string
	power float64
	share float32 // of the common part
}

var sets = []set{{"model", 1, 0.3}, {"even", 0, 0}}

// make gives n unit vectors; dim is a power of 2.
func (s set) make(r *rand.Rand, n, dim int) [][]float32 {
	deviation, common := make([]float32, dim), make([]float32, dim)
	for i := range dim {
		deviation[i] = float32(math.Pow(float64(i+10), -s.power/2))
		common[i] = s.share * deviation[i] * float32(r.NormFloat64())
	}
	mix := mixer(r, dim)
	all := make([][]float32, n)
	for k := range all {
		v := make([]float32, dim)
		for i := range v {
			v[i] = common[i] + deviation[i]*float32(r.NormFloat64())
		}
		mix(v)
		all[k], _ = Unit(v)
	}
	return all
}

// mixer is a random rotation: signs and Walsh-Hadamard transforms in turn.
func mixer(r *rand.Rand, dim int) func(v []float32) {
	signs := make([]float32, 3*dim)
	for i := range signs {
		signs[i] = float32(2*r.IntN(2) - 1)
	}
	return func(v []float32) {
		for round := range 3 {
			for i := range v {
				v[i] *= signs[round*dim+i]
			}
			for h := 1; h < dim; h *= 2 {
				for i := 0; i < dim; i += 2 * h {
					for j := i; j < i+h; j++ {
						v[j], v[j+h] = v[j]+v[j+h], v[j]-v[j+h]
					}
				}
			}
		}
	}
}

func filled(tb testing.TB, all [][]float32) *Index {
	tb.Helper()
	x := NewIndex(len(all[0]))
	for i, v := range all {
		q, err := Quantize(v)
		if err != nil {
			tb.Fatal(err)
		}
		if err := x.Put(i, q); err != nil {
			tb.Fatal(err)
		}
	}
	return x
}

// recall is the share of the k nearest by float32 that the index finds.
func recall(x *Index, all, queries [][]float32, k int) float64 {
	found := 0
	for _, query := range queries {
		exact := newNearest(k)
		for i, v := range all {
			var sum float32
			for d := range v {
				sum += v[d] * query[d]
			}
			exact.offer(Hit{Slot: i, Cosine: sum})
		}
		want := map[int]bool{}
		for _, hit := range exact.hits {
			want[hit.Slot] = true
		}
		for _, hit := range x.Search(query, k, nil) {
			if want[hit.Slot] {
				found++
			}
		}
	}
	return float64(found) / float64(k*len(queries))
}

// Besides the time of the wall clock it reports that of the processor, which other work on the machine does not lengthen.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		for _, s := range sets {
			b.Run(fmt.Sprintf("n=%d/dim=512/%s", n, s.name), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, uint64(n)))
				all := s.make(r, n+50, 512)
				all, queries := all[:n], all[n:]
				x := filled(b, all)
				b.ReportAllocs()
				b.ResetTimer()
				before := processorTime(b)
				for i := 0; b.Loop(); i++ {
					x.Search(queries[i%len(queries)], 10, nil)
				}
				b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
				b.StopTimer()
				b.ReportMetric(recall(x, all, queries, 10), "recall@10")
			})
		}
	}
}

func processorTime(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

func BenchmarkDot(b *testing.B) {
	all := sets[0].make(rand.New(rand.NewPCG(1, 1)), 2, 512)
	v, _ := Quantize(all[0])
	w, _ := Quantize(all[1])
	b.Run("int8", func(b *testing.B) {
		for b.Loop() {
			Dot(v.Values, w.Values)
		}
	})
	b.Run("float", func(b *testing.B) {
		for b.Loop() {
			dotFloat(v.Values, all[1])
		}
	})
}
