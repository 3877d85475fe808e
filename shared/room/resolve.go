package room

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// builder makes one entry: it resolves operations against a draft of the
// replica, in which each is applied at once, so that later ones see it.
type builder struct {
	engine *Engine
	draft  *replica.Draft
	entry  *commitlog.Entry
	by     access.Principal
	role   access.Role
	now    time.Time
	from   []int // by operation of the entry: the operation of the request it came from
	at     int   // the operation of the request being resolved

	visits int64 // rows that alterations may still go through
}

// maxVisits bounds the rows that the alterations of one commit go through,
// each counted once an alteration: about as many as can be rewritten in the
// time that a commit has.
const maxVisits = 2_000_000

// state is the room's state with what was resolved so far.
func (b *builder) state() *replica.State { return b.draft.Working() }

// apply adds a resolved operation to the entry.
func (b *builder) apply(ctx context.Context, op commitlog.Op) error {
	b.entry.Ops = append(b.entry.Ops, op)
	b.from = append(b.from, b.at)
	return b.draft.Apply(ctx, &b.entry.Ops[len(b.entry.Ops)-1])
}

// build resolves a proposal into the entry after the draft's state and
// applies it. The caller runs it within Draft.Try.
func (e *Engine) build(ctx context.Context, d *replica.Draft, p *proposal) (*commitlog.Entry, []byte, error) {
	st := d.State()
	now := e.now()
	entry := &commitlog.Entry{
		At: max(schema.Millis(now.UnixMilli()), st.At), By: p.by.User.ID, CommitID: p.commitID, Digest: p.digest,
		Attempt: rand.Text(), Kind: p.kind, Undoes: p.undoes, Pause: p.pause.Milliseconds(), Ops: make([]commitlog.Op, 0, 1),
	}
	d.Start(entry)
	b := &builder{engine: e, visits: e.visits, draft: d, entry: entry, by: p.by, role: st.Members[p.by.User.ID].Role, now: now}
	if err := p.resolve(ctx, b); err != nil {
		return nil, nil, err
	}
	if err := d.Finish(ctx, entry); err != nil {
		return nil, nil, b.requested(b.explain(ctx, err))
	}
	if err := e.checkGrowth(st, d.State()); err != nil {
		return nil, nil, err
	}
	data, err := encode(entry)
	return entry, data, err
}

// encode gives the bytes of an entry. Where it would grow too large, old
// values are left out, the largest first.
func encode(entry *commitlog.Entry) ([]byte, error) {
	data := commitlog.AppendEntry(nil, entry)
	if len(data) <= commitlog.MaxEntryBytes {
		return data, nil
	}
	ops := make([]*commitlog.Op, 0, len(entry.Ops))
	for i := range entry.Ops {
		if len(entry.Ops[i].Old) > 0 {
			ops = append(ops, &entry.Ops[i])
		}
	}
	slices.SortFunc(ops, func(a, b *commitlog.Op) int { return schema.RowBytes(b.Old) - schema.RowBytes(a.Old) })
	for len(ops) > 0 && len(data) > commitlog.MaxEntryBytes {
		for excess := len(data) - commitlog.MaxEntryBytes; len(ops) > 0 && excess > 0; ops = ops[1:] {
			excess -= schema.RowBytes(ops[0].Old)
			ops[0].Old, ops[0].OldOmitted = nil, true
		}
		data = commitlog.AppendEntry(data[:0], entry)
	}
	if len(data) > commitlog.MaxEntryBytes {
		return nil, fault.At(fault.TooLarge, "ops", "the commit takes %d bytes in the log, above the limit of %d; split it", len(data), commitlog.MaxEntryBytes)
	}
	return data, nil
}

// requested turns the path of an error about an operation of the entry into
// that of the request, which may have more.
func (b *builder) requested(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || !strings.HasPrefix(f.Path, "ops[") {
		return err
	}
	number, rest, _ := strings.Cut(f.Path[len("ops["):], "]")
	i, convErr := strconv.Atoi(number)
	if convErr != nil || i < 0 || i >= len(b.from) {
		return err
	}
	c := *f
	c.Path = opPath(b.from[i]) + rest
	return &c
}

