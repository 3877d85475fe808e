package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
	"nanotypedb/shared/transfer"
)

// world is a service over real parts, with room den of ada, editor bob and
// viewer vera.
type world struct {
	testing.TB
	rooms    *room.Engine
	store    store.Store
	service  *transfer.Service
	blobs    blob.Store
	replicas *replica.Cache
}

var (
	ada  = access.Principal{User: identity.User{ID: "ada", Name: "Ada"}}
	bob  = access.Principal{User: identity.User{ID: "bob", Name: "Bob"}}
	vera = access.Principal{User: identity.User{ID: "vera", Name: "Vera"}}
	eve  = access.Principal{User: identity.User{ID: "eve", Name: "Eve"}}
	den  = room.Ref{ID: "den"}
)

func newWorld(t testing.TB) *world {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	must(err)
	st, err := sqlitestore.Open(t.Context(), file)
	must(err)
	blobs, err := dirblob.Open(t.TempDir())
	must(err)
	t.Cleanup(func() {
		must(st.Close())
		must(file.Close())
	})
	w := &world{TB: t, store: st, blobs: blobs}
	w.process(st, blobs)
	_, err = w.rooms.Create(t.Context(), ada, "den", "The den")
	must(err)
	for who, role := range map[string]access.Role{"bob": access.Editor, "vera": access.Viewer} {
		_, err = w.rooms.SetMember(t.Context(), ada, den, who, role)
		must(err)
	}
	return w
}

// process begins the parts of a process over a store and blobs.
func (w *world) process(st store.Store, blobs blob.Store) {
	w.Helper()
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: w.TempDir()})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := replicas.Close(); err != nil {
			w.Error(err)
		}
	})
	w.replicas = replicas
	w.rooms = room.New(room.Options{Store: st, Replicas: replicas, Log: slog.New(slog.DiscardHandler)})
	w.service = transfer.New(transfer.Options{Rooms: w.rooms, Replicas: replicas, Blobs: blobs, Addresses: signedblob.New(blobs, "", nil)})
}

// ops commits operations as somebody.
func (w *world) ops(p access.Principal, ops ...string) {
	w.Helper()
	raw := make([]json.RawMessage, len(ops))
	for i, op := range ops {
		raw[i] = json.RawMessage(op)
	}
	if _, err := w.rooms.Commit(w.Context(), p, den, room.Request{Ops: raw}); err != nil {
		w.Fatal(err)
	}
}

// table makes a table of columns.
func (w *world) table(name, access string, columns ...string) {
	w.Helper()
	w.ops(ada, `{"op":"createTable","table":"`+name+`","access":"`+access+`","columns":[`+strings.Join(columns, ",")+`]}`)
}

// file is an export of one table without who made its rows and when.
func (w *world) file(p access.Principal, format transfer.Format, table string) string {
	w.Helper()
	var out bytes.Buffer
	err := w.rooms.Read(w.Context(), p, den, func(v *room.View) error {
		return transfer.Export(w.Context(), transfer.View(v), transfer.Request{Format: format, Table: table, Bare: true}, &out)
	})
	if err != nil {
		w.Fatal(err)
	}
	return out.String()
}

func (w *world) bring(p access.Principal, im transfer.Import, file string) (*transfer.Report, error) {
	w.Helper()
	if im.Mode == "" {
		im.Mode = transfer.Append
	}
	if im.Table == "" {
		im.Table = "t"
	}
	done, err := w.service.Import(w.Context(), p, den, im, transfer.Input{Body: []byte(file)})
	return done.Report, err
}

// seq is the room's newest seq.
func (w *world) seq() (seq int64) {
	w.Helper()
	if err := w.rooms.Read(w.Context(), ada, den, func(v *room.View) error { seq = v.State().Seq; return nil }); err != nil {
		w.Fatal(err)
	}
	return seq
}

