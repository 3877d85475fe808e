package api_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

func init() {
	fills["%UPLOAD%"] = func(w *world) string {
		if w.asking != "ada" {
			return "01M85DEVK0T4YX8Z2EP2JHQ6VV"
		}
		return w.upload("ada", w.ask("ada", "GET", "/v1/rooms/den/export?format=sqlite", ""))
	}
	trials["POST /v1/rooms/{room}/uploads/{upload}/restore"] = trial{"/v1/rooms/den/uploads/%UPLOAD%/restore", `{"tables":["notes"]}`}
	trials["POST /v1/rooms/{room}/tables/{table}/import"] = trial{"/v1/rooms/den/tables/tasks/import?format=csv", "title\nFrom a file\n"}
	trials["POST /v1/rooms/{room}/uploads"] = trial{"/v1/rooms/den/uploads", `{"bytes":5}`}
	trials["GET /v1/rooms/{room}/backups/{id}/download"] = trial{"/v1/rooms/den/backups/%BACKUP%/download?format=ndjson&table=notes", ""}
	trials["GET /v1/rooms/{room}/export"] = trial{"/v1/rooms/den/export?format=ndjson&table=notes", ""}
}

// inlineBytes is what an answer may have in these tests.
const inlineBytes = 100 << 10

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.den()
	export := func(as, query string, status int, has ...string) request {
		return request{as: as, method: "GET", path: "/v1/rooms/den/export" + query, status: status, has: has}
	}
	w.check([]request{
		export("ada", "?format=ndjson", 200, `{"_table":"notes","id":"n1","text":"secret","size":5,"_createdAt":`, `{"_table":"tasks","id":"t1"`),
		export("ada", "?format=ndjson&table=notes&meta=0", 200, `{"_table":"notes","id":"n1","text":"secret","size":5}`),
		export("ada", "?format=csv&table=notes", 200, "id,text,size,_createdAt,_updatedAt,_createdBy\r\nn1,secret,5,"),
		export("ada", "?format=sql", 200, `CREATE TABLE "notes"`, `INSERT INTO "tasks" VALUES('t1','First','pending',`),
		export("bob", "?format=csv&table=none", 404, `"path":"table"`),
		export("bob", "?format=csv&meta=2", 400, `"path":"meta"`),
		export("bob", "?format=sql&meta=0", 400, `"path":"meta"`),
		export("bob", "?job=x&format=csv", 400, `"path":"job"`),
		export("bob", "?job=x", 404, `"path":"job"`),
		export("eve", "?job=x", 404),
		export("ada", "?format=ndjson&atSeq=5", 200, `"t1"`),
		export("bob", "?format=ndjson&atSeq=99", 404, `"path":"atSeq"`),
		export("bob", "?format=ndjson&atSeq=1&at=2026-01-01T00:00:00Z", 400, `"path":"at"`),
		export("bob", "?format=ndjson&at=yesterday", 400, `"path":"at"`),
	})
	for _, query := range []string{"", "?format=xml"} {
		out := w.send(request{as: "bob", method: "GET", path: "/v1/rooms/den/export" + query})
		if out.Code != 400 || !strings.Contains(out.Body.String(), `"path":"format"`) {
			t.Errorf("%q: %d %s", query, out.Code, out.Body)
		}
	}
	for _, format := range []string{"ndjson", "sql", "csv", "sqlite"} {
		out := w.send(request{as: "vera", method: "GET", path: "/v1/rooms/den/export?format=" + format})
		if out.Code != 200 || strings.Contains(out.Body.String(), "secret") {
			t.Errorf("%s: %d, or it tells the row of somebody else", format, out.Code)
		}
	}
	out := w.send(request{as: "vera", method: "GET", path: "/v1/rooms/den/export?format=csv"})
	h := out.Header()
	if h.Get("Content-Type") != "application/zip" || h.Get("Content-Disposition") != `attachment; filename="den-6.csv.zip"` {
		t.Errorf("%v", h)
	}
	if z, err := zip.NewReader(bytes.NewReader(out.Body.Bytes()), int64(out.Body.Len())); err != nil || len(z.File) != 2 {
		t.Errorf("zip: %v", err)
	}
	out = w.send(request{as: "vera", method: "GET", path: "/v1/rooms/den/export?format=sqlite"})
	if !strings.HasPrefix(out.Body.String(), "SQLite format 3\x00") || out.Header().Get("Content-Type") != "application/vnd.sqlite3" {
		t.Errorf("%.20q %v", out.Body, out.Header())
	}
}

