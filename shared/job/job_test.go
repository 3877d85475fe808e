package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
)

const room = "01JDEXAMPLE000000000000000"

var ada = identity.User{ID: "ada", Name: "Ada"}

// box is a queue that keeps what was sent, for the test to hand out.
type box struct {
	queue.Queue
	mu     sync.Mutex
	bodies []string
	delays []time.Duration
	fail   error
}

func (b *box) Send(_ context.Context, messages ...queue.Outgoing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	for _, m := range messages {
		b.bodies, b.delays = append(b.bodies, m.Body), append(b.delays, m.Delay)
	}
	return nil
}

// announced records what listeners would be told.
type announced struct {
	mu  sync.Mutex
	all []job.Job
}

func (a *announced) AnnounceJob(_ context.Context, j *job.Job) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, *j)
	return nil
}

func (a *announced) last(t *testing.T) job.Job {
	t.Helper()
	if len(a.all) == 0 {
		t.Fatal("nothing was announced")
	}
	return a.all[len(a.all)-1]
}

type world struct {
	t     *testing.T
	store store.Store
	queue *box
	told  *announced
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlitestore.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(st.Close(), file.Close()); err != nil {
			t.Error(err)
		}
	})
	return &world{t: t, store: st, queue: &box{}, told: &announced{}, now: time.UnixMilli(1_790_000_000_000)}
}

func (w *world) runner(change ...func(*job.Options)) *job.Runner {
	o := job.Options{Store: w.store, Queue: w.queue, Announcer: w.told, Now: func() time.Time { return w.now },
		Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	return job.New(o)
}

// drain hands out messages until there is none, as the queue would, and stops
// when one is refused the fifth time.
func (w *world) drain(r *job.Runner) {
	w.t.Helper()
	for i := 0; i < len(w.queue.bodies); i++ {
		for receives := 1; receives <= 5; receives++ {
			if r.Handle(w.t.Context(), queue.Message{Body: w.queue.bodies[i], Receives: receives}) == nil {
				break
			}
		}
	}
	w.queue.bodies, w.queue.delays = nil, nil
}

func (w *world) get(r *job.Runner, id string) job.Job {
	w.t.Helper()
	j, err := r.Get(w.t.Context(), room, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// count does n steps, each noting its cursor, and gives the number as result.
func count(n int, note func(cursor int)) job.Step {
	return func(_ context.Context, j *job.Job, cursor json.RawMessage) (json.RawMessage, bool, float64, error) {
		at := 0
		if len(cursor) > 0 {
			var err error
			if at, err = strconv.Atoi(string(cursor)); err != nil {
				return nil, false, 0, err
			}
		}
		note(at)
		if at+1 == n {
			return nil, true, 1, j.Finish(n)
		}
		return fmt.Append(nil, at+1), false, float64(at+1) / float64(n), nil
	}
}

func TestAShortJobIsDoneBeforeStartReturns(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	var seen []int
	r.Register("count", count(3, func(at int) { seen = append(seen, at) }))
	j, err := r.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada, Params: map[string]int{"n": 3}})
	if err != nil || j.State != job.Done || string(j.Result) != "3" || j.Progress != 1 {
		t.Fatalf("%+v, %v", j, err)
	}
	if fmt.Sprint(seen) != "[0 1 2]" {
		t.Errorf("steps at %v", seen)
	}
	if len(w.queue.bodies) != 1 || w.queue.delays[0] <= job.InlineTime {
		t.Errorf("messages %v after %v; one must come when Start has ended", w.queue.bodies, w.queue.delays)
	}
	w.drain(r)
	if len(seen) != 3 {
		t.Errorf("the late message did steps again: %v", seen)
	}
	if last := w.told.last(t); last.State != job.Done || string(last.Result) != "3" {
		t.Errorf("announced %+v", last)
	}
	if stored := w.get(r, j.ID); stored.State != job.Done || stored.By != ada || stored.Fence != 1 {
		t.Errorf("stored %+v", stored)
	}
}

func TestALongJobGoesOnByTheQueue(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	var seen []int
	r.Register("slow", count(200, func(at int) {
		seen = append(seen, at)
		w.now = w.now.Add(3 * time.Second)
	}))
	j, err := r.Start(t.Context(), job.Spec{Kind: "slow", Room: room, By: ada})
	if err != nil || j.State.Final() || len(seen) != 3 {
		t.Fatalf("%+v, %v after %d steps", j, err, len(seen))
	}
	handled := 0
	for len(w.queue.bodies) > 0 {
		body := w.queue.bodies[0]
		w.queue.bodies = w.queue.bodies[1:]
		if err := r.Handle(t.Context(), queue.Message{Body: body, Receives: 1}); err != nil {
			t.Fatal(err)
		}
		handled++
	}
	if got := w.get(r, j.ID); got.State != job.Done || len(seen) != 200 || handled < 3 {
		t.Errorf("%+v after %d steps and %d messages", got, len(seen), handled)
	}
}

func TestABackgroundJobIsLeftToTheQueue(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	r.Register("count", count(1, func(int) {}))
	j, err := r.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada, Background: true})
	if err != nil || j.State != job.Queued {
		t.Fatalf("%+v, %v", j, err)
	}
	w.drain(r)
	if got := w.get(r, j.ID); got.State != job.Done {
		t.Errorf("%+v", got)
	}
}

