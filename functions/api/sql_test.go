package api_test

import (
	"fmt"
	"testing"
)

func TestSQL(t *testing.T) {
	w := newWorld(t)
	w.den()
	const path = "/v1/rooms/den/sql"
	shared := w.commitAs("ada", `{"op":"createTable","table":"plans","columns":[{"name":"text","type":"text"},{"name":"at","type":"timestamp"},{"name":"done","type":"boolean"}]},
		{"op":"insert","table":"plans","id":"p1","row":{"text":"the plan","at":1795465260123,"done":true}}`)
	w.ask("ada", "PUT", "/v1/rooms/den/members/zed", `{"role":"owner"}`)
	owned := w.seq() // zed is an owner
	w.ask("ada", "PUT", "/v1/rooms/den/members/zed", `{"role":"editor"}`)
	w.commitAs("ada", `{"op":"update","table":"tasks","id":"t1","set":{"title":"Changed"}}`)
	w.check([]request{
		{as: "vera", method: "POST", path: path, body: `{"sql":"select id, text, at, done, _createdBy from plans"}`, status: 200,
			has: []string{`"columns":["id","text","at","done","_createdBy"],"rows":[["p1","the plan","2026-11-23T20:21:00.123Z",1,"ada"]],"seq":10,"tookMs":`}, hasNot: []string{"truncated"}},
	})
	w.commitAs("ada", `{"op":"alterTable","table":"plans","access":"own"}`)
	w.ask("ada", "PUT", "/v1/rooms/den/members/newt", `{"role":"viewer"}`)
	at := func(sql string, seq int64) string { return fmt.Sprintf(`{"sql":%q,"atSeq":%d}`, sql, seq) }
	w.check([]request{
		{as: "newt", method: "POST", path: path, body: at("select title from tasks", shared), status: 200, has: []string{`[["First"]],"seq":` + fmt.Sprint(shared)}},
		{as: "newt", method: "POST", path: path, body: `{"sql":"select title from tasks where id = ?1","params":["t1"]}`, status: 200, has: []string{`[["Changed"]]`}},
		{as: "ada", method: "POST", path: path, body: at("select text from plans", shared), status: 200, has: []string{"the plan"}},
		{name: "a table that is own now", as: "vera", method: "POST", path: path, body: at("select text from plans", shared), status: 200, has: []string{`"rows":[]`}},
		{name: "who is no owner any more", as: "zed", method: "POST", path: path, body: at("select text from notes", owned), status: 200, has: []string{`"rows":[]`}},
		{as: "ada", method: "POST", path: path, body: at("select text from notes", owned), status: 200, has: []string{"secret"}},

		{as: "vera", method: "POST", path: path, body: at("select 1", 0), status: 400, has: []string{`"path":"atSeq"`}},
		{as: "vera", method: "POST", path: path, body: at("select 1", -3), status: 400, has: []string{`"path":"atSeq"`}},
		{as: "vera", method: "POST", path: path, body: at("select 1", 999), status: 404, has: []string{`"path":"atSeq"`}},
		{as: "vera", method: "POST", path: path, body: `{}`, status: 400, has: []string{`"path":"sql"`}},
		{as: "vera", method: "POST", path: path, body: `{"sql":" "}`, status: 400, has: []string{`"path":"sql"`}},
		{as: "vera", method: "POST", path: path, body: `{"sql":5}`, status: 400, has: []string{`"path":"sql"`}},
		{as: "vera", method: "POST", path: path, body: `{"sql":"select 1; select 2"}`, status: 400, has: []string{`"path":"sql"`}},
		{as: "vera", method: "POST", path: path, body: `{"sql":"select * from none"}`, status: 400, has: []string{`"path":"sql"`}},
		{as: "vera", method: "POST", path: path, body: `{"sql":"select 1","params":{}}`, status: 400, has: []string{`"path":"params"`}},
		{as: "vera", method: "POST", path: path, body: `{"sql":"select ?","params":[[1]]}`, status: 400, has: []string{`"path":"params[0]"`}},
		{as: "ada", method: "POST", path: path, body: `{"sql":"update tasks set title = 'x'"}`, status: 400, has: []string{`"path":"sql"`}},
		{as: "ada", method: "POST", path: path, body: `{"sql":"drop table tasks"}`, status: 403, has: []string{`"path":"sql"`}},
		{as: "ada", method: "POST", path: path, body: `{"sql":"pragma table_info('t1')"}`, status: 403, has: []string{`"path":"sql"`}},
		{as: "ada", method: "POST", path: path, body: `{"sql":"attach 'x.db' as x"}`, status: 403, has: []string{`"path":"sql"`}},
		{as: "eve", method: "POST", path: path, body: `{"sql":"select 1"}`, status: 404},
	})
}
