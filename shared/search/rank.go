package search

import (
	"cmp"
	"slices"

	"nanotypedb/shared/replica"
)

// place is where a row stands in the rankings; rank 0: not in that one.
type place struct {
	table    int
	id       string
	nearRank int
	cosine   float64
	wordRank int
	bm25     float64
	rrf      float64
	score    float64
}

// ranking joins two rankings.
type ranking struct {
	places []*place
	byRow  map[row]*place
}

type row struct {
	table int
	id    string
}

func (r *ranking) place(table int, id string) *place {
	if p := r.byRow[row{table, id}]; p != nil {
		return p
	}
	if r.byRow == nil {
		r.byRow = map[row]*place{}
	}
	p := &place{table: table, id: id}
	r.byRow[row{table, id}] = p
	r.places = append(r.places, p)
	return p
}

// addNear adds the ranking by meaning. Rows of one text share a rank: they
// are equally near, and only chance would order them.
func (r *ranking) addNear(hits []replica.NearHit) {
	rank := 0
	for i, h := range hits {
		if i == 0 || h.Cosine != hits[i-1].Cosine {
			rank = i + 1
		}
		p := r.place(h.Table, h.ID)
		p.nearRank, p.cosine = rank, h.Cosine
	}
}

// addWords adds the ranking by words.
func (r *ranking) addWords(hits []replica.KeywordHit) {
	rank := 0
	for i, h := range hits {
		if i == 0 || h.BM25 != hits[i-1].BM25 {
			rank = i + 1
		}
		p := r.place(h.Table, h.ID)
		p.wordRank, p.bm25 = rank, h.BM25
	}
}

// best scores the rows and gives the first k. Ties are in order of table and
// id.
func (r *ranking) best(mode Mode, k int) []*place {
	for _, p := range r.places {
		p.rrf = reciprocal(p.nearRank) + reciprocal(p.wordRank)
		switch mode {
		case Semantic:
			p.score = max(0, p.cosine)
		case Keyword:
			p.score = p.bm25 / (1 + p.bm25)
		default:
			p.score = p.rrf / (2 * reciprocal(1))
		}
	}
	slices.SortStableFunc(r.places, func(a, b *place) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.cosine, a.cosine), cmp.Compare(a.table, b.table), cmp.Compare(a.id, b.id))
	})
	return r.places[:min(k, len(r.places))]
}

func reciprocal(rank int) float64 {
	if rank == 0 {
		return 0
	}
	return 1 / float64(rrfK+rank)
}

func (p *place) explanation(mode Mode) (e Explanation) {
	if p.nearRank > 0 {
		e.Semantic = &SemanticPart{p.nearRank, p.cosine}
	}
	if p.wordRank > 0 {
		e.Keyword = &KeywordPart{Rank: p.wordRank, BM25: p.bm25}
	}
	if mode == Hybrid {
		e.RRF = p.rrf
	}
	return e
}
