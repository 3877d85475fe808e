// Package plainsqlite writes tables of a room into a SQLite file that any
// SQLite reads, and reads such files back, also when a stranger made them.
//
// A file has the tables of package plainsql and nothing else. Its application
// id says that Nanotype DB wrote it, its user version the format.
package plainsqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer/plainsql"
)

// applicationID is "NANO", format the number of what a file looks like.
const (
	applicationID = 0x4e414e4f
	format        = 1
)

// Writer writes a file. It is used by one goroutine, and its memory is
// bounded.
type Writer struct {
	path   string
	db     *sqlite.Conn
	tables []schema.Table
	at     int // the table that insert belongs to
	insert *sqlite.Stmt
}

// Create begins a file at path, which must not exist, with empty tables. Equal
// tables and rows in equal order make equal bytes. When ctx ends, so does what
// the writer is doing.
func Create(ctx context.Context, path string, tables []schema.Table) (*Writer, error) {
	db, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, fmt.Errorf("create export: %w", err)
	}
	w := &Writer{path: path, db: db, tables: tables, at: -1}
	db.SetInterrupt(ctx.Done())
	statements := []string{
		"PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA cache_size=-8192",
		"PRAGMA ignore_check_constraints=ON", // the room has checked them
		fmt.Sprintf("PRAGMA application_id=%d", applicationID), fmt.Sprintf("PRAGMA user_version=%d", format), "BEGIN",
	}
	for i := range tables {
		statements = append(statements, plainsql.CreateTable(&tables[i]))
	}
	for _, statement := range statements {
		if err := exec(db, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("create export: %w", err), w.discard())
		}
	}
	return w, nil
}

func exec(db *sqlite.Conn, statement string) error {
	s, _, err := db.PrepareTransient(statement)
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		more, err = s.Step()
	}
	return errors.Join(err, s.Finalize())
}

// Put adds a row to the table of that place in Create's list. Rows of a table
// come together.
func (w *Writer) Put(table int, row *replica.Row) error {
	if err := w.use(table); err != nil {
		return err
	}
	s, n := w.insert, len(row.Values)
	s.BindText(1, row.ID)
	for i, v := range row.Values {
		bind(s, i+2, v)
	}
	s.BindText(n+2, row.CreatedAt.String())
	s.BindText(n+3, row.UpdatedAt.String())
	s.BindText(n+4, row.CreatedBy)
	if _, err := s.Step(); err != nil {
		return fmt.Errorf("export row: %w", err)
	}
	return s.Reset()
}

func (w *Writer) use(table int) error {
	if w.at == table {
		return nil
	}
	if err := w.finalize(); err != nil {
		return err
	}
	t := &w.tables[table]
	marks := strings.Repeat(",?", len(t.Columns)+1+len(plainsql.System))[1:]
	s, _, err := w.db.PrepareTransient("INSERT INTO " + plainsql.Quote(t.Name) + " VALUES(" + marks + ")")
	if err != nil {
		return fmt.Errorf("export table %s: %w", t.Name, err)
	}
	w.at, w.insert = table, s
	return nil
}

func (w *Writer) finalize() error {
	if w.insert == nil {
		return nil
	}
	s := w.insert
	w.at, w.insert = -1, nil
	return s.Finalize()
}

func bind(s *sqlite.Stmt, i int, v schema.Value) {
	switch v := v.(type) {
	case nil:
		s.BindNull(i)
	case bool:
		s.BindBool(i, v)
	case int64:
		s.BindInt64(i, v)
	case float64:
		s.BindFloat(i, v)
	case schema.Millis:
		s.BindText(i, v.String())
	case schema.JSON:
		s.BindText(i, string(v))
	default:
		s.BindText(i, v.(string))
	}
}

// Close finishes the file. After an error there is none.
func (w *Writer) Close() error {
	err := w.finalize()
	if err == nil {
		err = exec(w.db, "COMMIT")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("finish export: %w", err), w.discard())
	}
	if err := w.db.Close(); err != nil {
		return errors.Join(fmt.Errorf("finish export: %w", err), os.Remove(w.path))
	}
	return nil
}

// Discard gives the file up.
func (w *Writer) Discard() error { return errors.Join(w.finalize(), w.discard()) }

func (w *Writer) discard() error { return errors.Join(w.db.Close(), os.Remove(w.path)) }

// header is what the first 100 bytes of a SQLite file say.
type header struct {
	magic                   string
	writeVersion            byte
	readVersion             byte
	encoding, user, app     uint32
	pageSize, pages, change uint32
	validFor                uint32
}

const headerBytes = 100

func parseHeader(b []byte) header {
	at := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	return header{
		magic: string(b[:16]), pageSize: uint32(binary.BigEndian.Uint16(b[16:])), writeVersion: b[18], readVersion: b[19],
		change: at(24), pages: at(28), encoding: at(56), user: at(60), app: at(68), validFor: at(92),
	}
}
