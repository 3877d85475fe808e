package sqlitefile

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Tx runs statements on one connection: those of a group's transaction, or of a
// Read. It is valid only inside the function it was given to. Statements are
// prepared once per connection and kept by their text, which therefore is
// constant. Arguments are int64, float64, string, []byte or nil, and are not
// kept.
//
// It speaks to the driver's connection directly: database/sql costs as much
// again for a statement as SQLite does.
type Tx struct {
	conn       driver.Conn
	statements map[string]statement
	args       []driver.NamedValue
	row        []driver.Value
	changed    int64 // rows changed by Exec
	written    int64 // bytes of arguments of changes, to know when to checkpoint
	failed     error // what made the transaction useless
}

// statement is a prepared statement of the driver.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func (t *Tx) statement(query string) (statement, error) {
	if s, ok := t.statements[query]; ok {
		return s, nil
	}
	prepared, err := t.conn.Prepare(query)
	if err != nil {
		return nil, t.note(fmt.Errorf("prepare %.60q: %w", query, err))
	}
	s, ok := prepared.(statement)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's statement is a %T", prepared), prepared.Close())
	}
	t.statements[query] = s
	return s, nil
}

func (t *Tx) bind(args []any) []driver.NamedValue {
	t.args = t.args[:0]
	for i, arg := range args {
		if data, ok := arg.([]byte); ok {
			t.written += int64(len(data))
		}
		t.args = append(t.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return t.args
}

// Exec runs a statement and gives the number of rows it changed.
func (t *Tx) Exec(query string, args ...any) (int64, error) {
	s, err := t.statement(query)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.Background(), t.bind(args))
	if err != nil {
		return 0, t.note(err)
	}
	n, err := result.RowsAffected()
	t.changed += n
	return n, err
}

// control runs a statement that begins, ends or divides a transaction.
func (t *Tx) control(query string) error {
	s, err := t.statement(query)
	if err == nil {
		_, err = s.ExecContext(context.Background(), nil)
	}
	return t.note(err)
}

// Query runs a statement and calls each with every row, which is valid during
// the call only, though its strings and byte slices may be kept.
func (t *Tx) Query(query string, each func(row []driver.Value) error, args ...any) (err error) {
	s, err := t.statement(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(context.Background(), t.bind(args))
	if err != nil {
		return t.note(err)
	}
	defer func() { err = errors.Join(err, t.note(rows.Close())) }()
	row := t.row
	for len(row) < len(rows.Columns()) {
		row = append(row, nil)
	}
	t.row, row = row, row[:len(rows.Columns())]
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return t.note(err)
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// note remembers an error after which the transaction must not commit. A
// violated constraint undoes its statement only.
func (t *Tx) note(err error) error {
	var code *sqlite.Error
	if err == nil || errors.As(err, &code) && code.Code()&0xff == sqlite3.SQLITE_CONSTRAINT {
		return err
	}
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// once runs a statement or a script that is not worth keeping, and drops its
// rows.
func (t *Tx) once(query string) error {
	s, err := t.conn.Prepare(query)
	if err != nil {
		return err
	}
	prepared, ok := s.(statement)
	if !ok {
		return errors.Join(fmt.Errorf("the driver's statement is a %T", s), s.Close())
	}
	_, err = prepared.ExecContext(context.Background(), nil)
	return errors.Join(err, s.Close())
}

func (t *Tx) close() error {
	var err error
	for _, s := range t.statements {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, t.conn.Close())
}
