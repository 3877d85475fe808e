package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// The steps between two effects.
const (
	PointSent     faultpoint.Name = "job.sent"      // the message is in the queue, there is no record
	PointKept     faultpoint.Name = "job.kept"      // there is a record, nobody works on it
	PointClaimed  faultpoint.Name = "job.claimed"   // the fence is raised, no step was begun
	PointStepped  faultpoint.Name = "job.stepped"   // a step is complete, its cursor is not kept
	PointSaved    faultpoint.Name = "job.saved"     // its cursor is kept, nobody was told
	PointHandedOn faultpoint.Name = "job.handed-on" // a further message is in the queue, this one still there
	PointUntidy   faultpoint.Name = "job.untidy"    // a job has failed, what it left is still there
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointSent, PointKept, PointClaimed, PointStepped, PointSaved, PointHandedOn, PointUntidy}

// Announcer tells a room's listeners that a job has moved on or ended, as the
// notification `job`. What it cannot tell, clients ask for.
type Announcer interface {
	AnnounceJob(ctx context.Context, j *Job) error
}

// Options configure a Runner.
type Options struct {
	Store     store.Store
	Queue     queue.Queue
	Announcer Announcer        // nil: nobody is told
	Inline    time.Duration    // how long Start works itself; 0: InlineTime, negative: not at all
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default
}

// Runner starts jobs and works on them. It is safe for concurrent use once
// every kind is registered, and starts no goroutine.
type Runner struct {
	Options
	steps   map[string]Step
	cleanup map[string]Cleanup
}

// Cleanup takes away what a job has left that failed or was cancelled, as its
// cursor tells. It may run more than once.
type Cleanup func(ctx context.Context, j *Job) error

