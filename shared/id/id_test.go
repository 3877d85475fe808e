package id

import (
	"slices"
	"sync"
	"testing"
	"time"
)

var moment = time.Date(2026, 11, 23, 20, 21, 0, 123_000_000, time.UTC)

func TestIdsRiseStrictly(t *testing.T) {
	for name, clock := range map[string]func(i int) time.Time{
		"clock stands still": func(int) time.Time { return moment },
		"clock goes on":      func(i int) time.Time { return moment.Add(time.Duration(i) * time.Millisecond) },
		"clock goes back":    func(i int) time.Time { return moment.Add(-time.Duration(i) * time.Hour) },
	} {
		last := ""
		for i := range 1000 {
			u := New(clock(i))
			if u <= last || len(u) != 26 {
				t.Fatalf("%s: %s after %s", name, u, last)
			}
			last = u
		}
	}
}

func TestConcurrentIdsAreUnique(t *testing.T) {
	const writers, each = 8, 500
	ids := make([][]string, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range each {
				ids[w] = append(ids[w], New(moment))
			}
		})
	}
	all.Wait()
	made := slices.Concat(ids...)
	slices.Sort(made)
	if got := len(slices.Compact(made)); got != writers*each {
		t.Errorf("%d ids of %d are different", got, writers*each)
	}
}

func TestTime(t *testing.T) {
	// Later than all other ids of this process, so that it has its own time.
	later := moment.Add(10 * 365 * 24 * time.Hour)
	if got, ok := Time(New(later)); !ok || !got.Equal(later) {
		t.Errorf("got %v, %t, want %v", got, ok, later)
	}
	for _, s := range []string{"", "01K8Z3V5QX9YHTA2M4N6P8R0S", "01K8Z3V5QX9YHTA2M4N6P8R0STX", "01K8Z3V5QX9YHTA2M4N6P8R0SU", "81K8Z3V5QX9YHTA2M4N6P8R0ST", "room-with-a-name-of-26-xxx"} {
		if got, ok := Time(s); ok {
			t.Errorf("%q taken for an id of %v", s, got)
		}
	}
	if got, ok := Time("01ARZ3NDEKTSV4RRFFQ69G5FAV"); !ok || !got.Equal(time.UnixMilli(1469922850259)) {
		t.Errorf("got %v, %t", got, ok)
	}
}