// What is too large for an answer is found at an address.
func TestLargeExportsHaveAnAddress(t *testing.T) {
	w := newWorld(t)
	w.den()
	row := `{"op":"insert","table":"notes","row":{"text":"` + strings.Repeat("x", 60<<10) + `"}}`
	w.ask("ada", "POST", "/v1/rooms/den/commits", `{"ops":[`+row+`,`+row+`]}`)
	out := w.send(request{as: "ada", method: "GET", path: "/v1/rooms/den/export?format=ndjson"})
	if location := out.Header().Get("Location"); out.Code != 303 || !strings.HasPrefix(location, "/v1/blobs/rooms/") || out.Body.Len() > 0 {
		t.Fatalf("%d %s", out.Code, location)
	}
	if out := w.send(request{as: "bob", method: "GET", path: "/v1/rooms/den/export?format=ndjson"}); out.Code != 200 {
		t.Errorf("what bob sees is small, and he got %d", out.Code)
	}
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	w.den()
	imported := func(as, table, query, kind, body string, status int, has ...string) request {
		return request{as: as, method: "POST", path: "/v1/rooms/den/tables/" + table + "/import?" + query, body: body, status: status, has: has,
			headers: map[string]string{"Content-Type": kind}, changes: status == 200 && !strings.Contains(query, "dryRun")}
	}
	const csv, ndjson = "text/csv", "application/x-ndjson"
	w.check([]request{
		imported("bob", "tasks", "dryRun=1", csv, "title,Status\nA,completed\nB,\n", 200, `"rows":2`, `"preview":[{"title":"A","status":"completed"},{"title":"B","status":null}]`,
			`"errors":[]`, `"errorCount":0`, `"dryRun":true`, `"columns":[{"name":"title","type":"text","required":true`),
		imported("bob", "tasks", "", csv, "id,title,status\nf1,A,completed\nf2,B,\n", 200, `"rows":2`, `"seq":7`),
		imported("bob", "tasks", "", ndjson, `{"title":"C"}`+"\n", 200, `"rows":1`, `"seq":8`),
		imported("bob", "tasks", "", csv, "id,title\nf1,Again\n", 400, `"line":2,"column":"id","value":"f1"`, `"errorCount":1`),
		imported("bob", "tasks", "mode=replace", csv, "title\nA\n", 403),
		imported("ada", "tasks", "mode=replace", csv, "id,title\nf1,A\nnew,D\n", 200, `"seq":9`),
		imported("bob", "sizes", "create=1", csv, "Size (cm);Made\n1,5;2026-01-01\n2;2026-01-02\n", 200,
			`"columns":[{"name":"size_cm","type":"text"},{"name":"made","type":"date"}]`, `"mapping":{"Made":"made","Size (cm)":"size_cm"}`),
		imported("bob", "notes", `mapping={"Note":"text"}&commitId=i-1`, csv, "Note,Extra\nmine,x\n", 200, `"ignored":["Extra"]`),
		imported("vera", "tasks", "", csv, "title\nA\n", 403),
		imported("eve", "tasks", "", csv, "title\nA\n", 404),
		imported("bob", "none", "", csv, "title\nA\n", 404, `"path":"table"`),
		imported("bob", "tasks", "create=1", csv, "title\nA\n", 409, `"path":"table"`),
		imported("bob", "tasks", "mode=merge", csv, "title\nA\n", 400, `"path":"mode"`),
		imported("bob", "tasks", "format=xlsx", csv, "title\nA\n", 400, `"path":"format"`),
		imported("bob", "tasks", "mapping=[]", csv, "title\nA\n", 400, `"path":"mapping"`),
		imported("bob", "tasks", `mapping={"none":"title"}`, csv, "title\nA\n", 400, `"path":"mapping"`),
		imported("bob", "tasks", `types={"title":"json"}`, csv, "title\nA\n", 400, `"path":"types"`),
		imported("bob", "tasks", "upload=none", csv, "", 404, `"path":"upload"`),
		imported("bob", "tasks", "upload=01M85DEVK0T4YX8Z2EP2JHQ6VV", csv, "title\nA\n", 400, `"path":"upload"`),
		imported("bob", "tasks", "", "text/plain", "title\nA\n", 415),
		imported("bob", "tasks", "", csv, "title\n"+strings.Repeat("x", 5<<20), 413),
		imported("bob", "tasks", "", csv, "", 400, "empty"),
		imported("bob", "tasks", "", csv, "\xff\xfet\x00i\x00", 400, "UTF-16"),
	})
	repeated := imported("bob", "notes", `mapping={"Note":"text"}&commitId=i-1`, csv, "Note,Extra\nmine,x\n", 200)
	repeated.changes = false
	w.check([]request{repeated})
	rows := w.ask("ada", "GET", "/v1/rooms/den/tables/tasks/rows", "")
	if strings.Count(rows, `"id":`) != 2 || !strings.Contains(rows, `"id":"f1","_version":9`) && !strings.Contains(rows, `"id":"f1"`) {
		t.Errorf("after the replacement: %s", rows)
	}
}