// What is inferred from a file, as the columns of the table that it makes.
func TestInference(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		format transfer.Format
		file   string
		types  map[string]string
		want   string
	}{
		"csv types": {transfer.CSV, "b,i,n,d,t,j,x\ntrue,1,1.5,2026-11-23,2026-11-23T20:21:00Z,\"{\"\"a\"\":1}\",x\nFALSE,-2,2,2026-02-28,2026-11-23T20:21:00+01:00,[],\n,,,,,,\n", nil,
			"b boolean, i integer, n number, d date, t timestamp, j json, x text"},
		"csv texts": {transfer.CSV, "zip,big,mixed,empty,quoted,day,brace\n007,9007199254740993,1,,\"\",2026-02-30,{\n12,1,x,,\"\",2026-01-01,{}\n", nil,
			"zip text, big text, mixed text, empty text, quoted text, day text, brace text"},
		"csv enum": {transfer.CSV, "kind,n\nb,1\na,2\n\"\",3\nb,4\n", map[string]string{"kind": "enum", "n": "number"}, "kind enum [b a], n number"},
		"ndjson types": {transfer.NDJSON, `{"b":true,"i":1,"n":1.5,"d":"2026-11-23","t":"2026-11-23T20:21:00Z","j":{"a":1},"x":"x"}` + "\n" +
			`{"b":null,"i":2,"n":2,"j":[],"late":"2026-11-23"}` + "\n\n" + `{"x":"2026-11-23"}`, nil,
			"b boolean, i integer, n number, d date, t timestamp, j json, x text, late date"},
		"ndjson mixed": {transfer.NDJSON, `{"a":1,"b":"x","c":true}` + "\n" + `{"a":"x","b":{},"c":1}`, nil, "a json, b json, c json"},
		"names":        {transfer.CSV, "E-Mail Address,  Größe (cm) ,id,_createdAt,2nd\n", nil, "e_mail_address text, gr_e_cm text, nd text"},
		"no rows":      {transfer.CSV, "a,b\n", nil, "a text, b text"},
		"only ids":     {transfer.CSV, "id\nx\n", nil, ""},
		"semicolons":   {transfer.CSV, "\ufeffa;b\r\n1,5;2\r\n", nil, "a text, b integer"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := w.bring(bob, transfer.Import{Format: c.format, Create: true, DryRun: true, Types: c.types}, c.file)
			if err != nil || report.ErrorCount > 0 {
				t.Fatal(err, report)
			}
			var got []string
			for _, raw := range report.Columns {
				var col struct {
					Name, Type string
					Values     []string
				}
				if err := json.Unmarshal(raw, &col); err != nil {
					t.Fatal(err)
				}
				text := col.Name + " " + col.Type
				if len(col.Values) > 0 {
					text += fmt.Sprint(" ", col.Values)
				}
				got = append(got, text)
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("%s, want %s", strings.Join(got, ", "), c.want)
			}
		})
	}
	if w.seq() != 3 {
		t.Error("dry runs changed the room")
	}
}

// strict is a table in which most things are wrong.
var strict = []string{
	`{"name":"title","type":"text","required":true,"maxLength":5}`, `{"name":"n","type":"integer","max":10}`, `{"name":"r","type":"number"}`,
	`{"name":"b","type":"boolean"}`, `{"name":"at","type":"timestamp"}`, `{"name":"day","type":"date"}`, `{"name":"j","type":"json"}`,
	`{"name":"kind","type":"enum","values":["x","y"]}`, `{"name":"code","type":"text","unique":true}`, `{"name":"status","type":"text","required":true,"default":"new"}`,
}

