package room

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

// attempt is a put of exact bytes into exact slots.
type attempt struct {
	room   string
	base   int64 // the seq before the first slot
	id     string
	writes []store.Write
	caught time.Time // when the replica it was resolved by was last known to be at the head
	doubt  bool      // an earlier put of these bytes may have happened, or may still happen
	frees  bool      // writes also frees the room's name
}

func (a *attempt) slot() store.Key { return commitlog.Key(a.room, a.base+1) }

// attempt makes the put of what was accepted; nil when nothing was.
func (g *group) attempt(base int64, verdicts []verdict) *attempt {
	a := &attempt{room: g.ulid, base: base, caught: g.replica.CaughtUp()}
	for i := range verdicts {
		v := &verdicts[i]
		if v.entry == nil {
			continue
		}
		if a.id == "" {
			a.id = v.entry.Attempt
		}
		item := store.Item{Key: commitlog.Key(g.ulid, v.entry.Seq), Data: v.data}
		a.writes = append(a.writes, store.Write{Action: store.Put, Item: item, If: store.Absent})
		a.frees = a.frees || v.call.closes
	}
	if a.id == "" {
		return nil
	}
	return a
}

// put writes an attempt and, when it is in the log, publishes the draft. It
// returns false when the slot was lost. The draft is ended either way.
func (g *group) put(ctx context.Context, d *replica.Draft, a *attempt) (won bool, err error) {
	if a.frees {
		free, err := g.engine.freeName(ctx, d.State())
		if err != nil {
			return false, discard(d, err)
		}
		a.writes = append(a.writes, free)
	}
	faultpoint.Reach(BeforePut)
	began := g.engine.now()
	err = g.engine.store.Write(ctx, a.writes...)
	if err == nil && g.engine.fresh(g.replica) {
		faultpoint.Reach(AfterPut)
		g.publish(ctx, d, began)
		faultpoint.Reach(AfterPublish)
		return true, nil
	}
	g.doubt.Store(true)
	if discardErr := d.Discard(); discardErr != nil {
		g.report(ctx, "discard a draft", discardErr)
	}
	switch verdict, putErr := g.pursue(ctx, a, err); verdict {
	case isMine:
		g.advance(a.base + int64(len(a.writes)))
		if err := g.catchUp(ctx); err != nil {
			g.report(ctx, "apply an own commit", err) // it is durable all the same; doubt stays
		}
		return true, nil
	case isLost:
		return false, g.catchUp(ctx)
	case isUndecided:
		g.undecided = a
		return false, errUndecided.Because(putErr)
	default:
		return false, putErr
	}
}

// publish shows a durable draft to readers. A failure does not undo the
// commit: the replica is behind then, and catches up before its next use.
func (g *group) publish(ctx context.Context, d *replica.Draft, began time.Time) {
	seq := d.State().Seq
	if err := d.Publish(began); err != nil {
		g.doubt.Store(true)
		g.report(ctx, "publish a commit", err)
	}
	g.advance(seq)
}

func (g *group) advance(seq int64) {
	if seq > g.head.Load() {
		g.head.Store(seq)
	}
}

// fate is what became of an attempt.
type fate int

const (
	isMine      fate = iota // it is in the log
	isLost                  // somebody else has the slot, it never will be
	isUndecided             // it may be, or may come to be
	isRefused               // it is not, and was not tried to the end
)

// pursue finds out what became of an attempt whose put answered err. While
// that put may still be in flight, the only next step is to put the same
// bytes into the same slot: whichever copy arrives first, it is this commit.
func (g *group) pursue(ctx context.Context, a *attempt, err error) (fate, error) {
	for n := 0; ; n++ {
		var condition *store.ConditionError
		var refused *fault.Error
		switch {
		case err == nil, errors.As(err, &condition), unknown(err):
			a.doubt = a.doubt || condition == nil
			if fate, readErr := g.look(ctx, a); readErr == nil && fate != isUndecided {
				return fate, nil
			} else if readErr == nil && !a.doubt {
				return isLost, nil // not the slot failed, but the other item of the transaction
			}
		case errors.As(err, &refused) && !a.doubt:
			return isRefused, g.internal(ctx, "put an entry", err)
		}
		if pause(ctx, n) != nil {
			if a.doubt {
				return isUndecided, err
			}
			return isRefused, errBusy.Because(err)
		}
		err = g.engine.store.Write(ctx, a.writes...)
	}
}

// unknown tells errors after which a put may have happened: all but those
// that the store documents as not applied.
func unknown(err error) bool {
	if errors.Is(err, store.ErrUnknownOutcome) {
		return true
	}
	var refused *fault.Error
	notApplied := errors.Is(err, store.ErrContended) || errors.Is(err, store.ErrThrottled) || errors.As(err, &refused) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	return !notApplied
}