// New returns a runner without kinds.
func New(o Options) *Runner {
	if o.Inline == 0 {
		o.Inline = InlineTime
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Runner{Options: o, steps: map[string]Step{}, cleanup: map[string]Cleanup{}}
}

// Register says how jobs of a kind are done. All kinds are registered before
// the first job is started or handled.
func (r *Runner) Register(kind string, step Step) { r.steps[kind] = step }

// RegisterCleanup says what follows when a job of a kind fails or is cancelled.
func (r *Runner) RegisterCleanup(kind string, cleanup Cleanup) { r.cleanup[kind] = cleanup }

// Spec describes a job to start.
type Spec struct {
	Kind       string
	Room       string // ULID
	By         identity.User
	Params     any
	Background bool // leave all of it to the queue
}

// Start makes a job and works on it for up to Options.Inline. The job it
// returns is done, or goes on by the queue (state queued or running). One that
// failed is returned with why, as the step said it.
func (r *Runner) Start(ctx context.Context, s Spec) (Job, error) {
	if r.steps[s.Kind] == nil {
		return Job{}, fmt.Errorf("start job: there is no kind %q", s.Kind)
	}
	params, err := json.Marshal(s.Params)
	if err != nil {
		return Job{}, fmt.Errorf("start job: %w", err)
	}
	inline := r.Inline
	if s.Background {
		inline = 0
	}
	now := r.Now()
	k := &kept{Job: Job{ID: id.New(now), Kind: s.Kind, Room: s.Room, By: s.By, Params: params,
		State: Queued, CreatedAt: schema.Millis(now.UnixMilli())}}
	// The message comes first: without a record it dies away, while a record
	// without a message would wait for ever. It comes when we must have ended.
	if err := r.send(ctx, &k.Job, max(0, inline)+messageSlack); err != nil {
		return Job{}, fmt.Errorf("start job: %w", err)
	}
	faultpoint.Reach(PointSent)
	if err := r.save(ctx, k); err != nil {
		return Job{}, fmt.Errorf("start job: %w", err)
	}
	faultpoint.Reach(PointKept)
	if inline <= 0 {
		return k.Job, nil
	}
	return r.runInline(ctx, k, inline)
}

// messageSlack is how much later than expected a message may be needed.
const messageSlack = time.Second

// runInline works until the time is over. A job that has not ended then goes on
// by the message that was sent first.
func (r *Runner) runInline(ctx context.Context, k *kept, inline time.Duration) (Job, error) {
	within, cancel := context.WithTimeout(ctx, inline)
	defer cancel()
	err := r.work(within, k, r.Now().Add(inline))
	switch {
	case errors.Is(err, errFenced):
		return r.Get(ctx, k.Room, k.ID)
	case ctx.Err() != nil:
		return k.Job, ctx.Err()
	case err != nil:
		return k.Job, nil // why was logged, if it is no matter of time
	}
	return k.Job, k.failure
}

func (r *Runner) send(ctx context.Context, j *Job, delay time.Duration) error {
	body, err := json.Marshal(message{messageVersion, j.Room, j.ID})
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if err := r.Queue.Send(ctx, queue.Outgoing{Body: string(body), Delay: delay}); err != nil {
		return fmt.Errorf("send job to its queue: %w", err)
	}
	return nil
}

// Handle works on the job of a message for up to WorkTime, and one step more.
// Without an error the message has done its duty and is to be deleted; else
// it is to be received again, later each time.
func (r *Runner) Handle(ctx context.Context, m queue.Message) error {
	named, err := decodeMessage(m.Body)
	if err != nil {
		return err
	}
	k, err := r.read(ctx, named.Room, named.Job)
	if fault.Is(err, fault.NotFound) && m.Receives >= orphanReceives {
		r.Log.WarnContext(ctx, "message of a job that was never made", "room", named.Room, "job", named.Job)
		return nil
	}
	if err != nil {
		return err
	}
	if k.State.Final() {
		return r.tidy(ctx, k)
	}
	err = r.work(ctx, k, r.Now().Add(WorkTime))
	switch {
	case errors.Is(err, errFenced):
		return nil // whoever has it now has a message, too
	case errors.Is(err, errUnfinished):
		if err := r.send(ctx, &k.Job, 0); err != nil {
			return err
		}
		faultpoint.Reach(PointHandedOn)
		return nil
	}
	return err
}

// orphanReceives is how often a message is looked at whose record is not
// there: Start may be about to make it.
const orphanReceives = 3

// errUnfinished says that the time is over and the job is not.
var errUnfinished = errors.New("job: not finished in time")

// work claims a job and does its steps. It returns nil when the job has ended,
// errUnfinished, errFenced, or why a step is to be tried again.
func (r *Runner) work(ctx context.Context, k *kept, until time.Time) error {
	if err := r.claim(ctx, k); err != nil || k.State.Final() {
		return err
	}
	faultpoint.Reach(PointClaimed)
	for {
		if err := r.step(ctx, k); err != nil {
			return err
		}
		faultpoint.Reach(PointSaved)
		r.announce(ctx, k)
		if k.State.Final() {
			return nil
		}
		if !r.Now().Before(until) {
			return errUnfinished
		}
	}
}

// claim makes the caller the one who works on the job. One that was claimed
// MaxAttempts times without completing a step has failed: something in it
// ends the process.
func (r *Runner) claim(ctx context.Context, k *kept) error {
	if k.Attempts >= MaxAttempts {
		r.fail(k, fault.New(fault.Internal, "it was interrupted %d times at the same place", k.Attempts))
	} else if k.Cancel {
		r.end(k, Cancelled)
	} else {
		k.State = Running
		k.Fence++
		k.Attempts++
	}
	if err := r.save(ctx, k); err != nil {
		return err
	}
	if k.State.Final() {
		r.announce(ctx, k)
		return r.tidy(ctx, k)
	}
	return nil
}

// step does one step and saves what came of it.
func (r *Runner) step(ctx context.Context, k *kept) error {
	run := r.steps[k.Kind]
	if run == nil {
		return fmt.Errorf("job %s: there is no kind %q", k.ID, k.Kind)
	}
	within, cancel := context.WithTimeout(ctx, StepTime)
	defer cancel()
	last := r.Now()
	k.report = func(ctx context.Context, progress float64, phase string) error {
		if now := r.Now(); now.Sub(last) < reportEvery {
			return nil
		} else {
			last = now
		}
		return r.progress(ctx, k, progress, phase)
	}
	next, done, progress, err := guarded(within, run, k)
	k.report = nil
	if err == nil {
		faultpoint.Reach(PointStepped)
	}
	return r.stepped(ctx, k, next, done, progress, err)
}

// guarded turns a panic of a step into its error.
func guarded(ctx context.Context, run Step, k *kept) (next json.RawMessage, done bool, progress float64, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("job %s of kind %s panicked: %v", k.ID, k.Kind, cause)
		}
	}()
	return run(ctx, &k.Job, k.Cursor)
}

