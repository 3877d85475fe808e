package search_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/search"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
	"nanotypedb/shared/vector"
)

const dim = 32

// model is an embedder of the test: a text's vector is the sum of its words'.
type model struct {
	name  string
	asked []string
	wait  bool  // until the context ends
	err   error // of each answer; nil: none
}

func (m *model) Model() string           { return m.name }
func (m *model) Dim() int                { return dim }
func (m *model) Limits() embedder.Limits { return embedder.Limits{Texts: 10, Bytes: 10_000} }

func (m *model) Embed(ctx context.Context, texts []string, _ embedder.Kind) []embedder.Result {
	m.asked = append(m.asked, texts...)
	out := make([]embedder.Result, len(texts))
	for i, text := range texts {
		if m.err != nil {
			out[i].Err = m.err
			continue
		}
		if m.wait {
			<-ctx.Done()
			out[i].Err = embedder.Stopped(ctx)
			continue
		}
		out[i].Vector = meaning(text)
	}
	return out
}

func meaning(text string) []float32 {
	sum := make([]float32, dim)
	for word := range strings.FieldsSeq(text) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(word))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		for i := range sum {
			sum[i] += float32(r.NormFloat64())
		}
	}
	unit, err := vector.Unit(sum)
	if err != nil {
		panic(err)
	}
	return unit
}

type world struct {
	tb       testing.TB
	store    store.Store
	replicas *replica.Cache
	engine   *room.Engine
	model    *model
	options  search.Options
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	file, err := sqlitefile.Open(tb.Context(), tb.TempDir(), sqlitefile.Options{})
	must(tb, err)
	st, err := sqlitestore.Open(tb.Context(), file)
	must(tb, err)
	blobs, err := dirblob.Open(tb.TempDir())
	must(tb, err)
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: tb.TempDir(), Log: slog.New(slog.DiscardHandler)})
	must(tb, err)
	tb.Cleanup(func() { must(tb, errors.Join(replicas.Close(), st.Close(), file.Close())) })
	w := &world{tb: tb, store: st, replicas: replicas, model: &model{name: "test/1"}}
	w.engine = room.New(room.Options{Store: st, Replicas: replicas, Log: slog.New(slog.DiscardHandler)})
	w.options = search.Options{Rooms: w.engine, Embedder: w.model, Log: slog.New(slog.DiscardHandler)}
	return w
}

func user(id string) access.Principal { return access.Principal{User: identity.User{ID: id}} }

var ada, bob, simon = user("ada"), user("bob"), user("simon") // owner, editor, stranger

// room makes a room with bob in it, whose table notes is `own`.
func (w *world) room(id string) room.Ref {
	w.tb.Helper()
	ref := room.Ref{ID: id}
	_, err := w.engine.Create(w.tb.Context(), ada, id, id)
	must(w.tb, err)
	_, err = w.engine.SetMember(w.tb.Context(), ada, ref, "bob", access.Editor)
	must(w.tb, err)
	w.commit(ada, ref, `{"op":"createTable","table":"notes","access":"own","columns":[{"name":"body","type":"text","embed":true},{"name":"n","type":"integer"}]}`,
		`{"op":"createTable","table":"plain","columns":[{"name":"x","type":"text"}]}`)
	return ref
}

func (w *world) commit(p access.Principal, ref room.Ref, ops ...string) {
	w.tb.Helper()
	var req room.Request
	for _, op := range ops {
		req.Ops = append(req.Ops, json.RawMessage(op))
	}
	_, err := w.engine.Commit(w.tb.Context(), p, ref, req)
	must(w.tb, err)
}

// embed appends vectors of texts to the index log of a room.
func (w *world) embed(ref room.Ref, texts ...string) {
	w.tb.Helper()
	var ulid string
	must(w.tb, w.engine.Read(w.tb.Context(), ada, ref, func(v *room.View) error {
		ulid = v.State().Room
		return nil
	}))
	head, err := indexlog.Head(w.tb.Context(), w.store, ulid)
	must(w.tb, err)
	e := &indexlog.Entry{Model: w.model.name, Dim: dim}
	for _, text := range texts {
		v, err := vector.Quantize(meaning(text))
		must(w.tb, err)
		e.Texts = append(e.Texts, indexlog.Text{Hash: indexlog.TextHash(text), Vector: v.Encode()})
	}
	n, err := indexlog.Append(w.tb.Context(), w.store, ulid, e, head)
	must(w.tb, err)
	r, release, err := w.replicas.Acquire(w.tb.Context(), ulid)
	must(w.tb, err)
	defer release()
	must(w.tb, r.CatchUpIndexTo(w.tb.Context(), n))
}

