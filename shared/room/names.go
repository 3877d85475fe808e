package room

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// nameItem is what NAME#<id> holds: the room that has the id now.
type nameItem struct {
	Room string `json:"room"`
}

func nameKey(id string) store.Key { return store.Key{PK: "NAME#" + id, SK: "ROOM"} }

// readName reads who has an id, strongly, with the item's bytes, which a
// deletion takes as its condition.
func (e *Engine) readName(ctx context.Context, id string) (nameItem, []byte, error) {
	if schema.ValidRoomID(id) != nil {
		return nameItem{}, nil, errNoRoom
	}
	item, err := e.store.Get(ctx, nameKey(id), true)
	if errors.Is(err, store.ErrNotFound) {
		return nameItem{}, nil, errNoRoom
	}
	if err != nil {
		return nameItem{}, nil, fmt.Errorf("read name %s: %w", id, err)
	}
	var name nameItem
	if err := json.Unmarshal(item.Data, &name); err != nil {
		return nameItem{}, nil, fmt.Errorf("decode name %s: %w", id, err)
	}
	return name, item.Data, nil
}

// maxNames bounds the cache of names; a full one starts anew.
const maxNames = 10_000

// nameCache remembers which room an id means. An id that has moved on is
// found out by its old room, whose log is closed.
type nameCache struct {
	mu    sync.RWMutex
	ulids map[string]string
}

func newNameCache() *nameCache { return &nameCache{ulids: map[string]string{}} }

func (c *nameCache) get(id string) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	ulid, ok := c.ulids[id]
	return ulid, ok
}

func (c *nameCache) put(id, ulid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ulids) >= maxNames {
		clear(c.ulids)
	}
	c.ulids[id] = ulid
}

// forget drops an id that still means ulid.
func (c *nameCache) forget(id, ulid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ulids[id] == ulid {
		delete(c.ulids, id)
	}
}
