package replica_test

import (
	"fmt"
	"testing"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
)

func (w *world) named(id string) *commitlog.Entry {
	e := w.entry("")
	e.CommitID, e.Digest = id, "d"+id
	return e
}

func commitSeq(tb testing.TB, r *replica.Replica, id string) (seq int64) {
	tb.Helper()
	must(tb, r.View(tb.Context(), func(v *replica.View) (err error) {
		seq, _, err = v.Commit(tb.Context(), "ada", id)
		return err
	}))
	return seq
}

// TestManyCommitIDsExpireALittleAtATime: however many are due at once, an
// entry removes a few, none of them is found any more, and each may be used
// again, the same in a writer, a follower and a replica made from a checkpoint.
func TestManyCommitIDsExpireALittleAtATime(t *testing.T) {
	const due = 200
	w := newWorld(t)
	r := w.create(w.cache())
	follower := w.acquire(w.cache())
	for i := range due {
		must(t, w.write(r, w.named(fmt.Sprint(i))))
	}
	w.now = w.now.Add(31 * 24 * hour)
	w.commit(r)
	kept := due - replica.MaxExpired
	if n := r.Commits(t.Context()); n != kept {
		t.Fatalf("%d commit ids are left, want %d", n, kept)
	}
	for _, i := range []int{0, due - 1} {
		if seq := commitSeq(t, r, fmt.Sprint(i)); seq != 0 {
			t.Errorf("commit id %d is found at %d after it expired", i, seq)
		}
	}
	must(t, w.write(r, w.named(fmt.Sprint(due-1)))) // there, but expired
	kept -= replica.MaxExpired
	if n := r.Commits(t.Context()); n != kept { // one went, one came
		t.Errorf("%d commit ids are left, want %d", n, kept)
	}
	if seq := commitSeq(t, r, fmt.Sprint(due-1)); seq != r.State().Seq {
		t.Errorf("the id used again is found at %d", seq)
	}
	if err := w.write(r, w.named(fmt.Sprint(due-1))); !fault.Is(err, fault.Conflict) {
		t.Errorf("used once more: %v", err)
	}
	must(t, r.Checkpoint(t.Context()))
	loaded := w.acquire(w.cache())
	for range due/replica.MaxExpired + 1 {
		w.commit(r)
	}
	for name, r := range map[string]*replica.Replica{"writer": r, "follower": follower, "loaded": loaded} {
		must(t, r.CatchUp(t.Context()))
		checkRecount(t, name, r)
		if n := r.Commits(t.Context()); n != 1 {
			t.Errorf("%s has %d commit ids at the end", name, n)
		}
	}
	if len(w.alarm) > 0 {
		t.Errorf("alarms for entries %v", w.alarm)
	}
}

// TestADraftLooksByTheTimeOfItsEntry: an id that expires with the entry being
// built is not found by it.
func TestADraftLooksByTheTimeOfItsEntry(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	must(t, w.write(r, w.named("one")))
	w.now = w.now.Add(31 * 24 * hour)
	d, err := r.Begin(t.Context())
	must(t, err)
	before, _, err := d.Commit(t.Context(), "ada", "one")
	must(t, err)
	d.Start(w.entry(""))
	within, _, err := d.Commit(t.Context(), "ada", "one")
	must(t, err)
	must(t, d.Discard())
	if before != 2 || within != 0 {
		t.Errorf("found at %d before the entry, %d in it", before, within)
	}
}

func TestCommitIDExpiry(t *testing.T) {
	const month = 30 * 24 * time.Hour / time.Millisecond
	for _, test := range []struct {
		seq, at int64
		expired bool
	}{
		{100, int64(month), false},
		{101, int64(month), false},
		{100 + 1<<20, int64(month), false},
		{101 + 1<<20, int64(month), true},
		{101, int64(month) + 1, true},
	} {
		if got := replica.Expired(100, 0, test.seq, test.at); got != test.expired {
			t.Errorf("at seq %d, %d ms: %t", test.seq, test.at, got)
		}
	}
}