func (w *world) search(p access.Principal, ref room.Ref, req search.Request) *search.Result {
	w.tb.Helper()
	got, err := search.New(w.options).Search(w.tb.Context(), p, ref, req, 0)
	must(w.tb, err)
	return got
}

// found gives the ids of rows, best first.
func found(tb testing.TB, r *search.Result) (ids []string) {
	tb.Helper()
	for _, h := range r.Results {
		var row struct{ ID string }
		must(tb, json.Unmarshal(h.Row, &row))
		ids = append(ids, row.ID)
	}
	return ids
}

func equal(tb testing.TB, what string, got, want []string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func task(id, title string) string {
	return fmt.Sprintf(`{"op":"insert","table":"tasks","id":%q,"row":{"title":%q}}`, id, title)
}

func note(id, body string) string {
	return fmt.Sprintf(`{"op":"insert","table":"notes","id":%q,"row":{"body":%q,"n":7}}`, id, body)
}

// What somebody is answered does not depend on rows that he may not read: not
// the scores of words, by how rare they are, and no count.
func TestRowsOfOthersDoNotShowInScores(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(bob, den, note("long", "salary of the red apple"), note("short", "unicorn"), note("both", "unicorn salary"))
	w.embed(den, "salary of the red apple", "unicorn", "unicorn salary")
	answers := func() string {
		var all []byte
		for _, query := range []string{"salary", "unicorn", "salary unicorn", "unicorn salary red"} {
			for _, mode := range []search.Mode{search.Keyword, search.Hybrid, search.Semantic} {
				got := w.search(bob, den, search.Request{Query: query, Mode: mode})
				got.Seq, got.TookMs = 0, 0
				if len(got.Results) == 0 {
					t.Errorf("%s %s finds nothing", mode, query)
				}
				text, err := json.Marshal(got)
				must(t, err)
				all = append(append(all, text...), '\n')
			}
		}
		return string(all)
	}
	before := answers()
	equal(t, "more words first", found(t, w.search(bob, den, search.Request{Query: "salary unicorn", Mode: search.Keyword}))[:1], []string{"both"})
	for i := range 20 {
		w.commit(ada, den, note(fmt.Sprint("a", i), fmt.Sprintf("salary %d", i)))
	}
	w.embed(den, "salary 1", "salary 2")
	if after := answers(); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

func TestHybridIsExplained(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "red apple"), task("b", "blue sky"), task("c", "apple tree"), task("d", "not yet embedded apple"))
	w.embed(den, "red apple", "blue sky", "apple tree")
	got := w.search(ada, den, search.Request{Query: "red apple", K: 10})
	equal(t, "found", found(t, got)[:1], []string{"a"})
	if len(got.Results) != 4 || got.Model != "test/1" || got.Mode != search.Hybrid || got.Coverage != (search.Coverage{Rows: 4, Indexed: 3}) || got.Degraded != "" {
		t.Errorf("got %+v", got)
	}
	best := got.Results[0]
	if best.Explain.Semantic == nil || best.Explain.Semantic.Rank != 1 || best.Explain.Keyword == nil || best.Explain.Keyword.Rank != 1 ||
		math.Abs(best.Score-1) > 1e-9 || math.Abs(best.Explain.RRF-2.0/61) > 1e-9 || *best.Semantic < 0.99 || *best.Keyword <= 0 ||
		!slices.Equal(best.Explain.Keyword.Terms, []string{"red", "apple"}) {
		t.Errorf("the best is %+v", best)
	}
	text, err := json.Marshal(best.Highlights)
	must(t, err)
	if string(text) != `[{"column":"title","ranges":[[0,3],[4,9]]}]` {
		t.Errorf("highlights are %s", text)
	}
	for _, h := range got.Results {
		if h.Score < 0 || h.Score > 1 || h.Table != "tasks" || !strings.Contains(string(h.Row), `"_vector":"`) {
			t.Errorf("got %+v", h)
		}
	}
	equal(t, "the query is embedded once", w.model.asked, []string{"red apple"})
	semantic := w.search(ada, den, search.Request{Query: "apple", Mode: search.Semantic})
	if len(semantic.Results) != 3 || semantic.Results[0].Keyword != nil || semantic.Results[0].Score != *semantic.Results[0].Semantic {
		t.Errorf("semantic: %+v", semantic)
	}
	w.model.asked = nil
	words := w.search(ada, den, search.Request{Query: "embedd", Mode: search.Keyword})
	equal(t, "words", found(t, words), []string{"d"})
	if len(w.model.asked) > 0 || words.Results[0].Score != *words.Results[0].Keyword || words.Results[0].Explain.RRF != 0 {
		t.Errorf("keyword: %+v", words)
	}
}

