package replica_test

import (
	"context"
	"testing"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

// slowWrites is a store whose writes of one key wait, before they happen and
// after, until the test goes on.
type slowWrites struct {
	store.Store
	key                        store.Key
	arrived, apply, done, goOn chan struct{}
}

func newSlowWrites(st store.Store, key store.Key) *slowWrites {
	return &slowWrites{st, key, make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})}
}

func (s *slowWrites) Write(ctx context.Context, writes ...store.Write) error {
	if writes[0].Item.Key != s.key {
		return s.Store.Write(ctx, writes...)
	}
	close(s.arrived)
	<-s.apply
	err := s.Store.Write(ctx, writes...)
	close(s.done)
	<-s.goOn
	return err
}

// TestAReadDoesNotWaitForAPutInFlight: while a writer's put is under way,
// reads catch up without it. Once it has happened they see it, though nobody
// has told the writer yet.
func TestAReadDoesNotWaitForAPutInFlight(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "first"))
	slow := newSlowWrites(w.st, commitlog.Key(ulid, 3))
	written := make(chan error, 1)
	d, err := r.Begin(t.Context())
	must(t, err)
	e := w.entry("", insert("b", "second"))
	must(t, try(t.Context(), d, e))
	go func() {
		err := slow.Write(t.Context(), store.Write{If: store.Absent, Item: store.Item{Key: slow.key, Data: commitlog.AppendEntry(nil, e)}})
		if err == nil {
			err = d.Publish(w.now)
		}
		written <- err
	}()
	<-slow.arrived

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // one that waited for the draft would never end
	defer cancel()
	for range 3 {
		must(t, r.CatchUp(ctx))
		equal(t, "ids while the put is in flight", ids(rows(t, r, replica.ListQuery{})), []string{"a"})
	}
	close(slow.apply)
	<-slow.done
	read := make(chan struct{})
	go func() {
		defer close(read)
		if err := r.CatchUp(t.Context()); err != nil {
			t.Error(err)
		}
		if seq := r.State().Seq; seq != 3 {
			t.Errorf("after a catch-up that began when entry 3 was durable the replica is at seq %d", seq)
		}
	}()
	r.WaitForCatchUp()
	close(slow.goOn)
	must(t, <-written)
	<-read
	checkRecount(t, "writer", r)
}

// TestACatchUpAppliesWhatADraftDidNot: the log is ahead by an entry of another
// process, and the draft that was waited for is given up.
func TestACatchUpAppliesWhatADraftDidNot(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	other := w.acquire(w.cache())
	d, err := r.Begin(t.Context())
	must(t, err)
	must(t, try(t.Context(), d, w.entry("", insert("mine", "x"))))
	w.commit(other, insert("theirs", "x"))
	read := make(chan error, 1)
	go func() { read <- r.CatchUp(t.Context()) }()
	r.WaitForCatchUp()
	must(t, d.Discard())
	must(t, <-read)
	equal(t, "ids", ids(rows(t, r, replica.ListQuery{})), []string{"theirs"})
	checkRecount(t, "writer", r)
}
