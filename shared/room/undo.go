package room

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// UndoRequest takes a commit back.
type UndoRequest struct {
	CommitID string `json:"commitId,omitempty"`
	Seq      int64  `json:"seq"`
	Force    bool   `json:"force,omitempty"` // also what later commits have changed
}

// Conflict is a later change of what an undo would take back.
type Conflict struct {
	Table  string `json:"table"`
	Row    string `json:"row,omitempty"`
	Column string `json:"column,omitempty"`
	Seq    int64  `json:"seq,omitempty"` // of the later commit; 0: not known any more
	By     string `json:"by,omitempty"`
	At     string `json:"at,omitempty"`
}

// Limits of what an undo tells.
const (
	maxConflicts  = 100
	maxUndoTries  = 5
	maxLaterPages = 200 // of the log, read to find what stands in the way
)

var errNotUndoable = fault.At(fault.Invalid, "seq", "this commit cannot be undone: it is of members or of the room itself, not of rows or tables")

// Undo takes back one commit of rows and tables, also one that was an undo or
// a load: cells get their earlier values, rows and tables come back or go.
// What members and roles were is never undone. Editors undo what they could
// write themselves, owners everything. A commit that changed tables so that
// values were lost, or brought in bulk content, is undone by loading the state
// before it. Errors: conflict with `conflicts` when later commits have touched
// the same, unless Force; not_found when the commit or the state before it is
// no longer kept.
func (e *Engine) Undo(ctx context.Context, p access.Principal, ref Ref, req UndoRequest) (Result, error) {
	if err := checkCommitID(req.CommitID, e.now()); err != nil {
		return Result{}, err
	}
	var result Result
	err := e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		if err := e.limit(ctx, r.State(), p, access.Commits, 1); err != nil {
			return err
		}
		u := &undo{engine: e, ulid: ulid, replica: r, by: p, req: req}
		result, err = u.run(ctx)
		return err
	})
	return result, err
}

// undo is one undo under way.
type undo struct {
	engine    *Engine
	ulid      string
	replica   *replica.Replica
	by        access.Principal
	req       UndoRequest
	entry     *commitlog.Entry
	rows      map[rowKey]*later
	conflicts []Conflict
	hidden    int // conflicts beyond those that are told
}

func (u *undo) run(ctx context.Context) (Result, error) {
	repeated, err := u.prepare(ctx)
	if err != nil {
		return Result{}, err
	}
	if repeated || isPlain(u.entry) {
		p := &proposal{
			by: u.by, need: access.Editor, commitID: u.req.CommitID, digest: u.digest(), kind: commitlog.Undo, undoes: u.req.Seq, alone: true, resolve: u.resolve, writes: true,
		}
		u.engine.afford(ctx, u.replica.State(), p)
		return u.engine.room(u.ulid).writer.submit(ctx, u.replica, p)
	}
	for try := 1; ; try++ {
		result, err := u.load(ctx)
		if !IsStale(err) || try == maxUndoTries {
			return result, err
		}
	}
}

// prepare finds the commit, for a member, and tells whether this undo has
// happened already.
func (u *undo) prepare(ctx context.Context) (repeated bool, err error) {
	if err := u.engine.catchUp(ctx, u.ulid, u.replica); err != nil {
		return false, err
	}
	st := u.replica.State()
	grant, err := admit(st, u.by)
	if err != nil {
		return false, err
	}
	if !grant.Role.AtLeast(access.Editor) {
		return false, fault.New(fault.Forbidden, "it takes the role %s in this room; yours is %s", access.Editor, grant.Role)
	}
	if u.req.CommitID != "" {
		err := u.replica.View(ctx, func(v *replica.View) error {
			seq, _, err := v.Commit(ctx, u.by.User.ID, u.req.CommitID)
			repeated = seq > 0
			return err
		})
		if repeated || err != nil {
			return repeated, err
		}
	}
	if u.req.Seq < 1 || u.req.Seq > st.Seq {
		return false, fault.At(fault.NotFound, "seq", "there is no commit %d; the room is at %d", u.req.Seq, st.Seq)
	}
	if u.entry, err = u.engine.replicas.Entry(ctx, u.ulid, u.req.Seq); err != nil {
		return false, fault.Under("seq", err)
	}
	return false, undoable(u.entry)
}

// digest tells undos of other commits apart; empty without a commitId.
func (u *undo) digest() string {
	if u.req.CommitID == "" {
		return ""
	}
	return fmt.Sprintf("undo:%d:%t", u.req.Seq, u.req.Force)
}

