package room

import (
	"context"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// uncreate drops the table that a commit made.
func (u *undo) uncreate(ctx context.Context, b *builder, op *commitlog.Op) error {
	t := b.state().Schema.TableByNum(op.Def.Num)
	if t == nil {
		return nil
	}
	if err := b.mayShape(t, false); err != nil {
		return err
	}
	if !t.Equal(op.Def) {
		u.conflict(t.Name, "", "", nil)
	}
	err := b.draft.Each(ctx, t.Num, func(row *replica.Row) error {
		u.conflict(t.Name, row.ID, "", u.known(ctx, row.Version))
		return nil
	})
	if err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.DropTable, Table: t.Num, Name: t.Name, Def: t, Own: t.Access == schema.Own})
}

// known is a commit for the report, while few are in it.
func (u *undo) known(ctx context.Context, seq int64) *commitlog.Entry {
	const looked = 20
	if len(u.conflicts) < looked {
		if entry, err := u.engine.replicas.Entry(ctx, u.ulid, seq); err == nil {
			return entry
		}
	}
	return nil
}

// unalter takes an alteration back that changed no values: names, access and
// definitions return, added columns go.
func (u *undo) unalter(ctx context.Context, b *builder, op *commitlog.Op) error {
	t := b.state().Schema.TableByNum(op.Alter.Table)
	if t == nil {
		return nil
	}
	if err := b.mayShape(t, op.Alter.Access != nil); err != nil {
		return err
	}
	a := &schema.Alteration{Table: t.Num, Was: t.Name}
	u.unname(t, op, a)
	if err := u.unadd(ctx, b, t, op, a); err != nil {
		return err
	}
	if err := u.unchange(ctx, t, op, a); err != nil {
		return err
	}
	if a.Name == "" && a.Access == nil && len(a.Drop)+len(a.Rename)+len(a.Change) == 0 {
		return nil
	}
	next, err := b.state().Schema.Altered(a)
	if err != nil {
		return fault.At(fault.Conflict, "seq", "a name that table %s or its columns had is in use again", t.Name).Because(err)
	}
	if err := next.Fits(); err != nil {
		return err
	}
	if err := b.mayVisit(ctx, t, a); err != nil {
		return err
	}
	if err := b.checkRows(ctx, t, a); err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.AlterTable, Table: t.Num, Alter: a, Own: t.Access == schema.Own})
}

// unname takes back the names and the access of a table.
func (u *undo) unname(t *schema.Table, op *commitlog.Op, a *schema.Alteration) {
	if op.Alter.Name != "" && op.Alter.Was != t.Name {
		if t.Name != op.Alter.Name {
			u.conflict(t.Name, "", "", nil)
		}
		a.Name = op.Alter.Was
	}
	if op.Alter.Access != nil {
		was := schema.Shared
		if op.Own {
			was = schema.Own
		}
		if t.Access != *op.Alter.Access {
			u.conflict(t.Name, "", "", nil)
		}
		if t.Access != was {
			a.Access = &was
		}
	}
	for _, r := range op.Alter.Rename {
		c := t.ColumnByNum(r.Num)
		if c == nil || c.Name == r.Was {
			continue
		}
		if c.Name != r.Name {
			u.conflict(t.Name, "", c.Name, nil)
		}
		a.Rename = append(a.Rename, schema.ColumnName{Num: c.Num, Name: r.Was, Was: c.Name})
	}
}

// unadd drops the columns that were added. Values that were given to them
// since stand in the way.
func (u *undo) unadd(ctx context.Context, b *builder, t *schema.Table, op *commitlog.Op, a *schema.Alteration) error {
	var places []int
	for _, added := range op.Alter.Add {
		at := slices.IndexFunc(t.Columns, func(c schema.Column) bool { return c.Num == added.Num })
		if at < 0 {
			continue
		}
		places = append(places, at)
		a.Drop = append(a.Drop, schema.ColumnName{Num: added.Num, Name: t.Columns[at].Name, Was: t.Columns[at].Name})
	}
	if len(places) == 0 {
		return nil
	}
	return b.draft.Each(ctx, t.Num, func(row *replica.Row) error {
		for _, at := range places {
			if v := row.Values[at]; v != nil && (v != t.Columns[at].Default || row.Version != u.entry.Seq) {
				u.conflict(t.Name, row.ID, t.Columns[at].Name, u.known(ctx, row.Version))
			}
		}
		return nil
	})
}

// unchange gives changed columns the definitions they had.
func (u *undo) unchange(ctx context.Context, t *schema.Table, op *commitlog.Op, a *schema.Alteration) error {
	if len(op.Alter.Change) == 0 {
		return nil
	}
	return u.before(ctx, func(v *replica.View) error {
		then := v.State().Schema.TableByNum(t.Num)
		for _, changed := range op.Alter.Change {
			now := t.ColumnByNum(changed.Num)
			if now == nil || then == nil || then.ColumnByNum(changed.Num) == nil {
				continue
			}
			was := *then.ColumnByNum(changed.Num)
			given := changed
			given.Name, was.Name = now.Name, nameAfter(a, now)
			if !sameColumn(now, &given) {
				u.conflict(t.Name, "", now.Name, nil)
			}
			a.Change = append(a.Change, was)
		}
		return nil
	})
}

