// Package sqlitestore keeps the store in the one SQLite file of sqlitefile. It
// is the embedded adapter of the store port, of which this process is the only
// user: so it is an Appender, and a write is contended by none.
//
// Reads are always strong. Items that have expired are removed by a sweep once
// a minute.
package sqlitestore

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
)

const (
	maxAppend = 1000
	pageBytes = 1 << 20
	pageItems = 10_000 // of a query without a limit; the last page is cut by bytes long before
)

// Store is the adapter. Open makes one per file.
type Store struct {
	file    *sqlitefile.File
	changes changes
	sweeper sweeper
}

// Open makes the store of a file and starts its sweep. Close it before the file.
func Open(ctx context.Context, file *sqlitefile.File) (*Store, error) {
	s := &Store{file: file}
	if err := s.loadChanges(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s.startSweep()
	return s, nil
}

// Close ends the sweep. It does not close the file.
func (s *Store) Close() error { return s.stopSweep() }

// MaxAppend implements store.Appender.
func (s *Store) MaxAppend() int { return maxAppend }

const columns = "sk, data, counters, expires"

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key store.Key, _ bool) (store.Item, error) {
	item, found := store.Item{}, false
	err := s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return tx.Query("SELECT "+columns+" FROM items WHERE pk = ? AND sk = ?", func(row []driver.Value) (err error) {
			item, err = scan(key.PK, row)
			found = true
			return err
		}, key.PK, key.SK)
	})
	if err != nil {
		return store.Item{}, fmt.Errorf("get %s: %w", key.SK, err)
	}
	if !found {
		return store.Item{}, store.ErrNotFound
	}
	return item, nil
}

// scan makes an item of the columns.
func scan(pk string, row []driver.Value) (store.Item, error) {
	item := store.Item{Key: store.Key{PK: pk}}
	var ok bool
	if item.SK, ok = row[0].(string); !ok {
		return item, fmt.Errorf("the sort key is a %T", row[0])
	}
	item.Data, _ = row[1].([]byte) // an empty one comes as nil
	if counters, ok := row[2].([]byte); ok {
		if err := json.Unmarshal(counters, &item.Counters); err != nil {
			return item, fmt.Errorf("counters of %s: %w", item.SK, err)
		}
	}
	if seconds, ok := row[3].(int64); ok {
		item.Expires = time.Unix(seconds, 0).UTC()
	}
	return item, nil
}

// Both ways to read a partition. An upper bound that is missing is a blob, which
// SQLite sorts behind every text.
const (
	queryForward  = "SELECT " + columns + " FROM items WHERE pk = ? AND sk >= ? AND sk > ? AND sk <= ? ORDER BY sk LIMIT ?"
	queryBackward = "SELECT " + columns + " FROM items WHERE pk = ? AND sk >= ? AND sk < ? AND sk <= ? ORDER BY sk DESC LIMIT ?"
)

var behindAllText = []byte{0}

func orBehind(sk string) any {
	if sk == "" {
		return behindAllText
	}
	return sk
}

var errPageFull = errors.New("the page is full")

