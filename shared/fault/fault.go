// Package fault is the one error type that crosses package borders: a code that
// programs act on, the path of the field that is wrong, and a sentence that a
// person can act on. Any other error counts as internal, and its text never
// reaches a user.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure it is. shared/wire maps every code to a
// JSON-RPC number and an HTTP status.
type Code string

// The codes, in the order of design.md section 4.
const (
	Invalid         Code = "invalid"         // the request is malformed or breaks a rule of the schema
	Unauthenticated Code = "unauthenticated" // nobody is signed in, or the ticket or token is not valid
	Forbidden       Code = "forbidden"       // signed in, but without the role it takes
	NotFound        Code = "not_found"       // no such room, table, row or job
	Conflict        Code = "conflict"        // the state is not the one that the request expects
	TooLarge        Code = "too_large"       // a limit in bytes or counts is exceeded
	RateLimited     Code = "rate_limited"    // too often; RetryAfter says when to come again
	Unavailable     Code = "unavailable"     // it may or may not have happened; repeat with the same commitId
	Internal        Code = "internal"        // our fault
)

// Codes lists every code, for tables that must be complete.
var Codes = []Code{Invalid, Unauthenticated, Forbidden, NotFound, Conflict, TooLarge, RateLimited, Unavailable, Internal}

// Error is a failure that may be shown to the caller. Code, Path, Reason,
// RetryAfter and Details are public; the wrapped cause is for the log only.
type Error struct {
	Code       Code
	Path       string         // where in the request, as in "ops[2].row.title"; empty when it is the whole
	Reason     string         // one sentence for a person
	RetryAfter time.Duration  // zero: no advice
	Details    map[string]any // further public members, as useHttp or conflicts
	cause      error
}

// New returns an error with a code and a formatted reason.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// At returns an error that names the field it is about.
func At(code Code, path, format string, args ...any) *Error {
	return &Error{Code: code, Path: path, Reason: fmt.Sprintf(format, args...)}
}

// Error gives the public text, and the cause after it.
func (e *Error) Error() string {
	text := string(e.Code) + ": "
	if e.Path != "" {
		text += e.Path + ": "
	}
	text += e.Reason
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause, which is never shown to a caller.
func (e *Error) Unwrap() error { return e.cause }

// Because returns a copy that wraps cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// After returns a copy that advises when to try again.
func (e *Error) After(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// With returns a copy with one more public member.
func (e *Error) With(name string, value any) *Error {
	c := *e
	c.Details = make(map[string]any, len(e.Details)+1)
	for k, v := range e.Details {
		c.Details[k] = v
	}
	c.Details[name] = value
	return &c
}

// Under returns err with prefix put before its path, so that each layer names
// only its own part of a path. Errors of other types come back unchanged.
func Under(prefix string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	switch {
	case c.Path == "":
		c.Path = prefix
	case c.Path[0] == '[':
		c.Path = prefix + c.Path
	default:
		c.Path = prefix + "." + c.Path
	}
	return &c
}

// CodeOf gives the code of err: Internal for an error that is not ours, and
// the empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Is reports whether err carries code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
