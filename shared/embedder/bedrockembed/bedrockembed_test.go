package bedrockembed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"nanotypedb/shared/backend/aws/transport"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/embedder/bedrockembed"
	"nanotypedb/shared/embedder/embeddertest"
	"nanotypedb/shared/embedder/flakyembed"
	"nanotypedb/shared/fault"
)

// titan stands in for Bedrock, since no emulator has embeddings. The real SDK
// signs, sends and decodes.
type titan struct {
	mu      sync.Mutex
	asked   map[string]int
	now     int
	most    int                                                            // requests at one time
	respond func(w http.ResponseWriter, r *http.Request, text string) bool // nil or false: well
}

func (b *titan) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		InputText  string
		Dimensions int
		Normalize  bool
	}
	path := "/model/" + bedrockembed.ModelID + "/invoke"
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || r.URL.Path != path || !wanted.Normalize ||
		!strings.Contains(r.Header.Get("Authorization"), "/bedrock/aws4_request") {
		fail(w, 400, "ValidationException", "Malformed input request")
		return
	}
	b.enter(wanted.InputText)
	defer b.leave()
	if b.respond != nil && b.respond(w, r, wanted.InputText) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"embedding": flakyembed.Vector(wanted.InputText, wanted.Dimensions), "inputTextTokenCount": 3,
	})
}

func (b *titan) enter(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[text]++
	b.now++
	b.most = max(b.most, b.now)
}

// sent is how often a text was asked for; all is the number of texts, and most the largest number at one time.
func (b *titan) sent(text string) (n, all, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[text], len(b.asked), b.most
}

func (b *titan) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now--
}

func fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-ErrorType", code+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

func open(t *testing.T, respond func(http.ResponseWriter, *http.Request, string) bool) (*bedrockembed.Embedder, *titan) {
	t.Helper()
	stub := &titan{asked: map[string]int{}, respond: respond}
	server := httptest.NewServer(stub)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	e, err := bedrockembed.New(client(server.URL, time.Minute), bedrockembed.DefaultDim)
	if err != nil {
		t.Fatal(err)
	}
	return e, stub
}

func client(url string, timeout time.Duration) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: "us-east-1", BaseEndpoint: &url, HTTPClient: transport.Repair(&http.Client{Timeout: timeout}),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("emulator", "emulator", "")),
	})
}

func TestConformance(t *testing.T) {
	embeddertest.Run(t, func(t *testing.T) embedder.Embedder {
		e, _ := open(t, nil)
		return e
	})
}

func TestNew(t *testing.T) {
	names := map[string]bool{}
	for dim, ok := range map[int]bool{0: false, 300: false, 256: true, 512: true, 1024: true} {
		e, err := bedrockembed.New(nil, dim)
		if (err == nil) != ok {
			t.Errorf("%d: %v", dim, err)
		}
		if ok {
			names[e.Model()] = true
		}
	}
	if len(names) != 3 {
		t.Errorf("models of three dimensions are called %v", names)
	}
}

// Bedrock's errors, and that a text is asked for once.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status        int
		code, message string
		class         embedder.Class
		says          string
	}{
		{429, "ThrottlingException", "Too many requests", embedder.Throttled, "busy"},
		{400, "ServiceQuotaExceededException", "quota", embedder.Throttled, "busy"},
		{429, "ModelNotReadyException", "wait", embedder.Throttled, "busy"},
		{400, "ValidationException", "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000", embedder.Refused, "Max input tokens: 8192"},
		{400, "ValidationException", "The provided model identifier is invalid.", embedder.Unavailable, "does not offer"},
		{400, "ValidationException", "Invocation of model ID x with on-demand throughput isn't supported", embedder.Unavailable, "does not offer"},
		{403, "AccessDeniedException", "You don't have access to the model with arn:aws:iam::123456789012", embedder.Unavailable, "denies access"},
		{404, "ResourceNotFoundException", "Could not resolve the foundation model", embedder.Unavailable, "does not offer"},
		{408, "ModelTimeoutException", "slow", embedder.Unavailable, "in time"},
		{424, "ModelErrorException", "oops", embedder.Unavailable, "ModelErrorException"},
		{500, "InternalServerException", "oops", embedder.Unavailable, "InternalServerException"},
		{503, "ServiceUnavailableException", "oops", embedder.Unavailable, "ServiceUnavailableException"},
	} {
		t.Run(c.code, func(t *testing.T) {
			e, stub := open(t, func(w http.ResponseWriter, _ *http.Request, text string) bool {
				if text == "bad" {
					w.Header().Set("Retry-After", "3")
					fail(w, c.status, c.code, c.message)
				}
				return text == "bad"
			})
			result := e.Embed(t.Context(), []string{"bad"}, embedder.Document)[0]
			embeddertest.CheckFailure(t, result, c.class)
			var public *fault.Error
			errors.As(result.Err, &public)
			if !strings.Contains(public.Reason, c.says) || strings.Contains(public.Reason, "123456789012") {
				t.Errorf("it says %q", public.Reason)
			}
			if c.class == embedder.Throttled && public.RetryAfter != 3*time.Second {
				t.Errorf("retry after %v", public.RetryAfter)
			}
			if n, _, _ := stub.sent("bad"); n != 1 {
				t.Errorf("asked for %d times", n)
			}
			if c.class != embedder.Throttled {
				results := e.Embed(t.Context(), []string{"good", "bad", "fine"}, embedder.Document)
				embeddertest.CheckFailure(t, results[1], c.class)
				if results[0].Err != nil || results[2].Err != nil {
					t.Errorf("neighbours: %v, %v", results[0].Err, results[2].Err)
				}
			}
		})
	}
}

