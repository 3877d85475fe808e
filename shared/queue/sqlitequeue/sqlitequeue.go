// Package sqlitequeue keeps queues in the one SQLite file of sqlitefile. It is
// the embedded adapter of the queue port, of which this process is the only
// user.
//
// Every change, also the count of a receive, is durable before its call
// returns; writes of many callers share a sync. Who waits for a message is
// woken by the call that makes one visible, or by a timer set to the moment at
// which the next becomes visible.
package sqlitequeue

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/sqlitefile"
)

// The steps between two effects.
const (
	PointAfterSend    faultpoint.Name = "sqlitequeue.after-send"    // durable, the sender does not know
	PointAfterReceive faultpoint.Name = "sqlitequeue.after-receive" // counted and hidden, nobody has the messages
	PointAfterExtend  faultpoint.Name = "sqlitequeue.after-extend"  // the visibility changed, nobody knows
	PointAfterDelete  faultpoint.Name = "sqlitequeue.after-delete"  // gone, the receiver does not know
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointAfterSend, PointAfterReceive, PointAfterExtend, PointAfterDelete}

// Queues are the queues of a file. Open makes one per file.
type Queues struct {
	file *sqlitefile.File

	mu      sync.Mutex
	signals map[string]*signal // by queue
}

// Options say what a queue is, like the attributes of a queue of SQS.
type Options struct {
	Name string

	// MaxReceives is how often a message is given out before it moves to the
	// queue DeadLetter. 0, with no name: without limit.
	MaxReceives int
	DeadLetter  string

	// Retention is how old a message may become; 0 is queue.MaxRetention. An
	// older one is removed when it would be received.
	Retention time.Duration
}

// Open opens the queues of a file. Messages that were in flight can be received
// again, their receives counted.
func Open(ctx context.Context, file *sqlitefile.File) (*Queues, error) {
	now := milliseconds(time.Now())
	err := file.SubmitSingle(ctx, func(tx *sqlitefile.Tx) error {
		_, err := tx.Exec("UPDATE messages SET visible = ? WHERE receives > 0 AND visible > ?", now, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open queues: %w", err)
	}
	return &Queues{file: file, signals: map[string]*signal{}}, nil
}

// Queue gives a queue, which needs no making. One opened twice is the same.
func (q *Queues) Queue(o Options) (*Queue, error) {
	if o.Retention == 0 {
		o.Retention = queue.MaxRetention
	}
	switch {
	case o.Name == "" || o.Name == o.DeadLetter:
		return nil, fault.New(fault.Invalid, "a queue needs a name, and another one than its dead-letter queue: %q", o.Name)
	case o.MaxReceives < 0 || (o.MaxReceives > 0) != (o.DeadLetter != ""):
		return nil, fault.New(fault.Invalid, "queue %s needs a limit of receives and a dead-letter queue, or neither", o.Name)
	case o.Retention < 0 || o.Retention > queue.MaxRetention:
		return nil, fault.New(fault.Invalid, "the retention of queue %s must be up to %v", o.Name, queue.MaxRetention)
	}
	return &Queue{options: o, file: q.file, changed: q.signal(o.Name), dead: q.signal(o.DeadLetter)}, nil
}

func (q *Queues) signal(name string) *signal {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.signals[name] == nil {
		q.signals[name] = &signal{changed: make(chan struct{})}
	}
	return q.signals[name]
}

// signal wakes all who wait for a queue.
type signal struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a message may have become visible earlier
}

func (s *signal) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Queue implements queue.Queue.
type Queue struct {
	options       Options
	file          *sqlitefile.File
	changed, dead *signal
}

// milliseconds rounds up, so that nothing is visible early.
func milliseconds(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return ms
}

// Send implements queue.Queue. All messages of a batch are sent, or none.
func (q *Queue) Send(ctx context.Context, messages ...queue.Outgoing) error {
	if err := queue.ValidateSend(messages); err != nil {
		return err
	}
	now := time.Now()
	err := q.file.Submit(ctx, func(tx *sqlitefile.Tx) error { return q.insert(tx, now, messages) })
	if err != nil {
		return q.outcome("send to", err)
	}
	faultpoint.Reach(PointAfterSend)
	q.changed.announce()
	return nil
}

func (q *Queue) insert(tx *sqlitefile.Tx, now time.Time, messages []queue.Outgoing) error {
	for _, m := range messages {
		_, err := tx.Exec("INSERT INTO messages (id, queue, body, sent, visible, receives) VALUES (?, ?, ?, ?, ?, 0)",
			id.New(now), q.options.Name, m.Body, now.UnixMilli(), visibleAt(now, m.Delay))
		if err != nil {
			return err
		}
	}
	return nil
}

// visibleAt is now at the millisecond for no delay, so that it is over.
func visibleAt(now time.Time, delay time.Duration) int64 {
	if delay == 0 {
		return now.UnixMilli()
	}
	return milliseconds(now.Add(delay))
}

// receipt names a receive: the message's id and how often it was received.
type receipt struct {
	id       string
	receives int64
}

func (r receipt) String() string { return r.id + "-" + strconv.FormatInt(r.receives, 10) }

func parseReceipt(s string) (receipt, bool) {
	message, count, found := strings.Cut(s, "-")
	receives, err := strconv.ParseInt(count, 10, 64)
	return receipt{message, receives}, found && err == nil
}

// Delete implements queue.Queue. An outdated receipt deletes nothing and is
// refused; what is gone already is no error.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	if err := queue.ValidateDelete(receipts); err != nil {
		return err
	}
	var failed map[int]error
	err := q.file.Submit(ctx, func(tx *sqlitefile.Tx) (err error) {
		failed, err = each(receipts, func(s string) (bool, error) { return q.remove(tx, s) })
		return err
	})
	if err != nil {
		return q.outcome("delete from", err)
	}
	faultpoint.Reach(PointAfterDelete)
	return queue.Batch(failed)
}

