package storetest

import (
	"bytes"
	"maps"
	"sync/atomic"
	"time"

	"nanotypedb/shared/store"
)

// noExpiry leaves an item's expiry as it is.
var noExpiry time.Time

var counterCases = []testCase{
	{"counter/add makes the item and gives new values", testAdd},
	{"counter/beside data", testAddBesideData},
	{"counter/odd names", testCounterNames},
	{"counter/concurrent adds sum exactly", testAddConcurrent},
	{"counter/a condition sees no counter", testAddKeepsUnchanged},
}

// add adds and must succeed.
func (s *subject) add(key store.Key, deltas map[string]int64) map[string]int64 {
	s.Helper()
	values, err := s.Store.Add(s.ctx(), key, deltas, noExpiry)
	if err != nil {
		s.Fatalf("Add: %v", err)
	}
	return values
}

func (s *subject) adds(key store.Key, deltas, want map[string]int64) {
	s.Helper()
	if got := s.add(key, deltas); !maps.Equal(got, want) {
		s.Fatalf("Add %v gave %v, want %v", deltas, got, want)
	}
}

func sameItem(a, b store.Item) bool {
	return a.Key == b.Key && bytes.Equal(a.Data, b.Data) && maps.Equal(a.Counters, b.Counters) && a.Expires.Equal(b.Expires)
}

func testAdd(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.adds(key, map[string]int64{"n": 5}, map[string]int64{"n": 5})
	s.adds(key, map[string]int64{"n": -7, "m": 1}, map[string]int64{"n": -2, "m": 1})
	s.adds(key, map[string]int64{"m": 1 << 60}, map[string]int64{"m": 1<<60 + 1})
	s.adds(key, map[string]int64{"zero": 0}, map[string]int64{"zero": 0})
	want := store.Item{Key: key, Counters: map[string]int64{"n": -2, "m": 1<<60 + 1, "zero": 0}}
	if got := s.get(key); !sameItem(got, want) {
		s.Fatalf("got %+v, want %+v", got, want)
	}
}

func testAddBesideData(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(store.Write{Action: store.Put, Item: store.Item{Key: key, Data: []byte("kept"), Counters: map[string]int64{"n": 10}}})
	s.adds(key, map[string]int64{"n": 1, "m": 2}, map[string]int64{"n": 11, "m": 2})
	if got := s.get(key); !sameItem(got, store.Item{Key: key, Data: []byte("kept"), Counters: map[string]int64{"n": 11, "m": 2}}) {
		s.Fatalf("got %+v", got)
	}
	s.write(put(key, "new", store.Present))
	if got := s.get(key); !sameItem(got, store.Item{Key: key, Data: []byte("new")}) {
		s.Fatalf("a put left %+v", got)
	}
	s.write(remove(key, store.Always))
	s.adds(key, map[string]int64{"n": 1}, map[string]int64{"n": 1})
}

func testCounterNames(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	deltas := map[string]int64{"pk": 1, "sk": 2, "data": 3, "expires": 4, "size": 5, "a.b": 6, "with space": 7, "\u00b5$\"'": 8, "#0": 9, "N": 10, "n": 11}
	s.adds(key, deltas, deltas)
	if got := s.get(key); !sameItem(got, store.Item{Key: key, Counters: deltas}) {
		s.Fatalf("got %+v", got)
	}
}

func testAddConcurrent(s *subject) {
	const workers = 8
	key, each := store.Key{PK: partition(), SK: "A"}, s.few(40)
	var highest atomic.Int64
	together(workers, func(w int) {
		for range each {
			values, err := s.Store.Add(s.ctx(), key, map[string]int64{"n": 1, "of": int64(w)}, noExpiry)
			if err != nil {
				s.Errorf("Add: %v", err)
				return
			}
			if values["n"] == int64(workers*each) {
				highest.Add(1)
			}
		}
	})
	want := map[string]int64{"n": int64(workers * each), "of": int64(each * workers * (workers - 1) / 2)}
	if got := s.get(key); !maps.Equal(got.Counters, want) {
		s.Fatalf("got %v, want %v", got.Counters, want)
	}
	if highest.Load() != 1 {
		s.Fatalf("the last value was returned %d times", highest.Load())
	}
}

func testAddKeepsUnchanged(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(put(key, "data", store.Absent))
	s.add(key, map[string]int64{"n": 1})
	s.write(checkIf(key, "data"))
	s.write(putIf(key, "more", "data"))
	s.hasData(key, "more")
}
