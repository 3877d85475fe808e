package wire

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"nanotypedb/shared/fault"
)

// WriteProblem answers an HTTP request with a problem document (RFC 9457).
// requestID is told for failures of ours only.
func WriteProblem(w http.ResponseWriter, err error, requestID string) {
	public, status := Public(err), HTTPStatus(err)
	body := []byte(`{"type":"about:blank",`)
	body = appendMember(body, "title", http.StatusText(status))
	body = appendMember(append(body, ','), "status", status)
	body = appendMember(append(body, ','), "detail", public.Reason)
	body = appendMember(append(body, ','), "code", public.Code)
	if public.Path != "" {
		body = appendMember(append(body, ','), "path", public.Path)
	}
	body = append(appendDetails(body, public, requestID), '}')

	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if wait := retryAfter(public); wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: nobody to tell
}

// retryAfter is the advice in a Retry-After header: always one where RFC 9110
// expects it.
func retryAfter(e *fault.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	if e.Code == fault.RateLimited || e.Code == fault.Unavailable {
		return time.Second
	}
	return 0
}

// reserved are members that a detail cannot replace.
var reserved = map[string]bool{
	"type": true, "title": true, "status": true, "detail": true, "code": true,
	"path": true, "reason": true, "retryAfterMs": true, "requestId": true,
}

// appendDetails appends the further public members of a fault, each with a
// comma before it. A detail that cannot be encoded is left out.
func appendDetails(dst []byte, e *fault.Error, requestID string) []byte {
	if e.RetryAfter > 0 {
		ms := (e.RetryAfter + time.Millisecond - 1).Milliseconds()
		dst = appendMember(append(dst, ','), "retryAfterMs", ms)
	}
	if e.Code == fault.Internal && requestID != "" {
		dst = appendMember(append(dst, ','), "requestId", requestID)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		if value, err := json.Marshal(e.Details[name]); err == nil && !reserved[name] {
			dst = append(dst, ',')
			dst = append(append(dst, quote(name)...), ':')
			dst = append(dst, value...)
		}
	}
	return dst
}

// appendMember appends a member whose value always encodes.
func appendMember(dst []byte, name string, value any) []byte {
	raw, _ := json.Marshal(value)
	dst = append(append(dst, quote(name)...), ':')
	return append(dst, raw...)
}
