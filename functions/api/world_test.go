package api_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"nanotypedb/functions/api"
	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/analytics"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/identity/devidentity"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/search"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
	"nanotypedb/shared/transfer"
	"nanotypedb/shared/usage"
)

// world is the API over real parts.
type world struct {
	t         *testing.T
	api       *api.API
	engine    *room.Engine
	store     store.Store
	ledger    *usage.Ledger
	guard     *usage.Guard
	tickets   *access.Tickets
	issuer    *devidentity.Issuer
	alerts    *alert.Alerts
	indexer   *indexing.Indexer
	model     letters
	asking    string // who tries a route
	keeper    *backup.Keeper
	jobs      *job.Runner
	announced *announcements
	addresses *signedblob.Server
	log       *bytes.Buffer
}

// letters is a model in which texts are near that have the same letters.
type letters struct{}

func (letters) Model() string           { return "letters" }
func (letters) Dim() int                { return 26 }
func (letters) Limits() embedder.Limits { return embedder.Limits{Texts: 10, Bytes: 1 << 16} }

func (letters) Embed(_ context.Context, texts []string, _ embedder.Kind) []embedder.Result {
	results := make([]embedder.Result, len(texts))
	for i, text := range texts {
		v := make([]float32, 26)
		for _, c := range strings.ToLower(text) {
			if c >= 'a' && c <= 'z' {
				v[c-'a']++
			}
		}
		results[i] = embedder.Finish(v, 26)
	}
	return results
}

// announcements records what the live side is told.
type announcements struct {
	mu   sync.Mutex
	seqs []int64
}

func (a *announcements) Announce(_ context.Context, _ string, seq int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seqs = append(a.seqs, seq)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openFile(t *testing.T) (store.Store, *sqlitefile.File) {
	t.Helper()
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	must(t, err)
	st, err := sqlitestore.Open(t.Context(), file)
	must(t, err)
	t.Cleanup(func() {
		must(t, st.Close())
		must(t, file.Close())
	})
	return st, file
}

func newWorld(t *testing.T, change ...func(*api.Deps)) *world {
	t.Helper()
	return newLimitedWorld(t, nil, change...)
}

func newLimitedWorld(t *testing.T, limits access.Limits, change ...func(*api.Deps)) *world {
	t.Helper()
	st, file := openFile(t)
	blobs, err := dirblob.Open(t.TempDir())
	must(t, err)
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, replicas.Close()) })
	issuer, err := devidentity.Open(t.TempDir(), nil)
	must(t, err)
	ledger := usage.NewLedger(st, nil)
	guard := usage.NewGuard(ledger, &usage.Virginia, "")
	w := &world{
		t: t, issuer: issuer, store: st, ledger: ledger, guard: guard, announced: &announcements{}, log: &bytes.Buffer{}, tickets: access.NewTickets(st, nil),
		engine: room.New(room.Options{
			Store: st, Replicas: replicas, Limiter: access.NewLimiter(st, limits, nil, nil), Budget: guard,
			Log: slog.New(slog.DiscardHandler),
		}),
	}
	w.alerts = alert.New(alert.Options{
		Store: st, Rooms: w.engine, Replicas: replicas, Embedder: w.model, Limiter: access.NewLimiter(st, limits, nil, nil),
	})
	w.openBackups(st, blobs, replicas)
	w.addresses = signedblob.New(blobs, "", nil)
	transfers := transfer.New(transfer.Options{
		Rooms: w.engine, Replicas: replicas, Blobs: blobs, Addresses: w.addresses, Jobs: w.jobs, Announcer: w.announced,
		Snapshot: w.keeper.Secure, Inline: inlineBytes,
	})
	d := api.Deps{
		Backups:   w.keeper,
		Transfers: transfers,
		Analytics: analytics.New(analytics.Options{
			Rooms: w.engine, Ledger: ledger, Prices: &usage.Virginia, Guard: guard,
		}),
		Rooms: w.engine, Alerts: w.alerts, Queue: w.openQueue(st, file, replicas),
		Search:   search.New(search.Options{Rooms: w.engine, Embedder: w.model, Limiter: access.NewLimiter(st, limits, nil, nil)}),
		Identity: issuer, Tickets: w.tickets, Announcer: w.announced,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&d)
	}
	w.api, err = api.New(d)
	must(t, err)
	return w
}

