// Package openaiembed asks a server that speaks OpenAI's embeddings protocol
// (POST /v1/embeddings): OpenAI, Ollama, vLLM, LM Studio and others.
package openaiembed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/vector"
)

// What every known server takes. A text above the model's own limit in tokens
// is refused by the server, or cut by it: Ollama does so.
const (
	maxTexts       = 64
	maxBytes       = 64 << 10
	defaultTimeout = 30 * time.Second
)

// Config says whom to ask for what.
type Config struct {
	URL     string        // the base, as http://127.0.0.1:11434/v1
	Model   string        // as the server calls it
	Dim     int           // components of a vector; Probe finds it
	Shorten bool          // asks the server for Dim components; only some models can
	Key     string        // bearer token; empty: none
	Timeout time.Duration // of a request; 0: 30 s
}

// Embedder is a client of one model.
type Embedder struct {
	config   Config
	endpoint string
	client   *http.Client
	now      func() time.Time
}

var _ embedder.Embedder = (*Embedder)(nil)

// String keeps the key out of logs that print an embedder.
func (e *Embedder) String() string { return e.Model() }

// GoString does so for %#v.
func (e *Embedder) GoString() string { return e.Model() }

// New checks the configuration; it asks nothing.
func New(c Config) (*Embedder, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.User != nil {
		return nil, errors.New("the embedding server's address must be http(s)://host[:port]/v1, without a password")
	}
	if c.Dim < 1 || c.Dim > vector.MaxDim {
		return nil, fmt.Errorf("dimension %d of the embedding model must be from 1 to %d", c.Dim, vector.MaxDim)
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	e := &Embedder{config: c, endpoint: base.JoinPath("embeddings").String(), client: newClient(), now: time.Now}
	return e, embedder.CheckModel(e.Model())
}

// Probe asks the server for one vector and returns its dimension. The error is
// an *embedder.Error, or one of New.
func Probe(ctx context.Context, c Config) (int, error) {
	c.Dim, c.Shorten = 1, false
	e, err := New(c)
	if err != nil {
		return 0, err
	}
	answers, err := e.ask(ctx, []string{"dimension"})
	if err != nil {
		return 0, err
	}
	components, err := answers[0].floats()
	if err != nil {
		return 0, err
	}
	if result := embedder.Finish(components, len(components)); result.Err != nil {
		return 0, result.Err
	}
	return len(components), nil
}

// A redirect would carry key and texts to an address that nobody configured.
func newClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Model is openai/NAME/DIM: two servers that call a model by one name are
// taken to have the same.
func (e *Embedder) Model() string { return fmt.Sprintf("openai/%s/%d", e.config.Model, e.config.Dim) }

// Dim is what was configured; answers of another size are wrong.
func (e *Embedder) Dim() int { return e.config.Dim }

// Limits are those of the package.
func (e *Embedder) Limits() embedder.Limits { return embedder.Limits{Texts: maxTexts, Bytes: maxBytes} }

// Embed sends all texts in one request. The protocol knows no difference
// between documents and queries.
func (e *Embedder) Embed(ctx context.Context, texts []string, _ embedder.Kind) []embedder.Result {
	results, passed := embedder.CheckTexts(texts, e.Limits())
	e.embed(ctx, texts, passed, results)
	return results
}

// embed fills the results at positions. A request that the server refuses is
// sent again in halves, until the refused text stands alone.
func (e *Embedder) embed(ctx context.Context, texts []string, positions []int, results []embedder.Result) {
	if len(positions) == 0 {
		return
	}
	asked := make([]string, len(positions))
	for i, position := range positions {
		asked[i] = texts[position]
	}
	answers, err := e.ask(ctx, asked)
	if embedder.ClassOf(err) == embedder.Refused && len(positions) > 1 {
		half := len(positions) / 2
		e.embed(ctx, texts, positions[:half], results)
		e.embed(ctx, texts, positions[half:], results)
		return
	}
	for i, position := range positions {
		if err != nil {
			results[position].Err = err
			continue
		}
		results[position] = e.result(answers[i])
	}
}

func (e *Embedder) result(a answer) embedder.Result {
	components, err := a.floats()
	if err != nil {
		return embedder.Result{Err: err}
	}
	return embedder.Finish(components, e.config.Dim)
}

type request struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	EncodingFormat string   `json:"encoding_format"`
	Dimensions     int      `json:"dimensions,omitempty"`
}

// ask returns one answer a text, in their order, or an *embedder.Error.
func (e *Embedder) ask(ctx context.Context, texts []string) ([]answer, error) {
	if ctx.Err() != nil {
		return nil, embedder.Stopped(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, e.config.Timeout)
	defer cancel()
	response, err := e.post(limited, texts)
	if err != nil {
		return nil, e.unreached(ctx, limited, err)
	}
	defer response.Body.Close()
	limit := bodyLimit(len(texts))
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case response.StatusCode != http.StatusOK: // whatever of its body arrived
		return nil, e.refusal(response, body)
	case err != nil:
		return nil, e.unreached(ctx, limited, err)
	case int64(len(body)) > limit:
		return nil, embedder.Wrong("the embedding server answered with more than %d bytes", limit)
	}
	return decode(body, e.config.Model, len(texts))
}

func (e *Embedder) post(ctx context.Context, texts []string) (*http.Response, error) {
	wanted := request{Model: e.config.Model, Input: texts, EncodingFormat: "float"}
	if e.config.Shorten {
		wanted.Dimensions = e.config.Dim
	}
	body, err := json.Marshal(wanted)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if e.config.Key != "" {
		r.Header.Set("Authorization", "Bearer "+e.config.Key)
	}
	return e.client.Do(r)
}

// unreached translates a request that ended without an answer. The address
// stays in the cause: it is not for users.
func (e *Embedder) unreached(ctx, limited context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return embedder.Stopped(ctx)
	case limited.Err() != nil:
		return embedder.Unreached("the embedding server did not answer within %v", e.config.Timeout).Because(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return embedder.Unreached("the embedding server broke off its answer").Because(err)
	}
	return embedder.Unreached("the embedding server cannot be reached").Because(err)
}

// bodyLimit is what an answer may have: 32 bytes a number are more than any
// server writes.
func bodyLimit(texts int) int64 { return 64<<10 + int64(texts)*vector.MaxDim*32 }

// mask takes the key out of a text that the server wrote.
func (e *Embedder) mask(text string) string {
	if e.config.Key == "" {
		return text
	}
	return strings.ReplaceAll(text, e.config.Key, "[key]")
}
