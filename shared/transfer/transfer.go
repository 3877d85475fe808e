// Package transfer brings rooms out of and into files that other programs
// read and write: a SQLite file, a SQL dump, NDJSON and CSV out; CSV, NDJSON
// and exported SQLite files in.
//
// An export holds what its reader may see of a room at one seq, under the
// names that users gave, without the version of rows and nothing of how the
// room is kept. Tables come in order of name and rows in order of id, so equal
// content makes equal bytes.
package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// Format is a form of an export.
type Format string

// The formats. CSV is one file a table, in a zip when all are asked for.
const (
	SQLite Format = "sqlite"
	SQL    Format = "sql"
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
)

// Formats are those that ParseFormat takes.
var Formats = []Format{SQLite, SQL, NDJSON, CSV}

// ParseFormat reads a format by its name. Error: fault invalid at "format".
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats, f) {
		return f, nil
	}
	return "", fault.At(fault.Invalid, "format", "The format is one of sqlite, sql, ndjson and csv.")
}

// Source is where an export reads from: a room at one seq as one of its
// members sees it.
type Source interface {
	// Tables are all tables.
	Tables() []schema.Table
	// Scan calls fn for each row of a table in order of id. The Row is fn's
	// until it returns.
	Scan(ctx context.Context, table string, fn func(*replica.Row) error) error
}

// View makes a view of a room a Source.
func View(v *room.View) Source { return viewSource{v} }

type viewSource struct{ *room.View }

func (v viewSource) Tables() []schema.Table { return v.State().Schema.Tables }

// Request says what to export and how.
type Request struct {
	Format Format
	Table  string // empty: all
	Bare   bool   // leave out who made a row and when
	Seq    int64  // of the room; 0: the present
}

// tables gives the tables to export, in order of name.
func (r Request) tables(src Source) ([]schema.Table, error) {
	list := slices.Clone(src.Tables())
	slices.SortFunc(list, func(a, b schema.Table) int { return strings.Compare(a.Name, b.Name) })
	if r.Table == "" {
		return list, nil
	}
	at := slices.IndexFunc(list, func(t schema.Table) bool { return t.Name == r.Table })
	if at < 0 {
		return nil, fault.At(fault.NotFound, "table", "There is no table %.70q.", r.Table)
	}
	return list[at : at+1], nil
}

// Zipped reports whether the export is a zip of several files.
func (r Request) Zipped() bool { return r.Format == CSV && r.Table == "" }

// ContentType is the media type of the export.
func (r Request) ContentType() string {
	switch {
	case r.Zipped():
		return "application/zip"
	case r.Format == CSV:
		return "text/csv; charset=utf-8; header=present"
	case r.Format == NDJSON:
		return "application/x-ndjson"
	case r.Format == SQL:
		return "application/sql; charset=utf-8"
	default:
		return "application/vnd.sqlite3"
	}
}

// FileName is the name to save the export by: that of the room, the table if
// there is one, and the seq.
func (r Request) FileName(roomID string, seq int64) string {
	name := roomID
	if r.Table != "" {
		name += "-" + r.Table
	}
	ending := string(r.Format)
	if r.Zipped() {
		ending = "csv.zip"
	}
	return fmt.Sprintf("%s-%d.%s", name, seq, ending)
}
