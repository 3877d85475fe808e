package promises

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// Promise 8: bad input of any kind gets a clear error and changes nothing.

// numbers are the JSON-RPC numbers of the codes, statuses those of HTTP.
var (
	numbers = map[string]int{
		"invalid": -32602, "forbidden": 4003, "not_found": 4004, "conflict": 4009, "too_large": 4013,
	}
	httpStatuses = map[string]int{
		"invalid": 400, "unauthenticated": 401, "forbidden": 403, "not_found": 404, "conflict": 409, "too_large": 413,
	}
)

// refusalWorld is room den with rows, in which bob is an editor.
type refusalWorld struct {
	*testing.T
	p        *process
	ada, bob *person
	socket   *socket // bob's
	before   string
}

func newRefusalWorld(t *testing.T) *refusalWorld {
	t.Helper()
	w := &refusalWorld{T: t, p: launch(t, filepath.Join(t.TempDir(), "data"))}
	w.ada, w.bob = w.p.signIn(t, "ada"), w.p.signIn(t, "bob")
	w.ada.room(t, "den")
	w.ada.must(t, "PUT", "/v1/rooms/den/members/"+w.bob.id, map[string]string{"role": "editor"})
	body := func(text string) map[string]any {
		var ops map[string]any
		if err := json.Unmarshal([]byte(text), &ops); err != nil {
			t.Fatal(err)
		}
		return ops
	}
	w.ada.must(t, "POST", "/v1/rooms/den/commits", body(`{"ops":[{"op":"createTable","table":"typed","columns":[
		{"name":"t","type":"text","maxLength":5},{"name":"i","type":"integer","min":0,"max":10},{"name":"n","type":"number"},
		{"name":"b","type":"boolean"},{"name":"ts","type":"timestamp"},{"name":"d","type":"date"},{"name":"j","type":"json"},
		{"name":"e","type":"enum","values":["x","y"]},{"name":"u","type":"text","unique":true}]},
		{"op":"createTable","table":"notes","access":"own","columns":[{"name":"text","type":"text"}]},
		{"op":"insert","table":"typed","id":"u1","row":{"u":"taken","t":"same"}},
		{"op":"insert","table":"typed","id":"u2","row":{"t":"same"}}]}`))
	w.ada.must(t, "POST", "/v1/rooms/den/commits", body(`{"commitId":"used","ops":[{"op":"insert","table":"tasks","id":"t1","row":{"title":"First"}}]}`))
	w.bob.must(t, "POST", "/v1/rooms/den/commits", body(`{"commitId":"bobs","ops":[{"op":"insert","table":"tasks","id":"t2","row":{"title":"Second"}}]}`))
	w.socket = w.bob.socket(t, "den")
	w.before = w.state()
	return w
}

// state is everything of the room, as bytes: its seq, members, schema and rows.
func (w *refusalWorld) state() string {
	w.Helper()
	var all strings.Builder
	for _, path := range []string{"", "/members", "/schema", "/tables/tasks/rows", "/tables/typed/rows", "/tables/notes/rows"} {
		status, _, text := w.ada.send(w.T, "GET", "/v1/rooms/den"+path, "", "")
		if status != 200 {
			w.Fatalf("%s: %d %s", path, status, text)
		}
		all.WriteString(text)
	}
	return vectorState.ReplaceAllString(all.String(), "")
}

// vectorState is what changes by itself: embeddings are no data.
var vectorState = regexp.MustCompile(`"_vector":"[a-z]+",`)

// unchanged complains when the room is not as it was.
func (w *refusalWorld) unchanged(what string) {
	w.Helper()
	if after := w.state(); after != w.before {
		w.Errorf("%s changed the room from\n%s\nto\n%s", what, w.before, after)
		w.before = after
	}
}

// http wants a problem over HTTP.
func (w *refusalWorld) http(what string, who *person, method, path, contentType, body string, status int, code, at string) {
	w.Helper()
	got, header, text := who.send(w.T, method, path, contentType, body)
	var p problem
	if err := json.Unmarshal([]byte(text), &p); err != nil || header.Get("Content-Type") != "application/problem+json" {
		w.Errorf("%s: no problem document: %d %s", what, got, text)
	}
	if got != status || p.Status != status || p.Code != code || p.Path != at || p.Detail == "" {
		w.Errorf("%s: %d %s at %q, want %d %s at %q: %.300s", what, got, p.Code, p.Path, status, code, at, text)
	}
	w.unchanged(what)
}

