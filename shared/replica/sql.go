package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// Limits of a statement. SQLite's own, at
// https://sqlite.org/c3ref/c_limit_attached.html, are set so that nothing
// takes long between two of its checks for an interrupt.
const (
	maxSQLRows   = 10_000
	maxSQLBytes  = 4 << 20
	maxSQLTime   = 5 * time.Second
	maxSQLMemory = 128 << 20 // beyond what the process had
	maxSQLLength = 64 << 10  // of the statement
	maxSQLParams = 100
	maxSQLValue  = 1 << 20 // of a text on the way
	maxStatement = 2       // at the same time in a process
)

// SQLQuery is one statement of a user.
type SQLQuery struct {
	SQL      string
	Params   []json.RawMessage                          // null, numbers, texts and booleans, by place
	Admit    func(*State) error                         // decides about the state that is read; nil: nobody is refused
	Own      func(table *schema.Table) (creator string) // whose rows of a table there are; empty: all. nil: all of all
	MaxRows  int                                        // 0: 10,000
	MaxBytes int                                        // of the answer's rows; 0: 4 MB
}

// SQLResult is its answer.
type SQLResult struct {
	Columns   []string
	Rows      [][]json.RawMessage
	Seq       int64 // that was read: the view's or a later one
	Truncated bool  // there were more rows than MaxRows or MaxBytes allow
}

