package storetest

import (
	"fmt"

	"nanotypedb/shared/store"
)

var durabilityCases = []testCase{
	{"durability/everything is there after reopening", testReopen},
}

func (s *subject) reopen() {
	s.Helper()
	if s.Reopen == nil {
		s.Skip("the adapter cannot reopen its data")
	}
	s.Instance = s.Reopen(s.T)
}

func testReopen(s *subject) {
	pk := partition()
	kept := store.Item{Key: store.Key{PK: pk, SK: "kept"}, Data: []byte("1"), Expires: future, Counters: map[string]int64{"n": 1}}
	for round := range 3 {
		s.write(store.Write{Action: store.Put, Item: kept})
		s.write(put(store.Key{PK: pk, SK: "gone"}, "x", store.Absent))
		s.write(remove(store.Key{PK: pk, SK: "gone"}, store.Present), put(store.Key{PK: pk, SK: fmt.Sprint("round ", round)}, "x", store.Absent))
		s.reopen()
		if got := s.get(kept.Key); !sameItem(got, kept) {
			s.Fatalf("round %d: %+v, want %+v", round, got, kept)
		}
		if got := s.all(store.Query{PK: pk, Strong: true}); len(got) != round+2 {
			s.Fatalf("round %d: %v", round, sortKeys(got))
		}
	}
}
