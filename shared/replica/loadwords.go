package replica

import (
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/schema"
)

// bulkWords keeps the full-text index of a table right through a load by a few
// statements at its end. By its triggers each row would be one statement of
// several writes, before each of which the index is written out; that costs
// some fifty times the row.
type bulkWords struct {
	def   *schema.Table
	conn  *conn
	texts []int        // places of the embedded columns
	gone  *sqlite.Stmt // old text of rows, by key
	come  *sqlite.Stmt // keys of rows with new text
}

// openWords takes the triggers of a table away; nil when nothing is embedded.
func openWords(c *conn, def *schema.Table) (w *bulkWords, err error) {
	if !def.Embeds() {
		return nil, nil
	}
	columns := wordColumns(def, "")
	for _, q := range []string{
		fmt.Sprintf("DROP TRIGGER f%d_i", def.Num), fmt.Sprintf("DROP TRIGGER f%d_d", def.Num), fmt.Sprintf("DROP TRIGGER f%d_u", def.Num),
		fmt.Sprintf("CREATE TABLE x%d(k INTEGER PRIMARY KEY)", def.Num), fmt.Sprintf("CREATE TABLE y%d(k INTEGER PRIMARY KEY,%s)", def.Num, columns),
	} {
		if err := c.script(q); err != nil {
			return nil, fmt.Errorf("set full-text index aside: %w", err)
		}
	}
	w = &bulkWords{def: def, conn: c, texts: schema.EmbedColumns(def)}
	w.come, err = c.transient(fmt.Sprintf("INSERT OR IGNORE INTO x%d(k) VALUES(?1)", def.Num))
	if err == nil {
		w.gone, err = c.transient(fmt.Sprintf("INSERT OR IGNORE INTO y%d(k,%s) VALUES(?%s)", def.Num, columns, strings.Repeat(",?", len(w.texts))))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set full-text index aside: %w", err), w.release())
	}
	return w, nil
}

// before notes the text of a row that is to be changed or removed.
func (w *bulkWords) before(key int64, row *Row) error {
	if w == nil {
		return nil
	}
	w.gone.BindInt64(1, key)
	for i, at := range w.texts {
		bind(w.gone, i+2, row.Values[at])
	}
	return run(w.gone)
}

// after notes a row that has new text.
func (w *bulkWords) after(key int64) error {
	if w == nil {
		return nil
	}
	w.come.BindInt64(1, key)
	return run(w.come)
}

func (w *bulkWords) release() error {
	if w == nil {
		return nil
	}
	var err error
	for _, s := range []*sqlite.Stmt{w.come, w.gone} {
		if s != nil {
			err = errors.Join(err, s.Finalize())
		}
	}
	w.come, w.gone = nil, nil
	return err
}

// close brings the index up to date, all of it for a table that had no rows,
// and puts the triggers back.
func (w *bulkWords) close(fresh bool) error {
	if w == nil {
		return nil
	}
	if err := w.release(); err != nil {
		return err
	}
	num, columns := w.def.Num, wordColumns(w.def, "")
	queries := []string{
		fmt.Sprintf("INSERT INTO f%d(f%d,rowid,%s) SELECT 'delete',k,%s FROM y%d ORDER BY k", num, num, columns, columns, num),
		fmt.Sprintf("INSERT INTO f%d(rowid,%s) SELECT k,%s FROM t%d WHERE k IN (SELECT k FROM x%d) ORDER BY k", num, columns, columns, num, num),
	}
	if fresh {
		queries = fillWords(w.def)
	}
	queries = append(queries, fmt.Sprintf("DROP TABLE x%d", num), fmt.Sprintf("DROP TABLE y%d", num))
	for _, q := range append(queries, createWords(w.def)[1:]...) {
		if err := w.conn.script(q); err != nil {
			return fmt.Errorf("bring full-text index up to date: %w", err)
		}
	}
	return nil
}
