package embed_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/backend/embedded"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

var ada = access.Principal{User: identity.User{ID: "ada", Name: "Ada", Email: "ada@example.com"}}

// model is an embedder whose answers a test decides on. It counts how often
// each text was asked for.
type model struct {
	name string
	dim  int

	mu     sync.Mutex
	asked  map[string]int
	answer func(text string, times int) error // nil: well
	calls  func(texts []string)               // is told of each call; nil: nobody is
}

func newModel() *model { return &model{name: "test/1", dim: 8, asked: map[string]int{}} }

func (m *model) Model() string           { return m.name }
func (m *model) Dim() int                { return m.dim }
func (m *model) Limits() embedder.Limits { return embedder.Limits{Texts: 4, Bytes: 1000} }

func (m *model) Embed(_ context.Context, texts []string, _ embedder.Kind) []embedder.Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	results, passed := embedder.CheckTexts(texts, m.Limits())
	if m.calls != nil {
		m.calls(texts)
	}
	for _, text := range texts {
		m.asked[text]++
	}
	for _, i := range passed {
		if m.answer != nil {
			if err := m.answer(texts[i], m.asked[texts[i]]); err != nil {
				results[i].Err = err
				continue
			}
		}
		floats := make([]float32, m.dim)
		for j := range floats {
			floats[j] = float32((len(texts[i])*(j+3)+int(texts[i][j%len(texts[i])]))%17) + 1
		}
		results[i] = embedder.Finish(floats, m.dim)
	}
	return results
}

func (m *model) set(answer func(text string, times int) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = answer
}

func (m *model) times(text string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[text]
}

// world is everything between a commit and its vectors, on embedded parts.
type world struct {
	t        *testing.T
	store    store.Store
	replicas *replica.Cache
	engine   *room.Engine
	model    *model
	jobs     queue.Queue
	buried   queue.Queue
	indexer  *indexing.Indexer
	handler  *embed.Handler
	dead     *embed.DeadLetters
	alerts   *alerts
	now      func() time.Time
	told     []indexing.Indexed
	ulid     string
	relayed  int64
}

// alerts fails when it is told to, and keeps what it was asked to compare.
type alerts struct {
	err   error
	texts []alert.Matched
}

func (a *alerts) Check(_ context.Context, _ string, texts []alert.Matched) error {
	if a.err == nil {
		a.texts = append(a.texts, texts...)
	}
	return a.err
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b, err := embedded.Open(t.Context(), t.TempDir())
	must(t, err)
	w := &world{t: t, store: b.Store, model: newModel(), alerts: &alerts{}, now: time.Now}
	log := slog.New(slog.DiscardHandler)
	w.replicas, err = replica.NewCache(replica.Options{Store: b.Store, Blobs: b.Blobs, Dir: t.TempDir(), Log: log})
	must(t, err)
	t.Cleanup(func() {
		must(t, w.replicas.Close())
		must(t, b.Close())
	})
	w.engine = room.New(room.Options{Store: b.Store, Replicas: w.replicas, Log: log})
	w.jobs, err = b.Queues.Queue(sqlitequeue.Options{Name: indexing.QueueName, MaxReceives: indexing.MaxReceives, DeadLetter: indexing.DeadQueueName})
	must(t, err)
	w.buried, err = b.Queues.Queue(sqlitequeue.Options{Name: indexing.DeadQueueName})
	must(t, err)
	w.use(w.model)
	info, err := w.engine.Create(t.Context(), ada, "plans", "Plans")
	must(t, err)
	w.ulid = info.ULID
	return w
}