// Everything that is wrong is told, each with its line, column and value, and
// nothing is imported.
func TestProblems(t *testing.T) {
	w := newWorld(t)
	w.table("t", "shared", strict...)
	w.ops(ada, `{"op":"insert","table":"t","id":"old","row":{"title":"old","code":"taken"}}`)
	csv := func(header, record string) string { return "title," + header + "\nok," + record + "\n" }
	for name, c := range map[string]struct {
		format transfer.Format
		file   string
		want   string // line column value: reason
	}{
		"integer":          {transfer.CSV, csv("n", "x"), `2 n x: n must be a whole number`},
		"fraction":         {transfer.CSV, csv("n", "1.5"), `2 n 1.5: n must be a whole number`},
		"above max":        {transfer.CSV, csv("n", "11"), `2 n 11: n must be at most 10`},
		"number":           {transfer.CSV, csv("r", "1e999"), `2 r 1e999: r must be a finite number`},
		"comma":            {transfer.CSV, csv("r", `"1,5"`), `2 r 1,5: r must be a number`},
		"boolean":          {transfer.CSV, csv("b", "yes"), `2 b yes: b must be true or false`},
		"timestamp":        {transfer.CSV, csv("at", "yesterday"), `2 at yesterday: at must be an RFC 3339 time`},
		"date":             {transfer.CSV, csv("day", "2026-02-30"), `2 day 2026-02-30: day must be a date`},
		"json":             {transfer.CSV, csv("j", "{"), `2 j {: `},
		"enum":             {transfer.CSV, csv("kind", "z"), `2 kind z: kind must be one of x, y`},
		"too long":         {transfer.CSV, "title\ntoolong\n", `2 title toolong: title must have at most 5 characters`},
		"required":         {transfer.CSV, "title,n\n,1\n", `2 title : title is required`},
		"required column":  {transfer.CSV, "n\n1\n", `1 title : The column title is required`},
		"required missing": {transfer.NDJSON, `{"title":"a"}` + "\n" + `{"n":1}`, `2 title : title is required`},
		"not UTF-8":        {transfer.CSV, csv("code", "\xff"), "2 code \ufffd: The value is not UTF-8"},
		"NUL":              {transfer.CSV, csv("code", "\x00"), "2 code \x00: code must not contain"},
		"row id":           {transfer.CSV, csv("id", "a b"), `2 id a b: A row id is`},
		"id twice":         {transfer.CSV, "id,title\na,a\nb,b\na,c\n", `4 id a: The row in line 2 has this id already`},
		"id taken":         {transfer.CSV, csv("id", "old"), `2 id old: A row of the table has this id already`},
		"unique twice":     {transfer.CSV, "code,title\n1,a\n,b\n1,c\n", `4 code 1: code is unique, and the row in line 2`},
		"ragged":           {transfer.CSV, "title,n\na\n", `2  : The row has 1 fields, and the header 2`},
		"ragged long":      {transfer.CSV, "title,n\na,1,2\n", `2  : The row has 3 fields`},
		"open quote":       {transfer.CSV, "title,n\nok,1\n\"a,1\n\n", `3  : The file cannot be read further: a quote is not closed`},
		"quote inside":     {transfer.CSV, "title,n\na\"b,1\n", `2  : The file cannot be read further`},
		"large row":        {transfer.CSV, csv("j", `"""`+strings.Repeat("x", 65<<10)+`"""`), "2  : The row has 66573 bytes"},
		"large record":     {transfer.CSV, csv("j", `"`+strings.Repeat("x", 2<<20)+`"`), "2  : The file cannot be read further: the record is longer"},
		"two for one":      {transfer.CSV, "title,Title\na,b\n", `1 Title : The columns "title" and "Title" both go to title`},
		"no object":        {transfer.NDJSON, "[1]\n", "1  [1]: The line must be a JSON object"},
		"no JSON":          {transfer.NDJSON, `{"title":"a"` + "\n", "1  : The line is no JSON object"},
		"key twice":        {transfer.NDJSON, `{"title":"a","title":"b"}` + "\n", "1  : The line is no JSON object"},
		"other type":       {transfer.NDJSON, `{"title":5}` + "\n", "1 title 5: title must be text"},
		"text for number":  {transfer.NDJSON, `{"title":"a","n":"5"}` + "\n", `1 n "5": n must be a whole number`},
		"line too long":    {transfer.NDJSON, `{"title":"a"}` + "\n" + `{"j":"` + strings.Repeat("x", 2<<20) + "\"}\n", "2  : The line is longer than"},
		"bad line":         {transfer.NDJSON, "{\"title\":\"\xff\"}\n", "1  : The line is not UTF-8"},
		"several tables":   {transfer.NDJSON, `{"_table":"a","title":"a"}` + "\n" + `{"_table":"b","title":"b"}`, `2 _table "b": The file has rows of several tables`},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.seq()
			report, err := w.bring(bob, transfer.Import{Format: c.format, DryRun: true}, c.file)
			if err != nil || report.ErrorCount != 1 || len(report.Errors) != 1 {
				t.Fatalf("%v %+v", err, report)
			}
			p := report.Errors[0]
			if got := fmt.Sprintf("%d %s %s: %s", p.Line, p.Column, p.Value, p.Reason); !strings.HasPrefix(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
			var f *fault.Error
			_, err = w.bring(bob, transfer.Import{Format: c.format}, c.file)
			if !errors.As(err, &f) || f.Code != fault.Invalid || f.Details["errorCount"] != int64(1) || !strings.Contains(f.Reason, fmt.Sprintf("line %d", p.Line)) {
				t.Errorf("%v", err)
			}
			if w.seq() != before {
				t.Error("something was imported")
			}
		})
	}
}

