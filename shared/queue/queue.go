// Package queue is the port to a queue of messages that must be handled: at
// least once, in no order, as a standard queue of SQS. The embedded adapter is
// sqlitequeue, the AWS adapter sqsqueue; both pass queuetest.
//
// A message that is received is in flight: hidden from other receivers until
// its visibility time ends. Whoever handled it deletes it; else it is received
// again. A queue with a dead-letter queue gives a message out at most as often
// as its limit of receives says (5 in this project), whatever changed its
// visibility in between; the receive after the last, which finds it visible
// once more, moves it to the dead-letter queue instead. That is a queue like
// any other. A message keeps its id, body and time of sending there; the count
// of its receives may go on or begin anew. Only who receives from a queue moves
// its messages. Which queue has which limit, dead-letter queue and retention is
// said where it is opened or, on AWS, made; what is older than the retention is
// removed, handled or not.
//
// All methods may be called concurrently, by any number of processes on AWS.
// Arguments are not kept after a call returns, and what is returned belongs to
// the caller. A batch has 1 to MaxBatch entries. Durations may be rounded up to
// whole seconds, as SQS does.
//
// Errors: *BatchError when some entries failed and the others were done;
// *fault.Error invalid or too_large before anything was done; ctx's alone when
// it ended before the request was made; ErrThrottled (nothing was done);
// ErrUnknownOutcome (done, not done, or still under way). Any other error
// counts as an unknown outcome. Repeating is always safe, since handlers must
// bear a message that comes twice anyway: an adapter may repeat Send, Delete,
// Extend and Counts by itself, and never repeats Receive.
package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits that both adapters enforce, from SQS.
const (
	MaxBatch      = 10               // entries of one call
	MaxBodyBytes  = 1 << 20          // of one message
	MaxDelay      = 15 * time.Minute // of a new message
	MaxWait       = 20 * time.Second // of one Receive
	MaxVisibility = 12 * time.Hour   // counted from the receive; SQS counts extensions in
	MaxRetention  = 14 * 24 * time.Hour
)

// Outgoing is a message to send. Body is 1 to MaxBodyBytes bytes of UTF-8
// without the control characters that XML 1.0 excludes. It can be received
// once Delay, at most MaxDelay, is over.
type Outgoing struct {
	Body  string
	Delay time.Duration
}

// Message is a message that was received. Receives counts this receive in, so
// it is at least 1.
type Message struct {
	ID            string // stays the same over all receives
	Receipt       string // names this receive, for Delete and Extend
	Body          string
	Receives      int
	Sent          time.Time // in milliseconds, UTC
	FirstReceived time.Time // likewise
}

// Request says what to receive: at most Max messages (1 to MaxBatch), waiting
// up to Wait (0 to MaxWait) until there is one, hidden from others for
// Visibility (above 0, up to MaxVisibility).
type Request struct {
	Max        int
	Wait       time.Duration
	Visibility time.Duration
}

// Extension ends the visibility time of a message in flight For after now;
// 0 makes it visible at once.
type Extension struct {
	Receipt string
	For     time.Duration
}

// Counts are of the whole queue, and on SQS approximate. A message is in one
// of the three. OldestKnown says whether the adapter knows Oldest: the time
// since the oldest message was sent, 0 without one.
type Counts struct {
	Waiting     int64 // can be received
	InFlight    int64 // received and not visible
	Delayed     int64 // never received and not visible yet
	Oldest      time.Duration
	OldestKnown bool
}

// Queue is one queue.
type Queue interface {
	// Send sends a batch. A message without an error in the result is durable
	// and will be received. After an unknown outcome, or when the adapter had
	// to repeat, a message may be there twice.
	Send(ctx context.Context, messages ...Outgoing) error

	// Receive gives up to r.Max visible messages. It gives none and no error
	// when none came in time, and may do so although there are some. Each
	// message given out is counted first: so a receive is counted also when
	// its answer is lost, as by a crash, and the message is visible again
	// after its visibility time, or when the embedded queue is opened anew.
	// When ctx ends while Receive waits, the error is ctx's; on SQS messages
	// may have been received with nobody to handle them, with the same result.
	Receive(ctx context.Context, r Request) ([]Message, error)

	// Delete removes messages for good. The receipt of the newest receive
	// removes the message, also when its visibility time is over; an older one
	// may remove it or not. ErrStaleReceipt may be the error of an entry whose
	// message was received again, was moved or is gone: nothing is left to do
	// for who holds that receipt. No error for an entry means that the message
	// is gone if the receipt was its newest, and nothing otherwise.
	Delete(ctx context.Context, receipts ...string) error

	// Extend sets how long messages in flight stay hidden, counted from now.
	// The error of an entry is ErrStaleReceipt when its message is not in
	// flight any more; when it was received again, an older receipt may be
	// refused likewise or act for the newest.
	Extend(ctx context.Context, extensions ...Extension) error

	// Counts counts the messages of the whole queue.
	Counts(ctx context.Context) (Counts, error)
}

// Errors of all adapters. They are compared with errors.Is.
var (
	ErrStaleReceipt   = errors.New("queue: the receipt is not that of a message in flight")
	ErrThrottled      = errors.New("queue: throttled")
	ErrUnknownOutcome = errors.New("queue: outcome unknown")
)

// BatchError gives the error of each entry that failed, by index. The entries
// it does not name were done. errors.Is finds the errors of all entries.
type BatchError struct{ Failed map[int]error }

// Error names the failed entries.
func (e *BatchError) Error() string {
	parts := make([]string, 0, len(e.Failed))
	for _, i := range slices.Sorted(maps.Keys(e.Failed)) {
		parts = append(parts, fmt.Sprintf("entry %d: %v", i, e.Failed[i]))
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the errors of the entries.
func (e *BatchError) Unwrap() []error {
	all := make([]error, 0, len(e.Failed))
	for _, i := range slices.Sorted(maps.Keys(e.Failed)) {
		all = append(all, e.Failed[i])
	}
	return all
}

// Batch gives the error of a whole batch: nil when nothing failed.
func Batch(failed map[int]error) error {
	if len(failed) == 0 {
		return nil
	}
	return &BatchError{Failed: failed}
}
