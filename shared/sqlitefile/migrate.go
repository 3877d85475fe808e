package sqlitefile

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
)

// migrations/N.sql brings a file from format N-1 to format N, which is kept in
// the table meta. What was released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Format is the format that this code reads and writes.
const Format = 2

// ErrNewer: the file was written by a newer version of this program.
var ErrNewer = errors.New("the data was written by a newer version of this program")

// migrate brings the file to Format, each step in one transaction. made is true
// when the file was new.
func (f *File) migrate(ctx context.Context) (made bool, err error) {
	format, err := f.format()
	if err != nil {
		return false, fmt.Errorf("read format: %w", err)
	}
	if format > Format {
		return false, fmt.Errorf("%w: its format is %d, this version knows %d", ErrNewer, format, Format)
	}
	for n := format + 1; n <= Format; n++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if err := f.migrateTo(n); err != nil {
			return false, fmt.Errorf("migrate to format %d: %w", n, err)
		}
	}
	return format == 0, nil
}

// format is 0 for an empty file.
func (f *File) format() (format int64, err error) {
	tables := 0
	count := func([]driver.Value) error { tables++; return nil }
	if err := f.writer.Query("SELECT 1 FROM sqlite_schema WHERE name = 'meta'", count); err != nil || tables == 0 {
		return 0, err
	}
	err = f.writer.Query("SELECT value FROM meta WHERE key = 'format'", func(row []driver.Value) error {
		n, ok := row[0].(int64)
		if !ok {
			return fmt.Errorf("the format is %v", row[0])
		}
		format = n
		return nil
	})
	return format, err
}

func (f *File) migrateTo(n int64) error {
	script, err := migrations.ReadFile(fmt.Sprintf("migrations/%d.sql", n))
	if err != nil {
		return err
	}
	statement := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nINSERT INTO meta VALUES ('format', %d) ON CONFLICT DO UPDATE SET value = excluded.value;\nCOMMIT;", script, n)
	if err := f.writer.once(statement); err != nil {
		return errors.Join(err, f.writer.once("ROLLBACK"))
	}
	return nil
}
