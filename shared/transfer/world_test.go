package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer"
)

// memory is a Source of tables and rows that a test made.
type memory struct {
	tables []schema.Table
	rows   map[string][]replica.Row
}

func (m *memory) Tables() []schema.Table { return m.tables }

func (m *memory) Scan(_ context.Context, table string, fn func(*replica.Row) error) error {
	for i := range m.rows[table] {
		row := m.rows[table][i]
		if err := fn(&row); err != nil {
			return err
		}
	}
	return nil
}

// columns of every type and option, as on the wire.
var columns = []string{
	`{"name":"title","type":"text","maxLength":40,"embed":true}`,
	`{"name":"must","type":"text","required":true,"default":""}`,
	`{"name":"code","type":"text","unique":true}`,
	`{"name":"size","type":"integer"}`,
	`{"name":"rank","type":"integer","min":-5,"max":1000000}`,
	`{"name":"ratio","type":"number"}`,
	`{"name":"done","type":"boolean","default":false}`,
	`{"name":"at","type":"timestamp","default":"2026-11-23T20:21:00.000Z"}`,
	`{"name":"day","type":"date"}`,
	`{"name":"extra","type":"json"}`,
	`{"name":"kind","type":"enum","values":["a","it's","*/ b","-- c","two\r\nlines"],"default":"it's"}`,
	`{"name":"table","type":"text"}`,
	`{"name":"select","type":"integer"}`,
}

// texts that a format might trip over.
var texts = []string{
	"", " ", "plain", "it's", `"quoted"`, "a,b;c\td|e", "two\nlines", "two\r\nlines", "\r", `\n and \r`, `\r0\` + "\r", "=1+1", "@x", "null", "true",
	"12", "007", "1e3", "2026-11-23", "2026-11-23T20:21:00.000Z", `{"a":1}`, "[1]", "é\U0001f600", "; DROP TABLE x; --", "*/", ".quit", "\ufeffbom", "\x01\x1a", "🧪",
}

// anyRow draws the cells of a row as a request has them.
func anyRow(t *rapid.T, n int) map[string]json.RawMessage {
	row := map[string]json.RawMessage{}
	set := func(name string, value any) {
		if rapid.Bool().Draw(t, name+" given") {
			raw, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			row[name] = raw
		}
	}
	text := rapid.SampledFrom(texts)
	set("title", text.Draw(t, "title"))
	set("must", text.Draw(t, "must"))
	set("code", fmt.Sprint(text.Draw(t, "code"), n))
	set("size", rapid.SampledFrom([]int64{0, 1, -1, schema.MaxInteger, -schema.MaxInteger}).Draw(t, "size"))
	set("rank", rapid.Int64Range(-5, 1000000).Draw(t, "rank"))
	set("ratio", rapid.SampledFrom([]float64{0, 1, -1.5, 0.1, 1e300, 5e-324, 1e17, 123456789012345680}).Draw(t, "ratio"))
	set("done", rapid.Bool().Draw(t, "done"))
	set("at", rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "at"))
	set("day", rapid.SampledFrom([]string{"0001-01-01", "2026-02-28", "9999-12-31"}).Draw(t, "day"))
	set("extra", rapid.SampledFrom([]any{nil, 1, 1.5, "text", "", "null", "a\r\nb", true, []any{}, map[string]any{"b": []any{nil, "é"}, "a": 1}}).Draw(t, "extra"))
	set("kind", rapid.SampledFrom([]string{"a", "it's", "*/ b", "-- c", "two\r\nlines"}).Draw(t, "kind"))
	set("table", text.Draw(t, "table"))
	set("select", rapid.Int64Range(0, 3).Draw(t, "select"))
	return row
}

type failer interface {
	Helper()
	Fatal(args ...any)
}

func defineTable(t failer, s *schema.Schema, name string, access schema.Access, columns ...string) *schema.Table {
	t.Helper()
	raw := make([]json.RawMessage, len(columns))
	for i, c := range columns {
		raw[i] = json.RawMessage(c)
	}
	def, err := schema.ResolveCreate(s, name, raw, access)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

// anyRoom draws a room of a few tables, in order of number and not of name.
func anyRoom(t *rapid.T) *memory {
	m := &memory{rows: map[string][]replica.Row{}}
	s := &schema.Schema{NextTable: 1}
	for i, name := range []string{"zoo", "order", "empty"} {
		access := schema.Shared
		if i == 1 {
			access = schema.Own
		}
		def := defineTable(t, s, name, access, columns...)
		s = s.WithTable(def)
		for n := range rapid.IntRange(0, 4).Draw(t, name+" rows") {
			if name == "empty" {
				break
			}
			m.rows[name] = append(m.rows[name], anyStored(t, def, n))
		}
	}
	m.tables = s.Tables
	return m
}

func anyStored(t *rapid.T, def *schema.Table, n int) replica.Row {
	cells, err := schema.InsertRow(def, anyRow(t, n))
	if err != nil {
		t.Fatal(err)
	}
	row := replica.Row{
		ID: fmt.Sprintf("row-%03d", n), CreatedAt: schema.Millis(1_760_000_000_000 + n), UpdatedAt: schema.Millis(1_770_000_000_000),
		CreatedBy: rapid.SampledFrom([]string{"ada", "https://issuer|it's"}).Draw(t, "creator"), Values: make([]schema.Value, len(def.Columns)),
	}
	for _, cell := range cells {
		i := slices.IndexFunc(def.Columns, func(c schema.Column) bool { return c.Num == cell.Num })
		row.Values[i] = cell.Value
	}
	return row
}

func export(t failer, src transfer.Source, r transfer.Request) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := transfer.Export(context.Background(), src, r, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sqlite3 runs the stock tool.
func sqlite3(t failer, stdin string, args ...string) string {
	t.Helper()
	command := exec.Command("sqlite3", append([]string{"-batch", "-bail", "-init", "/dev/null"}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatal(fmt.Sprintf("sqlite3 %q: %v: %s", args, err, out))
	}
	return string(out)
}

func needSqlite3(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("the tool sqlite3 is not installed, so nothing shows that it opens our exports")
	}
}
