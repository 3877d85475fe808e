package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// Apply applies one resolved operation of the started entry. It checks only
// what would corrupt the replica (unknown numbers, a row that is or is not
// there); what users may do is checked before. For Update, Delete it fills
// Old, OldVersion, OldUpdated, OldCreated and Creator when filling is asked
// for by a nil Old (a writer); when following the log it does not.
func (d *Draft) Apply(ctx context.Context, op *commitlog.Op) error {
	if err := d.usable(ctx); err != nil {
		return err
	}
	if d.work == nil {
		return errors.New("replica: apply without a started entry")
	}
	err := d.apply(ctx, op)
	if err != nil {
		return err
	}
	d.ops++
	return nil
}

func (d *Draft) apply(ctx context.Context, op *commitlog.Op) error {
	switch op.Kind {
	case commitlog.Insert:
		return d.insert(op)
	case commitlog.Update:
		return d.update(op)
	case commitlog.Delete:
		return d.delete(op)
	case commitlog.CreateTable:
		return d.createTable(op)
	case commitlog.AlterTable:
		return d.alterTable(ctx, op)
	case commitlog.DropTable:
		return d.dropTable(ctx, op)
	case commitlog.SetMember:
		d.setMember(op)
	case commitlog.SetInvite:
		d.setInvite(op)
	case commitlog.SetRoom:
		d.setRoom(op)
	case commitlog.LoadBlob:
		return d.load(ctx, op)
	default:
		return fault.New(fault.Unavailable, "operation %q is of a newer version of the program", op.Kind)
	}
	return nil
}

// statements gives the statements of an operation's table.
func (d *Draft) statements(num int) (*tableStmts, error) {
	def := d.work.Schema.TableByNum(num)
	if def == nil {
		return nil, fmt.Errorf("replica: entry %d refers to table %d, which is not there", d.entry.Seq, num)
	}
	return d.conn.table(def)
}

func (d *Draft) insert(op *commitlog.Op) error {
	ts, err := d.statements(op.Table)
	if err != nil {
		return err
	}
	row := Row{ID: op.ID, Version: d.entry.Seq, CreatedAt: cmp.Or(op.CreatedAt, d.entry.At), UpdatedAt: cmp.Or(op.UpdatedAt, d.entry.At),
		CreatedBy: op.Creator, Values: make([]schema.Value, len(ts.def.Columns))}
	if err := ts.set(row.Values, op); err != nil {
		return err
	}
	s, err := ts.prepareInsert()
	if err != nil {
		return fmt.Errorf("insert row: %w", err)
	}
	if err := ts.bindRow(s, &row); err != nil {
		return fmt.Errorf("insert row: %w", err)
	}
	if err := run(s); err != nil {
		if sqlite.ErrCode(err) == sqlite.ResultConstraintUnique {
			return fault.At(fault.Conflict, d.opPath("id"), "there is a row %q in table %s already", op.ID, ts.def.Name)
		}
		return fmt.Errorf("insert row: %w", err)
	}
	d.touch(ts.def, op.Set, "row")
	d.count(ts, &row, 1)
	return nil
}

// bindRow binds a row and what is derived from its text.
func (ts *tableStmts) bindRow(s *sqlite.Stmt, row *Row) error {
	if err := ts.bindText(s, fieldCount, row); err != nil {
		return err
	}
	s.BindText(1, row.ID)
	s.BindInt64(2, row.Version)
	s.BindInt64(3, int64(row.CreatedAt))
	s.BindInt64(4, int64(row.UpdatedAt))
	s.BindText(5, row.CreatedBy)
	for i, v := range row.Values {
		bind(s, fieldCount+2+i, v)
	}
	return nil
}

// set puts an operation's cells into a row's values.
func (ts *tableStmts) set(values []schema.Value, op *commitlog.Op) error {
	cells := op.Set
	for i := range cells {
		at := ts.position(cells[i].Num)
		if at < 0 {
			return fmt.Errorf("replica: table %d has no column %d", ts.def.Num, cells[i].Num)
		}
		if i > 0 && cells[i].Num <= cells[i-1].Num {
			return fmt.Errorf("replica: cells of row %s are not in order of column number", op.ID)
		}
		values[at] = cells[i].Value
	}
	return nil
}

func (ts *tableStmts) position(column int) int {
	for i := range ts.def.Columns {
		if ts.def.Columns[i].Num == column {
			return i
		}
	}
	return -1
}

// existing reads the row that an operation is about.
func (d *Draft) existing(op *commitlog.Op) (*tableStmts, Row, int64, error) {
	ts, err := d.statements(op.Table)
	if err != nil {
		return nil, Row{}, 0, err
	}
	row, key, found, err := ts.row(op.ID)
	if err != nil {
		return nil, Row{}, 0, fmt.Errorf("read row: %w", err)
	}
	if !found {
		return nil, Row{}, 0, fault.At(fault.NotFound, d.opPath("id"), "there is no row %q in table %s", op.ID, ts.def.Name)
	}
	return ts, row, key, nil
}

