package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nanotypedb/functions/api"
	"nanotypedb/shared/access"
)

func TestRooms(t *testing.T) {
	w := newWorld(t)
	w.check([]request{
		{as: "ada", method: "GET", path: "/v1/rooms", status: 200, has: []string{`{"rooms":[]}`}},
		{as: "ada", method: "POST", path: "/v1/rooms", body: `{"id":"den","name":"The den"}`, status: 201, changes: true,
			has: []string{`"id":"den"`, `"name":"The den"`, `"role":"owner"`, `"createdAt":"20`, `Z"`}},
		{as: "bob", method: "POST", path: "/v1/rooms", body: `{"id":"den","name":"Mine"}`, status: 409, has: []string{`"code":"conflict"`}},
		{as: "bob", method: "POST", path: "/v1/rooms", body: `{"id":"Den!","name":"Mine"}`, status: 400, has: []string{`"path":"id"`}},
		{as: "bob", method: "POST", path: "/v1/rooms", body: `{"id":"den2"}`, status: 400, has: []string{`"path":"name"`}},
		{as: "ada", method: "GET", path: "/v1/rooms", status: 200, has: []string{`"id":"den"`, `"role":"owner"`}, hasNot: []string{"invited"}},
		{as: "ada", method: "GET", path: "/v1/rooms/den", status: 200, has: []string{`"seq":1`, `"rows":0`, `"bytes":`, `"tables":1`}},
		{as: "ada", method: "PATCH", path: "/v1/rooms/den", body: `{"name":"Lair"}`, status: 200, has: []string{`"name":"Lair"`, `"seq":2`}, changes: true},
		{as: "ada", method: "PATCH", path: "/v1/rooms/den", body: `{"name":""}`, status: 400, has: []string{`"path":"name"`}},
		{as: "ada", method: "GET", path: "/v1/me", status: 200, has: []string{`{"id":"ada","name":"ada","email":"ada@dev.localhost","emailVerified":true}`}},
		{method: "GET", path: "/healthz", status: 200, has: []string{`{"status":"ok","protocol":1}`}},
	})
	if out := w.send(request{as: "ada", method: "DELETE", path: "/v1/rooms/den"}); out.Code != 204 || out.Body.Len() > 0 {
		t.Errorf("delete: %d %s", out.Code, out.Body)
	}
	w.check([]request{
		{as: "ada", method: "GET", path: "/v1/rooms/den", status: 404},
		{as: "bob", method: "POST", path: "/v1/rooms", body: `{"id":"den","name":"Mine"}`, status: 201},
		{as: "ada", method: "GET", path: "/v1/rooms/den", status: 404},
	})
}

func TestMembers(t *testing.T) {
	w := newWorld(t)
	w.den()
	w.check([]request{
		{as: "vera", method: "GET", path: "/v1/rooms/den/members", status: 200, has: []string{
			`{"user":"ada","name":"ada","role":"owner"}`, `{"user":"bob","role":"editor"}`, `"invitations":[{"email":"iris@dev.localhost","role":"viewer"}]`}},
		{as: "iris", method: "GET", path: "/v1/rooms", status: 200, has: []string{`"id":"den"`, `"invited":true`, `"role":"viewer"`}},
		{as: "iris", method: "GET", path: "/v1/rooms/den", status: 404},
		{as: "iris", method: "POST", path: "/v1/rooms/den/join", status: 200, has: []string{`{"user":"iris","role":"viewer"}`}, changes: true},
		{as: "iris", method: "GET", path: "/v1/rooms/den", status: 200, has: []string{`"role":"viewer"`}},
		{as: "eve", method: "POST", path: "/v1/rooms/den/join", status: 404},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/members/dan@example.com", body: `{"role":"editor"}`, status: 200, changes: true,
			has: []string{`{"user":"dan@example.com","role":"editor","invited":true}`}},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/members/dan@example.com", body: `{"role":""}`, status: 400},
		{as: "ada", method: "DELETE", path: "/v1/rooms/den/members/dan@example.com", status: 204, changes: true},
		{as: "ada", method: "DELETE", path: "/v1/rooms/den/members/dan@example.com", status: 404},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/members/vera", body: `{"role":"king"}`, status: 400, has: []string{"role"}},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/members/vera", body: `{"role":"editor"}`, status: 200, changes: true,
			has: []string{`{"user":"vera","role":"editor"}`}, hasNot: []string{"invited"}},
		{as: "ada", method: "DELETE", path: "/v1/rooms/den/members/nobody", status: 404},
		{as: "ada", method: "DELETE", path: "/v1/rooms/den/members/me", status: 409},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/members/me", body: `{"role":"viewer"}`, status: 409},
		{as: "bob", method: "DELETE", path: "/v1/rooms/den/members/vera", status: 403},
		{as: "bob", method: "DELETE", path: "/v1/rooms/den/members/me", status: 204, changes: true},
		{as: "bob", method: "GET", path: "/v1/rooms/den", status: 404},
		{as: "bob", method: "GET", path: "/v1/rooms", status: 200, hasNot: []string{"den"}},
	})
}

