package awstest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/store"
)

// storm is harsher than AWS will ever be.
var storm = awstest.Rates{Stale: 0.5, Dropped: 0.1, Late: 0.1, Throttled: 0.1, Conflict: 0.1, Failed: 0.05, Delayed: 0.2}

// writer appends to one log as rooms do: an attempt id belongs to exact bytes,
// and an ambiguous outcome is decided by reading the slot.
type writer struct {
	opened
	name int

	// The mutations: what a careless writer does instead.
	trustsRefusals bool // a condition that was not met is taken for a lost slot
	noCondition    bool // the slot is not protected
}

// append commits one event and gives its slot.
func (w writer) append(event int) (int, error) {
	for attempt := 0; ; attempt++ {
		slot, err := w.head()
		if err != nil {
			return 0, err
		}
		entry := logEntry(slot+1, fmt.Sprintf("%d/%d attempt %d", w.name, event, attempt))
		if w.noCondition {
			entry.If = store.Always
		}
		if won, err := w.decide(entry); err != nil || won {
			return slot + 1, err
		}
	}
}

func (w writer) head() (int, error) {
	page, err := w.Query(w.Context(), store.Query{PK: "ROOM#1", Reverse: true, Limit: 1, Strong: true})
	if err != nil || len(page.Items) == 0 {
		return 0, err
	}
	var n int
	_, err = fmt.Sscanf(page.Items[0].SK, "LOG#%d", &n)
	return n, err
}

// decide puts the same bytes into the same slot until it is known whose it is.
func (w writer) decide(entry store.Write) (won bool, err error) {
	for {
		err := w.Write(w.Context(), entry)
		var unmet *store.ConditionError
		switch {
		case err == nil:
			return true, nil
		case errors.As(err, &unmet) && w.trustsRefusals:
			return false, nil
		case errors.As(err, &unmet), errors.Is(err, store.ErrUnknownOutcome):
			item, err := w.Get(w.Context(), entry.Item.Key, true)
			if err == nil {
				return string(item.Data) == string(entry.Item.Data), nil
			}
			if !errors.Is(err, store.ErrNotFound) {
				return false, err
			}
		case !errors.Is(err, store.ErrContended) && !errors.Is(err, store.ErrThrottled):
			return false, err
		}
	}
}

// run lets writers append and gives what is wrong with the log afterwards.
func run(t *testing.T, o opened, mutate func(*writer)) []string {
	const writers, each = 4, 15
	var group sync.WaitGroup
	for i := range writers {
		w := writer{opened: o, name: i}
		mutate(&w)
		group.Go(func() {
			for n := range each {
				if _, err := w.append(n); err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
	}
	group.Wait()
	o.faults.SetRates(awstest.Rates{})
	o.faults.Deliver()
	return defects(o, writers*each)
}

func defects(o opened, want int) []string {
	page, err := o.Query(o.Context(), store.Query{PK: "ROOM#1", Strong: true})
	o.must(err)
	var found []string
	times := map[string]int{}
	for i, item := range page.Items {
		if item.SK != logEntry(i+1, "").Item.SK {
			found = append(found, fmt.Sprintf("entry %d is %s", i+1, item.SK))
		}
		event, _, _ := strings.Cut(string(item.Data), " ")
		if times[event]++; times[event] > 1 {
			found = append(found, "committed twice: "+event)
		}
	}
	if len(times) < want {
		found = append(found, fmt.Sprintf("%d of %d events were lost", want-len(times), want))
	}
	return found
}

// A writer that keeps the protocol survives the storm.
func TestProtocolSurvivesTheStorm(t *testing.T) {
	faults := awstest.NewFaults(t, storm)
	o := openWith(t, faults)
	if found := run(t, o, func(*writer) {}); len(found) > 0 {
		t.Errorf("the log is broken: %v", found)
	}
	if c := faults.Counts(); c.Dropped == 0 || c.Late == 0 || c.Throttled == 0 || c.Conflict == 0 {
		t.Errorf("not every fault occurred: %+v", c)
	}
}

// A careless writer does not; else the storm would prove nothing.
func TestStormCatchesCarelessWriters(t *testing.T) {
	for name, mutate := range map[string]func(*writer){
		"takes its own success for a refusal": func(w *writer) { w.trustsRefusals = true },
		"does not protect the slot":           func(w *writer) { w.noCondition = true },
	} {
		t.Run(name, func(t *testing.T) {
			for try := range uint64(10) {
				if len(run(t, open(t, try, storm), mutate)) > 0 {
					return
				}
			}
			t.Error("the log was whole in each of 10 storms")
		})
	}
}