// look reads the attempt's slot strongly. Entries are deleted a day after
// they were written at the earliest, so an empty slot, or one that holds this
// attempt, only counts while the log still reaches back to the entry before.
func (g *group) look(ctx context.Context, a *attempt) (fate, error) {
	if !recent(a.caught, g.engine.now()) {
		if gone, err := g.gone(ctx, a); gone || err != nil {
			return isLost, err
		}
	}
	item, err := g.engine.store.Get(ctx, a.slot(), true)
	if errors.Is(err, store.ErrNotFound) {
		return isUndecided, nil
	}
	if err != nil {
		return isUndecided, fmt.Errorf("read slot %d of room %s: %w", a.base+1, a.room, err)
	}
	entry, err := commitlog.DecodeEntry(item.Data)
	if fault.Is(err, fault.Unavailable) {
		return isLost, nil // a newer format is not written here; catching up says so
	}
	if err != nil {
		return isUndecided, err
	}
	if entry.Attempt != a.id {
		return isLost, nil
	}
	return isMine, nil
}

// gone reports whether the log has been cut behind the attempt's base while
// this process slept. What the attempt may have left there is no part of the
// log, and is taken away.
func (g *group) gone(ctx context.Context, a *attempt) (bool, error) {
	_, err := g.engine.store.Get(ctx, commitlog.Key(a.room, a.base), true)
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	for _, w := range a.writes {
		if w.Action != store.Put {
			continue
		}
		stray := store.Write{Action: store.Delete, Item: store.Item{Key: w.Item.Key}, If: store.Unchanged, Previous: w.Item.Data}
		var condition *store.ConditionError
		if err := g.engine.store.Write(ctx, stray); err != nil && !errors.As(err, &condition) {
			return true, fmt.Errorf("take back a stray entry of room %s: %w", a.room, err)
		}
	}
	return true, nil
}

// settle decides what an earlier lead left undecided, before anything else
// happens in the room. Its callers have been told to ask again.
func (g *group) settle(ctx context.Context) error {
	fate, err := g.pursue(ctx, g.undecided, store.ErrUnknownOutcome)
	switch fate {
	case isMine, isLost:
		g.undecided = nil
		return g.catchUp(ctx)
	default:
		return errUndecided.Because(err)
	}
}

// recall reads the first result of a repeated commit.
func (g *group) recall(ctx context.Context, seq int64) (Result, error) {
	item, err := g.engine.store.Get(ctx, commitlog.Key(g.ulid, seq), true)
	if errors.Is(err, store.ErrNotFound) {
		return Result{}, fault.At(fault.Conflict, "commitId", "this commitId was used at seq %d, which the log no longer holds", seq).With("seq", seq)
	}
	if err != nil {
		return Result{}, g.internal(ctx, "read an earlier commit", err)
	}
	entry, err := commitlog.DecodeEntry(item.Data)
	if err != nil {
		return Result{}, g.internal(ctx, "read an earlier commit", err)
	}
	return Result{Room: g.ulid, Entry: entry, State: g.replica.State(), Repeated: true}, nil
}

// freshTime is how long a replica may be used without looking at the log.
const freshTime = 60 * time.Second

// fresh tells whether a replica was at the head of the log lately.
func (e *Engine) fresh(r *replica.Replica) bool {
	return e.sole || recent(r.CaughtUp(), e.now())
}

// recent compares by the wall clock, which goes on while a process is frozen,
// and by the monotonic one. Where the two disagree the process has been paused
// or the clock was set, and nothing is known.
func recent(then, now time.Time) bool {
	const drift = time.Second
	wall, steady := now.Round(0).Sub(then.Round(0)), now.Sub(then)
	return wall >= 0 && wall < freshTime && steady < freshTime && (wall-steady).Abs() < drift
}

// internal logs a failure and gives what its callers are told. Errors of the
// domain pass.
func (g *group) internal(ctx context.Context, doing string, err error) error {
	var known *fault.Error
	if errors.As(err, &known) && known.Code != fault.Internal {
		return err
	}
	g.report(ctx, doing, err)
	if ctx.Err() != nil || errors.Is(err, store.ErrThrottled) || errors.Is(err, store.ErrContended) {
		return errBusy.Because(err)
	}
	return fault.New(fault.Internal, "the commit failed, nothing has changed").Because(err)
}

func (g *group) report(ctx context.Context, doing string, err error) {
	g.engine.log.ErrorContext(ctx, doing, "room", g.ulid, "error", err)
}
