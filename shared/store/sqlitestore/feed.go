package sqlitestore

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"sync"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
)

// The steps between two effects.
const (
	PointBeforeAck faultpoint.Name = "sqlitestore.before-ack" // changes were told, none is acknowledged
	PointAfterAck  faultpoint.Name = "sqlitestore.after-ack"  // acknowledged in memory, not on disk
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointBeforeAck, PointAfterAck}

// changes numbers the inserts of log entries and wakes who waits for one. The
// table of the same name holds what is not acknowledged.
type changes struct {
	last int64 // newest number given out; of who leads a write group

	mu    sync.Mutex
	acked int64
	saved bool          // acked is on its way to the disk
	grown chan struct{} // closed and replaced when there is something new
}

// number gives the next number. A write that is undone leaves a gap.
func (c *changes) number() int64 {
	c.last++
	return c.last
}

// announce wakes all readers of the feed.
func (c *changes) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.grown)
	c.grown = make(chan struct{})
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.grown
}

const ackedKey = "feed_acknowledged"

// loadChanges continues where the file ends.
func (s *Store) loadChanges(ctx context.Context) error {
	s.changes.grown = make(chan struct{})
	return s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return tx.Query(`SELECT coalesce((SELECT value FROM meta WHERE key = ?), 0), coalesce((SELECT max(n) FROM changes), 0)`, func(row []driver.Value) error {
			acked, ok1 := row[0].(int64)
			last, ok2 := row[1].(int64)
			if !ok1 || !ok2 {
				return fmt.Errorf("the feed's numbers are %v", row)
			}
			s.changes.acked, s.changes.last = acked, max(acked, last)
			return nil
		}, ackedKey)
	})
}

// Feed opens the change feed behind what was acknowledged. All feeds of a store
// share that position.
func (s *Store) Feed() *Feed {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	return &Feed{store: s, at: s.changes.acked}
}

// Feed implements store.Feed.
type Feed struct {
	store *Store
	at    int64 // the newest number told
}

// Next implements store.Feed.
func (f *Feed) Next(ctx context.Context, limit int) ([]store.Change, string, error) {
	if limit < 1 {
		return nil, "", fault.New(fault.Invalid, "the feed tells at least one change at a time, not %d", limit)
	}
	for {
		grown := f.store.changes.wait()
		told, err := f.read(ctx, limit)
		if err != nil {
			return nil, "", fmt.Errorf("read the feed: %w", err)
		}
		if len(told) > 0 {
			return told, strconv.FormatInt(f.at, 10), nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
}

const nextChanges = `SELECT changes.n, changes.pk, changes.sk, coalesce(changes.data, items.data)
	FROM changes LEFT JOIN items ON items.pk = changes.pk AND items.sk = changes.sk
	WHERE changes.n > ? ORDER BY changes.n LIMIT ?`

func (f *Feed) read(ctx context.Context, limit int) ([]store.Change, error) {
	var told []store.Change
	err := f.store.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return tx.Query(nextChanges, func(row []driver.Value) error {
			n, ok1 := row[0].(int64)
			pk, ok2 := row[1].(string)
			sk, ok3 := row[2].(string)
			if !ok1 || !ok2 || !ok3 {
				return fmt.Errorf("a change is %v", row[:3])
			}
			data, _ := row[3].([]byte) // an empty one comes as nil
			told = append(told, store.Change{Key: store.Key{PK: pk, SK: sk}, Data: data})
			f.at = n
			return nil
		}, f.at, int64(limit))
	})
	return told, err
}

// Ack implements store.Feed. It goes to the disk with the next write, or when
// the file is closed: a crash before that makes the feed tell the changes again,
// which it may, and an ack of its own sync would slow every commit down.
func (f *Feed) Ack(ctx context.Context, token string) error {
	n, err := strconv.ParseInt(token, 10, 64)
	if err != nil || n < 0 || n > f.at {
		return fault.New(fault.Invalid, "the token %q is not the feed's", token)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	faultpoint.Reach(PointBeforeAck)
	if err := f.store.ack(n); err != nil {
		return fmt.Errorf("acknowledge changes: %w", err)
	}
	faultpoint.Reach(PointAfterAck)
	return nil
}

func (s *Store) ack(n int64) error {
	c := &s.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if n <= c.acked {
		return nil
	}
	c.acked = n
	if c.saved {
		return nil // what is on its way takes the newest number along
	}
	c.saved = true
	return s.file.SubmitLater(s.saveAck)
}

// saveAck is run by who leads a write group.
func (s *Store) saveAck(tx *sqlitefile.Tx) error {
	s.changes.mu.Lock()
	n := s.changes.acked
	s.changes.saved = false
	s.changes.mu.Unlock()
	if _, err := tx.Exec("INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", ackedKey, n); err != nil {
		return err
	}
	_, err := tx.Exec("DELETE FROM changes WHERE n <= ?", n)
	return err
}