func TestWordsAreFoundFromTheFirstMoment(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "red apple"))
	got := w.search(ada, den, search.Request{Query: "apple"})
	equal(t, "hybrid", found(t, got), []string{"a"})
	equal(t, "semantic", found(t, w.search(ada, den, search.Request{Query: "apple", Mode: search.Semantic})), nil)
	if len(w.model.asked) > 0 {
		t.Error("the model was asked, though nothing is embedded")
	}
}

// Nobody finds what he may not read, in any mode.
func TestSearchShowsOnlyWhatMayBeRead(t *testing.T) {
	w := newWorld(t)
	den, other := w.room("den"), w.room("other")
	w.commit(ada, den, note("hers", "red apple"), task("shared", "red apple"))
	w.commit(bob, den, note("his", "red apple"))
	w.commit(ada, other, task("elsewhere", "red apple"))
	w.embed(den, "red apple")
	w.embed(other, "red apple")
	for _, mode := range []search.Mode{search.Hybrid, search.Semantic, search.Keyword} {
		ids := found(t, w.search(bob, den, search.Request{Query: "red apple", Mode: mode}))
		slices.Sort(ids)
		equal(t, "bob "+string(mode), ids, []string{"his", "shared"})
		ids = found(t, w.search(ada, den, search.Request{Query: "red apple", Mode: mode}))
		slices.Sort(ids)
		equal(t, "ada "+string(mode), ids, []string{"hers", "his", "shared"})
		equal(t, "by table "+string(mode), found(t, w.search(bob, den, search.Request{Query: "red apple", Table: "notes", Mode: mode})), []string{"his"})
		w.model.asked = nil
		_, err := search.New(w.options).Search(t.Context(), simon, den, search.Request{Query: "red apple", Mode: mode}, 0)
		if !fault.Is(err, fault.NotFound) || len(w.model.asked) > 0 {
			t.Errorf("a stranger %s: %v, the model was asked %v", mode, err, w.model.asked)
		}
	}
	for _, sql := range []string{"SELECT id FROM notes", "SELECT max(id) FROM notes", "WITH notes2 AS (SELECT * FROM notes) SELECT id FROM notes2"} {
		must(t, w.engine.Read(t.Context(), bob, den, func(v *room.View) error {
			got, err := v.SQL(t.Context(), room.SQLRequest{SQL: sql})
			if len(got.Rows) != 1 || string(got.Rows[0][0]) != `"his"` {
				t.Errorf("%s: %s", sql, got.Rows)
			}
			return err
		}))
	}
	// What became own, or a role that was lost, counts at once.
	w.commit(ada, den, `{"op":"alterTable","table":"tasks","access":"own"}`)
	equal(t, "became own", found(t, w.search(bob, den, search.Request{Query: "red apple", Table: "tasks"})), nil)
	_, err := w.engine.RemoveMember(t.Context(), ada, den, "bob")
	must(t, err)
	if _, err := search.New(w.options).Search(t.Context(), bob, den, search.Request{Query: "red"}, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("after he was removed: %v", err)
	}
}

