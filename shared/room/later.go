package room

import (
	"context"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// later is what commits after the one that is undone did to a row of it.
type later struct {
	cells  map[int]*commitlog.Entry // by column: the newest that set it
	whole  *commitlog.Entry         // the newest that made, removed or replaced the row as a whole
	newest *commitlog.Entry
	lost   bool // it was changed by commits that are no longer kept
}

// tell notes as conflicts what was changed of the cells of a row, or of the
// whole row when cells is nil.
func (l *later) tell(u *undo, t *schema.Table, rowID string, cells []schema.Cell) {
	if l.whole != nil || l.lost {
		u.conflict(t.Name, rowID, "", l.whole)
		return
	}
	for i := range t.Columns {
		entry := l.cells[t.Columns[i].Num]
		if entry == nil || cells != nil && !hasCell(cells, t.Columns[i].Num) {
			continue
		}
		u.conflict(t.Name, rowID, t.Columns[i].Name, entry)
	}
}

func hasCell(cells []schema.Cell, num int) bool {
	for _, c := range cells {
		if c.Num == num {
			return true
		}
	}
	return false
}

// row is what became of a row of the commit.
func (u *undo) row(t *schema.Table, id string) *later { return u.rows[rowKey{t.Num, id}] }

// look finds what became of the row of an operation since, by the versions
// that entries tell of the rows they changed.
func (u *undo) look(ctx context.Context, b *builder, op *commitlog.Op) error {
	key := rowKey{op.Table, op.ID}
	if op.ID == "" || u.rows[key] != nil || b.state().Schema.TableByNum(op.Table) == nil {
		return nil
	}
	l := &later{cells: map[int]*commitlog.Entry{}}
	u.rows[key] = l
	row, found, err := b.draft.Row(ctx, op.Table, op.ID)
	if err != nil {
		return err
	}
	if !found {
		if last := lastOf(u.entry, key); last.Kind != commitlog.Delete {
			l.whole, err = u.remover(ctx, key, b.draft.State().Seq)
		}
		return err
	}
	for version := row.Version; version > u.entry.Seq; {
		entry, err := u.engine.replicas.Entry(ctx, u.ulid, version)
		if fault.Is(err, fault.NotFound) {
			l.lost = true
			return nil
		}
		if err != nil {
			return err
		}
		version = l.add(entry, key)
	}
	return nil
}

// add takes a later commit into account, and gives the version of the row
// before it; 0 when the row begins there.
func (l *later) add(entry *commitlog.Entry, key rowKey) int64 {
	if l.newest == nil {
		l.newest = entry
	}
	before, found := entry.Seq, false
	for i := range entry.Ops {
		op := &entry.Ops[i]
		if op.Table != key.table || op.ID != key.id {
			continue
		}
		found = true
		if op.Kind != commitlog.Update && l.whole == nil {
			l.whole = entry
		}
		if op.OldVersion < before && op.Kind != commitlog.Insert {
			before = op.OldVersion
		}
		for _, cell := range op.Set {
			if l.cells[cell.Num] == nil {
				l.cells[cell.Num] = entry
			}
		}
	}
	if (!found || before == entry.Seq) && l.whole == nil {
		l.whole = entry // a load, or an alteration that changed values, perhaps before an operation on the row
	}
	if !found || before == entry.Seq {
		return 0
	}
	return before
}

// lastOf is the last operation of an entry on a row.
func lastOf(e *commitlog.Entry, key rowKey) *commitlog.Op {
	for i := len(e.Ops) - 1; i >= 0; i-- {
		if e.Ops[i].Table == key.table && e.Ops[i].ID == key.id {
			return &e.Ops[i]
		}
	}
	return nil
}

// remover finds the commit that removed a row; nil when it is not found soon.
func (u *undo) remover(ctx context.Context, key rowKey, head int64) (removed *commitlog.Entry, err error) {
	err = u.since(ctx, head, func(entry *commitlog.Entry) bool {
		for i := range entry.Ops {
			op := &entry.Ops[i]
			if op.Kind == commitlog.Delete && op.Table == key.table && op.ID == key.id {
				removed = entry
			}
		}
		return removed == nil
	})
	return removed, err
}

// since calls fn for the commits after the one that is undone, up to head,
// until it returns false or too many were read.
func (u *undo) since(ctx context.Context, head int64, fn func(*commitlog.Entry) bool) error {
	after := u.entry.Seq
	for page := 0; after < head && page < maxLaterPages; page++ {
		entries, err := u.engine.replicas.Entries(ctx, u.ulid, after, int(min(head-after, MaxCommits)))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if !fn(entry) {
				return nil
			}
			after = entry.Seq
		}
	}
	return nil
}
