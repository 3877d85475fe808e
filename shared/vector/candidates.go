package vector

import (
	"math"
	"math/bits"
	"sync"
)

// scratch is the memory of one search, kept for the next.
type scratch struct {
	slots     []int32
	distances []int32
	counts    []int32
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// candidates returns the slots to compare by value, at least n of them while
// there are as many. They belong to work.
func (x *Index) candidates(work *scratch, query []float32, n int, keep func(slot int) bool) []int32 {
	slots := work.slots[:0]
	for slot := range int32(x.Len()) {
		if keep == nil || keep(int(slot)) {
			slots = append(slots, slot)
		}
	}
	work.slots = slots
	bySigns := max(len(slots)/signShare, fewest, n)
	if len(slots) <= bySigns {
		return slots
	}
	sketch := x.sketch(query)
	slots = work.nearest(slots, bySigns, x.dim, func(slot int32) int32 {
		return differing(sketch, x.signs[int(slot)*x.words:])
	})
	levels := x.levels(query)
	return work.nearest(slots, max(bySigns/levelShare, few, n), 2*top*x.dim, func(slot int32) int32 {
		return int32(top*x.dim) - levels.product(x.signs[int(slot)*x.words:])
	})
}

// nearest keeps, in their place and order, the slots of the n smallest
// distances, which are from 0 to farthest, and all that are as near as the last.
func (w *scratch) nearest(slots []int32, n, farthest int, distance func(slot int32) int32) []int32 {
	w.distances = append(w.distances[:0], slots...)
	w.counts = append(w.counts[:0], make([]int32, farthest+1)...)
	for i, slot := range slots {
		d := distance(slot)
		w.distances[i] = d
		w.counts[d]++
	}
	limit, sum := int32(0), int(w.counts[0])
	for sum < n && int(limit) < farthest {
		limit++
		sum += int(w.counts[limit])
	}
	near := slots[:0]
	for i, slot := range slots {
		if w.distances[i] <= limit {
			near = append(near, slot)
		}
	}
	return near
}

// sketch has a bit for each component of the query that is above the mean.
func (x *Index) sketch(query []float32) []uint64 {
	sketch := make([]uint64, x.words)
	for i, v := range query {
		if v > x.mean[i] {
			sketch[i/64] |= 1 << (i % 64)
		}
	}
	return sketch
}

// differing counts the bits in which b differs from a.
func differing(a, b []uint64) int32 {
	b = b[:len(a)]
	var n int
	for len(a) >= 4 {
		x, y := a[:4:4], b[:4:4]
		n += bits.OnesCount64(x[0]^y[0]) + bits.OnesCount64(x[1]^y[1]) +
			bits.OnesCount64(x[2]^y[2]) + bits.OnesCount64(x[3]^y[3])
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		n += bits.OnesCount64(x ^ b[i])
	}
	return int32(n)
}

// top is the highest level of a component in four bits.
const top = 15

// levels are a query's components in four bits: the level of component i is
// made of bit i of each plane.
type levels [][4]uint64

// levels spread over the components up to 2.6 standard deviations, which loses
// the least on normally distributed ones.
func (x *Index) levels(query []float32) levels {
	reach := 2.6 / math.Sqrt(float64(x.dim)) // the components of a unit vector have 1/√dim
	planes := make(levels, x.words)
	for i, v := range query {
		level := uint(min(max(math.Round((float64(v)/reach+1)*top/2), 0), top))
		for p := range 4 {
			planes[i/64][p] |= uint64(level>>p&1) << (i % 64)
		}
	}
	return planes
}

// product is Σ ±(2·level − top) over the bits of signs, from −top·dim to
// top·dim, less what is the same for all signs.
func (l levels) product(signs []uint64) int32 {
	var sum, set int
	for i, p := range l {
		s := signs[i]
		set += bits.OnesCount64(s)
		sum += bits.OnesCount64(s&p[0]) + 2*bits.OnesCount64(s&p[1]) + 4*bits.OnesCount64(s&p[2]) + 8*bits.OnesCount64(s&p[3])
	}
	return int32(2*sum - top*set)
}
