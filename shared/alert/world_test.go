package alert

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
	"nanotypedb/shared/vector"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// words is a model in which each word is a direction of its own: two texts are
// as near as the words they share.
type words struct {
	model string
	order []string

	mu    sync.Mutex
	fails error
	asked map[string]int
}

func newWords(model string, order ...string) *words {
	return &words{model: model, order: order, asked: map[string]int{}}
}

func (w *words) Model() string           { return w.model }
func (w *words) Dim() int                { return len(w.order) }
func (w *words) Limits() embedder.Limits { return embedder.Limits{Texts: 10, Bytes: 1 << 15} }

func (w *words) Embed(_ context.Context, texts []string, kind embedder.Kind) []embedder.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	results := make([]embedder.Result, len(texts))
	for i, text := range texts {
		w.asked[text]++
		if results[i].Err = w.fails; w.fails == nil {
			results[i] = embedder.Finish(w.floats(text), len(w.order))
		}
	}
	return results
}

func (w *words) floats(text string) []float32 {
	v := make([]float32, len(w.order))
	for i, word := range w.order {
		v[i] = float32(strings.Count(" "+text+" ", " "+word+" "))
	}
	return v
}

func (w *words) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails = err
}

var plain = []string{"outage", "billing", "network", "invoice", "cat", "dog"}

// told is a Notifier that keeps what it is given.
type told struct {
	mu    sync.Mutex
	all   []notified
	fails error
}

type notified struct {
	user, method string
	params       map[string]any
}

func (n *told) Tell(_ context.Context, _, user, method string, params json.RawMessage) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fails != nil {
		return n.fails
	}
	var p map[string]any
	if err := json.Unmarshal(params, &p); err != nil {
		return err
	}
	n.all = append(n.all, notified{user, method, p})
	return nil
}

// take gives what was told since the last take, as user:topic:row.
func (n *told) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := []string{}
	for _, one := range n.all {
		row, _ := one.params["row"].(map[string]any)
		list = append(list, one.user+":"+one.params["topic"].(string)+":"+row["id"].(string))
	}
	n.all = nil
	return list
}

type world struct {
	t        testing.TB
	store    store.Store
	engine   *room.Engine
	replicas *replica.Cache
	model    *words
	told     *told
	alerts   *Alerts
	ulid     string
	clock    time.Time
}

func user(id string) access.Principal {
	return access.Principal{User: identity.User{ID: id, Name: id, Email: id + "@example.com"}}
}

var (
	ada  = user("ada")  // owner
	bob  = user("bob")  // editor
	cleo = user("cleo") // editor
	vera = user("vera") // viewer
	eve  = user("eve")  // stranger
	den  = room.Ref{ID: "den"}
)

// newWorld opens room den with table tasks, table notes that is own, and table
// plain without meaning.
func newWorld(t testing.TB) *world {
	t.Helper()
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	must(t, err)
	st, err := sqlitestore.Open(t.Context(), file)
	must(t, err)
	blobs, err := dirblob.Open(t.TempDir())
	must(t, err)
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() {
		must(t, replicas.Close())
		must(t, st.Close())
		must(t, file.Close())
	})
	w := &world{
		t: t, store: st, replicas: replicas, model: newWords("words/1", plain...), told: &told{}, clock: time.Now(),
		engine: room.New(room.Options{Store: st, Replicas: replicas, Log: slog.New(slog.DiscardHandler)}),
	}
	w.restart()
	info, err := w.engine.Create(t.Context(), ada, "den", "The den")
	must(t, err)
	w.ulid = info.ULID
	for p, role := range map[*access.Principal]access.Role{&bob: access.Editor, &cleo: access.Editor, &vera: access.Viewer} {
		w.member(p.User.ID, role)
	}
	w.commit(ada, `{"op":"createTable","table":"notes","access":"own","columns":[{"name":"text","type":"text","embed":true}]}`,
		`{"op":"createTable","table":"plain","columns":[{"name":"text","type":"text"}]}`)
	return w
}

// restart makes the alerts anew, as another process does.
func (w *world) restart() {
	w.alerts = New(Options{
		Store: w.store, Rooms: w.engine, Replicas: w.replicas, Embedder: w.model, Notifier: w.told,
		Now: func() time.Time { return w.clock }, Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) member(id string, role access.Role) {
	w.t.Helper()
	_, err := w.engine.SetMember(w.t.Context(), ada, den, id, role)
	must(w.t, err)
}

func (w *world) commit(p access.Principal, ops ...string) int64 {
	w.t.Helper()
	var r room.Request
	for _, op := range ops {
		r.Ops = append(r.Ops, json.RawMessage(op))
	}
	done, err := w.engine.Commit(w.t.Context(), p, den, r)
	must(w.t, err)
	return done.Entry.Seq
}

// row inserts a row of tasks and gives its text as it is checked.
func (w *world) row(id, title string) Matched {
	w.t.Helper()
	seq := w.commit(bob, `{"op":"insert","table":"tasks","id":"`+id+`","row":{"title":"`+title+`"}}`)
	return w.text("tasks", id, title, seq)
}

func (w *world) note(p access.Principal, id, text string) Matched {
	w.t.Helper()
	seq := w.commit(p, `{"op":"insert","table":"notes","id":"`+id+`","row":{"text":"`+text+`"}}`)
	return w.text("notes", id, text, seq)
}

func (w *world) text(table, id, text string, version int64) Matched {
	w.t.Helper()
	unit, err := vector.Unit(w.model.floats(text))
	must(w.t, err)
	v, err := vector.Quantize(unit)
	must(w.t, err)
	return Matched{Table: w.table(table).Num, ID: id, Version: version, Vector: v}
}

// index says in the index log that texts have vectors.
func (w *world) index(texts ...string) {
	w.t.Helper()
	e := &indexlog.Entry{Model: w.model.Model(), Dim: w.model.Dim(), Reset: true}
	for n := range 2 {
		_, err := indexlog.Append(w.t.Context(), w.store, w.ulid, e, int64(n))
		must(w.t, err)
		e = &indexlog.Entry{Model: w.model.Model(), Dim: w.model.Dim()}
		for _, text := range texts {
			e.Texts = append(e.Texts, indexlog.Text{Hash: indexlog.TextHash(text), Vector: w.text("tasks", "", text, 0).Vector.Encode()})
		}
	}
	r, release, err := w.replicas.Acquire(w.t.Context(), w.ulid)
	must(w.t, err)
	defer release()
	must(w.t, r.CatchUpIndexTo(w.t.Context(), 2))
}

func (w *world) table(name string) (t *schema.Table) {
	w.t.Helper()
	must(w.t, w.engine.Read(w.t.Context(), ada, den, func(v *room.View) error {
		t = v.State().Schema.Table(name)
		return nil
	}))
	return t
}

func (w *world) set(p access.Principal, topic, description string) {
	w.t.Helper()
	_, err := w.alerts.Set(w.t.Context(), p, den, topic, Request{Description: description})
	must(w.t, err)
}

// check checks texts and gives what was told.
func (w *world) check(texts ...Matched) []string {
	w.t.Helper()
	must(w.t, w.alerts.Check(w.t.Context(), w.ulid, texts))
	return w.told.take()
}

func (w *world) inbox(p access.Principal, page Page) Inbox {
	w.t.Helper()
	in, err := w.alerts.Inbox(w.t.Context(), p, den, page)
	must(w.t, err)
	return in
}