// request is one line of a table: who asks what, and what must come of it.
type request struct {
	name    string
	as      string // "": nobody
	method  string
	path    string
	body    string
	headers map[string]string
	status  int
	has     []string
	hasNot  []string
	changes bool // the rooms change by it
}

// send asks and returns the answer.
func (w *world) send(q request) *httptest.ResponseRecorder {
	w.t.Helper()
	var body io.Reader = http.NoBody
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r := httptest.NewRequest(q.method, q.path, body)
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.as != "" {
		r.Header.Set("Authorization", "Bearer "+w.token(q.as))
	}
	for name, value := range q.headers {
		r.Header.Set(name, value)
	}
	out := httptest.NewRecorder()
	w.api.ServeHTTP(out, r)
	return out
}

func (w *world) token(name string) string {
	token, _, err := w.issuer.Issue(name)
	must(w.t, err)
	return token
}

func (w *world) user(name string) identity.User {
	_, user, err := w.issuer.Issue(name)
	must(w.t, err)
	return user
}

// ask is send for requests that must succeed.
func (w *world) ask(as, method, path, body string) string {
	w.t.Helper()
	out := w.send(request{as: as, method: method, path: path, body: body})
	if out.Code >= 300 {
		w.t.Fatalf("%s %s as %s: %d %s", method, path, as, out.Code, out.Body)
	}
	return out.Body.String()
}

// den makes room "den" of ada with editor bob, viewer vera, an invitation of
// iris and a row, and table "notes" that is own.
func (w *world) den() {
	w.ask("ada", "POST", "/v1/rooms", `{"id":"den","name":"The den"}`)
	w.ask("ada", "PUT", "/v1/rooms/den/members/bob", `{"role":"editor"}`)
	w.ask("ada", "PUT", "/v1/rooms/den/members/vera", `{"role":"viewer"}`)
	w.ask("ada", "PUT", "/v1/rooms/den/members/iris@dev.localhost", `{"role":"viewer"}`)
	w.ask("ada", "POST", "/v1/rooms/den/commits", `{"ops":[
		{"op":"insert","table":"tasks","id":"t1","row":{"title":"First"}},
		{"op":"createTable","table":"notes","access":"own","columns":[{"name":"text","type":"text"},{"name":"size","type":"integer"}]}]}`)
	w.ask("ada", "POST", "/v1/rooms/den/commits", `{"ops":[{"op":"insert","table":"notes","id":"n1","row":{"text":"secret","size":5}}]}`)
}

// seq is the room's newest seq.
func (w *world) seq() int64 {
	w.t.Helper()
	infos, _, err := w.engine.Rooms(w.t.Context(), access.Principal{User: w.user("ada")}, "", 0)
	must(w.t, err)
	if len(infos) == 0 {
		return 0
	}
	seq, err := w.engine.Head(w.t.Context(), infos[0].ULID)
	must(w.t, err)
	return seq
}

// check sends each request and compares.
func (w *world) check(requests []request) {
	w.t.Helper()
	for _, q := range requests {
		name := q.name
		if name == "" {
			name = q.as + " " + q.method + " " + q.path + " " + q.body
		}
		before := w.seq()
		out := w.send(q)
		text := out.Body.String()
		if out.Code != q.status {
			w.t.Errorf("%.120s: status %d, want %d: %.300s", name, out.Code, q.status, text)
		}
		for _, has := range q.has {
			if !strings.Contains(text, has) {
				w.t.Errorf("%.120s: %.300s lacks %s", name, text, has)
			}
		}
		for _, hasNot := range append(q.hasNot, "panic", "sqlite", "goroutine") {
			if strings.Contains(text, hasNot) {
				w.t.Errorf("%.120s: %.300s tells %s", name, text, hasNot)
			}
		}
		problem := out.Header().Get("Content-Type") == "application/problem+json"
		if problem != (out.Code >= 400) {
			w.t.Errorf("%.120s: content type %q with status %d", name, out.Header().Get("Content-Type"), out.Code)
		}
		if changed := w.seq() != before; changed != q.changes {
			w.t.Errorf("%.120s: seq went from %d to %d", name, before, w.seq())
		}
	}
}
