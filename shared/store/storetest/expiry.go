package storetest

import (
	"errors"
	"time"

	"nanotypedb/shared/store"
)

var future = time.Date(2099, 12, 31, 23, 59, 59, 0, time.UTC)

var expiryCases = []testCase{
	{"expiry/round trip", testExpires},
	{"expiry/is rounded up to a second", testExpiresRounded},
	{"expiry/add sets and keeps it", testExpiresAdd},
	{"expiry/an expired item is whole or gone", testExpired},
}

func (s *subject) expires(key store.Key, want time.Time) {
	s.Helper()
	if got := s.get(key).Expires; !got.Equal(want) {
		s.Fatalf("expires %v, want %v", got, want)
	}
}

func putUntil(key store.Key, data string, expires time.Time) store.Write {
	w := put(key, data, store.Always)
	w.Item.Expires = expires
	return w
}

func testExpires(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(putUntil(key, "a", future))
	s.expires(key, future)
	s.write(put(key, "b", store.Always))
	s.expires(key, time.Time{})
}

func testExpiresRounded(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(putUntil(key, "a", future.Add(time.Nanosecond)))
	s.expires(key, future.Add(time.Second))
	if _, err := s.Store.Add(s.ctx(), key, map[string]int64{"n": 1}, future.Add(-time.Millisecond)); err != nil {
		s.Fatalf("Add: %v", err)
	}
	s.expires(key, future)
}

func testExpiresAdd(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	if _, err := s.Store.Add(s.ctx(), key, map[string]int64{"n": 1}, future); err != nil {
		s.Fatalf("Add: %v", err)
	}
	s.expires(key, future)
	s.add(key, map[string]int64{"n": 1})
	s.expires(key, future)
	if _, err := s.Store.Add(s.ctx(), key, map[string]int64{"n": 1}, future.Add(-time.Hour)); err != nil {
		s.Fatalf("Add: %v", err)
	}
	s.expires(key, future.Add(-time.Hour))
}

// testExpired allows collection at any moment, but never half an item, and
// never that of an item whose expiry was moved.
func testExpired(s *subject) {
	pk, past := partition(), time.Now().Add(-time.Hour).Truncate(time.Second)
	expired, renewed := store.Key{PK: pk, SK: "expired"}, store.Key{PK: pk, SK: "renewed"}
	s.write(putUntil(expired, "old", past))
	switch item, err := s.Store.Get(s.ctx(), expired, true); {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		s.Fatalf("Get: %v", err)
	case !sameItem(item, store.Item{Key: expired, Data: []byte("old"), Expires: past}):
		s.Fatalf("got %+v", item)
	}
	s.write(putUntil(renewed, "1", past))
	s.write(putUntil(renewed, "2", future))
	s.hasData(renewed, "2")
}