// each calls do for every entry, and gives ErrStaleReceipt for those that were
// not done.
func each[T any](entries []T, do func(T) (bool, error)) (map[int]error, error) {
	failed := map[int]error{}
	for i, entry := range entries {
		done, err := do(entry)
		if err != nil {
			return nil, err
		}
		if !done {
			failed[i] = queue.ErrStaleReceipt
		}
	}
	return failed, nil
}

func (q *Queue) remove(tx *sqlitefile.Tx, s string) (done bool, err error) {
	r, ok := parseReceipt(s)
	if !ok {
		return false, nil
	}
	n, err := tx.Exec("DELETE FROM messages WHERE id = ? AND queue = ? AND receives = ?", r.id, q.options.Name, r.receives)
	if n > 0 || err != nil {
		return true, err
	}
	gone := true
	err = tx.Query("SELECT 1 FROM messages WHERE id = ?", func([]driver.Value) error { gone = false; return nil }, r.id)
	return gone, err
}

// Extend implements queue.Queue. An outdated receipt is refused.
func (q *Queue) Extend(ctx context.Context, extensions ...queue.Extension) error {
	if err := queue.ValidateExtend(extensions); err != nil {
		return err
	}
	var failed map[int]error
	err := q.file.Submit(ctx, func(tx *sqlitefile.Tx) (err error) {
		now := time.Now()
		failed, err = each(extensions, func(e queue.Extension) (bool, error) { return q.hide(tx, now, e) })
		return err
	})
	if err != nil {
		return q.outcome("extend in", err)
	}
	faultpoint.Reach(PointAfterExtend)
	q.changed.announce()
	return queue.Batch(failed)
}

func (q *Queue) hide(tx *sqlitefile.Tx, now time.Time, e queue.Extension) (done bool, err error) {
	r, ok := parseReceipt(e.Receipt)
	if !ok {
		return false, nil
	}
	n, err := tx.Exec("UPDATE messages SET visible = ? WHERE id = ? AND queue = ? AND receives = ? AND visible > ?",
		visibleAt(now, e.For), r.id, q.options.Name, r.receives, now.UnixMilli())
	return n > 0, err
}

const countMessages = `SELECT
	coalesce(sum(visible <= ?), 0),
	coalesce(sum(visible > ? AND receives > 0), 0),
	coalesce(sum(visible > ? AND receives = 0), 0),
	min(sent) FROM messages WHERE queue = ?`

// Counts implements queue.Queue. They are exact.
func (q *Queue) Counts(ctx context.Context) (queue.Counts, error) {
	counts := queue.Counts{OldestKnown: true}
	now := time.Now()
	ms := now.UnixMilli()
	err := q.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return tx.Query(countMessages, func(row []driver.Value) error {
			var ok1, ok2, ok3 bool
			counts.Waiting, ok1 = row[0].(int64)
			counts.InFlight, ok2 = row[1].(int64)
			counts.Delayed, ok3 = row[2].(int64)
			if !ok1 || !ok2 || !ok3 {
				return fmt.Errorf("the counts are %v", row)
			}
			if sent, ok := row[3].(int64); ok {
				counts.Oldest = max(now.Sub(time.UnixMilli(sent)), 0)
			}
			return nil
		}, ms, ms, ms, q.options.Name)
	})
	if err != nil {
		return queue.Counts{}, fmt.Errorf("count queue %s: %w", q.options.Name, err)
	}
	return counts, nil
}

// outcome translates the errors of sqlitefile.
func (q *Queue) outcome(what string, err error) error {
	if errors.Is(err, sqlitefile.ErrUnknownOutcome) {
		return fmt.Errorf("%s queue %s: %w: %w", what, q.options.Name, queue.ErrUnknownOutcome, err)
	}
	return fmt.Errorf("%s queue %s: %w", what, q.options.Name, err)
}
