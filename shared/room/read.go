package room

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/usage"
)

// Read runs fn on a view of the room that has caught up with every commit
// acknowledged before the call, and ends it after readTime. Errors: not_found when p is no member (that a
// room exists is not told to strangers), rate_limited, too_large when it took too long, fn's own.
func (e *Engine) Read(ctx context.Context, p access.Principal, ref Ref, fn func(*View) error) error {
	return e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		if err := e.limit(ctx, r.State(), p, access.Reads, 1); err != nil {
			return err
		}
		if err := e.catchUp(ctx, ulid, r); err != nil {
			return err
		}
		if err := e.catchUpIndex(ctx, r); err != nil {
			return err
		}
		return e.view(ctx, r, func(v *replica.View) error {
			grant, err := admit(v.State(), p)
			if err != nil {
				return err
			}
			return fn(&View{view: v, grant: grant})
		})
	})
}

// readTime bounds one view: while it is open, the replica's file grows by all
// that is written.
const readTime = 5 * time.Second

// view runs fn on a view whose queries end after the engine's readTime. The
// wait for the view does not count.
func (e *Engine) view(ctx context.Context, r *replica.Replica, fn func(*replica.View) error) error {
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := r.View(within, func(v *replica.View) error {
		timer := time.AfterFunc(e.readTime, func() { cancel(errSlow) })
		defer timer.Stop()
		return fn(v)
	})
	if err != nil && errors.Is(context.Cause(within), errSlow) {
		return fault.New(fault.TooLarge, "the read took longer than %s; ask for less, or order and filter by something else", e.readTime).Because(err)
	}
	return err
}

var errSlow = errors.New("the view was open for too long")

// admit finds the role of a principal in a state.
func admit(st *replica.State, p access.Principal) (access.Grant, error) {
	if st.Closed {
		return access.Grant{}, &closedError{st.Room}
	}
	role := st.Members[p.User.ID].Role
	if !role.Valid() {
		return access.Grant{}, errNoRoom
	}
	return access.Grant{Principal: p, Role: role}, nil
}

// catchUp brings a replica to a point of the log not before the call. Reads
// that wait for one at the same time share it.
//
// On a store of which this process is the only writer that takes no read: the
// log has only entries that this process put. The replica held them all when
// it was loaded, the room's writer publishes each before it acknowledges it,
// and doubt is set before any put whose outcome is not known is answered. So
// a replica at head, without doubt, has everything acknowledged so far.
func (e *Engine) catchUp(ctx context.Context, ulid string, r *replica.Replica) error {
	lv := e.room(ulid)
	if e.sole && !lv.writer.doubt.Load() && r.State().Seq >= lv.writer.head.Load() {
		return nil
	}
	if err := r.CatchUp(ctx); err != nil {
		return fmt.Errorf("catch up room %s: %w", ulid, err)
	}
	return nil
}

// catchUpIndex brings what is known of texts about up to date, when the room
// has any. Rows are read without it rather than not at all.
func (e *Engine) catchUpIndex(ctx context.Context, r *replica.Replica) error {
	tables := r.State().Schema.Tables
	if !slices.ContainsFunc(tables, func(t schema.Table) bool { return t.Embeds() }) {
		return nil
	}
	if err := r.CatchUpIndex(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.log.Warn("room: index not caught up", "room", r.State().Room, "error", err)
	}
	return nil
}

// View is a member's consistent view of a room, with `own` applied. It must
// not be kept after the function it was given to.
type View struct {
	view  *replica.View
	grant access.Grant
}

// Grant says who looks and with which role.
func (v *View) Grant() access.Grant { return v.grant }

// State is the room's state at the view's seq.
func (v *View) State() *replica.State { return v.view.State() }

// Info is a room as its members see it.
type Info struct {
	ULID      string        `json:"-"`
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Role      access.Role   `json:"role,omitempty"`
	Invited   bool          `json:"invited,omitempty"`
	CreatedAt schema.Millis `json:"-"` // wire: createdAt, RFC 3339
	Seq       int64         `json:"seq,omitempty"`
	Rows      int64         `json:"rows,omitempty"`
	Bytes     int64         `json:"bytes,omitempty"`
	Tables    int           `json:"tables,omitempty"`
}

// Info describes the room.
func (v *View) Info() Info {
	st := v.State()
	return Info{
		ULID: st.Room, ID: st.ID, Name: st.Name, Role: v.grant.Role, CreatedAt: st.CreatedAt,
		Seq: st.Seq, Rows: st.Rows, Bytes: st.Bytes, Tables: len(st.Schema.Tables),
	}
}

// table finds a table by its name.
func (v *View) table(name string) (*schema.Table, error) {
	if t := v.State().Schema.Table(name); t != nil {
		return t, nil
	}
	return nil, fault.At(fault.NotFound, "table", "there is no table %q", clip(name))
}

// Get returns a row in wire form, or not_found.
func (v *View) Get(ctx context.Context, table, id string) (json.RawMessage, error) {
	t, err := v.table(table)
	if err != nil {
		return nil, err
	}
	if err := schema.ValidRowID(id); err != nil {
		return nil, fault.Under("id", err)
	}
	row, found, err := v.view.Row(ctx, t.Num, id)
	if err != nil {
		return nil, err
	}
	if !found || !v.grant.SeesRow(t.Access == schema.Own, row.CreatedBy) {
		return nil, errNoRow
	}
	usage.From(ctx).Add(usage.Reads, 1)
	return newRowWriter(t).append(nil, &row), nil
}

// SchemaJSON is the answer of GET …/schema: {seq, tables}.
func (v *View) SchemaJSON() json.RawMessage {
	st := v.State()
	dst := strconv.AppendInt([]byte(`{"seq":`), st.Seq, 10)
	dst = append(dst, `,"tables":[`...)
	for i := range st.Schema.Tables {
		if i > 0 {
			dst = append(dst, ',')
		}
		t := &st.Schema.Tables[i]
		dst = schema.AppendJSON(append(dst, `{"name":`...), t.Name)
		dst = appendAccess(dst, t.Access)
		dst = appendColumns(append(dst, `,"columns":`...), t.Columns)
		dst = append(dst, '}')
	}
	return append(dst, ']', '}')
}

func appendAccess(dst []byte, a schema.Access) []byte {
	if a == schema.Shared {
		return dst
	}
	return schema.AppendJSON(append(dst, `,"access":`...), string(a))
}

func appendColumns(dst []byte, columns []schema.Column) []byte {
	dst = append(dst, '[')
	for i := range columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = schema.AppendColumnJSON(dst, &columns[i])
	}
	return append(dst, ']')
}