// Query implements store.Store.
func (s *Store) Query(ctx context.Context, q store.Query) (store.Page, error) {
	limit := q.Limit
	if limit <= 0 || limit > pageItems {
		limit = pageItems
	}
	page := store.Page{}
	size, last := 0, ""
	collect := func(row []driver.Value) error {
		item, err := scan(q.PK, row)
		if err != nil {
			return err
		}
		size += item.Size()
		if len(page.Items) > 0 && (size > pageBytes || len(page.Items) == limit) {
			page.Next = last
			return errPageFull
		}
		last = item.SK
		page.Items = append(page.Items, item)
		return nil
	}
	query, after := queryForward, any(q.After)
	if q.Reverse {
		query, after = queryBackward, orBehind(q.After)
	}
	err := s.file.Read(ctx, func(tx *sqlitefile.Tx) error {
		return tx.Query(query, collect, q.PK, q.From, after, orBehind(q.To), int64(limit+1))
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return store.Page{}, fmt.Errorf("query: %w", err)
	}
	return page, nil
}

// Write implements store.Store.
func (s *Store) Write(ctx context.Context, writes ...store.Write) error {
	if len(writes) == 0 {
		return ctx.Err()
	}
	if err := store.ValidateWrites(writes, maxAppend); err != nil {
		return err
	}
	submit := s.file.Submit
	if len(writes) == 1 {
		submit = s.file.SubmitSingle
	}
	told := false
	err := submit(ctx, func(tx *sqlitefile.Tx) (err error) {
		told, err = s.apply(tx, writes)
		return err
	})
	if err != nil {
		return outcome("write", err)
	}
	if told {
		s.changes.announce()
	}
	return nil
}

// outcome translates the errors of sqlitefile. A refusal comes through as it is.
func outcome(what string, err error) error {
	if errors.Is(err, sqlitefile.ErrUnknownOutcome) {
		return fmt.Errorf("%s: %w: %w", what, store.ErrUnknownOutcome, err)
	}
	var condition *store.ConditionError
	if errors.As(err, &condition) {
		return condition
	}
	return fmt.Errorf("%s: %w", what, err)
}

// apply applies all writes, or finds those whose condition is not met: one does
// not change the condition of another, as no key comes twice. told is true when
// the feed has something to tell.
func (s *Store) apply(tx *sqlitefile.Tx, writes []store.Write) (told bool, err error) {
	var failed []int
	for i := range writes {
		done, change, err := s.applyOne(tx, &writes[i])
		if err != nil {
			return false, err
		}
		if !done {
			failed = append(failed, i)
		}
		told = told || change
	}
	if failed != nil {
		return false, &store.ConditionError{Failed: failed}
	}
	return told, nil
}

// applyOne reports whether the condition was met.
func (s *Store) applyOne(tx *sqlitefile.Tx, w *store.Write) (done, change bool, err error) {
	isLog := strings.HasPrefix(w.Item.SK, store.LogPrefix)
	if w.Action == store.Put && w.If == store.Absent {
		return s.insert(tx, &w.Item, isLog)
	}
	if isLog && w.Action != store.Check {
		return s.changeEntry(tx, w)
	}
	done, err = change1(tx, w)
	return done, false, err
}

const insertItem = "INSERT INTO items (pk, sk, data, counters, expires, change) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

// insert puts an item that must be absent, and leaves the change to the feed.
func (s *Store) insert(tx *sqlitefile.Tx, item *store.Item, isLog bool) (done, change bool, err error) {
	counters, err := encodeCounters(item.Counters)
	if err != nil {
		return false, false, err
	}
	var n any
	if isLog {
		n = s.changes.number()
	}
	rows, err := tx.Exec(insertItem, item.PK, item.SK, notNil(item.Data), counters, seconds(item.Expires), n)
	if err != nil || rows == 0 || !isLog {
		return rows > 0, false, err
	}
	_, err = tx.Exec("INSERT INTO changes (n, pk, sk) VALUES (?, ?, ?)", n, item.PK, item.SK)
	return true, true, err
}

// changeEntry is for the rare changes of log entries: what the feed has not told
// yet keeps its data.
func (s *Store) changeEntry(tx *sqlitefile.Tx, w *store.Write) (done, change bool, err error) {
	present, err := holds(tx, w.Item.Key, store.Present, nil)
	if err != nil {
		return false, false, err
	}
	if !present && w.Action == store.Put && w.If == store.Always {
		return s.insert(tx, &w.Item, true)
	}
	if done, err = holds(tx, w.Item.Key, w.If, w.Previous); err != nil || !done {
		return done, false, err
	}
	_, err = tx.Exec(`UPDATE changes SET data = items.data FROM items
		WHERE items.pk = ? AND items.sk = ? AND changes.n = items.change AND changes.data IS NULL`, w.Item.PK, w.Item.SK)
	if err == nil {
		done, err = change1(tx, w)
	}
	return done, false, err
}

const (
	upsertItem = `INSERT INTO items (pk, sk, data, counters, expires) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET data = excluded.data, counters = excluded.counters, expires = excluded.expires, change = NULL`
	updatePresent   = "UPDATE items SET data = ?3, counters = ?4, expires = ?5, change = NULL WHERE pk = ?1 AND sk = ?2"
	updateUnchanged = updatePresent + " AND data = ?6"
	deletePresent   = "DELETE FROM items WHERE pk = ? AND sk = ?"
	deleteUnchanged = deletePresent + " AND data = ?"
)

// change1 applies one write that inserts no log entry.
func change1(tx *sqlitefile.Tx, w *store.Write) (done bool, err error) {
	key := &w.Item.Key
	switch {
	case w.Action == store.Check:
		return holds(tx, *key, w.If, w.Previous)
	case w.Action == store.Delete && w.If == store.Absent: // deletes nothing, or is refused
		return holds(tx, *key, w.If, nil)
	case w.Action == store.Delete && w.If == store.Unchanged:
		return affects(tx.Exec(deleteUnchanged, key.PK, key.SK, notNil(w.Previous)))
	case w.Action == store.Delete:
		done, err = affects(tx.Exec(deletePresent, key.PK, key.SK))
		return done || w.If == store.Always, err
	}
	counters, err := encodeCounters(w.Item.Counters)
	if err != nil {
		return false, err
	}
	data, expires := notNil(w.Item.Data), seconds(w.Item.Expires)
	switch w.If {
	case store.Present:
		return affects(tx.Exec(updatePresent, key.PK, key.SK, data, counters, expires))
	case store.Unchanged:
		return affects(tx.Exec(updateUnchanged, key.PK, key.SK, data, counters, expires, notNil(w.Previous)))
	default:
		return affects(tx.Exec(upsertItem, key.PK, key.SK, data, counters, expires))
	}
}

func affects(rows int64, err error) (bool, error) { return rows > 0, err }

// holds evaluates a condition.
func holds(tx *sqlitefile.Tx, key store.Key, condition store.Condition, previous []byte) (met bool, err error) {
	present, same := false, false
	err = tx.Query("SELECT data FROM items WHERE pk = ? AND sk = ?", func(row []driver.Value) error {
		data, _ := row[0].([]byte) // an empty one comes as nil
		present, same = true, bytes.Equal(data, previous)
		return nil
	}, key.PK, key.SK)
	switch condition {
	case store.Absent:
		return !present, err
	case store.Present:
		return present, err
	case store.Unchanged:
		return same, err
	default:
		return true, err
	}
}

// notNil tells the driver an empty value from none.
func notNil(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// seconds is the stored form of an expiry, rounded up.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Add(time.Second - time.Nanosecond).Unix()
}

func encodeCounters(counters map[string]int64) (any, error) {
	if len(counters) == 0 {
		return nil, nil
	}
	return json.Marshal(counters)
}

// Add implements store.Store.
func (s *Store) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	if err := key.Validate(); err != nil {
		return nil, err
	}
	if len(deltas) == 0 {
		return nil, fault.New(fault.Invalid, "there is no counter to add to")
	}
	var values map[string]int64
	err := s.file.SubmitSingle(ctx, func(tx *sqlitefile.Tx) (err error) {
		values, err = add(tx, key, deltas, expires)
		return err
	})
	if err != nil {
		return nil, outcome("add", err)
	}
	return values, nil
}

