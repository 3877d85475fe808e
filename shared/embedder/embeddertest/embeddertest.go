// Package embeddertest is the conformance suite of the embedder port.
package embeddertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/vector"
)

// Run checks an embedder that is well. A scripted model must answer equal texts
// with equal vectors and others with others.
func Run(t *testing.T, open func(t *testing.T) embedder.Embedder) {
	for name, check := range map[string]func(context.Context, *testing.T, embedder.Embedder){
		"model, dimension and limits are sane":    describesItself,
		"unit vectors in order":                   inOrder,
		"equal texts have equal vectors":          equalTexts,
		"no text is no work":                      noText,
		"questions have vectors too":              questions,
		"blank and broken texts are refused":      refused,
		"a bad text does not fail its neighbours": neighbours,
		"the largest text":                        largestText,
		"as many texts as a call takes":           mostTexts,
		"too many texts are refused":              tooManyTexts,
		"vectors belong to the caller":            owned,
		"a cancelled context stops":               cancelled,
		"many callers":                            manyCallers,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			check(ctx, t, open(t))
		})
	}
}

// Embed returns the vectors of texts and fails the test on any error.
func Embed(ctx context.Context, t *testing.T, e embedder.Embedder, texts ...string) [][]float32 {
	t.Helper()
	var vectors [][]float32
	results := e.Embed(ctx, texts, embedder.Document)
	if len(results) != len(texts) {
		t.Fatalf("%d results for %d texts", len(results), len(texts))
	}
	for i, result := range results {
		if result.Err != nil {
			t.Fatalf("%.80q: %v", texts[i], result.Err)
		}
		CheckVector(t, e, result.Vector)
		vectors = append(vectors, result.Vector)
	}
	return vectors
}

// CheckVector checks size and length.
func CheckVector(t *testing.T, e embedder.Embedder, v []float32) {
	t.Helper()
	if len(v) != e.Dim() || !vector.IsUnit(v) {
		t.Fatalf("%d components; want a unit vector of %d", len(v), e.Dim())
	}
}

// CheckFailure checks that a result is a failure of the class and readable.
func CheckFailure(t *testing.T, result embedder.Result, class embedder.Class) {
	t.Helper()
	var public *fault.Error
	switch {
	case embedder.ClassOf(result.Err) != class || result.Vector != nil:
		t.Errorf("got %v (%s) and %d components, want class %s", result.Err, embedder.ClassOf(result.Err), len(result.Vector), class)
	case !errors.As(result.Err, &public) || public.Reason == "":
		t.Errorf("%v carries no reason for a person", result.Err)
	}
}

func describesItself(_ context.Context, t *testing.T, e embedder.Embedder) {
	if err := embedder.CheckModel(e.Model()); err != nil {
		t.Error(err)
	}
	if e.Dim() < 1 || e.Dim() > vector.MaxDim {
		t.Errorf("dimension %d", e.Dim())
	}
	if limits := e.Limits(); limits.Texts < 1 || limits.Bytes < 8<<10 {
		t.Errorf("limits %+v: too small for a row", limits)
	}
}

func inOrder(ctx context.Context, t *testing.T, e embedder.Embedder) {
	texts := []string{"a cat on the roof", "interest rates rise", "bake bread at home"}
	vectors := Embed(ctx, t, e, texts...)
	for i, text := range texts {
		if alone := Embed(ctx, t, e, text)[0]; !slices.Equal(alone, vectors[i]) {
			t.Errorf("%q alone has another vector than at position %d", text, i)
		}
		if slices.Equal(vectors[i], vectors[(i+1)%3]) {
			t.Errorf("%q has the vector of its neighbour", text)
		}
	}
}

func equalTexts(ctx context.Context, t *testing.T, e embedder.Embedder) {
	vectors := Embed(ctx, t, e, "same", "other", "same")
	if !slices.Equal(vectors[0], vectors[2]) || slices.Equal(vectors[0], vectors[1]) {
		t.Error("equal texts differ, or others are equal")
	}
}

func noText(ctx context.Context, t *testing.T, e embedder.Embedder) {
	if results := e.Embed(ctx, nil, embedder.Document); len(results) != 0 {
		t.Errorf("got %v", results)
	}
}

func questions(ctx context.Context, t *testing.T, e embedder.Embedder) {
	result := e.Embed(ctx, []string{"how do I bake bread?"}, embedder.Query)[0]
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	CheckVector(t, e, result.Vector)
}

func bad(e embedder.Embedder) []string {
	return []string{"", " \n\t ", "broken \xff byte", strings.Repeat("x", e.Limits().Bytes+1)}
}

func refused(ctx context.Context, t *testing.T, e embedder.Embedder) {
	for _, text := range bad(e) {
		CheckFailure(t, e.Embed(ctx, []string{text}, embedder.Document)[0], embedder.Refused)
	}
}

func neighbours(ctx context.Context, t *testing.T, e embedder.Embedder) {
	for _, text := range bad(e) {
		results := e.Embed(ctx, []string{"before", text, "after"}, embedder.Document)
		CheckFailure(t, results[1], embedder.Refused)
		for _, i := range []int{0, 2} {
			if results[i].Err != nil {
				t.Fatalf("neighbour of %.20q: %v", text, results[i].Err)
			}
			CheckVector(t, e, results[i].Vector)
		}
	}
}

func largestText(ctx context.Context, t *testing.T, e embedder.Embedder) {
	Embed(ctx, t, e, strings.Repeat("wordy ", e.Limits().Bytes/6))
}

func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("text number %d", i)
	}
	return texts
}

func mostTexts(ctx context.Context, t *testing.T, e embedder.Embedder) {
	Embed(ctx, t, e, numbered(min(e.Limits().Texts, 1000))...)
}

func tooManyTexts(ctx context.Context, t *testing.T, e embedder.Embedder) {
	results := e.Embed(ctx, numbered(e.Limits().Texts+1), embedder.Document)
	if len(results) != e.Limits().Texts+1 {
		t.Fatalf("%d results", len(results))
	}
	for _, result := range results {
		CheckFailure(t, result, embedder.Refused)
	}
}

func owned(ctx context.Context, t *testing.T, e embedder.Embedder) {
	first := Embed(ctx, t, e, "mine")[0]
	kept := slices.Clone(first)
	clear(first)
	if again := Embed(ctx, t, e, "mine")[0]; !slices.Equal(again, kept) {
		t.Error("writing to a vector changed the next answer")
	}
}

func cancelled(_ context.Context, t *testing.T, e embedder.Embedder) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	results := e.Embed(ctx, []string{"a", "b"}, embedder.Document)
	if len(results) != 2 {
		t.Fatalf("%d results", len(results))
	}
	for _, result := range results {
		CheckFailure(t, result, embedder.Unavailable)
		if !errors.Is(result.Err, context.Canceled) {
			t.Errorf("%v does not wrap context.Canceled", result.Err)
		}
	}
}

func manyCallers(ctx context.Context, t *testing.T, e embedder.Embedder) {
	texts := numbered(8)
	want := Embed(ctx, t, e, texts...)
	var wg sync.WaitGroup
	for i, text := range texts {
		wg.Go(func() {
			for range 3 {
				result := e.Embed(ctx, []string{text}, embedder.Document)[0]
				if result.Err != nil || !slices.Equal(result.Vector, want[i]) {
					t.Errorf("%q: %v, or another vector than alone", text, result.Err)
				}
			}
		})
	}
	wg.Wait()
}