func TestWhatNoRepetitionMendsFailsAtOnce(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	tries := 0
	r.Register("bad", func(context.Context, *job.Job, json.RawMessage) (json.RawMessage, bool, float64, error) {
		tries++
		return nil, false, 0, fault.At(fault.Invalid, "tables[0]", "there is no table x").With("line", 3)
	})
	j, err := r.Start(t.Context(), job.Spec{Kind: "bad", Room: room, By: ada})
	if !fault.Is(err, fault.Invalid) || j.State != job.Failed || tries != 1 {
		t.Fatalf("%+v, %v after %d tries", j, err, tries)
	}
	got := w.get(r, j.ID)
	if got.Error == nil || got.Error.Code != fault.Invalid || got.Error.Path != "tables[0]" || got.Error.Reason != "there is no table x" || got.Error.More["line"] != 3.0 {
		t.Errorf("kept %+v", got.Error)
	}
}

func TestOtherErrorsAreTriedFiveTimes(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	tries, good := 0, 4
	r.Register("flaky", func(context.Context, *job.Job, json.RawMessage) (json.RawMessage, bool, float64, error) {
		if tries++; tries > good {
			return nil, true, 1, nil
		}
		return nil, false, 0, errors.New("secret: the disk is on fire")
	})
	j, err := r.Start(t.Context(), job.Spec{Kind: "flaky", Room: room, By: ada})
	if err != nil || j.State.Final() {
		t.Fatalf("%+v, %v", j, err)
	}
	w.drain(r)
	if got := w.get(r, j.ID); got.State != job.Done || tries != 5 {
		t.Errorf("%+v after %d tries", got, tries)
	}
	tries, good = 0, 100
	if j, err = r.Start(t.Context(), job.Spec{Kind: "flaky", Room: room, By: ada}); err != nil {
		t.Fatal(err)
	}
	w.drain(r)
	got := w.get(r, j.ID)
	if got.State != job.Failed || tries != job.MaxAttempts {
		t.Errorf("%+v after %d tries", got, tries)
	}
	if got.Error.Code != fault.Internal || got.Error.Reason == "" || got.Error.Reason == "secret: the disk is on fire" {
		t.Errorf("told %+v", got.Error)
	}
}

