package openaiembed

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"nanotypedb/shared/embedder"
)

// answer is one vector. Its numbers are read apart, so that a bad one does not
// fail the others.
type answer struct {
	Index     *int            `json:"index"`
	Embedding json.RawMessage `json:"embedding"`
}

func (a answer) floats() ([]float32, error) {
	var components []float32
	if err := json.Unmarshal(a.Embedding, &components); err != nil {
		return nil, embedder.Wrong("the embedding server answered with something that is not a vector").Because(err)
	}
	return components, nil
}

// decode reads the answer to n texts and puts it in their order.
func decode(body []byte, model string, n int) ([]answer, error) {
	var list struct {
		Model string   `json:"model"`
		Data  []answer `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, embedder.Wrong("the embedding server's answer cannot be read").Because(err)
	}
	if !sameModel(model, list.Model) {
		return nil, embedder.Wrong("the embedding server answered from the model %.80q instead of %q", list.Model, model)
	}
	if len(list.Data) != n {
		return nil, embedder.Wrong("the embedding server answered with %d vectors for %d texts", len(list.Data), n)
	}
	ordered := make([]answer, n)
	seen := make([]bool, n)
	for i, a := range list.Data {
		if a.Index != nil {
			i = *a.Index
		}
		if i < 0 || i >= n || seen[i] {
			return nil, embedder.Wrong("the embedding server numbered its vectors wrongly")
		}
		ordered[i], seen[i] = a, true
	}
	return ordered, nil
}

// sameModel allows for what servers add to a name: a version, a tag, a prefix.
// Some tell none.
func sameModel(asked, answered string) bool {
	asked, answered = strings.ToLower(asked), strings.ToLower(answered)
	return strings.Contains(answered, asked) || strings.Contains(asked, answered)
}

// refusal translates an answer that is not 200.
func (e *Embedder) refusal(response *http.Response, body []byte) error {
	wait := retryAfter(response.Header.Get("Retry-After"), e.now())
	switch status := response.StatusCode; status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return embedder.Refuse("the embedding server refuses the text: %s", e.mask(reason(body)))
	case http.StatusTooManyRequests:
		return embedder.Throttle(wait)
	case http.StatusUnauthorized, http.StatusForbidden:
		return embedder.Unreached("the embedding server does not accept the API key (status %d)", status)
	case http.StatusNotFound:
		return embedder.Unreached("the embedding server does not know the model %q (status 404)", e.config.Model)
	default:
		return embedder.Unreached("the embedding server failed with status %d", status).After(wait)
	}
}

// reason is the message of an error in OpenAI's form, {"error": {"message"}},
// or in one of the others in use, at most 200 characters.
func reason(body []byte) string {
	var nested struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	var flat struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	// Each form fails on the other; what is found counts.
	_ = json.Unmarshal(body, &nested)
	_ = json.Unmarshal(body, &flat)
	for _, text := range []string{nested.Error.Message, flat.Error, flat.Message} {
		if text = printable(text); text != "" {
			return text
		}
	}
	return "it gave no reason"
}

func printable(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }), " ")
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); 0 when it is neither.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(header, 64); err == nil && seconds > 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
