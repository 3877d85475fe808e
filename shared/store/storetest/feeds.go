package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nanotypedb/shared/store"
)

// feedPatience bounds the wait for a change that should come; no case waits
// for it to pass.
const feedPatience = 30 * time.Second

var feedCases = []testCase{
	{"feed/tells each insert of a log entry", testFeedTells},
	{"feed/tells inserts only, and of the log only", testFeedInserts},
	{"feed/refused and failed writes are not told", testFeedRefused},
	{"feed/waits for a change", testFeedWaits},
	{"feed/ends with its context", testFeedContext},
	{"feed/respects max", testFeedMax},
	{"feed/acknowledged changes stay acknowledged", testFeedAck},
	{"feed/what is not acknowledged is told again", testFeedAgain},
	{"feed/survives reopening the store", testFeedReopen},
}

func (s *subject) openFeed() store.Feed {
	s.Helper()
	if s.Feed == nil {
		s.Skip("the adapter has no feed")
	}
	return s.Feed(s.T)
}

// told reads changes until all keys of partition pk in want were told, acking
// each page when ack is set, and returns what was told of that partition.
func (s *subject) told(feed store.Feed, pk string, want []string, ack bool) []store.Change {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx(), feedPatience)
	defer cancel()
	var all []store.Change
	missing := slices.Clone(want)
	for len(missing) > 0 {
		changes, token, err := feed.Next(ctx, 10)
		if err != nil {
			s.Fatalf("Next: %v; %v were not told", err, missing)
		}
		if len(changes) == 0 || len(changes) > 10 {
			s.Fatalf("Next gave %d changes, asked for up to 10", len(changes))
		}
		for _, change := range changes {
			if change.Key.PK == pk {
				all = append(all, change)
				missing = slices.DeleteFunc(missing, func(sk string) bool { return sk == change.Key.SK })
			}
		}
		if !ack {
			continue
		}
		if err := feed.Ack(ctx, token); err != nil {
			s.Fatalf("Ack: %v", err)
		}
	}
	return all
}

func logKey(pk string, seq int) store.Key {
	return store.Key{PK: pk, SK: fmt.Sprintf("LOG#%016d", seq)}
}

func testFeedTells(s *subject) {
	feed, pk := s.openFeed(), partition()
	var want []string
	for i := 1; i <= 25; i++ {
		key := logKey(pk, i)
		want = append(want, key.SK)
		if i%2 == 0 {
			s.write(put(key, "data of "+key.SK, store.Absent))
			continue
		}
		s.write(put(store.Key{PK: pk, SK: fmt.Sprint("OTHER#", i)}, "x", store.Always), put(key, "data of "+key.SK, store.Absent))
	}
	for _, change := range s.told(feed, pk, want, true) {
		if string(change.Data) != "data of "+change.Key.SK {
			s.Fatalf("%s was told with %q", change.Key.SK, change.Data)
		}
	}
}

func testFeedInserts(s *subject) {
	feed, pk := s.openFeed(), partition()
	s.write(put(store.Key{PK: pk, SK: "LOF#1"}, "x", store.Absent))
	s.write(put(store.Key{PK: pk, SK: "LOG"}, "x", store.Absent))
	s.write(put(store.Key{PK: pk, SK: "CHECKPOINT#LOG#1"}, "x", store.Absent))
	s.write(put(logKey(pk, 1), "inserted", store.Absent))
	s.write(put(logKey(pk, 1), "replaced", store.Always))
	s.write(remove(logKey(pk, 1), store.Always))
	s.write(put(logKey(pk, 2), "inserted", store.Always))
	changes := s.told(feed, pk, []string{logKey(pk, 1).SK, logKey(pk, 2).SK}, true)
	for _, change := range changes {
		if !strings.HasPrefix(change.Key.SK, store.LogPrefix) || string(change.Data) != "inserted" {
			s.Fatalf("told %s with %q", change.Key.SK, change.Data)
		}
	}
}

