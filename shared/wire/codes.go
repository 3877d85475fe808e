package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"nanotypedb/shared/fault"
)

// JSON-RPC's own numbers for requests that never reach a method.
const (
	ParseError     = -32700
	InvalidRequest = -32600
	MethodNotFound = -32601
)

// The two faces of every fault code, side by side.
var (
	numbers = map[fault.Code]int{
		fault.Invalid:         -32602,
		fault.Unauthenticated: 4001,
		fault.Forbidden:       4003,
		fault.NotFound:        4004,
		fault.Conflict:        4009,
		fault.TooLarge:        4013,
		fault.RateLimited:     4029,
		fault.Unavailable:     5003,
		fault.Internal:        -32603,
	}
	statuses = map[fault.Code]int{
		fault.Invalid:         http.StatusBadRequest,
		fault.Unauthenticated: http.StatusUnauthorized,
		fault.Forbidden:       http.StatusForbidden,
		fault.NotFound:        http.StatusNotFound,
		fault.Conflict:        http.StatusConflict,
		fault.TooLarge:        http.StatusRequestEntityTooLarge,
		fault.RateLimited:     http.StatusTooManyRequests,
		fault.Unavailable:     http.StatusServiceUnavailable,
		fault.Internal:        http.StatusInternalServerError,
	}
)

// titles name the numbers, in the words of JSON-RPC where it has some.
var titles = map[int]string{
	ParseError:     "Parse error",
	InvalidRequest: "Invalid request",
	MethodNotFound: "Method not found",
	-32602:         "Invalid params",
	-32603:         "Internal error",
	4001:           "Unauthenticated",
	4003:           "Forbidden",
	4004:           "Not found",
	4009:           "Conflict",
	4013:           "Too large",
	4029:           "Rate limited",
	5003:           "Unavailable",
}

// EdgeError is a failure of the envelope itself, which has a number or status
// that no fault code maps to: a frame that is not JSON, an unknown method, a
// content type that is not read.
type EdgeError struct {
	Number int // of JSON-RPC; 0 over HTTP
	Status int // of HTTP; 0 over a socket
	Fault  *fault.Error
}

// Error gives the public text.
func (e *EdgeError) Error() string { return e.Fault.Error() }

// Unwrap gives the fault, so that fault.CodeOf finds its code.
func (e *EdgeError) Unwrap() error { return e.Fault }

func edge(number int, format string, args ...any) *EdgeError {
	return &EdgeError{Number: number, Fault: fault.New(fault.Invalid, format, args...)}
}

// UnknownMethod refuses a JSON-RPC method that does not exist.
func UnknownMethod(name string) error {
	return edge(MethodNotFound, "There is no method %q.", clip(name))
}

// Status refuses an HTTP request with a status of its own, as 405 or 415.
func Status(status int, format string, args ...any) error {
	return &EdgeError{Status: status, Fault: fault.New(fault.Invalid, format, args...)}
}

// Number gives the JSON-RPC number of an error.
func Number(err error) int {
	var e *EdgeError
	if errors.As(err, &e) && e.Number != 0 {
		return e.Number
	}
	return numbers[Public(err).Code]
}

// HTTPStatus gives the HTTP status of an error.
func HTTPStatus(err error) int {
	var e *EdgeError
	if errors.As(err, &e) && e.Status != 0 {
		return e.Status
	}
	return statuses[Public(err).Code]
}

// Public is what of an error a caller may see, its reason as a sentence. Errors that are not faults, and
// internal ones, keep their text to themselves; an interrupted request counts
// as undecided.
func Public(err error) *fault.Error {
	var e *fault.Error
	switch {
	case errors.As(err, &e) && e.Code != fault.Internal && numbers[e.Code] != 0:
		public := *e
		public.Reason = sentenceAt(e.Path, e.Reason)
		return &public
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.New(fault.Unavailable, "The request took too long; repeat it with the same commitId.")
	default:
		return fault.New(fault.Internal, "Something failed on our side; quote the request id when you report it.")
	}
}

// clip keeps what a client sent short enough to repeat in an answer.
func clip(s string) string {
	if len(s) <= MaxMethod {
		return s
	}
	return fmt.Sprintf("%.*s…", MaxMethod, s)
}
