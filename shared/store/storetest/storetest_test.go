package storetest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/store"
	"nanotypedb/shared/store/storetest"
)

func TestModel(t *testing.T) {
	storetest.Run(t, storetest.Harness{Open: func(testing.TB) storetest.Instance {
		model := storetest.NewModel()
		instance := storetest.Instance{Store: model, Feed: func(testing.TB) store.Feed { return model.Feed() }}
		instance.Reopen = func(testing.TB) storetest.Instance { return instance }
		return instance
	}})
}

// tell puts n log entries into a model and reads them through a disorder until
// all were told, acknowledging everything.
func tell(t *testing.T, model *storetest.Model, seed uint64, n int) []store.Change {
	t.Helper()
	for i := range n {
		w := store.Write{Action: store.Put, Item: store.Item{Key: store.Key{PK: "ROOM#1", SK: fmt.Sprintf("LOG#%016d", i+1)}}}
		if err := model.Write(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	feed := storetest.NewDisorder(model.Feed(), seed)
	var told []store.Change
	for distinct := map[store.Key]bool{}; len(distinct) < n; {
		changes, token, err := feed.Next(t.Context(), 5)
		if err != nil || len(changes) == 0 || len(changes) > 5 {
			t.Fatalf("Next gave %d changes, %v", len(changes), err)
		}
		for _, change := range changes {
			distinct[change.Key] = true
			told = append(told, change)
		}
		if err := feed.Ack(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	return told
}

func TestDisorderTellsAllOutOfOrderAndTwice(t *testing.T) {
	for seed := range uint64(20) {
		told := tell(t, storetest.NewModel(), seed, 60)
		if len(told) <= 60 {
			t.Errorf("seed %d: nothing was told twice", seed)
		}
		if slices.IsSortedFunc(told, func(a, b store.Change) int { return strings.Compare(a.Key.SK, b.Key.SK) }) {
			t.Errorf("seed %d: told in order", seed)
		}
		if again := tell(t, storetest.NewModel(), seed, 60); fmt.Sprint(again) != fmt.Sprint(told) {
			t.Errorf("seed %d gave two orders", seed)
		}
	}
}

// TestDisorderAcknowledgesOnlyWhatWasTold stops in the middle of a batch.
func TestDisorderAcknowledgesOnlyWhatWasTold(t *testing.T) {
	for seed := range uint64(20) {
		model := storetest.NewModel()
		for i := range 20 {
			w := store.Write{Action: store.Put, Item: store.Item{Key: store.Key{PK: "ROOM#1", SK: fmt.Sprintf("LOG#%016d", i+1)}}}
			if err := model.Write(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		told := map[store.Key]bool{}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a lost change ends here
		read := func(feed store.Feed, rounds int) {
			for range rounds {
				changes, token, err := feed.Next(ctx, 3)
				if err != nil {
					t.Fatalf("seed %d: %v, %d of 20 changes were told", seed, err, len(told))
				}
				for _, change := range changes {
					told[change.Key] = true
				}
				if err := feed.Ack(t.Context(), token); err != nil {
					t.Fatal(err)
				}
				if len(told) == 20 {
					return
				}
			}
		}
		for restart := 0; len(told) < 20; restart++ {
			read(storetest.NewDisorder(model.Feed(), seed+uint64(restart)), 2+restart)
		}
		cancel()
	}
}
