package replica

import (
	"context"
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// View is a consistent read of a room at one seq. It is used by one goroutine.
type View struct {
	conn  *conn
	state *State
	db    *database
	of    *Replica
}

// View runs fn on a consistent snapshot of the newest published state. The
// View must not be kept after fn returns. Views run concurrently with each
// other and with a Draft. When ctx ends, a running query ends with its error.
func (r *Replica) View(ctx context.Context, fn func(*View) error) (err error) {
	if err := r.readers.acquire(ctx); err != nil {
		return err
	}
	defer r.readers.release()
	db, v, err := r.openView(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if endErr := db.endView(v.conn); err == nil {
			err = endErr
		}
		if err != nil && ctx.Err() != nil {
			err = ctx.Err() // SQLite says only that it was interrupted
		}
	}()
	return fn(v)
}

// openView fixes a snapshot and the state that belongs to it. A publish
// changes both under the gate, so they always agree.
func (r *Replica) openView(ctx context.Context) (*database, *View, error) {
	r.gate.RLock()
	defer r.gate.RUnlock()
	db := r.db.Load()
	if db == nil {
		return nil, nil, errClosed
	}
	c, err := db.reader()
	if err != nil {
		return nil, nil, err
	}
	if err := c.trim(); err != nil {
		_ = db.endView(c)
		return nil, nil, fmt.Errorf("open view: %w", err)
	}
	if done := ctx.Done(); done != nil {
		c.db.SetInterrupt(done)
	}
	// The pinned statement stays open until the view ends. It holds the
	// snapshot, and SQLite forgets an interrupt when no statement is open.
	if _, err := c.pin.Step(); err != nil {
		err = fmt.Errorf("open view: %w", err)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		_ = db.endView(c)
		return nil, nil, err
	}
	return db, &View{conn: c, state: r.State(), db: db, of: r}, nil
}

// State is the state at the view's seq.
func (v *View) State() *State { return v.state }

// Row returns a row, and whether there is one.
func (v *View) Row(ctx context.Context, table int, id string) (Row, bool, error) {
	if err := ctx.Err(); err != nil {
		return Row{}, false, err
	}
	return readRow(v.conn, v.state.Schema, table, id)
}

func readRow(c *conn, s *schema.Schema, table int, id string) (Row, bool, error) {
	def := s.TableByNum(table)
	if def == nil {
		return Row{}, false, fault.New(fault.NotFound, "there is no table number %d", table)
	}
	ts, err := c.table(def)
	if err != nil {
		return Row{}, false, err
	}
	row, _, found, err := ts.row(id)
	if err != nil {
		return Row{}, false, fmt.Errorf("read row: %w", err)
	}
	return row, found, nil
}

// Commit finds an earlier commit of a user by its commitId: its seq (0: none)
// and the digest of its operations. An id is known for 30 days and for the
// next 1,048,576 commits of the room, whichever ends first.
func (v *View) Commit(ctx context.Context, user, commitID string) (int64, string, error) {
	if err := ctx.Err(); err != nil {
		return 0, "", err
	}
	return findCommit(v.conn, expiry(v.state.Seq, v.state.At), user, commitID)
}

// List calls fn for each row of the answer in order, until fn returns false
// or an error. The Cells are fn's until it returns.
func (v *View) List(ctx context.Context, q ListQuery, fn func(*Cells) (bool, error)) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	def := v.state.Schema.TableByNum(q.Table.Num)
	if def == nil {
		return fault.New(fault.NotFound, "there is no table %s", q.Table.Name)
	}
	ts, err := v.conn.table(def)
	if err != nil {
		return err
	}
	l := lister{def: def}
	query, err := l.compile(q, ts.columns)
	if err != nil {
		return err
	}
	s, done, err := ts.list(query)
	if err != nil {
		return fmt.Errorf("list rows: %w", err)
	}
	defer func() {
		if endErr := done(); err == nil && endErr != nil {
			err = fmt.Errorf("list rows: %w", endErr)
		}
	}()
	bindAll(s, l.args)
	return (&Cells{table: ts, stmt: s}).walk(fn)
}

func (c *Cells) walk(fn func(*Cells) (bool, error)) error {
	for {
		more, err := c.stmt.Step()
		if err != nil {
			return fmt.Errorf("list rows: %w", err)
		}
		if !more {
			return nil
		}
		if goOn, err := fn(c); err != nil || !goOn {
			return err
		}
	}
}
