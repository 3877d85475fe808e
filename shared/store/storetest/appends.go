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
	{"append/beside other writes", testAppendBeside},
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
	two := append(entries(pk, 1, 1), entries(partition(), 1, store.MaxWrites+1)...)
	s.rejected(fault.TooLarge, two...)
	overwriting := entries(pk, 1, store.MaxWrites+1)
	for i := range overwriting {
		overwriting[i].If = store.Always
	}
	s.rejected(fault.TooLarge, overwriting...)
	s.absent(two[0].Item.Key)
}

// testAppendBeside is how a room ends: its last entries and the removal of its
// name are one transaction.
func testAppendBeside(s *subject) {
	limit, pk, name := s.appends(), partition(), store.Key{PK: partition(), SK: "NAME"}
	s.write(put(name, "taken", store.Absent))
	s.refused([]int{0}, append([]store.Write{remove(name, store.Absent)}, entries(pk, 1, limit)...)...)
	s.absent(entries(pk, 1, 1)[0].Item.Key)
	s.write(append(entries(pk, 1, limit), remove(name, store.Present))...)
	s.absent(name)
	if got := len(s.all(store.Query{PK: pk, Strong: true})); got != limit {
		s.Fatalf("%d entries, want %d", got, limit)
	}
}
