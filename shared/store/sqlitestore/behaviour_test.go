package sqlitestore_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
)

func TestSweepRemovesWhatExpired(t *testing.T) {
	s := openStore(t, t.TempDir())
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for sk, expires := range map[string]time.Time{
		"expired": now.Add(-time.Second), "now": now, "later": now.Add(time.Second), "never": {}, "LOG#1": now.Add(-time.Hour),
	} {
		w := store.Write{Action: store.Put, Item: store.Item{Key: store.Key{PK: "P", SK: sk}, Expires: expires}}
		if err := s.Write(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int64{1, 0} {
		if n, err := s.Sweep(t.Context(), now); err != nil || n != want {
			t.Fatalf("Sweep removed %d, %v, want %d", n, err, want)
		}
	}
	if _, err := s.Get(t.Context(), store.Key{PK: "P", SK: "expired"}, true); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("the expired item: %v", err)
	}
	page, err := s.Query(t.Context(), store.Query{PK: "P"})
	if err != nil || len(page.Items) != 4 {
		t.Fatalf("%d items are left, %v", len(page.Items), err)
	}
}

func TestCountersDoNotWrap(t *testing.T) {
	s, key := openStore(t, t.TempDir()), store.Key{PK: "P", SK: "A"}
	for _, limit := range []int64{math.MaxInt64, math.MinInt64} {
		name := map[bool]string{true: "up", false: "down"}[limit > 0]
		if _, err := s.Add(t.Context(), key, map[string]int64{name: limit}, time.Time{}); err != nil {
			t.Fatal(err)
		}
		step := int64(1)
		if limit < 0 {
			step = -1
		}
		if _, err := s.Add(t.Context(), key, map[string]int64{name: step, "other": 1}, time.Time{}); !fault.Is(err, fault.Invalid) {
			t.Fatalf("Add: %v, want invalid", err)
		}
	}
	item, err := s.Get(t.Context(), key, true)
	if err != nil || item.Counters["up"] != math.MaxInt64 || item.Counters["down"] != math.MinInt64 || len(item.Counters) != 2 {
		t.Fatalf("got %v, %v", item.Counters, err)
	}
}

func TestForeignFeedTokensAreRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	for _, token := range []string{"", "x", "-1", "1", "9223372036854775808"} {
		if err := s.Feed().Ack(t.Context(), token); !fault.Is(err, fault.Invalid) {
			t.Errorf("Ack %q: %v, want invalid", token, err)
		}
	}
	if _, _, err := s.Feed().Next(t.Context(), 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("Next of 0: %v, want invalid", err)
	}
}

// TestReadsDoNotWaitForAWriter reads while a write is being applied, and must
// not see it.
func TestReadsDoNotWaitForAWriter(t *testing.T) {
	s := openStore(t, t.TempDir())
	old, fresh := logWrite("r", 1), logWrite("r", 2)
	if err := s.Write(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	err := s.file.Submit(t.Context(), func(tx *sqlitefile.Tx) error {
		if _, err := tx.Exec("INSERT INTO items (pk, sk, data) VALUES (?, ?, x'00')", fresh.Item.PK, fresh.Item.SK); err != nil {
			return err
		}
		if _, err := s.Get(t.Context(), old.Item.Key, true); err != nil {
			t.Errorf("the old item: %v", err)
		}
		if _, err := s.Get(t.Context(), fresh.Item.Key, true); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an item that is not durable: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), fresh.Item.Key, true); err != nil {
		t.Errorf("the new item: %v", err)
	}
}