// call wants a refusal over the socket, which goes on.
func (w *refusalWorld) call(what, method, params, code, at string) {
	w.Helper()
	w.raw(what, "7", fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":%s}`, method, params), numbers[code], code, at)
}

func (w *refusalWorld) raw(what, id, frame string, number int, code, at string) {
	w.Helper()
	m, err := w.socket.raw(w.Context(), id, frame)
	if err != nil {
		w.Fatalf("%s: %v", what, err)
	}
	if m.Error == nil {
		w.Errorf("%s: it was answered with %.300s", what, m.Result)
	} else if m.Error.Code != number || m.Error.Data.Code != code || m.Error.Data.Path != at || m.Error.Message == "" || m.Error.Data.Reason == "" {
		w.Errorf("%s: %d %s at %q, want %d %s at %q: %v", what, m.Error.Code, m.Error.Data.Code, m.Error.Data.Path, number, code, at, m.Error)
	}
	w.unchanged(what)
}

// commitRefusals are commits that are refused alike over HTTP and over a
// socket.
var commitRefusals = []struct{ name, body, code, path string }{
	// The request.
	{"no ops", `{}`, "invalid", "ops"},
	{"null ops", `{"ops":null}`, "invalid", "ops"},
	{"empty ops", `{"ops":[]}`, "invalid", "ops"},
	{"ops of text", `{"ops":"x"}`, "invalid", "ops"},
	{"ops of an object", `{"ops":{"op":"delete"}}`, "invalid", "ops"},
	{"an unknown field", `{"colour":1,"ops":[` + good + `]}`, "invalid", "colour"},
	{"a field in capitals", `{"Ops":[` + good + `]}`, "invalid", "Ops"},
	{"a field twice", `{"ops":[` + good + `],"ops":[` + good + `]}`, "invalid", "ops"},
	{"1,001 operations", `{"ops":[` + strings.Repeat(`{"op":"delete"},`, 1000) + `{"op":"delete"}]}`, "too_large", "ops"},

	// commitId and ifSeq.
	{"a commitId of a number", `{"commitId":5,"ops":[` + good + `]}`, "invalid", "commitId"},
	{"a commitId too long", `{"commitId":"` + strings.Repeat("x", 129) + `","ops":[` + good + `]}`, "invalid", "commitId"},
	{"a commitId with a line break", `{"commitId":"a\nb","ops":[` + good + `]}`, "invalid", "commitId"},
	{"a commitId beyond ASCII", `{"commitId":"é","ops":[` + good + `]}`, "invalid", "commitId"},
	{"a commitId too old", `{"commitId":"01ARZ3NDEKTSV4RRFFQ69G5FAV","ops":[` + good + `]}`, "conflict", "commitId"},
	{"a commitId used for something else", `{"commitId":"bobs","ops":[` + good + `]}`, "conflict", "commitId"},
	{"an ifSeq that is past", `{"ifSeq":1,"ops":[` + good + `]}`, "conflict", "ifSeq"},
	{"an ifSeq to come", `{"ifSeq":1000,"ops":[` + good + `]}`, "conflict", "ifSeq"},
	{"a negative ifSeq", `{"ifSeq":-1,"ops":[` + good + `]}`, "invalid", "ifSeq"},
	{"an ifSeq of text", `{"ifSeq":"4","ops":[` + good + `]}`, "invalid", "ifSeq"},
	{"a broken ifSeq", `{"ifSeq":4.5,"ops":[` + good + `]}`, "invalid", "ifSeq"},

	// Operations.
	{"a number for an operation", `{"ops":[1]}`, "invalid", "ops[0]"},
	{"no op", `{"ops":[{"table":"tasks","row":{}}]}`, "invalid", "ops[0].op"},
	{"an unknown op", `{"ops":[{"op":"upsert","table":"tasks"}]}`, "invalid", "ops[0].op"},
	{"an op in capitals", `{"ops":[{"op":"INSERT","table":"tasks","row":{"title":"x"}}]}`, "invalid", "ops[0].op"},
	{"an op of a number", `{"ops":[{"op":1}]}`, "invalid", "ops[0].op"},
	{"an op of members", `{"ops":[{"op":"member","user":"bob","role":"owner"}]}`, "invalid", "ops[0].op"},
	{"an unknown field of an operation", `{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"},"colour":1}]}`, "invalid", "ops[0].colour"},
	{"ifVersion of an insert", `{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"},"ifVersion":1}]}`, "invalid", "ops[0].ifVersion"},
	{"an insert without a row", `{"ops":[{"op":"insert","table":"tasks"}]}`, "invalid", "ops[0].row"},
	{"an update without an id", `{"ops":[{"op":"update","table":"tasks","set":{}}]}`, "invalid", "ops[0].id"},
	{"an update without set", `{"ops":[{"op":"update","table":"tasks","id":"t1"}]}`, "invalid", "ops[0].set"},
	{"a delete without a table", `{"ops":[{"op":"delete","id":"t1"}]}`, "invalid", "ops[0].table"},
	{"a table of a number", `{"ops":[{"op":"delete","table":1,"id":"t1"}]}`, "invalid", "ops[0].table"},
	{"an unknown table", `{"ops":[{"op":"delete","table":"none","id":"t1"}]}`, "not_found", "ops[0].table"},
	{"a table with no good name", `{"ops":[{"op":"delete","table":"../x","id":"t1"}]}`, "not_found", "ops[0].table"},
	{"a wrong operation after good ones", `{"ops":[` + good + `,{"op":"delete","table":"tasks","id":"t1"},{"op":"delete","table":"tasks","id":"never"}]}`, "not_found", "ops[2].id"},

	// Rows and their ids.
	{"a row id with a space", row("tasks", `"a b"`, `"title":"x"`), "invalid", "ops[0].id"},
	{"an empty row id", row("tasks", `""`, `"title":"x"`), "invalid", "ops[0].id"},
	{"a row id too long", row("tasks", `"`+strings.Repeat("x", 65)+`"`, `"title":"x"`), "invalid", "ops[0].id"},
	{"a row id of a number", row("tasks", `7`, `"title":"x"`), "invalid", "ops[0].id"},
	{"a row id that is taken", row("tasks", `"t1"`, `"title":"x"`), "conflict", "ops[0].id"},
	{"a row id twice", `{"ops":[` + good + `,` + good + `]}`, "conflict", "ops[1].id"},
	{"a row of text", `{"ops":[{"op":"insert","table":"tasks","row":"x"}]}`, "invalid", "ops[0].row"},
	{"an unknown column", row("tasks", `"a"`, `"title":"x","colour":"red"`), "invalid", "ops[0].row.colour"},
	{"a column of the system", row("tasks", `"a"`, `"title":"x","_version":1`), "invalid", "ops[0].row._version"},
	{"the id in the row", row("tasks", `"a"`, `"title":"x","id":"b"`), "invalid", "ops[0].row.id"},
	{"a column twice", row("tasks", `"a"`, `"title":"x","title":"y"`), "invalid", "ops[0]"},
	{"a required column left out", row("tasks", `"a"`, ``), "invalid", "ops[0].row.title"},
	{"a required column null", row("tasks", `"a"`, `"title":null`), "invalid", "ops[0].row.title"},
	{"a required column set to null", set("t1", `"title":null`), "invalid", "ops[0].set.title"},
	{"an unknown column set", set("t1", `"colour":1`), "invalid", "ops[0].set.colour"},
	{"a row that is not there updated", set("never", `"title":"x"`), "not_found", "ops[0].id"},
	{"a stale ifVersion", `{"ops":[{"op":"update","table":"tasks","id":"t1","set":{"title":"x"},"ifVersion":1}]}`, "conflict", "ops[0].ifVersion"},
	{"a stale ifVersion of a delete", `{"ops":[{"op":"delete","table":"tasks","id":"t1","ifVersion":999}]}`, "conflict", "ops[0].ifVersion"},
	{"a negative ifVersion", `{"ops":[{"op":"delete","table":"tasks","id":"t1","ifVersion":-1}]}`, "invalid", "ops[0].ifVersion"},
	{"an ifVersion of text", `{"ops":[{"op":"delete","table":"tasks","id":"t1","ifVersion":"3"}]}`, "invalid", "ops[0].ifVersion"},
	{"a broken ifVersion", `{"ops":[{"op":"delete","table":"tasks","id":"t1","ifVersion":3.5}]}`, "invalid", "ops[0].ifVersion"},

	// Values of every type.
	{"text of a number", cell("t", `5`), "invalid", "ops[0].row.t"},
	{"text too long", cell("t", `"sechse"`), "invalid", "ops[0].row.t"},
	{"text too long in code points", cell("t", `"ééééé🙂"`), "invalid", "ops[0].row.t"},
	{"text with U+0000", cell("t", `"a\u0000"`), "invalid", "ops[0].row.t"},
	{"a title too long", row("tasks", `"a"`, `"title":"`+strings.Repeat("x", 501)+`"`), "invalid", "ops[0].row.title"},
	{"an integer of text", cell("i", `"5"`), "invalid", "ops[0].row.i"},
	{"a broken integer", cell("i", `1.5`), "invalid", "ops[0].row.i"},
	{"an integer above max", cell("i", `11`), "invalid", "ops[0].row.i"},
	{"an integer below min", cell("i", `-1`), "invalid", "ops[0].row.i"},
	{"an integer beyond 2^53", cell("i", `9007199254740993`), "invalid", "ops[0].row.i"},
	{"a number of text", cell("n", `"1"`), "invalid", "ops[0].row.n"},
	{"a number beyond floats", cell("n", `1e999`), "invalid", "ops[0].row.n"},
	{"a boolean of a number", cell("b", `1`), "invalid", "ops[0].row.b"},
	{"a timestamp of nonsense", cell("ts", `"yesterday"`), "invalid", "ops[0].row.ts"},
	{"a timestamp without a zone", cell("ts", `"2026-11-23T20:21:00"`), "invalid", "ops[0].row.ts"},
	{"a day that is not", cell("d", `"2026-02-30"`), "invalid", "ops[0].row.d"},
	{"a date with a time", cell("d", `"2026-02-03T00:00:00Z"`), "invalid", "ops[0].row.d"},
	{"an enum outside", cell("e", `"z"`), "invalid", "ops[0].row.e"},
	{"an enum of a number", cell("e", `0`), "invalid", "ops[0].row.e"},
	{"json with a number beyond floats", cell("j", `{"a":1e999}`), "invalid", "ops[0].row.j"},
	{"json with U+0000", cell("j", `["\u0000"]`), "invalid", "ops[0].row.j"},
	{"a unique value that is taken", cell("u", `"taken"`), "conflict", "ops[0].row.u"},
	{"a unique value twice in a commit", `{"ops":[{"op":"insert","table":"typed","row":{"u":"new"}},{"op":"insert","table":"typed","row":{"u":"new"}}]}`, "conflict", "ops[0].row.u"},
	{"a unique value that is taken, set", `{"ops":[{"op":"update","table":"typed","id":"u2","set":{"u":"taken"}}]}`, "conflict", "ops[0].set.u"},

	// Tables.
	{"a table name with a capital", table("Bad", `{"name":"x","type":"text"}`), "invalid", "ops[0].table"},
	{"a table name too long", table(strings.Repeat("x", 64), `{"name":"x","type":"text"}`), "invalid", "ops[0].table"},
	{"an empty table name", table("", `{"name":"x","type":"text"}`), "invalid", "ops[0].table"},
	{"a table that exists", table("tasks", `{"name":"x","type":"text"}`), "conflict", "ops[0].table"},
	{"columns of text", `{"ops":[{"op":"createTable","table":"new","columns":"x"}]}`, "invalid", "ops[0].columns"},
	{"a column of text", table("new", `"x"`), "invalid", "ops[0].columns[0]"},
	{"a column without a name", table("new", `{"type":"text"}`), "invalid", "ops[0].columns[0].name"},
	{"a column named id", table("new", `{"name":"id","type":"text"}`), "invalid", "ops[0].columns[0].name"},
	{"a column without a type", table("new", `{"name":"x"}`), "invalid", "ops[0].columns[0].type"},
	{"an unknown type", table("new", `{"name":"x","type":"blob"}`), "invalid", "ops[0].columns[0].type"},
	{"an unknown option", table("new", `{"name":"x","type":"text","index":true}`), "invalid", "ops[0].columns[0].index"},
	{"a column twice in a table", table("new", `{"name":"x","type":"text"},{"name":"x","type":"text"}`), "conflict", "ops[0].columns[1].name"},
	{"an enum without values", table("new", `{"name":"x","type":"enum"}`), "invalid", "ops[0].columns[0].values"},
	{"a default that does not fit", table("new", `{"name":"x","type":"integer","default":"a"}`), "invalid", "ops[0].columns[0].default"},
	{"min above max", table("new", `{"name":"x","type":"integer","min":2,"max":1}`), "invalid", "ops[0].columns[0].min"},
	{"embed of an integer", table("new", `{"name":"x","type":"integer","embed":true}`), "invalid", "ops[0].columns[0].embed"},
	{"maxLength of an integer", table("new", `{"name":"x","type":"integer","maxLength":1}`), "invalid", "ops[0].columns[0].maxLength"},
	{"101 columns", table("new", columns(101)), "too_large", "ops[0].columns"},
	{"access by an editor", `{"ops":[{"op":"createTable","table":"new","columns":[{"name":"x","type":"text"}],"access":"own"}]}`, "forbidden", "ops[0].access"},
	{"an unknown access", `{"ops":[{"op":"createTable","table":"new","columns":[{"name":"x","type":"text"}],"access":"mine"}]}`, "invalid", "ops[0].access"},
	{"an own table changed by an editor", `{"ops":[{"op":"alterTable","table":"notes","drop":["text"]}]}`, "forbidden", "ops[0].table"},
	{"an own table dropped by an editor", `{"ops":[{"op":"dropTable","table":"notes"}]}`, "forbidden", "ops[0].table"},
	{"an unknown table dropped", `{"ops":[{"op":"dropTable","table":"none"}]}`, "not_found", "ops[0].table"},
	{"an unknown table altered", alter("none", `"drop":["x"]`), "not_found", "ops[0].table"},
	{"an alteration of nothing", `{"ops":[{"op":"alterTable","table":"typed"}]}`, "invalid", "ops[0]"},
	{"an unknown column dropped", alter("typed", `"drop":["x"]`), "not_found", "ops[0].drop[0]"},
	{"a column added that exists", alter("typed", `"add":[{"name":"t","type":"text"}]`), "conflict", "ops[0].add[0].name"},
	{"an unknown column renamed", alter("typed", `"rename":{"x":"y"}`), "not_found", "ops[0].rename.x"},
	{"a column renamed to one that exists", alter("typed", `"rename":{"t":"u"}`), "conflict", "ops[0].rename.t"},
	{"a column renamed to no name", alter("typed", `"rename":{"t":"T!"}`), "invalid", "ops[0].rename.t"},
	{"an unknown column changed", alter("typed", `"change":[{"name":"x","type":"text"}]`), "not_found", "ops[0].change[0].name"},
	{"a type that rows do not convert to", alter("typed", `"change":[{"name":"t","type":"integer"}]`), "conflict", "ops[0].change[0]"},
	{"a maxLength that rows exceed", alter("typed", `"change":[{"name":"t","type":"text","maxLength":2}]`), "conflict", "ops[0].change[0]"},
	{"unique where rows are equal", alter("typed", `"change":[{"name":"t","type":"text","unique":true}]`), "conflict", "ops[0].change.t"},
	{"a required column without a default", alter("typed", `"add":[{"name":"must","type":"text","required":true}]`), "conflict", "ops[0].add"},
	{"a table renamed to one that exists", alter("typed", `"name":"tasks"`), "conflict", "ops[0].name"},
}

const good = `{"op":"insert","table":"tasks","id":"good","row":{"title":"good"}}`

func row(table, id, cells string) string {
	return fmt.Sprintf(`{"ops":[{"op":"insert","table":%q,"id":%s,"row":{%s}}]}`, table, id, cells)
}

func cell(column, value string) string {
	return row("typed", `"a"`, fmt.Sprintf("%q:%s", column, value))
}

func set(id, cells string) string {
	return fmt.Sprintf(`{"ops":[{"op":"update","table":"tasks","id":%q,"set":{%s}}]}`, id, cells)
}

func table(name, columns string) string {
	return fmt.Sprintf(`{"ops":[{"op":"createTable","table":%q,"columns":[%s]}]}`, name, columns)
}

func alter(name, what string) string {
	return fmt.Sprintf(`{"ops":[{"op":"alterTable","table":%q,%s}]}`, name, what)
}

func columns(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"name":"c%d","type":"text"}`, i)
	}
	return strings.Join(list, ",")
}

func TestCommitsAreRefused(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	for _, r := range commitRefusals {
		w.http(r.name, w.bob, "POST", "/v1/rooms/den/commits", "application/json", r.body, httpStatuses[r.code], r.code, r.path)
		w.call(r.name+", by socket", "commit", r.body, r.code, r.path)
	}
}

// What is too large for a message is only refused over HTTP.
func TestLargeCommitsAreRefused(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	title := strings.Repeat("x", 490)
	many := make([]string, 600)
	for i := range many {
		many[i] = fmt.Sprintf(`{"op":"insert","table":"tasks","row":{"title":%q}}`, title)
	}
	big := strings.Repeat("y", 70_000)
	for _, r := range []struct{ name, body, code, path string }{
		{"more than 256 KB of operations", `{"ops":[` + strings.Join(many, ",") + `]}`, "too_large", "ops"},
		{"a row above 64 KB", cell("j", `"`+big+`"`), "too_large", "ops[0].row"},
		{"a row above 64 KB, updated", `{"ops":[{"op":"update","table":"typed","id":"u1","set":{"j":"` + big + `"}}]}`, "too_large", "ops[0].set"},
		{"JSON that nests too deep", cell("j", strings.Repeat("[", 100)+strings.Repeat("]", 100)), "invalid", "ops[0].row.j"},
		{"a body that nests too deep", `{"ops":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "invalid", ""},
		{"a body above 4 MB", `{"ops":[` + strings.Repeat(" ", 4<<20) + `]}`, "too_large", ""},
	} {
		w.http(r.name, w.bob, "POST", "/v1/rooms/den/commits", "application/json", r.body, httpStatuses[r.code], r.code, r.path)
	}
	tables := make([]string, 198)
	for i := range tables {
		tables[i] = fmt.Sprintf(`{"op":"createTable","table":"t%d","columns":[]}`, i)
	}
	w.http("201 tables", w.bob, "POST", "/v1/rooms/den/commits", "application/json", `{"ops":[`+strings.Join(tables, ",")+`]}`, 413, "too_large", "ops[197].table")
}

