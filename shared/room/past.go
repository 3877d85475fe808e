package room

import (
	"context"
	"slices"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// ReadAt is Read of the room as it was at a seq; 0 is the present. p is seen
// with his present role, and a table that is `own` now, or was when it was
// last there, is so then too. Errors beside Read's: not_found when the seq can
// no longer be rebuilt.
func (e *Engine) ReadAt(ctx context.Context, p access.Principal, ref Ref, seq int64, fn func(*View) error) error {
	if seq == 0 {
		return e.Read(ctx, p, ref, fn)
	}
	return e.inPast(ctx, p, ref, func(h *present) error {
		if err := h.reached("atSeq", seq); err != nil {
			return err
		}
		return h.at(ctx, seq, func(v *replica.View) error { return fn(&View{view: v, grant: h.grant}) })
	})
}

// SeqAt finds the newest commit at a time or before it. Errors: not_found when
// there is none, or it is no longer kept.
func (e *Engine) SeqAt(ctx context.Context, p access.Principal, ref Ref, at time.Time) (seq int64, err error) {
	err = e.inPast(ctx, p, ref, func(h *present) (err error) {
		seq, err = h.seqAt(ctx, at)
		return err
	})
	return seq, err
}

// present is the room's head, for a member who looks at its past.
type present struct {
	engine  *Engine
	replica *replica.Replica
	state   *replica.State
	grant   access.Grant
}

// inPast runs fn for a member with the room's head.
func (e *Engine) inPast(ctx context.Context, p access.Principal, ref Ref, fn func(*present) error) error {
	return e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		st, grant, err := e.head(ctx, p, r, ulid)
		if err != nil {
			return err
		}
		return fn(&present{engine: e, replica: r, state: st, grant: grant})
	})
}

// reached refuses a seq that the room has not.
func (h *present) reached(path string, seq int64) error {
	if seq >= 1 && seq <= h.state.Seq {
		return nil
	}
	return fault.At(fault.NotFound, path, "there is no commit %d; the room is at %d", seq, h.state.Seq)
}

func (h *present) seqAt(ctx context.Context, at time.Time) (int64, error) {
	if now := h.state.At.Time(); !at.Before(now) {
		return h.state.Seq, nil
	}
	return h.engine.replicas.SeqAt(ctx, h.state.Room, h.state.Seq, schema.Millis(at.UnixMilli()))
}

// at runs fn on the room at a seq, with the stricter access of then and now.
func (h *present) at(ctx context.Context, seq int64, fn func(*replica.View) error) error {
	own, err := h.own(ctx, seq)
	if err != nil {
		return err
	}
	past, release, err := h.engine.replicas.At(ctx, h.state.Room, seq)
	if err != nil {
		return err
	}
	defer release()
	return h.engine.view(ctx, past, func(v *replica.View) error { return fn(v.Tightened(own)) })
}

// own tells the tables that are `own` now, or were when they were last there.
// Of one of which that is forgotten it is assumed.
func (h *present) own(ctx context.Context, since int64) (func(table int) bool, error) {
	if h.grant.Role == access.Owner {
		return func(int) bool { return false }, nil
	}
	last := map[int]schema.Access{}
	for i := range h.state.Schema.Tables {
		last[h.state.Schema.Tables[i].Num] = h.state.Schema.Tables[i].Access
	}
	if since >= h.state.SchemaSeq {
		return func(table int) bool { return last[table] == schema.Own }, nil
	}
	known := false
	err := h.replica.View(ctx, func(v *replica.View) (err error) {
		known, err = v.Changes(ctx, since, func(op *commitlog.Op) { lastAccess(op, last) })
		return err
	})
	return func(table int) bool {
		access, there := last[table]
		return access == schema.Own || !there && !known
	}, err
}

// lastAccess notes the access of tables that an operation took away; the
// newest comes first.
func lastAccess(op *commitlog.Op, last map[int]schema.Access) {
	gone := []schema.Table{}
	switch op.Kind {
	case commitlog.DropTable:
		gone = append(gone, *op.Def)
	case commitlog.LoadBlob:
		gone = slices.Clone(op.Load.Was)
	default:
	}
	for i := range gone {
		if _, newer := last[gone[i].Num]; !newer {
			last[gone[i].Num] = gone[i].Access
		}
	}
}