func TestSearchIsNeverStale(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "red apple"), task("b", "red apple"), task("c", "blue sky"))
	w.embed(den, "red apple", "blue sky")
	for _, mode := range []search.Mode{search.Hybrid, search.Semantic, search.Keyword} {
		if ids := found(t, w.search(ada, den, search.Request{Query: "red apple", Mode: mode})); !slices.Contains(ids, "a") || !slices.Contains(ids, "b") {
			t.Errorf("%s: %v", mode, ids)
		}
	}
	w.commit(ada, den, `{"op":"update","table":"tasks","id":"a","set":{"title":"something else"}}`, `{"op":"delete","table":"tasks","id":"b"}`)
	for _, mode := range []search.Mode{search.Hybrid, search.Semantic, search.Keyword} {
		ids := found(t, w.search(ada, den, search.Request{Query: "red apple", Mode: mode}))
		if slices.Contains(ids, "a") || slices.Contains(ids, "b") {
			t.Errorf("%s: %v", mode, ids)
		}
	}
	w.commit(ada, den, task("b", "red apple"))
	equal(t, "put back", found(t, w.search(ada, den, search.Request{Query: "red apple", Mode: search.Semantic, K: 1})), []string{"b"})
}

func TestConditions(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, note("seven", "red apple"), `{"op":"insert","table":"notes","id":"eight","row":{"body":"red apple","n":8}}`)
	w.embed(den, "red apple")
	for _, mode := range []search.Mode{search.Hybrid, search.Semantic, search.Keyword} {
		req := search.Request{Query: "apple", Table: "notes", Mode: mode, Where: map[string]json.RawMessage{"n": json.RawMessage(`{"gt":7}`)}}
		equal(t, string(mode), found(t, w.search(ada, den, req)), []string{"eight"})
	}
	for what, c := range map[string]struct {
		req  search.Request
		code fault.Code
		path string
	}{
		"no such table":         {search.Request{Query: "x", Table: "nope"}, fault.NotFound, "table"},
		"nothing embedded":      {search.Request{Query: "x", Table: "plain"}, fault.Invalid, "table"},
		"where without a table": {search.Request{Query: "x", Where: map[string]json.RawMessage{"n": json.RawMessage("1")}}, fault.Invalid, "where"},
		"no such column":        {search.Request{Query: "x", Table: "notes", Where: map[string]json.RawMessage{"zz": json.RawMessage("1")}}, fault.Invalid, "where.zz"},
		"no query":              {search.Request{Query: " "}, fault.Invalid, "query"},
		"too many":              {search.Request{Query: "x", K: 51}, fault.Invalid, "k"},
		"a mode":                {search.Request{Query: "x", Mode: "fuzzy"}, fault.Invalid, "mode"},
	} {
		for _, mode := range []search.Mode{search.Hybrid, search.Keyword} {
			if c.req.Mode == "" || what != "a mode" {
				c.req.Mode = mode
			}
			_, err := search.New(w.options).Search(t.Context(), ada, den, c.req, 0)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != c.code || f.Path != c.path {
				t.Errorf("%s %s: %v", what, mode, err)
			}
		}
	}
}

func TestAModelThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "red apple"))
	w.embed(den, "red apple")
	w.model.wait = true
	w.options.Patience = 10 * time.Millisecond
	got := w.search(ada, den, search.Request{Query: "apple"})
	equal(t, "by words", found(t, got), []string{"a"})
	if !strings.Contains(got.Degraded, "did not answer in time") {
		t.Errorf("degraded: %q", got.Degraded)
	}
	w.model.err = embedder.Wrong("500")
	if failed := w.search(ada, den, search.Request{Query: "apple"}); !strings.Contains(failed.Degraded, "did not answer as it should") {
		t.Errorf("degraded by a model that fails: %q", failed.Degraded)
	}
	w.model.err = nil
	if _, err := search.New(w.options).Search(t.Context(), ada, den, search.Request{Query: "apple", Mode: search.Semantic}, 0); !fault.Is(err, fault.Unavailable) {
		t.Errorf("semantic: %v", err)
	}
	w.model.wait, w.model.name = false, "test/2" // the room's vectors are of test/1
	got = w.search(ada, den, search.Request{Query: "apple"})
	equal(t, "by words", found(t, got), []string{"a"})
	if !strings.Contains(got.Degraded, "another model") || got.Results[0].Semantic != nil {
		t.Errorf("degraded: %q", got.Degraded)
	}
	if _, err := search.New(w.options).Search(t.Context(), ada, den, search.Request{Query: "apple", Mode: search.Semantic}, 0); !fault.Is(err, fault.Unavailable) {
		t.Errorf("semantic: %v", err)
	}
}

// limiter counts what it allows.
type limiter struct {
	asked int
	deny  bool
}

