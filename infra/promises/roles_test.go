package promises

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nanotypedb/functions/api"
	"nanotypedb/functions/live"
)

// Promise 7: no request without a role in the room reads or changes anything
// of it.

// callers are who asks, those with the least rights first.
var callers = []string{"nobody", "a bad token", "stranger", "removed", "viewer", "editor", "owner"}

// Statuses by caller, in the order of callers.
type statuses [7]int

func everybody(status int) statuses {
	return statuses{status, status, status, status, status, status, status}
}

func signedIn(outside, member int) statuses {
	return statuses{401, 401, outside, outside, member, member, member}
}

func viewers(status int) statuses { return statuses{401, 401, 404, 404, status, status, status} }
func editors(status int) statuses { return statuses{401, 401, 404, 404, 403, status, status} }
func owners(status int) statuses  { return statuses{401, 401, 404, 404, 403, 403, status} }

// routeTrial is how a route is tried in room %s.
type routeTrial struct {
	path, body string
	want       statuses
}

// routeTrials has one entry for each route; one that is not listed fails
// TestRoleByRoute.
var routeTrials = map[string]routeTrial{
	"GET /healthz":      {"/healthz", "", everybody(200)},
	"GET /openapi.json": {"/openapi.json", "", everybody(200)},
	"GET /v1/me":        {"/v1/me", "", signedIn(200, 200)},
	"GET /v1/rooms":     {"/v1/rooms", "", signedIn(200, 200)},
	"POST /v1/rooms":    {"/v1/rooms", `{"name":"Another"}`, signedIn(201, 201)},

	"GET /v1/rooms/{room}":                   {"/v1/rooms/%s", "", viewers(200)},
	"PATCH /v1/rooms/{room}":                 {"/v1/rooms/%s", `{"name":"Renamed"}`, owners(200)},
	"DELETE /v1/rooms/{room}":                {"/v1/rooms/%s", "", owners(204)},
	"GET /v1/rooms/{room}/members":           {"/v1/rooms/%s/members", "", viewers(200)},
	"PUT /v1/rooms/{room}/members/{user}":    {"/v1/rooms/%s/members/guest", `{"role":"viewer"}`, owners(200)},
	"DELETE /v1/rooms/{room}/members/{user}": {"/v1/rooms/%s/members/other", "", owners(204)},
	"POST /v1/rooms/{room}/join":             {"/v1/rooms/%s/join", "", signedIn(404, 409)},
	"POST /v1/rooms/{room}/tickets":          {"/v1/rooms/%s/tickets", "", viewers(200)},
	"GET /v1/rooms/{room}/schema":            {"/v1/rooms/%s/schema", "", viewers(200)},
	"POST /v1/rooms/{room}/commits": {"/v1/rooms/%s/commits",
		`{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}`, editors(200)},
	"GET /v1/rooms/{room}/log":                      {"/v1/rooms/%s/log?since=0", "", viewers(200)},
	"GET /v1/rooms/{room}/tables/{table}/rows":      {"/v1/rooms/%s/tables/tasks/rows", "", viewers(200)},
	"GET /v1/rooms/{room}/tables/{table}/rows/{id}": {"/v1/rooms/%s/tables/tasks/rows/t1", "", viewers(200)},

	"GET /v1/rooms/{room}/alerts":             {"/v1/rooms/%s/alerts", "", viewers(200)},
	"PUT /v1/rooms/{room}/alerts/{topic}":     {"/v1/rooms/%s/alerts/down", `{"description":"outages"}`, viewers(200)},
	"DELETE /v1/rooms/{room}/alerts/{topic}":  {"/v1/rooms/%s/alerts/none", "", viewers(404)},
	"POST /v1/rooms/{room}/alerts/preview":    {"/v1/rooms/%s/alerts/preview", `{"description":"outages","threshold":0.99}`, viewers(200)},
	"GET /v1/rooms/{room}/alerts/inbox":       {"/v1/rooms/%s/alerts/inbox", "", viewers(200)},
	"POST /v1/rooms/{room}/alerts/inbox/read": {"/v1/rooms/%s/alerts/inbox/read", `{"all":true}`, viewers(200)},

	"GET /v1/rooms/{room}/diff":                             {"/v1/rooms/%s/diff?from=1", "", viewers(200)},
	"POST /v1/rooms/{room}/undo":                            {"/v1/rooms/%s/undo", `{"seq":1}`, editors(400)},
	"GET /v1/rooms/{room}/tables/{table}/rows/{id}/history": {"/v1/rooms/%s/tables/tasks/rows/t1/history", "", viewers(200)},

	"GET /v1/rooms/{room}/analytics":     {"/v1/rooms/%s/analytics", "", viewers(200)},
	"GET /v1/rooms/{room}/analytics.csv": {"/v1/rooms/%s/analytics.csv", "", viewers(200)},
	"GET /v1/rooms/{room}/budget":        {"/v1/rooms/%s/budget", "", viewers(200)},
	"PUT /v1/rooms/{room}/budget":        {"/v1/rooms/%s/budget", `{"warn":1,"stop":2}`, owners(200)},
	"GET /v1/rooms/{room}/health":        {"/v1/rooms/%s/health", "", viewers(200)},

	"POST /v1/rooms/{room}/sql":    {"/v1/rooms/%s/sql", `{"sql":"select count(*) from tasks"}`, viewers(200)},
	"POST /v1/rooms/{room}/search": {"/v1/rooms/%s/search", `{"query":"something else","mode":"keyword"}`, viewers(200)},

	"GET /v1/rooms/{room}/queue":                {"/v1/rooms/%s/queue", "", viewers(200)},
	"POST /v1/rooms/{room}/queue/retry":         {"/v1/rooms/%s/queue/retry", `{"all":true}`, editors(200)},
	"DELETE /v1/rooms/{room}/queue/failed":      {"/v1/rooms/%s/queue/failed", "", editors(200)},
	"DELETE /v1/rooms/{room}/queue/failed/{id}": {"/v1/rooms/%s/queue/failed/AAAAAAAAAAAAAAAAAAAAAAAAAA", "", editors(404)},
	"POST /v1/rooms/{room}/queue/reindex":       {"/v1/rooms/%s/queue/reindex", `{"mode":"all"}`, statuses{401, 401, 404, 404, 403, 403, 200}},

	"GET /v1/rooms/{room}/backups":         {"/v1/rooms/%s/backups", "", viewers(200)},
	"POST /v1/rooms/{room}/backups":        {"/v1/rooms/%s/backups", `{"note":"x"}`, editors(201)},
	"GET /v1/rooms/{room}/backups/{id}":    {"/v1/rooms/%s/backups/x", "", viewers(404)},
	"PATCH /v1/rooms/{room}/backups/{id}":  {"/v1/rooms/%s/backups/x", `{"note":"y"}`, owners(404)},
	"DELETE /v1/rooms/{room}/backups/{id}": {"/v1/rooms/%s/backups/x", "", owners(404)},
	"POST /v1/rooms/{room}/restore":        {"/v1/rooms/%s/restore", `{"seq":1,"dryRun":true}`, owners(200)},
	"GET /v1/rooms/{room}/jobs":            {"/v1/rooms/%s/jobs", "", viewers(200)},
	"GET /v1/rooms/{room}/jobs/{id}":       {"/v1/rooms/%s/jobs/x", "", viewers(404)},
	"DELETE /v1/rooms/{room}/jobs/{id}":    {"/v1/rooms/%s/jobs/x", "", viewers(404)},
}

