package transfer_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer"
	"nanotypedb/shared/transfer/plainsqlite"
)

// small is a room that the texts of exports can be written out for.
func small(t *testing.T) *memory {
	t.Helper()
	s := &schema.Schema{NextTable: 1}
	for _, def := range []struct {
		name    string
		columns []string
	}{
		{"zoo", []string{`{"name":"name","type":"text"}`}},
		{"art", []string{`{"name":"title","type":"text","required":true}`, `{"name":"year","type":"integer"}`, `{"name":"tags","type":"json"}`}},
	} {
		s = s.WithTable(defineTable(t, s, def.name, schema.Shared, def.columns...))
	}
	at := schema.Millis(1_763_929_260_000)
	return &memory{tables: s.Tables, rows: map[string][]replica.Row{
		"zoo": {{ID: "z1", CreatedAt: at, UpdatedAt: at, CreatedBy: "ada", Values: []schema.Value{""}}},
		"art": {
			{ID: "a1", CreatedAt: at, UpdatedAt: at + 1, CreatedBy: "bob", Values: []schema.Value{`The "cry"`, int64(1893), schema.JSON(`["x"]`)}},
			{ID: "a2", CreatedAt: at, UpdatedAt: at, CreatedBy: "ada", Values: []schema.Value{"two\r\nlines, it's", nil, nil}},
		},
	}}
}

func TestExportText(t *testing.T) {
	room := small(t)
	const ada, bob = `"2025-11-23T20:21:00.000Z","_updatedAt":"2025-11-23T20:21:00.000Z","_createdBy":"ada"`,
		`"2025-11-23T20:21:00.000Z","_updatedAt":"2025-11-23T20:21:00.001Z","_createdBy":"bob"`
	for _, c := range []struct {
		request transfer.Request
		want    string
	}{
		{transfer.Request{Format: transfer.NDJSON}, `{"_table":"art","id":"a1","title":"The \"cry\"","year":1893,"tags":["x"],"_createdAt":` + bob + "}\n" +
			`{"_table":"art","id":"a2","title":"two\r\nlines, it's","year":null,"tags":null,"_createdAt":` + ada + "}\n" +
			`{"_table":"zoo","id":"z1","name":"","_createdAt":` + ada + "}\n"},
		{transfer.Request{Format: transfer.NDJSON, Table: "zoo", Bare: true}, `{"_table":"zoo","id":"z1","name":""}` + "\n"},
		{transfer.Request{Format: transfer.CSV, Table: "art"}, "id,title,year,tags,_createdAt,_updatedAt,_createdBy\r\n" +
			`a1,"The ""cry""",1893,"[""x""]",2025-11-23T20:21:00.000Z,2025-11-23T20:21:00.001Z,bob` + "\r\n" +
			"a2,\"two\r\nlines, it's\",,,2025-11-23T20:21:00.000Z,2025-11-23T20:21:00.000Z,ada\r\n"},
		{transfer.Request{Format: transfer.CSV, Table: "zoo", Bare: true}, "id,name\r\nz1,\"\"\r\n"},
		{transfer.Request{Format: transfer.SQL, Table: "zoo"}, `BEGIN TRANSACTION;
CREATE TABLE "zoo" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "_createdAt" TEXT NOT NULL,
  "_updatedAt" TEXT NOT NULL,
  "_createdBy" TEXT NOT NULL
  /* nanotype {"table":"zoo","columns":[{"name":"name","type":"text"}]} */
);
INSERT INTO "zoo" VALUES('z1','','2025-11-23T20:21:00.000Z','2025-11-23T20:21:00.000Z','ada');
COMMIT;
`},
	} {
		if got := string(export(t, room, c.request)); got != c.want {
			t.Errorf("%+v:\n%s\nwant\n%s", c.request, got, c.want)
		}
	}
}

func TestExportZip(t *testing.T) {
	room := small(t)
	data := export(t, room, transfer.Request{Format: transfer.CSV})
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		want := export(t, room, transfer.Request{Format: transfer.CSV, Table: strings.TrimSuffix(f.Name, ".csv")})
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v %s", f.Name, err, got)
		}
	}
	if fmt.Sprint(names) != "[art.csv zoo.csv]" {
		t.Errorf("%v", names)
	}
}

func TestExportRefuses(t *testing.T) {
	room := small(t)
	for _, c := range []struct {
		request transfer.Request
		code    fault.Code
		path    string
	}{
		{transfer.Request{Format: transfer.CSV, Table: "none"}, fault.NotFound, "table"},
		{transfer.Request{Format: transfer.SQLite, Table: "none"}, fault.NotFound, "table"},
		{transfer.Request{Format: transfer.SQL, Bare: true}, fault.Invalid, "meta"},
		{transfer.Request{Format: transfer.SQLite, Bare: true}, fault.Invalid, "meta"},
	} {
		var f *fault.Error
		if err := transfer.Export(t.Context(), room, c.request, io.Discard); !errors.As(err, &f) || f.Code != c.code || f.Path != c.path {
			t.Errorf("%+v: %v", c.request, err)
		}
	}
	for _, name := range []string{"", "CSV", "xml"} {
		if _, err := transfer.ParseFormat(name); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// broken gives its error after some bytes.
type broken struct{ left int }

var errBroken = errors.New("the reader has gone")

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestExportTellsThatItFailed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	room := small(t)
	failing := &failingSource{memory: room}
	for _, format := range transfer.Formats {
		r := transfer.Request{Format: format}
		if err := transfer.Export(t.Context(), room, r, &broken{left: 10}); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", format, err)
		}
		if err := transfer.Export(t.Context(), failing, r, io.Discard); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", format, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := transfer.Export(ctx, room, transfer.Request{Format: transfer.SQLite}, io.Discard); err == nil {
		t.Error("a SQLite file was made though nobody waits for it")
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "nanotype-export-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// failingSource fails at the second row.
type failingSource struct{ *memory }

func (f *failingSource) Scan(ctx context.Context, table string, fn func(*replica.Row) error) error {
	if err := f.memory.Scan(ctx, table, fn); err != nil {
		return err
	}
	return errBroken
}

// Equal content makes equal bytes, whatever the tables' numbers are.
func TestExportIsDeterministic(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		room := anyRoom(t)
		other := &memory{rows: room.rows}
		for i := range room.tables {
			def := room.tables[len(room.tables)-1-i]
			def.Num += 10
			other.tables = append(other.tables, def)
		}
		for _, format := range transfer.Formats {
			r := transfer.Request{Format: format}
			if !bytes.Equal(export(t, room, r), export(t, other, r)) {
				t.Fatalf("%s: two exports of equal content differ", format)
			}
		}
	})
}

