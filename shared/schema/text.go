package schema

import (
	"slices"
	"strings"
)

// EmbedColumns gives the places of a table's embedded columns, in order of
// column number.
func EmbedColumns(t *Table) []int {
	var places []int
	for i := range t.Columns {
		if t.Columns[i].Embed {
			places = append(places, i)
		}
	}
	slices.SortFunc(places, func(a, b int) int { return t.Columns[a].Num - t.Columns[b].Num })
	return places
}

// AppendEmbedText appends the text of a row: its embedded columns that are not
// blank, in order of column number, one a line. Nothing is appended when all
// are blank. columns is of EmbedColumns, values are in the order of the
// table's columns.
func AppendEmbedText(dst []byte, columns []int, values []Value) []byte {
	parts := 0
	for _, at := range columns {
		part, _ := values[at].(string)
		if strings.TrimSpace(part) == "" {
			continue
		}
		if parts++; parts > 1 {
			dst = append(dst, '\n')
		}
		dst = append(dst, part...)
	}
	return dst
}

// EmbedText is the text of a row, see AppendEmbedText; empty when it has none.
// values gives a cell by column number.
func EmbedText(t *Table, values func(column int) Value) string {
	columns := EmbedColumns(t)
	row := make([]Value, len(t.Columns))
	for _, at := range columns {
		row[at] = values(t.Columns[at].Num)
	}
	return string(AppendEmbedText(nil, columns, row))
}