// secret is in the rows of the rooms that are tried, and in no request.
const secret = "what only members know"

// cast is a runner with rooms, each with one caller of every kind.
type cast struct {
	p      *process
	people map[string]*person
}

func newCast(t *testing.T) *cast {
	t.Helper()
	c := &cast{p: launch(t, filepath.Join(t.TempDir(), "data")), people: map[string]*person{}}
	for _, name := range callers {
		c.people[name] = c.p.signIn(t, strings.ReplaceAll(name, " ", "-"))
	}
	c.people["nobody"].token = ""
	c.people["a bad token"].token = c.people["owner"].token + "x"
	return c
}

// room makes a room that holds the secret.
func (c *cast) room(t *testing.T, id string) {
	t.Helper()
	owner := c.people["owner"]
	owner.room(t, id)
	path := "/v1/rooms/" + id + "/members/"
	for name, role := range map[string]string{"viewer": "viewer", "editor": "editor", "removed": "owner"} {
		owner.must(t, "PUT", path+c.people[name].id, map[string]string{"role": role})
	}
	owner.must(t, "PUT", path+"other", map[string]string{"role": "viewer"})
	owner.must(t, "DELETE", path+c.people["removed"].id, nil)
	owner.must(t, "POST", "/v1/rooms/"+id+"/commits", map[string]any{"ops": []any{insertTask("t1", secret)}})
}

