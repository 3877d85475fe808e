package replica

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/schema"
)

// rowFields are the fields of every row before its columns.
const rowFields = "id,ver,ca,ua,by,vs"

const (
	fieldCount = 6   // in rowFields
	maxLists   = 32  // cached list statements of a table and connection
	maxUpdates = 100 // cached update statements of a table and connection
)

// tableStmts are the statements of one table on one connection. They are
// made anew when the table's definition is another one.
type tableStmts struct {
	conn    *conn
	def     *schema.Table
	byNum   []int  // positions in def.Columns in order of column number
	texts   []int  // positions of embedded columns, in order of column number
	text    []byte // of a row, reused
	columns string // ",c1,c2…" in the order of def.Columns
	get     *sqlite.Stmt
	insert  *sqlite.Stmt
	delete  *sqlite.Stmt
	updates map[string]*sqlite.Stmt // by the numbers that are set
	lists   map[string]*listStmt    // by query
	scanner scanner
}

type listStmt struct {
	*sqlite.Stmt
	busy bool // a list within a list of the same shape takes its own statement
}

// table gives the statements of a table definition.
func (c *conn) table(def *schema.Table) (*tableStmts, error) {
	ts := c.tables[def.Num]
	if ts != nil && ts.def == def {
		return ts, nil
	}
	if ts != nil {
		if err := ts.finalize(); err != nil {
			return nil, err
		}
	}
	ts = &tableStmts{conn: c, def: def, byNum: columnOrder(def), texts: schema.EmbedColumns(def),
		updates: map[string]*sqlite.Stmt{}, lists: map[string]*listStmt{}}
	var b strings.Builder
	for i := range def.Columns {
		fmt.Fprintf(&b, ",c%d", def.Columns[i].Num)
	}
	ts.columns = b.String()
	c.tables[def.Num] = ts
	return ts, nil
}

// columnOrder gives the positions of a table's columns in order of number.
func columnOrder(def *schema.Table) []int {
	order := make([]int, len(def.Columns))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return def.Columns[a].Num - def.Columns[b].Num })
	return order
}

func (ts *tableStmts) finalize() error {
	stmts := []*sqlite.Stmt{ts.get, ts.insert, ts.delete}
	for _, s := range ts.updates {
		stmts = append(stmts, s)
	}
	for _, s := range ts.lists {
		if !s.busy {
			stmts = append(stmts, s.Stmt)
		}
	}
	delete(ts.conn.tables, ts.def.Num)
	for _, s := range stmts {
		if s == nil {
			continue
		}
		if err := s.Finalize(); err != nil {
			return fmt.Errorf("finalize statement: %w", err)
		}
	}
	return nil
}

func (ts *tableStmts) prepareGet() (*sqlite.Stmt, error) {
	if ts.get == nil {
		s, err := ts.conn.transient(fmt.Sprintf("SELECT %s%s,k FROM t%d WHERE id=?1", rowFields, ts.columns, ts.def.Num))
		if err != nil {
			return nil, err
		}
		ts.get = s
	}
	return ts.get, nil
}

func (ts *tableStmts) prepareInsert() (*sqlite.Stmt, error) {
	if ts.insert == nil {
		marks := strings.Repeat(",?", fieldCount+1+len(ts.def.Columns))[1:]
		s, err := ts.conn.transient(fmt.Sprintf("INSERT INTO t%d(%s,h%s) VALUES(%s)", ts.def.Num, rowFields, ts.columns, marks))
		if err != nil {
			return nil, err
		}
		ts.insert = s
	}
	return ts.insert, nil
}

func (ts *tableStmts) prepareDelete() (*sqlite.Stmt, error) {
	if ts.delete == nil {
		s, err := ts.conn.transient(fmt.Sprintf("DELETE FROM t%d WHERE k=?1", ts.def.Num))
		if err != nil {
			return nil, err
		}
		ts.delete = s
	}
	return ts.delete, nil
}

