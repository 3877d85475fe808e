package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

var itemCases = []testCase{
	{"item/put and get", testPutGet},
	{"item/absent", testAbsent},
	{"item/put replaces the whole item", testPutReplaces},
	{"item/delete", testDelete},
	{"item/binary data", testBinary},
	{"item/empty data is not absent", testEmptyData},
	{"item/odd characters in keys", testOddKeys},
	{"item/bad keys are refused", testBadKeys},
	{"item/returned and given slices are the caller's", testOwnership},
}

func testPutGet(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	want := store.Item{Key: key, Data: []byte("first"), Counters: map[string]int64{"reads": 3, "below": -1 << 62, "zero": 0}}
	s.write(store.Write{Action: store.Put, Item: want})
	got := s.get(key)
	if got.Key != key || string(got.Data) != "first" || !maps.Equal(got.Counters, want.Counters) || !got.Expires.IsZero() {
		s.Fatalf("got %+v, want %+v", got, want)
	}
	if _, err := s.Store.Get(s.ctx(), key, false); err != nil && !errors.Is(err, store.ErrNotFound) {
		s.Fatalf("eventual Get: %v", err)
	}
}

func testAbsent(s *subject) {
	pk := partition()
	s.absent(store.Key{PK: pk, SK: "A"})
	s.write(put(store.Key{PK: pk, SK: "B"}, "b", store.Always))
	s.absent(store.Key{PK: pk, SK: "A"})
	s.absent(store.Key{PK: partition(), SK: "B"})
}

func testPutReplaces(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	old := store.Item{Key: key, Data: []byte("old"), Counters: map[string]int64{"n": 1, "m": 2}}
	s.write(store.Write{Action: store.Put, Item: old})
	s.write(store.Write{Action: store.Put, Item: store.Item{Key: key, Data: []byte("new"), Counters: map[string]int64{"m": 5}}})
	got := s.get(key)
	if string(got.Data) != "new" || !maps.Equal(got.Counters, map[string]int64{"m": 5}) {
		s.Fatalf("got %+v", got)
	}
}

func testDelete(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(remove(key, store.Always))
	s.write(put(key, "a", store.Always))
	s.write(remove(key, store.Always))
	s.absent(key)
}

func testBinary(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	data := make([]byte, 512)
	for i := range data {
		data[i] = byte(i)
	}
	s.write(put(key, string(data), store.Always))
	s.hasData(key, string(data))
	s.write(putIf(key, "\x00", string(data)))
	s.hasData(key, "\x00")
}

func testEmptyData(s *subject) {
	pk := partition()
	for i, data := range [][]byte{nil, {}} {
		key := store.Key{PK: pk, SK: fmt.Sprint("E", i)}
		s.write(store.Write{Action: store.Put, Item: store.Item{Key: key, Data: data}, If: store.Absent})
		s.hasData(key, "")
		s.refused([]int{0}, put(key, "x", store.Absent))
		s.refused([]int{0}, putIf(key, "x", "y"))
		s.write(putIf(key, "x", ""))
		s.hasData(key, "x")
		s.refused([]int{0}, putIf(key, "y", ""))
	}
}

// oddKeys are in the order of their bytes, which is not that of any language.
var oddKeys = []string{
	"\x01", " ", "!", "\"quoted\"", "%_like", "'; DROP TABLE items; --", "+", "/", "0", "A", "A\x00", "A\x00B", "AA", "Z", "[", "\\", "_", "a",
	"a b", "a#1", "b", "{}", "\x7f", "\u00c4", "\u00e4", "\u0436", "\u4e2d", "\uffee", "\U0001f600",
}

func testOddKeys(s *subject) {
	for _, pk := range []string{partition(), partition() + " '\"%_\\\x01\U0001f600"} {
		for i := range oddKeys {
			sk := oddKeys[(i*7)%len(oddKeys)]
			s.write(put(store.Key{PK: pk, SK: sk}, "data of "+sk, store.Absent))
		}
		items := s.all(store.Query{PK: pk, Strong: true})
		if len(items) != len(oddKeys) {
			s.Fatalf("got %d items, want %d", len(items), len(oddKeys))
		}
		for i, item := range items {
			if item.PK != pk || item.SK != oddKeys[i] || string(item.Data) != "data of "+oddKeys[i] {
				s.Fatalf("item %d is %q, want %q", i, item.SK, oddKeys[i])
			}
			s.hasData(item.Key, "data of "+item.SK)
		}
	}
}

func testBadKeys(s *subject) {
	pk := partition()
	long := string(bytes.Repeat([]byte("x"), store.MaxPKBytes+1))
	for _, tc := range []struct {
		key  store.Key
		code fault.Code
	}{
		{store.Key{PK: "", SK: "A"}, fault.Invalid},
		{store.Key{PK: pk, SK: ""}, fault.Invalid},
		{store.Key{PK: pk, SK: "A\xff"}, fault.Invalid},
		{store.Key{PK: long, SK: "A"}, fault.TooLarge},
		{store.Key{PK: pk, SK: long[:store.MaxSKBytes+1]}, fault.TooLarge},
	} {
		if err := s.Store.Write(s.ctx(), put(tc.key, "x", store.Always)); fault.CodeOf(err) != tc.code {
			s.Errorf("Write to %.20q %.20q: %v, want %s", tc.key.PK, tc.key.SK, err, tc.code)
		}
		if _, err := s.Store.Add(s.ctx(), tc.key, map[string]int64{"n": 1}, noExpiry); fault.CodeOf(err) != tc.code {
			s.Errorf("Add to %.20q %.20q: %v, want %s", tc.key.PK, tc.key.SK, err, tc.code)
		}
	}
	s.write(put(store.Key{PK: long[:store.MaxPKBytes-26] + pk[len(pk)-26:], SK: long[:store.MaxSKBytes]}, "x", store.Always))
}

func testOwnership(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	given := store.Item{Key: key, Data: []byte("kept"), Counters: map[string]int64{"n": 1}}
	s.write(store.Write{Action: store.Put, Item: given})
	copy(given.Data, "XXXX")
	given.Counters["n"] = 9
	for range 2 {
		got := s.get(key)
		if string(got.Data) != "kept" || got.Counters["n"] != 1 {
			s.Fatalf("got %+v", got)
		}
		copy(got.Data, "YYYY")
		got.Counters["n"] = 8
	}
}
