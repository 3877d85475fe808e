package replica

import (
	"fmt"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/schema"
)

// addRow inserts a row whose fields are all set, and counts it.
func (d *Draft) addRow(ts *tableStmts, row *Row) error {
	s, err := ts.prepareInsert()
	if err != nil {
		return fmt.Errorf("insert row: %w", err)
	}
	if err := ts.bindRow(s, row); err != nil {
		return fmt.Errorf("insert row: %w", err)
	}
	if err := run(s); err != nil {
		if sqlite.ErrCode(err) == sqlite.ResultConstraintUnique {
			return comesTwice(ts.def, row.ID)
		}
		return fmt.Errorf("insert row: %w", err)
	}
	d.count(ts, row, 1)
	return nil
}

// changeRow gives a row other cells, a version and a time.
func (d *Draft) changeRow(ts *tableStmts, key int64, old, row *Row, cells []schema.Cell) error {
	d.count(ts, old, -1)
	row.Vector = old.Vector // but for a new text
	if err := ts.writeCells(key, row, cells, false); err != nil {
		return err
	}
	d.count(ts, row, 1)
	return nil
}

// removeRow deletes a row, and counts it out.
func (d *Draft) removeRow(ts *tableStmts, key int64, row *Row) error {
	s, err := ts.prepareDelete()
	if err != nil {
		return fmt.Errorf("delete row: %w", err)
	}
	s.BindInt64(1, key)
	if err := run(s); err != nil {
		return fmt.Errorf("delete row: %w", err)
	}
	d.count(ts, row, -1)
	return nil
}
