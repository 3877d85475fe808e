package usage

import (
	"context"
	"errors"
	"strings"
	"time"

	"nanotypedb/shared/store"
)

// Metered is a store that counts the units of its reads and writes into the
// tally of each context, by DynamoDB's rules: a write costs a unit for each
// started KB of the item, twice that in a transaction, also when its condition
// fails; a strong read one for each started 4 KB, an eventual one half of it.
// Entries of the log are left out: they are counted from the log.
//
// Source: docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type Metered struct{ store.Store }

// Meter wraps a store, keeping its ability to append.
func Meter(st store.Store) store.Store {
	if a, ok := st.(store.Appender); ok {
		return meteredAppender{Metered{st}, a}
	}
	return Metered{st}
}

type meteredAppender struct {
	Metered
	store.Appender
}

// Get implements store.Store.
func (m Metered) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	item, err := m.Store.Get(ctx, key, strong)
	if err == nil || errors.Is(err, store.ErrNotFound) {
		From(ctx).Add(ReadUnits, ReadEighths(item.Size(), strong))
	}
	return item, err
}

// Query implements store.Store.
func (m Metered) Query(ctx context.Context, q store.Query) (store.Page, error) {
	page, err := m.Store.Query(ctx, q)
	if err == nil {
		bytes := 0
		for i := range page.Items {
			bytes += page.Items[i].Size()
		}
		From(ctx).Add(ReadUnits, ReadEighths(bytes, q.Strong))
	}
	return page, err
}

// Write implements store.Store.
func (m Metered) Write(ctx context.Context, writes ...store.Write) error {
	err := m.Store.Write(ctx, writes...)
	tally := From(ctx)
	if tally == nil || errors.Is(err, store.ErrThrottled) {
		return err
	}
	factor := int64(1)
	if len(writes) > 1 {
		factor = 2
	}
	for i := range writes {
		if !strings.HasPrefix(writes[i].Item.SK, store.LogPrefix) {
			tally.Add(WriteUnits, factor*WriteEighths(writes[i].Item.Size()))
		}
	}
	return err
}

// Add implements store.Store.
func (m Metered) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	values, err := m.Store.Add(ctx, key, deltas, expires)
	if err == nil {
		From(ctx).Add(WriteUnits, WriteEighths(store.Item{Key: key, Counters: values}.Size()))
	}
	return values, err
}