func (d *Draft) update(op *commitlog.Op) error {
	ts, row, key, err := d.existing(op)
	if err != nil {
		return err
	}
	if !d.following {
		ts.fillOld(op, &row, false)
	}
	d.count(ts, &row, -1)
	if err := ts.set(row.Values, op); err != nil {
		return err
	}
	row.Version, row.UpdatedAt = d.entry.Seq, d.entry.At
	if err := ts.writeCells(key, &row, op.Set, false); err != nil {
		return err
	}
	d.touch(ts.def, op.Set, "set")
	d.count(ts, &row, 1)
	return nil
}

// writeCells updates a row's version, time and the given cells, and what is
// derived from its text when that may be another one.
func (ts *tableStmts) writeCells(key int64, row *Row, cells []schema.Cell, retext bool) error {
	retext = retext || ts.embeds(cells)
	s, err := ts.prepareUpdate(cells, retext)
	if err != nil {
		return fmt.Errorf("update row: %w", err)
	}
	s.BindInt64(1, row.Version)
	s.BindInt64(2, int64(row.UpdatedAt))
	next := 3
	if retext {
		if err := ts.bindText(s, next, row); err != nil {
			return fmt.Errorf("update row: %w", err)
		}
		next += 2
	}
	for i := range cells {
		bind(s, next+i, cells[i].Value)
	}
	s.BindInt64(next+len(cells), key)
	if err := run(s); err != nil {
		return fmt.Errorf("update row: %w", err)
	}
	return nil
}

func (d *Draft) delete(op *commitlog.Op) error {
	ts, row, key, err := d.existing(op)
	if err != nil {
		return err
	}
	if !d.following {
		ts.fillOld(op, &row, true)
	}
	s, err := ts.prepareDelete()
	if err != nil {
		return fmt.Errorf("delete row: %w", err)
	}
	s.BindInt64(1, key)
	if err := run(s); err != nil {
		return fmt.Errorf("delete row: %w", err)
	}
	d.count(ts, &row, -1)
	return nil
}

// fillOld tells in an operation what was there before: of an update the cells
// that it sets, of a delete every cell that is not null.
func (ts *tableStmts) fillOld(op *commitlog.Op, row *Row, whole bool) {
	op.Creator = row.CreatedBy
	op.OldVersion, op.OldUpdated = row.Version, row.UpdatedAt
	if whole {
		op.OldCreated = row.CreatedAt
	}
	if op.Old != nil {
		return
	}
	if !whole {
		op.Old = make([]schema.Cell, 0, len(op.Set))
		for i := range op.Set {
			if at := ts.position(op.Set[i].Num); at >= 0 {
				op.Old = append(op.Old, schema.Cell{Num: op.Set[i].Num, Value: row.Values[at]})
			}
		}
		return
	}
	op.Old = make([]schema.Cell, 0, len(row.Values))
	for _, i := range ts.byNum {
		if row.Values[i] != nil {
			op.Old = append(op.Old, schema.Cell{Num: ts.def.Columns[i].Num, Value: row.Values[i]})
		}
	}
}

// count adds (sign 1) or takes away (-1) a row's part of sums, rows and bytes.
func (d *Draft) count(ts *tableStmts, row *Row, sign int64) {
	w := d.work
	content := d.hash.row(ts.def, ts.byNum, row)
	version := d.hash.version(ts.def.Num, row.ID, row.Version)
	var n int64
	n, d.cells = rowBytes(ts.def, ts.byNum, row, d.cells)
	w.Rows += sign
	w.Bytes += sign * n
	w.coverage = w.coverage.with(ts.def.Num, row.Vector, sign)
	if sign > 0 {
		w.Sums.Content.Add(content)
		w.Sums.State.Add(version)
		return
	}
	w.Sums.Content.Sub(content)
	w.Sums.State.Sub(version)
}

func (d *Draft) setMember(op *commitlog.Op) {
	w := d.work
	members := maps.Clone(w.Members)
	if old, ok := members[op.User]; ok {
		w.Sums.State.Sub(d.hash.member(old))
		delete(members, op.User)
	}
	if op.Role != "" {
		m := access.Member{User: op.User, Role: access.Role(op.Role), Name: op.Name, Email: op.Email}
		members[op.User] = m
		w.Sums.State.Add(d.hash.member(m))
	}
	w.Members = members
	w.memberEdits++
}

func (d *Draft) setInvite(op *commitlog.Op) {
	w := d.work
	invitations := maps.Clone(w.Invitations)
	if old, ok := invitations[op.Email]; ok {
		w.Sums.State.Sub(d.hash.invite(op.Email, old))
		delete(invitations, op.Email)
	}
	if op.Role != "" {
		invitations[op.Email] = access.Role(op.Role)
		w.Sums.State.Add(d.hash.invite(op.Email, access.Role(op.Role)))
	}
	w.Invitations = invitations
	w.memberEdits++
}

func (d *Draft) setRoom(op *commitlog.Op) {
	w := d.work
	w.Sums.State.Sub(d.hash.room(w))
	w.Name = op.Name
	if op.ID != "" {
		w.ID = op.ID
	}
	w.Sums.State.Add(d.hash.room(w))
}

// opPath is the path of a field of the operation being applied.
func (d *Draft) opPath(field string) string { return fmt.Sprintf("ops[%d].%s", d.ops, field) }