func TestAPanicIsAnErrorOfTheStep(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	r.Register("panic", func(context.Context, *job.Job, json.RawMessage) (json.RawMessage, bool, float64, error) {
		panic("oh")
	})
	j, err := r.Start(t.Context(), job.Spec{Kind: "panic", Room: room, By: ada})
	if err != nil {
		t.Fatal(err)
	}
	w.drain(r)
	if got := w.get(r, j.ID); got.State != job.Failed {
		t.Errorf("%+v", got)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	var id string
	steps, stopped := 0, 0
	r.Register("long", func(ctx context.Context, j *job.Job, _ json.RawMessage) (json.RawMessage, bool, float64, error) {
		steps++
		id = j.ID
		if steps == 2 {
			if _, err := r.Cancel(ctx, room, j.ID); err != nil {
				t.Error(err)
			}
			w.now = w.now.Add(2 * time.Second)
			if err := j.Report(ctx, 0.5, "halfway"); err != nil {
				stopped++
				return nil, false, 0, err
			}
		}
		return json.RawMessage(`1`), false, 0.1, nil
	})
	j, err := r.Start(t.Context(), job.Spec{Kind: "long", Room: room, By: ada})
	if err != nil || j.State != job.Cancelled || steps != 2 || stopped != 1 {
		t.Fatalf("%+v, %v after %d steps, %d stopped", j, err, steps, stopped)
	}
	if _, err := r.Cancel(t.Context(), room, id); !fault.Is(err, fault.Conflict) {
		t.Errorf("cancelled twice: %v", err)
	}
	if _, err := r.Cancel(t.Context(), room, "nothing"); !fault.Is(err, fault.NotFound) {
		t.Errorf("cancelled nothing: %v", err)
	}
	w.drain(r)
	if steps != 2 {
		t.Error("a cancelled job went on")
	}
	if j, err = r.Start(t.Context(), job.Spec{Kind: "long", Room: room, By: ada, Background: true}); err != nil {
		t.Fatal(err)
	}
	if j, err = r.Cancel(t.Context(), room, j.ID); err != nil || j.State != job.Cancelled {
		t.Errorf("a queued job: %+v, %v", j, err)
	}
	w.drain(r)
	if steps != 2 {
		t.Error("a job that was cancelled in the queue was begun")
	}
}

// A worker that was slow finds that another has the job, and saves nothing.
func TestWhoeverClaimsLaterWorks(t *testing.T) {
	w := newWorld(t)
	slow, fast := w.runner(), w.runner()
	slow.Register("count", func(ctx context.Context, _ *job.Job, _ json.RawMessage) (json.RawMessage, bool, float64, error) {
		if err := fast.Handle(ctx, queue.Message{Body: w.queue.bodies[0], Receives: 2}); err != nil {
			t.Error(err)
		}
		return json.RawMessage(`7`), false, 0.7, nil
	})
	fast.Register("count", count(2, func(int) {}))
	j, err := slow.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada})
	if err != nil || j.State != job.Done || string(j.Result) != "2" || j.Fence != 2 {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestListIsNewestFirst(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	r.Register("count", count(1, func(int) {}))
	var want []string
	for range 5 {
		j, err := r.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada})
		if err != nil {
			t.Fatal(err)
		}
		want = append([]string{j.ID}, want...)
	}
	var got []string
	for cursor, first := "", true; first || cursor != ""; first = false {
		var page []job.Job
		var err error
		if page, cursor, err = r.List(t.Context(), room, cursor, 2); err != nil {
			t.Fatal(err)
		}
		for _, j := range page {
			got = append(got, j.ID)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMessagesThatNameNoJob(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	for _, body := range []string{"", "x", "{}", `{"v":2,"room":"a","job":"b"}`, `[]`} {
		if r.Handle(t.Context(), queue.Message{Body: body, Receives: 1}) == nil {
			t.Errorf("%q was taken", body)
		}
	}
	orphan := queue.Message{Body: `{"v":1,"room":"a","job":"b"}`, Receives: 1}
	if r.Handle(t.Context(), orphan) == nil {
		t.Error("a message that came before its record was let go")
	}
	orphan.Receives = 3
	if err := r.Handle(t.Context(), orphan); err != nil {
		t.Errorf("a message without a record stays: %v", err)
	}
}

func TestReviveSendsWhatWasInterruptedTooOften(t *testing.T) {
	w := newWorld(t)
	r := w.runner()
	r.Register("count", count(1, func(int) {}))
	j, err := r.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada, Background: true})
	if err != nil {
		t.Fatal(err)
	}
	w.queue.bodies = nil // in the dead-letter queue
	if n, err := r.Revive(t.Context(), room); n != 0 || err != nil {
		t.Errorf("%d revived at once, %v", n, err)
	}
	w.now = w.now.Add(time.Hour)
	if n, err := r.Revive(t.Context(), room); n != 1 || err != nil {
		t.Errorf("%d revived, %v", n, err)
	}
	w.drain(r)
	if got := w.get(r, j.ID); got.State != job.Done {
		t.Errorf("%+v", got)
	}
}
