// Package staticembed is a model that is compiled in: a table with a vector for
// each of 29,523 word pieces, distilled from the sentence-transformer
// all-MiniLM-L6-v2 by Model2Vec's method. A text's vector is the sum of those
// of its pieces, at length 1: it knows words and their meaning, not their
// order. How it was made and how good it is: infra/distill/README.md.
package staticembed

import (
	"context"
	"hash/fnv"
	"sync"

	"nanotypedb/shared/embedder"
)

// Model changes whenever model.bin does, or how texts are prepared: its end is
// the beginning of the file's SHA-256.
const Model = "static/all-minilm-l6-v2/256/83f32c65"

// Limits of this package: no text of a row is larger.
const (
	maxTexts = 1000
	maxBytes = 256 << 10
)

const dim = 256

// Embedder is ready for use when zero. The table is read by the first call.
type Embedder struct{}

var _ embedder.Embedder = Embedder{}

// New costs nothing.
func New() Embedder { return Embedder{} }

// Model is the constant of that name.
func (Embedder) Model() string { return Model }

// Dim is 256.
func (Embedder) Dim() int { return dim }

// Limits are those of the package.
func (Embedder) Limits() embedder.Limits { return embedder.Limits{Texts: maxTexts, Bytes: maxBytes} }

// Embed looks the pieces up; it knows no difference between documents and
// queries.
func (Embedder) Embed(ctx context.Context, texts []string, _ embedder.Kind) []embedder.Result {
	results, passed := embedder.CheckTexts(texts, Embedder{}.Limits())
	t, err := model()
	for _, i := range passed {
		switch {
		case err != nil:
			results[i].Err = embedder.Unreached("the embedding model cannot be read").Because(err)
		case ctx.Err() != nil:
			results[i].Err = embedder.Stopped(ctx)
		default:
			results[i] = embedder.Finish(t.sum(texts[i]), dim)
		}
	}
	return results
}

var model = sync.OnceValues(func() (*table, error) { return load(file) })

// sum adds up the rows of a text's pieces. Words that no piece is known of
// count only when there is nothing else, as emoji alone: then each has a random
// direction of its own, so that equal texts are found.
func (t *table) sum(text string) []float32 {
	sum := make([]float32, t.dim)
	var tokens []int
	var unknown []string
	for _, word := range words(text) {
		found, ok := t.pieces(word, tokens[:0])
		if !ok {
			unknown = append(unknown, word)
			continue
		}
		tokens = found
		for _, token := range found {
			t.addTo(sum, token)
		}
	}
	if tokens == nil {
		t.scatter(sum, unknown, text)
	}
	return sum
}

// scatter adds a vector of ±1 for each word, or for the text when it has none:
// only characters that are dropped.
func (t *table) scatter(sum []float32, unknown []string, text string) {
	if len(unknown) == 0 {
		unknown = []string{text}
	}
	for _, word := range unknown {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(word))
		state := hash.Sum64()
		for i := range sum {
			state = state*6364136223846793005 + 1442695040888963407 // Knuth, MMIX
			sum[i] += float32(int64(state)>>63) + 0.5
		}
	}
}