func TestWrongAnswers(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "truncated": `{"embedding":[0.1,`, "none": `{}`, "short": `{"embedding":[1,2]}`,
		"NaN": `{"embedding":[NaN]}`, "too large a number": `{"embedding":[1e300]}`,
		"zero": `{"embedding":[0` + strings.Repeat(",0", 511) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := open(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				_, _ = w.Write([]byte(body))
				return true
			})
			embeddertest.CheckFailure(t, e.Embed(t.Context(), []string{"a"}, embedder.Document)[0], embedder.WrongAnswer)
		})
	}
}

// The requests of all callers together are bounded.
func TestConcurrency(t *testing.T) {
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	e, stub := open(t, func(http.ResponseWriter, *http.Request, string) bool {
		arrived <- struct{}{}
		<-release
		return false
	})
	var wg sync.WaitGroup
	for caller := range 2 {
		wg.Go(func() {
			var texts []string
			for i := range 20 {
				texts = append(texts, fmt.Sprint("text ", caller, i))
			}
			embeddertest.Embed(t.Context(), t, e, texts...)
		})
	}
	for range 8 {
		<-arrived
	}
	close(release)
	wg.Wait()
	if _, _, most := stub.sent(""); most != 8 {
		t.Errorf("%d requests at one time, want 8", most)
	}
}

// Once throttled, the rest of a call is not sent.
func TestThrottledCallStops(t *testing.T) {
	e, stub := open(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		fail(w, 429, "ThrottlingException", "Too many requests")
		return true
	})
	var texts []string
	for i := range 60 {
		texts = append(texts, fmt.Sprint("text ", i))
	}
	for _, result := range e.Embed(t.Context(), texts, embedder.Document) {
		embeddertest.CheckFailure(t, result, embedder.Throttled)
	}
	if _, all, _ := stub.sent(""); all > 8 {
		t.Errorf("%d of 60 texts were sent; want no more than were under way at first", all)
	}
}

func TestNoAnswer(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hang(r) }))
	defer silent.Close()
	defer silent.CloseClientConnections()
	e, err := bedrockembed.New(client(silent.URL, 50*time.Millisecond), 512)
	if err != nil {
		t.Fatal(err)
	}
	result := e.Embed(t.Context(), []string{"a"}, embedder.Document)[0]
	embeddertest.CheckFailure(t, result, embedder.Unavailable)
	if !strings.Contains(result.Err.Error(), "in time") {
		t.Errorf("got %v", result.Err)
	}
	silent.CloseClientConnections()
	gone := httptest.NewServer(nil)
	gone.Close()
	e, _ = bedrockembed.New(client(gone.URL, time.Minute), 512)
	embeddertest.CheckFailure(t, e.Embed(t.Context(), []string{"a"}, embedder.Document)[0], embedder.Unavailable)
}

func hang(r *http.Request) {
	_ = json.NewDecoder(r.Body).Decode(&struct{}{}) // the server notices a lost client only when the body is read
	<-r.Context().Done()
}

func TestCallerGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e, _ := open(t, func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	result := e.Embed(ctx, []string{"a"}, embedder.Document)[0]
	embeddertest.CheckFailure(t, result, embedder.Unavailable)
	if !errors.Is(result.Err, context.Canceled) {
		t.Errorf("got %v", result.Err)
	}
}
