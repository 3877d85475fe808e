package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

func init() {
	fills["%BACKUP%"] = func(w *world) string { return w.backup("of a test").ID }
	fills["%WORK%"] = (*world).idleJob
	trials["GET /v1/rooms/{room}/backups"] = trial{"/v1/rooms/den/backups", ""}
	trials["POST /v1/rooms/{room}/backups"] = trial{"/v1/rooms/den/backups", `{"note":"mine"}`}
	trials["GET /v1/rooms/{room}/backups/{id}"] = trial{"/v1/rooms/den/backups/%BACKUP%", ""}
	trials["PATCH /v1/rooms/{room}/backups/{id}"] = trial{"/v1/rooms/den/backups/%BACKUP%", `{"note":"renamed"}`}
	trials["DELETE /v1/rooms/{room}/backups/{id}"] = trial{"/v1/rooms/den/backups/%BACKUP%", ""}
	trials["POST /v1/rooms/{room}/restore"] = trial{"/v1/rooms/den/restore", `{"seq":1,"dryRun":true}`}
	trials["GET /v1/rooms/{room}/jobs"] = trial{"/v1/rooms/den/jobs", ""}
	trials["GET /v1/rooms/{room}/jobs/{id}"] = trial{"/v1/rooms/den/jobs/%WORK%", ""}
	trials["DELETE /v1/rooms/{room}/jobs/{id}"] = trial{"/v1/rooms/den/jobs/%WORK%", ""}
}

// silent is a queue that nobody receives from.
type silent struct{ queue.Queue }

func (silent) Send(context.Context, ...queue.Outgoing) error { return nil }

func (w *world) openBackups(st store.Store, blobs blob.Store, replicas *replica.Cache) {
	w.jobs = job.New(job.Options{Store: st, Queue: silent{}})
	w.jobs.Register("idle", func(context.Context, *job.Job, json.RawMessage) (json.RawMessage, bool, float64, error) {
		return nil, false, 0.5, nil
	})
	w.keeper = backup.New(backup.Options{Store: st, Blobs: blobs, Replicas: replicas, Catalog: backup.NewCatalog(st, blobs), Rooms: w.engine, Jobs: w.jobs})
}

type backupAnswer struct {
	ID, Kind, Note, By string
	Seq, Rows, Bytes   int64
}

// backup takes a snapshot of the den as ada.
func (w *world) backup(note string) (b backupAnswer) {
	w.t.Helper()
	must(w.t, json.Unmarshal([]byte(w.ask("ada", "POST", "/v1/rooms/den/backups", `{"note":"`+note+`"}`)), &b))
	return b
}

// idleJob starts a job that waits in the queue, of whoever asks next.
func (w *world) idleJob() string { return w.startIdle(w.asking) }

func (w *world) startIdle(name string) string {
	w.t.Helper()
	j, err := w.jobs.Start(w.t.Context(), job.Spec{Kind: "idle", Room: w.ulid("ada"), By: w.user(name), Background: true})
	must(w.t, err)
	return j.ID
}

func (w *world) ulid(name string) string {
	w.t.Helper()
	infos, _, err := w.engine.Rooms(w.t.Context(), access.Principal{User: w.user(name)}, "", 1)
	must(w.t, err)
	return infos[0].ULID
}

func TestBackups(t *testing.T) {
	w := newWorld(t)
	w.den()
	b := w.backup("before the party")
	if b.Kind != "manual" || b.Seq != w.seq() || b.Rows != 2 || b.Bytes == 0 || b.By != w.user("ada").ID || b.Note != "before the party" {
		t.Errorf("%+v", b)
	}
	at := "/v1/rooms/den/backups/" + b.ID
	w.check([]request{
		{as: "bob", method: "POST", path: "/v1/rooms/den/backups", status: 201, has: []string{`"note":""`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/backups", body: `{"note":7}`, status: 400, has: []string{`"path":"note"`}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/backups", body: `{"note":"` + strings.Repeat("x", 501) + `"}`, status: 400, has: []string{`"path":"note"`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/backups?limit=1", status: 200, has: []string{`"cursor":`}, hasNot: []string{"party"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/backups", status: 200, has: []string{"party", `"kind":"manual"`}, hasNot: []string{"rooms/", `"cursor"`, "sha"}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/backups?cursor=x", status: 400},
		{as: "vera", method: "GET", path: at, status: 200, has: []string{b.ID}},
		{as: "ada", method: "PATCH", path: at, body: `{"note":"after it"}`, status: 200, has: []string{"after it"}},
		{as: "ada", method: "DELETE", path: at, status: 204},
		{as: "ada", method: "DELETE", path: at, status: 404},
		{as: "ada", method: "GET", path: at, status: 404},
		{as: "ada", method: "GET", path: "/v1/rooms/den/backups/..%2F..%2Fetc", status: 404},
		{as: "vera", method: "GET", path: "/v1/rooms/den/backups", status: 200, hasNot: []string{b.ID}},
		{as: "ada", method: "GET", path: "/v1/rooms/den/jobs/" + b.ID, status: 200, has: []string{`"result":{"id":"` + b.ID, `"at":"20`}, hasNot: []string{"rooms/", "sha"}},
	})
}

// A job is told to who started it and to owners; its result may hold what
// others must not see.
func TestJobsAreFollowedByWhoStartedThem(t *testing.T) {
	w := newWorld(t)
	w.den()
	id := w.startIdle("bob")
	at := "/v1/rooms/den/jobs/" + id
	w.check([]request{
		{as: "bob", method: "GET", path: at, status: 200, has: []string{`"state":"queued"`, `"kind":"idle"`}, hasNot: []string{"fence", "cursor", "params"}},
		{as: "ada", method: "GET", path: at, status: 200},
		{as: "vera", method: "GET", path: at, status: 404},
		{as: "eve", method: "GET", path: at, status: 404},
		{method: "GET", path: at, status: 401},
		{as: "bob", method: "GET", path: "/v1/rooms/den/jobs", status: 200, has: []string{id}},
		{as: "ada", method: "GET", path: "/v1/rooms/den/jobs", status: 200, has: []string{id}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/jobs", status: 200, hasNot: []string{id}},
		{as: "ada", method: "GET", path: "/v1/rooms/den/jobs/x", status: 404},
		{as: "vera", method: "DELETE", path: at, status: 404},
		{as: "bob", method: "DELETE", path: at, status: 200, has: []string{`"state":"cancelled"`}},
		{as: "bob", method: "DELETE", path: at, status: 409},
	})
}

func TestWhatTakesLongIsAJob(t *testing.T) {
	w := newWorld(t)
	w.den()
	slow := job.New(job.Options{Store: w.store, Queue: silent{}, Inline: -1})
	*w.jobs = *slow
	w.jobs.Register(backup.SnapshotJob, func(context.Context, *job.Job, json.RawMessage) (json.RawMessage, bool, float64, error) {
		return nil, false, 0, nil
	})
	out := w.send(request{as: "ada", method: "POST", path: "/v1/rooms/den/backups"})
	var accepted struct{ Job string }
	must(t, json.Unmarshal(out.Body.Bytes(), &accepted))
	if out.Code != 202 || accepted.Job == "" {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	w.check([]request{{as: "ada", method: "GET", path: "/v1/rooms/den/jobs/" + accepted.Job, status: 200, has: []string{`"state":"queued"`}}})
}
