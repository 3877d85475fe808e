package local

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/store"
)

// The relay is called with what gathered, as the stream's batching window does
// on AWS; busy rooms then cost one call, not one a commit. After few changes it
// gathers for a moment, since who looks at a single row waits for its vector;
// above 250 a second that grows to gatherTime. After a failure the changes are
// told again, later and later.
const (
	gatherEach  = 4 * time.Millisecond
	gatherTime  = 200 * time.Millisecond
	maxChanges  = 1000
	retryFirst  = time.Second
	retryLast   = time.Minute
	maxAttempts = 4 // then the changes are let go; the room's next commit, or a restart, tries again
)

// follower feeds the relay from the change feed, as the stream does on AWS.
type follower struct {
	feed  store.Feed
	relay *relay.Handler
	log   *slog.Logger
	busy  atomic.Int64 // until when there are many commits, in milliseconds
}

// busyChanges is how many changes that gathered tell of a busy time, and
// busyTime how long it is one from then on.
const (
	busyChanges = 40
	busyTime    = 500 * time.Millisecond
)

// isBusy tells whether commits come fast, so that what can wait should.
func (f *follower) isBusy() bool { return time.Now().UnixMilli() < f.busy.Load() }

// run follows until ctx ends.
func (f *follower) run(ctx context.Context) {
	retry := retryFirst
	for ctx.Err() == nil {
		if err := f.step(ctx); err != nil && ctx.Err() == nil {
			f.log.Error("follow the change feed", "error", err)
			_ = pause(ctx, retry)
			retry = min(2*retry, retryLast)
			continue
		}
		retry = retryFirst
	}
}

func (f *follower) step(ctx context.Context) error {
	changes, token, err := f.next(ctx)
	if err != nil || len(changes) == 0 {
		return err
	}
	if len(changes) >= busyChanges {
		f.busy.Store(time.Now().Add(busyTime).UnixMilli())
	}
	if err := f.handle(ctx, changes); err != nil {
		return err
	}
	if err := f.feed.Ack(ctx, token); err != nil {
		return err
	}
	if len(changes) == maxChanges {
		return nil
	}
	return pause(ctx, min(time.Duration(len(changes))*gatherEach, gatherTime))
}

// next waits for changes, but no longer than until the relay has postponed
// work to resume.
func (f *follower) next(ctx context.Context) ([]store.Change, string, error) {
	wait := f.relay.Resume(ctx)
	if wait == 0 {
		return f.feed.Next(ctx, maxChanges)
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	changes, token, err := f.feed.Next(waiting, maxChanges)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, "", nil
	}
	return changes, token, err
}

// handle works changes off, repeating those that failed.
func (f *follower) handle(ctx context.Context, changes []store.Change) error {
	retry := retryFirst
	for attempt := 1; ; attempt++ {
		failures := f.relay.Handle(ctx, changes)
		if len(failures) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		changes = changes[:0]
		for _, failure := range failures {
			f.log.Error("relay", "item", failure.Change.Key, "attempt", attempt, "error", failure.Err)
			changes = append(changes, failure.Change)
		}
		if attempt == maxAttempts {
			return nil
		}
		if err := pause(ctx, retry); err != nil {
			return err
		}
		retry = min(2*retry, retryLast)
	}
}

var errStopped = errors.New("local: stopped")

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errors.Join(errStopped, ctx.Err())
	}
}
