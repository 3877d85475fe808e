package transfer

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer/csvfile"
	"nanotypedb/shared/transfer/plainsql"
	"nanotypedb/shared/transfer/plainsqlite"
)

// Export writes an export of src to w. Its memory is bounded; a SQLite file is
// made in the folder for temporary files first. Errors: fault not_found for
// the table, and those of src and w.
func Export(ctx context.Context, src Source, r Request, w io.Writer) error {
	tables, err := r.tables(src)
	if err != nil {
		return err
	}
	e := &exporter{ctx: ctx, src: src, tables: tables, out: &chunks{w: w}, bare: r.Bare}
	switch {
	case r.Bare && (r.Format == SQL || r.Format == SQLite):
		return fault.At(fault.Invalid, "meta", "A SQL dump and a SQLite file always say who made a row and when; choose csv or ndjson.")
	case r.Format == SQLite:
		return e.sqlite(w)
	case r.Format == SQL:
		err = e.sql()
	case r.Format == NDJSON:
		err = e.each(e.ndjson)
	case r.Zipped():
		return e.zip(w)
	default:
		err = e.each(e.csv)
	}
	if err == nil {
		err = e.out.flush()
	}
	return err
}

// exporter writes one export.
type exporter struct {
	ctx    context.Context
	src    Source
	tables []schema.Table
	out    *chunks
	bare   bool
}

func (e *exporter) each(write func(*schema.Table) error) error {
	for i := range e.tables {
		if err := write(&e.tables[i]); err != nil {
			return err
		}
	}
	return nil
}

// rows appends each row of a table by line.
func (e *exporter) rows(t *schema.Table, line func([]byte, *replica.Row) []byte) error {
	return e.src.Scan(e.ctx, t.Name, func(row *replica.Row) error {
		e.out.buf = line(e.out.buf, row)
		return e.out.full()
	})
}

// ndjson writes one object a row: table and id, the columns in their order,
// and who made the row and when. No column begins with an underscore.
func (e *exporter) ndjson(t *schema.Table) error {
	head := append(schema.AppendJSON([]byte(`{"_table":`), t.Name), `,"id":`...)
	keys := make([][]byte, len(t.Columns))
	for i := range t.Columns {
		keys[i] = append(schema.AppendJSON([]byte{','}, t.Columns[i].Name), ':')
	}
	return e.rows(t, func(dst []byte, row *replica.Row) []byte {
		dst = schema.AppendJSON(append(dst, head...), row.ID)
		for i, key := range keys {
			dst = schema.AppendJSON(append(dst, key...), row.Values[i])
		}
		if !e.bare {
			dst = schema.AppendJSON(append(dst, `,"_createdAt":`...), row.CreatedAt)
			dst = schema.AppendJSON(append(dst, `,"_updatedAt":`...), row.UpdatedAt)
			dst = schema.AppendJSON(append(dst, `,"_createdBy":`...), row.CreatedBy)
		}
		return append(dst, "}\n"...)
	})
}

// csv writes a header and one record a row.
func (e *exporter) csv(t *schema.Table) error {
	e.out.buf = append(e.out.buf, plainsql.ID...)
	for i := range t.Columns {
		e.out.buf = append(append(e.out.buf, ','), t.Columns[i].Name...)
	}
	for _, name := range plainsql.System {
		if !e.bare {
			e.out.buf = append(append(e.out.buf, ','), name...)
		}
	}
	e.out.buf = append(e.out.buf, "\r\n"...)
	var cell []byte
	return e.rows(t, func(dst []byte, row *replica.Row) []byte {
		dst = append(dst, row.ID...)
		for _, v := range row.Values {
			dst = append(dst, ',')
			if v != nil {
				cell = appendPlain(cell[:0], v)
				dst = csvfile.AppendField(dst, cell)
			}
		}
		if !e.bare {
			dst = appendPlain(append(dst, ','), row.CreatedAt)
			dst = appendPlain(append(dst, ','), row.UpdatedAt)
			dst = csvfile.AppendField(append(dst, ','), []byte(row.CreatedBy))
		}
		return append(dst, "\r\n"...)
	})
}

// appendPlain appends a value as on the wire, texts without quotes.
func appendPlain(dst []byte, v schema.Value) []byte {
	switch v := v.(type) {
	case string:
		return append(dst, v...)
	case schema.Millis:
		return append(dst, v.String()...)
	default:
		return schema.AppendJSON(dst, v)
	}
}

// zip writes the CSV of every table. The files carry no date, so that equal
// content makes equal bytes.
func (e *exporter) zip(w io.Writer) error {
	z := zip.NewWriter(w)
	err := e.each(func(t *schema.Table) error {
		f, err := z.Create(t.Name + ".csv")
		if err != nil {
			return fmt.Errorf("write zip: %w", err)
		}
		e.out.w = f
		if err := e.csv(t); err != nil {
			return err
		}
		return e.out.flush()
	})
	if err != nil {
		return err
	}
	return z.Close()
}

// sql writes statements that make the tables and their rows anew.
func (e *exporter) sql() error {
	e.out.buf = append(e.out.buf, "BEGIN TRANSACTION;\n"...)
	err := e.each(func(t *schema.Table) error {
		e.out.buf = append(append(e.out.buf, plainsql.CreateTable(t)...), ";\n"...)
		insert := "INSERT INTO " + plainsql.Quote(t.Name) + " VALUES("
		return e.rows(t, func(dst []byte, row *replica.Row) []byte {
			dst = plainsql.AppendLiteral(append(dst, insert...), row.ID)
			for _, v := range row.Values {
				dst = plainsql.AppendLiteral(append(dst, ','), v)
			}
			dst = plainsql.AppendLiteral(append(dst, ','), row.CreatedAt)
			dst = plainsql.AppendLiteral(append(dst, ','), row.UpdatedAt)
			dst = plainsql.AppendLiteral(append(dst, ','), row.CreatedBy)
			return append(dst, ");\n"...)
		})
	})
	e.out.buf = append(e.out.buf, "COMMIT;\n"...)
	return err
}

// sqlite writes a SQLite file.
func (e *exporter) sqlite(w io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "nanotype-export-*")
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "export")
	if err := e.sqliteFile(path); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	defer f.Close()
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

func (e *exporter) sqliteFile(path string) error {
	out, err := plainsqlite.Create(e.ctx, path, e.tables)
	if err != nil {
		return err
	}
	for i := range e.tables {
		err := e.src.Scan(e.ctx, e.tables[i].Name, func(row *replica.Row) error { return out.Put(i, row) })
		if err != nil {
			return errors.Join(err, out.Discard())
		}
	}
	return out.Close()
}

// chunks collects small writes into large ones.
type chunks struct {
	w   io.Writer
	buf []byte
}

const chunkSize = 64 << 10

// full writes what was collected when it is enough.
func (c *chunks) full() error {
	if len(c.buf) < chunkSize {
		return nil
	}
	return c.flush()
}

func (c *chunks) flush() error {
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	return nil
}
