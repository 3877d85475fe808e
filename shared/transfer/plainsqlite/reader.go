package plainsqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
	"nanotypedb/shared/transfer/plainsql"
)

// Reader reads a file. Nothing of the file is executed: it is opened for
// reading only, its definitions must be, byte for byte, those that Writer
// writes, and its rows are read from the tables themselves, never through an
// index, view or trigger. A file that claims to hold more than its size is
// damaged, so that neither time nor memory depends on what it claims.
type Reader struct {
	db     *sqlite.Conn
	size   int64
	schema *schema.Schema
}

// maxCell bounds one value or definition while it is read.
const maxCell = schema.MaxSchemaBytes

// Open opens the file at path, a name of the caller's choosing. When ctx ends,
// so does every reading. Errors: fault invalid for a file that is damaged, of a
// newer format, or was not written by an export.
func Open(ctx context.Context, path string) (_ *Reader, err error) {
	size, err := checkFile(path)
	if err != nil {
		return nil, err
	}
	db, err := sqlite.OpenConn("file:"+escape(path)+"?immutable=1", sqlite.OpenReadOnly, sqlite.OpenURI)
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	r := &Reader{db: db, size: size, schema: &schema.Schema{NextTable: 1}}
	db.SetInterrupt(ctx.Done())
	err = r.confine()
	if err == nil {
		err = r.readSchema()
	}
	if err != nil {
		return nil, errors.Join(explain(ctx, err), db.Close())
	}
	return r, nil
}

// escape makes a path part of a URI.
func escape(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// checkFile reads the header before SQLite sees the file.
func checkFile(path string) (size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open upload: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("open upload: %w", err)
	}
	var first [headerBytes]byte
	if _, err := io.ReadFull(f, first[:]); err != nil {
		return 0, fault.New(fault.Invalid, "the file is no SQLite database: it has only %d bytes", info.Size()).Because(err)
	}
	return info.Size(), parseHeader(first[:]).check(info.Size())
}

func (h header) check(size int64) error {
	pageSize := int64(h.pageSize)
	if pageSize == 1 {
		pageSize = 65536 // as the file format says it
	}
	switch {
	case h.magic != "SQLite format 3\x00":
		return fault.New(fault.Invalid, "the file is no SQLite database")
	case h.app != applicationID:
		return fault.New(fault.Invalid, "the SQLite database is not an export of Nanotype DB; its tables can be imported one by one as CSV")
	case h.user > format:
		return fault.New(fault.Invalid, "the export was written by a newer version of Nanotype DB (format %d, this server reads up to %d)", h.user, format)
	case h.user < 1:
		return fault.New(fault.Invalid, "the export says that its format is %d, and there is none", h.user)
	case h.writeVersion != 1 || h.readVersion != 1:
		return fault.New(fault.Invalid, "the SQLite database has a write-ahead log; run PRAGMA journal_mode=DELETE on it and upload it again")
	case h.encoding != 1:
		return fault.New(fault.Invalid, "the texts of the SQLite database are not UTF-8")
	case pageSize < 512 || pageSize&(pageSize-1) != 0 || h.change == h.validFor && int64(h.pages)*pageSize != size:
		return fault.New(fault.Invalid, "the SQLite database is damaged: it has %d bytes, and says that it has %d pages of %d", size, h.pages, pageSize)
	}
	return nil
}

// confine takes from the connection everything that reading does not need.
func (r *Reader) confine() error {
	for _, pragma := range []string{
		"PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON", "PRAGMA query_only=ON", "PRAGMA mmap_size=0", "PRAGMA cache_size=-2048",
	} {
		if err := exec(r.db, pragma); err != nil {
			return err
		}
	}
	if err := r.db.SetDefensive(true); err != nil {
		return err
	}
	for limit, value := range map[sqlite.Limit]int32{
		sqlite.LimitLength: maxCell, sqlite.LimitSQLLength: maxCell, sqlite.LimitColumn: 2 * schema.MaxColumns, sqlite.LimitExprDepth: 200,
		sqlite.LimitCompoundSelect: 2, sqlite.LimitAttached: 0, sqlite.LimitTriggerDepth: 1, sqlite.LimitWorkerThreads: 0, sqlite.LimitVariableNumber: 1,
	} {
		r.db.Limit(limit, value)
	}
	return r.db.SetAuthorizer(sqlite.AuthorizeFunc(func(a sqlite.Action) sqlite.AuthResult {
		if a.Type() == sqlite.OpSelect || a.Type() == sqlite.OpRead {
			return sqlite.AuthResultOK
		}
		return sqlite.AuthResultDeny
	}))
}

