// Package bedrockembed asks Amazon Titan Text Embeddings V2 on Bedrock.
package bedrockembed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"nanotypedb/shared/embedder"
)

// ModelID is Titan's name on Bedrock.
const ModelID = "amazon.titan-embed-text-v2:0"

// DefaultDim is half of what the model can do: it keeps 99 % of its quality
// (https://docs.aws.amazon.com/bedrock/latest/userguide/titan-embedding-models.html).
const DefaultDim = 512

// Titan takes one text a request, of at most 50,000 characters and 8,192
// tokens, the latter counted by Bedrock alone.
const (
	maxBytes = 50_000
	maxTexts = 64
	parallel = 8
)

// Embedder is a client of Titan.
type Embedder struct {
	client *bedrockruntime.Client
	dim    int
	slots  chan struct{} // one a request under way, of all callers
}

var _ embedder.Embedder = (*Embedder)(nil)

// New makes an embedder of 256, 512 or 1024 dimensions.
func New(client *bedrockruntime.Client, dim int) (*Embedder, error) {
	switch dim {
	case 256, 512, 1024:
		return &Embedder{client: client, dim: dim, slots: make(chan struct{}, parallel)}, nil
	}
	return nil, fmt.Errorf("the dimension of %s must be 256, 512 or 1024, not %d", ModelID, dim)
}

// Model is bedrock/ID/DIM.
func (e *Embedder) Model() string { return fmt.Sprintf("bedrock/%s/%d", ModelID, e.dim) }

// Dim is what New was asked for.
func (e *Embedder) Dim() int { return e.dim }

// Limits are Titan's.
func (e *Embedder) Limits() embedder.Limits { return embedder.Limits{Texts: maxTexts, Bytes: maxBytes} }

// Embed sends a request a text, of all callers at most eight at a time. Once
// Bedrock throttles one, the rest of the call is not sent and throttled too.
// Titan knows no difference between documents and queries.
func (e *Embedder) Embed(ctx context.Context, texts []string, _ embedder.Kind) []embedder.Result {
	results, passed := embedder.CheckTexts(texts, e.Limits())
	var busy throttle
	var wg sync.WaitGroup
	for _, i := range passed {
		if err := e.acquire(ctx); err != nil {
			results[i].Err = err
			continue
		}
		wg.Go(func() {
			defer func() { <-e.slots }()
			if results[i].Err = busy.err(); results[i].Err != nil {
				return
			}
			results[i] = e.one(ctx, texts[i])
			busy.note(results[i].Err)
		})
	}
	wg.Wait()
	return results
}

// throttle remembers that one request of a call was throttled.
type throttle struct {
	mu    sync.Mutex
	first error
}

func (t *throttle) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first
}

func (t *throttle) note(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == nil && embedder.ClassOf(err) == embedder.Throttled {
		t.first = err
	}
}

func (e *Embedder) acquire(ctx context.Context) error {
	if ctx.Err() == nil {
		select {
		case e.slots <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	return embedder.Stopped(ctx)
}

func (e *Embedder) one(ctx context.Context, text string) embedder.Result {
	if ctx.Err() != nil {
		return embedder.Result{Err: embedder.Stopped(ctx)}
	}
	body, err := json.Marshal(map[string]any{"inputText": text, "dimensions": e.dim, "normalize": true})
	if err != nil {
		return embedder.Result{Err: embedder.Refuse("the text cannot be sent").Because(err)}
	}
	answer, err := e.client.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(ModelID), Body: body,
		ContentType: aws.String("application/json"), Accept: aws.String("application/json"),
	}, once)
	if err != nil {
		return embedder.Result{Err: translate(ctx, err)}
	}
	var found struct{ Embedding []float32 }
	if err := json.Unmarshal(answer.Body, &found); err != nil {
		return embedder.Result{Err: embedder.Wrong("Bedrock's answer cannot be read").Because(err)}
	}
	return embedder.Finish(found.Embedding, e.dim)
}

// The caller decides when to try again; the SDK's own attempts would spend the
// quota that the caller spares.
func once(o *bedrockruntime.Options) { o.Retryer = aws.NopRetryer{} }

// translate makes an error of the port from one of the SDK.
// Errors: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
func translate(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return embedder.Stopped(ctx)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
			return embedder.Unreached("Bedrock did not answer in time").Because(err)
		}
		return embedder.Unreached("Bedrock cannot be reached").Because(err)
	}
	switch code := api.ErrorCode(); code {
	case "ValidationException":
		return validation(api).Because(err)
	case "ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException", "TooManyRequestsException":
		return embedder.Throttle(retryAfter(err)).Because(err)
	case "AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException":
		return embedder.Unreached("Bedrock denies access to %s: the account or role may not use it", ModelID).Because(err)
	case "ResourceNotFoundException":
		return embedder.Unreached("Bedrock does not offer %s in this Region", ModelID).Because(err)
	case "ModelTimeoutException":
		return embedder.Unreached("Bedrock's model did not answer in time").Because(err)
	default:
		return embedder.Unreached("Bedrock failed with %s", code).After(retryAfter(err)).Because(err)
	}
}

// validation tells what is wrong with the text from what is wrong with the
// model's name: Bedrock has one code for both.
func validation(api smithy.APIError) *embedder.Error {
	message := strings.Join(strings.Fields(api.ErrorMessage()), " ")
	lower := strings.ToLower(message)
	for _, setting := range []string{"model identifier", "on-demand throughput", "#/dimensions"} {
		if strings.Contains(lower, setting) {
			return embedder.Unreached("Bedrock does not offer %s in this Region as it is asked for", ModelID)
		}
	}
	return embedder.Refuse("Bedrock refuses the text: %.200s", message)
}

func retryAfter(err error) time.Duration {
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.Response == nil {
		return 0
	}
	header := http.Header(response.Response.Header).Get("Retry-After")
	seconds, err := strconv.Atoi(header)
	if err != nil || seconds < 0 || seconds > 1e6 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
