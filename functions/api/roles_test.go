package api_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"

	"nanotypedb/functions/api"
	"nanotypedb/shared/access"
	"nanotypedb/shared/store"
)

func nil2(access.Ticket) ([]store.Write, error) { return nil, nil }

// trial is how a route is tried: its body, and the status when the role is
// enough. %ROLE% in the path is who asks, so that destructive ones do not meet.
type trial struct{ path, body string }

// trials has one entry for each route that takes a role. A route that is not
// listed here fails TestRolesByRoute.
var trials = map[string]trial{
	"GET /v1/rooms/{room}":                          {"/v1/rooms/den", ""},
	"PATCH /v1/rooms/{room}":                        {"/v1/rooms/den", `{"name":"x"}`},
	"DELETE /v1/rooms/{room}":                       {"/v1/rooms/den", ""},
	"GET /v1/rooms/{room}/members":                  {"/v1/rooms/den/members", ""},
	"PUT /v1/rooms/{room}/members/{user}":           {"/v1/rooms/den/members/new", `{"role":"viewer"}`},
	"DELETE /v1/rooms/{room}/members/{user}":        {"/v1/rooms/den/members/zed", ""},
	"POST /v1/rooms/{room}/tickets":                 {"/v1/rooms/den/tickets", ""},
	"GET /v1/rooms/{room}/schema":                   {"/v1/rooms/den/schema", ""},
	"POST /v1/rooms/{room}/commits":                 {"/v1/rooms/den/commits", `{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}`},
	"GET /v1/rooms/{room}/log":                      {"/v1/rooms/den/log?since=0", ""},
	"GET /v1/rooms/{room}/tables/{table}/rows":      {"/v1/rooms/den/tables/tasks/rows", ""},
	"GET /v1/rooms/{room}/tables/{table}/rows/{id}": {"/v1/rooms/den/tables/tasks/rows/t1", ""},

	"GET /v1/rooms/{room}/diff":                             {"/v1/rooms/den/diff?from=1", ""},
	"POST /v1/rooms/{room}/undo":                            {"/v1/rooms/den/undo", `{"seq":%UNDO%}`},
	"GET /v1/rooms/{room}/tables/{table}/rows/{id}/history": {"/v1/rooms/den/tables/tasks/rows/t1/history", ""},

	"GET /v1/rooms/{room}/analytics":     {"/v1/rooms/den/analytics", ""},
	"GET /v1/rooms/{room}/analytics.csv": {"/v1/rooms/den/analytics.csv", ""},
	"GET /v1/rooms/{room}/budget":        {"/v1/rooms/den/budget", ""},
	"PUT /v1/rooms/{room}/budget":        {"/v1/rooms/den/budget", `{"warn":1,"stop":2}`},
	"GET /v1/rooms/{room}/health":        {"/v1/rooms/den/health", ""},

	"GET /v1/rooms/{room}/alerts":             {"/v1/rooms/den/alerts", ""},
	"PUT /v1/rooms/{room}/alerts/{topic}":     {"/v1/rooms/den/alerts/down", `{"description":"outages"}`},
	"DELETE /v1/rooms/{room}/alerts/{topic}":  {"/v1/rooms/den/alerts/theirs", ""},
	"POST /v1/rooms/{room}/alerts/preview":    {"/v1/rooms/den/alerts/preview", `{"description":"First"}`},
	"GET /v1/rooms/{room}/alerts/inbox":       {"/v1/rooms/den/alerts/inbox", ""},
	"POST /v1/rooms/{room}/alerts/inbox/read": {"/v1/rooms/den/alerts/inbox/read", `{"all":true}`},

	"POST /v1/rooms/{room}/search": {"/v1/rooms/den/search", `{"query":"first thing"}`},
	"POST /v1/rooms/{room}/sql":    {"/v1/rooms/den/sql", `{"sql":"select title, 1.5 from tasks where id = ?","params":["t1"]}`},

	"GET /v1/rooms/{room}/queue":                {"/v1/rooms/den/queue", ""},
	"POST /v1/rooms/{room}/queue/retry":         {"/v1/rooms/den/queue/retry", `{"all":true}`},
	"DELETE /v1/rooms/{room}/queue/failed":      {"/v1/rooms/den/queue/failed", ""},
	"DELETE /v1/rooms/{room}/queue/failed/{id}": {"/v1/rooms/den/queue/failed/%JOB%", ""},
	"POST /v1/rooms/{room}/queue/reindex":       {"/v1/rooms/den/queue/reindex", `{"mode":"missing"}`},
}