func TestRequestsAreRefused(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	eve := w.p.signIn(t, "eve")
	nobody := &person{addr: w.p.addr, http: w.bob.http}
	const (
		den, rows = "/v1/rooms/den", "/v1/rooms/den/tables/tasks/rows"
		plain     = "application/json"
	)
	for _, r := range []struct {
		name         string
		who          *person
		method, path string
		contentType  string
		body         string
		status       int
		code, at     string
	}{
		{"broken JSON", w.bob, "POST", den + "/commits", plain, `{"ops":[`, 400, "invalid", ""},
		{"more after the JSON", w.bob, "POST", den + "/commits", plain, `{"ops":[` + good + `]}{}`, 400, "invalid", ""},
		{"no body", w.bob, "POST", den + "/commits", plain, ``, 400, "invalid", ""},
		{"a batch", w.bob, "POST", den + "/commits", plain, `[{"ops":[` + good + `]}]`, 400, "invalid", ""},
		{"a body of text", w.bob, "POST", den + "/commits", plain, `"x"`, 400, "invalid", ""},
		{"a body that is not UTF-8", w.bob, "POST", den + "/commits", plain, "{\"ops\":[{\"op\":\"\xff\"}]}", 400, "invalid", ""},
		{"a lone surrogate", w.bob, "POST", den + "/commits", plain, cell("t", `"\ud800"`), 400, "invalid", "ops[0]"},
		{"another content type", w.bob, "POST", den + "/commits", "text/plain", `{"ops":[` + good + `]}`, 415, "invalid", ""},
		{"no content type", w.bob, "POST", den + "/commits", "", `{"ops":[` + good + `]}`, 415, "invalid", ""},
		{"no token", nobody, "POST", den + "/commits", plain, `{"ops":[` + good + `]}`, 401, "unauthenticated", ""},
		{"a wrong method", w.bob, "PUT", den + "/commits", plain, `{"ops":[` + good + `]}`, 405, "invalid", ""},
		{"a wrong method of rows", w.bob, "POST", rows, plain, `{}`, 405, "invalid", ""},
		{"an unknown path", w.bob, "GET", "/v1/nothing", "", "", 404, "not_found", ""},
		{"an unknown path in a room", w.bob, "GET", den + "/nothing", "", "", 404, "not_found", ""},
		{"a foreign room", eve, "GET", den, "", "", 404, "not_found", ""},
		{"a foreign room's rows", eve, "GET", rows, "", "", 404, "not_found", ""},
		{"a foreign room's bad query", eve, "GET", rows + "?colour=red", "", "", 404, "not_found", ""},
		{"a commit to a foreign room", eve, "POST", den + "/commits", plain, `{"ops":[` + good + `]}`, 404, "not_found", ""},
		{"a room that never was", eve, "GET", "/v1/rooms/never", "", "", 404, "not_found", ""},
		{"a room with no good name", w.bob, "GET", "/v1/rooms/..%2Fden", "", "", 404, "not_found", ""},

		{"an unknown query", w.bob, "GET", den + "/log?colour=red", "", "", 400, "invalid", "colour"},
		{"a query twice", w.bob, "GET", den + "/log?since=1&since=2", "", "", 400, "invalid", "since"},
		{"a query not escaped well", w.bob, "GET", den + "/log?since=%zz", "", "", 400, "invalid", ""},
		{"a negative since", w.bob, "GET", den + "/log?since=-1", "", "", 400, "invalid", "since"},
		{"a since of text", w.bob, "GET", den + "/log?since=x", "", "", 400, "invalid", "since"},
		{"a limit of 0", w.bob, "GET", rows + "?limit=0", "", "", 400, "invalid", "limit"},
		{"a limit above 1,000", w.bob, "GET", rows + "?limit=1001", "", "", 400, "invalid", "limit"},
		{"a limit of text", w.bob, "GET", den + "/log?limit=all", "", "", 400, "invalid", "limit"},
		{"a bad cursor", w.bob, "GET", rows + "?cursor=abc", "", "", 400, "invalid", "cursor"},
		{"a cursor of another order", w.bob, "GET", rows + "?order=title&cursor=" + w.cursor(rows+"?limit=1"), "", "", 400, "invalid", "cursor"},
		{"a bad cursor of rooms", w.bob, "GET", "/v1/rooms?cursor=abc", "", "", 400, "invalid", "cursor"},
		{"an order by nothing", w.bob, "GET", rows + "?order=colour", "", "", 400, "invalid", "order"},
		{"an order by json", w.bob, "GET", "/v1/rooms/den/tables/typed/rows?order=j", "", "", 400, "invalid", "order"},
		{"a condition on no column", w.bob, "GET", rows + "?colour=red", "", "", 400, "invalid", "where.colour"},
		{"an unknown comparison", w.bob, "GET", rows + "?title[like]=x", "", "", 400, "invalid", "where.title.like"},
		{"a condition of another type", w.bob, "GET", "/v1/rooms/den/tables/typed/rows?i=many", "", "", 400, "invalid", "where.i.eq"},
		{"rows of no table", w.bob, "GET", den + "/tables/none/rows", "", "", 404, "not_found", "table"},
		{"a row that is not there", w.bob, "GET", rows + "/never", "", "", 404, "not_found", "id"},
		{"a row with no good id", w.bob, "GET", rows + "/a%20b", "", "", 400, "invalid", "id"},

		{"a room id that is taken", w.bob, "POST", "/v1/rooms", plain, `{"id":"den","name":"x"}`, 409, "conflict", "id"},
		{"a room id that is none", w.bob, "POST", "/v1/rooms", plain, `{"id":"Den!","name":"x"}`, 400, "invalid", "id"},
		{"a room without a name", w.bob, "POST", "/v1/rooms", plain, `{"id":"other"}`, 400, "invalid", "name"},
		{"a room name too long", w.bob, "POST", "/v1/rooms", plain, `{"name":"` + strings.Repeat("x", 201) + `"}`, 400, "invalid", "name"},
		{"an empty room name", w.ada, "PATCH", den, plain, `{"name":" "}`, 400, "invalid", "name"},
		{"a rename by an editor", w.bob, "PATCH", den, plain, `{"name":"x"}`, 403, "forbidden", ""},
		{"a deletion by an editor", w.bob, "DELETE", den, "", "", 403, "forbidden", ""},
		{"a role that is none", w.ada, "PUT", den + "/members/zed", plain, `{"role":"king"}`, 400, "invalid", "role"},
		{"an empty role", w.ada, "PUT", den + "/members/zed", plain, `{"role":""}`, 400, "invalid", "role"},
		{"no role", w.ada, "PUT", den + "/members/zed", plain, `{}`, 400, "invalid", "role"},
		{"a user that is none", w.ada, "PUT", den + "/members/a%20b", plain, `{"role":"viewer"}`, 400, "invalid", "user"},
		{"an address that is none", w.ada, "PUT", den + "/members/a@", plain, `{"role":"viewer"}`, 400, "invalid", "email"},
		{"a member made by an editor", w.bob, "PUT", den + "/members/zed", plain, `{"role":"viewer"}`, 403, "forbidden", ""},
		{"an editor who makes himself owner", w.bob, "PUT", den + "/members/me", plain, `{"role":"owner"}`, 403, "forbidden", ""},
		{"the last owner leaves", w.ada, "DELETE", den + "/members/me", "", "", 409, "conflict", "user"},
		{"the last owner steps down", w.ada, "PUT", den + "/members/me", plain, `{"role":"editor"}`, 409, "conflict", "user"},
		{"nobody is removed", w.ada, "DELETE", den + "/members/zed", "", "", 404, "not_found", "user"},
		{"no invitation is withdrawn", w.ada, "DELETE", den + "/members/z@example.com", "", "", 404, "not_found", "email"},
		{"joining without an invitation", eve, "POST", den + "/join", "", "", 404, "not_found", ""},
		{"joining again", w.bob, "POST", den + "/join", "", "", 409, "conflict", ""},
		{"a ticket for something", w.bob, "POST", den + "/tickets", plain, `{"for":"eve"}`, 400, "invalid", "for"},
		{"a session without a name", nobody, "POST", "/v1/dev/session", plain, `{}`, 400, "invalid", "name"},
	} {
		w.http(r.name, r.who, r.method, r.path, r.contentType, r.body, r.status, r.code, r.at)
	}
	_, _, foreign := eve.send(t, "GET", den, "", "")
	if _, _, never := eve.send(t, "GET", "/v1/rooms/never", "", ""); foreign != never {
		t.Errorf("a foreign room is answered %s, one that never was %s", foreign, never)
	}
	if _, header, _ := w.bob.send(t, "PUT", den+"/commits", plain, "{}"); !strings.Contains(header.Get("Allow"), "POST") {
		t.Errorf("405 allows %q", header.Get("Allow"))
	}
}

