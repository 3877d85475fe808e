package staticembed

import (
	"cmp"
	"context"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"nanotypedb/shared/embedder"
)

// The floors lie a little below what infra/distill/README.md states, so that a
// worse table or tokenizer fails and a rounding does not.

// 132 questions about everyday and technical matters. Their answers avoid the
// questions' telling words, and 80 other sentences use them: keyword search
// must fail, meaning must not.
func TestQuestionsFindTheirAnswers(t *testing.T) {
	var questions, answers []string
	for _, line := range lines(t, "testdata/answers.tsv") {
		question, answer, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("no answer in %q", line)
		}
		questions, answers = append(questions, question), append(answers, answer)
	}
	answers = append(answers, lines(t, "testdata/distractors.txt")...)
	for name, c := range map[string]struct {
		score     func(query, document int) float64
		one, five float64 // floor, ceiling when negative
	}{
		"static":  {byMeaning(t, questions, answers), 0.24, 0.70},
		"keyword": {byKeyword(questions, answers), -0.05, -0.15},
	} {
		one, five := 0.0, 0.0
		for q := range questions {
			place := slices.Index(ranked(len(answers), func(d int) float64 { return c.score(q, d) }), q)
			if place < 1 {
				one++
			}
			if place < 5 {
				five++
			}
		}
		one, five = one/float64(len(questions)), five/float64(len(questions))
		t.Logf("%s: recall@1 %.3f, recall@5 %.3f", name, one, five)
		if one < c.one || five < c.five || c.one < 0 && (one > -c.one || five > -c.five) {
			t.Errorf("%s: recall@1 %.3f, recall@5 %.3f; want %v, %v", name, one, five, c.one, c.five)
		}
	}
}

// 400 commit subjects of ten projects: the share of the ten nearest that are
// from the same project.
func TestTitlesFindTheirProject(t *testing.T) {
	var projects, titles []string
	for _, line := range lines(t, "testdata/titles.tsv") {
		project, title, _ := strings.Cut(line, "\t")
		projects, titles = append(projects, project), append(titles, title)
	}
	agreement := func(score func(a, b int) float64) float64 {
		same := 0
		for i := range titles {
			near := ranked(len(titles), func(j int) float64 {
				if i == j {
					return math.Inf(-1)
				}
				return score(i, j)
			})
			for _, j := range near[:10] {
				if projects[i] == projects[j] {
					same++
				}
			}
		}
		return float64(same) / float64(10*len(titles))
	}
	static, keyword := agreement(byMeaning(t, titles, titles)), agreement(byKeyword(titles, titles))
	t.Logf("static %.3f, keyword %.3f, chance %.3f", static, keyword, 39.0/399)
	if static < titlesFloor || static <= keyword {
		t.Errorf("%.3f of the nearest are from the same project, by keyword %.3f; want more, and at least %v", static, keyword, titlesFloor)
	}
}

const titlesFloor = 0.31

func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// ranked gives the documents by falling score, the lower number first among equals.
func ranked(n int, score func(document int) float64) []int {
	order, scores := make([]int, n), make([]float64, n)
	for d := range n {
		order[d], scores[d] = d, score(d)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return order
}

func byMeaning(t *testing.T, queries, documents []string) func(query, document int) float64 {
	t.Helper()
	embed := func(texts []string, kind embedder.Kind) (vectors [][]float32) {
		for _, result := range New().Embed(context.Background(), texts, kind) {
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			vectors = append(vectors, result.Vector)
		}
		return vectors
	}
	q, d := embed(queries, embedder.Query), embed(documents, embedder.Document)
	return func(query, document int) float64 { return float64(dot(q[query], d[document])) }
}

// byKeyword is BM25 with k1 = 1.2 and b = 0.75, as SQLite's full-text search has it.
func byKeyword(queries, documents []string) func(query, document int) float64 {
	terms := func(text string) []string {
		return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	counts, lengths := make([]map[string]float64, len(documents)), make([]float64, len(documents))
	with, average := map[string]float64{}, 0.0
	for d, document := range documents {
		counts[d] = map[string]float64{}
		for _, term := range terms(document) {
			if counts[d][term] == 0 {
				with[term]++
			}
			counts[d][term]++
			lengths[d]++
		}
		average += lengths[d] / float64(len(documents))
	}
	asked := make([][]string, len(queries))
	for q, query := range queries {
		asked[q] = terms(query)
		slices.Sort(asked[q])
		asked[q] = slices.Compact(asked[q])
	}
	n := float64(len(documents))
	return func(query, document int) float64 {
		score := 0.0
		for _, term := range asked[query] {
			count := counts[document][term]
			if count == 0 {
				continue
			}
			rarity := math.Log(1 + (n-with[term]+0.5)/(with[term]+0.5))
			score += rarity * count * 2.2 / (count + 1.2*(0.25+0.75*lengths[document]/average))
		}
		return score
	}
}
