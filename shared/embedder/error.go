package embedder

import (
	"context"
	"errors"
	"time"

	"nanotypedb/shared/fault"
)

// Class says what to do about a failure.
type Class string

// The classes.
const (
	Refused     Class = "refused"      // this text never works with this model; do not try again
	Throttled   Class = "throttled"    // too often; RetryAfter of the fault says when to come again, if known
	Unavailable Class = "unavailable"  // no answer, a broken server or wrong settings; try again later
	WrongAnswer Class = "wrong_answer" // an answer that is not a vector of the model; try again later
)

// Error is why a text has no vector. It unwraps to a *fault.Error whose reason
// may be shown to the user: invalid, rate_limited or unavailable.
type Error struct {
	Class Class
	fault *fault.Error
}

func (e *Error) Error() string { return "embedder: " + string(e.Class) + ": " + e.fault.Error() }

// Unwrap gives the *fault.Error.
func (e *Error) Unwrap() error { return e.fault }

// Because returns a copy that wraps cause, which is for the log only.
func (e *Error) Because(cause error) *Error { return &Error{e.Class, e.fault.Because(cause)} }

// After returns a copy that advises when to try again.
func (e *Error) After(d time.Duration) *Error { return &Error{e.Class, e.fault.After(d)} }

// Refuse says why a text can never be embedded.
func Refuse(format string, args ...any) *Error {
	return &Error{Refused, fault.New(fault.Invalid, format, args...)}
}

// Throttle says that the model is asked too often. After is the wait it asked
// for, or 0.
func Throttle(after time.Duration) *Error {
	return &Error{Throttled, fault.New(fault.RateLimited, "the embedding model is busy").After(after)}
}

// Unreached says why there was no answer.
func Unreached(format string, args ...any) *Error {
	return &Error{Unavailable, fault.New(fault.Unavailable, format, args...)}
}

// Wrong says what is wrong with an answer.
func Wrong(format string, args ...any) *Error {
	return &Error{WrongAnswer, fault.New(fault.Unavailable, format, args...)}
}

// Stopped is the error of texts that had no answer when ctx ended.
func Stopped(ctx context.Context) *Error {
	return Unreached("the embedding was interrupted").Because(ctx.Err())
}

// ClassOf gives the class of err: Unavailable for an error of another type,
// and the empty class for nil.
func ClassOf(err error) Class {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Class
	}
	return Unavailable
}
