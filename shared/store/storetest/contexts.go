package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"nanotypedb/shared/store"
)

var contextCases = []testCase{
	{"context/ended before the call", testEnded},
	{"context/ended during a write", testEndsDuring},
}

func testEnded(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.write(put(key, "1", store.Absent))
	ctx, cancel := context.WithCancel(s.ctx())
	cancel()
	check := func(what string, err error) {
		s.Helper()
		if !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnknownOutcome) {
			s.Errorf("%s: %v, want context.Canceled", what, err)
		}
	}
	_, err := s.Store.Get(ctx, key, true)
	check("Get", err)
	_, err = s.Store.Query(ctx, store.Query{PK: key.PK})
	check("Query", err)
	check("Write", s.Store.Write(ctx, put(key, "2", store.Always)))
	check("transaction", s.Store.Write(ctx, put(key, "2", store.Always), put(store.Key{PK: key.PK, SK: "B"}, "2", store.Always)))
	_, err = s.Store.Add(ctx, key, map[string]int64{"n": 1}, noExpiry)
	check("Add", err)
	if got := s.get(key); !sameItem(got, store.Item{Key: key, Data: []byte("1")}) {
		s.Fatalf("a call that was refused left %+v", got)
	}
	s.absent(store.Key{PK: key.PK, SK: "B"})
}

// testEndsDuring cancels writes at moments that vary. What was acknowledged is
// there, and what was reported as not applied never comes.
func testEndsDuring(s *subject) {
	pk := partition()
	outcomes := make([]error, s.few(60))
	key := func(i int) store.Key { return store.Key{PK: pk, SK: fmt.Sprintf("%03d", i)} }
	together(len(outcomes), func(i int) {
		ctx, cancel := context.WithCancel(s.ctx())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range i * 10 {
				runtime.Gosched()
			}
			cancel()
		}()
		outcomes[i] = s.Store.Write(ctx, put(key(i), "x", store.Absent))
		<-done
	})
	for i, err := range outcomes {
		switch {
		case err == nil:
			s.hasData(key(i), "x")
		case errors.Is(err, store.ErrUnknownOutcome), lost(err):
		case errors.Is(err, context.Canceled):
			s.absent(key(i))
		default:
			s.Errorf("write %d: %v", i, err)
		}
	}
}
