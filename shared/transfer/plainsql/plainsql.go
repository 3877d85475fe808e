// Package plainsql writes tables of a room as SQL for SQLite: a table and its
// columns under the names that users gave them, the constraints that hold, and
// rows as statements.
//
// A table's definition ends with a comment that holds it as on the wire, so
// that a file written by this package says everything about its tables and
// yet has no tables of its own. Parse reads it back, and takes nothing else:
// the statement must be, byte for byte, the one that CreateTable makes.
//
// Values are kept as: text, enum, date TEXT; json TEXT (RFC 8785); timestamp
// TEXT (RFC 3339 in UTC with milliseconds, which SQLite's date functions
// read); integer INTEGER; number REAL; boolean INTEGER 0 or 1.
package plainsql

import (
	"strconv"
	"strings"

	"nanotypedb/shared/schema"
)

// The fields of a row that are no columns. ID comes first, the others last.
const ID = "id"

// System are the fields that come after the columns.
var System = []string{"_createdAt", "_updatedAt", "_createdBy"}

const (
	commentOpens  = "\n  /* nanotype "
	commentCloses = " */\n)"
)

// CreateTable is the statement that makes a table, without the semicolon.
func CreateTable(t *schema.Table) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + Quote(t.Name) + " (\n  \"id\" TEXT NOT NULL PRIMARY KEY,\n")
	for i := range t.Columns {
		b.WriteString("  " + column(&t.Columns[i]) + ",\n")
	}
	for i, name := range System {
		b.WriteString("  " + Quote(name) + " TEXT NOT NULL")
		if i < len(System)-1 {
			b.WriteString(",\n")
		}
	}
	b.WriteString(commentOpens)
	b.WriteString(strings.ReplaceAll(string(definition(t)), "*/", `*\/`))
	b.WriteString(commentCloses)
	return b.String()
}

// definition is a table as on the wire.
func definition(t *schema.Table) []byte {
	dst := schema.AppendJSON([]byte(`{"table":`), t.Name)
	if t.Access != schema.Shared {
		dst = schema.AppendJSON(append(dst, `,"access":`...), string(t.Access))
	}
	dst = append(dst, `,"columns":[`...)
	for i := range t.Columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = schema.AppendColumnJSON(dst, &t.Columns[i])
	}
	return append(dst, "]}"...)
}

// Quote makes a name an identifier of SQL.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// column is the definition of one column.
func column(c *schema.Column) string {
	parts := []string{Quote(c.Name), storage(c.Type)}
	if c.Required {
		parts = append(parts, "NOT NULL")
	}
	if c.Unique {
		parts = append(parts, "UNIQUE")
	}
	if c.Default != nil {
		parts = append(parts, "DEFAULT "+defaultValue(c.Default))
	}
	if conditions := conditions(c); len(conditions) > 0 {
		parts = append(parts, "CHECK ("+strings.Join(conditions, " AND ")+")")
	}
	return strings.Join(parts, " ")
}

func storage(t schema.Type) string {
	switch t {
	case schema.Integer, schema.Boolean:
		return "INTEGER"
	case schema.Number:
		return "REAL"
	default:
		return "TEXT"
	}
}

// conditions are what the values of a column have to be, null aside.
func conditions(c *schema.Column) []string {
	var list []string
	name := Quote(c.Name)
	if c.MaxLength > 0 {
		list = append(list, "length("+name+") <= "+strconv.Itoa(c.MaxLength))
	}
	if c.Min != nil {
		list = append(list, name+" >= "+literal(*c.Min))
	}
	if c.Max != nil {
		list = append(list, name+" <= "+literal(*c.Max))
	}
	if c.Type == schema.Boolean {
		list = append(list, name+" IN (0,1)")
	}
	if c.Type == schema.Enum {
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = literal(v)
		}
		list = append(list, name+" IN ("+strings.Join(values, ",")+")")
	}
	return list
}

func literal(v schema.Value) string { return string(AppendLiteral(nil, v)) }

func defaultValue(v schema.Value) string {
	text := literal(v)
	if strings.HasPrefix(text, "replace(") {
		return "(" + text + ")"
	}
	return text
}

// AppendLiteral appends a canonical value as SQL. Line breaks in texts are
// written by their numbers: the sqlite3 shell takes CRLF in a literal for LF.
func AppendLiteral(dst []byte, v schema.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "NULL"...)
	case bool:
		if v {
			return append(dst, '1')
		}
		return append(dst, '0')
	case int64, float64:
		return schema.AppendJSON(dst, v)
	case schema.Millis:
		return appendText(dst, v.String())
	case schema.JSON:
		return appendText(dst, string(v))
	default:
		return appendText(dst, v.(string))
	}
}

// appendText appends a text as one line.
func appendText(dst []byte, text string) []byte {
	if !strings.ContainsAny(text, "\r\n") {
		return appendQuoted(dst, text)
	}
	line, cr, lf := oneLine(text)
	dst = appendQuoted(append(dst, "replace(replace("...), line)
	dst = append(append(append(dst, ",'"...), cr...), "',char(13)),'"...)
	return append(append(dst, lf...), "',char(10))"...)
}

func appendQuoted(dst []byte, text string) []byte {
	return append(append(append(dst, '\''), strings.ReplaceAll(text, "'", "''")...), '\'')
}

// oneLine writes what stands for a line break in its place, and makes sure
// that nothing else in the text is taken for it.
func oneLine(text string) (line, cr, lf string) {
	cr, lf = `\r`, `\n`
	for n := 0; ; n++ {
		line = strings.NewReplacer("\r", cr, "\n", lf).Replace(text)
		if strings.ReplaceAll(strings.ReplaceAll(line, cr, "\r"), lf, "\n") == text {
			return line, cr, lf
		}
		cr, lf = `\r`+strconv.Itoa(n)+`\`, `\n`+strconv.Itoa(n)+`\`
	}
}
