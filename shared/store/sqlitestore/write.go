package sqlitestore

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
)

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
	done, err = applyPlain(tx, w)
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
		done, err = applyPlain(tx, w)
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

// applyPlain applies one write that inserts no log entry.
func applyPlain(tx *sqlitefile.Tx, w *store.Write) (done bool, err error) {
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