func TestFilesThatAreNone(t *testing.T) {
	w := newWorld(t)
	w.table("t", "shared", strict...)
	for name, c := range map[string]struct{ file, says string }{
		"empty":         {"", "The file is empty"},
		"only a BOM":    {"\ufeff", "The file is empty"},
		"UTF-16 LE":     {"\xff\xfet\x00i\x00", "UTF-16"},
		"UTF-16 BE":     {"\xfe\xff\x00t", "UTF-16"},
		"UTF-16 no BOM": {"t\x00i\x00", "UTF-16"},
		"xlsx":          {"PK\x03\x04rest", "spreadsheet"},
		"gzip":          {"\x1f\x8b\x08\x00", "compressed"},
		"SQLite":        {"SQLite format 3\x00", "SQLite"},
		"bad header":    {"a,\xff\n", "The name of column 2 is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.bring(bob, transfer.Import{Format: transfer.CSV}, c.file); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A report tells the first errors and counts all.
func TestReportIsBounded(t *testing.T) {
	w := newWorld(t)
	w.table("t", "shared", `{"name":"n","type":"integer"}`)
	report, err := w.bring(bob, transfer.Import{Format: transfer.CSV, DryRun: true}, "n\n"+strings.Repeat("x\n", 250)+strings.Repeat("1\n", 250))
	if err != nil || report.ErrorCount != 250 || len(report.Errors) != 100 || report.Rows != 500 || len(report.Preview) != 50 {
		t.Errorf("%v: %d errors, %d shown, %d rows, %d shown", err, report.ErrorCount, len(report.Errors), report.Rows, len(report.Preview))
	}
}

func TestWhoMayImport(t *testing.T) {
	w := newWorld(t)
	w.table("t", "own", `{"name":"n","type":"integer"}`)
	for _, c := range []struct {
		who  access.Principal
		mode transfer.Mode
		want fault.Code
	}{
		{eve, transfer.Append, fault.NotFound}, {vera, transfer.Append, fault.Forbidden}, {bob, transfer.Append, ""}, {ada, transfer.Append, ""},
		{eve, transfer.Replace, fault.NotFound}, {vera, transfer.Replace, fault.Forbidden}, {bob, transfer.Replace, fault.Forbidden}, {ada, transfer.Replace, ""},
	} {
		for _, dryRun := range []bool{true, false} {
			_, err := w.bring(c.who, transfer.Import{Format: transfer.CSV, Mode: c.mode, DryRun: dryRun}, "n\n1\n")
			if fault.CodeOf(err) != c.want {
				t.Errorf("%s %s: %v", c.who.User.ID, c.mode, err)
			}
		}
	}
}

// A replacement changes only what differs: rows of the same id stay, with who
// made them.
func TestReplaceKeepsRows(t *testing.T) {
	w := newWorld(t)
	w.table("t", "shared", `{"name":"code","type":"text","unique":true}`, `{"name":"n","type":"integer"}`)
	w.ops(bob, `{"op":"insert","table":"t","id":"same","row":{"code":"a","n":1}}`, `{"op":"insert","table":"t","id":"gone","row":{"code":"b"}}`,
		`{"op":"insert","table":"t","id":"swap","row":{"code":"c"}}`)
	before := w.seq()
	report, err := w.bring(ada, transfer.Import{Format: transfer.CSV, Mode: transfer.Replace}, "id,code,n\nsame,a,1\nswap,b,\nnew,c,2\n")
	if err != nil || report.Seq != before+1 {
		t.Fatal(err, report)
	}
	if got := w.file(ada, transfer.CSV, "t"); got != "id,code,n\r\nnew,c,2\r\nsame,a,1\r\nswap,b,\r\n" {
		t.Errorf("%s", got)
	}
	err = w.rooms.Read(t.Context(), ada, den, func(v *room.View) error {
		return v.Scan(t.Context(), "t", func(row *replica.Row) error {
			want := map[string]struct {
				by      string
				version int64
			}{"same": {"bob", before}, "swap": {"bob", before + 1}, "new": {"ada", before + 1}}[row.ID]
			if row.CreatedBy != want.by || row.Version != want.version {
				t.Errorf("%s is of %s at %d", row.ID, row.CreatedBy, row.Version)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.bring(ada, transfer.Import{Format: transfer.CSV, Mode: transfer.Replace}, "id,code,n\nsame,a,1\nswap,b,\nnew,c,2\n")
	if err != nil || again.Seq != before+1 || w.seq() != before+1 {
		t.Errorf("the same again made a commit: %v %+v", err, again)
	}
}

// What the room refuses is told by the line of the file.
func TestRefusalsOfTheRoomAreInLines(t *testing.T) {
	w := newWorld(t)
	w.table("t", "own", `{"name":"code","type":"text","unique":true}`)
	w.ops(ada, `{"op":"insert","table":"t","id":"hers","row":{"code":"x"}}`)
	for file, want := range map[string]transfer.Problem{
		"id,Code\na,1\nhers,2\n": {Line: 3, Column: "id"},
		"id,Code\na,1\nb,x\n":    {Line: 3, Column: "Code"},
	} {
		_, err := w.bring(bob, transfer.Import{Format: transfer.CSV}, file)
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != fault.Conflict {
			t.Fatalf("%q: %v", file, err)
		}
		got := f.Details["errors"].([]transfer.Problem)[0]
		if got.Line != want.Line || got.Column != want.Column || strings.Contains(got.Reason, "hers") {
			t.Errorf("%q: %+v", file, got)
		}
	}
}

// What was exported and imported again is exported the same, byte for byte.
func TestRoundTrip(t *testing.T) {
	w := newWorld(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		w := &world{TB: w.TB, rooms: w.rooms, service: w.service}
		from, to := fmt.Sprintf("from%d", n), fmt.Sprintf("to%d", n)
		w.table(from, "shared", columns...)
		w.table(to, "shared", columns...)
		var ops []string
		for i := range rapid.IntRange(1, 4).Draw(t, "rows") {
			row, err := json.Marshal(anyRow(t, i))
			if err != nil {
				t.Fatal(err)
			}
			ops = append(ops, fmt.Sprintf(`{"op":"insert","table":%q,"id":"r%d","row":%s}`, from, i, row))
		}
		w.ops(ada, ops...)
		format := rapid.SampledFrom([]transfer.Format{transfer.CSV, transfer.NDJSON}).Draw(t, "format")
		mode := rapid.SampledFrom([]transfer.Mode{transfer.Append, transfer.Replace}).Draw(t, "mode")
		want := w.file(ada, format, from)
		if _, err := w.bring(ada, transfer.Import{Table: to, Format: format, Mode: mode}, want); err != nil {
			t.Fatal(err)
		}
		if got := w.file(ada, format, to); strings.ReplaceAll(got, to, from) != want {
			t.Fatalf("%s\nwas exported\n%s", want, got)
		}
		w.ops(ada, `{"op":"dropTable","table":"`+from+`"}`, `{"op":"dropTable","table":"`+to+`"}`)
	})
}

// A table that a file makes holds what the file holds.
func TestCreateHoldsTheFile(t *testing.T) {
	w := newWorld(t)
	const file = "id,name,n,ok,day\r\na,Ä,1,true,2026-01-01\r\nb,\"x,\"\"y\"\"\",2.5,false,\r\n"
	report, err := w.bring(bob, transfer.Import{Table: "made", Format: transfer.CSV, Create: true}, file)
	if err != nil || report.Rows != 2 {
		t.Fatal(err, report)
	}
	if got := w.file(vera, transfer.CSV, "made"); got != file {
		t.Errorf("%q", got)
	}
	if _, err := w.bring(bob, transfer.Import{Table: "Bad Name", Format: transfer.CSV, Create: true}, file); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
	if _, err := w.bring(bob, transfer.Import{Table: "x", Format: transfer.CSV, Create: true, Types: map[string]string{"name": "varchar"}}, file); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

func FuzzImport(f *testing.F) {
	for _, seed := range []string{"title,n\na,1\n", "{\"title\":\"a\",\"n\":1}\n", "a\"b", "\ufeffid;title\n1;2", "{\"_table\":\"x\"}", "{\"a\":{\"b\":[1,2]}}\nnull"} {
		f.Add([]byte(seed), true, false)
		f.Add([]byte(seed), false, true)
	}
	w := newWorld(f)
	w.table("t", "shared", strict...)
	before := w.seq()
	f.Fuzz(func(t *testing.T, data []byte, csv, create bool) {
		im := transfer.Import{Table: "t", Format: transfer.NDJSON, Mode: transfer.Append, DryRun: true, Create: create}
		if csv {
			im.Format = transfer.CSV
		}
		if create {
			im.Table = "made"
		}
		done, err := w.service.Import(context.Background(), bob, den, im, transfer.Input{Body: data})
		if err != nil && fault.CodeOf(err) == fault.Internal {
			t.Fatalf("%v", err)
		}
		if err == nil && int64(len(done.Report.Errors)) > done.Report.ErrorCount {
			t.Fatalf("%+v", done.Report)
		}
	})
	if w.seq() != before {
		f.Error("something changed")
	}
}
