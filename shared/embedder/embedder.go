// Package embedder is the port that turns texts into unit vectors whose cosine
// tells how near they are in meaning. The embedded adapter is staticembed, the
// AWS adapter bedrockembed, and openaiembed asks any server that speaks
// OpenAI's protocol; all pass embeddertest.
package embedder

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"nanotypedb/shared/vector"
)

// Kind says what a text is for: some models embed a question otherwise than
// the text that answers it.
type Kind string

// The kinds.
const (
	Document Kind = "document" // is searched
	Query    Kind = "query"    // searches
)

// Limits of one call.
type Limits struct {
	Texts int // in a call
	Bytes int // of a text, in UTF-8
}

// Result is what became of one text: a unit vector of Dim components, which
// belongs to the caller, or an *Error.
type Result struct {
	Vector []float32
	Err    error
}

// Embedder makes vectors. Its methods may be called concurrently.
type Embedder interface {
	// Model identifies everything that the vectors depend on: weights,
	// dimension and how texts are prepared. Vectors of different models must
	// never be compared. At most 128 of the characters A-Z a-z 0-9 . _ : / -
	Model() string

	// Dim is the number of components of each vector.
	Dim() int

	Limits() Limits

	// Embed returns one Result for each text, in their order. A text that
	// fails does not fail its neighbours, and a text asked for again after
	// it failed costs its neighbours nothing: ask for it alone. Embed tries
	// each text once, but for texts that shared a refused request; the
	// caller decides whether and when to try again. When ctx ends, the
	// texts without an answer get an Unavailable that wraps ctx.Err().
	Embed(ctx context.Context, texts []string, kind Kind) []Result
}

// CheckText refuses what no adapter takes: a text that is blank, not UTF-8, or
// longer than the limit. Nothing is cut.
func CheckText(text string, limits Limits) error {
	switch {
	case len(text) > limits.Bytes:
		return Refuse("the text has %d bytes; the model takes at most %d", len(text), limits.Bytes)
	case !utf8.ValidString(text):
		return Refuse("the text is not valid UTF-8")
	case strings.TrimSpace(text) == "":
		return Refuse("the text is empty")
	}
	return nil
}

// CheckTexts returns a Result for each text, with the error of CheckText, and
// the positions of those that passed. More texts than the limit all fail.
func CheckTexts(texts []string, limits Limits) (results []Result, passed []int) {
	results = make([]Result, len(texts))
	for i, text := range texts {
		results[i].Err = CheckText(text, limits)
		if len(texts) > limits.Texts {
			results[i].Err = Refuse("%d texts in one call; the model takes at most %d", len(texts), limits.Texts)
		}
		if results[i].Err == nil {
			passed = append(passed, i)
		}
	}
	return results, passed
}

// Finish makes the Result of a model's answer: its vector at length 1, or a
// WrongAnswer when it has another size, no direction, or numbers that are not
// finite.
func Finish(answer []float32, dim int) Result {
	if len(answer) != dim {
		return Result{Err: Wrong("the model answered with a vector of %d components instead of %d", len(answer), dim)}
	}
	unit, err := vector.Unit(answer)
	if err != nil {
		return Result{Err: Wrong("the model answered with a vector without a direction").Because(err)}
	}
	return Result{Vector: unit}
}

// CheckModel reports an error for a name that Model must not return.
func CheckModel(name string) error {
	allowed := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:/-", r)
	}
	if name == "" || len(name) > 128 || strings.ContainsFunc(name, func(r rune) bool { return !allowed(r) }) {
		return fmt.Errorf("embedder: model %q must be 1 to 128 characters of A-Z a-z 0-9 . _ : / -", name)
	}
	return nil
}