func (l *limiter) Allow(_ context.Context, _, _ string, what access.Work, n int) error {
	if what != access.AI || n != 1 {
		return errors.New("another kind of work")
	}
	l.asked++
	if l.deny {
		return fault.New(fault.RateLimited, "too many")
	}
	return nil
}

func TestAQueryIsEmbeddedOnce(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "red apple"))
	w.embed(den, "red apple")
	limit := &limiter{}
	w.options.Limiter = limit
	s := search.New(w.options)
	for range 3 {
		_, err := s.Search(t.Context(), ada, den, search.Request{Query: "apple"}, 0)
		must(t, err)
	}
	if limit.asked != 1 || len(w.model.asked) != 1 {
		t.Errorf("allowed %d, asked %v", limit.asked, w.model.asked)
	}
	limit.deny = true
	if _, err := s.Search(t.Context(), ada, den, search.Request{Query: "another"}, 0); !fault.Is(err, fault.RateLimited) {
		t.Errorf("above the limit: %v", err)
	}
	for i := range 300 { // old ones give way
		limit.deny = false
		_, err := s.Search(t.Context(), ada, den, search.Request{Query: fmt.Sprint("q", i)}, 0)
		must(t, err)
	}
	_, err := s.Search(t.Context(), ada, den, search.Request{Query: "apple"}, 0)
	must(t, err)
	if n := len(w.model.asked); n != 302 {
		t.Errorf("asked %d times", n)
	}
}

// spent is a budget that is used up.
type spent struct{}

func (spent) AllowAI(context.Context, string) error {
	return fault.New(fault.Forbidden, "the budget is spent")
}

func TestASpentBudgetLeavesWords(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "red apple"))
	w.embed(den, "red apple")
	w.options.Budget = spent{}
	got := w.search(ada, den, search.Request{Query: "apple"})
	equal(t, "by words", found(t, got), []string{"a"})
	if got.Degraded == "" || len(w.model.asked) > 0 {
		t.Errorf("degraded %q, asked %v", got.Degraded, w.model.asked)
	}
	if _, err := search.New(w.options).Search(t.Context(), ada, den, search.Request{Query: "apple", Mode: search.Semantic}, 0); !fault.Is(err, fault.Forbidden) {
		t.Errorf("semantic: %v", err)
	}
}

func TestAnAnswerFitsItsMessage(t *testing.T) {
	w := newWorld(t)
	den := w.room("den")
	w.commit(ada, den, task("a", "apple "+strings.Repeat("x", 400)))
	_, err := search.New(w.options).Search(t.Context(), ada, den, search.Request{Query: "apple"}, 300)
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.TooLarge || f.Details["useHttp"] != true {
		t.Errorf("got %v", err)
	}
	if _, err := search.New(w.options).Search(t.Context(), ada, den, search.Request{Query: "apple"}, 3000); err != nil {
		t.Error(err)
	}
}

var requests = map[string]string{ // to the path that is refused
	`{"query":"x"}`: "", `{"query":"x","k":50,"mode":"semantic","table":"t","where":{"a":1}}`: "", `{"query":"x","k":null,"where":null,"table":null}`: "",
	`{}`: "query", `{"query":""}`: "query", `{"query":7}`: "query", `{"query":"x","k":0}`: "k", `{"query":"x","k":51}`: "k", `{"query":"x","k":1.5}`: "k",
	`{"query":"x","k":"1"}`: "k", `{"query":"x","mode":"other"}`: "mode", `{"query":"x","where":[]}`: "where", `{"query":"x","limit":1}`: "limit",
	`[]`: ".", `{"query":"x"`: ".", `{"query":"x"}x`: ".", `{"query":"x","query":"y"}`: ".", ``: ".",
}

func TestDecode(t *testing.T) {
	for raw, path := range requests {
		got, err := search.Decode([]byte(raw))
		var f *fault.Error
		switch {
		case path == "" && (err != nil || got.Query != "x"):
			t.Errorf("%s: %v", raw, err)
		case path != "" && (!errors.As(err, &f) || f.Code != fault.Invalid || path != "." && f.Path != path):
			t.Errorf("%s: got %+v, %v", raw, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for raw := range requests {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := search.Decode(raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		var same search.Request
		if err := json.Unmarshal(raw, &same); err != nil || same.K != got.K || same.Mode != got.Mode || same.Table != got.Table {
			t.Errorf("%q is %+v, %v", raw, got, err)
		}
	})
}
