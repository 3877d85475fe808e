package api_test

import (
	"strings"
	"testing"

	"nanotypedb/functions/api"
	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
)

// openQueue makes the queue that jobs go to.
func (w *world) openQueue(st store.Store, file *sqlitefile.File, replicas *replica.Cache) api.Queue {
	w.t.Helper()
	queues, err := sqlitequeue.Open(w.t.Context(), file)
	must(w.t, err)
	q, err := queues.Queue(sqlitequeue.Options{Name: indexing.QueueName})
	must(w.t, err)
	w.indexer = indexing.New(indexing.Options{Store: st, Replicas: replicas, Queue: q, Embedder: w.model})
	return indexing.NewDesk(w.indexer, w.engine)
}

// job is that of a row of den.
func (w *world) job(table, id, text string) (j indexing.Job) {
	w.t.Helper()
	must(w.t, w.engine.Read(w.t.Context(), access.Principal{User: w.user("ada")}, room.Ref{ID: "den"}, func(v *room.View) error {
		st := v.State()
		j = indexing.Job{Room: st.Room, Table: st.Schema.Table(table).Num, Row: id, Hash: indexlog.TextHash(text), Seq: st.Seq}
		return nil
	}))
	return j
}

// bury lets the job of a row die, and gives its id.
func (w *world) bury(table, id, text string) string {
	w.t.Helper()
	j := w.job(table, id, text)
	must(w.t, w.indexer.Fail(w.t.Context(), j, indexing.MaxReceives, embedder.Unreached("no model at this address")))
	for _, err := range w.indexer.Bury(w.t.Context(), []indexing.Job{j}).Errs {
		must(w.t, err)
	}
	return j.ID()
}

func TestQueue(t *testing.T) {
	w := newWorld(t)
	w.den()
	w.ask("ada", "POST", "/v1/rooms/den/commits", `{"ops":[
		{"op":"createTable","table":"drafts","access":"own","columns":[{"name":"text","type":"text","embed":true}]},
		{"op":"insert","table":"drafts","id":"d1","row":{"text":"secret"}},{"op":"insert","table":"tasks","id":"t2","row":{"title":"Second"}}]}`)
	shared, own := w.bury("tasks", "t1", "First"), w.bury("drafts", "d1", "secret")
	const queue = "/v1/rooms/den/queue"
	w.check([]request{
		{as: "ada", method: "GET", path: queue, status: 200, has: []string{
			`"deployment":{"waiting":0,"inFlight":0,"delayed":0,"oldestAgeMs":0},"dead":2,"index":{"rows":3,"indexed":0,"pending":1,"failed":2`,
			`"table":"tasks","row":"t1","class":"unavailable","error":"no model at this address","attempts":5,"firstAt":"2`, `"dead":true`, own, shared}},
		{as: "bob", method: "GET", path: queue, status: 200, has: []string{`"dead":1,`, shared}, hasNot: []string{own, "d1"}},
		{as: "vera", method: "GET", path: queue + "?limit=1", status: 200, has: []string{shared}, hasNot: []string{own, "cursor"}},
		{as: "ada", method: "GET", path: queue + "?limit=1", status: 200, has: []string{`"cursor":"` + min(own, shared)}},
		{as: "ada", method: "GET", path: queue + "?limit=1&cursor=" + min(own, shared), status: 200, has: []string{max(own, shared)}, hasNot: []string{min(own, shared), "cursor"}},
		{as: "ada", method: "GET", path: queue + "?limit=201", status: 400, has: []string{`"path":"limit"`}},
		{as: "ada", method: "GET", path: queue + "?cursor=x", status: 400, has: []string{`"path":"cursor"`}},

		{as: "bob", method: "POST", path: queue + "/retry", body: `{}`, status: 400},
		{as: "bob", method: "POST", path: queue + "/retry", body: `{"ids":["` + shared + `"],"all":true}`, status: 400},
		{as: "bob", method: "POST", path: queue + "/retry", body: `{"ids":["x"]}`, status: 400, has: []string{`"path":"ids[0]"`}},
		{as: "bob", method: "POST", path: queue + "/retry", body: `{"ids":["` + strings.Repeat(shared+`","`, 1000) + shared + `"]}`, status: 413, has: []string{`"path":"ids"`}},
		{as: "bob", method: "POST", path: queue + "/retry", body: `{"ids":"` + shared + `"}`, status: 400, has: []string{`"path":"ids"`}},
		{as: "bob", method: "POST", path: queue + "/reindex", body: `{"mode":"some"}`, status: 400, has: []string{`"path":"mode"`}},
		{as: "bob", method: "POST", path: queue + "/reindex", body: `{}`, status: 400, has: []string{`"path":"mode"`}},
		{as: "bob", method: "POST", path: queue + "/reindex", body: `{"mode":"all"}`, status: 403},
		{as: "bob", method: "DELETE", path: queue + "/failed/x", status: 400},

		{name: "what he may not read is not there", as: "bob", method: "DELETE", path: queue + "/failed/" + own, status: 404},
		{as: "bob", method: "POST", path: queue + "/retry", body: `{"ids":["` + own + `"]}`, status: 200, has: []string{`"retried":0`}},
		{as: "bob", method: "POST", path: queue + "/retry", body: `{"all":true}`, status: 200, has: []string{`"retried":1`}},
		{as: "ada", method: "GET", path: queue, status: 200, has: []string{own, `"dead":1,"index":{"rows":3,"indexed":0,"pending":2,"failed":1`}, hasNot: []string{shared}},
		{as: "bob", method: "DELETE", path: queue + "/failed", status: 200, has: []string{`"discarded":0`}},
		{as: "ada", method: "DELETE", path: queue + "/failed/" + own, status: 200, has: []string{`"discarded":1`}},
		{as: "ada", method: "DELETE", path: queue + "/failed/" + own, status: 404},
		{name: "its row stays failed", as: "ada", method: "GET", path: queue, status: 200, has: []string{`"dead":0,"index":{"rows":3,"indexed":0,"pending":2,"failed":1`}, hasNot: []string{own}},
		{as: "bob", method: "POST", path: queue + "/reindex", body: `{"mode":"missing"}`, status: 200, has: []string{`"queued":3`}},
		{as: "ada", method: "POST", path: queue + "/reindex", body: `{"mode":"all"}`, status: 200, has: []string{`"queued":3`}},
	})
}
