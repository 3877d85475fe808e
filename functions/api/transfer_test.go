package api_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

func init() {
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
