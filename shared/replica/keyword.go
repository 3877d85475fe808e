package replica

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// Limits of a query of words.
const (
	MaxQueryLength = 2000 // code points
	MaxQueryWords  = 64
)

// Words gives the words of a user's query, each once. Errors: invalid when
// there are more than MaxQueryWords, or the query is longer than
// MaxQueryLength.
func Words(query string) ([]string, error) {
	if n := utf8.RuneCountInString(query); n > MaxQueryLength {
		return nil, fault.At(fault.Invalid, "query", "a query has at most %d characters, but %d were given", MaxQueryLength, n)
	}
	var words []string
	seen := map[string]bool{}
	// U+0000 ends a text in the full-text index, and invalid UTF-8 has no tokens.
	for word := range strings.FieldsFuncSeq(strings.ToValidUTF8(query, " "), func(r rune) bool { return unicode.IsSpace(r) || r == 0 }) {
		if !strings.ContainsFunc(word, isTokenRune) || seen[strings.ToLower(word)] {
			continue
		}
		seen[strings.ToLower(word)] = true
		words = append(words, word)
	}
	if len(words) > MaxQueryWords {
		return nil, fault.At(fault.Invalid, "query", "a query has at most %d different words, but %d were given", MaxQueryWords, len(words))
	}
	return words, nil
}

// isTokenRune tells whether unicode61 makes a token of a character: letters,
// numbers and private ones (https://sqlite.org/fts5.html#unicode61_tokenizer).
func isTokenRune(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.Co) }

