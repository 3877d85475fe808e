package room

import (
	"strconv"

	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// rowWriter writes rows of one table in wire form. What rows have in common is
// made once: the keys of columns, and the day of the times.
type rowWriter struct {
	columns []schema.Column
	keys    [][]byte
	clock   clock
}

func newRowWriter(t *schema.Table) *rowWriter {
	w := &rowWriter{columns: t.Columns, keys: make([][]byte, len(t.Columns))}
	for i := range t.Columns {
		w.keys[i] = append(schema.AppendJSON([]byte{','}, t.Columns[i].Name), ':')
	}
	return w
}

// append appends a row of the log.
func (w *rowWriter) append(dst []byte, row *replica.Row) []byte {
	dst = schema.AppendJSON(append(dst, `{"id":`...), row.ID)
	dst = w.system(dst, row.Version, row.CreatedAt, row.UpdatedAt)
	dst = schema.AppendJSON(dst, row.CreatedBy)
	dst = append(dst, vectorFields[row.Vector]...)
	for i, key := range w.keys {
		dst = append(dst, key...)
		if at, ok := row.Values[i].(schema.Millis); ok {
			dst = w.clock.append(dst, at)
		} else {
			dst = schema.AppendJSON(dst, row.Values[i])
		}
	}
	return append(dst, '}')
}

// appendCells appends a row of the replica.
func (w *rowWriter) appendCells(dst []byte, c *replica.Cells) []byte {
	dst = c.AppendIDJSON(append(dst, `{"id":`...))
	dst = w.system(dst, c.Version(), c.CreatedAt(), c.UpdatedAt())
	dst = c.AppendCreatorJSON(dst)
	dst = append(dst, vectorFields[c.Vector()]...)
	for i, key := range w.keys {
		dst = append(dst, key...)
		if at, ok := w.timestamp(c, i); ok {
			dst = w.clock.append(dst, at)
		} else {
			dst = c.AppendJSON(dst, i)
		}
	}
	return append(dst, '}')
}

// vectorFields are _vector by its value. A row of the log, or without text,
// has none.
var vectorFields = [...]string{
	replica.NoText: "", replica.Pending: `,"_vector":"pending"`, replica.Indexed: `,"_vector":"indexed"`, replica.Failed: `,"_vector":"failed"`,
}

func (w *rowWriter) timestamp(c *replica.Cells, column int) (schema.Millis, bool) {
	if w.columns[column].Type != schema.Timestamp {
		return 0, false
	}
	return c.Millis(column)
}

// system appends the fields between the id and the creator.
func (w *rowWriter) system(dst []byte, version int64, created, updated schema.Millis) []byte {
	dst = strconv.AppendInt(append(dst, `,"_version":`...), version, 10)
	dst = append(dst, `,"_createdAt":`...)
	start := len(dst)
	dst = w.clock.append(dst, created)
	end := len(dst)
	dst = append(dst, `,"_updatedAt":`...)
	if updated == created {
		dst = append(dst, dst[start:end]...)
	} else {
		dst = w.clock.append(dst, updated)
	}
	return append(dst, `,"_createdBy":`...)
}

// clock writes times as schema.AppendJSON does. It keeps the day of the last
// one, since the calendar is most of the work and rows of a page are close.
type clock struct {
	day    int64
	prefix []byte // `"2026-11-23T`; empty: none yet
}

const dayMillis = 24 * 60 * 60 * 1000

func (c *clock) append(dst []byte, at schema.Millis) []byte {
	if at < 0 || at >= 253_402_300_800_000 { // year 10000
		return schema.AppendJSON(dst, at)
	}
	day, ms := int64(at)/dayMillis, int64(at)%dayMillis
	if day != c.day || len(c.prefix) == 0 {
		const length = len(`"2026-11-23T`)
		c.day, c.prefix = day, schema.AppendJSON(c.prefix[:0], schema.Millis(day*dayMillis))[:length]
	}
	h, m, s, f := ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000
	dst = append(dst, c.prefix...)
	return append(dst, digit(h/10), digit(h), ':', digit(m/10), digit(m), ':', digit(s/10), digit(s), '.',
		digit(f/100), digit(f/10), digit(f), 'Z', '"')
}

func digit(n int64) byte { return '0' + byte(n%10) }