// prepareUpdate gives UPDATE … SET ver, ua, for a new text vs and h, and the
// columns of cells WHERE k.
func (ts *tableStmts) prepareUpdate(cells []schema.Cell, text bool) (*sqlite.Stmt, error) {
	var scratch [64]byte
	shape := strconv.AppendBool(scratch[:0], text)
	for i := range cells {
		shape = strconv.AppendInt(append(shape, ','), int64(cells[i].Num), 10)
	}
	if s := ts.updates[string(shape)]; s != nil {
		return s, nil
	}
	if len(ts.updates) >= maxUpdates {
		for k, s := range ts.updates {
			if err := s.Finalize(); err != nil {
				return nil, err
			}
			delete(ts.updates, k)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "UPDATE t%d SET ver=?,ua=?", ts.def.Num)
	if text {
		b.WriteString(",vs=?,h=?")
	}
	for i := range cells {
		fmt.Fprintf(&b, ",c%d=?", cells[i].Num)
	}
	b.WriteString(" WHERE k=?")
	s, err := ts.conn.transient(b.String())
	if err != nil {
		return nil, err
	}
	ts.updates[string(shape)] = s
	return s, nil
}

// list gives the statement of a list query; done gives it back.
func (ts *tableStmts) list(query string) (s *sqlite.Stmt, done func() error, err error) {
	if l := ts.lists[query]; l != nil && !l.busy {
		l.busy = true
		return l.Stmt, func() error { l.busy = false; return l.Reset() }, nil
	}
	s, err = ts.conn.transient(query)
	if err != nil {
		return nil, nil, err
	}
	if ts.lists[query] != nil || len(ts.lists) >= maxLists && !ts.dropIdleList() {
		return s, s.Finalize, nil
	}
	l := &listStmt{Stmt: s, busy: true}
	ts.lists[query] = l
	return s, func() error { l.busy = false; return l.Reset() }, nil
}

// dropIdleList makes room for another list statement.
func (ts *tableStmts) dropIdleList() bool {
	for q, l := range ts.lists {
		if !l.busy {
			delete(ts.lists, q)
			return l.Finalize() == nil
		}
	}
	return false
}

// transient prepares a statement that its caller finalizes.
func (c *conn) transient(query string) (*sqlite.Stmt, error) {
	s, _, err := c.db.PrepareTransient(query)
	return s, err
}

// row reads a row and its integer key.
func (ts *tableStmts) row(id string) (row Row, key int64, found bool, err error) {
	s, err := ts.prepareGet()
	if err != nil {
		return Row{}, 0, false, err
	}
	s.BindText(1, id)
	found, err = s.Step()
	if err != nil || !found {
		return Row{}, 0, false, firstError(err, s)
	}
	ts.scan(s, &row)
	key = s.ColumnInt64(fieldCount + len(ts.def.Columns))
	return row, key, true, s.Reset()
}

// firstError is err, or that of resetting s, which a failed Step has done.
func firstError(err error, s *sqlite.Stmt) error {
	if err != nil {
		return err
	}
	return s.Reset()
}

// createTable is the definition of a table in SQLite. The integer key is its
// own, so that the full-text index and vectors can refer to it for good.
// Uniqueness holds at the end of a commit, not of each statement, so unique
// columns have a plain index.
func createTable(def *schema.Table) []string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE t%d(k INTEGER PRIMARY KEY,id TEXT NOT NULL UNIQUE,ver INTEGER NOT NULL,"+
		"ca INTEGER NOT NULL,ua INTEGER NOT NULL,by TEXT NOT NULL,vs INTEGER,h BLOB", def.Num)
	for i := range def.Columns {
		fmt.Fprintf(&b, ",c%d %s", def.Columns[i].Num, storage(def.Columns[i].Type))
	}
	b.WriteString(")STRICT")
	out := append([]string{b.String(), createTextIndex(def.Num)}, createWords(def)...)
	for i := range def.Columns {
		if def.Columns[i].Unique {
			out = append(out, createIndex(def.Num, def.Columns[i].Num))
		}
	}
	return out
}

func createIndex(table, column int) string {
	return fmt.Sprintf("CREATE INDEX t%d_c%d ON t%d(c%d)", table, column, table, column)
}

func dropIndex(table, column int) string { return fmt.Sprintf("DROP INDEX t%d_c%d", table, column) }
