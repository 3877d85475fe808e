package sqlitefile

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"nanotypedb/shared/faultpoint"
)

// maxGroup bounds a group, so that the first of it does not wait for long.
const maxGroup = 256

// request is one waiting write, or one wait for the right to lead.
type request struct {
	ctx      context.Context //nolint:containedctx // a request lives no longer than the call it belongs to
	run      func(*Tx) error
	single   bool   // see SubmitSingle
	alone    func() // leads without a transaction
	err      error
	panicked any
	wake     chan bool // true: lead; false: done
}

// Submit runs fn in the transaction of the next group and returns after that
// was made durable. When fn returns an error, what it did is undone and the
// error is returned; others of the group do not notice. fn must not block, and
// must not use the file.
//
// While ctx lets the write wait, it is not applied: the error is ctx's. Once the
// group is being committed, Submit waits for the outcome, which takes as long as
// the disk takes: so a write never ends unknown because of ctx.
func (f *File) Submit(ctx context.Context, fn func(*Tx) error) error {
	return f.submit(&request{ctx: ctx, run: fn})
}

// SubmitSingle is Submit for an fn that, when it returns an error, has changed
// nothing, as one whose first change is refused. It saves the savepoint.
func (f *File) SubmitSingle(ctx context.Context, fn func(*Tx) error) error {
	return f.submit(&request{ctx: ctx, run: fn, single: true})
}

// SubmitLater leaves fn to the next group, at the latest that of Close, and does
// not wait. It is for what may be lost in a crash. An error of fn undoes it.
func (f *File) SubmitLater(fn func(*Tx) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	f.later = append(f.later, fn)
	return nil
}

func (f *File) submit(r *request) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	switch {
	case f.closed:
		f.mu.Unlock()
		return ErrClosed
	case f.writing:
		f.wait(r)
	default:
		f.writing = true
		f.mu.Unlock()
		f.lead(r)
	}
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.err
}

// wait queues r, with mu held, and returns when it is done.
func (f *File) wait(r *request) {
	r.wake = make(chan bool, 1)
	f.queue = append(f.queue, r)
	f.mu.Unlock()
	var lead bool
	select {
	case lead = <-r.wake:
	case <-r.ctx.Done():
		if f.withdraw(r) {
			r.err = r.ctx.Err()
			return
		}
		lead = <-r.wake
	}
	if lead {
		// The others of the last group were woken a moment ago: those that
		// write again at once come along.
		runtime.Gosched()
		f.lead(r)
	}
}

// withdraw takes r out of the queue, unless it is in a group already.
func (f *File) withdraw(r *request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.queue, r)
	if i < 0 {
		return false
	}
	f.queue = slices.Delete(f.queue, i, i+1)
	return true
}

// exclusively runs fn while nobody writes, also after Close.
func (f *File) exclusively(fn func()) {
	r := &request{ctx: context.Background(), alone: fn}
	f.mu.Lock()
	if f.writing {
		f.wait(r)
		return
	}
	f.writing = true
	f.mu.Unlock()
	f.lead(r)
}

// lead does the work of r and of those who wait, and passes the lead on.
func (f *File) lead(r *request) {
	if r.alone != nil {
		r.alone()
		f.pass()
		return
	}
	f.gather(r)
	f.commit(f.group)
	for i, done := range f.group {
		if done != r {
			done.wake <- false
		}
		f.group[i] = nil
	}
	f.pass()
}

// gather makes the group: r and those who wait, up to one who leads alone.
func (f *File) gather(r *request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.group = append(f.group[:0], r)
	taken := 0
	for _, next := range f.queue {
		if next.alone != nil || len(f.group) == maxGroup {
			break
		}
		f.group = append(f.group, next)
		taken++
	}
	f.queue = slices.Delete(f.queue, 0, taken)
}

// pass lets the first who waits lead.
func (f *File) pass() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		f.writing = false
		return
	}
	next := f.queue[0]
	f.queue = slices.Delete(f.queue, 0, 1)
	next.wake <- true
}

// commit applies the group and sets the outcome of each.
func (f *File) commit(group []*request) {
	err := f.Failed()
	if err == nil {
		err = f.begin()
	}
	if err != nil {
		settle(group, err)
		return
	}
	tx := f.writer
	f.apply(group)
	if tx.failed != nil {
		f.rollback()
		settle(group, fmt.Errorf("write, nothing of which was applied: %w", tx.failed))
		return
	}
	if len(group) == 1 && group[0].err != nil {
		f.rollback()
		return
	}
	faultpoint.Reach(PointBeforeCommit)
	if err := tx.control("COMMIT"); err != nil {
		f.fail(err)
		f.rollback()
		settle(group, fmt.Errorf("%w: %w", ErrUnknownOutcome, err))
		return
	}
	faultpoint.Reach(PointAfterCommit)
	f.checkpoints.wrote(tx.written)
}

// settle gives the whole group an error: also a refusal is none any more, as it
// may rest on what was not committed.
func settle(group []*request, err error) {
	for _, r := range group {
		r.err = err
	}
}

func (f *File) begin() error {
	f.writer.failed, f.writer.written = nil, 0
	if err := f.writer.control("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// rollback ends a transaction. SQLite may have ended it already; if neither
// worked, the connection is useless.
func (f *File) rollback() {
	failed := f.writer.failed
	if err := f.writer.control("ROLLBACK"); err != nil && failed == nil {
		f.fail(err)
	}
}

// apply runs the requests, and after them what was left to this group. A lone
// request needs no savepoint: when it is refused, all is rolled back.
func (f *File) apply(group []*request) {
	for _, r := range group {
		if f.writer.failed != nil {
			return
		}
		if r.err = r.ctx.Err(); r.err != nil {
			continue
		}
		switch {
		case len(group) == 1:
			if r.call(f.writer); r.err != nil {
				return
			}
		case r.single:
			f.applySingle(r)
		default:
			r.err = f.inSavepoint(r)
		}
	}
	f.applyLater()
}

func (f *File) applySingle(r *request) {
	before := f.writer.changed
	if r.call(f.writer); r.err != nil && f.writer.changed != before {
		f.writer.failed = fmt.Errorf("a single write failed half applied: %w", r.err)
	}
}

func (f *File) inSavepoint(r *request) error {
	tx := f.writer
	if err := tx.control("SAVEPOINT request"); err != nil {
		return err
	}
	if r.call(tx); r.err != nil {
		if err := tx.control("ROLLBACK TO request"); err != nil {
			return err
		}
	}
	if err := tx.control("RELEASE request"); err != nil {
		return err
	}
	return r.err
}

// call runs the request's function. It may be run by another goroutine than the
// one that submitted it: a panic is carried there.
func (r *request) call(tx *Tx) {
	defer func() {
		if r.panicked = recover(); r.panicked != nil {
			r.err = fmt.Errorf("panicked: %v", r.panicked)
		}
	}()
	r.err = r.run(tx)
}

// applyLater runs what was left to this group.
func (f *File) applyLater() {
	f.mu.Lock()
	later := f.later
	f.later = nil
	f.mu.Unlock()
	for _, fn := range later {
		r := &request{run: fn}
		if err := f.inSavepoint(r); err != nil && f.writer.failed != nil {
			return
		}
	}
}
