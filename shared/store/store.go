// Package store is the port to the one table that everything durable lives in:
// items under a partition key and a sort key, as in DynamoDB. The embedded
// adapter is sqlitestore, the AWS adapter dynamostore; both pass storetest.
//
// There is no scan. All methods may be called concurrently. Arguments are not
// kept after a call returns, and what is returned belongs to the caller. An
// adapter never retries a write by itself: who writes knows whether repeating
// is safe.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits that both adapters enforce, from DynamoDB.
const (
	MaxItemBytes    = 400_000 // keys, data and counters together (DynamoDB: 400 KB)
	MaxWrites       = 100     // writes of one transaction on DynamoDB
	MaxTransactSize = 4 << 20 // bytes of one transaction
)

// Key names one item.
type Key struct{ PK, SK string }

// Item is what is stored under a key. Data is opaque to the store; nil and
// empty are the same. Counters change by Add; a Put sets all of them, so that
// those it does not name are gone. Expires lets the store collect the item some
// time after that moment, kept in whole seconds, rounded up; it is garbage
// collection only, and a reader that cares checks it. An expired item that is
// not collected yet counts as present.
type Item struct {
	Key
	Data     []byte
	Counters map[string]int64
	Expires  time.Time
}

// Query asks for the items of one partition whose sort key lies between From
// and To, both inclusive; an empty To means no upper bound. After, when set,
// leaves out everything up to and including that sort key in reading order;
// there need not be an item under it. Sort keys are compared byte by byte.
// Strong reads see every write that was acknowledged before the call.
type Query struct {
	PK       string
	From, To string
	After    string
	Limit    int // 0: as many as one page holds (1 MB)
	Reverse  bool
	Strong   bool
}

// Page is a part of an answer, in order of sort key. Next is the After of the
// following page, and empty at the end; the last page may be without items.
type Page struct {
	Items []Item
	Next  string
}

// Action is what a Write does.
type Action int

// The actions. Check changes nothing: it is a condition on an item that the
// same transaction does not write.
const (
	Put Action = iota
	Delete
	Check
)

// Condition must hold for a Write to be applied.
type Condition int

// The conditions. Unchanged compares the stored Data with Write.Previous; it
// fails when there is no item.
const (
	Always Condition = iota
	Absent
	Present
	Unchanged
)

// Write is one change.
type Write struct {
	Action   Action
	Item     Item // Delete and Check use the key only
	If       Condition
	Previous []byte
}

// Store keeps the items.
type Store interface {
	// Get returns the item, or ErrNotFound. A strong read sees every write
	// acknowledged before the call; otherwise an older state may be returned.
	Get(ctx context.Context, key Key, strong bool) (Item, error)

	// Query returns one page. The adapter may return fewer items than Limit
	// with Next set.
	Query(ctx context.Context, q Query) (Page, error)

	// Write applies all writes or none. One write is a plain conditional
	// write; several are a transaction (at most MaxWrites, no key twice);
	// none is nothing. When Write returns nil, the change is durable.
	// Errors: *ConditionError (not applied, a condition was not met),
	// ErrContended (not applied, another write was in flight: repeat),
	// ErrThrottled (not applied), ErrUnknownOutcome (applied or not, and it
	// may still be applied later), *fault.Error invalid or too_large (not
	// applied, see ValidateWrites). When ctx ends before the write was
	// handed over, the error is ctx's alone (not applied); when it ends later,
	// it is ErrUnknownOutcome. Any other error counts as an unknown outcome.
	Write(ctx context.Context, writes ...Write) error

	// Add adds deltas to the counters of an item, making it when it is
	// absent, and returns the new values of the named counters, of which
	// there is at least one. A non-zero expires replaces the item's. Errors as Write's; an unknown outcome is
	// not safe to repeat.
	Add(ctx context.Context, key Key, deltas map[string]int64, expires time.Time) (map[string]int64, error)
}

// Appender is an optional ability: a store of which this process is the only
// writer can make several consecutive log entries durable with one sync, in
// one Write: up to MaxAppend puts if Absent of LOG# items of one partition do
// not count against MaxWrites and MaxTransactSize. Callers treat a store without
// it as 1, and as one that others write to.
type Appender interface{ MaxAppend() int }

// Change is one new log entry, as the feed tells it.
type Change struct {
	Key  Key
	Data []byte
}

// Feed tells new items whose sort key begins with "LOG#", each at least once,
// also after a restart, and in no order that a reader may rely on.
type Feed interface {
	// Next returns at least one and at most max changes and a token that
	// acknowledges them, waiting until there is one or ctx ends. It goes on
	// behind what it told before; changes not acknowledged are told again
	// after the feed is opened anew. One reader calls Next at a time.
	Next(ctx context.Context, max int) ([]Change, string, error)

	// Ack acknowledges all changes told up to token.
	Ack(ctx context.Context, token string) error
}

// Errors of all adapters. They are compared with errors.Is.
var (
	ErrNotFound       = errors.New("store: no such item")
	ErrContended      = errors.New("store: another write was in flight")
	ErrThrottled      = errors.New("store: throttled")
	ErrUnknownOutcome = errors.New("store: outcome unknown")
)

// ConditionError says which writes, by index, had a condition that was not
// met. Nothing was applied.
type ConditionError struct{ Failed []int }

// Error names the failed writes.
func (e *ConditionError) Error() string {
	return fmt.Sprintf("store: condition of write %v not met", e.Failed)
}