// SQL runs one statement that reads. It sees each table by its name, with the
// columns by theirs and id, _version, _createdAt, _updatedAt, _createdBy;
// times are texts as on the wire, booleans 0 and 1, json is its text. In the
// answer, numbers outside ±(2^53−1) are texts, and blobs hexadecimal.
//
// What it may do is decided by an authorizer that SQLite asks while it
// compiles the statement, see guard. Errors: forbidden for what is not allowed;
// invalid for what is no statement, with what SQLite says; too_large for what
// takes more than 5 s or 128 MB, or makes a value above 1 MB.
func (v *View) SQL(ctx context.Context, q SQLQuery) (out SQLResult, err error) {
	if err := checkStatement(&q); err != nil {
		return out, err
	}
	statements := v.of.cache.statements
	if err := statements.acquire(ctx); err != nil {
		return out, err
	}
	defer statements.release()
	c, err := v.openSQL(&q)
	if err != nil {
		return out, fmt.Errorf("prepare for a statement: %w", err)
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if q.Admit != nil {
		if err := q.Admit(c.state); err != nil {
			return out, err
		}
	}
	if err := c.fence(&q); err != nil {
		return out, fmt.Errorf("prepare for a statement: %w", err)
	}
	within, stop := bound(ctx, c.conn, v.of.cache.sqlTime)
	defer stop()
	out, err = c.run(&q)
	if err != nil {
		return SQLResult{}, c.guard.explain(within, err)
	}
	out.Seq = c.state.Seq
	return out, nil
}

// sqlConn is a connection for one statement of a user. Its main database is
// an empty one in memory; the replica's is attached under a name that nobody
// can guess, see guard.
type sqlConn struct {
	*conn
	db    *database
	state *State
	guard *guard
}

// openSQL opens a connection with a snapshot of the newest published state,
// in which tables that are `own` in the view are so too.
func (v *View) openSQL(q *SQLQuery) (_ *sqlConn, err error) {
	r := v.of
	r.gate.RLock()
	db := r.db.Load()
	if db == nil {
		r.gate.RUnlock()
		return nil, errClosed
	}
	db.retain()
	r.gate.RUnlock()
	plain, err := openConn(":memory:", sqlite.OpenReadWrite|sqlite.OpenCreate, "PRAGMA temp_store=MEMORY")
	if err != nil {
		return nil, errors.Join(err, db.release())
	}
	c := &sqlConn{conn: plain, db: db, guard: newGuard(q.SQL)}
	if err := replaceFunctions(c.conn.db); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if err := c.attach(r); err != nil {
		return nil, errors.Join(err, c.close())
	}
	if c.state.Seq == v.state.Seq {
		c.state = v.state
	}
	for i := range v.state.Schema.Tables {
		if t := &v.state.Schema.Tables[i]; t.Access == schema.Own {
			c.guard.own[t.Num] = true
		}
	}
	return c, nil
}

// attach fixes a snapshot of the replica's database and its state.
func (c *sqlConn) attach(r *Replica) error {
	if err := c.exec("ATTACH ?1 AS ?2", c.db.path, c.guard.file); err != nil {
		return err
	}
	for _, p := range []string{"cache_size=-8192", "mmap_size=1073741824"} {
		if err := c.script("PRAGMA " + c.guard.file + "." + p); err != nil {
			return err
		}
	}
	r.gate.RLock()
	defer r.gate.RUnlock()
	if r.db.Load() != c.db {
		return fault.New(fault.Unavailable, "the room was loaded anew meanwhile; try again")
	}
	c.state = r.State()
	if err := c.script("BEGIN"); err != nil {
		return err
	}
	_, err := c.one("SELECT seq FROM "+c.guard.file+".head", func(*sqlite.Stmt) {})
	return err
}

// close also ends the use of the database's files.
func (c *sqlConn) close() error {
	return errors.Join(c.conn.db.SetAuthorizer(nil), c.conn.close(), c.db.release())
}

func checkStatement(q *SQLQuery) error {
	switch {
	case len(q.SQL) > maxSQLLength:
		return fault.At(fault.TooLarge, "sql", "a statement has at most %d bytes, but %d were given", maxSQLLength, len(q.SQL))
	case strings.TrimSpace(q.SQL) == "":
		return fault.At(fault.Invalid, "sql", "a statement is needed, such as SELECT count(*) FROM tasks")
	case strings.IndexByte(q.SQL, 0) >= 0:
		return fault.At(fault.Invalid, "sql", "must not contain the character U+0000")
	case len(q.Params) > maxSQLParams:
		return fault.At(fault.TooLarge, "params", "a statement has at most %d params, but %d were given", maxSQLParams, len(q.Params))
	}
	if q.MaxRows <= 0 || q.MaxRows > maxSQLRows {
		q.MaxRows = maxSQLRows
	}
	if q.MaxBytes <= 0 {
		q.MaxBytes = maxSQLBytes
	}
	return nil
}

// fence leaves the connection able to do nothing but read tables under their
// names.
func (c *sqlConn) fence(q *SQLQuery) error {
	queries, err := c.shadows()
	if err != nil {
		return err
	}
	for i := range c.state.Schema.Tables {
		t := c.state.Schema.Tables[i]
		if !c.guard.mentions(t.Name) {
			continue
		}
		if c.guard.own[t.Num] {
			t.Access = schema.Own
		}
		creator := ""
		if q.Own != nil {
			creator = q.Own(&t)
		}
		if strings.IndexByte(creator, 0) >= 0 {
			return fmt.Errorf("replica: the user %q is no text in SQL", creator)
		}
		queries = append(queries, c.guard.views(&t, creator)...)
	}
	for _, query := range append(queries, "PRAGMA query_only=ON") {
		if err := c.script(query); err != nil {
			return err
		}
	}
	if err := c.conn.db.SetDefensive(true); err != nil {
		return err
	}
	for limit, value := range sqlLimits {
		c.conn.db.Limit(limit, value)
	}
	return c.conn.db.SetAuthorizer(c.guard)
}

// shadows hide what is in the replica's file from the statement: a name is
// looked for among temporary views first.
func (c *sqlConn) shadows() (queries []string, err error) {
	tables := map[string]bool{}
	for i := range c.state.Schema.Tables {
		tables[c.state.Schema.Tables[i].Name] = true
	}
	s, err := c.transient("SELECT lower(name) FROM " + c.guard.file + ".sqlite_schema WHERE type IN ('table','view')")
	if err != nil {
		return nil, err
	}
	for {
		more, err := s.Step()
		if err != nil || !more {
			return queries, errors.Join(err, s.Finalize())
		}
		name := s.ColumnText(0)
		c.guard.real[name] = true
		if !tables[name] && c.guard.mentions(name) {
			queries = append(queries, "CREATE TEMP VIEW "+quoteName(name)+" AS SELECT NULL WHERE 0")
		}
	}
}

var sqlLimits = map[sqlite.Limit]int32{
	sqlite.LimitLength:            maxSQLValue,
	sqlite.LimitSQLLength:         maxSQLLength,
	sqlite.LimitColumn:            1000,
	sqlite.LimitExprDepth:         200,
	sqlite.LimitCompoundSelect:    50,
	sqlite.LimitVDBEOp:            500_000,
	sqlite.LimitFunctionArg:       100,
	sqlite.LimitAttached:          0,
	sqlite.LimitLikePatternLength: 128,
	sqlite.LimitVariableNumber:    maxSQLParams,
	sqlite.LimitWorkerThreads:     0,
}

// run compiles and runs the statement.
func (c *sqlConn) run(q *SQLQuery) (out SQLResult, err error) {
	s, text, err := c.single(q.SQL)
	if err != nil {
		return out, err
	}
	defer func() { _ = s.Finalize() }() // its error is that of Step
	if err := bindParams(s, q.Params); err != nil {
		return out, err
	}
	out.Columns = c.columnNames(s, text)
	out.Rows = [][]json.RawMessage{}
	size := 0
	for {
		more, err := s.Step()
		if err != nil || !more {
			return out, err
		}
		row := make([]json.RawMessage, len(out.Columns))
		for i := range row {
			row[i] = appendResult(nil, s, i)
			size += len(row[i]) + 1
		}
		if size += 2; len(out.Rows) == q.MaxRows || size > q.MaxBytes {
			out.Truncated = true
			return out, nil
		}
		out.Rows = append(out.Rows, row)
	}
}

// columnNames gives the names of a statement's columns. The library forgets
// names that come twice, so those are asked for once more: SQLite makes them
// different by a number when it selects from the statement.
func (c *sqlConn) columnNames(s *sqlite.Stmt, text string) []string {
	names := make([]string, s.ColumnCount())
	for i := range names {
		names[i] = s.ColumnName(i)
	}
	if !slices.Contains(names, "") {
		return names
	}
	outer, _, err := c.conn.db.PrepareTransient("SELECT * FROM (" + strings.TrimRight(text, "; \t\r\n\f") + "\n)")
	if err != nil {
		return names
	}
	for i := range names {
		if names[i] == "" && i < outer.ColumnCount() {
			names[i] = counted.ReplaceAllString(outer.ColumnName(i), "")
		}
	}
	_ = outer.Finalize() // it was never run
	return names
}

var counted = regexp.MustCompile(`:\d+$`)

// single compiles a text that must be one statement, and gives the text of it.
func (c *sqlConn) single(text string) (*sqlite.Stmt, string, error) {
	s, trailing, err := c.conn.db.PrepareTransient(text)
	if err != nil {
		return nil, "", err
	}
	if s.ColumnCount() == 0 {
		return nil, "", errors.Join(fault.At(fault.Forbidden, "sql", "%s", onlyReading), s.Finalize())
	}
	text, rest := text[:len(text)-trailing], text[len(text)-trailing:]
	if strings.Trim(rest, "; \t\r\n\f") == "" {
		return s, text, nil
	}
	second, _, err := c.conn.db.PrepareTransient(rest)
	if err == nil {
		blank := second.ColumnCount() == 0 && second.BindParamCount() == 0 // a comment; all else that the guard lets pass has columns
		if err = second.Finalize(); blank && err == nil {
			return s, text, nil
		}
	}
	return nil, "", errors.Join(fault.At(fault.Invalid, "sql", "only one statement at a time can be run"), s.Finalize())
}

// bound ends what a connection does when ctx ends, or when it takes too long
// or too much memory.
func bound(ctx context.Context, c *conn, most time.Duration) (within context.Context, stop func()) {
	within, cancel := context.WithCancelCause(ctx)
	c.db.SetInterrupt(within.Done())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		timer := time.NewTimer(most)
		defer timer.Stop()
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		before := anonymousMemory()
		for {
			select {
			case <-timer.C:
				cancel(errSQLSlow)
			case <-ticker.C:
				if anonymousMemory()-before > maxSQLMemory {
					cancel(errSQLLarge)
				}
			case <-within.Done():
				return
			}
		}
	}()
	return within, func() {
		cancel(nil)
		<-ended
		c.db.SetInterrupt(nil)
	}
}

var (
	errSQLSlow  = fault.New(fault.TooLarge, "the statement took longer than %s; let it look at fewer rows", maxSQLTime)
	errSQLLarge = fault.New(fault.TooLarge, "the statement took more than %d MB of memory; let it keep or sort fewer rows", maxSQLMemory>>20)
)
