package indexing

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// Killed is the class of a job that died without anybody noting why: whoever
// worked on it ended before he could.
const Killed = "killed"

// Failure is a job that failed, as it is kept under FAIL#<job>.
type Failure struct {
	ID       string        `json:"id"`
	Table    int           `json:"table"`
	Row      string        `json:"row"`
	Hash     indexlog.Hash `json:"-"`
	Seq      int64         `json:"seq"`
	Model    string        `json:"model,omitempty"`
	Class    string        `json:"class,omitempty"` // of the newest error; empty when it is to be retried
	Error    string        `json:"error,omitempty"` // a sentence that users may read
	Attempts int           `json:"attempts"`        // since it was first sent, or sent again
	FirstAt  schema.Millis `json:"firstAt"`
	LastAt   schema.Millis `json:"lastAt"`
	Dead     bool          `json:"dead,omitempty"` // it is tried no more unless somebody asks for it

	Text string `json:"hash"` // Hash in hexadecimal

	stored []byte // as read
}

const failPrefix = "FAIL#"

func failKey(room, job string) store.Key {
	return store.Key{PK: indexlog.Partition(room), SK: failPrefix + job}
}

func decodeFailure(data []byte) (*Failure, error) {
	f := &Failure{stored: data}
	if err := json.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("decode a failure: %w", err)
	}
	var ok bool
	if f.Hash, ok = parseHash(f.Text); !ok {
		return nil, fmt.Errorf("decode a failure: %.80q is no hash", f.Text)
	}
	return f, nil
}

// newFailure is the failure of a job before its first attempt failed.
func newFailure(j Job) *Failure {
	return &Failure{ID: j.ID(), Table: j.Table, Row: j.Row, Hash: j.Hash, Seq: j.Seq, Text: hex.EncodeToString(j.Hash[:])}
}

func (f *Failure) job(room string) Job {
	return Job{Room: room, Table: f.Table, Row: f.Row, Hash: f.Hash, Seq: f.Seq, Again: true}
}

// failure reads the failure of a job strongly; nil when there is none.
func (x *Indexer) failure(ctx context.Context, room, job string) (*Failure, error) {
	item, err := x.Store.Get(ctx, failKey(room, job), true)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read failure %s of room %s: %w", job, room, err)
	}
	return decodeFailure(item.Data)
}

// save replaces what is kept of a failure, unless that changed since it was
// read.
func (x *Indexer) save(ctx context.Context, room string, f *Failure) error {
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	w := store.Write{Item: store.Item{Key: failKey(room, f.ID), Data: data}, If: store.Absent}
	if f.stored != nil {
		w.If, w.Previous = store.Unchanged, f.stored
	}
	if err := x.Store.Write(ctx, w); err != nil {
		return fmt.Errorf("keep failure %s of room %s: %w", f.ID, room, err)
	}
	f.stored = data
	return nil
}

// change applies a change to a failure as it is, again when somebody else
// changes it too. change gets nil when there is none, and returns nil when
// nothing is to be kept.
func (x *Indexer) change(ctx context.Context, room, job string, change func(*Failure) *Failure) error {
	const attempts = 8
	var err error
	for range attempts {
		var f *Failure
		if f, err = x.failure(ctx, room, job); err != nil {
			return err
		}
		if f = change(f); f == nil {
			return nil
		}
		err = x.save(ctx, room, f)
		var changed *store.ConditionError
		if err == nil || !errors.As(err, &changed) && !errors.Is(err, store.ErrContended) {
			return err
		}
	}
	return err
}

// Fail records that an attempt at a job failed.
func (x *Indexer) Fail(ctx context.Context, j Job, receives int, cause error) error {
	now := x.millis()
	err := x.change(ctx, j.Room, j.ID(), func(f *Failure) *Failure {
		if f == nil {
			f = newFailure(j)
		}
		if f.FirstAt == 0 {
			f.FirstAt = now
		}
		// A worker that was too slow may be told of its end after the job was
		// buried; were it not dead then, nobody could retry it.
		f.Dead = f.Dead && receives >= MaxReceives
		f.LastAt, f.Attempts = now, receives
		f.Class, f.Error, f.Model = ClassOf(cause), reasonOf(cause), x.model()
		return f
	})
	if err == nil {
		faultpoint.Reach(PointFailed)
	}
	return err
}

// forget removes a failure whose text has a vector now, or no row.
func (x *Indexer) forget(ctx context.Context, room, job string) error {
	err := x.Store.Write(ctx, store.Write{Action: store.Delete, Item: store.Item{Key: failKey(room, job)}})
	if err != nil {
		return fmt.Errorf("remove failure %s of room %s: %w", job, room, err)
	}
	return nil
}

func (x *Indexer) model() string {
	if x.Embedder == nil {
		return ""
	}
	return x.Embedder.Model()
}

// ClassOf names the kind of an error: one of the model's classes, budget, or
// that of a fault; internal for what the model is not to blame for.
func ClassOf(err error) string {
	var spent overBudget
	if errors.As(err, &spent) {
		return ClassBudget
	}
	var e *embedder.Error
	if errors.As(err, &e) {
		return string(e.Class)
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return string(f.Code)
	}
	return string(fault.Internal)
}

// reasonOf is the sentence of an error that users may read.
func reasonOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Reason
	}
	return "something went wrong inside; the log of the server says what"
}

func retryAfter(err error) time.Duration {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.RetryAfter
	}
	return 0
}

// Failures lists the failed jobs of a room, at most limit: those that are
// tried again and those that are dead. next continues the list; empty: the
// end. Failures of texts that have a vector by now may still be among them
// for a while.
func (x *Indexer) Failures(ctx context.Context, room, cursor string, limit int) (failures []Failure, next string, err error) {
	if cursor != "" && !strings.HasPrefix(cursor, failPrefix) {
		return nil, "", fault.At(fault.Invalid, "cursor", "this cursor is not one of this list")
	}
	page, err := x.Store.Query(ctx, store.Query{
		PK: indexlog.Partition(room), From: failPrefix, To: failPrefix + "~", After: cursor, Limit: limit, Strong: true,
	})
	if err != nil {
		return nil, "", fmt.Errorf("list failures of room %s: %w", room, err)
	}
	for _, item := range page.Items {
		f, err := decodeFailure(item.Data)
		if err != nil {
			return nil, "", err
		}
		failures = append(failures, *f)
	}
	return failures, page.Next, nil
}

func parseHash(text string) (h indexlog.Hash, ok bool) {
	decoded, err := hex.DecodeString(text)
	if err != nil || len(decoded) != len(h) {
		return h, false
	}
	copy(h[:], decoded)
	return h, true
}