// use starts anew with another model.
func (w *world) use(m *model) {
	w.model = m
	log := slog.New(slog.DiscardHandler)
	w.indexer = indexing.New(indexing.Options{
		Store: w.store, Replicas: w.replicas, Queue: w.jobs, Embedder: m, Base: 4 * time.Millisecond, Log: log,
		Now:  func() time.Time { return w.now() },
		Tell: func(_ context.Context, said indexing.Indexed) { w.told = append(w.told, said) },
	})
	w.handler = embed.New(embed.Deps{Indexer: w.indexer, Queue: w.jobs, Alerts: w.alerts, Log: log})
	w.dead = embed.NewDeadLetters(w.indexer, w.alerts, nil, log)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) commit(ops ...string) {
	w.t.Helper()
	raw := make([]json.RawMessage, len(ops))
	for i, op := range ops {
		raw[i] = json.RawMessage(op)
	}
	_, err := w.engine.Commit(w.t.Context(), ada, room.Ref{ID: "plans"}, room.Request{Ops: raw})
	must(w.t, err)
}

func insert(id, title string) string {
	return fmt.Sprintf(`{"op":"insert","table":"tasks","id":%q,"row":{"title":%q}}`, id, title)
}

func retitle(id, title string) string {
	return fmt.Sprintf(`{"op":"update","table":"tasks","id":%q,"set":{"title":%q}}`, id, title)
}

// relayAll makes the jobs of what was committed, as the relay does.
func (w *world) relayAll() {
	w.t.Helper()
	r, release, err := w.replicas.Acquire(w.t.Context(), w.ulid)
	must(w.t, err)
	defer release()
	must(w.t, r.CatchUp(w.t.Context()))
	entries, _, _, err := commitlog.Read(w.t.Context(), w.store, w.ulid, w.relayed, 0)
	must(w.t, err)
	must(w.t, w.indexer.Plan(w.t.Context(), r, w.ulid, entries))
	w.relayed += int64(len(entries))
}

// work handles what is in a queue until nothing comes any more, and returns
// how many messages were received.
func work(t *testing.T, q queue.Queue, handle func(context.Context, []queue.Message) []embed.Failure) (received int) {
	t.Helper()
	for {
		messages, err := q.Receive(t.Context(), queue.Request{Max: 10, Wait: 200 * time.Millisecond, Visibility: time.Minute})
		must(t, err)
		if len(messages) == 0 {
			return received
		}
		received += len(messages)
		failed := map[string]bool{}
		for _, f := range handle(t.Context(), messages) {
			failed[f.Message.Receipt] = true
		}
		for _, m := range messages {
			if !failed[m.Receipt] {
				must(t, q.Delete(t.Context(), m.Receipt))
			}
		}
	}
}

// settle works everything off, dead letters too.
func (w *world) settle() (received int) {
	w.t.Helper()
	received = work(w.t, w.jobs, w.handler.Handle)
	work(w.t, w.buried, w.dead.Handle)
	return received
}

func (w *world) view(fn func(*replica.View)) {
	w.t.Helper()
	r, release, err := w.replicas.Acquire(w.t.Context(), w.ulid)
	must(w.t, err)
	defer release()
	must(w.t, r.CatchUp(w.t.Context()))
	must(w.t, r.View(w.t.Context(), func(v *replica.View) error {
		fn(v)
		return nil
	}))
}

// coverage is indexed, pending and failed rows.
func (w *world) coverage() string {
	w.t.Helper()
	var text string
	w.view(func(v *replica.View) {
		c, err := v.Coverage(w.t.Context())
		must(w.t, err)
		text = fmt.Sprintf("%d indexed, %d pending, %d failed", c.Indexed, c.Pending, c.Failed)
	})
	return text
}

func (w *world) wantCoverage(want string) {
	w.t.Helper()
	if got := w.coverage(); got != want {
		w.t.Errorf("%s; want %s", got, want)
	}
}

func (w *world) wantAsked(want map[string]int) {
	w.t.Helper()
	for text, times := range want {
		if got := w.model.times(text); got != times {
			w.t.Errorf("%q was asked for %d times, want %d", text, got, times)
		}
	}
}

func (w *world) failures() []indexing.Failure {
	w.t.Helper()
	failures, _, err := w.indexer.Failures(w.t.Context(), w.ulid, "", 100)
	must(w.t, err)
	return failures
}
