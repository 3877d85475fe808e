package relay

import (
	"context"
	"errors"
	"fmt"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/replica"
)

// portionOps is how many operations are planned between two watermarks: so
// many jobs a relay that is killed sends again at most.
const portionOps = 2000

// portion is how many of entries are planned at once.
func portion(entries []*commitlog.Entry) int {
	ops := 0
	for i, e := range entries {
		if ops += len(e.Ops); ops >= portionOps {
			return i + 1
		}
	}
	return len(entries)
}

// maxTries is how often the jobs of one entry are tried before the room goes
// on without them.
const maxTries = 5

// plan sends the jobs of entries and returns how many entries are done: all of
// them, or those up to one whose jobs can never be made.
func (h *Handler) plan(ctx context.Context, r *replica.Replica, ulid string, mark *watermark, entries []*commitlog.Entry) (done int, err error) {
	if h.Planner == nil {
		return len(entries), nil
	}
	if r.State().Seq < entries[len(entries)-1].Seq {
		if err := r.CatchUp(ctx); err != nil {
			return 0, err
		}
	}
	err = h.Planner.Plan(ctx, r, ulid, entries)
	if err == nil || blameless(ctx, err) {
		return len(entries), err
	}
	for i := range entries {
		err := h.Planner.Plan(ctx, r, ulid, entries[i:i+1])
		switch {
		case err == nil:
		case blameless(ctx, err):
			return 0, err
		default:
			return i + 1, h.stuck(ctx, ulid, mark, entries[:i+1], err)
		}
	}
	return len(entries), nil
}

// blameless tells failures that no entry is the cause of, which are tried
// again for ever.
func blameless(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, indexing.ErrNotSent)
}

// stuck notes that the jobs of the last of entries could not be made, and
// fails, so that the relay is told again. But the entry does not hold the room
// up for ever: after maxTries it lets go of it. The rows are pending then, and
// the schedule's sweep sends their jobs.
func (h *Handler) stuck(ctx context.Context, ulid string, mark *watermark, entries []*commitlog.Entry, cause error) error {
	last := len(entries) - 1
	next := watermark{Relayed: mark.Relayed, Stuck: entries[last].Seq, Tries: 1}
	if last > 0 {
		next.Relayed = entries[last-1].Seq
	}
	if mark.Stuck == next.Stuck {
		next.Tries += mark.Tries
	}
	if next.Tries >= maxTries {
		h.Log.ErrorContext(ctx, "the jobs of an entry cannot be made; the room goes on without them", "room", ulid, "entry", next.Stuck, "error", cause)
		return nil
	}
	if err := h.note(ctx, ulid, mark, next); err != nil {
		return err
	}
	return fmt.Errorf("plan jobs of entry %d, try %d of %d: %w", next.Stuck, next.Tries, maxTries, cause)
}