func undoable(e *commitlog.Entry) error {
	if e.Kind == commitlog.Create || e.Kind == commitlog.Closed || e.Kind == commitlog.Check || len(e.Ops) == 0 {
		return errNotUndoable
	}
	for i := range e.Ops {
		switch e.Ops[i].Kind {
		case commitlog.SetMember, commitlog.SetInvite, commitlog.SetRoom:
			return errNotUndoable
		default:
		}
	}
	return nil
}

// isPlain reports whether a commit lost nothing but what its entry tells, so
// that operations can take it back.
func isPlain(e *commitlog.Entry) bool {
	for i := range e.Ops {
		switch op := &e.Ops[i]; {
		case op.Kind == commitlog.LoadBlob, op.Kind == commitlog.DropTable,
			op.Kind == commitlog.AlterTable && (op.Rewrites && len(op.Alter.Change) > 0 || len(op.Alter.Drop) > 0):
			return false
		}
	}
	return true
}

// conflict notes what stands in the way.
func (u *undo) conflict(table string, row string, column string, by *commitlog.Entry) {
	if len(u.conflicts) == maxConflicts {
		u.hidden++
		return
	}
	c := Conflict{Table: table, Row: row, Column: column}
	if by != nil {
		c.Seq, c.By, c.At = by.Seq, by.By, by.At.String()
	}
	u.conflicts = append(u.conflicts, c)
}

// verdict refuses an undo that something stands in the way of.
func (u *undo) verdict() error {
	if len(u.conflicts) == 0 || u.req.Force {
		return nil
	}
	commits := map[int64]bool{}
	for _, c := range u.conflicts {
		commits[c.Seq] = true
	}
	f := fault.At(fault.Conflict, "seq", "%d later commits have changed what commit %d changed; with force it is undone all the same", len(commits), u.req.Seq).
		With("conflicts", u.conflicts).With("commits", len(commits))
	if u.hidden > 0 {
		f = f.With("more", u.hidden)
	}
	return f
}

// before runs fn on the room as it was before the commit.
func (u *undo) before(ctx context.Context, fn func(*replica.View) error) error {
	past, release, err := u.engine.replicas.At(ctx, u.ulid, u.req.Seq-1)
	if err != nil {
		return err
	}
	defer release()
	return past.View(ctx, fn)
}

// resolve takes the operations back in reverse order. What stands in the way
// is collected first, from the state as it is.
func (u *undo) resolve(ctx context.Context, b *builder) error {
	if u.entry == nil {
		return errors.New("room: a repeated undo was not found")
	}
	u.rows, u.conflicts, u.hidden = map[rowKey]*later{}, nil, 0
	for i := range u.entry.Ops {
		if err := u.look(ctx, b, &u.entry.Ops[i]); err != nil {
			return err
		}
	}
	for i := len(u.entry.Ops) - 1; i >= 0; i-- {
		if err := u.inverse(ctx, b, &u.entry.Ops[i]); err != nil {
			return err
		}
	}
	if err := u.verdict(); err != nil {
		return err
	}
	if len(b.entry.Ops) == 0 {
		return fault.At(fault.Conflict, "seq", "nothing of commit %d is left to undo", u.req.Seq)
	}
	return nil
}

func (u *undo) inverse(ctx context.Context, b *builder, op *commitlog.Op) error {
	switch op.Kind {
	case commitlog.Insert:
		return u.uninsert(ctx, b, op)
	case commitlog.Update:
		return u.unupdate(ctx, b, op)
	case commitlog.Delete:
		return u.undelete(ctx, b, op)
	case commitlog.CreateTable:
		return u.uncreate(ctx, b, op)
	default:
		return u.unalter(ctx, b, op)
	}
}

// mayWrite checks that the undoer could write a row himself. Tables that were
// `own` then count as such.
func mayWrite(b *builder, op *commitlog.Op, t *schema.Table, creator string) error {
	grant := access.Grant{Principal: b.by, Role: b.role}
	if grant.SeesRow(op.Own || t.Access == schema.Own, creator) {
		return nil
	}
	return fault.New(fault.Forbidden, "the commit has changed rows that you may not change; an owner can undo it")
}

func (u *undo) uninsert(ctx context.Context, b *builder, op *commitlog.Op) error {
	t := b.state().Schema.TableByNum(op.Table)
	if t == nil {
		return nil
	}
	row, found, err := b.draft.Row(ctx, t.Num, op.ID)
	if err != nil || !found {
		return err
	}
	if err := mayWrite(b, op, t, row.CreatedBy); err != nil {
		return err
	}
	u.row(t, op.ID).tell(u, t, op.ID, nil)
	return b.apply(ctx, commitlog.Op{Kind: commitlog.Delete, Table: t.Num, ID: op.ID, Creator: row.CreatedBy, Own: t.Access == schema.Own})
}