// stepped saves the outcome of a step.
func (r *Runner) stepped(ctx context.Context, k *kept, next json.RawMessage, done bool, progress float64, err error) error {
	ended := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime) // what was done is kept, however late
	defer cancel()
	switch {
	case err != nil && k.Cancel && errors.Is(err, ErrStopped):
		r.end(k, Cancelled)
	case errors.Is(err, ErrStopped), errors.Is(err, errFenced):
		return errFenced
	case err != nil && ended:
		return errors.Join(errUnfinished, r.release(ctx, k))
	case err != nil && (final(err) || k.Attempts >= MaxAttempts):
		r.Log.ErrorContext(ctx, "job failed", "room", k.Room, "job", k.ID, "kind", k.Kind, "error", err)
		r.fail(k, err)
	case err != nil:
		r.Log.WarnContext(ctx, "job step failed", "room", k.Room, "job", k.ID, "kind", k.Kind, "attempt", k.Attempts, "error", err)
		return err
	case done:
		r.end(k, Done)
	default:
		k.Cursor, k.Progress, k.Step, k.Attempts = next, progress, k.Step+1, 1
	}
	if err := r.save(ctx, k); err != nil {
		return err
	}
	if k.Cancel && !k.State.Final() {
		r.end(k, Cancelled)
		if err := r.save(ctx, k); err != nil {
			return err
		}
	}
	return r.tidy(ctx, k)
}

// tidy cleans up behind a job that failed or was cancelled: after that is kept,
// so that nobody else can still complete it. What is not cleaned up now is when
// the schedule revives the job.
func (r *Runner) tidy(ctx context.Context, k *kept) error {
	clean := r.cleanup[k.Kind]
	if !k.Untidy || clean == nil {
		return nil
	}
	faultpoint.Reach(PointUntidy)
	if err := clean(ctx, &k.Job); err != nil {
		r.Log.WarnContext(ctx, "job was not cleaned up", "room", k.Room, "job", k.ID, "kind", k.Kind, "error", err)
		return nil
	}
	k.Untidy, k.Cursor = false, nil
	if err := r.save(ctx, k); err != nil && !errors.Is(err, errFenced) {
		r.Log.WarnContext(ctx, "job is to be cleaned up again", "room", k.Room, "job", k.ID, "error", err)
	}
	return nil
}

// end makes a state final.
func (r *Runner) end(k *kept, s State) {
	k.State = s
	switch {
	case s == Done:
		k.Progress, k.Cursor = 1, nil
	case r.cleanup[k.Kind] != nil && len(k.Cursor) > 0:
		k.Untidy = true
	default:
		k.Cursor = nil
	}
}

// release gives a job back whose step was ended by the time that its worker
// had, which is no failure of the step.
func (r *Runner) release(ctx context.Context, k *kept) error {
	k.Attempts--
	k.State = Queued
	return r.save(ctx, k)
}

// saveTime bounds the saving after a step.
const saveTime = 5 * time.Second

// final tells errors that no repetition mends.
func final(err error) bool {
	switch fault.CodeOf(err) {
	case fault.Internal, fault.Unavailable, fault.RateLimited:
		return false
	default:
		return true
	}
}

// fail ends a job with a reason that users may read.
func (r *Runner) fail(k *kept, err error) {
	r.end(k, Failed)
	k.failure = err
	var known *fault.Error
	if errors.As(err, &known) {
		k.Error = &Failure{Code: known.Code, Path: known.Path, Reason: known.Reason, More: known.Details}
	} else {
		k.Error = &Failure{Code: fault.Internal, Reason: "something failed on our side, nothing has changed; try again"}
	}
}

// progress is Report.
func (r *Runner) progress(ctx context.Context, k *kept, progress float64, phase string) error {
	k.Progress, k.Phase = progress, phase
	if err := r.save(ctx, k); err != nil {
		return err
	}
	r.announce(ctx, k)
	if k.Cancel {
		return ErrStopped
	}
	return nil
}

func (r *Runner) announce(ctx context.Context, k *kept) {
	if r.Announcer == nil {
		return
	}
	if err := r.Announcer.AnnounceJob(ctx, &k.Job); err != nil {
		r.Log.WarnContext(ctx, "job was not announced", "room", k.Room, "job", k.ID, "error", err)
	}
}
