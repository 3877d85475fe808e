package replica

import (
	"context"
	"errors"
	"fmt"
)

// Each calls fn for every row of a table, in no order that means anything,
// until it returns an error. The Row is fn's until it returns.
func (d *Draft) Each(ctx context.Context, table int, fn func(*Row) error) error {
	if err := d.usable(ctx); err != nil {
		return err
	}
	def := d.Working().Schema.TableByNum(table)
	if def == nil {
		return fmt.Errorf("replica: there is no table number %d", table)
	}
	ts, err := d.conn.table(def)
	if err != nil {
		return err
	}
	return ts.each(ctx, func(_ int64, row *Row) error { return fn(row) })
}

// Count is how many rows a table has.
func (d *Draft) Count(ctx context.Context, table int) (n int64, err error) {
	if err := d.usable(ctx); err != nil {
		return 0, err
	}
	s, err := d.conn.transient(fmt.Sprintf("SELECT count(*) FROM t%d", table))
	if err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}
	if _, err = s.Step(); err == nil {
		n = s.ColumnInt64(0)
	}
	if err = errors.Join(err, s.Finalize()); err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}
	return n, nil
}