const addCounters = `INSERT INTO items (pk, sk, data, counters, expires) VALUES (?1, ?2, x'', ?3, ?4)
	ON CONFLICT DO UPDATE SET counters = excluded.counters, expires = coalesce(excluded.expires, expires)`

func add(tx *sqlitefile.Tx, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	counters := map[string]int64{}
	err := tx.Query("SELECT counters FROM items WHERE pk = ? AND sk = ?", func(row []driver.Value) error {
		stored, ok := row[0].([]byte)
		if !ok {
			return nil
		}
		return json.Unmarshal(stored, &counters)
	}, key.PK, key.SK)
	if err != nil {
		return nil, err
	}
	values := make(map[string]int64, len(deltas))
	for name, delta := range deltas {
		if overflows(counters[name], delta) {
			return nil, fault.New(fault.Invalid, "the counter %q would leave the range of 64 bits", name)
		}
		counters[name] += delta
		values[name] = counters[name]
	}
	encoded, err := encodeCounters(counters)
	if err == nil {
		_, err = tx.Exec(addCounters, key.PK, key.SK, encoded, seconds(expires))
	}
	return values, err
}

func overflows(a, b int64) bool {
	return b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b
}

// sweeper removes expired items.
type sweeper struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	err    error // of the last sweep; read after done
}
