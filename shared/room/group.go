package room

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
)

// group is the work of one lead.
type group struct {
	*writer
	replica *replica.Replica
	calls   []*call // not answered yet, in order

	// current: the replica has been at the head of the log since all calls
	// were made, so that what it refuses is refused for good.
	current bool

	took time.Duration // to resolve and apply the newest call
}

// fail answers everybody who is left.
func (g *group) fail(err error) {
	for _, c := range g.calls {
		c.answer(Result{}, err)
	}
	g.calls = nil
}

// serve answers all calls of the group.
func (g *group) serve(ctx context.Context) {
	for lost := 0; len(g.calls) > 0; {
		won, err := g.round(ctx)
		if err != nil {
			g.fail(err)
			return
		}
		if won {
			continue
		}
		if lost++; lost >= maxLost && g.calls[0].kind == commitlog.Load {
			g.askPause(ctx)
			continue
		}
		if pause(ctx, lost-1) != nil {
			g.fail(errBusy)
			return
		}
	}
}

// A load that has lost maxLost slots asks the writers of other processes to
// leave the next one to it, for about as long as it takes to apply.
const (
	maxLost  = 2
	minPause = 50 * time.Millisecond
	maxPause = 10 * time.Second
)

// askPause makes a commit without operations, which is quick to win a slot,
// the more so as it does not wait between its tries. Whoever loses that slot
// sees it, and waits. When it fails, the load tries on without.
func (g *group) askPause(ctx context.Context) {
	length := min(max(minPause, 2*g.took), maxPause)
	p := &proposal{by: g.calls[0].by, pause: length, resolve: func(context.Context, *builder) error { return nil }}
	c := &call{proposal: p, done: make(chan outcome, 1)}
	asking := &group{writer: g.writer, replica: g.replica, calls: []*call{c}}
	for len(asking.calls) > 0 {
		if _, err := asking.round(ctx); err != nil {
			asking.fail(err)
		}
	}
	if out := <-c.done; out.err != nil {
		g.report(ctx, "ask for a pause of writers", out.err)
	}
}

// await waits while another process has asked for a pause.
func (g *group) await(ctx context.Context) error {
	left := g.replica.Paused()
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return errBusy.Because(ctx.Err())
	case <-timer.C:
		return nil
	}
}

// pause waits with full jitter before the n-th repetition, or until ctx ends.
func pause(ctx context.Context, n int) error {
	const first, longest = 4 * time.Millisecond, 500 * time.Millisecond
	timer := time.NewTimer(rand.N(min(longest, first<<min(n, 10))) + 1)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// round tries once to answer the calls. It returns false when the slot was
// lost: the calls left are to be resolved again from their requests.
func (g *group) round(ctx context.Context) (progress bool, err error) {
	if err := g.prepare(ctx); err != nil {
		return false, err
	}
	if err := g.await(ctx); err != nil {
		return false, err
	}
	d, err := g.replica.Begin(ctx)
	if err != nil {
		return false, g.internal(ctx, "begin a draft", err)
	}
	defer func() {
		if err := d.Discard(); err != nil { // does nothing but after a panic
			g.report(ctx, "discard a draft", err)
		}
	}()
	base := d.State().Seq
	verdicts, err := g.judge(ctx, d)
	if err != nil {
		return true, g.abort(ctx, d, len(verdicts), err)
	}
	a := g.attempt(base, verdicts)
	if a == nil {
		if err := d.Discard(); err != nil {
			return false, g.internal(ctx, "discard a draft", err)
		}
		return g.refuse(ctx, base, verdicts)
	}
	won, err := g.put(ctx, d, a)
	if err != nil || !won {
		return false, err
	}
	g.settled(ctx, verdicts)
	return true, nil
}

// prepare settles what is undecided, and catches up a replica that was not
// at the head of the log for too long to be trusted.
func (g *group) prepare(ctx context.Context) error {
	if g.undecided != nil {
		if err := g.settle(ctx); err != nil {
			return err
		}
	}
	if g.engine.sole && !g.doubt.Load() {
		g.current = true
		return nil
	}
	if !g.doubt.Load() && g.engine.fresh(g.replica) {
		return nil
	}
	return g.catchUp(ctx)
}

func (g *group) catchUp(ctx context.Context) error {
	if err := g.replica.CatchUp(ctx); err != nil {
		return g.internal(ctx, "catch up", err)
	}
	g.doubt.Store(false)
	g.current = true
	return nil
}

// verdict is what became of a call in a draft.
type verdict struct {
	call  *call
	entry *commitlog.Entry // accepted; data is its encoding
	data  []byte
	state *replica.State
	err   error // refused
	seq   int64 // its commitId was used by this commit
	twin  int   // of that commit: its index in the same group, or -1
}

// judge resolves the calls in order, each seeing those before it. Those that
// do not fit the group any more are left out. An error that is no refusal
// ends it; the last verdict is then the call it hit.
func (g *group) judge(ctx context.Context, d *replica.Draft) ([]verdict, error) {
	verdicts := make([]verdict, 0, len(g.calls))
	bytes := 0
	for _, c := range g.calls {
		v := verdict{call: c, twin: -1}
		err := g.judgeOne(ctx, d, c, &v)
		if v.seq > 0 {
			v.twin = slices.IndexFunc(verdicts, func(o verdict) bool { return o.entry != nil && o.entry.Seq == v.seq })
		}
		verdicts = append(verdicts, v)
		if err != nil {
			return verdicts, err
		}
		if bytes += len(v.data); bytes > maxGroupBytes {
			break
		}
	}
	return verdicts, nil
}

func (g *group) judgeOne(ctx context.Context, d *replica.Draft, c *call, v *verdict) error {
	st := d.State()
	if st.Closed {
		v.err = &closedError{g.ulid}
		return nil
	}
	role := st.Members[c.by.User.ID].Role
	if c.need.Valid() && !role.Valid() {
		v.err = errNoRoom
		return nil
	}
	if repeated, err := g.repeated(ctx, d, c, v); repeated || err != nil {
		return err
	}
	if !role.AtLeast(c.need) {
		v.err = fault.New(fault.Forbidden, "it takes the role %s in this room; yours is %s", c.need, role)
		return nil
	}
	began := time.Now()
	defer func() { g.took = time.Since(began) }()
	err := d.Try(ctx, func() (err error) {
		v.entry, v.data, err = g.engine.build(ctx, d, c.proposal)
		return err
	})
	if took := time.Since(began); err != nil && ctx.Err() != nil && took > g.engine.patience/2 {
		err = fault.At(fault.TooLarge, "ops", "the commit was not checked and applied within %s, nothing has changed; split it", g.engine.patience).Because(err)
		return &tooSlow{err}
	}
	v.state = d.State()
	if err == nil {
		return nil
	}
	v.entry, v.data = nil, nil
	if refusal(err) {
		v.err = err
		return nil
	}
	return err
}

// tooSlow says that one call took the time of its whole group.
type tooSlow struct{ answer error }

func (t *tooSlow) Error() string { return t.answer.Error() }

// refusal tells errors that are answers from those that are failures.
func refusal(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Internal, fault.Unavailable:
		return false
	default:
		return true
	}
}