// phrase is a word in FTS5's language, where everything in quotes is text.
// Of the last word of a query the beginning is enough.
func phrase(word string, last bool) string {
	quoted := `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	if last {
		quoted += "*"
	}
	return quoted
}

// match joins the phrases of words by an operator.
func match(words []string, operator string) string {
	phrases := make([]string, len(words))
	for i, w := range words {
		phrases[i] = phrase(w, i == len(words)-1)
	}
	return strings.Join(phrases, operator)
}

// Keyword gives the K rows that match words best by BM25, best first: those
// that have all words, and when they are fewer than K, those that have some.
func (v *View) Keyword(ctx context.Context, q KeywordQuery) ([]KeywordHit, error) {
	words, err := Words(q.Query)
	if err != nil || len(words) == 0 || q.K <= 0 {
		return nil, err
	}
	sources, err := v.sources(q.Tables, q.Filters, q.Creator)
	if err != nil {
		return nil, err
	}
	hits, err := v.bestOf(ctx, sources, words, q.K)
	if err != nil {
		return nil, err
	}
	out := make([]KeywordHit, len(hits))
	for i := range hits {
		out[i] = KeywordHit{Table: hits[i].source.Num, ID: hits[i].id, BM25: hits[i].bm25}
		if q.Bare {
			continue
		}
		if err := v.explain(ctx, &out[i], hits[i].source, hits[i].key, words); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Explain tells which words of a query a row has, and where.
func (v *View) Explain(ctx context.Context, query string, table int, id string) (hit KeywordHit, err error) {
	hit = KeywordHit{Table: table, ID: id}
	def := v.state.Schema.TableByNum(table)
	words, err := Words(query)
	if err != nil || def == nil || !def.Embeds() || len(words) == 0 {
		return hit, err
	}
	ts, err := v.conn.table(def)
	if err != nil {
		return hit, err
	}
	_, key, found, err := ts.row(id)
	if err != nil || !found {
		return hit, err
	}
	return hit, v.explain(ctx, &hit, def, key, words)
}

// bestOf gives the k rows of all tables that match words best.
func (v *View) bestOf(ctx context.Context, sources []source, words []string, k int) ([]wordHit, error) {
	var whole []source
	var own []wordHit
	for i := range sources {
		if !sources[i].own {
			whole = append(whole, sources[i])
			continue
		}
		hits, err := v.rankedOwn(ctx, &sources[i], words, k)
		if err != nil {
			return nil, err
		}
		own = append(own, hits...)
	}
	hits, err := v.ranked(ctx, whole, match(words, " AND "), k)
	if err == nil && len(hits) < k && len(words) > 1 {
		hits, err = v.ranked(ctx, whole, match(words, " OR "), k)
	}
	if err != nil || len(own) == 0 {
		return hits, err
	}
	return bestWords(append(hits, own...), k), nil
}

// wordHit is a row that the full-text index found.
type wordHit struct {
	source *schema.Table
	key    int64
	id     string
	bm25   float64
}

// ranked gives the best k rows of all tables. The scores of a table are by how
// rare words are in it.
func (v *View) ranked(ctx context.Context, sources []source, match string, k int) ([]wordHit, error) {
	var hits []wordHit
	for i := range sources {
		src := &sources[i]
		num := src.def.Num
		query := fmt.Sprintf("SELECT k,id,r FROM (SELECT rowid AS w,rank AS r FROM f%d WHERE f%d MATCH ?1) CROSS JOIN t%d ON k=w WHERE 1%s ORDER BY r,id LIMIT %d",
			num, num, num, src.where, k)
		err := v.query(ctx, src.def, query, append([]any{match}, src.args...), func(s *sqlite.Stmt) {
			hits = append(hits, wordHit{src.def, s.ColumnInt64(0), s.ColumnText(1), -s.ColumnFloat(2)})
		})
		if err != nil {
			return nil, err
		}
	}
	if len(sources) > 1 {
		hits = bestWords(hits, k)
	}
	return hits[:min(k, len(hits))], nil
}

// bestWords sorts hits of several tables, best first, and leaves k.
func bestWords(hits []wordHit, k int) []wordHit {
	slices.SortStableFunc(hits, func(a, b wordHit) int { return cmp.Compare(b.bm25, a.bm25) })
	return hits[:min(k, len(hits))]
}

// rankedOwn gives the best k rows of a table of which only some are seen. The
// scores of the full-text index tell how often a word is in all rows, so these
// are made of the rows that are seen alone: each word of a row counts for
// ln(1+(rows found+1)/rows with it), as in BM25 with k1=0.
func (v *View) rankedOwn(ctx context.Context, src *source, words []string, k int) ([]wordHit, error) {
	num := src.def.Num
	query := fmt.Sprintf("SELECT k,id FROM (SELECT rowid AS w FROM f%d WHERE f%d MATCH ?1) CROSS JOIN t%d ON k=w WHERE 1%s", num, num, num, src.where)
	ids := map[int64]string{}
	with := make([][]int64, len(words))
	for i, word := range words {
		err := v.query(ctx, src.def, query, append([]any{phrase(word, i == len(words)-1)}, src.args...), func(s *sqlite.Stmt) {
			key := s.ColumnInt64(0)
			with[i] = append(with[i], key)
			ids[key] = s.ColumnText(1)
		})
		if err != nil {
			return nil, err
		}
	}
	scores := map[int64]float64{}
	for _, keys := range with {
		for _, key := range keys {
			scores[key] += math.Log(1 + float64(len(ids)+1)/float64(len(keys)))
		}
	}
	hits := make([]wordHit, 0, len(ids))
	for key, id := range ids {
		hits = append(hits, wordHit{src.def, key, id, scores[key]})
	}
	slices.SortFunc(hits, func(a, b wordHit) int { return cmp.Or(cmp.Compare(b.bm25, a.bm25), cmp.Compare(a.id, b.id)) })
	return hits[:min(k, len(hits))], nil
}

func (v *View) explain(ctx context.Context, hit *KeywordHit, def *schema.Table, key int64, words []string) error {
	num := def.Num
	for i, word := range words {
		has := false
		err := v.query(ctx, def, fmt.Sprintf("SELECT 1 FROM f%d WHERE f%d MATCH ?1 AND rowid=?2", num, num),
			[]any{phrase(word, i == len(words)-1), key}, func(*sqlite.Stmt) { has = true })
		if err != nil {
			return err
		}
		if has {
			hit.Terms = append(hit.Terms, word)
		}
	}
	var err error
	hit.Highlights, err = v.highlight(ctx, def, key, match(words, " OR "))
	return err
}

// marks surround what FTS5 highlights. It is not to be guessed, so no text
// holds them.
var marks = sync.OnceValues(func() (string, string) {
	nonce := rand.Text()
	return "\x02" + nonce + "\x02", "\x03" + nonce + "\x03"
})

func (v *View) highlight(ctx context.Context, def *schema.Table, key int64, match string) (out []Highlight, err error) {
	from, to := marks()
	columns := embedded(def)
	parts := make([]string, len(columns))
	for i := range columns {
		parts[i] = fmt.Sprintf("highlight(f%d,%d,?3,?4)", def.Num, i)
	}
	num := def.Num
	query := fmt.Sprintf("SELECT %s FROM f%d WHERE f%d MATCH ?1 AND rowid=?2", strings.Join(parts, ","), num, num)
	err = v.query(ctx, def, query, []any{match, key, from, to}, func(s *sqlite.Stmt) {
		for i, column := range columns {
			if ranges := marked(s.ColumnText(i), from, to); len(ranges) > 0 {
				out = append(out, Highlight{Column: column, Ranges: ranges})
			}
		}
	})
	return out, err
}

// marked gives what is between marks, in code points of the text without them.
func marked(text, from, to string) (ranges [][2]int) {
	at := 0
	for {
		before, rest, found := strings.Cut(text, from)
		if !found {
			return ranges
		}
		word, rest, _ := strings.Cut(rest, to)
		start := at + utf8.RuneCountInString(before)
		at = start + utf8.RuneCountInString(word)
		ranges = append(ranges, [2]int{start, at})
		text = rest
	}
}
