// Package flakyembed is a server of OpenAI's embeddings protocol that fails by
// script and counts how often each text was asked for.
package flakyembed

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Answer is what the server does with a request.
type Answer func(w http.ResponseWriter, r *http.Request, texts []string, dim int)

// Script chooses the answer to a request: n counts them from 1. Nil answers
// well.
type Script func(n int, texts []string) Answer

// Model is the only one that the server knows.
const Model = "scripted"

// Server is a running one.
type Server struct {
	URL string // the base, ending in /v1
	Dim int

	mu       sync.Mutex
	script   Script
	requests int
	asked    map[string]int
	headers  []http.Header
}

// Start runs a server that answers well, until the test ends.
func Start(t testing.TB, dim int) *Server {
	t.Helper()
	s := &Server{Dim: dim, asked: map[string]int{}}
	listener := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		listener.CloseClientConnections() // ends what hangs
		listener.Close()
	})
	s.URL = listener.URL + "/v1"
	return s
}

// Use changes the script; nil answers well.
func (s *Server) Use(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// Asked is how often a text was in a request, failed ones included.
func (s *Server) Asked(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[text]
}

// Requests is the number of requests so far.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Headers are those of the requests so far.
func (s *Server) Headers() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]http.Header(nil), s.headers...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Model      string
		Input      []string
		Dimensions int
	}
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || r.URL.Path != "/v1/embeddings" || r.Method != http.MethodPost {
		Status(http.StatusBadRequest, "not a request for embeddings")(w, r, nil, 0)
		return
	}
	s.mu.Lock()
	s.requests++
	s.headers = append(s.headers, r.Header.Clone())
	for _, text := range wanted.Input {
		s.asked[text]++
	}
	answer := Well
	if s.script != nil {
		if scripted := s.script(s.requests, wanted.Input); scripted != nil {
			answer = scripted
		}
	}
	s.mu.Unlock()
	dim := s.Dim
	if wanted.Dimensions > 0 {
		dim = wanted.Dimensions
	}
	if wanted.Model != Model {
		answer = Status(http.StatusNotFound, "no such model")
	}
	answer(w, r, wanted.Input, dim)
}

// Vector is the server's answer to a text: not of length 1, the same each time.
func Vector(text string, dim int) []float64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(text))
	r := rand.New(rand.NewPCG(hash.Sum64(), 1))
	v := make([]float64, dim)
	for i := range v {
		v[i] = 3 * r.NormFloat64()
	}
	return v
}

// Well answers as it should, last text first, as the protocol allows.
func Well(w http.ResponseWriter, _ *http.Request, texts []string, dim int) {
	write(w, texts, func(text string) string { return numbers(Vector(text, dim)) })
}

func write(w http.ResponseWriter, texts []string, embedding func(text string) string) {
	items := make([]string, len(texts))
	for i, text := range texts {
		items[len(texts)-1-i] = fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, embedding(text))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"object":"list","model":"%s","data":[%s],"usage":{"prompt_tokens":1,"total_tokens":1}}`,
		Model, strings.Join(items, ","))
}

func numbers(v []float64) string {
	encoded, _ := json.Marshal(v) // finite numbers always have a form
	return string(encoded)
}

// Status answers with an error in OpenAI's form.
func Status(status int, message string) Answer {
	return func(w http.ResponseWriter, _ *http.Request, _ []string, _ int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": "error"}})
	}
}

// Throttle answers 429; after 0 gives no advice.
func Throttle(after time.Duration) Answer {
	return func(w http.ResponseWriter, r *http.Request, texts []string, dim int) {
		if after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(after.Seconds())))
		}
		Status(http.StatusTooManyRequests, "slow down")(w, r, texts, dim)
	}
}

// RefuseText answers 400 to each request with a text in it, and well to others.
func RefuseText(text, message string) Script {
	return func(_ int, texts []string) Answer {
		for _, asked := range texts {
			if asked == text {
				return Status(http.StatusBadRequest, message)
			}
		}
		return nil
	}
}

// Always gives each request the same answer.
func Always(answer Answer) Script { return func(int, []string) Answer { return answer } }

// Times gives the first n requests an answer, and then all is well.
func Times(n int, answer Answer) Script {
	return func(request int, _ []string) Answer {
		if request > n {
			return nil
		}
		return answer
	}
}

// Body answers 200 with any text.
func Body(text string) Answer {
	return func(w http.ResponseWriter, _ *http.Request, _ []string, _ int) { _, _ = w.Write([]byte(text)) }
}

// Embedding answers well but for one text, whose embedding is the given JSON.
func Embedding(text, embedding string) Answer {
	return func(w http.ResponseWriter, _ *http.Request, texts []string, dim int) {
		write(w, texts, func(asked string) string {
			if asked == text {
				return embedding
			}
			return numbers(Vector(asked, dim))
		})
	}
}

// Hang never answers; it ends when the client gives up.
func Hang(_ http.ResponseWriter, r *http.Request, _ []string, _ int) { <-r.Context().Done() }

// Cut promises more than it sends and drops the connection.
func Cut(w http.ResponseWriter, _ *http.Request, _ []string, _ int) {
	w.Header().Set("Content-Length", "100000")
	_, _ = w.Write([]byte(`{"object":"list","data":[{"embedding":[0.1,`))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// Endless sends a number after the other until the client has enough.
func Endless(w http.ResponseWriter, _ *http.Request, _ []string, _ int) {
	page := []byte(strings.Repeat("0.1,", 16<<10))
	if _, err := w.Write([]byte(`{"data":[{"embedding":[`)); err != nil {
		return
	}
	for {
		if _, err := w.Write(page); err != nil {
			return
		}
	}
}
