package search

import (
	"container/list"
	"sync"
)

// maxQueries is how many queries keep their vector: 2 KB each with 512
// components.
const maxQueries = 256

// queryCache remembers the vectors of recent queries, so that the next page,
// mode or keystroke of somebody else costs nothing.
type queryCache struct {
	mu    sync.Mutex
	byKey map[queryKey]*list.Element
	order *list.List // of *queryEntry, most recently used first
}

type queryKey struct{ model, text string }

type queryEntry struct {
	key    queryKey
	vector []float32
}

func newQueryCache() *queryCache {
	return &queryCache{byKey: map[queryKey]*list.Element{}, order: list.New()}
}

// get gives the vector of a query, or nil. It must not be changed.
func (c *queryCache) get(model, text string) []float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.byKey[queryKey{model, text}]
	if at == nil {
		return nil
	}
	c.order.MoveToFront(at)
	return at.Value.(*queryEntry).vector
}

func (c *queryCache) put(model, text string, vector []float32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := queryKey{model, text}
	if at := c.byKey[key]; at != nil {
		c.order.MoveToFront(at)
		return
	}
	c.byKey[key] = c.order.PushFront(&queryEntry{key, vector})
	for c.order.Len() > maxQueries {
		oldest := c.order.Back()
		delete(c.byKey, c.order.Remove(oldest).(*queryEntry).key)
	}
}
