package promises

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func init() {
	routeTrials["GET /v1/rooms/{room}/export"] = routeTrial{"/v1/rooms/%s/export?format=ndjson", "", viewers(200)}
	routeTrials["POST /v1/rooms/{room}/tables/{table}/import"] = routeTrial{"/v1/rooms/%s/tables/tasks/import?format=csv", "title\nFrom a file\n", editors(200)}
	routeTrials["POST /v1/rooms/{room}/uploads"] = routeTrial{"/v1/rooms/%s/uploads", `{"bytes":5}`, editors(201)}
	routeTrials["POST /v1/rooms/{room}/uploads/{upload}/restore"] = routeTrial{"/v1/rooms/%s/uploads/x/restore", `{}`, owners(404)}
	routeTrials["GET /v1/rooms/{room}/backups/{id}/download"] = routeTrial{"/v1/rooms/%s/backups/x/download?format=ndjson", "", viewers(404)}
}

// upload puts a file where the server says, and gives its id.
func (w *person) upload(t *testing.T, room, file string) string {
	t.Helper()
	var place struct{ Upload, Method, URL string }
	if err := w.call(t.Context(), "POST", "/v1/rooms/"+room+"/uploads", map[string]int{"bytes": len(file)}, &place); err != nil {
		t.Fatal(err)
	}
	if status, _, text := w.send(t, place.Method, place.URL, "", file); status != 200 {
		t.Fatalf("upload: %d %s", status, text)
	}
	return place.Upload
}

// Promise 8 of imports and uploads.
func TestRefusedFilesChangeNothing(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	const path, csv, ndjson = "/v1/rooms/den/tables/typed/import", "text/csv", "application/x-ndjson"
	for _, c := range []struct {
		what, query, kind, body string
		status                  int
		code, at                string
	}{
		{"an empty file", "", csv, "", 400, "invalid", ""},
		{"UTF-16", "", csv, "\xff\xfet\x00", 400, "invalid", ""},
		{"a spreadsheet", "", csv, "PK\x03\x04", 400, "invalid", ""},
		{"a quote that is not closed", "", csv, "t\n\"a", 400, "invalid", ""},
		{"a ragged row", "", csv, "t,i\na,1\nb\n", 400, "invalid", ""},
		{"one bad value of many", "", csv, "i\n" + strings.Repeat("1\n", 3000) + "x\n", 400, "invalid", ""},
		{"a taken id", "", csv, "id\nnew\nu1\n", 400, "invalid", ""},
		{"a taken value", "", csv, "u\nfree\ntaken\n", 409, "conflict", ""},
		{"no JSON", "", ndjson, "{\n", 400, "invalid", ""},
		{"a large row", "", ndjson, `{"j":"` + strings.Repeat("x", 65<<10) + `"}`, 400, "invalid", ""},
		{"a large body", "", csv, "t\n" + strings.Repeat("x", 4<<20), 413, "too_large", ""},
		{"another type", "", "text/html", "t\na\n", 415, "invalid", ""},
		{"an unknown mode", "?mode=upsert", csv, "t\na\n", 400, "invalid", "mode"},
		{"a replacement by an editor", "?mode=replace", csv, "t\na\n", 403, "forbidden", ""},
		{"a mapping that is none", "?mapping=7", csv, "t\na\n", 400, "invalid", "mapping"},
		{"types of a table that is there", `?types={"t":"json"}`, csv, "t\na\n", 400, "invalid", "types"},
		{"no such upload", "?upload=../../secret", csv, "", 404, "not_found", "upload"},
		{"a table that is there", "?create=1", csv, "t\na\n", 409, "conflict", "table"},
	} {
		w.http(c.what, w.bob, "POST", path+c.query, c.kind, c.body, c.status, c.code, c.at)
	}
	for what, file := range map[string]string{
		"no database": "SQL", "foreign": "SQLite format 3\x00" + strings.Repeat("\x00", 5000),
	} {
		upload := w.ada.upload(t, "den", file)
		w.http(what, w.ada, "POST", "/v1/rooms/den/uploads/"+upload+"/restore", "application/json", `{"into":{"id":"made","name":"Made"}}`, 400, "invalid", "")
		if status, _, _ := w.ada.send(t, "GET", "/v1/rooms/made", "", ""); status != 404 {
			t.Errorf("%s: a room was made: %d", what, status)
		}
	}
}

// Promise 6 by files: an export restored elsewhere is exported the same.
func TestExportsComeBackByteForByte(t *testing.T) {
	t.Parallel()
	p := launch(t, filepath.Join(t.TempDir(), "data"))
	ada := p.signIn(t, "ada")
	ada.room(t, "den")
	ops := []any{}
	for i := range 500 {
		ops = append(ops, insertTask(fmt.Sprint("t", i), fmt.Sprintf("Task %d, it's\r\n%q", i, "é")))
	}
	ada.must(t, "POST", "/v1/rooms/den/commits", map[string]any{"ops": ops})
	export := func(room, format string) string {
		status, _, text := ada.send(t, "GET", "/v1/rooms/"+room+"/export?format="+format, "", "")
		if status != 200 {
			t.Fatalf("%s: %d %s", format, status, text)
		}
		return text
	}
	upload := ada.upload(t, "den", export("den", "sqlite"))
	status, _, text := ada.send(t, "POST", "/v1/rooms/den/uploads/"+upload+"/restore", "application/json", `{"into":{"id":"twin","name":"Twin"}}`)
	var done struct{ Room string }
	if err := json.Unmarshal([]byte(text), &done); err != nil || status != 200 || done.Room != "twin" {
		t.Fatalf("restore: %d %s", status, text)
	}
	for _, format := range []string{"ndjson", "sql", "csv", "sqlite"} {
		if export("twin", format) != export("den", format) {
			t.Errorf("%s: the exports differ", format)
		}
	}
}
