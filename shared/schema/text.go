package schema

import (
	"slices"
	"strings"
)

// EmbedText is the text of a row: its embedded columns that are not blank, in
// order of column number, one a line. It is empty when all are blank, or none
// is embedded. values gives a cell by column number.
func EmbedText(t *Table, values func(column int) Value) string {
	var scratch [8]int
	nums := scratch[:0]
	for i := range t.Columns {
		if t.Columns[i].Embed {
			nums = append(nums, t.Columns[i].Num)
		}
	}
	slices.Sort(nums)
	text, parts := "", 0
	for _, num := range nums {
		part, _ := values(num).(string)
		if strings.TrimSpace(part) == "" {
			continue
		}
		if parts++; parts == 1 {
			text = part
		} else {
			text += "\n" + part
		}
	}
	return text
}