// signedIn are the routes that take no role in a room: what they tell depends
// on who asks.
var signedIn = map[string]bool{
	"GET /v1/me": true, "GET /v1/rooms": true, "POST /v1/rooms": true, "POST /v1/rooms/{room}/join": true,
}

var open = map[string]bool{"GET /healthz": true, "GET /openapi.json": true}

func TestRolesByRoute(t *testing.T) {
	for i := range api.Routes {
		route := &api.Routes[i]
		name := route.Method + " " + route.Path
		try, listed := trials[name]
		if listed != (route.Role != access.None) || !listed && !signedIn[name] && !open[name] || open[name] != route.Open {
			t.Errorf("%s is not listed with its role in this test", name)
			continue
		}
		if listed {
			t.Run(name, func(t *testing.T) { tryRoute(t, route, try) })
		}
	}
}

// tryRoute asks as nobody, a stranger, somebody invited and each role, the
// strongest last.
func tryRoute(t *testing.T, route *api.Route, try trial) {
	w := newWorld(t)
	w.den()
	w.ask("ada", "PUT", "/v1/rooms/den/members/zed", `{"role":"viewer"}`)
	for _, who := range []struct {
		name string
		role access.Role
	}{{"", access.None}, {"eve", access.None}, {"iris", access.None}, {"vera", access.Viewer}, {"bob", access.Editor}, {"ada", access.Owner}} {
		if who.role != access.None {
			w.ask(who.name, "PUT", "/v1/rooms/den/alerts/theirs", `{"description":"First"}`)
		}
		w.asking = cmp.Or(who.name, "ada")
		path, body := w.path(try.path), w.path(try.body)
		before := w.seq()
		out := w.send(request{as: who.name, method: route.Method, path: path, body: body})
		if want := expected(who.name, who.role, route); out.Code != want {
			t.Errorf("as %q: %d, want %d: %s", who.name, out.Code, want, out.Body)
		}
		if out.Code >= 400 && (w.seq() != before || strings.Contains(out.Body.String(), "First")) {
			t.Errorf("as %q: refused, but something changed or was told: %s", who.name, out.Body)
		}
	}
}

// fills makes what stands for a name in the path of a trial.
var fills = map[string]func(*world) string{}

// path fills in what a trial needs to be there.
func (w *world) path(text string) string {
	for name, fill := range fills {
		if strings.Contains(text, name) {
			return strings.ReplaceAll(text, name, fill(w))
		}
	}
	if !strings.Contains(text, "%JOB%") {
		return text
	}
	return strings.ReplaceAll(text, "%JOB%", w.bury("tasks", "t1", "First"))
}

func expected(name string, role access.Role, route *api.Route) int {
	switch {
	case name == "":
		return http.StatusUnauthorized
	case role == access.None:
		return http.StatusNotFound
	case !role.AtLeast(route.Role):
		return http.StatusForbidden
	default:
		return route.Status
	}
}

func TestRoutesForTheSignedIn(t *testing.T) {
	w := newWorld(t)
	w.den()
	w.check([]request{
		{method: "GET", path: "/v1/me", status: 401},
		{method: "GET", path: "/v1/rooms", status: 401},
		{method: "POST", path: "/v1/rooms", body: `{"name":"x"}`, status: 401},
		{method: "POST", path: "/v1/rooms/den/join", status: 401},
		{as: "eve", method: "GET", path: "/v1/rooms", status: 200, hasNot: []string{"den"}},
		{as: "eve", method: "POST", path: "/v1/rooms/den/join", status: 404},
	})
}