// must makes a request that must succeed.
func (w *person) must(t *testing.T, method, path string, body any) {
	t.Helper()
	if err := w.call(t.Context(), method, path, body, nil); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// seq is the newest seq of a room.
func (w *person) seq(t *testing.T, room string) int64 {
	t.Helper()
	var detail struct{ Seq int64 }
	if err := w.call(t.Context(), "GET", "/v1/rooms/"+room, nil, &detail); err != nil {
		t.Fatal(err)
	}
	return detail.Seq
}

// send makes a request as it is written and gives the whole answer.
func (w *person) send(t *testing.T, method, path, contentType, body string) (status int, header http.Header, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(answer)
}

func TestRoleByRoute(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	listed := map[string]bool{}
	for i := range api.Routes {
		name := api.Routes[i].Method + " " + api.Routes[i].Path
		listed[name] = true
		trial, ok := routeTrials[name]
		if !ok {
			t.Errorf("%s is not tried here", name)
			continue
		}
		c.tryRoute(t, api.Routes[i].Method, name, trial, fmt.Sprintf("room-%d", i))
	}
	for name := range routeTrials {
		if !listed[name] {
			t.Errorf("%s is tried here, but there is no such route", name)
		}
	}
}

func (c *cast) tryRoute(t *testing.T, method, name string, trial routeTrial, room string) {
	t.Helper()
	c.room(t, room)
	path := trial.path
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, room)
	}
	contentType := ""
	if trial.body != "" {
		contentType = "application/json"
	}
	owner := c.people["owner"]
	for i, caller := range callers {
		before := owner.seq(t, room)
		status, _, text := c.people[caller].send(t, method, path, contentType, trial.body)
		if status != trial.want[i] {
			t.Errorf("%s as %s: %d, want %d: %s", name, caller, status, trial.want[i], text)
		}
		if status < 300 && i >= 4 {
			continue
		}
		if strings.Contains(text, secret) {
			t.Errorf("%s as %s tells a row: %s", name, caller, text)
		}
		if after := owner.seq(t, room); after != before {
			t.Errorf("%s as %s: refused, but the room went from seq %d to %d", name, caller, before, after)
		}
	}
}

// methodTrial is how a method is tried; the numbers are 0 for a result.
type methodTrial struct {
	params                map[string]any
	viewer, editor, owner int
	telling               bool // the result tells rows
}

