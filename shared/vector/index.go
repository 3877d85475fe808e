package vector

import "fmt"

// Hit is a vector that a search found.
type Hit struct {
	Slot   int
	Cosine float32
}

// Index finds the nearest of many vectors of one dimension. Vectors are known
// by their slot, a number from 0 on that the caller maps to what it is about.
//
// Up to 4,096 vectors a search compares them all. Above, it goes by the signs of
// their components first, one bit each (the number of equal signs grows with
// the cosine: Charikar, STOC 2002, "Similarity estimation techniques from
// rounding algorithms"). Those with the most signs of the query are ranked
// again, with the query's components in four bits instead of one (Gao and Long,
// SIGMOD 2024, "RaBitQ"), and the best of those by value. Signs are taken after
// the mean of the vectors is subtracted: embeddings share a common part, and
// without it their signs tell more.
//
// Searches may run concurrently with each other, not with Put.
type Index struct {
	dim    int
	values []int8 // dim a slot
	scales []float32
	signs  []uint64 // words a slot
	words  int
	mean   []float32
	sum    []float64 // of the components of all vectors
	signed int       // number of vectors when the signs were last taken
}

// How many go from step to step: by signs one vector in signShare, at least
// fewest, of which one in levelShare, at least few, are compared by value, and
// the best refined times k with the query as it is and not rounded to int8.
// Measured in bench_test.go.
const (
	signShare  = 10
	fewest     = 4096
	levelShare = 6
	few        = 1024
	refined    = 4
)

// NewIndex makes an empty index of vectors with dim components.
func NewIndex(dim int) *Index {
	return &Index{dim: dim, words: (dim + 63) / 64, mean: make([]float32, dim), sum: make([]float64, dim)}
}

// Len is the number of slots.
func (x *Index) Len() int { return len(x.scales) }

// Put writes a slot: one that exists, or the next. An error for a vector of
// another dimension or a slot beyond.
func (x *Index) Put(slot int, v Int8) error {
	if len(v.Values) != x.dim {
		return fmt.Errorf("vector: %d components in an index of %d", len(v.Values), x.dim)
	}
	if slot < 0 || slot > x.Len() {
		return fmt.Errorf("vector: slot %d of %d", slot, x.Len())
	}
	if slot == x.Len() {
		x.values = append(x.values, v.Values...)
		x.scales = append(x.scales, v.Scale)
		x.signs = append(x.signs, make([]uint64, x.words)...)
	} else {
		x.add(slot, -1)
		copy(x.row(slot), v.Values)
		x.scales[slot] = v.Scale
	}
	x.add(slot, 1)
	x.sign(slot)
	if x.Len() >= 2*x.signed && x.Len() > fewest { // the mean moved: at most once a doubling
		x.recenter()
	}
	return nil
}

// Search returns up to k slots of the largest cosine to query, best first and
// the lower slot first among equals; none when query is not a unit vector of
// the index's dimension. Only slots that keep accepts count; nil accepts all.
func (x *Index) Search(query []float32, k int, keep func(slot int) bool) []Hit {
	rounded, err := Quantize(query)
	if err != nil || len(query) != x.dim || k <= 0 {
		return nil
	}
	work := scratches.Get().(*scratch)
	defer scratches.Put(work)
	near := newNearest(refined * k)
	for _, slot := range x.candidates(work, query, refined*k, keep) {
		near.offer(Hit{Slot: int(slot), Cosine: float32(Dot(x.row(int(slot)), rounded.Values)) * x.scales[slot]})
	}
	best := newNearest(k)
	for _, hit := range near.hits {
		best.offer(Hit{Slot: hit.Slot, Cosine: dotFloat(x.row(hit.Slot), query) * x.scales[hit.Slot]})
	}
	return best.sorted()
}

func (x *Index) row(slot int) []int8 { return x.values[slot*x.dim : (slot+1)*x.dim : (slot+1)*x.dim] }

func (x *Index) add(slot int, sign float64) {
	for i, v := range x.row(slot) {
		x.sum[i] += sign * float64(v) * float64(x.scales[slot])
	}
}

func (x *Index) recenter() {
	x.signed = x.Len()
	for i, s := range x.sum {
		x.mean[i] = float32(s / float64(x.Len()))
	}
	for slot := range x.scales {
		x.sign(slot)
	}
}

func (x *Index) sign(slot int) {
	sketch := x.signs[slot*x.words : (slot+1)*x.words]
	clear(sketch)
	scale := x.scales[slot]
	for i, v := range x.row(slot) {
		if float32(v)*scale > x.mean[i] {
			sketch[i/64] |= 1 << (i % 64)
		}
	}
}
