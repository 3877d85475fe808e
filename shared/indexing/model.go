package indexing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// modelItem is what MODEL of a room holds: who made its model the present one.
type modelItem struct {
	Model string        `json:"model"`
	Born  schema.Millis `json:"born"` // when the process that did was started
}

func modelKey(room string) store.Key {
	return store.Key{PK: indexlog.Partition(room), SK: "MODEL"}
}

// claimModel makes a room one of the embedder's model, before its index begins
// anew, or refuses to. While a new version with another model takes over, the
// old one still works: if each adopted its own, the room would be embedded
// anew again and again. So the process that was started last decides.
func (x *Indexer) claimModel(ctx context.Context, room string) error {
	const attempts = 5
	var err error
	for range attempts {
		var w store.Write
		if w, err = x.modelClaim(ctx, room); err != nil || w.Item.Data == nil {
			return err
		}
		err = x.Store.Write(ctx, w)
		var changed *store.ConditionError
		if !errors.As(err, &changed) && !errors.Is(err, store.ErrContended) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("note the model of room %s: %w", room, err)
	}
	return nil
}

// modelClaim is the write that notes the model, without data when it is noted.
func (x *Indexer) modelClaim(ctx context.Context, room string) (store.Write, error) {
	w := store.Write{Item: store.Item{Key: modelKey(room)}, If: store.Absent}
	item, err := x.Store.Get(ctx, w.Item.Key, true)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return w, fmt.Errorf("read the model of room %s: %w", room, err)
	}
	if err == nil {
		var noted modelItem
		if err := json.Unmarshal(item.Data, &noted); err != nil {
			return w, fmt.Errorf("read the model of room %s: %w", room, err)
		}
		if noted.Model == x.model() {
			return w, nil
		}
		if noted.Born > x.born {
			return w, fault.New(fault.Unavailable, "the room is embedded by %s since, by a newer version of the server", noted.Model)
		}
		w.If, w.Previous = store.Unchanged, item.Data
	}
	w.Item.Data, err = json.Marshal(modelItem{Model: x.model(), Born: x.born})
	return w, err
}
