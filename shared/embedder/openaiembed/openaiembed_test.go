package openaiembed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/embedder/embeddertest"
	"nanotypedb/shared/embedder/flakyembed"
	"nanotypedb/shared/embedder/openaiembed"
	"nanotypedb/shared/fault"
)

const dim = 16

func open(t *testing.T, s *flakyembed.Server, change func(c *openaiembed.Config)) *openaiembed.Embedder {
	t.Helper()
	c := openaiembed.Config{URL: s.URL, Model: flakyembed.Model, Dim: s.Dim}
	if change != nil {
		change(&c)
	}
	e, err := openaiembed.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestConformance(t *testing.T) {
	embeddertest.Run(t, func(t *testing.T) embedder.Embedder { return open(t, flakyembed.Start(t, dim), nil) })
}

func TestNew(t *testing.T) {
	good := openaiembed.Config{URL: "http://127.0.0.1:1/v1", Model: "m", Dim: 8}
	if _, err := openaiembed.New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*openaiembed.Config){
		"no address":       func(c *openaiembed.Config) { c.URL = "" },
		"no scheme":        func(c *openaiembed.Config) { c.URL = "localhost:11434" },
		"other scheme":     func(c *openaiembed.Config) { c.URL = "ftp://host/v1" },
		"password inside":  func(c *openaiembed.Config) { c.URL = "http://me:hunter2@host/v1" },
		"no dimension":     func(c *openaiembed.Config) { c.Dim = 0 },
		"vast dimension":   func(c *openaiembed.Config) { c.Dim = 1 << 20 },
		"unspeakable name": func(c *openaiembed.Config) { c.Model = "a model\n" },
	} {
		c := good
		change(&c)
		if _, err := openaiembed.New(c); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestModelChangesWithDimension(t *testing.T) {
	s := flakyembed.Start(t, dim)
	shorter := open(t, s, func(c *openaiembed.Config) { c.Dim, c.Shorten = 8, true })
	if shorter.Model() == open(t, s, nil).Model() {
		t.Errorf("both are %q", shorter.Model())
	}
	embeddertest.Embed(t.Context(), t, shorter, "the server was asked for 8")
}

func TestProbe(t *testing.T) {
	s := flakyembed.Start(t, dim)
	c := openaiembed.Config{URL: s.URL, Model: flakyembed.Model}
	if n, err := openaiembed.Probe(t.Context(), c); n != dim || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for name, answer := range map[string]flakyembed.Answer{
		"empty": flakyembed.Embedding("dimension", "[]"), "zero": flakyembed.Embedding("dimension", "[0,0]"),
		"down": flakyembed.Status(500, ""), "null": flakyembed.Embedding("dimension", "null"),
	} {
		s.Use(flakyembed.Always(answer))
		if n, err := openaiembed.Probe(t.Context(), c); err == nil {
			t.Errorf("%s: got %d", name, n)
		}
	}
}

// What happens to the three texts of a request, and how often each was asked
// for.
func TestFailures(t *testing.T) {
	const a, b, c = "first text", "second text", "third text"
	ok, wrong, down := embedder.Class(""), embedder.WrongAnswer, embedder.Unavailable
	for name, test := range map[string]struct {
		answer  flakyembed.Answer
		classes [3]embedder.Class
		says    string
	}{
		"500":                {flakyembed.Status(500, "stack trace"), [3]embedder.Class{down, down, down}, "status 500"},
		"503":                {flakyembed.Status(503, ""), [3]embedder.Class{down, down, down}, "status 503"},
		"401":                {flakyembed.Status(401, "bad key"), [3]embedder.Class{down, down, down}, "API key"},
		"404":                {flakyembed.Status(404, ""), [3]embedder.Class{down, down, down}, "does not know the model"},
		"redirect":           {redirect, [3]embedder.Class{down, down, down}, "status 307"},
		"connection dropped": {flakyembed.Cut, [3]embedder.Class{down, down, down}, "broke off"},
		"hang":               {flakyembed.Hang, [3]embedder.Class{down, down, down}, "did not answer within"},
		"endless":            {flakyembed.Endless, [3]embedder.Class{wrong, wrong, wrong}, "more than"},
		"empty body":         {flakyembed.Body(""), [3]embedder.Class{wrong, wrong, wrong}, "cannot be read"},
		"truncated JSON":     {flakyembed.Body(`{"data":[{"index":0,"embedding":[1,`), [3]embedder.Class{wrong, wrong, wrong}, "cannot be read"},
		"a web page":         {flakyembed.Body("<html>"), [3]embedder.Class{wrong, wrong, wrong}, "cannot be read"},
		"no data":            {flakyembed.Body(`{}`), [3]embedder.Class{wrong, wrong, wrong}, "0 vectors for 3"},
		"an index twice":     {flakyembed.Body(indexed(0, 0, 1)), [3]embedder.Class{wrong, wrong, wrong}, "numbered"},
		"an index beyond":    {flakyembed.Body(indexed(0, 1, 3)), [3]embedder.Class{wrong, wrong, wrong}, "numbered"},
		"an index below 0":   {flakyembed.Body(indexed(-1, 0, 1)), [3]embedder.Class{wrong, wrong, wrong}, "numbered"},
		"another model":      {flakyembed.Body(`{"model":"other","data":[]}`), [3]embedder.Class{wrong, wrong, wrong}, "other"},
		"NaN":                {flakyembed.Embedding(b, "[NaN]"), [3]embedder.Class{wrong, wrong, wrong}, "cannot be read"},
		"too large a number": {flakyembed.Embedding(b, "[1e39]"), [3]embedder.Class{ok, wrong, ok}, "not a vector"},
		"base64":             {flakyembed.Embedding(b, `"AAAA"`), [3]embedder.Class{ok, wrong, ok}, "not a vector"},
		"null":               {flakyembed.Embedding(b, "null"), [3]embedder.Class{ok, wrong, ok}, "0 components instead of 16"},
		"too short":          {flakyembed.Embedding(b, "[1,2]"), [3]embedder.Class{ok, wrong, ok}, "2 components instead of 16"},
		"too long":           {flakyembed.Embedding(b, zeros(17)), [3]embedder.Class{ok, wrong, ok}, "17 components"},
		"zero vector":        {flakyembed.Embedding(b, zeros(16)), [3]embedder.Class{ok, wrong, ok}, "without a direction"},
	} {
		t.Run(name, func(t *testing.T) {
			s := flakyembed.Start(t, dim)
			s.Use(flakyembed.Always(test.answer))
			e := open(t, s, func(c *openaiembed.Config) {
				if name == "hang" {
					c.Timeout = 50 * time.Millisecond
				}
			})
			results := e.Embed(t.Context(), []string{a, b, c}, embedder.Document)
			said := ""
			for i, class := range test.classes {
				if class == "" {
					if results[i].Err != nil {
						t.Errorf("text %d: %v", i, results[i].Err)
					}
					continue
				}
				embeddertest.CheckFailure(t, results[i], class)
				said += reason(results[i].Err)
			}
			if !strings.Contains(said, test.says) || strings.Contains(said, "127.0.0.1") || strings.Contains(said, "stack") {
				t.Errorf("it says %q, want %q and no address", said, test.says)
			}
			for _, text := range []string{a, b, c} {
				if n := s.Asked(text); n != 1 {
					t.Errorf("%q was asked for %d times", text, n)
				}
			}
		})
	}
}

func redirect(w http.ResponseWriter, r *http.Request, _ []string, _ int) {
	http.Redirect(w, r, "/v1/embeddings?again", http.StatusTemporaryRedirect)
}

func indexed(indexes ...int) string {
	var items []string
	for _, i := range indexes {
		items = append(items, fmt.Sprintf(`{"index":%d,"embedding":[1]}`, i))
	}
	return `{"data":[` + strings.Join(items, ",") + `]}`
}

func zeros(n int) string { return "[0" + strings.Repeat(",0", n-1) + "]" }

func reason(err error) string {
	var public *fault.Error
	if errors.As(err, &public) {
		return public.Reason
	}
	return ""
}

// One text that the server refuses is found by halving, and the others have
// their vectors.
func TestRefusedText(t *testing.T) {
	s := flakyembed.Start(t, dim)
	var texts []string
	for i := range 8 {
		texts = append(texts, fmt.Sprint("text ", i))
	}
	s.Use(flakyembed.RefuseText(texts[5], "maximum context length is 512 tokens,\nkey sk-123"))
	e := open(t, s, func(c *openaiembed.Config) { c.Key = "sk-123" })
	results := e.Embed(t.Context(), texts, embedder.Document)
	for i, result := range results {
		if i == 5 {
			embeddertest.CheckFailure(t, result, embedder.Refused)
			if r := reason(result.Err); !strings.Contains(r, "512 tokens, key [key]") {
				t.Errorf("it says %q", r)
			}
		} else if result.Err != nil {
			t.Errorf("text %d: %v", i, result.Err)
		}
	}
	for i, want := range []int{2, 2, 2, 2, 4, 4, 3, 3} {
		if n := s.Asked(texts[i]); n != want {
			t.Errorf("text %d was asked for %d times, want %d", i, n, want)
		}
	}
}

func TestThrottled(t *testing.T) {
	s := flakyembed.Start(t, dim)
	e := open(t, s, nil)
	for wait, answer := range map[time.Duration]flakyembed.Answer{
		0: flakyembed.Throttle(0), 7 * time.Second: flakyembed.Throttle(7 * time.Second),
	} {
		s.Use(flakyembed.Always(answer))
		result := e.Embed(t.Context(), []string{"a"}, embedder.Document)[0]
		embeddertest.CheckFailure(t, result, embedder.Throttled)
		var public *fault.Error
		if errors.As(result.Err, &public); public.RetryAfter != wait {
			t.Errorf("retry after %v, want %v", public.RetryAfter, wait)
		}
	}
	s.Use(nil)
	embeddertest.Embed(t.Context(), t, e, "a")
}

func TestServerDown(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	e, err := openaiembed.New(openaiembed.Config{URL: gone.URL, Model: "m", Dim: 1})
	if err != nil {
		t.Fatal(err)
	}
	result := e.Embed(t.Context(), []string{"a"}, embedder.Document)[0]
	embeddertest.CheckFailure(t, result, embedder.Unavailable)
	if r := reason(result.Err); strings.Contains(r, "127.0.0.1") {
		t.Errorf("it tells the address: %q", r)
	}
}

// Whoever gives up while the server hangs learns it at once.
func TestCallerGivesUp(t *testing.T) {
	s := flakyembed.Start(t, dim)
	ctx, cancel := context.WithCancel(t.Context())
	s.Use(flakyembed.Always(func(w http.ResponseWriter, r *http.Request, texts []string, dim int) {
		cancel()
		flakyembed.Hang(w, r, texts, dim)
	}))
	result := open(t, s, nil).Embed(ctx, []string{"a"}, embedder.Document)[0]
	embeddertest.CheckFailure(t, result, embedder.Unavailable)
	if !errors.Is(result.Err, context.Canceled) {
		t.Errorf("got %v", result.Err)
	}
}

// The key goes to the server and into no error.
func TestKey(t *testing.T) {
	s := flakyembed.Start(t, dim)
	e := open(t, s, func(c *openaiembed.Config) { c.Key = "sk-secret" })
	s.Use(flakyembed.Always(flakyembed.Status(401, "Incorrect API key provided: sk-secret")))
	result := e.Embed(t.Context(), []string{"a"}, embedder.Document)[0]
	if got := s.Headers()[0].Get("Authorization"); got != "Bearer sk-secret" {
		t.Errorf("sent %q", got)
	}
	if strings.Contains(result.Err.Error(), "secret") {
		t.Errorf("the error tells the key: %v", result.Err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", e, e, e), "secret") {
		t.Error("printing the embedder tells the key")
	}
}
