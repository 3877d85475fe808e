package staticembed

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/embedder/embeddertest"
)

func TestConformance(t *testing.T) {
	embeddertest.Run(t, func(*testing.T) embedder.Embedder { return New() })
}

// A changed file under an old name would mix models in one ranking.
func TestModelNamesTheFile(t *testing.T) {
	sum := sha256.Sum256([]byte(file))
	if want := hex.EncodeToString(sum[:4]); !strings.HasSuffix(Model, "/"+want) {
		t.Errorf("the model is called %s, and its file has sha256 %s…", Model, want)
	}
	if len(file) > 8_000_000 {
		t.Errorf("the file has %d bytes; it must stay below 8 MB", len(file))
	}
}

func loaded(t testing.TB) *table {
	t.Helper()
	m, err := model()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pieceTexts gives a text's tokens as the reference writes them.
func pieceTexts(m *table, text string) []string {
	names := make([]string, len(m.index))
	for name, token := range m.index {
		names[token] = name
	}
	tokens := []string{}
	for _, word := range words(text) {
		found, ok := m.pieces(word, nil)
		if !ok {
			tokens = append(tokens, "[UNK]")
		}
		for _, token := range found {
			tokens = append(tokens, names[token])
		}
	}
	return tokens
}

// testdata/tokens.jsonl is what Hugging Face's tokenizer makes of many texts
// (infra/distill/distill.py writes it).
func TestTokensAreThoseOfTheReference(t *testing.T) {
	m := loaded(t)
	golden, err := os.Open("testdata/tokens.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	lines, wrong := bufio.NewScanner(golden), 0
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var want struct {
			Text   string
			Tokens []string
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if got := pieceTexts(m, want.Text); !slices.Equal(got, want.Tokens) && wrong < 20 {
			wrong++
			t.Errorf("%+q:\ngot  %+q\nwant %+q", want.Text, got, want.Tokens)
		}
	}
	if n < 300 {
		t.Errorf("only %d texts", n)
	}
}

// Texts that no word piece is known of still find themselves, and nothing else.
func TestUnknownWords(t *testing.T) {
	e := New()
	vectors := embeddertest.Embed(context.Background(), t, e, "🎉", "🚀", "🎉 🚀", "🎉", "\u200b\u200b", "deploy 🎉", "deploy")
	for _, c := range []struct {
		a, b      int
		low, high float32
	}{{0, 3, 0.999, 1.001}, {0, 1, -0.4, 0.4}, {0, 2, 0.5, 0.9}, {0, 4, -0.4, 0.4}, {5, 6, 0.999, 1.001}} {
		if cosine := dot(vectors[c.a], vectors[c.b]); cosine < c.low || cosine > c.high {
			t.Errorf("cosine of texts %d and %d is %.3f, want %.2f to %.2f", c.a, c.b, cosine, c.low, c.high)
		}
	}
}

func dot(a, b []float32) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func TestMeaning(t *testing.T) {
	v := embeddertest.Embed(context.Background(), t, New(),
		"how to fix a broken car engine", "automobile motor repair", "chocolate cake recipe")
	if near, far := dot(v[0], v[1]), dot(v[0], v[2]); near < far+0.3 {
		t.Errorf("repair is as near to %.2f as cake to %.2f", near, far)
	}
}

func TestLoadRefusesDamage(t *testing.T) {
	good := magic + "\x02\x00\x00\x00\x02\x00\x00\x00" + "\x01\x03" + "a##b" + "\x00\x00\x80\x3f\x00\x00\x00\x40" + "\x01\xff\x03\x04"
	m, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	if sum := m.sum("ab"); sum[0] != 7 || sum[1] != 7 {
		t.Errorf("a + 2·##b = %v", sum)
	}
	for size := range len(good) {
		if _, err := load(good[:size]); err == nil {
			t.Errorf("the first %d bytes were taken", size)
		}
	}
	if _, err := load(good + "x"); err == nil {
		t.Error("one byte too many was taken")
	}
}

func FuzzEmbed(f *testing.F) {
	for _, text := range []string{"hello world", "İ\u0307ﬁ", "中\u0301a##b", "\xff\xfe", strings.Repeat("é", 300), "\u200d"} {
		f.Add(text)
	}
	e := New()
	f.Fuzz(func(t *testing.T, text string) {
		result := e.Embed(context.Background(), []string{text}, embedder.Document)[0]
		bad := embedder.CheckText(text, e.Limits()) != nil
		if bad != (result.Err != nil) {
			t.Fatalf("%+q: %v", text, result.Err)
		}
		if !bad {
			embeddertest.CheckVector(t, e, result.Vector)
		}
	})
}

func BenchmarkEmbed(b *testing.B) {
	texts := []string{"Remove the old authentication path from the heap profile endpoint"}
	e := New()
	e.Embed(context.Background(), texts, embedder.Document)
	for b.Loop() {
		e.Embed(context.Background(), texts, embedder.Document)
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := load(file); err != nil {
			b.Fatal(err)
		}
	}
}
