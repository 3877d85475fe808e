package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/flakystore"
)

var errDead = errors.New("the process was killed")

// mortal is a process that lives for so many requests, counted over its store
// and its queue. The one at which it dies may have been done or not.
type mortal struct {
	store.Store
	*box
	left *int
	done bool // what it died at was done
}

func (m mortal) live() (alive, do bool) {
	*m.left--
	return *m.left > 0, *m.left > 0 || *m.left == 0 && m.done
}

// Write implements store.Store.
func (m mortal) Write(ctx context.Context, writes ...store.Write) error {
	alive, do := m.live()
	if do {
		if err := m.Store.Write(ctx, writes...); err != nil || alive {
			return err
		}
	}
	return errDead
}

// Get implements store.Store.
func (m mortal) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	if *m.left <= 0 {
		return store.Item{}, errDead
	}
	return m.Store.Get(ctx, key, strong)
}

// Query implements store.Store.
func (m mortal) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if *m.left <= 0 {
		return store.Page{}, errDead
	}
	return m.Store.Query(ctx, q)
}

// Send implements queue.Queue.
func (m mortal) Send(ctx context.Context, messages ...queue.Outgoing) error {
	alive, do := m.live()
	if do {
		if err := m.box.Send(ctx, messages...); err != nil || alive {
			return err
		}
	}
	return errDead
}

// The process is killed at each of its requests in turn, before or after it
// took effect; the next one finishes the job. What a step does under the
// commitId of its cursor is done once.
func TestKilledAtEachRequest(t *testing.T) {
	for _, done := range []bool{false, true} {
		for n := 1; n <= 10; n++ {
			t.Run(fmt.Sprint(n, " ", done), func(t *testing.T) { killedAt(t, n, done) })
		}
	}
}

func killedAt(t *testing.T, n int, done bool) {
	w := newWorld(t)
	commits := map[string]int{}
	step := func(ctx context.Context, j *job.Job, cursor json.RawMessage) (json.RawMessage, bool, float64, error) {
		commits[j.CommitID(string(cursor))]++
		return count(3, func(int) {})(ctx, j, cursor)
	}
	left := n
	dying := mortal{w.store, w.queue, &left, done}
	r := w.runner(func(o *job.Options) { o.Store, o.Queue = dying, dying })
	r.Register("count", step)
	_, err := r.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada})
	if left > 0 && err != nil {
		t.Fatalf("it failed and was not killed: %v", err)
	}
	fresh := w.runner()
	fresh.Register("count", step)
	w.drain(fresh)
	jobs, _, err := fresh.List(t.Context(), room, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) == 0 && n > 2 {
		t.Fatal("the job is lost")
	}
	for _, j := range jobs {
		if j.State != job.Done || len(commits) != 3 {
			t.Errorf("%+v with commits %v", j, commits)
		}
	}
}

// Whatever a distant store does to requests, a job ends, with each cursor
// passed at least once and no step skipped.
func TestOnAFlakyStore(t *testing.T) {
	for seed := range uint64(40) {
		w := newWorld(t)
		flaky := flakystore.New(w.store, flakystore.Plan{Seed: seed, DropReply: 0.15, LoseRequest: 0.1, ApplyLate: 0.1, Throttle: 0.1, Contend: 0.05})
		r := w.runner(func(o *job.Options) { o.Store = flaky })
		seen := map[int]bool{}
		r.Register("count", count(6, func(at int) {
			if at > 0 && !seen[at-1] {
				t.Errorf("seed %d: step %d before the one before", seed, at)
			}
			seen[at] = true
		}))
		j, err := r.Start(t.Context(), job.Spec{Kind: "count", Room: room, By: ada})
		if err != nil {
			continue // it was never kept, and its caller knows
		}
		for try := 0; !j.State.Final() && try < 20; try++ {
			if err := r.Handle(t.Context(), queue.Message{Body: w.queue.bodies[0], Receives: 2}); err != nil {
				t.Logf("seed %d: %v", seed, err)
			}
			if j, err = r.Get(t.Context(), room, j.ID); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if j.State != job.Done && (j.State != job.Failed || j.Attempts < job.MaxAttempts) || string(j.Result) != strconv.Itoa(len(seen)) && j.State == job.Done {
			t.Errorf("seed %d: %+v after steps %v", seed, j, seen)
		}
	}
}

// What a job leaves that fails or is cancelled is cleaned up, also when the
// process is killed before that.
func TestCleanup(t *testing.T) {
	for _, ending := range []string{"failed", "cancelled", "killed"} {
		t.Run(ending, func(t *testing.T) {
			w := newWorld(t)
			r := w.runner()
			var left []string
			step := func(ctx context.Context, j *job.Job, cursor json.RawMessage) (json.RawMessage, bool, float64, error) {
				if len(cursor) == 0 {
					left = append(left, "room")
					return json.RawMessage(`"room"`), false, 0.5, nil
				}
				if ending == "cancelled" {
					if _, err := r.Cancel(ctx, room, j.ID); err != nil {
						t.Error(err)
					}
					return cursor, false, 0.6, nil
				}
				return nil, false, 0, fault.New(fault.Conflict, "no")
			}
			clean := func(_ context.Context, j *job.Job) error {
				if string(j.Cursor) != `"room"` {
					t.Errorf("cleanup with the cursor %s", j.Cursor)
				}
				left = nil
				return nil
			}
			r.Register("messy", step)
			if ending != "killed" {
				r.RegisterCleanup("messy", clean)
			} else {
				r.RegisterCleanup("messy", func(context.Context, *job.Job) error { return errDead })
			}
			j, _ := r.Start(t.Context(), job.Spec{Kind: "messy", Room: room, By: ada})
			if ending == "killed" {
				if len(left) != 1 || !w.get(r, j.ID).Untidy {
					t.Fatalf("%v is left, %+v", left, w.get(r, j.ID))
				}
				r.RegisterCleanup("messy", clean)
				w.now = w.now.Add(time.Hour)
				if n, err := r.Revive(t.Context(), room); n != 1 || err != nil {
					t.Errorf("%d revived, %v", n, err)
				}
				w.drain(r)
			}
			got := w.get(r, j.ID)
			if len(left) != 0 || got.Untidy || !got.State.Final() || got.State == job.Done || len(got.Cursor) != 0 {
				t.Errorf("%v is left, %+v", left, got)
			}
		})
	}
}