// methodTrials has one entry for each method; one that is not listed fails
// TestRoleByMethod.
var methodTrials = map[string]methodTrial{
	"ping":        {params: map[string]any{}},
	"subscribe":   {params: map[string]any{"since": 0}, telling: true},
	"unsubscribe": {params: map[string]any{}},
	"commit": {params: map[string]any{"ops": []any{insertTask("", "x")}},
		viewer: 4003},
	"rows.list":    {params: map[string]any{"table": "tasks"}, telling: true},
	"rows.get":     {params: map[string]any{"table": "tasks", "id": "t1"}, telling: true},
	"log.read":     {params: map[string]any{"since": 0}, telling: true},
	"presence.set": {params: map[string]any{"status": "here", "n": 1}},
	"cursor.set":   {params: map[string]any{"position": 1, "n": 1}},

	"sql":           {params: map[string]any{"sql": "select * from tasks"}, telling: true},
	"search":        {params: map[string]any{"query": "members know"}, telling: true},
	"alerts.set":    {params: map[string]any{"topic": "down", "description": "outages"}},
	"alerts.delete": {params: map[string]any{"topic": "none"}, viewer: 4004, editor: 4004, owner: 4004},
	"alerts.list":   {params: map[string]any{}},
	"alerts.inbox":  {params: map[string]any{}},
}

func TestRoleByMethod(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	names := map[string]bool{}
	for i, method := range live.Methods {
		names[method.Name] = true
		trial, ok := methodTrials[method.Name]
		if !ok {
			t.Errorf("%s is not tried here", method.Name)
			continue
		}
		room := fmt.Sprintf("room-%d", i)
		c.room(t, room)
		for caller, want := range map[string]int{"viewer": trial.viewer, "editor": trial.editor, "owner": trial.owner} {
			c.tryMethod(t, method.Name, caller, room, want, c.people[caller].socket(t, room))
		}
	}
	for name := range methodTrials {
		if !names[name] {
			t.Errorf("%s is tried here, but there is no such method", name)
		}
	}
}

func (c *cast) tryMethod(t *testing.T, method, caller, room string, want int, s *socket) {
	t.Helper()
	owner, trial := c.people["owner"], methodTrials[method]
	params := trial.params
	if method == "commit" {
		params = map[string]any{"ops": []any{insertTask("by-"+caller, "x")}}
	}
	before := owner.seq(t, room)
	var result map[string]any
	err := s.call(t.Context(), method, params, &result)
	got := 0
	var refusal *rpcError
	if errors.As(err, &refusal) {
		got = refusal.Code
	} else if err != nil {
		t.Errorf("%s as %s: %v", method, caller, err)
	}
	if got != want {
		t.Errorf("%s as %s: %d, want %d: %v %v", method, caller, got, want, err, result)
	}
	if told := strings.Contains(fmt.Sprint(result), secret); told != (trial.telling && want == 0) {
		t.Errorf("%s as %s tells a row: %v, %v", method, caller, told, result)
	}
	if changed := owner.seq(t, room) != before; changed != (method == "commit" && want == 0) {
		t.Errorf("%s as %s: the room changed: %v", method, caller, changed)
	}
}

// Who has no role gets no ticket; a member's socket ends with his membership,
// and a ticket from before it shows nothing any more.
func TestRoleByMethodOfTheRemoved(t *testing.T) {
	t.Parallel()
	c := newCast(t)
	c.room(t, "den")
	for _, caller := range []string{"nobody", "a bad token", "stranger", "removed"} {
		if s, err := c.people[caller].dial(t.Context(), "den"); err == nil {
			s.close()
			t.Errorf("%s got a socket", caller)
		}
	}
	owner, gone := c.people["owner"], c.people["removed"]
	member := "/v1/rooms/den/members/" + gone.id
	for _, method := range slices.Sorted(maps.Keys(methodTrials)) {
		t.Run(method, func(t *testing.T) {
			owner.must(t, "PUT", member, map[string]string{"role": "editor"})
			url, err := gone.ticket(t.Context(), "den")
			if err != nil {
				t.Fatal(err)
			}
			was := gone.socket(t, "den")
			owner.must(t, "DELETE", member, nil)
			if <-was.done; was.call(t.Context(), method, methodTrials[method].params, nil) == nil {
				t.Errorf("%s is answered on the socket of a removed member", method)
			}
			if s, err := open(t.Context(), url); err == nil {
				s.close()
				t.Error("a ticket from before the removal opened a socket")
			}
		})
	}
}
