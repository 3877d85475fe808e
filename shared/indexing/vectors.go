package indexing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/vector"
)

// vectorItem is what VEC#<model>#<hash> holds. Used is when somebody last
// relied on it, exact to renewAfter.
type vectorItem struct {
	Vector []byte        `json:"v"`
	Used   schema.Millis `json:"lastUsed"`
}

// Vectors that nobody relied on for keepUnused are removed when no row has
// their text. Whoever relies on one renews it when that was last done
// renewAfter ago.
const (
	keepUnused = 30 * 24 * time.Hour
	renewAfter = 24 * time.Hour
)

// kept finds the vector that the model gave a text of a room earlier, and
// renews it when need be. One that cannot be read counts as none.
func (x *Indexer) kept(ctx context.Context, room string, h indexlog.Hash) (vector.Int8, bool, error) {
	key := indexlog.VectorKey(room, x.Embedder.Model(), h)
	item, err := x.Store.Get(ctx, key, true)
	if errors.Is(err, store.ErrNotFound) {
		return vector.Int8{}, false, nil
	}
	if err != nil {
		return vector.Int8{}, false, fmt.Errorf("look for a vector: %w", err)
	}
	var stored vectorItem
	err = json.Unmarshal(item.Data, &stored)
	v, decodeErr := vector.Decode(stored.Vector)
	if err = errors.Join(err, decodeErr); err != nil || len(v.Values) != x.Embedder.Dim() {
		x.Log.ErrorContext(ctx, "a vector is damaged and made anew", "room", room, "key", key.SK, "error", err)
		return vector.Int8{}, false, nil
	}
	if x.Now().Sub(time.UnixMilli(int64(stored.Used))) < renewAfter {
		return v, true, nil
	}
	renewed, err := x.renew(ctx, item, stored)
	return v, renewed, err
}

// renew notes that a vector is used. It fails to when the vector was removed
// meanwhile.
func (x *Indexer) renew(ctx context.Context, item store.Item, stored vectorItem) (bool, error) {
	previous := item.Data
	stored.Used = x.millis()
	data, err := json.Marshal(stored)
	if err != nil {
		return false, err
	}
	item.Data = data
	err = x.Store.Write(ctx, store.Write{Item: item, If: store.Unchanged, Previous: previous})
	var changed *store.ConditionError
	switch {
	case err == nil:
		return true, nil
	case !errors.As(err, &changed):
		return false, fmt.Errorf("renew a vector: %w", err)
	}
	_, err = x.Store.Get(ctx, item.Key, true)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err // renewed by somebody else
}

// store keeps a vector.
func (x *Indexer) store(ctx context.Context, room string, h indexlog.Hash, v vector.Int8) error {
	data, err := json.Marshal(vectorItem{Vector: v.Encode(), Used: x.millis()})
	if err != nil {
		return err
	}
	return x.Store.Write(ctx, store.Write{Item: store.Item{Key: indexlog.VectorKey(room, x.Embedder.Model(), h), Data: data}})
}
