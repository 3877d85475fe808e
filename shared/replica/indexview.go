package replica

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/vector"
)

// Coverage counts the rows with a text by what became of it. It reads no row.
func (v *View) Coverage(ctx context.Context) (Coverage, error) {
	var all Coverage
	if err := ctx.Err(); err != nil {
		return all, err
	}
	for i := range v.state.Schema.Tables {
		def := &v.state.Schema.Tables[i]
		if !def.Embeds() {
			continue
		}
		n := v.state.coverage.of(def.Num).counts
		c := Counts{Rows: n[Pending] + n[Indexed] + n[Failed], Indexed: n[Indexed], Pending: n[Pending], Failed: n[Failed]}
		all.Tables = append(all.Tables, TableCoverage{def.Num, c})
		all.Rows, all.Indexed, all.Pending, all.Failed = all.Rows+c.Rows, all.Indexed+c.Indexed, all.Pending+c.Pending, all.Failed+c.Failed
	}
	return all, nil
}

// CoverageOf is Coverage, of some tables of the rows of one creator alone.
// Those it reads.
func (v *View) CoverageOf(ctx context.Context, creator map[int]string) (Coverage, error) {
	all, err := v.Coverage(ctx)
	if err != nil || len(creator) == 0 {
		return all, err
	}
	all.Counts = Counts{}
	for i := range all.Tables {
		c := &all.Tables[i]
		if by, own := creator[c.Table]; own && c.Rows > 0 {
			if c.Counts, err = v.countBy(ctx, c.Table, by); err != nil {
				return Coverage{}, err
			}
		}
		all.Rows, all.Indexed, all.Pending, all.Failed = all.Rows+c.Rows, all.Indexed+c.Indexed, all.Pending+c.Pending, all.Failed+c.Failed
	}
	return all, nil
}

// countBy counts the rows of a creator.
func (v *View) countBy(ctx context.Context, table int, by string) (c Counts, err error) {
	query := fmt.Sprintf("SELECT count(*),count(*)FILTER(WHERE vs=2),count(*)FILTER(WHERE vs=1),count(*)FILTER(WHERE vs=3) FROM t%d WHERE vs IS NOT NULL AND by=?1", table)
	err = v.query(ctx, v.state.Schema.TableByNum(table), query, []any{by}, func(s *sqlite.Stmt) {
		c = Counts{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2), s.ColumnInt64(3)}
	})
	return c, err
}

// Unindexed gives up to limit rows whose text has no vector, in order of table
// number and id, after the row afterID of afterTable; those that failed only
// with failedToo. Fewer than limit are the last.
func (v *View) Unindexed(ctx context.Context, afterTable int, afterID string, limit int, failedToo bool) ([]PendingRow, error) {
	var out []PendingRow
	for i := range v.state.Schema.Tables {
		def := &v.state.Schema.Tables[i]
		n := v.state.coverage.of(def.Num).counts
		if !def.Embeds() || def.Num < afterTable || n[Pending] == 0 && (!failedToo || n[Failed] == 0) {
			continue
		}
		after := ""
		if def.Num == afterTable {
			after = afterID
		}
		states := "1,1"
		if failedToo {
			states = "1,3"
		}
		if err := v.unindexed(ctx, def, after, states, limit, &out); err != nil || len(out) == limit {
			return out, err
		}
	}
	return out, ctx.Err()
}

func (v *View) unindexed(ctx context.Context, def *schema.Table, after, states string, limit int, out *[]PendingRow) error {
	ts, err := v.conn.table(def)
	if err != nil {
		return err
	}
	query := fmt.Sprintf("SELECT %s%s FROM t%d WHERE id>?1 AND vs IN (%s) ORDER BY id LIMIT ?2", rowFields, ts.columns, def.Num, states)
	var row Row
	return v.query(ctx, def, query, []any{after, limit - len(*out)}, func(s *sqlite.Stmt) {
		ts.scan(s, &row)
		h, _ := ts.hash(&row)
		*out = append(*out, PendingRow{Table: def.Num, ID: row.ID, Hash: h, Text: string(ts.text), Since: row.UpdatedAt})
	})
}

// Unused gives up to limit texts that the index log knows and no row has,
// after a text in order of hash (nil: from the first). Their vectors take
// place until an entry of the index log clears them.
func (v *View) Unused(ctx context.Context, after *indexlog.Hash, limit int) (texts []indexlog.Hash, err error) {
	from := []byte{}
	if after != nil {
		from = after[:]
	}
	s, err := v.conn.transient("SELECT hash FROM vectors WHERE hash>?1 AND NOT " + v.inUse() + " ORDER BY hash LIMIT ?2")
	if err != nil {
		return nil, fmt.Errorf("find unused vectors: %w", err)
	}
	defer func() { _ = s.Finalize() }() // its error is that of Step
	s.BindBytes(1, from)
	s.BindInt64(2, int64(limit))
	for {
		more, err := s.Step()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("find unused vectors: %w", err)
		}
		if !more {
			return texts, nil
		}
		var h indexlog.Hash
		s.ColumnBytes(0, h[:])
		texts = append(texts, h)
	}
}

// RowText gives a row with its text and the hash of it; the text is empty when
// it has none. ok is false when there is no such row.
func (v *View) RowText(ctx context.Context, table int, id string) (text string, h indexlog.Hash, row Row, ok bool, err error) {
	def := v.state.Schema.TableByNum(table)
	if def == nil {
		return "", h, Row{}, false, ctx.Err()
	}
	row, ok, err = v.Row(ctx, table, id)
	if err != nil || !ok {
		return "", h, Row{}, false, err
	}
	ts, err := v.conn.table(def)
	if err != nil {
		return "", h, Row{}, false, err
	}
	if h, ok = ts.hash(&row); ok {
		text = string(ts.text)
	}
	return text, h, row, true, nil
}

// Vector gives the vector of a text, by the room's model; false when there is
// none.
func (v *View) Vector(ctx context.Context, h indexlog.Hash) (value vector.Int8, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return vector.Int8{}, false, err
	}
	var encoded []byte
	ok, err = v.conn.one("SELECT v FROM vectors WHERE hash=?1 AND state=2", func(s *sqlite.Stmt) { encoded = columnBlob(s, 0) }, h[:])
	if err != nil || !ok {
		return vector.Int8{}, false, err
	}
	value, err = vector.Decode(encoded)
	return value, err == nil, err
}

// TextState is what the index log says of a text: Pending, Indexed or Failed.
func (v *View) TextState(ctx context.Context, h indexlog.Hash) (VectorState, error) {
	if err := ctx.Err(); err != nil {
		return NoText, err
	}
	return v.conn.textState(h)
}

// RowsOf gives the rows that have a text at the view's seq.
func (v *View) RowsOf(ctx context.Context, h indexlog.Hash) (refs []indexlog.RowRef, err error) {
	for _, c := range v.state.coverage {
		def := v.state.Schema.TableByNum(c.table)
		if def == nil {
			continue
		}
		err := v.query(ctx, def, fmt.Sprintf("SELECT id FROM t%d WHERE h=?1 ORDER BY id", c.table), []any{h[:]}, func(s *sqlite.Stmt) {
			refs = append(refs, indexlog.RowRef{Table: c.table, ID: s.ColumnText(0)})
		})
		if err != nil {
			return nil, err
		}
	}
	return refs, nil
}
