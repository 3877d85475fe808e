package replica

import (
	"fmt"
	"strings"

	"nanotypedb/shared/schema"
)

// Each table with embedded columns t<num> has a full-text index f<num> of
// them. It holds no text of its own (content='t<num>'), and triggers keep it
// right whatever statement changes the rows, so it is right in every snapshot.

const tokenizer = `tokenize="unicode61 remove_diacritics 2"`

// embedded gives the numbers of a table's embedded columns, in order.
func embedded(def *schema.Table) []int {
	places := schema.EmbedColumns(def)
	nums := make([]int, len(places))
	for i, at := range places {
		nums[i] = def.Columns[at].Num
	}
	return nums
}

// wordColumns is "c1,c3": the embedded columns, each with a prefix.
func wordColumns(def *schema.Table, prefix string) string {
	var parts []string
	for _, num := range embedded(def) {
		parts = append(parts, fmt.Sprintf("%sc%d", prefix, num))
	}
	return strings.Join(parts, ",")
}

// createWords is the definition of a table's full-text index, none for a
// table without embedded columns.
func createWords(def *schema.Table) []string {
	if !def.Embeds() {
		return nil
	}
	t, columns, was, is := def.Num, wordColumns(def, ""), wordColumns(def, "old."), wordColumns(def, "new.")
	var differs []string
	for _, num := range embedded(def) {
		differs = append(differs, fmt.Sprintf("old.c%d IS NOT new.c%d", num, num))
	}
	add := fmt.Sprintf("INSERT INTO f%d(rowid,%s)VALUES(new.k,%s);", t, columns, is)
	remove := fmt.Sprintf("INSERT INTO f%d(f%d,rowid,%s)VALUES('delete',old.k,%s);", t, t, columns, was)
	return []string{
		fmt.Sprintf("CREATE VIRTUAL TABLE f%d USING fts5(%s,content='t%d',content_rowid='k',%s)", t, columns, t, tokenizer),
		fmt.Sprintf("CREATE TRIGGER f%d_i AFTER INSERT ON t%d BEGIN %s END", t, t, add),
		fmt.Sprintf("CREATE TRIGGER f%d_d AFTER DELETE ON t%d BEGIN %s END", t, t, remove),
		fmt.Sprintf("CREATE TRIGGER f%d_u AFTER UPDATE OF %s ON t%d WHEN %s BEGIN %s %s END", t, columns, t, strings.Join(differs, " OR "), remove, add),
	}
}

// fillWords indexes the rows that are there already.
func fillWords(def *schema.Table) []string {
	if !def.Embeds() {
		return nil
	}
	return []string{fmt.Sprintf("INSERT INTO f%d(f%d)VALUES('rebuild')", def.Num, def.Num)}
}

func dropWords(def *schema.Table) []string {
	if !def.Embeds() {
		return nil
	}
	t := def.Num
	return []string{
		fmt.Sprintf("DROP TRIGGER f%d_i", t), fmt.Sprintf("DROP TRIGGER f%d_d", t), fmt.Sprintf("DROP TRIGGER f%d_u", t),
		fmt.Sprintf("DROP TABLE f%d", t),
	}
}
