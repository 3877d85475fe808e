package api_test

import (
	"encoding/json"
	"fmt"
	"testing"
)

func init() {
	fills["%UNDO%"] = func(w *world) string {
		return fmt.Sprint(w.commitAs("ada", `{"op":"insert","table":"tasks","row":{"title":"x"}}`))
	}
}

func (w *world) commitAs(who, op string) int64 {
	w.t.Helper()
	var done struct{ Seq int64 }
	must(w.t, json.Unmarshal([]byte(w.ask(who, "POST", "/v1/rooms/den/commits", `{"ops":[`+op+`]}`)), &done))
	return done.Seq
}

// TestTimeMachine: the past can be read, compared and undone.
func TestTimeMachine(t *testing.T) {
	w := newWorld(t)
	w.den()
	before := w.seq()
	edit := w.commitAs("bob", `{"op":"update","table":"tasks","id":"t1","set":{"title":"Changed"}}`)
	shape := w.commitAs("ada", `{"op":"alterTable","table":"tasks","drop":["status"]}`)
	rows := "/v1/rooms/den/tables/tasks/rows"
	w.check([]request{
		{as: "vera", method: "GET", path: rows + fmt.Sprint("?atSeq=", before), status: 200, has: []string{`"First"`, `"status"`, fmt.Sprint(`"seq":`, before)}, hasNot: []string{"Changed"}},
		{as: "vera", method: "GET", path: rows + fmt.Sprint("/t1?atSeq=", edit), status: 200, has: []string{"Changed", `"status"`}},
		{as: "vera", method: "GET", path: fmt.Sprint("/v1/rooms/den/schema?atSeq=", before), status: 200, has: []string{`"status"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/schema?at=2999-01-01T00:00:00Z", status: 200, hasNot: []string{`"status"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/schema?at=1999-01-01T00:00:00Z", status: 404},
		{as: "vera", method: "GET", path: "/v1/rooms/den/schema?at=noon", status: 400, has: []string{`"path":"at"`}},
		{as: "vera", method: "GET", path: rows + "?atSeq=999", status: 404, has: []string{`"path":"atSeq"`}},
		{as: "vera", method: "GET", path: rows + "?atSeq=0", status: 400},
		{as: "vera", method: "GET", path: rows + "?atSeq=1&at=2999-01-01T00:00:00Z", status: 400},
		{as: "vera", method: "GET", path: fmt.Sprint("/v1/rooms/den/diff?from=", before), status: 200,
			has: []string{`"tasks":{"added":0,"changed":1,"removed":0,"schema":"altered"}`, `"columns":["title","status"]`, `"kind":"changed"`}},
		{as: "vera", method: "GET", path: fmt.Sprint("/v1/rooms/den/diff?from=now&to=", before, "&table=tasks"), status: 200, has: []string{`"changed":1`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/diff", status: 400, has: []string{`"path":"from"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/diff?from=1&cursor=x", status: 400, has: []string{`"path":"cursor"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/diff?from=1&table=none", status: 404},
		{as: "vera", method: "GET", path: rows + "/t1/history", status: 200,
			has: []string{`"kind":"alter"`, `"kind":"update"`, `"cells":{"title":{"before":"First","after":"Changed"}}`, `"kind":"insert"`, `"more":false`}},
		{as: "vera", method: "GET", path: rows + fmt.Sprint("/t1/history?limit=1&before=", shape), status: 200, has: []string{`"kind":"update"`, `"more":true`}, hasNot: []string{`"insert"`}},
		{as: "vera", method: "GET", path: rows + "/none/history", status: 404},
		{as: "vera", method: "POST", path: "/v1/rooms/den/undo", body: fmt.Sprintf(`{"seq":%d}`, edit), status: 403},
		{as: "bob", method: "POST", path: "/v1/rooms/den/undo", body: fmt.Sprintf(`{"seq":%d}`, edit), status: 409, has: []string{`"conflicts":[{"table":"tasks","row":"t1"`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/undo", body: fmt.Sprintf(`{"seq":%d}`, shape), status: 200, changes: true, has: []string{`"kind":"load"`, fmt.Sprint(`"undoes":`, shape)}},
		{as: "vera", method: "GET", path: rows + "/t1", status: 200, has: []string{`"status":"pending"`, "Changed"}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/undo", body: fmt.Sprintf(`{"seq":%d,"force":true}`, edit), status: 200, changes: true, has: []string{`"kind":"undo"`, `"title":"First"`}},
		{as: "vera", method: "GET", path: rows + "/t1/history", status: 200, has: []string{`"undoes":`, `"kind":"load"`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/undo", body: `{"seq":1}`, status: 400},
		{as: "bob", method: "POST", path: "/v1/rooms/den/undo", body: `{"seq":999}`, status: 404},
	})
	if seqs := w.announced.seqs; len(seqs) == 0 || seqs[len(seqs)-1] != w.seq() {
		t.Errorf("announced %v, the room is at %d", seqs, w.seq())
	}
}