func (u *undo) unupdate(ctx context.Context, b *builder, op *commitlog.Op) error {
	t := b.state().Schema.TableByNum(op.Table)
	if t == nil {
		return nil
	}
	if err := mayWrite(b, op, t, op.Creator); err != nil {
		return err
	}
	row, found, err := b.draft.Row(ctx, t.Num, op.ID)
	if err != nil {
		return err
	}
	if !found {
		u.conflict(t.Name, op.ID, "", u.row(t, op.ID).whole)
		return nil
	}
	old, err := u.old(ctx, op)
	if err != nil {
		return err
	}
	var cells []schema.Cell
	for _, cell := range op.Set {
		if t.ColumnByNum(cell.Num) != nil { // else the column is gone, and its values with it
			cells = append(cells, schema.Cell{Num: cell.Num, Value: valueOf(old, cell.Num)})
		}
	}
	u.row(t, op.ID).tell(u, t, op.ID, cells)
	return u.set(ctx, b, t, &row, cells)
}

func valueOf(cells []schema.Cell, num int) schema.Value {
	for _, c := range cells {
		if c.Num == num {
			return c.Value
		}
	}
	return nil
}

// set gives a row earlier values, where the columns of today allow them.
func (u *undo) set(ctx context.Context, b *builder, t *schema.Table, row *replica.Row, cells []schema.Cell) error {
	set, _, _ := changed(t, row, cells)
	if len(set) == 0 {
		return nil
	}
	var whole []schema.Cell
	for i := range t.Columns {
		v := row.Values[i]
		if at := slices.IndexFunc(set, func(c schema.Cell) bool { return c.Num == t.Columns[i].Num }); at >= 0 {
			v = set[at].Value
		}
		if v != nil {
			whole = append(whole, schema.Cell{Num: t.Columns[i].Num, Value: v})
		}
	}
	if err := fitsNow(t, row.ID, whole); err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.Update, Table: t.Num, ID: row.ID, Creator: row.CreatedBy, Set: set, Own: t.Access == schema.Own})
}

// fitsNow checks earlier values against what the columns of today ask for.
func fitsNow(t *schema.Table, rowID string, cells []schema.Cell) error {
	slices.SortFunc(cells, func(a, b schema.Cell) int { return a.Num - b.Num })
	err := schema.Fits(t, cells)
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.At(fault.Conflict, "seq", "the row %s of table %s does not fit its columns of today as it was: %s", rowID, t.Name, f.Reason)
	}
	return err
}

// old gives the values that an operation replaced or removed.
func (u *undo) old(ctx context.Context, op *commitlog.Op) ([]schema.Cell, error) {
	if !op.OldOmitted {
		return op.Old, nil
	}
	var cells []schema.Cell
	err := u.before(ctx, func(v *replica.View) error {
		t := v.State().Schema.TableByNum(op.Table)
		if t == nil {
			return nil
		}
		row, _, err := v.Row(ctx, op.Table, op.ID)
		for i, value := range row.Values {
			if value != nil {
				cells = append(cells, schema.Cell{Num: t.Columns[i].Num, Value: value})
			}
		}
		return err
	})
	return cells, err
}

func (u *undo) undelete(ctx context.Context, b *builder, op *commitlog.Op) error {
	t := b.state().Schema.TableByNum(op.Table)
	if t == nil {
		return nil
	}
	if err := mayWrite(b, op, t, op.Creator); err != nil {
		return err
	}
	now, found, err := b.draft.Row(ctx, t.Num, op.ID)
	if err != nil {
		return err
	}
	if found {
		if err := mayWrite(b, op, t, now.CreatedBy); err != nil {
			return err
		}
		u.conflict(t.Name, op.ID, "", u.row(t, op.ID).newest)
		if err := b.apply(ctx, commitlog.Op{Kind: commitlog.Delete, Table: t.Num, ID: op.ID, Creator: now.CreatedBy, Own: t.Access == schema.Own}); err != nil {
			return err
		}
	}
	old, err := u.old(ctx, op)
	if err != nil {
		return err
	}
	cells := make([]schema.Cell, 0, len(t.Columns))
	for i := range t.Columns {
		col := &t.Columns[i]
		v := valueOf(old, col.Num)
		if v == nil && col.Required {
			v = col.Default
		}
		if v != nil {
			cells = append(cells, schema.Cell{Num: col.Num, Value: v})
		}
	}
	if err := fitsNow(t, op.ID, cells); err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.Insert, Table: t.Num, ID: op.ID, Creator: op.Creator, Set: cells,
		CreatedAt: op.OldCreated, UpdatedAt: op.OldUpdated, OldVersion: u.entry.Seq, Own: t.Access == schema.Own})
}