func testFeedRefused(s *subject) {
	feed, pk := s.openFeed(), partition()
	s.write(put(store.Key{PK: pk, SK: "there"}, "x", store.Absent))
	s.refused([]int{1}, put(logKey(pk, 1), "never", store.Absent), put(store.Key{PK: pk, SK: "there"}, "y", store.Absent))
	s.write(put(logKey(pk, 2), "marker", store.Absent))
	for _, change := range s.told(feed, pk, []string{logKey(pk, 2).SK}, true) {
		if string(change.Data) != "marker" {
			s.Fatalf("told %s, which was not applied", change.Key.SK)
		}
	}
}

func testFeedWaits(s *subject) {
	feed, pk := s.openFeed(), partition()
	s.write(put(logKey(pk, 1), "x", store.Absent))
	s.told(feed, pk, []string{logKey(pk, 1).SK}, true)
	written := make(chan error, 1)
	go func() { written <- s.Store.Write(s.ctx(), put(logKey(pk, 2), "x", store.Absent)) }()
	s.told(feed, pk, []string{logKey(pk, 2).SK}, true)
	if err := <-written; err != nil {
		s.Fatalf("Write: %v", err)
	}
}

func testFeedContext(s *subject) {
	feed, pk := s.openFeed(), partition()
	s.write(put(logKey(pk, 1), "x", store.Absent))
	s.told(feed, pk, []string{logKey(pk, 1).SK}, true)
	ctx, cancel := context.WithCancel(s.ctx())
	failed := make(chan error, 1)
	go func() {
		for {
			if _, _, err := feed.Next(ctx, 10); err != nil {
				failed <- err
				return
			}
		}
	}()
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		s.Fatalf("Next: %v, want context.Canceled", err)
	}
}

func testFeedMax(s *subject) {
	feed, pk := s.openFeed(), partition()
	for i := 1; i <= 7; i++ {
		s.write(put(logKey(pk, i), "x", store.Absent))
	}
	for told := 0; told < 7; {
		changes, token, err := feed.Next(s.ctx(), 2)
		if err != nil || len(changes) == 0 || len(changes) > 2 {
			s.Fatalf("Next gave %d changes, %v", len(changes), err)
		}
		for _, change := range changes {
			if change.Key.PK == pk {
				told++
			}
		}
		if err := feed.Ack(s.ctx(), token); err != nil {
			s.Fatalf("Ack: %v", err)
		}
	}
}

// testFeedAck allows what an adapter may tell twice, but not that a feed opened
// anew begins before everything that was acknowledged long ago.
func testFeedAck(s *subject) {
	feed, pk := s.openFeed(), partition()
	s.write(put(logKey(pk, 1), "x", store.Absent))
	s.told(feed, pk, []string{logKey(pk, 1).SK}, true)
	feed = s.openFeed()
	s.write(put(logKey(pk, 2), "x", store.Absent))
	changes := s.told(feed, pk, []string{logKey(pk, 2).SK}, true)
	if len(changes) != 1 {
		s.Fatalf("told %v, of which the first was acknowledged", changes)
	}
}

func testFeedAgain(s *subject) {
	feed, pk := s.openFeed(), partition()
	want := []string{logKey(pk, 1).SK, logKey(pk, 2).SK, logKey(pk, 3).SK}
	for i := range want {
		s.write(put(logKey(pk, i+1), "x", store.Absent))
	}
	s.told(feed, pk, want, false)
	feed = s.openFeed()
	s.told(feed, pk, want, false)
	s.told(s.openFeed(), pk, want, true)
}

func testFeedReopen(s *subject) {
	feed, pk := s.openFeed(), partition()
	s.write(put(logKey(pk, 1), "x", store.Absent))
	s.told(feed, pk, []string{logKey(pk, 1).SK}, true)
	s.write(put(logKey(pk, 2), "x", store.Absent))
	s.told(feed, pk, []string{logKey(pk, 2).SK}, false)
	s.write(put(logKey(pk, 3), "x", store.Absent))
	s.reopen()
	changes := s.told(s.openFeed(), pk, []string{logKey(pk, 2).SK, logKey(pk, 3).SK}, true)
	if changes[0].Key == logKey(pk, 1) {
		s.Fatal("what was acknowledged is told again after reopening")
	}
	s.write(put(logKey(pk, 4), "x", store.Absent))
	s.told(s.openFeed(), pk, []string{logKey(pk, 4).SK}, true)
}
