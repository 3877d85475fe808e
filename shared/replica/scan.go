package replica

import (
	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/schema"
)

// scanner reads rows with few allocations: the texts of a row share one
// string, and values that repeat from row to row are made once.
type scanner struct {
	text    []byte
	cells   []textCell
	creator string
	words   map[string]schema.Value // of enums
}

// textCell is a cell whose value is text[from:to].
type textCell struct {
	column   int
	from, to int
	json     bool
}

// scan reads the row that a statement stands on.
func (ts *tableStmts) scan(s *sqlite.Stmt, row *Row) {
	sc := &ts.scanner
	sc.text, sc.cells = sc.text[:0], sc.cells[:0]
	_, idEnd := sc.read(s, 0)
	row.Version = s.ColumnInt64(1)
	row.CreatedAt = schema.Millis(s.ColumnInt64(2))
	row.UpdatedAt = schema.Millis(s.ColumnInt64(3))
	row.CreatedBy = sc.repeated(s, 4)
	row.Vector = VectorState(s.ColumnInt64(5)) & 3
	row.Values = make([]schema.Value, len(ts.def.Columns))
	for i := range row.Values {
		switch t := ts.def.Columns[i].Type; t {
		case schema.Integer, schema.Number, schema.Boolean, schema.Timestamp:
			row.Values[i] = columnValue(s, fieldCount+i, t)
		case schema.Enum:
			row.Values[i] = sc.word(s, fieldCount+i)
		default:
			if !s.ColumnIsNull(fieldCount + i) {
				from, to := sc.read(s, fieldCount+i)
				sc.cells = append(sc.cells, textCell{i, from, to, t == schema.JSONType})
			}
		}
	}
	text := string(sc.text)
	row.ID = text[:idEnd]
	for _, c := range sc.cells {
		if c.json {
			row.Values[c.column] = schema.JSON(text[c.from:c.to])
		} else {
			row.Values[c.column] = text[c.from:c.to]
		}
	}
}

// read adds a column's text to the row's.
func (sc *scanner) read(s *sqlite.Stmt, i int) (from, to int) {
	from = len(sc.text)
	to = from + s.ColumnLen(i)
	for cap(sc.text) < to {
		sc.text = append(sc.text[:cap(sc.text)], 0)
	}
	sc.text = sc.text[:to]
	s.ColumnBytes(i, sc.text[from:])
	return from, to
}

// repeated reads a text that is likely to be that of the row before.
func (sc *scanner) repeated(s *sqlite.Stmt, i int) string {
	from, to := sc.read(s, i)
	if word := sc.text[from:to]; sc.creator != string(word) {
		sc.creator = string(word)
	}
	sc.text = sc.text[:from]
	return sc.creator
}

// word reads a value that is one of a few.
func (sc *scanner) word(s *sqlite.Stmt, i int) schema.Value {
	if s.ColumnIsNull(i) {
		return nil
	}
	from, to := sc.read(s, i)
	word := sc.text[from:to]
	sc.text = sc.text[:from]
	if v, ok := sc.words[string(word)]; ok {
		return v
	}
	if sc.words == nil {
		sc.words = map[string]schema.Value{}
	}
	v := string(word)
	sc.words[v] = v
	return v
}

// columnValue reads a cell back as the canonical value of its type.
func columnValue(s *sqlite.Stmt, i int, t schema.Type) schema.Value {
	if s.ColumnIsNull(i) {
		return nil
	}
	switch t {
	case schema.Integer:
		return s.ColumnInt64(i)
	case schema.Number:
		return s.ColumnFloat(i)
	case schema.Boolean:
		return s.ColumnBool(i)
	case schema.Timestamp:
		return schema.Millis(s.ColumnInt64(i))
	case schema.JSONType:
		return schema.JSON(s.ColumnText(i))
	default:
		return s.ColumnText(i)
	}
}
