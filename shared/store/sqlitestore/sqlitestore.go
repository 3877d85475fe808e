// Package sqlitestore keeps the store in the one SQLite file of sqlitefile. It
// is the embedded adapter of the store port, of which this process is the only
// user: so it is an Appender, and a write is contended by none.
//
// Reads are always strong. Items that have expired are removed by a sweep once
// a minute.
package sqlitestore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

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