// checkGrowth refuses what makes a room larger than it may be. What shrinks
// it is never refused.
func (e *Engine) checkGrowth(before, after *replica.State) error {
	if after.Bytes <= e.maxBytes || after.Bytes <= before.Bytes {
		return nil
	}
	return fault.At(fault.TooLarge, "ops", "the room would grow to %d bytes, above its limit of %d; delete something first", after.Bytes, e.maxBytes)
}

// resolve applies a commit request.
func (c *change) resolve(ctx context.Context, b *builder) error {
	if before := b.draft.State().Seq; c.ifSeq != nil && *c.ifSeq != before {
		return fault.At(fault.Conflict, "ifSeq", "the room is at seq %d, not %d", before, *c.ifSeq).With("seq", before)
	}
	for i, op := range c.ops {
		b.at = i
		if err := b.operation(ctx, op); err != nil {
			return fault.Under(opPath(i), err)
		}
	}
	return nil
}

func (b *builder) operation(ctx context.Context, op *operation) error {
	switch op.kind {
	case "insert":
		return b.insert(ctx, op)
	case "update":
		return b.update(ctx, op)
	case "delete":
		return b.delete(ctx, op)
	case "createTable":
		return b.createTable(ctx, op)
	case "alterTable":
		return b.alterTable(ctx, op)
	default:
		return b.dropTable(ctx, op)
	}
}

func (b *builder) table(name string) (*schema.Table, error) {
	if t := b.state().Schema.Table(name); t != nil {
		return t, nil
	}
	return nil, fault.At(fault.NotFound, "table", "there is no table %q", clip(name))
}

func (b *builder) insert(ctx context.Context, op *operation) error {
	t, err := b.table(op.table)
	if err != nil {
		return err
	}
	cells, err := schema.InsertRow(t, op.cells)
	if err != nil {
		return fault.Under("row", err)
	}
	rowID := op.id
	if rowID == "" {
		rowID = id.New(b.now)
	}
	err = b.apply(ctx, commitlog.Op{
		Kind: commitlog.Insert, Table: t.Num, ID: rowID, Creator: b.by.User.ID, Set: cells, Own: t.Access == schema.Own,
	})
	if fault.Is(err, fault.Conflict) {
		return errIDTaken
	}
	return err
}

// errIDTaken refuses an id that a row has. In a table `own` this tells that
// somebody's row has it: ids are unique to the table, so it cannot be hidden,
// no more than that a unique value is taken. Nothing else of the row is told.
var errIDTaken = fault.At(fault.Conflict, "id", "a row has this id already")

func checkRow(size int) error {
	if size <= schema.MaxRowBytes {
		return nil
	}
	return fault.New(fault.TooLarge, "a row of %d bytes is above the limit of %d", size, schema.MaxRowBytes)
}

// row finds the row that an operation is about. A row that the writer may not
// see is answered exactly as one that is not there.
func (b *builder) row(ctx context.Context, t *schema.Table, op *operation) (replica.Row, error) {
	row, found, err := b.draft.Row(ctx, t.Num, op.id)
	if err != nil {
		return replica.Row{}, err
	}
	grant := access.Grant{Principal: b.by, Role: b.role}
	if !found || !grant.SeesRow(t.Access == schema.Own, row.CreatedBy) {
		return replica.Row{}, errNoRow
	}
	if op.ifVersion != nil && *op.ifVersion != row.Version {
		return replica.Row{}, fault.At(fault.Conflict, "ifVersion", "the row has version %d, not %d", row.Version, *op.ifVersion).
			With("version", row.Version)
	}
	return row, nil
}

var errNoRow = fault.At(fault.NotFound, "id", "there is no such row")

func (b *builder) update(ctx context.Context, op *operation) error {
	t, err := b.table(op.table)
	if err != nil {
		return err
	}
	row, err := b.row(ctx, t, op)
	if err != nil {
		return err
	}
	cells, err := schema.UpdateSet(t, op.cells)
	if err != nil {
		return fault.Under("set", err)
	}
	set, before, after := changed(t, &row, cells)
	if len(set) == 0 {
		return nil // nothing changes, so the row keeps its version
	}
	if after > before {
		if err := checkRow(after); err != nil {
			return fault.Under("set", err)
		}
	}
	return b.apply(ctx, commitlog.Op{
		Kind: commitlog.Update, Table: t.Num, ID: row.ID, Creator: row.CreatedBy, Set: set, Own: t.Access == schema.Own,
	})
}