// upload puts a file where the API says, and gives its id.
func (w *world) upload(as, file string) string {
	w.t.Helper()
	var place struct{ Upload, Method, URL string }
	must(w.t, json.Unmarshal([]byte(w.ask(as, "POST", "/v1/rooms/den/uploads", fmt.Sprintf(`{"bytes":%d}`, len(file)))), &place))
	out := httptest.NewRecorder()
	w.addresses.ServeHTTP(out, httptest.NewRequest(place.Method, place.URL, strings.NewReader(file)))
	if out.Code != 200 {
		w.t.Fatalf("upload: %d %s", out.Code, out.Body)
	}
	return place.Upload
}

// What was uploaded is imported, or restored, by whoever has put it there.
func TestUploads(t *testing.T) {
	w := newWorld(t)
	w.den()
	var file strings.Builder
	file.WriteString("title\n")
	for i := range 1500 {
		fmt.Fprintf(&file, "From a file %d\n", i)
	}
	upload := w.upload("bob", file.String())
	path := "/v1/rooms/den/tables/tasks/import?format=csv&upload=" + upload
	w.check([]request{
		{as: "ada", method: "POST", path: path, status: 404, has: []string{`"path":"upload"`}},
		{as: "bob", method: "POST", path: path, status: 200, has: []string{`"rows":1500`, `"seq":7`}, changes: true},
		{as: "bob", method: "POST", path: "/v1/rooms/den/uploads", body: `{"bytes":0}`, status: 400, has: []string{`"path":"bytes"`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/uploads", body: `{"bytes":1000000000000}`, status: 413, has: []string{`"path":"bytes"`}},
	})
	if n := len(w.announced.seqs); n == 0 || w.announced.seqs[n-1] != 7 {
		t.Errorf("announced %v", w.announced.seqs)
	}
	export := w.upload("ada", w.ask("ada", "GET", "/v1/rooms/den/export?format=sqlite&table=notes", ""))
	w.ask("ada", "POST", "/v1/rooms/den/commits", `{"ops":[{"op":"delete","table":"notes","id":"n1"}]}`)
	path = "/v1/rooms/den/uploads/" + export + "/restore"
	w.check([]request{
		{as: "ada", method: "POST", path: path, body: `{"dryRun":true}`, status: 200, has: []string{`"notes":{"added":1,"changed":0,"removed":0}`, `"dryRun":true`}},
		{as: "ada", method: "POST", path: path, body: `{"tables":["none"]}`, status: 404, has: []string{`"path":"tables"`}},
		{as: "ada", method: "POST", path: path, body: `{"into":{"name":""}}`, status: 400, has: []string{`"path":"into`}},
		{as: "bob", method: "POST", path: path, status: 403},
		{as: "ada", method: "POST", path: path, status: 200, has: []string{`"seq":9`, `"safetyBackup":"`}, changes: true},
	})
	bad := w.upload("ada", "SQLite format 3\x00"+strings.Repeat("x", 5000))
	w.check([]request{{as: "ada", method: "POST", path: "/v1/rooms/den/uploads/" + bad + "/restore", status: 400, has: []string{"not an export"}}})
}
