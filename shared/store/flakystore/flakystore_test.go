package flakystore_test

import (
	"errors"
	"fmt"
	"testing"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/flakystore"
	"nanotypedb/shared/store/storetest"
)

// TestConformance shows that the decorator adds nothing but failures.
func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(testing.TB) storetest.Instance {
			s := flakystore.New(storetest.NewModel(), flakystore.Plan{Delay: 0.2, Stale: 1})
			return storetest.Instance{Store: flakystore.Appending{Store: s}}
		},
	})
}

func key(n int) store.Key { return store.Key{PK: "ROOM#1", SK: fmt.Sprintf("LOG#%016d", n)} }

func put(n int, data string) store.Write {
	return store.Write{Action: store.Put, Item: store.Item{Key: key(n), Data: []byte(data)}, If: store.Absent}
}

func present(t *testing.T, s store.Store, n int) bool {
	t.Helper()
	_, err := s.Get(t.Context(), key(n), true)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestScript(t *testing.T) {
	for _, tc := range []struct {
		fault          flakystore.Fault
		want           error
		applied, later bool
	}{
		{flakystore.None, nil, true, true},
		{flakystore.DropReply, store.ErrUnknownOutcome, true, true},
		{flakystore.LoseRequest, store.ErrUnknownOutcome, false, false},
		{flakystore.ApplyLate, store.ErrUnknownOutcome, false, true},
		{flakystore.Throttle, store.ErrThrottled, false, false},
		{flakystore.Contend, store.ErrContended, false, false},
	} {
		t.Run(string(tc.fault), func(t *testing.T) {
			s := flakystore.New(storetest.NewModel(), flakystore.Plan{})
			s.Script(tc.fault)
			w := put(1, "x")
			if err := s.Write(t.Context(), w); !errors.Is(err, tc.want) {
				t.Fatalf("Write: %v, want %v", err, tc.want)
			}
			w.Item.Data[0] = 'y'
			if got := present(t, s, 1); got != tc.applied {
				t.Fatalf("applied: %v, want %v", got, tc.applied)
			}
			if err := s.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := present(t, s, 1); got != tc.later {
				t.Fatalf("applied in the end: %v, want %v", got, tc.later)
			}
			if item, err := s.Get(t.Context(), key(1), true); err == nil && string(item.Data) != "x" {
				t.Fatalf("applied %q", item.Data)
			}
			if err := s.Write(t.Context(), put(2, "x")); err != nil {
				t.Fatalf("after the script: %v", err)
			}
		})
	}
}

func TestLateWriteMeetsItsCondition(t *testing.T) {
	s := flakystore.New(storetest.NewModel(), flakystore.Plan{})
	s.Script(flakystore.ApplyLate)
	if err := s.Write(t.Context(), put(1, "late")); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Fatal(err)
	}
	err := s.Write(t.Context(), put(1, "second"))
	if settled := s.Settle(t.Context()); settled != nil {
		t.Fatal(settled)
	}
	item, getErr := s.Get(t.Context(), key(1), true)
	if getErr != nil || (err == nil) != (string(item.Data) == "second") {
		t.Fatalf("Write: %v, the slot holds %q, %v", err, item.Data, getErr)
	}
}

func TestBadWritesAreRefusedBeforeChance(t *testing.T) {
	s := flakystore.New(storetest.NewModel(), flakystore.Plan{LoseRequest: 1})
	if err := s.Write(t.Context(), put(1, "x"), put(1, "y")); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
}

// TestStaleReads requires an eventual read to miss an acknowledged write at
// times, to see it in the end, and strong reads never to miss it.
func TestStaleReads(t *testing.T) {
	s := flakystore.New(storetest.NewModel(), flakystore.Plan{Seed: 7, Stale: 1})
	missed, seen := 0, 0
	for n := range 200 {
		if err := s.Write(t.Context(), put(n, "x")); err != nil {
			t.Fatal(err)
		}
		if !present(t, s, n) {
			t.Fatalf("a strong read missed %d", n)
		}
		page, err := s.Query(t.Context(), store.Query{PK: "ROOM#1", Reverse: true, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) == 1 && page.Items[0].Key == key(n) {
			seen++
		} else {
			missed++
		}
	}
	if missed < 20 || seen < 20 {
		t.Fatalf("eventual reads missed %d and saw %d", missed, seen)
	}
}

func TestSameSeedSameRun(t *testing.T) {
	run := func(seed uint64) string {
		s := flakystore.New(storetest.NewModel(), flakystore.Plan{Seed: seed, DropReply: 0.2, LoseRequest: 0.2, ApplyLate: 0.2, Throttle: 0.1, Contend: 0.1})
		outcome := ""
		for n := range 100 {
			outcome += fmt.Sprintln(s.Write(t.Context(), put(n, "x")))
		}
		if s.Count(flakystore.DropReply) == 0 || s.Count(flakystore.ApplyLate) == 0 || s.Count(flakystore.Contend) == 0 {
			t.Fatal("a fault never happened")
		}
		return outcome
	}
	first, again := run(1), run(1)
	if first != again {
		t.Error("the same seed gave two runs")
	}
	if first == run(2) {
		t.Error("two seeds gave the same run")
	}
}