// cursor gives the cursor that a page ends with.
func (w *refusalWorld) cursor(path string) string {
	w.Helper()
	var page struct{ Cursor string }
	if err := w.bob.call(w.Context(), "GET", path, nil, &page); err != nil || page.Cursor == "" {
		w.Fatalf("%s: %v, cursor %q", path, err, page.Cursor)
	}
	return page.Cursor
}

func TestMessagesAreRefused(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	for _, r := range []struct {
		name, id, frame string
		number          int
		code, path      string
	}{
		{"broken JSON", "null", `{"jsonrpc":`, -32700, "invalid", ""},
		{"no JSON", "null", `hello`, -32700, "invalid", ""},
		{"two requests", "null", `{"jsonrpc":"2.0","id":1,"method":"ping"} {}`, -32700, "invalid", ""},
		{"nesting too deep", "null", strings.Repeat("[", 1000), -32700, "invalid", ""},
		{"a batch", "null", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, -32600, "invalid", ""},
		{"an empty batch", "null", `[]`, -32600, "invalid", ""},
		{"a number", "null", `5`, -32600, "invalid", ""},
		{"no version", "1", `{"id":1,"method":"ping"}`, -32600, "invalid", ""},
		{"another version", "1", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, -32600, "invalid", ""},
		{"an unknown member", "1", `{"jsonrpc":"2.0","id":1,"method":"ping","auth":"x"}`, -32600, "invalid", ""},
		{"an id of an object", "null", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, -32600, "invalid", ""},
		{"an id of null", "null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, -32600, "invalid", ""},
		{"an id too long", "null", `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 129) + `","method":"ping"}`, -32600, "invalid", ""},
		{"no method", "1", `{"jsonrpc":"2.0","id":1}`, -32600, "invalid", ""},
		{"an unknown method", "1", `{"jsonrpc":"2.0","id":1,"method":"rows.drop"}`, -32601, "invalid", ""},
		{"a method in capitals", "1", `{"jsonrpc":"2.0","id":1,"method":"Commit","params":{"ops":[` + good + `]}}`, -32601, "invalid", ""},
		{"params of an array", "1", `{"jsonrpc":"2.0","id":1,"method":"commit","params":[` + good + `]}`, -32602, "invalid", "params"},
	} {
		w.raw(r.name, r.id, r.frame, r.number, r.code, r.path)
	}
	long := strings.Repeat("x", 1030)
	for _, r := range []struct{ name, method, params, code, path string }{
		{"ping with something", "ping", `{"x":1}`, "invalid", "x"},
		{"unsubscribe from something", "unsubscribe", `{"table":"tasks"}`, "invalid", "table"},
		{"subscribe to an unknown table", "subscribe", `{"tables":["tasks","none"]}`, "not_found", "tables[1]"},
		{"subscribe to tables of text", "subscribe", `{"tables":"tasks"}`, "invalid", "tables"},
		{"subscribe to too many tables", "subscribe", `{"tables":[` + strings.Repeat(`"tasks",`, 200) + `"tasks"]}`, "too_large", "tables"},
		{"subscribe since a negative seq", "subscribe", `{"since":-1}`, "invalid", "since"},
		{"subscribe since a text", "subscribe", `{"since":"1"}`, "invalid", "since"},
		{"log since a negative seq", "log.read", `{"since":-1}`, "invalid", "since"},
		{"log without since", "log.read", `{}`, "invalid", "since"},
		{"log with a limit too large", "log.read", `{"since":0,"limit":1001}`, "invalid", "limit"},
		{"list of nothing", "rows.list", `{}`, "invalid", "table"},
		{"list of an unknown table", "rows.list", `{"table":"none"}`, "not_found", "table"},
		{"list with a limit too large", "rows.list", `{"table":"tasks","limit":1001}`, "invalid", "limit"},
		{"list with a negative limit", "rows.list", `{"table":"tasks","limit":-1}`, "invalid", "limit"},
		{"list with a bad cursor", "rows.list", `{"table":"tasks","cursor":"x"}`, "invalid", "cursor"},
		{"list by nothing", "rows.list", `{"table":"tasks","order":"-colour"}`, "invalid", "order"},
		{"list where nothing", "rows.list", `{"table":"tasks","where":{"colour":1}}`, "invalid", "where.colour"},
		{"list where another type", "rows.list", `{"table":"tasks","where":{"title":5}}`, "invalid", "where.title"},
		{"list where an unknown comparison", "rows.list", `{"table":"tasks","where":{"title":{"like":"x"}}}`, "invalid", "where.title.like"},
		{"list where of text", "rows.list", `{"table":"tasks","where":"title"}`, "invalid", "where"},
		{"a row that is not there", "rows.get", `{"table":"tasks","id":"never"}`, "not_found", "id"},
		{"a row with no good id", "rows.get", `{"table":"tasks","id":"a b"}`, "invalid", "id"},
		{"a row without an id", "rows.get", `{"table":"tasks"}`, "invalid", "id"},
		{"a status too large", "presence.set", `{"n":1,"status":"` + long + `"}`, "too_large", "status"},
		{"a status without n", "presence.set", `{"status":"here"}`, "invalid", "n"},
		{"a position too large", "cursor.set", `{"n":1,"position":"` + long + `"}`, "too_large", "position"},
		{"no position", "cursor.set", `{"n":1}`, "invalid", "position"},
	} {
		w.call(r.name, r.method, r.params, r.code, r.path)
	}
	if err := w.socket.call(t.Context(), "ping", map[string]any{}, nil); err != nil {
		t.Errorf("after all refusals the connection does not go on: %v", err)
	}
	if notes := w.socket.heard(); len(notes) > 0 {
		t.Errorf("something else was said: %+v", notes)
	}
}

// What cannot be answered ends the connection, with the code of the gateway.
func TestFramesThatEndTheConnection(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	commit := `{"jsonrpc":"2.0","id":1,"method":"commit","params":{"ops":[` + good + `]}`
	for name, tc := range map[string]struct {
		send func(s *socket) error
		want websocket.StatusCode
	}{
		"a binary frame": {func(s *socket) error {
			return s.conn.Write(t.Context(), websocket.MessageBinary, []byte(commit+"}"))
		}, websocket.StatusUnsupportedData},
		"a frame above 32 KB": {func(s *socket) error {
			return s.conn.Write(t.Context(), websocket.MessageText, []byte(commit+strings.Repeat(" ", 33<<10)+"}"))
		}, websocket.StatusMessageTooBig},
		"a message above 128 KB": {func(s *socket) error {
			text, err := s.conn.Writer(t.Context(), websocket.MessageText)
			if err != nil {
				return err
			}
			for _, part := range append([]string{commit}, strings.Split(strings.Repeat(strings.Repeat(" ", 20<<10)+"|", 7)+"}", "|")...) {
				if _, err := text.Write([]byte(part)); err != nil {
					return err
				}
			}
			return text.Close()
		}, websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			s := w.bob.socket(t, "den")
			if err := tc.send(s); err != nil && !errors.Is(err, t.Context().Err()) {
				t.Logf("send: %v", err) // the server may have closed already
			}
			if got := s.status(); got != tc.want {
				t.Errorf("it ends with %d, want %d", got, tc.want)
			}
			w.unchanged(name)
		})
	}
}

func TestTicketsAreRefused(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	url, err := w.bob.ticket(t.Context(), "den")
	if err != nil {
		t.Fatal(err)
	}
	base, _, _ := strings.Cut(url, "?")
	s, err := open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{
		"no ticket": base, "an empty ticket": base + "?ticket=", "a wrong ticket": base + "?ticket=abc", "a used ticket": url,
		"a ticket with an ending": url + "x", "a token for a ticket": base + "?ticket=" + w.bob.token,
	} {
		second, err := open(t.Context(), address)
		if err == nil {
			second.close()
		}
		var refusal *problem
		if !errors.As(err, &refusal) || refusal.Status != 401 {
			t.Errorf("%s: %v, want 401", name, err)
		}
		w.unchanged(name)
	}
	if err := s.call(t.Context(), "ping", map[string]any{}, nil); err != nil {
		t.Errorf("the first socket of the ticket: %v", err)
	}
	s.close()
}
