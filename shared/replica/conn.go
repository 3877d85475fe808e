package replica

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
)

// conn is one connection to a replica's database with its prepared
// statements. It is used by one goroutine at a time.
//
// The database is reached by statements rather than through database/sql:
// that halves the cost of a point read and of a list, and only here can a
// cancelled context stop a query between two of its rows.
type conn struct {
	db     *sqlite.Conn
	fixed  map[string]*sqlite.Stmt
	tables map[int]*tableStmts
	pin    *sqlite.Stmt // of a reader: open while a View lasts

	revived []indexlog.Hash // of the writer: texts with vectors that rows got in this transaction
}

func openConn(path string, flags sqlite.OpenFlags, pragmas ...string) (*conn, error) {
	db, err := sqlite.OpenConn(path, flags)
	if err != nil {
		return nil, fmt.Errorf("open replica database: %w", err)
	}
	c := &conn{db: db, fixed: map[string]*sqlite.Stmt{}, tables: map[int]*tableStmts{}}
	for _, p := range pragmas {
		if err := c.script(p); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return c, nil
}

// close closes the connection. SQLite does so only when every statement is
// finalized; those of prepare are by the connection itself.
func (c *conn) close() error {
	var err error
	for _, ts := range c.tables {
		err = errors.Join(err, ts.finalize())
	}
	return errors.Join(err, c.db.Close())
}

// maxTables is how many tables have their statements kept by a connection.
const maxTables = 64

// trim forgets the statements of all tables when there are many, as after
// reading a hundred tables, or tables that were dropped since. None may be in
// use.
func (c *conn) trim() error {
	if len(c.tables) <= maxTables {
		return nil
	}
	for _, ts := range c.tables {
		if err := ts.finalize(); err != nil {
			return err
		}
	}
	return nil
}

// prepare returns the cached statement of a query that is part of this package.
func (c *conn) prepare(query string) (*sqlite.Stmt, error) {
	if s := c.fixed[query]; s != nil {
		return s, nil
	}
	s, err := c.db.Prepare(query)
	if err != nil {
		return nil, err
	}
	c.fixed[query] = s
	return s, nil
}

// exec runs a cached statement that returns no rows.
func (c *conn) exec(query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	bindAll(s, args)
	return run(s)
}

// script runs a statement once, without keeping it.
func (c *conn) script(query string) error {
	s, _, err := c.db.PrepareTransient(query)
	if err != nil {
		return err
	}
	return errors.Join(run(s), s.Finalize())
}

// one runs a cached query and calls scan with its first row; found is false
// when there is none.
func (c *conn) one(query string, scan func(*sqlite.Stmt), args ...any) (found bool, err error) {
	s, err := c.prepare(query)
	if err != nil {
		return false, err
	}
	bindAll(s, args)
	found, err = s.Step()
	if err != nil {
		return false, err
	}
	if found {
		scan(s)
	}
	return found, s.Reset()
}

// run steps a statement to its end and resets it.
func run(s *sqlite.Stmt) error {
	for {
		more, err := s.Step()
		if err != nil {
			return err // Step has reset it
		}
		if !more {
			return s.Reset()
		}
	}
}

func bindAll(s *sqlite.Stmt, args []any) {
	for i, a := range args {
		bind(s, i+1, a)
	}
}

// bind binds a canonical value, an int or bytes.
func bind(s *sqlite.Stmt, i int, v any) {
	switch v := v.(type) {
	case nil:
		s.BindNull(i)
	case string:
		s.BindText(i, v)
	case schema.JSON:
		s.BindText(i, string(v))
	case int64:
		s.BindInt64(i, v)
	case int:
		s.BindInt64(i, int64(v))
	case schema.Millis:
		s.BindInt64(i, int64(v))
	case float64:
		s.BindFloat(i, v)
	case bool:
		s.BindBool(i, v)
	case []byte:
		s.BindBytes(i, v)
	default:
		panic(fmt.Sprintf("replica: a %T is no canonical value", v))
	}
}

// storage is the type of a column in SQLite.
func storage(t schema.Type) string {
	switch t {
	case schema.Integer, schema.Boolean, schema.Timestamp:
		return "INTEGER"
	case schema.Number:
		return "REAL"
	default:
		return "TEXT"
	}
}