// repeated looks whether the call's commitId was used before.
func (g *group) repeated(ctx context.Context, d *replica.Draft, c *call, v *verdict) (bool, error) {
	if c.commitID == "" {
		return false, nil
	}
	seq, digest, err := d.Commit(ctx, c.by.User.ID, c.commitID)
	if err != nil {
		return false, err
	}
	if seq == 0 {
		v.err = forgotten(c.commitID, d.State())
		return v.err != nil, nil
	}
	if digest != c.digest {
		v.err = fault.At(fault.Conflict, "commitId", "this commitId was used at seq %d with other operations", seq).With("seq", seq)
		return true, nil
	}
	v.seq = seq
	return true, nil
}

// refuse answers a group of which nothing was accepted. Refusals wait for a
// replica that is at the head; when it has moved, everything is judged anew.
func (g *group) refuse(ctx context.Context, base int64, verdicts []verdict) (progress bool, err error) {
	if !g.current {
		if err := g.catchUp(ctx); err != nil {
			return false, err
		}
		if g.replica.State().Seq != base {
			return true, nil
		}
	}
	g.settled(ctx, verdicts)
	return true, nil
}

// settled answers the calls that were judged: what was accepted is durable,
// and the state that the others were judged by was the head of the log.
func (g *group) settled(ctx context.Context, verdicts []verdict) {
	g.calls = g.calls[len(verdicts):]
	for i := range verdicts {
		v := &verdicts[i]
		switch {
		case v.entry != nil:
			v.call.answer(Result{Room: g.ulid, Entry: v.entry, State: v.state}, nil)
		case v.twin >= 0:
			first := &verdicts[v.twin]
			v.call.answer(Result{Room: g.ulid, Entry: first.entry, State: first.state, Repeated: true}, nil)
		case v.seq > 0:
			v.call.answer(g.recall(ctx, v.seq))
		default:
			v.call.answer(Result{}, v.err)
		}
	}
}

// abort takes a draft back after a failure. The call it hit, the last of the
// judged, is answered with it; the others are tried again.
func (g *group) abort(ctx context.Context, d *replica.Draft, judged int, err error) error {
	if discardErr := d.Discard(); discardErr != nil {
		return g.internal(ctx, "discard a draft", discardErr)
	}
	var slow *tooSlow
	if errors.As(err, &slow) {
		err = slow.answer
	} else if err = g.internal(ctx, "resolve a commit", err); ctx.Err() != nil {
		return err
	}
	g.calls[judged-1].answer(Result{}, err)
	g.calls = slices.Delete(g.calls, judged-1, judged)
	return nil
}
