package sqlitestore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"math"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
)

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

func encodeCounters(counters map[string]int64) (any, error) {
	if len(counters) == 0 {
		return nil, nil
	}
	return json.Marshal(counters)
}
