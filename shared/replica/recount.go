package replica

import (
	"context"
	"fmt"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

// recount computes sums, rows and bytes of a database from its rows; the
// small parts come from the state.
func recount(ctx context.Context, c *conn, s *State) (sums commitlog.Sums, rows, bytes int64, err error) {
	var h hasher
	var cells []schema.Cell
	sums = h.small(s)
	for i := range s.Schema.Tables {
		ts, err := c.table(&s.Schema.Tables[i])
		if err != nil {
			return sums, 0, 0, err
		}
		err = ts.each(ctx, func(_ int64, row *Row) error {
			sums.Content.Add(h.row(ts.def, ts.byNum, row))
			sums.State.Add(h.version(ts.def.Num, row.ID, row.Version))
			var n int64
			n, cells = rowBytes(ts.def, ts.byNum, row, cells)
			rows, bytes = rows+1, bytes+n
			return nil
		})
		if err != nil {
			return sums, 0, 0, fmt.Errorf("recount table %d: %w", ts.def.Num, err)
		}
	}
	err = recountCommits(ctx, c, func(user, id, digest string, seq int64, at schema.Millis) {
		sums.State.Add(h.commit(user, id, digest, seq, at))
	})
	return sums, rows, bytes, err
}

func recountCommits(ctx context.Context, c *conn, fn func(user, id, digest string, seq int64, at schema.Millis)) error {
	s, err := c.prepare("SELECT user,id,digest,seq,at FROM commits")
	if err != nil {
		return fmt.Errorf("recount commit ids: %w", err)
	}
	for {
		more, err := s.Step()
		if err != nil {
			return fmt.Errorf("recount commit ids: %w", err)
		}
		if !more {
			return s.Reset()
		}
		if err := ctx.Err(); err != nil {
			return firstError(err, s)
		}
		fn(s.ColumnText(0), s.ColumnText(1), s.ColumnText(2), s.ColumnInt64(3), schema.Millis(s.ColumnInt64(4)))
	}
}
