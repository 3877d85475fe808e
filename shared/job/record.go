package job

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// kept is a job with the bytes of it that the store holds.
type kept struct {
	Job
	raw     []byte // nil: not stored yet
	failure error  // why it failed, with its cause
}

// errFenced says that somebody else has changed the job.
var errFenced = errors.New("job: somebody else works on it")

func (r *Runner) read(ctx context.Context, room, id string) (*kept, error) {
	item, err := r.Store.Get(ctx, keyOf(room, id), true)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.NotFound, "there is no such job")
	}
	if err != nil {
		return nil, fmt.Errorf("read job %s: %w", id, err)
	}
	return decode(item)
}

func decode(item store.Item) (*kept, error) {
	k := &kept{raw: item.Data}
	if err := json.Unmarshal(item.Data, &k.Job); err != nil {
		return nil, fmt.Errorf("decode %s: %w", item.SK, err)
	}
	return k, nil
}

// saveTries is how often a save is repeated whose outcome is not known.
const saveTries = 4

// save keeps the job if nobody else has changed it since it was read. Only
// that it is to be cancelled may have been noted meanwhile; that is taken over.
func (r *Runner) save(ctx context.Context, k *kept) error {
	data, err := r.encode(k)
	for range saveTries {
		if err != nil {
			return err
		}
		putErr := r.put(ctx, k, data)
		if putErr == nil {
			k.raw = data
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("save job %s: %w", k.ID, putErr)
		}
		var saved bool
		if saved, data, err = r.reconcile(ctx, k, data); saved {
			return nil
		}
	}
	return fault.New(fault.Unavailable, "the job could not be saved, try again")
}

// reconcile reads what became of a put of data that was refused or whose
// outcome is not known, and gives what to put next.
func (r *Runner) reconcile(ctx context.Context, k *kept, data []byte) (saved bool, next []byte, err error) {
	now, err := r.read(ctx, k.Room, k.ID)
	switch {
	case fault.Is(err, fault.NotFound) && k.raw == nil:
		return false, data, nil
	case err != nil:
		return false, nil, err
	case bytes.Equal(now.raw, data):
		k.raw = data
		return true, data, nil
	case k.raw == nil || now.Fence != k.fenceBefore() || now.State.Final() && !now.Untidy:
		return false, nil, errFenced
	}
	k.raw = now.raw
	if k.Cancel == now.Cancel {
		return false, data, nil
	}
	k.Cancel = true
	next, err = r.encode(k)
	return false, next, err
}

// fenceBefore is the fence of the job as it was read.
func (k *kept) fenceBefore() int64 {
	var before struct {
		Fence int64 `json:"fence"`
	}
	if err := json.Unmarshal(k.raw, &before); err != nil {
		return -1
	}
	return before.Fence
}

func (r *Runner) encode(k *kept) ([]byte, error) {
	k.UpdatedAt = schema.Millis(r.Now().UnixMilli())
	data, err := json.Marshal(&k.Job)
	if err != nil {
		return nil, fmt.Errorf("encode job %s: %w", k.ID, err)
	}
	return data, nil
}

func (r *Runner) put(ctx context.Context, k *kept, data []byte) error {
	w := store.Write{Action: store.Put, If: store.Unchanged, Previous: k.raw, Item: store.Item{Key: keyOf(k.Room, k.ID), Data: data}}
	if k.raw == nil {
		w.If = store.Absent
	}
	if k.State.Final() {
		w.Item.Expires = r.Now().Add(keptTime)
	}
	return r.Store.Write(ctx, w)
}

// Get returns a job. Errors: not_found.
func (r *Runner) Get(ctx context.Context, room, id string) (Job, error) {
	k, err := r.read(ctx, room, id)
	if err != nil {
		return Job{}, err
	}
	return k.Job, nil
}

// List returns a page of a room's jobs, the newest first, and the cursor of
// the next page.
func (r *Runner) List(ctx context.Context, room, cursor string, limit int) ([]Job, string, error) {
	q := store.Query{PK: Partition(room), From: sortPrefix, To: sortPrefix + "~", Limit: limit, Reverse: true, Strong: true}
	if cursor != "" {
		q.After = sortPrefix + cursor
	}
	page, err := r.Store.Query(ctx, q)
	if err != nil {
		return nil, "", fmt.Errorf("list jobs of room %s: %w", room, err)
	}
	jobs := make([]Job, len(page.Items))
	for i, item := range page.Items {
		k, err := decode(item)
		if err != nil {
			return nil, "", err
		}
		jobs[i] = k.Job
	}
	next := ""
	if page.Next != "" && len(jobs) > 0 {
		next = jobs[len(jobs)-1].ID
	}
	return jobs, next, nil
}

// Cancel asks for the end of a job. One that nobody works on ends at once; else
// its state tells when it has ended, by being cancelled or by having been
// faster. Errors: not_found, conflict when it has ended already.
func (r *Runner) Cancel(ctx context.Context, room, id string) (Job, error) {
	for range saveTries {
		k, err := r.read(ctx, room, id)
		if err != nil {
			return Job{}, err
		}
		if k.State.Final() {
			return k.Job, fault.New(fault.Conflict, "the job has ended already: %s", k.State)
		}
		k.Cancel = true
		if k.State == Queued {
			r.end(k, Cancelled)
		}
		data, err := r.encode(k)
		if err != nil {
			return Job{}, err
		}
		err = r.put(ctx, k, data)
		var lost *store.ConditionError
		if errors.As(err, &lost) {
			continue // it moved on
		}
		if err != nil {
			return Job{}, fmt.Errorf("cancel job %s: %w", id, err)
		}
		k.raw = data
		r.announce(ctx, k)
		return k.Job, r.tidy(ctx, k)
	}
	return Job{}, fault.New(fault.Unavailable, "the job is moving on too fast to be cancelled, try again")
}

// Revive sends the messages again of a room's jobs that have shown no sign of
// life for long: they were interrupted as often as the queue gives a message
// out. The schedule calls it. It returns how many there were.
func (r *Runner) Revive(ctx context.Context, room string) (int, error) {
	revived, cursor := 0, ""
	for {
		jobs, next, err := r.List(ctx, room, cursor, 100)
		if err != nil {
			return revived, err
		}
		for i := range jobs {
			silent := r.Now().Sub(time.UnixMilli(int64(jobs[i].UpdatedAt)))
			if jobs[i].State.Final() && !jobs[i].Untidy || silent < staleTime {
				continue
			}
			if err := r.send(ctx, &jobs[i], 0); err != nil {
				return revived, err
			}
			revived++
		}
		if cursor = next; cursor == "" {
			return revived, nil
		}
	}
}