func nameAfter(a *schema.Alteration, c *schema.Column) string {
	for _, r := range a.Rename {
		if r.Num == c.Num {
			return r.Name
		}
	}
	return c.Name
}

func sameColumn(a, b *schema.Column) bool {
	return string(schema.AppendColumnJSON(nil, a)) == string(schema.AppendColumnJSON(nil, b))
}

// load takes a commit back by loading the state before it: of the tables whose
// schema it changed, or that it loaded, as a whole, of others the rows.
func (u *undo) load(ctx context.Context) (Result, error) {
	if err := u.engine.catchUp(ctx, u.ulid, u.replica); err != nil {
		return Result{}, err
	}
	u.conflicts, u.hidden = nil, 0
	o := u.scope()
	target, release, err := u.engine.replicas.At(ctx, u.ulid, u.req.Seq-1)
	if err != nil {
		return Result{}, err
	}
	defer release()
	var key string
	var staged *replica.Staged
	err = u.replica.View(ctx, func(present *replica.View) error {
		st := present.State()
		if err := u.mayLoad(st.Members[u.by.User.ID].Role, st.Schema, target.State().Schema); err != nil {
			return err
		}
		if err := u.stands(ctx, st, o); err != nil {
			return err
		}
		return target.View(ctx, func(v *replica.View) (err error) {
			key, staged, err = u.engine.stageLoad(ctx, u.ulid, v, present, o)
			return err
		})
	})
	if err != nil {
		return Result{}, err
	}
	req := LoadRequest{CommitID: u.req.CommitID, Blob: key, SHA256: staged.Sum.SHA256, Strict: !u.req.Force, Rows: o.Rows, undoes: u.req.Seq,
		allow: func(b *builder, _ *bulkLoad) error {
			return u.mayLoad(b.role, b.state().Schema, target.State().Schema)
		}}
	if len(o.Tables) > 0 {
		req.Target = target
	}
	return u.engine.load(ctx, u.ulid, u.replica, u.by, req, u.digest())
}

// scope is what of the state before is to be loaded.
func (u *undo) scope() replica.StageOptions {
	o := replica.StageOptions{Tables: []int{}, Rows: map[int][]string{}}
	for i := range u.entry.Ops {
		switch op := &u.entry.Ops[i]; op.Kind {
		case commitlog.CreateTable:
			o.Tables = append(o.Tables, op.Def.Num)
		case commitlog.AlterTable:
			o.Tables = append(o.Tables, op.Alter.Table)
		case commitlog.DropTable:
			o.Tables = append(o.Tables, op.Table)
		case commitlog.LoadBlob:
			o.Tables = append(o.Tables, op.Load.Tables...)
		default:
			o.Rows[op.Table] = append(o.Rows[op.Table], op.ID)
		}
	}
	slices.Sort(o.Tables)
	o.Tables = slices.Compact(o.Tables)
	for _, num := range o.Tables {
		delete(o.Rows, num)
	}
	return o
}

// stands finds the later commits that have touched what is to be loaded.
func (u *undo) stands(ctx context.Context, st *replica.State, o replica.StageOptions) error {
	if u.req.Force {
		return nil
	}
	err := u.since(ctx, st.Seq, func(entry *commitlog.Entry) bool {
		for i := range entry.Ops {
			op := &entry.Ops[i]
			for _, num := range tablesOfOp(op) {
				whole := slices.Contains(o.Tables, num)
				if !whole && (op.ID != "" && !slices.Contains(o.Rows[num], op.ID) || len(o.Rows[num]) == 0) {
					continue
				}
				u.conflict(u.tableName(st, num), op.ID, "", entry)
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return u.verdict()
}

func tablesOfOp(op *commitlog.Op) []int {
	switch op.Kind {
	case commitlog.Insert, commitlog.Update, commitlog.Delete, commitlog.DropTable:
		return []int{op.Table}
	case commitlog.CreateTable:
		return []int{op.Def.Num}
	case commitlog.AlterTable:
		return []int{op.Alter.Table}
	case commitlog.LoadBlob:
		return op.Load.Tables
	default:
		return nil
	}
}

func (u *undo) tableName(st *replica.State, num int) string {
	if t := st.Schema.TableByNum(num); t != nil {
		return t.Name
	}
	for i := range u.entry.Ops {
		if op := &u.entry.Ops[i]; op.Kind == commitlog.DropTable && op.Table == num {
			return op.Name
		}
	}
	return ""
}

// mayLoad is what an undo by loading takes: an owner; or an editor who could
// have changed these tables himself, then and now.
func (u *undo) mayLoad(role access.Role, now, then *schema.Schema) error {
	if role == access.Owner {
		return nil
	}
	refused := fault.New(fault.Forbidden, "the commit has changed what you may not change; an owner can undo it")
	for i := range u.entry.Ops {
		op := &u.entry.Ops[i]
		if op.Kind == commitlog.LoadBlob || op.Own || op.Kind == commitlog.AlterTable && op.Alter.Access != nil {
			return refused
		}
		for _, num := range tablesOfOp(op) {
			for _, s := range []*schema.Schema{now, then} {
				if t := s.TableByNum(num); t != nil && t.Access == schema.Own {
					return refused
				}
			}
		}
	}
	return nil
}
