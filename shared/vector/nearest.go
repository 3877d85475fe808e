package vector

import "slices"

// nearest keeps the best k hits, the worst of them on top.
type nearest struct {
	hits []Hit
	k    int
}

func newNearest(k int) *nearest { return &nearest{hits: make([]Hit, 0, min(k, 1024)), k: k} }

// worse orders hits from the last to the first.
func worse(a, b Hit) bool {
	return a.Cosine < b.Cosine || a.Cosine == b.Cosine && a.Slot > b.Slot
}

func (h *nearest) offer(hit Hit) {
	switch {
	case len(h.hits) < h.k:
		h.hits = append(h.hits, hit)
		h.up(len(h.hits) - 1)
	case worse(h.hits[0], hit):
		h.hits[0] = hit
		h.down()
	}
}

func (h *nearest) up(i int) {
	for i > 0 && worse(h.hits[i], h.hits[(i-1)/2]) {
		h.hits[i], h.hits[(i-1)/2] = h.hits[(i-1)/2], h.hits[i]
		i = (i - 1) / 2
	}
}

func (h *nearest) down() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(h.hits) {
			return
		}
		if child+1 < len(h.hits) && worse(h.hits[child+1], h.hits[child]) {
			child++
		}
		if !worse(h.hits[child], h.hits[i]) {
			return
		}
		h.hits[i], h.hits[child] = h.hits[child], h.hits[i]
		i = child
	}
}

func (h *nearest) sorted() []Hit {
	slices.SortFunc(h.hits, func(a, b Hit) int {
		if worse(b, a) {
			return -1
		}
		return 1
	})
	return h.hits
}
