package storetest

import (
	"fmt"
	"slices"
	"strings"

	"nanotypedb/shared/store"
)

var queryCases = []testCase{
	{"query/ranges", testQueryRanges},
	{"query/an empty partition", testQueryEmpty},
	{"query/paging by limit, both ways", testQueryPaging},
	{"query/paging by bytes", testQueryBytes},
	{"query/whole items", testQueryWholeItems},
	{"query/a strong one sees what was acknowledged", testQueryStrong},
}

func testQueryRanges(s *subject) {
	pk := partition()
	for _, sk := range strings.Fields("A B0 B1 B2 B3 C D") {
		s.write(put(store.Key{PK: pk, SK: sk}, sk, store.Absent))
	}
	s.write(put(store.Key{PK: pk + "0", SK: "B1"}, "of another partition", store.Absent))
	for _, tc := range []struct {
		q    store.Query
		want string
	}{
		{store.Query{}, "A B0 B1 B2 B3 C D"},
		{store.Query{From: "B"}, "B0 B1 B2 B3 C D"},
		{store.Query{From: "B1", To: "B3"}, "B1 B2 B3"},
		{store.Query{From: "B1", To: "B1"}, "B1"},
		{store.Query{From: "B", To: "B~"}, "B0 B1 B2 B3"},
		{store.Query{To: "B0"}, "A B0"},
		{store.Query{From: "E"}, ""},
		{store.Query{From: "B3", To: "B1"}, ""},
		{store.Query{After: "B2"}, "B3 C D"},
		{store.Query{After: "B22"}, "B3 C D"},
		{store.Query{After: "D"}, ""},
		{store.Query{From: "B0", To: "C", After: "B1"}, "B2 B3 C"},
		{store.Query{From: "B0", To: "B2", After: "A"}, "B0 B1 B2"},
		{store.Query{From: "B0", To: "B2", After: "B2"}, ""},
		{store.Query{From: "B0", To: "B2", After: "C"}, ""},
		{store.Query{Reverse: true}, "D C B3 B2 B1 B0 A"},
		{store.Query{From: "B1", To: "B3", Reverse: true}, "B3 B2 B1"},
		{store.Query{After: "B2", Reverse: true}, "B1 B0 A"},
		{store.Query{After: "B12", Reverse: true}, "B1 B0 A"},
		{store.Query{From: "B0", To: "B2", After: "C", Reverse: true}, "B2 B1 B0"},
		{store.Query{From: "B0", To: "B2", After: "B0", Reverse: true}, ""},
		{store.Query{From: "B0", To: "B2", After: "A", Reverse: true}, ""},
		{store.Query{Limit: 1000}, "A B0 B1 B2 B3 C D"},
	} {
		for _, strong := range []bool{true, false} {
			tc.q.PK, tc.q.Strong = pk, strong
			if got := strings.Join(sortKeys(s.all(tc.q)), " "); got != tc.want && strong {
				s.Errorf("%+v gave %q, want %q", tc.q, got, tc.want)
			}
		}
	}
}

func testQueryEmpty(s *subject) {
	page, err := s.Store.Query(s.ctx(), store.Query{PK: partition(), Strong: true})
	if err != nil || len(page.Items) != 0 || page.Next != "" {
		s.Fatalf("got %+v, %v", page, err)
	}
}

func testQueryPaging(s *subject) {
	pk := partition()
	var want []string
	for i := range 23 {
		sk := fmt.Sprintf("%02d", i)
		want = append(want, sk)
		s.write(put(store.Key{PK: pk, SK: sk}, sk, store.Absent))
	}
	for _, reverse := range []bool{false, true} {
		for _, limit := range []int{1, 5, 22, 23, 24} {
			q := store.Query{PK: pk, Limit: limit, Reverse: reverse, Strong: true}
			page, err := s.Store.Query(s.ctx(), q)
			if err != nil || len(page.Items) == 0 || len(page.Items) > limit {
				s.Fatalf("limit %d gave %d items, %v", limit, len(page.Items), err)
			}
			if limit < len(want) && page.Next == "" {
				s.Fatalf("limit %d ended after %d items", limit, len(page.Items))
			}
			if got := sortKeys(s.all(q)); !slices.Equal(got, want) {
				s.Fatalf("limit %d, reverse %v gave %v", limit, reverse, got)
			}
		}
		slices.Reverse(want)
	}
}

// testQueryBytes reads a partition larger than a page, and one whose items are
// each nearly half a page.
func testQueryBytes(s *subject) {
	const page = 1 << 20
	for _, size := range []int{40_000, 390_000} {
		pk := partition()
		var want []string
		for i := range 3 * page / size {
			sk := fmt.Sprintf("%03d", i)
			want = append(want, sk)
			s.write(put(store.Key{PK: pk, SK: sk}, strings.Repeat(sk[2:], size), store.Absent))
		}
		first, err := s.Store.Query(s.ctx(), store.Query{PK: pk, Strong: true})
		if err != nil {
			s.Fatalf("Query: %v", err)
		}
		if n := len(first.Items); first.Next == "" || n == 0 || n*size > page+store.MaxItemBytes {
			s.Fatalf("the first page holds %d items of %d bytes, next %q", n, size, first.Next)
		}
		items := s.all(store.Query{PK: pk, Strong: true})
		if got := sortKeys(items); !slices.Equal(got, want) {
			s.Fatalf("got %v, want %v", got, want)
		}
		for _, item := range items {
			if string(item.Data) != strings.Repeat(item.SK[2:], size) {
				s.Fatalf("data of %s is wrong", item.SK)
			}
		}
	}
}

func testQueryWholeItems(s *subject) {
	pk := partition()
	empty, full := store.Key{PK: pk, SK: "empty"}, store.Key{PK: pk, SK: "full"}
	s.write(put(empty, "", store.Absent))
	s.write(store.Write{Action: store.Put, Item: store.Item{Key: full, Data: []byte("data"), Expires: future, Counters: map[string]int64{"n": 4}}})
	s.add(full, map[string]int64{"m": 5})
	items := s.all(store.Query{PK: pk, Strong: true})
	if len(items) != 2 || !sameItem(items[0], store.Item{Key: empty}) ||
		!sameItem(items[1], store.Item{Key: full, Data: []byte("data"), Expires: future, Counters: map[string]int64{"n": 4, "m": 5}}) {
		s.Fatalf("got %+v", items)
	}
}

func testQueryStrong(s *subject) {
	pk := partition()
	for i := range s.few(50) {
		sk := fmt.Sprintf("%04d", i)
		s.write(put(store.Key{PK: pk, SK: sk}, sk, store.Absent))
		page, err := s.Store.Query(s.ctx(), store.Query{PK: pk, Reverse: true, Limit: 1, Strong: true})
		if err != nil || len(page.Items) != 1 || page.Items[0].SK != sk {
			s.Fatalf("after %s the newest is %+v, %v", sk, page.Items, err)
		}
	}
}
