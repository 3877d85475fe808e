package replica

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

// changesTable keeps what changed the names of tables and columns, so that
// commits of any time are named without reading the log since. total counts
// the bytes of all changes up to a row, those that were forgotten included. It
// is made from the log alone, like the rest, but is no part of the sums.
const changesTable = `CREATE TABLE changes(seq INTEGER NOT NULL,n INTEGER NOT NULL,op BLOB NOT NULL,total INTEGER NOT NULL,` +
	`PRIMARY KEY(seq,n))STRICT`

// changesKept bounds the changes kept, in bytes. What is older is forgotten:
// commits from before it cannot be named any more.
const changesKept = 4 << 20

// keepChange notes the operation being applied when it changes names.
func (d *Draft) keepChange(op *commitlog.Op) error {
	slim, ok := renaming(op)
	if !ok {
		return nil
	}
	e := commitlog.Entry{Format: commitlog.Format, Seq: d.work.Seq, Ops: []commitlog.Op{slim}}
	data := commitlog.AppendEntry(nil, &e)
	total := int64(len(data))
	_, err := d.conn.one("SELECT total FROM changes ORDER BY seq DESC,n DESC LIMIT 1", func(s *sqlite.Stmt) { total += s.ColumnInt64(0) })
	if err != nil {
		return fmt.Errorf("find newest change of names: %w", err)
	}
	if err := d.conn.exec("INSERT INTO changes(seq,n,op,total) VALUES(?,?,?,?)", d.work.Seq, int64(d.ops), data, total); err != nil {
		return fmt.Errorf("keep change of names: %w", err)
	}
	return d.forgetChanges(total - changesKept)
}

// forgetChanges removes the oldest changes, those that begin before a total.
func (d *Draft) forgetChanges(upTo int64) error {
	const oldest = "DELETE FROM changes WHERE (seq,n)=(SELECT seq,n FROM changes ORDER BY seq,n LIMIT 1) AND total-length(op)<?1 RETURNING seq"
	for removed := true; removed; {
		var err error
		if removed, err = d.conn.one(oldest, func(*sqlite.Stmt) {}, upTo); err != nil {
			return fmt.Errorf("forget changes of names: %w", err)
		}
	}
	return nil
}

// renaming is what of an operation it takes to find the names before it;
// false when it leaves them as they are.
func renaming(op *commitlog.Op) (commitlog.Op, bool) {
	switch op.Kind {
	case commitlog.CreateTable:
		def := schema.Table{Num: op.Def.Num, Name: op.Def.Name}
		return commitlog.Op{Kind: op.Kind, Def: &def}, true
	case commitlog.DropTable:
		def := schema.Table{Num: op.Table, Name: op.Def.Name, Access: op.Def.Access, Columns: named(op.Def.Columns), NextColumn: op.Def.NextColumn}
		return commitlog.Op{Kind: op.Kind, Table: op.Table, Name: op.Name, Def: &def}, true
	case commitlog.AlterTable:
		a := op.Alter
		slim := schema.Alteration{Table: a.Table, Was: a.Was, Name: a.Name, Add: named(a.Add), Drop: a.Drop, Rename: a.Rename}
		return commitlog.Op{Kind: op.Kind, Alter: &slim}, a.Name != "" || len(a.Add)+len(a.Drop)+len(a.Rename) > 0
	case commitlog.LoadBlob:
		slim := commitlog.Bulk{Made: op.Load.Made, Was: op.Load.Was}
		return commitlog.Op{Kind: op.Kind, Load: &slim}, len(slim.Made)+len(slim.Was) > 0
	default:
		return commitlog.Op{}, false
	}
}

// named leaves of columns only number and name.
func named(columns []schema.Column) []schema.Column {
	bare := make([]schema.Column, len(columns))
	for i := range columns {
		bare[i] = schema.Column{Num: columns[i].Num, Name: columns[i].Name, Type: schema.Text}
	}
	return bare
}

// Changes calls fn with the operations after a seq that changed names of
// tables and columns, newest first. Of definitions only numbers, names and
// access are there. It returns false when some of them are forgotten.
func (v *View) Changes(ctx context.Context, after int64, fn func(*commitlog.Op)) (bool, error) {
	known, err := v.changesSince(after)
	if err != nil || !known {
		return false, err
	}
	s, err := v.conn.prepare("SELECT op FROM changes WHERE seq>?1 ORDER BY seq DESC,n DESC")
	if err != nil {
		return false, fmt.Errorf("read changes of names: %w", err)
	}
	s.BindInt64(1, after)
	for {
		more, err := s.Step()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return false, fmt.Errorf("read changes of names: %w", firstError(err, s))
		}
		if !more {
			return true, s.Reset()
		}
		e, err := commitlog.DecodeEntry(columnBlob(s, 0))
		if err != nil {
			return false, fmt.Errorf("read changes of names: %w", firstError(err, s))
		}
		fn(&e.Ops[0])
	}
}

// changesSince tells whether all changes after a seq are kept: the first of
// all is, or one at seq or before it.
func (v *View) changesSince(seq int64) (bool, error) {
	known := true
	_, err := v.conn.one("SELECT seq<=?1 OR total=length(op) FROM changes ORDER BY seq,n LIMIT 1", func(s *sqlite.Stmt) { known = s.ColumnBool(0) }, seq)
	if err != nil {
		return false, fmt.Errorf("find oldest change of names: %w", err)
	}
	return known, nil
}

func columnBlob(s *sqlite.Stmt, i int) []byte {
	data := make([]byte, s.ColumnLen(i))
	s.ColumnBytes(i, data)
	return data
}
