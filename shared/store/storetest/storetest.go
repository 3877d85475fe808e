// Package storetest is the conformance suite of the store port. Each adapter
// runs it from one test with a harness of its own. Cases use partition keys
// that nothing else uses, so that a harness may open the same table each time.
package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"nanotypedb/shared/id"
	"nanotypedb/shared/store"
)

// Instance is one opened store.
type Instance struct {
	Store store.Store

	// Feed opens the change feed anew, as after a restart of its reader. Nil:
	// the adapter has none.
	Feed func(tb testing.TB) store.Feed

	// Reopen closes the store and opens the same data again, as after a
	// restart of the process. Nil: the adapter cannot.
	Reopen func(tb testing.TB) Instance
}

// Harness is what an adapter's test brings.
type Harness struct {
	// Open opens a store, empty or with other partitions in it. What it opens
	// is closed by tb.Cleanup.
	Open func(tb testing.TB) Instance

	// Skip names the cases that the adapter, or the emulator it runs on,
	// cannot pass, each with the reason.
	Skip map[string]string

	// Scale divides the size of the cases that do much work; 0 is 1. For slow
	// emulators.
	Scale int
}

// testCase is one named behaviour.
type testCase struct {
	name string
	run  func(s *subject)
}

func allCases() []testCase {
	return slices.Concat(itemCases, conditionCases, transactionCases, limitCases, queryCases,
		counterCases, expiryCases, contextCases, appendCases, durabilityCases, feedCases, propertyCases)
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	cases := allCases()
	for name := range h.Skip {
		if !slices.ContainsFunc(cases, func(c testCase) bool { return c.name == name }) {
			t.Errorf("the harness skips %q, which is no case", name)
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if reason, skip := h.Skip[c.name]; skip {
				t.Skip(reason)
			}
			c.run(&subject{T: t, Instance: h.Open(t), scale: max(h.Scale, 1)})
		})
	}
}

// subject is a store under test, with the requests that tests make most.
type subject struct {
	*testing.T
	Instance
	scale int
}

// partition makes a partition key that nothing else uses.
func partition() string { return "ROOM#" + id.New(time.Now()) }

// few scales a number of repetitions down for slow emulators.
func (s *subject) few(n int) int { return max(n/s.scale, 2) }

func (s *subject) ctx() context.Context { return s.Context() }

// write writes and must succeed.
func (s *subject) write(writes ...store.Write) {
	s.Helper()
	if err := s.Store.Write(s.ctx(), writes...); err != nil {
		s.Fatalf("Write: %v", err)
	}
}

// get reads strongly and must find the item.
func (s *subject) get(key store.Key) store.Item {
	s.Helper()
	item, err := s.Store.Get(s.ctx(), key, true)
	if err != nil {
		s.Fatalf("Get %q: %v", key.SK, err)
	}
	return item
}

// absent reads strongly and must find nothing.
func (s *subject) absent(key store.Key) {
	s.Helper()
	if _, err := s.Store.Get(s.ctx(), key, true); !errors.Is(err, store.ErrNotFound) {
		s.Fatalf("Get %q: %v, want ErrNotFound", key.SK, err)
	}
}

// hasData requires the item to be there with that data.
func (s *subject) hasData(key store.Key, data string) {
	s.Helper()
	if got := s.get(key); string(got.Data) != data {
		s.Fatalf("data of %q is %.60q, want %.60q", key.SK, got.Data, data)
	}
}

// refused writes and must get a ConditionError that names exactly failed.
func (s *subject) refused(failed []int, writes ...store.Write) {
	s.Helper()
	err := s.Store.Write(s.ctx(), writes...)
	var condition *store.ConditionError
	if !errors.As(err, &condition) {
		s.Fatalf("Write: %v, want a ConditionError", err)
	}
	if !slices.Equal(condition.Failed, failed) {
		s.Fatalf("failed writes are %v, want %v", condition.Failed, failed)
	}
}

// all reads every page of q.
func (s *subject) all(q store.Query) []store.Item {
	s.Helper()
	items, err := readAll(s.ctx(), s.Store, q)
	if err != nil {
		s.Fatalf("Query: %v", err)
	}
	return items
}

func readAll(ctx context.Context, st store.Store, q store.Query) ([]store.Item, error) {
	var items []store.Item
	for {
		page, err := st.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if page.Next == "" {
			return items, nil
		}
		q.After = page.Next
	}
}

func sortKeys(items []store.Item) []string {
	sks := make([]string, len(items))
	for i, item := range items {
		sks[i] = item.SK
	}
	return sks
}

func put(key store.Key, data string, condition store.Condition) store.Write {
	return store.Write{Action: store.Put, Item: store.Item{Key: key, Data: []byte(data)}, If: condition}
}

func putIf(key store.Key, data, previous string) store.Write {
	w := put(key, data, store.Unchanged)
	w.Previous = []byte(previous)
	return w
}

func remove(key store.Key, condition store.Condition) store.Write {
	return store.Write{Action: store.Delete, Item: store.Item{Key: key}, If: condition}
}

func check(key store.Key, condition store.Condition) store.Write {
	return store.Write{Action: store.Check, Item: store.Item{Key: key}, If: condition}
}

func checkIf(key store.Key, previous string) store.Write {
	w := check(key, store.Unchanged)
	w.Previous = []byte(previous)
	return w
}