func (r *Reader) readSchema() error {
	return r.query("SELECT type,name,tbl_name,sql FROM sqlite_schema", func(s *sqlite.Stmt) error {
		kind, name, table := s.ColumnText(0), s.ColumnText(1), s.ColumnText(2)
		if kind == "index" && s.ColumnIsNull(3) && strings.HasPrefix(name, "sqlite_autoindex_"+table+"_") {
			return nil // of a primary key or unique column, and not used
		}
		if kind != "table" {
			return fault.New(fault.Invalid, "the file has the %s %q, which no export has", clip(kind), clip(name))
		}
		t, err := plainsql.Parse(r.schema, s.ColumnText(3))
		if err != nil {
			return fault.Under(clip(name), about(name, err))
		}
		if t.Name != name || table != name {
			return fault.New(fault.Invalid, "the table %q is called %q elsewhere in the file", clip(name), t.Name)
		}
		r.schema = r.schema.WithTable(t)
		return nil
	})
}

// about makes a table the subject of what is wrong with it.
func about(table string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	c := *f
	c.Reason = fmt.Sprintf("table %q: %s", clip(table), f.Reason)
	return &c
}

func clip(text string) string {
	const most = 70
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// Tables are the tables of the file, numbered from 1.
func (r *Reader) Tables() []schema.Table { return r.schema.Tables }

// Rows calls fn for every row of a table, in the order of the file, until it
// returns an error. Every value is checked against the table's definition. The
// Row is fn's until it returns; its Version is 0. Errors: fault invalid for
// the first row that is no row of the table, fn's own.
func (r *Reader) Rows(ctx context.Context, table string, fn func(*replica.Row) error) error {
	t := r.schema.Table(table)
	if t == nil {
		return fault.New(fault.NotFound, "the file has no table %q", clip(table))
	}
	columns := []string{plainsql.Quote(plainsql.ID)}
	for i := range t.Columns {
		columns = append(columns, plainsql.Quote(t.Columns[i].Name))
	}
	for _, name := range plainsql.System {
		columns = append(columns, plainsql.Quote(name))
	}
	c := &cells{table: t, left: r.size, row: replica.Row{Values: make([]schema.Value, len(t.Columns))}}
	err := r.query("SELECT "+strings.Join(columns, ",")+" FROM "+plainsql.Quote(table)+" NOT INDEXED", func(s *sqlite.Stmt) error {
		if err := c.read(s); err != nil {
			return about(table, err)
		}
		return fn(&c.row)
	})
	return explain(ctx, err)
}

// cells reads the rows of one table.
type cells struct {
	table *schema.Table
	left  int64 // bytes that the file may yet hold
	row   replica.Row
	raw   []byte
}

// cellOverhead is the least that a row takes in a file beside its values.
const cellOverhead = 4

func (c *cells) read(s *sqlite.Stmt) error {
	c.left -= cellOverhead
	for i := range s.ColumnCount() {
		c.left -= int64(s.ColumnLen(i))
	}
	if c.left < 0 {
		return errDamaged
	}
	if s.ColumnType(0) != sqlite.TypeText || schema.ValidRowID(s.ColumnText(0)) != nil {
		return fault.New(fault.Invalid, "the row id %q is none: 1 to 64 of A-Z, a-z, 0-9, - and _", clip(s.ColumnText(0)))
	}
	c.row.ID = s.ColumnText(0)
	size := 0
	for i := range c.table.Columns {
		v, err := c.value(s, i+1, &c.table.Columns[i])
		if err != nil {
			return inRow(c.row.ID, err)
		}
		c.row.Values[i] = v
		if v != nil {
			size += schema.RowBytes([]schema.Cell{{Value: v}})
		}
	}
	if size > schema.MaxRowBytes {
		return inRow(c.row.ID, fault.New(fault.TooLarge, "it has %d bytes, but a row has at most %d", size, schema.MaxRowBytes))
	}
	return inRow(c.row.ID, c.system(s, len(c.table.Columns)+1))
}

func inRow(id string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	c := *f
	c.Reason = fmt.Sprintf("row %s: %s", id, f.Reason)
	return &c
}

// value reads a cell as the canonical value that it must be.
func (c *cells) value(s *sqlite.Stmt, i int, col *schema.Column) (schema.Value, error) {
	raw, err := c.json(s, i, col)
	if err != nil {
		return nil, fault.Under(col.Name, fault.New(fault.Invalid, "%s %s", col.Name, err.Error()))
	}
	return schema.Canonical(col, raw)
}

// maxCreator bounds the id of who made a row.
const maxCreator = 512

func (c *cells) system(s *sqlite.Stmt, i int) (err error) {
	times := schema.Column{Type: schema.Timestamp, Required: true}
	for n, to := range []*schema.Millis{&c.row.CreatedAt, &c.row.UpdatedAt} {
		times.Name = plainsql.System[n]
		v, err := c.value(s, i+n, &times)
		if err != nil {
			return err
		}
		*to = v.(schema.Millis)
	}
	v, err := c.value(s, i+2, &schema.Column{Name: plainsql.System[2], Type: schema.Text, Required: true, MaxLength: maxCreator})
	if err != nil {
		return err
	}
	c.row.CreatedBy = v.(string)
	return nil
}

// json gives a cell as the JSON that a request would have. Its errors say what
// the cell is.
func (c *cells) json(s *sqlite.Stmt, i int, col *schema.Column) ([]byte, error) {
	c.raw = c.raw[:0]
	switch kind := s.ColumnType(i); kind {
	case sqlite.TypeNull:
		return append(c.raw, "null"...), nil
	case sqlite.TypeInteger:
		return c.integer(s.ColumnInt64(i), col)
	case sqlite.TypeFloat:
		if col.Type != schema.Number {
			return nil, errors.New("must not be a number with a fraction")
		}
		v := s.ColumnFloat(i)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, errors.New("must be a finite number")
		}
		return schema.AppendJSON(c.raw, v+0), nil // +0: no -0
	case sqlite.TypeText:
		return c.text(s.ColumnText(i), col)
	default:
		return nil, errors.New("must not be a blob")
	}
}

