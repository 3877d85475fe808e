package replica_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"nanotypedb/shared/store"
)

// memory is the least store a replica needs: conditional puts, deletes and
// ordered queries, all strong.
type memory struct {
	mu    sync.Mutex
	items map[store.Key][]byte
	fail  func(op string, key store.Key) error // asked before each call; nil: never
}

func newMemory() *memory { return &memory{items: map[store.Key][]byte{}} }

func (m *memory) asked(op string, key store.Key) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(op, key)
}

func (m *memory) Get(_ context.Context, key store.Key, _ bool) (store.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.asked("get", key); err != nil {
		return store.Item{}, err
	}
	data, ok := m.items[key]
	if !ok {
		return store.Item{}, store.ErrNotFound
	}
	return store.Item{Key: key, Data: slices.Clone(data)}, nil
}

func (m *memory) Query(ctx context.Context, q store.Query) (store.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(ctx.Err(), m.asked("query", store.Key{PK: q.PK, SK: q.From})); err != nil {
		return store.Page{}, err
	}
	var page store.Page
	keys := slices.SortedFunc(maps.Keys(m.items), func(a, b store.Key) int { return cmpKey(a, b, q.Reverse) })
	for _, k := range keys {
		if k.PK != q.PK || k.SK < q.From || q.To != "" && k.SK > q.To || q.After != "" && cmpKey(k, store.Key{PK: q.PK, SK: q.After}, q.Reverse) <= 0 {
			continue
		}
		if q.Limit > 0 && len(page.Items) == q.Limit {
			page.Next = page.Items[len(page.Items)-1].SK
			break
		}
		page.Items = append(page.Items, store.Item{Key: k, Data: slices.Clone(m.items[k])})
	}
	return page, nil
}

func cmpKey(a, b store.Key, reverse bool) int {
	c := bytes.Compare([]byte(a.PK+"\x00"+a.SK), []byte(b.PK+"\x00"+b.SK))
	if reverse {
		return -c
	}
	return c
}

func (m *memory) Write(_ context.Context, writes ...store.Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var failed []int
	for i, w := range writes {
		if err := m.asked("write", w.Item.Key); err != nil {
			return err
		}
		old, there := m.items[w.Item.Key]
		if w.If == store.Absent && there || w.If == store.Present && !there || w.If == store.Unchanged && (!there || !bytes.Equal(old, w.Previous)) {
			failed = append(failed, i)
		}
	}
	if failed != nil {
		return &store.ConditionError{Failed: failed}
	}
	for _, w := range writes {
		switch w.Action {
		case store.Put:
			m.items[w.Item.Key] = slices.Clone(w.Item.Data)
		case store.Delete:
			delete(m.items, w.Item.Key)
		case store.Check:
		}
	}
	return nil
}

func (m *memory) Add(context.Context, store.Key, map[string]int64, time.Time) (map[string]int64, error) {
	return nil, errors.New("not needed here")
}

func (m *memory) remove(key store.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.items, key)
}

func (m *memory) removePrefix(prefix string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.items, func(k store.Key, _ []byte) bool { return strings.HasPrefix(k.SK, prefix) })
}

func (m *memory) count(prefix string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.items {
		if strings.HasPrefix(k.SK, prefix) {
			n++
		}
	}
	return n
}

func (m *memory) edit(prefix string, change func([]byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, data := range m.items {
		if strings.HasPrefix(k.SK, prefix) {
			m.items[k] = change(slices.Clone(data))
		}
	}
}
