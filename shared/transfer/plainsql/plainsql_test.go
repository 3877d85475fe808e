package plainsql_test

import (
	"encoding/json"
	"strings"
	"testing"

	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer/plainsql"
)

// table makes the table x of columns as on the wire.
func table(t testing.TB, access schema.Access, columns ...string) *schema.Table {
	t.Helper()
	raw := make([]json.RawMessage, len(columns))
	for i, c := range columns {
		raw[i] = json.RawMessage(c)
	}
	def, err := schema.ResolveCreate(&schema.Schema{NextTable: 1}, "x", raw, access)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func TestCreateTable(t *testing.T) {
	got := plainsql.CreateTable(table(t, schema.Own,
		`{"name":"title","type":"text","required":true,"maxLength":9,"unique":true,"embed":true}`,
		`{"name":"n","type":"integer","min":-1,"max":5,"default":2}`,
		`{"name":"done","type":"boolean","default":true}`,
		`{"name":"kind","type":"enum","values":["it's","*/ b","two\r\nlines"],"default":"two\r\nlines"}`,
		`{"name":"ratio","type":"number"}`,
		`{"name":"at","type":"timestamp","default":0}`,
		`{"name":"order","type":"json","default":{"a":[1]}}`))
	want := `CREATE TABLE "x" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "title" TEXT NOT NULL UNIQUE CHECK (length("title") <= 9),
  "n" INTEGER DEFAULT 2 CHECK ("n" >= -1 AND "n" <= 5),
  "done" INTEGER DEFAULT 1 CHECK ("done" IN (0,1)),
  "kind" TEXT DEFAULT (replace(replace('two\r\nlines','\r',char(13)),'\n',char(10))) CHECK ("kind" IN ('it''s','*/ b',replace(replace('two\r\nlines','\r',char(13)),'\n',char(10)))),
  "ratio" REAL,
  "at" TEXT DEFAULT '1970-01-01T00:00:00.000Z',
  "order" TEXT DEFAULT '{"a":[1]}',
  "_createdAt" TEXT NOT NULL,
  "_updatedAt" TEXT NOT NULL,
  "_createdBy" TEXT NOT NULL
  /* nanotype {"table":"x","access":"own","columns":[`
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "]} */\n)") || strings.Count(got, "*/") != 2 {
		t.Errorf("%s", got)
	}
}

func TestParse(t *testing.T) {
	def := table(t, schema.Own, `{"name":"a","type":"enum","values":["*/","\n  /* nanotype {} */\n)"],"default":"*/"}`, `{"name":"b","type":"text"}`)
	text := plainsql.CreateTable(def)
	got, err := plainsql.Parse(&schema.Schema{NextTable: 7}, text)
	if err != nil || got.Num != 7 || plainsql.CreateTable(got) != text || got.Access != schema.Own {
		t.Fatalf("%+v %v", got, err)
	}
	for name, other := range map[string]string{
		"nothing":            "",
		"no comment":         `CREATE TABLE "x" ("id" TEXT)`,
		"an option":          text + " STRICT",
		"an expression":      strings.Replace(text, `"b" TEXT`, `"b" TEXT AS (load_extension('x'))`, 1),
		"a column more":      strings.Replace(text, `"b" TEXT`, `"b" TEXT, "c" TEXT`, 1),
		"another collation":  strings.Replace(text, `"b" TEXT`, `"b" TEXT COLLATE NOCASE`, 1),
		"another definition": strings.Replace(text, `{"name":"b","type":"text"}`, `{"name":"b","type":"number"}`, 1),
		"no JSON":            strings.Replace(text, `"columns":[`, `"columns":[[`, 1),
		"an unknown member":  strings.Replace(text, `"access":"own"`, `"own":"access"`, 1),
		"a bad name":         strings.ReplaceAll(text, `"b"`, `"b b"`),
		"an access":          strings.Replace(text, `"access":"own"`, `"access":"all"`, 1),
	} {
		if got, err := plainsql.Parse(&schema.Schema{NextTable: 1}, other); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

// Whatever is read is written the same again.
func FuzzParse(f *testing.F) {
	f.Add(plainsql.CreateTable(table(f, schema.Own, `{"name":"a","type":"enum","values":["*/"]}`)))
	f.Add(plainsql.CreateTable(table(f, schema.Shared)))
	f.Add("\n  /* nanotype {} */\n)")
	f.Fuzz(func(t *testing.T, text string) {
		def, err := plainsql.Parse(&schema.Schema{NextTable: 1}, text)
		if err == nil && plainsql.CreateTable(def) != text {
			t.Errorf("%q is written %q", text, plainsql.CreateTable(def))
		}
	})
}