func TestCommitsRowsAndLog(t *testing.T) {
	w := newWorld(t)
	w.den()
	insert := `{"commitId":"c-1","ops":[{"op":"insert","table":"tasks","id":"t2","row":{"title":"Second","status":"completed"}}]}`
	w.check([]request{
		{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: insert, status: 200, changes: true,
			has: []string{`"commitId":"c-1"`, `"by":"bob"`, `"op":"insert"`, `"_createdBy":"bob"`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: insert, status: 200, has: []string{`"commitId":"c-1"`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: strings.Replace(insert, "Second", "Other", 1), status: 409},
		{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: `{"ifSeq":1,"ops":[{"op":"delete","table":"tasks","id":"t1"}]}`, status: 409},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/tasks/rows", status: 200, has: []string{`"t1"`, `"t2"`, `"seq":`}, hasNot: []string{"cursor"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/tasks/rows?status=completed&order=-title", status: 200, has: []string{`"t2"`}, hasNot: []string{`"t1"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/tasks/rows?title[contains]=Fir", status: 200, has: []string{`"t1"`}, hasNot: []string{`"t2"`}},
		{as: "vera", method: "GET", path: `/v1/rooms/den/tables/tasks/rows?id[in]=["t2","x"]`, status: 200, has: []string{`"t2"`}, hasNot: []string{`"t1"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/tasks/rows?limit=1", status: 200, has: []string{`"cursor":"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/tasks/rows/t1", status: 200, has: []string{`{"row":{"id":"t1"`, `"title":"First"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/tasks/rows/none", status: 404},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/none/rows", status: 404, has: []string{`"path":"table"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/schema", status: 200, has: []string{`"name":"tasks"`, `"maxLength":500`, `"access":"own"`}},
		{as: "ada", method: "GET", path: "/v1/rooms/den/tables/notes/rows?size[gt]=4&size[lt]=6", status: 200, has: []string{"secret"}},
		{as: "ada", method: "GET", path: "/v1/rooms/den/tables/notes/rows?size[gt]=5", status: 200, hasNot: []string{"secret"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/notes/rows", status: 200, has: []string{`"rows":[]`}, hasNot: []string{"secret"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/tables/notes/rows/n1", status: 404, hasNot: []string{"secret"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/log", status: 200, has: []string{`"seq":1`, `"more":false`, `"ops":[]`}, hasNot: []string{"secret"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/log?since=5&limit=1", status: 200, has: []string{`"seq":6`, `"more":true`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/log?since=99", status: 200, has: []string{`"reset":true`}},
	})
	want := []int64{2, 3, 4, 5, 6, 7}
	if fmt.Sprint(w.announced.seqs) != fmt.Sprint(want) {
		t.Errorf("announced %v, want %v: each commit once", w.announced.seqs, want)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.den()
	commit := func(body string, status int, has ...string) request {
		return request{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: body, status: status, has: has}
	}
	rows := func(query string, has ...string) request {
		return request{as: "bob", method: "GET", path: "/v1/rooms/den/tables/tasks/rows?" + query, status: 400, has: has}
	}
	w.check([]request{
		commit(`{`, 400, "not JSON"),
		commit(`[]`, 400, "an object"),
		commit(`{"ops":[],"extra":1}`, 400, `"path":"extra"`),
		commit(`{}`, 400, `"path":"ops"`),
		commit(`{"ops":[]}`, 400, `"path":"ops"`),
		commit(`{"ops":{}}`, 400, `"path":"ops"`),
		commit(`{"ops":[7]}`, 400, `"path":"ops[0]`),
		commit(`{"ops":[{"op":"explode","table":"tasks"}]}`, 400, `ops[0]`),
		commit(`{"ops":[{"op":"insert","table":"tasks","row":{"title":7}}]}`, 400, `ops[0].row.title`),
		commit(`{"ops":[{"op":"insert","table":"tasks","row":{"title":"a","colour":"red"}}]}`, 400, `ops[0].row.colour`),
		commit(`{"ops":[{"op":"insert","table":"none","row":{}}]}`, 404, `ops[0].table`),
		commit(`{"ops":[{"op":"insert","table":"tasks","row":{"title":"`+strings.Repeat("x", 501)+`"}}]}`, 400, `ops[0].row.title`, "500"),
		commit(`{"ops":[`+strings.Repeat(`{},`, 1000)+`{}]}`, 413, "1000"),
		commit(`{"ops":[{"op":"insert","table":"tasks","row":{"title":"`+strings.Repeat("x", 300<<10)+`"}}]}`, 413, "too_large"),
		commit(`{"commitId":"é","ops":[{}]}`, 400, `"path":"commitId"`),
		commit(`{"commitId":"`+strings.Repeat("x", 129)+`","ops":[{}]}`, 400, `"path":"commitId"`),
		commit(`{"ops":[{"op":"insert","table":"tasks","row":{"title":"`+strings.Repeat("x", 5<<20)+`"}}]}`, 413, "4194304"),
		commit("{\"ops\":\"\xff\"}", 400, "UTF-8"),
		commit(`{"ops":`+strings.Repeat("[", 300)+strings.Repeat("]", 300)+`}`, 400, "128 levels"),
		{name: "content type", as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: `{"ops":[]}`, headers: map[string]string{"Content-Type": "text/plain"}, status: 415},
		rows("limit=0", `"path":"limit"`),
		rows("limit=1001", `"path":"limit"`),
		rows("limit=x", `"path":"limit"`),
		rows("limit=1&limit=2", `"path":"limit"`),
		rows("order=none", `"path":"order"`),
		rows("cursor=none", `"path":"cursor"`),
		rows("colour=red", `where.colour`),
		rows("title[like]=x", `like`),
		rows("title[gt=x", `"path":"title[gt"`),
		rows("id[in]=x", `"path":"id[in]"`),
		rows("title=a&title[eq]=b", "twice"),
		rows("%zz", "escaped"),
		{as: "bob", method: "GET", path: "/v1/rooms/den/log?since=-1", status: 400, has: []string{`"path":"since"`}},
		{as: "bob", method: "GET", path: "/v1/rooms/den/log?sinse=1", status: 400, has: []string{`"path":"sinse"`}},
		{as: "bob", method: "GET", path: "/v1/rooms/den?x=1", status: 400},
		{as: "bob", method: "POST", path: "/v1/rooms/den/tickets", body: `{"x":1}`, status: 400, has: []string{`"path":"x"`}},
		{as: "bob", method: "GET", path: "/v1/nothing", status: 404},
		{as: "bob", method: "GET", path: "/", status: 404},
		{as: "bob", method: "GET", path: "/v1/rooms/NOT%20A%20ROOM", status: 404},
		{as: "bob", method: "POST", path: "/v1/me", status: 405, has: []string{"GET, HEAD"}},
		{as: "bob", method: "TRACE", path: "/v1/me", status: 405},
	})
}

func TestAuthentication(t *testing.T) {
	w := newWorld(t)
	good := w.token("ada")
	for header, status := range map[string]int{
		"":                       401,
		"Bearer":                 401,
		"Bearer ":                401,
		"Bearer x":               401,
		"Basic " + good:          401,
		"Bearer " + good + "x":   401,
		"Bearer " + good[1:]:     401,
		"Bearer nk_something":    401,
		"Bearer " + good:         200,
		"bearer " + good:         200,
		"Bearer  " + good + "  ": 200,
	} {
		out := w.send(request{method: "GET", path: "/v1/me", headers: map[string]string{"Authorization": header}})
		if out.Code != status || (status == 401) != (out.Header().Get("WWW-Authenticate") == "Bearer") {
			t.Errorf("%.30q: %d %v", header, out.Code, out.Header())
		}
	}
	if log := w.log.String(); strings.Contains(log, good) || !strings.Contains(log, "path=/v1/me") {
		t.Errorf("the log holds a token or no request: %s", log)
	}
}

func TestTicketsOpenOneConnection(t *testing.T) {
	w := newWorld(t, func(d *api.Deps) { d.LiveURL = "wss://live.example/prod" })
	w.den()
	var answer struct {
		URL       string `json:"url"`
		ExpiresIn int    `json:"expiresIn"`
	}
	must(t, json.Unmarshal([]byte(w.ask("vera", "POST", "/v1/rooms/den/tickets", "")), &answer))
	secret, found := strings.CutPrefix(answer.URL, "wss://live.example/prod?ticket=")
	if !found || answer.ExpiresIn != 60 || len(secret) != 43 {
		t.Errorf("%+v", answer)
	}
	ticket, err := w.tickets.Take(t.Context(), secret, nil2)
	if err != nil || ticket.User.ID != "vera" || ticket.Room == "" {
		t.Errorf("%+v, %v", ticket, err)
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the log holds a ticket")
	}
	local := newWorld(t)
	local.den()
	if body := local.ask("vera", "POST", "/v1/rooms/den/tickets", "{}"); !strings.Contains(body, `"ws://example.com/ws?ticket=`) {
		t.Error(body)
	}
}

func TestHeadersAndOrigins(t *testing.T) {
	w := newWorld(t, func(d *api.Deps) { d.Origins = []string{"https://app.example"} })
	get := func(method, origin string) http.Header {
		return w.send(request{as: "ada", method: method, path: "/v1/rooms", headers: map[string]string{"Origin": origin}}).Header()
	}
	if h := get("GET", "https://app.example"); h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("Vary") != "Origin" {
		t.Errorf("allowed origin: %v", h)
	}
	if h := get("GET", "https://evil.example"); h.Get("Access-Control-Allow-Origin") != "" || h.Get("Vary") != "Origin" {
		t.Errorf("other origin: %v", h)
	}
	h := get("OPTIONS", "https://app.example")
	if h.Get("Access-Control-Allow-Methods") != "GET, HEAD, POST" || !strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || h.Get("Allow") == "" {
		t.Errorf("preflight: %v", h)
	}
	if h := get("OPTIONS", "https://evil.example"); h.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("preflight of another origin: %v", h)
	}
	h = get("GET", "")
	if h.Get("X-Request-Id") == "" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", h)
	}
	if out := w.send(request{as: "ada", method: "HEAD", path: "/v1/rooms"}); out.Code != 200 {
		t.Errorf("HEAD: %d", out.Code)
	}
}

func TestAPanicIsAnsweredAndHidden(t *testing.T) {
	w := newWorld(t, func(d *api.Deps) { d.Rooms = nil })
	out := w.send(request{as: "ada", method: "GET", path: "/v1/rooms"})
	id := out.Header().Get("X-Request-Id")
	if out.Code != 500 || !strings.Contains(out.Body.String(), id) || strings.Contains(out.Body.String(), "nil pointer") {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	if !strings.Contains(w.log.String(), "nil pointer") || !strings.Contains(w.log.String(), id) {
		t.Error("the log does not tell")
	}
}

func TestRateLimits(t *testing.T) {
	w := newLimitedWorld(t, access.Limits{access.Commits: 40, access.Reads: 40})
	w.ask("ada", "POST", "/v1/rooms", `{"id":"den","name":"The den"}`)
	for what, q := range map[string]request{
		"commits": {as: "ada", method: "POST", path: "/v1/rooms/den/commits", body: `{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}`},
		"reads":   {as: "ada", method: "GET", path: "/v1/rooms/den/schema"},
	} {
		out := w.send(q)
		for n := 0; n < 85 && out.Code == 200; n++ { // a minute may end in between
			out = w.send(q)
		}
		text := out.Body.String()
		if out.Code != 429 || out.Header().Get("Retry-After") == "" || !strings.Contains(text, `"retryAfterMs":`) || !strings.Contains(text, `"code":"rate_limited"`) {
			t.Errorf("%s: %d %v %s", what, out.Code, out.Header(), text)
		}
	}
	if out := w.send(request{as: "eve", method: "GET", path: "/v1/rooms/den/schema"}); out.Code != 404 {
		t.Errorf("a stranger learns of a limit: %d", out.Code)
	}
}