// changed keeps the cells that differ from the row's, and gives the size of
// the row before and after.
func changed(t *schema.Table, row *replica.Row, cells []schema.Cell) (set []schema.Cell, before, after int) {
	old, merged := make([]schema.Cell, 0, len(t.Columns)), make([]schema.Cell, 0, len(t.Columns))
	given := make(map[int]schema.Value, len(cells))
	for _, cell := range cells {
		given[cell.Num] = cell.Value
	}
	for i := range t.Columns {
		num, was := t.Columns[i].Num, row.Values[i]
		is, ok := given[num]
		if !ok {
			is = was
		}
		if is != was {
			set = append(set, schema.Cell{Num: num, Value: is})
		}
		if was != nil {
			old = append(old, schema.Cell{Num: num, Value: was})
		}
		if is != nil {
			merged = append(merged, schema.Cell{Num: num, Value: is})
		}
	}
	slices.SortFunc(set, func(a, b schema.Cell) int { return a.Num - b.Num })
	return set, schema.RowBytes(old), schema.RowBytes(merged)
}

func (b *builder) delete(ctx context.Context, op *operation) error {
	t, err := b.table(op.table)
	if err != nil {
		return err
	}
	row, err := b.row(ctx, t, op)
	if err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{
		Kind: commitlog.Delete, Table: t.Num, ID: row.ID, Creator: row.CreatedBy, Own: t.Access == schema.Own,
	})
}

// mayShape checks that the writer may change a table as a whole: under `own`
// that touches rows of others, so it takes an owner; so does access itself.
func (b *builder) mayShape(t *schema.Table, setsAccess bool) error {
	if b.role == access.Owner {
		return nil
	}
	if setsAccess {
		return fault.At(fault.Forbidden, "access", "only an owner may set the access of a table")
	}
	if t != nil && t.Access == schema.Own {
		return fault.At(fault.Forbidden, "table", "only an owner may change a table whose access is own")
	}
	return nil
}

func (b *builder) createTable(ctx context.Context, op *operation) error {
	if err := b.mayShape(nil, op.access != nil); err != nil {
		return err
	}
	as := schema.Shared
	if op.access != nil && *op.access == schema.Own {
		as = schema.Own
	}
	def, err := schema.ResolveCreate(b.state().Schema, op.table, op.columns, as)
	if err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.CreateTable, Table: def.Num, Def: def})
}

func (b *builder) alterTable(ctx context.Context, op *operation) error {
	t, err := b.table(op.table)
	if err != nil {
		return err
	}
	if err := b.mayShape(t, op.access != nil); err != nil {
		return err
	}
	alter, err := schema.ResolveAlter(b.state().Schema, op.alter)
	if err != nil {
		return err
	}
	if err := b.mayVisit(ctx, t, alter); err != nil {
		return err
	}
	if err := b.checkRows(ctx, t, alter); err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{
		Kind: commitlog.AlterTable, Table: t.Num, Alter: alter, Own: t.Access == schema.Own,
	})
}

// mayVisit counts the rows that an alteration goes through, and refuses what
// would hold up the room for too long.
func (b *builder) mayVisit(ctx context.Context, t *schema.Table, a *schema.Alteration) error {
	if len(a.Add)+len(a.Drop)+len(a.Change) == 0 {
		return nil
	}
	rows, err := b.draft.Count(ctx, t.Num)
	if err != nil {
		return err
	}
	if b.visits -= rows; b.visits < 0 {
		return fault.New(fault.TooLarge, "the alterations of one commit may go through %d rows, each counted once an alteration; combine them, or use several commits",
			b.engine.visits)
	}
	return nil
}

func (b *builder) dropTable(ctx context.Context, op *operation) error {
	t, err := b.table(op.table)
	if err != nil {
		return err
	}
	if err := b.mayShape(t, false); err != nil {
		return err
	}
	return b.apply(ctx, commitlog.Op{Kind: commitlog.DropTable, Table: t.Num, Name: t.Name, Def: t, Own: t.Access == schema.Own})
}
