// Package room is the engine: it turns requests into entries of a room's log
// with one conditional put, and answers reads from replicas that have caught
// up. Roles and `own` tables are enforced here, below every way in.
package room

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// This file is the contract agreed on before the package was written; its
// bodies are replaced as they are built.

// Limiter decides whether somebody may do n more of a kind of work in a room.
// access.Limiter implements it.
type Limiter interface {
	// Allow returns nil or a fault rate_limited with RetryAfter.
	Allow(ctx context.Context, room, user string, what access.Work, n int) error
}

// Options configure an Engine.
type Options struct {
	Store        store.Store
	Replicas     *replica.Cache
	Limiter      Limiter // nil: no limits
	MaxRoomBytes int64   // NANO_ROOM_MAX_MB
	Now          func() time.Time
	Log          *slog.Logger
}

// Engine serves all rooms of a process.
type Engine struct{}

// New returns an engine.
func New(o Options) *Engine { panic("contract") }

// Ref names a room: by the id that users see, or, on a connection that was
// opened earlier, by its ULID, which a room made again under the same name
// does not have.
type Ref struct {
	ID   string
	ULID string
}

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

// Create makes a room with table tasks and p as its owner. An empty id is
// derived from the name. Errors: conflict when the id is taken.
func (e *Engine) Create(ctx context.Context, p access.Principal, id, name string) (Info, error) {
	panic("contract")
}

// Rooms lists the rooms of p and those p is invited to, from the indexes.
func (e *Engine) Rooms(ctx context.Context, p access.Principal, after string, limit int) (infos []Info, next string, err error) {
	panic("contract")
}

// Rename gives a room another display name (owners).
func (e *Engine) Rename(ctx context.Context, p access.Principal, ref Ref, name string) (Result, error) {
	panic("contract")
}

// Delete closes a room and frees its id (owners). The Result is its last commit.
func (e *Engine) Delete(ctx context.Context, p access.Principal, ref Ref) (Result, error) {
	panic("contract")
}

// SetMember gives user a role, Invite does so for an e-mail address, Join
// accepts an invitation to p's verified address, RemoveMember removes user
// (owners) or lets p leave; the last owner cannot leave or step down.
func (e *Engine) SetMember(ctx context.Context, p access.Principal, ref Ref, user string, role access.Role) (Result, error) {
	panic("contract")
}

// Invite, see SetMember. An empty role withdraws the invitation.
func (e *Engine) Invite(ctx context.Context, p access.Principal, ref Ref, email string, role access.Role) (Result, error) {
	panic("contract")
}

// Join, see SetMember.
func (e *Engine) Join(ctx context.Context, p access.Principal, ref Ref) (Result, error) {
	panic("contract")
}

// RemoveMember, see SetMember.
func (e *Engine) RemoveMember(ctx context.Context, p access.Principal, ref Ref, user string) (Result, error) {
	panic("contract")
}

// Request is a commit as asked for. Ops are the operations of design.md
// section 3, not yet checked.
type Request struct {
	CommitID string            `json:"commitId,omitempty"`
	Ops      []json.RawMessage `json:"ops"`
	IfSeq    *int64            `json:"ifSeq,omitempty"`
}

// Result is a durable commit. State is the room's state at Entry.Seq or
// later, for rendering names and finding roles. Repeated tells that the
// commitId had been used before and this is its first result.
type Result struct {
	Room     string // ULID
	Entry    *commitlog.Entry
	State    *replica.State
	Repeated bool
}

// Commit makes a commit (editors; schema changes too; access and tables
// `own` by owners). It returns when the commit is durable.
func (e *Engine) Commit(ctx context.Context, p access.Principal, ref Ref, req Request) (Result, error) {
	panic("contract")
}

// Read runs fn on a view of the room that has caught up with every commit
// acknowledged before the call. Errors: not_found when p is no member (that a
// room exists is not told to strangers).
func (e *Engine) Read(ctx context.Context, p access.Principal, ref Ref, fn func(*View) error) error {
	panic("contract")
}

// Head is the newest seq of a room's log by a strong read, without a replica.
func (e *Engine) Head(ctx context.Context, ulid string) (int64, error) { panic("contract") }

// Log returns p's view of the commits after since, contiguous, at most limit
// and about maxBytes of JSON (0: no bound).
func (e *Engine) Log(ctx context.Context, p access.Principal, ref Ref, since int64, limit, maxBytes int) (LogPage, error) {
	panic("contract")
}

// LogPage is a page of a room's log. Seq is the head. Reset: the caller must
// load the tables anew, Commits is empty.
type LogPage struct {
	Commits []json.RawMessage `json:"commits"`
	Seq     int64             `json:"seq"`
	More    bool              `json:"more"`
	Reset   bool              `json:"reset,omitempty"`
}

// View is a member's consistent view of a room, with `own` applied.
type View struct{}

// Grant says who looks and with which role.
func (v *View) Grant() access.Grant { panic("contract") }

// State is the room's state at the view's seq.
func (v *View) State() *replica.State { panic("contract") }

// Get returns a row in wire form, or not_found.
func (v *View) Get(ctx context.Context, table, id string) (json.RawMessage, error) {
	panic("contract")
}

// ListRequest asks for rows. Where holds, by column, a value or an object of
// comparisons; Order is a field, with "-" before it for descending.
type ListRequest struct {
	Table    string                     `json:"table"`
	Limit    int                        `json:"limit,omitempty"` // 0: 100; at most 1000
	Cursor   string                     `json:"cursor,omitempty"`
	Order    string                     `json:"order,omitempty"`
	Where    map[string]json.RawMessage `json:"where,omitempty"`
	MaxBytes int                        `json:"-"` // of Rows; 0: no bound. At least one row is returned, or too_large with useHttp
}

// RowPage is a page of rows: Rows is a JSON array in wire form.
type RowPage struct {
	Rows   json.RawMessage `json:"rows"`
	Cursor string          `json:"cursor,omitempty"`
	Seq    int64           `json:"seq"`
}

// List returns a page of rows.
func (v *View) List(ctx context.Context, req ListRequest) (RowPage, error) { panic("contract") }

// SchemaJSON is the answer of GET …/schema: {seq, tables}.
func (v *View) SchemaJSON() json.RawMessage { panic("contract") }

// Viewer is who a commit is shown to.
type Viewer struct {
	User   string
	Role   access.Role
	Tables map[string]bool // subscribed tables; nil: all
}

// Shown is a commit as one viewer may see it: Commit is the wire commit
// (possibly {seq, ops: []}), or Reset is a reason why the viewer must load
// anew. Class is equal for viewers who get the same bytes of this entry.
type Shown struct {
	Commit json.RawMessage
	Reset  string
}

// Show renders an entry for a viewer. st is the state at e.Seq or later.
func Show(e *commitlog.Entry, st *replica.State, viewer Viewer) Shown { panic("contract") }

// ShowClass returns a key that is equal for viewers to whom Show gives the
// same, so that a broadcast renders once per class.
func ShowClass(e *commitlog.Entry, st *replica.State, viewer Viewer) string { panic("contract") }
