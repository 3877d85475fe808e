package promises

import (
	"strings"
	"testing"
)

// Promise 8 for alerts and the queue of texts to embed.
func TestRequestsAboutMeaningAreRefused(t *testing.T) {
	t.Parallel()
	w := newRefusalWorld(t)
	eve, vera := w.p.signIn(t, "eve"), w.p.signIn(t, "vera")
	w.ada.must(t, "PUT", "/v1/rooms/den/members/"+vera.id, map[string]string{"role": "viewer"})
	w.bob.must(t, "PUT", "/v1/rooms/den/alerts/kept", map[string]string{"description": "what stays"})
	w.before = w.state()
	_, _, alerts := w.bob.send(t, "GET", "/v1/rooms/den/alerts", "", "")
	const (
		den, alert, queue = "/v1/rooms/den", "/v1/rooms/den/alerts/", "/v1/rooms/den/queue"
		plain             = "application/json"
		job               = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	)
	for _, r := range []struct {
		name         string
		who          *person
		method, path string
		body         string
		status       int
		code, at     string
	}{
		{"an alert in a foreign room", eve, "PUT", alert + "a", `{"description":"x"}`, 404, "not_found", ""},
		{"a topic in capitals", w.bob, "PUT", alert + "Down", `{"description":"x"}`, 400, "invalid", "topic"},
		{"a topic too long", w.bob, "PUT", alert + strings.Repeat("a", 64), `{"description":"x"}`, 400, "invalid", "topic"},
		{"a topic that breaks keys", w.bob, "PUT", alert + "a%23b", `{"description":"x"}`, 400, "invalid", "topic"},
		{"no description", w.bob, "PUT", alert + "kept", `{}`, 400, "invalid", "description"},
		{"a blank description", w.bob, "PUT", alert + "kept", `{"description":" \n"}`, 400, "invalid", "description"},
		{"a description too long", w.bob, "PUT", alert + "kept", `{"description":"` + strings.Repeat("é", 1001) + `"}`, 413, "too_large", "description"},
		{"a description of a number", w.bob, "PUT", alert + "kept", `{"description":5}`, 400, "invalid", "description"},
		{"a threshold above 1", w.bob, "PUT", alert + "kept", `{"description":"x","threshold":1.5}`, 400, "invalid", "threshold"},
		{"a threshold below 0", w.bob, "PUT", alert + "kept", `{"description":"x","threshold":-1}`, 400, "invalid", "threshold"},
		{"a threshold of text", w.bob, "PUT", alert + "kept", `{"description":"x","threshold":"high"}`, 400, "invalid", "threshold"},
		{"an unknown table", w.bob, "PUT", alert + "kept", `{"description":"x","table":"none"}`, 404, "not_found", "table"},
		{"a table without meaning", w.bob, "PUT", alert + "kept", `{"description":"x","table":"typed"}`, 400, "invalid", "table"},
		{"an unknown field", w.bob, "PUT", alert + "kept", `{"description":"x","user":"ada"}`, 400, "invalid", "user"},
		{"an alert that is not there ended", w.bob, "DELETE", alert + "none", "", 404, "not_found", "topic"},
		{"an alert of somebody else ended", w.ada, "DELETE", alert + "kept", "", 404, "not_found", "topic"},
		{"a preview of nothing", w.bob, "POST", alert + "preview", `{"description":""}`, 400, "invalid", "description"},
		{"a preview in a foreign room", eve, "POST", alert + "preview", `{"description":"x"}`, 404, "not_found", ""},
		{"a long page of the inbox", w.bob, "GET", alert + "inbox?limit=201", "", 400, "invalid", "limit"},
		{"a bad cursor of the inbox", w.bob, "GET", alert + "inbox?cursor=x", "", 400, "invalid", "cursor"},
		{"nothing marked as read", w.bob, "POST", alert + "inbox/read", `{}`, 400, "invalid", ""},
		{"ids and all marked as read", w.bob, "POST", alert + "inbox/read", `{"ids":["x"],"all":true}`, 400, "invalid", ""},
		{"an id of no entry", w.bob, "POST", alert + "inbox/read", `{"ids":["MATCH#ada"]}`, 400, "invalid", "ids[0]"},

		{"the queue of a foreign room", eve, "GET", queue, "", 404, "not_found", ""},
		{"a long page of failed jobs", w.bob, "GET", queue + "?limit=201", "", 400, "invalid", "limit"},
		{"a bad cursor of failed jobs", w.bob, "GET", queue + "?cursor=FAIL%23", "", 400, "invalid", "cursor"},
		{"a retry of nothing", w.bob, "POST", queue + "/retry", `{}`, 400, "invalid", ""},
		{"a retry of ids and all", w.bob, "POST", queue + "/retry", `{"ids":["` + job + `"],"all":true}`, 400, "invalid", ""},
		{"a retry of no id", w.bob, "POST", queue + "/retry", `{"ids":["` + job + `","x"]}`, 400, "invalid", "ids[1]"},
		{"a retry by a viewer", vera, "POST", queue + "/retry", `{"all":true}`, 403, "forbidden", ""},
		{"a job that is not there discarded", w.bob, "DELETE", queue + "/failed/" + job, "", 404, "not_found", "id"},
		{"no id discarded", w.bob, "DELETE", queue + "/failed/x", "", 400, "invalid", "ids[0]"},
		{"a discarding by a viewer", vera, "DELETE", queue + "/failed", "", 403, "forbidden", ""},
		{"an unknown way to index", w.bob, "POST", queue + "/reindex", `{"mode":"some"}`, 400, "invalid", "mode"},
		{"indexing by a viewer", vera, "POST", queue + "/reindex", `{"mode":"missing"}`, 403, "forbidden", ""},
		{"indexing all by an editor", w.bob, "POST", queue + "/reindex", `{"mode":"all"}`, 403, "forbidden", ""},
	} {
		contentType := ""
		if r.body != "" {
			contentType = plain
		}
		w.http(r.name, r.who, r.method, r.path, contentType, r.body, r.status, r.code, r.at)
	}
	if _, _, after := w.bob.send(t, "GET", den+"/alerts", "", ""); after != alerts {
		t.Errorf("bob's alerts went from %s to %s", alerts, after)
	}
	for _, r := range []struct{ name, method, params, code, at string }{
		{"a topic in capitals", "alerts.set", `{"topic":"A","description":"x"}`, "invalid", "topic"},
		{"a threshold above 1", "alerts.set", `{"topic":"a","description":"x","threshold":2}`, "invalid", "threshold"},
		{"an alert that is not there ended", "alerts.delete", `{"topic":"none"}`, "not_found", "topic"},
		{"an unknown field", "alerts.list", `{"user":"ada"}`, "invalid", "user"},
		{"a bad cursor of the inbox", "alerts.inbox", `{"cursor":"x"}`, "invalid", "cursor"},
	} {
		w.call(r.name+", by socket", r.method, r.params, r.code, r.at)
	}
}
