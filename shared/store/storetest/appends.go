package storetest

import (
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

var appendCases = []testCase{
	{"append/many entries in one write", testAppend},
	{"append/all or nothing", testAppendRefused},
	{"append/limits", testAppendLimits},
}

// appends gives the largest append, and skips without the ability.
func (s *subject) appends() int {
	appender, ok := s.Store.(store.Appender)
	if !ok {
		s.Skip("the adapter is no Appender")
	}
	return appender.MaxAppend()
}

func entries(pk string, first, n int) []store.Write {
	writes := make([]store.Write, n)
	for i := range writes {
		writes[i] = put(store.Key{PK: pk, SK: fmt.Sprintf("LOG#%016d", first+i)}, fmt.Sprint("entry ", first+i), store.Absent)
	}
	return writes
}

func testAppend(s *subject) {
	limit, pk := s.appends(), partition()
	next := 1
	for _, n := range []int{1, 2, limit, 3} {
		s.write(entries(pk, next, n)...)
		next += n
	}
	items := s.all(store.Query{PK: pk, Strong: true})
	if len(items) != next-1 {
		s.Fatalf("%d entries, want %d", len(items), next-1)
	}
	for i, item := range items {
		if item.SK != fmt.Sprintf("LOG#%016d", i+1) || string(item.Data) != fmt.Sprint("entry ", i+1) {
			s.Fatalf("entry %d is %s, %q", i+1, item.SK, item.Data)
		}
	}
}

func testAppendRefused(s *subject) {
	limit, pk := s.appends(), partition()
	n := min(limit, 150)
	s.write(entries(pk, n, 1)...)
	s.refused([]int{n - 1}, entries(pk, 1, n)...)
	if got := s.all(store.Query{PK: pk, Strong: true}); len(got) != 1 {
		s.Fatalf("a refused append left %v", sortKeys(got))
	}
	s.write(entries(pk, 1, n-1)...)
}

func testAppendLimits(s *subject) {
	limit, pk := s.appends(), partition()
	if limit < 1 {
		s.Fatalf("MaxAppend is %d", limit)
	}
	s.rejected(fault.TooLarge, entries(pk, 1, max(limit, store.MaxWrites)+1)...)
	mixed := entries(pk, 1, store.MaxWrites+1)
	mixed[7].Item.PK = partition()
	s.rejected(fault.TooLarge, mixed...)
	mixed[7] = remove(mixed[7].Item.Key, store.Absent)
	s.rejected(fault.TooLarge, mixed...)
	s.absent(mixed[0].Item.Key)
}
