package room

import (
	"strconv"

	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// rowWriter writes rows of one table in wire form. What rows have in common is
// made once: the keys of columns, and the day of the times.
type rowWriter struct {
	keys  [][]byte
	clock clock
}

func newRowWriter(t *schema.Table) *rowWriter {
	w := &rowWriter{keys: make([][]byte, len(t.Columns))}
	for i := range t.Columns {
		w.keys[i] = append(schema.AppendJSON([]byte{','}, t.Columns[i].Name), ':')
	}
	return w
}

func (w *rowWriter) append(dst []byte, row *replica.Row) []byte {
	dst = schema.AppendJSON(append(dst, `{"id":`...), row.ID)
	dst = strconv.AppendInt(append(dst, `,"_version":`...), row.Version, 10)
	dst = append(dst, `,"_createdAt":`...)
	start := len(dst)
	dst = w.clock.append(dst, row.CreatedAt)
	end := len(dst)
	dst = append(dst, `,"_updatedAt":`...)
	if row.UpdatedAt == row.CreatedAt {
		dst = append(dst, dst[start:end]...)
	} else {
		dst = w.clock.append(dst, row.UpdatedAt)
	}
	dst = schema.AppendJSON(append(dst, `,"_createdBy":`...), row.CreatedBy)
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