func (c *cells) integer(n int64, col *schema.Column) ([]byte, error) {
	switch {
	case col.Type == schema.Boolean && (n == 0 || n == 1):
		return schema.AppendJSON(c.raw, n == 1), nil
	case col.Type == schema.Integer || col.Type == schema.Number:
		return schema.AppendJSON(c.raw, n), nil
	}
	return nil, fmt.Errorf("must not be the number %d", n)
}

func (c *cells) text(text string, col *schema.Column) ([]byte, error) {
	switch {
	case !utf8.ValidString(text):
		return nil, errors.New("must be UTF-8")
	case col.Type == schema.JSONType:
		return append(c.raw, text...), nil
	case col.Type == schema.Integer || col.Type == schema.Number || col.Type == schema.Boolean:
		return nil, errors.New("must not be a text")
	}
	return strictjson.AppendString(c.raw, text), nil
}

// query runs a query and calls fn on each row.
func (r *Reader) query(query string, fn func(*sqlite.Stmt) error) error {
	s, _, err := r.db.PrepareTransient(query)
	if err != nil {
		return err
	}
	for {
		more, err := s.Step()
		if err != nil || !more {
			return errors.Join(err, s.Finalize())
		}
		if err := fn(s); err != nil {
			_ = s.Finalize() // gives the same error again, or none
			return err
		}
	}
}

var errDamaged = fault.New(fault.Invalid, "the SQLite database is damaged")

// explain turns what SQLite says about the file into a refusal of it.
func explain(ctx context.Context, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultError, sqlite.ResultTooBig, sqlite.ResultAuth, sqlite.ResultFormat, sqlite.ResultIOErr:
		return errDamaged.Because(err)
	}
	return fmt.Errorf("read upload: %w", err)
}

// Close closes the file.
func (r *Reader) Close() error { return r.db.Close() }
