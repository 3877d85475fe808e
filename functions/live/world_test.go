package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/functions/live"
	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/search"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
	"nanotypedb/shared/usage"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// post is a Pusher that keeps what it is given.
type post struct {
	mu    sync.Mutex
	boxes map[string][]string
	gone  map[string]bool
}

func (p *post) Send(_ context.Context, id string, message []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone[id] {
		return push.ErrGone
	}
	if len(message) > push.MaxMessage {
		return errors.New("too large for the gateway")
	}
	p.boxes[id] = append(p.boxes[id], string(message))
	return nil
}

func (p *post) Drop(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone[id] = true
	return nil
}

// take empties the box of a connection.
func (p *post) take(id string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	box := p.boxes[id]
	delete(p.boxes, id)
	return box
}

func (p *post) dropped(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone[id]
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

// world is the function over real parts.
type world struct {
	t        testing.TB
	store    store.Store
	engine   *room.Engine
	tickets  *access.Tickets
	alerts   *alert.Alerts
	audience *audience.Audience
	post     *post
	live     *live.Handler
	ulid     string
	next     int
}

func user(name string) access.Principal {
	return access.Principal{User: identity.User{ID: name, Name: name, Email: name + "@example.com"}}
}

var den = room.Ref{ID: "den"}

// newWorld opens room "den": ada owns it, bob and cleo edit, vera looks on.
// Table notes is own.
func newWorld(t testing.TB, registry func(store.Store) audience.Registry) *world {
	t.Helper()
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	must(t, err)
	sqlite, err := sqlitestore.Open(t.Context(), file)
	must(t, err)
	st := usage.Meter(sqlite)
	blobs, err := dirblob.Open(t.TempDir())
	must(t, err)
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() {
		must(t, replicas.Close())
		must(t, sqlite.Close())
		must(t, file.Close())
	})
	quiet := slog.New(slog.DiscardHandler)
	w := &world{
		t: t, store: st, tickets: access.NewTickets(st, nil), post: &post{boxes: map[string][]string{}, gone: map[string]bool{}},
		engine: room.New(room.Options{Store: st, Replicas: replicas, Log: quiet}),
	}
	w.audience = audience.New(audience.Options{
		Registry: registry(st), Tickets: w.tickets, Pusher: w.post, Store: st, States: audience.Replicas{Cache: replicas}, Log: quiet,
	})
	w.alerts = alert.New(alert.Options{
		Store: st, Rooms: w.engine, Replicas: replicas, Embedder: letters{}, Notifier: w.audience, Log: quiet,
	})
	w.live = live.New(live.Deps{
		Rooms: w.engine, Alerts: w.alerts, Search: search.New(search.Options{Rooms: w.engine, Embedder: letters{}}), Audience: w.audience, Push: w.post, Log: quiet})
	w.furnish()
	return w
}

func (w *world) furnish() {
	w.t.Helper()
	info, err := w.engine.Create(w.t.Context(), user("ada"), "den", "The den")
	must(w.t, err)
	w.ulid = info.ULID
	for name, role := range map[string]access.Role{"bob": access.Editor, "cleo": access.Editor, "vera": access.Viewer} {
		_, err := w.engine.SetMember(w.t.Context(), user("ada"), den, name, role)
		must(w.t, err)
	}
	_, err = w.engine.Commit(w.t.Context(), user("ada"), den, room.Request{Ops: []json.RawMessage{
		json.RawMessage(`{"op":"insert","table":"tasks","id":"t1","row":{"title":"First"}}`),
		json.RawMessage(`{"op":"createTable","table":"notes","access":"own","columns":[{"name":"text","type":"text"}]}`),
	}})
	must(w.t, err)
}

func local(store.Store) audience.Registry { return audience.NewLocal() }

func inStore(st store.Store) audience.Registry { return audience.NewShared(st, nil) }

// event reads a fixture and gives it a connection.
func (w *world) event(file, connection string) events.APIGatewayWebsocketProxyRequest {
	w.t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	must(w.t, err)
	var e events.APIGatewayWebsocketProxyRequest
	must(w.t, json.Unmarshal(data, &e))
	e.RequestContext.ConnectionID = connection
	return e
}

// connect opens a connection of a user by a ticket.
func (w *world) connect(name string) string {
	w.t.Helper()
	ticket, err := w.tickets.Issue(w.t.Context(), user(name).User, w.ulid)
	must(w.t, err)
	w.next++
	connection := fmt.Sprintf("%s-%d", name, w.next)
	e := w.event("apigw-websocket-request.json", connection)
	e.QueryStringParameters = map[string]string{"ticket": ticket}
	answer, err := w.live.Handle(w.t.Context(), e)
	must(w.t, err)
	if answer.StatusCode != 200 {
		w.t.Fatalf("connect as %s: %d %s", name, answer.StatusCode, answer.Body)
	}
	return connection
}

// send hands a message to the function and returns what the connection got.
func (w *world) send(connection, message string) []string {
	w.t.Helper()
	e := w.event("apigw-websocket-request-send-message.json", connection)
	e.Body = message
	_, err := w.live.Handle(w.t.Context(), e)
	must(w.t, err)
	return w.post.take(connection)
}

// call calls a method and returns the answer's frame.
func (w *world) call(connection, method, params string) string {
	w.t.Helper()
	frames := w.send(connection, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params))
	if len(frames) == 0 {
		w.t.Fatalf("%s on %s was not answered", method, connection)
	}
	return frames[0]
}

func (w *world) subscribe(name string) string {
	w.t.Helper()
	connection := w.connect(name)
	if frame := w.call(connection, "subscribe", "{}"); !strings.Contains(frame, `"result"`) {
		w.t.Fatalf("subscribe as %s: %s", name, frame)
	}
	for _, others := range []string{"ada", "bob", "cleo", "vera"} { // who is told that somebody came
		for n := range w.next + 1 {
			w.post.take(fmt.Sprintf("%s-%d", others, n))
		}
	}
	return connection
}

func (w *world) head() int64 {
	w.t.Helper()
	seq, err := w.engine.Head(context.Background(), w.ulid)
	must(w.t, err)
	return seq
}

func request(ops ...string) room.Request {
	var r room.Request
	for _, op := range ops {
		r.Ops = append(r.Ops, json.RawMessage(op))
	}
	return r
}