// The stock tool opens file and dump, counts the same, keeps the constraints,
// and finds the same in both.
func TestStockSqliteOpensExports(t *testing.T) {
	needSqlite3(t)
	dir := t.TempDir()
	for n := range 12 {
		room := rapid.Custom(anyRoom).Example(n)
		file, loaded := filepath.Join(dir, fmt.Sprint(n, ".sqlite")), filepath.Join(dir, fmt.Sprint(n, ".db"))
		if err := os.WriteFile(file, export(t, room, transfer.Request{Format: transfer.SQLite}), 0o600); err != nil {
			t.Fatal(err)
		}
		sqlite3(t, string(export(t, room, transfer.Request{Format: transfer.SQL})), loaded)
		var counts string
		for _, table := range []string{"zoo", "order", "empty"} {
			counts += fmt.Sprintf("%s|%d\n", table, len(room.rows[table]))
		}
		const count = `SELECT 'zoo',count(*) FROM zoo; SELECT 'order',count(*) FROM "order"; SELECT 'empty',count(*) FROM empty; `
		for _, path := range []string{file, loaded} {
			if got := sqlite3(t, "", path, count+"PRAGMA integrity_check; PRAGMA quick_check;"); got != counts+"ok\nok\n" {
				t.Fatalf("%s: %s, want %s", path, got, counts)
			}
		}
		if dump := sqlite3(t, "", file, ".dump"); dump != sqlite3(t, "", loaded, ".dump") {
			t.Fatalf("file and dump hold different rows: %s", dump)
		}
	}
}

// What an export holds is read back from the file that it is, cell by cell.
func TestSqliteFileComesBack(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		room := anyRoom(t)
		path := filepath.Join(dir, fmt.Sprint(n))
		first := export(t, room, transfer.Request{Format: transfer.SQLite})
		if err := os.WriteFile(path, first, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := plainsqlite.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		back := &memory{tables: r.Tables(), rows: map[string][]replica.Row{}}
		for i := range back.tables {
			name := back.tables[i].Name
			err := r.Rows(context.Background(), name, func(row *replica.Row) error {
				kept := *row
				kept.Values = append([]schema.Value{}, row.Values...)
				back.rows[name] = append(back.rows[name], kept)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, format := range transfer.Formats {
			if again := export(t, back, transfer.Request{Format: format}); !bytes.Equal(again, export(t, room, transfer.Request{Format: format})) {
				t.Fatalf("%s: what was read back is not what was written", format)
			}
		}
	})
}

// many is a table of many rows, made as they are read.
type many struct {
	table schema.Table
	rows  int
}

func (m *many) Tables() []schema.Table { return []schema.Table{m.table} }

func (m *many) Scan(_ context.Context, _ string, fn func(*replica.Row) error) error {
	text := strings.Repeat("text ", 40)
	for i := range m.rows {
		row := replica.Row{ID: fmt.Sprintf("%08d", i), CreatedBy: "ada", Values: []schema.Value{text, int64(i)}}
		if err := fn(&row); err != nil {
			return err
		}
	}
	return nil
}

// watched is a writer that notes the most memory in use.
type watched struct {
	bytes int64
	most  uint64
	calls int
}

func (w *watched) Write(p []byte) (int, error) {
	w.bytes += int64(len(p))
	if w.calls++; w.calls%50 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return len(p), nil
}

func TestExportMemoryIsBounded(t *testing.T) {
	src := &many{rows: manyRows, table: *defineTable(t, &schema.Schema{NextTable: 1}, "many", schema.Shared,
		`{"name":"text","type":"text"}`, `{"name":"n","type":"integer"}`)}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, format := range transfer.Formats {
		var out watched
		if err := transfer.Export(t.Context(), src, transfer.Request{Format: format}, &out); err != nil {
			t.Fatal(err)
		}
		if grown := int64(out.most) - int64(before.HeapAlloc); out.bytes > 1<<20 && grown > 16<<20 {
			t.Errorf("%s: an export of %d bytes took %d of memory", format, out.bytes, grown)
		}
	}
}

func TestFileNames(t *testing.T) {
	for want, r := range map[string]transfer.Request{
		"den-7.sqlite application/vnd.sqlite3":                  {Format: transfer.SQLite},
		"den-7.csv.zip application/zip":                         {Format: transfer.CSV},
		"den-art-7.csv text/csv; charset=utf-8; header=present": {Format: transfer.CSV, Table: "art"},
		"den-7.ndjson application/x-ndjson":                     {Format: transfer.NDJSON},
		"den-art-7.sql application/sql; charset=utf-8":          {Format: transfer.SQL, Table: "art"},
	} {
		if got := r.FileName("den", 7) + " " + r.ContentType(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
