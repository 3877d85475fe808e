package transfer

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// newRow is a row of the file as it will be: its cells in the order of the
// table's columns, null where there is none. ID is empty when the file has
// none. It is the receiver's until it returns.
type newRow struct {
	line   int
	id     string
	values []schema.Value
}

// cells are the values that are not null, by column number.
func (r *newRow) cells(t *schema.Table) []schema.Cell {
	cells := make([]schema.Cell, 0, len(r.values))
	for i, v := range r.values {
		if v != nil {
			cells = append(cells, schema.Cell{Num: t.Columns[i].Num, Value: v})
		}
	}
	return cells
}

// checker turns the records of a file into rows, and notes what does not fit.
type checker struct {
	*plan
	taken  func(id string) (bool, error) // whether a row of the table has the id; nil: that is no matter
	ids    seen
	unique []seen // by column of the table
	row    newRow
	buf    []byte
	table1 string // the first _table of the file
}

// check reads a file a second time and calls use for each row that is good.
func (p *plan) check(open func() (io.ReadCloser, error), taken func(id string) (bool, error), use func(*newRow) error) error {
	rc, err := open()
	if err != nil {
		return err
	}
	defer rc.Close()
	in, err := openRecords(p.Format, rc)
	if noted(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c := &checker{plan: p, taken: taken, ids: newSeen(), unique: make([]seen, len(p.table.Columns))}
	for i := range p.table.Columns {
		if p.table.Columns[i].Unique {
			c.unique[i] = newSeen()
		}
	}
	c.row.values = make([]schema.Value, len(p.table.Columns))
	for {
		rec, err := in.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case noted(err):
			return nil
		case errors.As(err, new(*rowError)):
			continue // scan has noted it
		case err != nil:
			return err
		}
		good, err := c.record(rec, in.columns())
		if err == nil && good {
			err = use(&c.row)
		}
		if err != nil {
			return err
		}
	}
}

// noted reports whether err ends the file, which scan has noted.
func noted(err error) bool { return errors.As(err, new(*fileError)) }

// record checks one record; false when something of it does not fit.
func (c *checker) record(rec *record, names []string) (bool, error) {
	before := c.report.ErrorCount
	c.row.line, c.row.id = rec.line, ""
	for i := range c.row.values {
		c.row.values[i] = nil
	}
	given := make([]bool, len(c.row.values))
	for i := range rec.cells {
		v := &rec.cells[i]
		switch at := c.places[i]; {
		case at.target == "":
			c.otherTable(rec.line, names[i], v)
		case at.column == toID:
			if err := c.id(rec.line, names[i], v); err != nil {
				return false, err
			}
		case v.given:
			given[at.column] = true
			c.value(rec.line, names[i], at.column, v)
		}
	}
	c.defaults(rec.line, given)
	if size := schema.RowBytes(c.row.cells(c.table)); size > schema.MaxRowBytes {
		c.report.add(Problem{Line: rec.line, Reason: fmt.Sprintf("The row has %d bytes, and a row has at most %d.", size, schema.MaxRowBytes)})
	}
	return c.report.ErrorCount == before, nil
}

// otherTable notes a row that an export says is of another table than the
// first of the file.
func (c *checker) otherTable(line int, name string, v *cell) {
	if name != tableName || !v.given || v.null {
		return
	}
	switch table := v.plain(); {
	case c.table1 == "":
		c.table1 = table
	case c.table1 != table:
		c.report.add(Problem{Line: line, Column: name, Value: v.show(),
			Reason: fmt.Sprintf("The file has rows of several tables (%s first); import them one by one.", shorten(c.table1))})
	}
}

func (c *checker) id(line int, name string, v *cell) error {
	if !v.given || v.null || v.json == nil && len(v.text) == 0 {
		return nil // one is made
	}
	id := v.plain()
	bad := Problem{Line: line, Column: name, Value: v.show()}
	if schema.ValidRowID(id) != nil {
		bad.Reason = "A row id is 1 to 64 of A-Z, a-z, 0-9, - and _; map the column elsewhere, and ids are made."
		c.report.add(bad)
		return nil
	}
	if other, twice := c.ids.at(line, id); twice {
		bad.Reason = fmt.Sprintf("The row in line %d has this id already.", other)
		c.report.add(bad)
		return nil
	}
	c.row.id = id
	if c.taken == nil {
		return nil
	}
	taken, err := c.taken(id)
	if taken {
		bad.Reason = "A row of the table has this id already."
		c.report.add(bad)
	}
	return err
}

// value checks a value and puts it into the row.
func (c *checker) value(line int, name string, at int, v *cell) {
	col := &c.table.Columns[at]
	bad := func(reason string) {
		c.report.add(Problem{Line: line, Column: name, Value: v.show(), Reason: reason})
	}
	if !utf8.Valid(v.text) {
		bad("The value is not UTF-8; save the file as UTF-8.")
		return
	}
	raw, has := v.raw(&c.buf, col.Type)
	if !has {
		if col.Required && col.Default == nil {
			bad(fmt.Sprintf("%s is required, and there is no value.", col.Name))
		}
		return
	}
	value, err := schema.Canonical(col, raw)
	if err != nil {
		bad(reasonOf(err))
		return
	}
	c.row.values[at] = value
	if value == nil || !col.Unique {
		return
	}
	c.buf = schema.AppendCanonical(c.buf[:0], value)
	if other, twice := c.unique[at].at(line, string(c.buf)); twice {
		bad(fmt.Sprintf("%s is unique, and the row in line %d has this value already.", col.Name, other))
	}
}

// reasonOf is the sentence of a fault.
func reasonOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Reason
	}
	return err.Error()
}

// defaults sets the columns that the record does not have, and those that
// must have a value and have none.
func (c *checker) defaults(line int, given []bool) {
	for i := range c.table.Columns {
		col := &c.table.Columns[i]
		if c.row.values[i] != nil || given[i] && !col.Required {
			continue
		}
		c.row.values[i] = col.Default
		mapped := slices.ContainsFunc(c.places, func(p place) bool { return p.target == col.Name })
		if col.Default == nil && col.Required && !given[i] && mapped {
			c.report.add(Problem{Line: line, Column: col.Name, Reason: fmt.Sprintf("%s is required, and there is no value.", col.Name)})
		}
	}
}

// seen remembers values by 128 bits of their hash, and the lines they were in.
// That two of two million differ and have the same is less likely than 1 in
// 10^25.
type seen struct {
	seeds [2]maphash.Seed
	lines map[[2]uint64]int32
}

func newSeen() seen {
	return seen{[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, map[[2]uint64]int32{}}
}

// at notes a value, or gives the line where it was before.
func (s *seen) at(line int, value string) (before int, twice bool) {
	key := [2]uint64{maphash.String(s.seeds[0], value), maphash.String(s.seeds[1], value)}
	if other, twice := s.lines[key]; twice {
		return int(other), true
	}
	s.lines[key] = int32(line)
	return 0, false
}

// appendRow appends a row as JSON: its id when it has one, and its columns.
func appendRow(dst []byte, t *schema.Table, row *newRow) []byte {
	dst = append(dst, '{')
	if row.id != "" {
		dst = append(strictjson.AppendString(append(dst, `"id":`...), row.id), ',')
	}
	for i, v := range row.values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(strictjson.AppendString(dst, t.Columns[i].Name), ':')
		dst = schema.AppendJSON(dst, v)
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}')
}
