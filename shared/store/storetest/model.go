package storetest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// pageBytes is how much one page of the model holds.
const pageBytes = 1 << 20

// Model is the port in its simplest form: a map under a lock. The property test
// compares adapters with it. It keeps nothing after the process.
type Model struct {
	mu    sync.Mutex
	items map[store.Key]store.Item
	log   []store.Change
	grown chan struct{} // closed and replaced when log grows
	acked int
}

// NewModel makes an empty model.
func NewModel() *Model {
	return &Model{items: map[store.Key]store.Item{}, grown: make(chan struct{})}
}

// MaxAppend implements store.Appender.
func (m *Model) MaxAppend() int { return 1000 }

// Get implements store.Store.
func (m *Model) Get(ctx context.Context, key store.Key, _ bool) (store.Item, error) {
	if err := ctx.Err(); err != nil {
		return store.Item{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	item, ok := m.items[key]
	if !ok {
		return store.Item{}, store.ErrNotFound
	}
	return clone(item), nil
}

func clone(item store.Item) store.Item {
	item.Data = bytes.Clone(item.Data)
	item.Counters = maps.Clone(item.Counters)
	return item
}

// Query implements store.Store.
func (m *Model) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := ctx.Err(); err != nil {
		return store.Page{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []store.Item
	for key, item := range m.items {
		if key.PK == q.PK && matches(q, key.SK) {
			found = append(found, item)
		}
	}
	slices.SortFunc(found, func(a, b store.Item) int {
		if q.Reverse {
			a, b = b, a
		}
		return strings.Compare(a.SK, b.SK)
	})
	var page store.Page
	size := 0
	for _, item := range found {
		if len(page.Items) > 0 && (len(page.Items) == q.Limit || size+item.Size() > pageBytes) {
			page.Next = page.Items[len(page.Items)-1].SK
			break
		}
		size += item.Size()
		page.Items = append(page.Items, clone(item))
	}
	return page, nil
}

func matches(q store.Query, sk string) bool {
	if sk < q.From || q.To != "" && sk > q.To {
		return false
	}
	if q.After == "" {
		return true
	}
	return sk > q.After != q.Reverse && sk != q.After
}

// Write implements store.Store.
func (m *Model) Write(ctx context.Context, writes ...store.Write) error {
	if err := store.ValidateWrites(writes, m.MaxAppend()); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var failed []int
	for i, w := range writes {
		if !m.holds(w) {
			failed = append(failed, i)
		}
	}
	if len(failed) > 0 {
		return &store.ConditionError{Failed: failed}
	}
	for _, w := range writes {
		m.apply(w)
	}
	return nil
}

func (m *Model) holds(w store.Write) bool {
	item, present := m.items[w.Item.Key]
	switch w.If {
	case store.Absent:
		return !present
	case store.Present:
		return present
	case store.Unchanged:
		return present && bytes.Equal(item.Data, w.Previous)
	default:
		return true
	}
}

func (m *Model) apply(w store.Write) {
	switch w.Action {
	case store.Delete:
		delete(m.items, w.Item.Key)
	case store.Put:
		_, present := m.items[w.Item.Key]
		item := clone(w.Item)
		item.Expires = wholeSeconds(item.Expires)
		m.items[item.Key] = item
		if !present && strings.HasPrefix(item.SK, store.LogPrefix) {
			m.tell(store.Change{Key: item.Key, Data: bytes.Clone(item.Data)})
		}
	}
}

func (m *Model) tell(change store.Change) {
	m.log = append(m.log, change)
	close(m.grown)
	m.grown = make(chan struct{})
}

func wholeSeconds(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Second - time.Nanosecond).Truncate(time.Second).UTC()
}

// Add implements store.Store.
func (m *Model) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	if err := key.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	item := clone(m.items[key])
	item.Key = key
	if item.Counters == nil {
		item.Counters = map[string]int64{}
	}
	values := map[string]int64{}
	for name, delta := range deltas {
		item.Counters[name] += delta
		values[name] = item.Counters[name]
	}
	if !expires.IsZero() {
		item.Expires = wholeSeconds(expires)
	}
	m.items[key] = item
	return values, nil
}

// Feed opens the model's feed behind what was acknowledged.
func (m *Model) Feed() store.Feed {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &modelFeed{model: m, at: m.acked}
}

type modelFeed struct {
	model *Model
	at    int
}

// Next implements store.Feed.
func (f *modelFeed) Next(ctx context.Context, limit int) ([]store.Change, string, error) {
	for {
		f.model.mu.Lock()
		pending, grown := f.model.log[f.at:], f.model.grown
		f.model.mu.Unlock()
		if len(pending) > 0 && ctx.Err() == nil {
			n := min(limit, len(pending))
			f.at += n
			return slices.Clone(pending[:n]), strconv.Itoa(f.at), nil
		}
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-grown:
		}
	}
}

// Ack implements store.Feed.
func (f *modelFeed) Ack(ctx context.Context, token string) error {
	at, err := strconv.Atoi(token)
	if err != nil {
		return fault.New(fault.Invalid, "the token %q is not the feed's", token)
	}
	f.model.mu.Lock()
	defer f.model.mu.Unlock()
	f.model.acked = max(f.model.acked, at)
	return ctx.Err()
}
