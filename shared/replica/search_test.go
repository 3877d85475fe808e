package replica_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/vector"
)

const (
	model = "test/1"
	dim   = 32
)

// meaning is a unit vector of a text: the sum of one a word, so that texts
// which share words are near.
func meaning(text string) []float32 {
	sum := make([]float32, dim)
	for _, word := range strings.Fields(text) {
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

func encoded(tb testing.TB, text string) []byte {
	tb.Helper()
	v, err := vector.Quantize(meaning(text))
	must(tb, err)
	return v.Encode()
}

// embed appends an index entry with vectors of texts.
func (w *world) embed(texts ...string) int64 {
	e := &indexlog.Entry{Model: model, Dim: dim}
	for _, text := range texts {
		e.Texts = append(e.Texts, indexlog.Text{Hash: indexlog.TextHash(text), Vector: encoded(w.tb, text)})
	}
	return w.index(e)
}

func (w *world) fail(texts ...string) int64 {
	e := &indexlog.Entry{Model: model, Dim: dim}
	for _, text := range texts {
		e.Texts = append(e.Texts, indexlog.Text{Hash: indexlog.TextHash(text), Failed: true, Reason: "refused"})
	}
	return w.index(e)
}

func (w *world) index(e *indexlog.Entry) int64 {
	w.tb.Helper()
	n, err := indexlog.Append(w.tb.Context(), w.st, ulid, e, 0)
	must(w.tb, err)
	return n
}

func catchUpIndex(tb testing.TB, w *world, r *replica.Replica) {
	tb.Helper()
	n, err := indexlog.Head(tb.Context(), w.st, ulid)
	must(tb, err)
	must(tb, r.CatchUpIndexTo(tb.Context(), n))
}

func view(tb testing.TB, r *replica.Replica, fn func(v *replica.View)) {
	tb.Helper()
	must(tb, r.View(tb.Context(), func(v *replica.View) error {
		fn(v)
		return nil
	}))
}

// keyword gives the ids that match words, best first.
func keyword(tb testing.TB, r *replica.Replica, query string, edit ...func(*replica.KeywordQuery)) (ids []string) {
	tb.Helper()
	q := replica.KeywordQuery{Query: query, K: 10}
	for _, f := range edit {
		f(&q)
	}
	view(tb, r, func(v *replica.View) {
		hits, err := v.Keyword(tb.Context(), q)
		must(tb, err)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
	})
	return ids
}

// nearest gives the ids nearest in meaning, best first.
func nearest(tb testing.TB, r *replica.Replica, query string, edit ...func(*replica.NearestQuery)) (ids []string) {
	tb.Helper()
	q := replica.NearestQuery{Query: meaning(query), Model: model, K: 10}
	for _, f := range edit {
		f(&q)
	}
	view(tb, r, func(v *replica.View) {
		hits, err := v.Nearest(tb.Context(), q)
		must(tb, err)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
	})
	return ids
}

func states(tb testing.TB, r *replica.Replica) map[string]string {
	tb.Helper()
	out := map[string]string{}
	for _, row := range rows(tb, r, replica.ListQuery{}) {
		out[row.ID] = row.Vector.String()
	}
	return out
}

func counts(tb testing.TB, r *replica.Replica) (c replica.Counts) {
	tb.Helper()
	view(tb, r, func(v *replica.View) {
		all, err := v.Coverage(tb.Context())
		must(tb, err)
		c = all.Counts
	})
	return c
}

func TestKeywordsAreFoundBeforeAnyVector(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "the quick brown fox"), insert("b", "a lazy dog"), insert("c", "Crème brûlée, quickly"))
	equal(t, "quick", keyword(t, r, "quick"), []string{"c", "a"}) // c is shorter
	equal(t, "all words first", keyword(t, r, "lazy dog"), []string{"b"})
	equal(t, "some words", keyword(t, r, "lazy fox"), []string{"b", "a"})
	equal(t, "diacritics", keyword(t, r, "CREME"), []string{"c"})
	equal(t, "only the last word by its beginning", keyword(t, r, "qui dog"), []string{"b"})
	equal(t, "a follower", keyword(t, w.acquire(w.cache()), "fox"), []string{"a"})
	if got := counts(t, r); got != (replica.Counts{Rows: 3, Pending: 3}) {
		t.Errorf("coverage is %+v", got)
	}
	equal(t, "nothing by meaning", nearest(t, r, "fox"), nil)
}

func TestKeywordsExplain(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "é\U0001F600 fox Foxes box"))
	view(t, r, func(v *replica.View) {
		hits, err := v.Keyword(t.Context(), replica.KeywordQuery{Query: "FOX absent fox", K: 1})
		must(t, err)
		want := []replica.Highlight{{Column: 1, Ranges: [][2]int{{3, 6}}}}
		if len(hits) != 1 || !slices.Equal(hits[0].Terms, []string{"FOX"}) || !reflect.DeepEqual(hits[0].Highlights, want) || hits[0].BM25 <= 0 {
			t.Errorf("got %+v", hits)
		}
		hits, err = v.Keyword(t.Context(), replica.KeywordQuery{Query: "box fox", K: 1})
		must(t, err)
		want = []replica.Highlight{{Column: 1, Ranges: [][2]int{{3, 6}, {7, 12}, {13, 16}}}}
		if len(hits) != 1 || !reflect.DeepEqual(hits[0].Highlights, want) {
			t.Errorf("got %+v", hits)
		}
	})
}

// hostile are queries that would be syntax of FTS5, or are odd otherwise.
var hostile = []string{`"`, `""`, `fox"`, `fox" OR "dog`, `fox* AND`, `NEAR(fox dog)`, `c1:fox`, `{c1}: fox`, `-fox`, `^fox`, `fox NOT dog`,
	`(`, `)`, `*`, `fox + dog`, "fox\x00dog", "\xff\xfe", `fo"x*`, `' OR 1=1 --`, `"*`, "a-b.c_d/e", "\u200b", "𝔣𝔬𝔵", strings.Repeat(`"`, 999)}

func TestAQueryIsNeverSyntax(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "fox"), insert("b", "dog"), insert("c", "c1 near not and or"))
	for _, query := range hostile {
		keyword(t, r, query) // fails on an error
	}
	got := keyword(t, r, `fox" OR "dog`) // three words, none of them an operator
	slices.Sort(got)
	equal(t, "quotes", got, []string{"a", "b", "c"})
	equal(t, "a column", keyword(t, r, `c1:fox`), nil) // a phrase of two words
	view(t, r, func(v *replica.View) {
		long := strings.Repeat("x", replica.MaxQueryLength+1)
		if _, err := v.Keyword(t.Context(), replica.KeywordQuery{Query: long, K: 1}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a long query: %v", err)
		}
		var many []string
		for i := range replica.MaxQueryWords + 1 {
			many = append(many, fmt.Sprint("w", i))
		}
		if _, err := v.Keyword(t.Context(), replica.KeywordQuery{Query: strings.Join(many, " "), K: 1}); !fault.Is(err, fault.Invalid) {
			t.Errorf("many words: %v", err)
		}
	})
}

func FuzzKeyword(f *testing.F) {
	for _, query := range hostile {
		f.Add(query)
	}
	w := newWorld(f)
	r := w.create(w.cache())
	w.commit(r, insert("a", "fox"), insert("b", "dog or cat"))
	f.Fuzz(func(t *testing.T, query string) {
		view(t, r, func(v *replica.View) {
			_, err := v.Keyword(t.Context(), replica.KeywordQuery{Query: query, K: 5})
			if err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", query, err)
			}
		})
	})
}

func TestTheIndexLogMakesRowsIndexed(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"), insert("b", "red apple"), insert("c", "blue sky"), insert("d", "green grass"))
	w.embed("red apple", "blue sky")
	w.fail("green grass", "red apple") // a failure of a text that has a vector counts nothing
	catchUpIndex(t, w, r)
	want := map[string]string{"a": "indexed", "b": "indexed", "c": "indexed", "d": "failed"}
	if got := states(t, r); !reflect.DeepEqual(got, want) {
		t.Errorf("states are %v", got)
	}
	if got := counts(t, r); got != (replica.Counts{Rows: 4, Indexed: 3, Failed: 1}) {
		t.Errorf("coverage is %+v", got)
	}
	equal(t, "apple", nearest(t, r, "red apple")[:2], []string{"a", "b"})
	view(t, r, func(v *replica.View) {
		all, err := v.Unindexed(t.Context(), 0, "", 10, true)
		must(t, err)
		if len(all) != 1 || all[0].ID != "d" || all[0].Text != "green grass" || all[0].Hash != indexlog.TextHash("green grass") {
			t.Errorf("unindexed: %+v", all)
		}
		if all, err = v.Unindexed(t.Context(), 0, "", 10, false); err != nil || len(all) != 0 {
			t.Errorf("pending: %+v, %v", all, err)
		}
		refs, err := v.RowsOf(t.Context(), indexlog.TextHash("red apple"))
		must(t, err)
		equal(t, "rows of a text", refs, []indexlog.RowRef{{Table: 1, ID: "a"}, {Table: 1, ID: "b"}})
		got, ok, err := v.Vector(t.Context(), indexlog.TextHash("blue sky"))
		if err != nil || !ok || string(got.Encode()) != string(encoded(t, "blue sky")) {
			t.Errorf("vector: %v, %v", ok, err)
		}
		text, h, row, ok, err := v.RowText(t.Context(), 1, "c")
		if err != nil || !ok || text != "blue sky" || h != indexlog.TextHash("blue sky") || row.ID != "c" {
			t.Errorf("text: %q, %v, %v", text, ok, err)
		}
	})
	w.index(&indexlog.Entry{Model: model, Dim: dim, Texts: []indexlog.Text{{Hash: indexlog.TextHash("green grass"), Cleared: true}}})
	catchUpIndex(t, w, r)
	if got := states(t, r)["d"]; got != "pending" {
		t.Errorf("after it was cleared it is %s", got)
	}
}

// Never a deleted row, never an outdated text.
func TestSearchFollowsRows(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"), insert("b", "blue sky"))
	w.embed("red apple", "blue sky", "later text")
	catchUpIndex(t, w, r)
	equal(t, "first", nearest(t, r, "red apple"), []string{"a", "b"})
	w.commit(r, update("a", cell(1, "other words")))
	equal(t, "after an edit, by meaning", nearest(t, r, "red apple"), []string{"b"})
	equal(t, "after an edit, by words", keyword(t, r, "apple"), nil)
	equal(t, "the new words", keyword(t, r, "other"), []string{"a"})
	w.commit(r, remove("a"))
	equal(t, "after a delete", keyword(t, r, "other"), nil)
	w.commit(r, insert("a", "red apple")) // as undo does
	equal(t, "put back, by meaning", nearest(t, r, "red apple"), []string{"a", "b"})
	equal(t, "put back, by words", keyword(t, r, "apple"), []string{"a"})
	if got := states(t, r)["a"]; got != "indexed" {
		t.Errorf("put back it is %s", got)
	}
	w.commit(r, insert("c", "later text")) // its vector came before the row
	equal(t, "later", nearest(t, r, "later text")[:1], []string{"c"})
	w.commit(r, update("c", cell(1, "   ")))
	if got := states(t, r)["c"]; got != "" {
		t.Errorf("a blank text is %s", got)
	}
	equal(t, "blank", nearest(t, r, "later text"), []string{"b", "a"})
	if got := counts(t, r); got != (replica.Counts{Rows: 2, Indexed: 2}) {
		t.Errorf("coverage is %+v", got)
	}
	view(t, r, func(v *replica.View) {
		unused, err := v.Unused(t.Context(), nil, 10)
		must(t, err)
		equal(t, "unused", unused, []indexlog.Hash{indexlog.TextHash("later text")})
	})
}

func TestAlterationsKeepSearchRight(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple", cell(2, "completed")), insert("b", "blue sky"))
	w.embed("red apple", "blue sky", "red apple\nnotes on fruit")
	catchUpIndex(t, w, r)
	alter := func(a schema.Alteration) {
		t.Helper()
		a.Table, a.Was = 1, "tasks"
		w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: &a})
	}
	alter(schema.Alteration{Add: []schema.Column{{Num: 9, Name: "notes", Type: schema.Text, Embed: true}}})
	equal(t, "a blank column changes no text", nearest(t, r, "red apple"), []string{"a", "b"})
	w.commit(r, update("a", cell(9, "notes on fruit")))
	equal(t, "by the new column", keyword(t, r, "fruit"), []string{"a"})
	equal(t, "of both columns", nearest(t, r, "red apple notes on fruit")[:1], []string{"a"})
	title := r.State().Schema.TableByNum(1).Columns[0]
	title.Embed = false
	alter(schema.Alteration{Change: []schema.Column{title}})
	equal(t, "no longer embedded", keyword(t, r, "apple"), nil)
	if got := states(t, r); got["a"] != "pending" || got["b"] != "" {
		t.Errorf("states are %v", got)
	}
	title.Embed = true
	alter(schema.Alteration{Change: []schema.Column{title}})
	equal(t, "embedded again", keyword(t, r, "apple"), []string{"a"})
	equal(t, "by meaning again", nearest(t, r, "red apple notes on fruit"), []string{"a", "b"})
	alter(schema.Alteration{Drop: []schema.ColumnName{{Num: 9, Name: "notes"}}})
	equal(t, "dropped", keyword(t, r, "fruit"), nil)
	equal(t, "the text is the old one", nearest(t, r, "red apple"), []string{"a", "b"})
	other := schema.Column{Num: 3, Name: "count", Type: schema.Text}
	alter(schema.Alteration{Change: []schema.Column{other}}) // moves a column that is not embedded
	equal(t, "after a type change", keyword(t, r, "sky"), []string{"b"})
	other.Embed = true
	alter(schema.Alteration{Change: []schema.Column{other}})
	w.commit(r, update("b", cell(3, "seventeen")))
	equal(t, "a converted column", keyword(t, r, "seventeen"), []string{"b"})
	other.Type, other.Embed = schema.JSONType, false
	w.commit(r, update("b", cell(3, "17")))
	alter(schema.Alteration{Change: []schema.Column{other}})
	equal(t, "no text any more", keyword(t, r, "17"), nil)
	equal(t, "the rest", keyword(t, r, "sky"), []string{"b"})
	checkSearchRebuilt(t, w, r)
	w.commit(r, commitlog.Op{Kind: commitlog.DropTable, Table: 1, Name: "tasks", Def: r.State().Schema.TableByNum(1)})
	equal(t, "a dropped table", keyword(t, r, "sky"), nil)
	equal(t, "a dropped table by meaning", nearest(t, r, "blue sky"), nil)
	if got := counts(t, r); got != (replica.Counts{}) {
		t.Errorf("coverage is %+v", got)
	}
}

// checkSearchRebuilt compares what a replica that followed knows with one made
// from the log, or from a checkpoint, alone.
func checkSearchRebuilt(t testing.TB, w *world, r *replica.Replica) {
	t.Helper()
	other := w.acquire(w.cache())
	catchUpIndex(t, w, other)
	catchUpIndex(t, w, r)
	got, want := searchState(t, r), searchState(t, other)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("followed %v\nrebuilt  %v", got, want)
	}
}

// searchState is everything that a search can see.
func searchState(tb testing.TB, r *replica.Replica) map[string]any {
	tb.Helper()
	out := map[string]any{"index": r.State().Index, "model": r.State().Model}
	view(tb, r, func(v *replica.View) {
		c, err := v.Coverage(tb.Context())
		must(tb, err)
		out["coverage"] = fmt.Sprint(c)
		for i := range v.State().Schema.Tables {
			def := &v.State().Schema.Tables[i]
			must(tb, v.Rows(tb.Context(), replica.ListQuery{Table: def}, func(row *replica.Row) (bool, error) {
				text, _, _, _, err := v.RowText(tb.Context(), def.Num, row.ID)
				out[fmt.Sprint(def.Num, row.ID)] = row.Vector.String() + " " + text
				return true, err
			}))
		}
		for _, q := range words {
			hits, err := v.Keyword(tb.Context(), replica.KeywordQuery{Query: q, K: 50})
			must(tb, err)
			out["word "+q] = fmt.Sprint(hits)
			near, err := v.Nearest(tb.Context(), replica.NearestQuery{Query: meaning(q), Model: model, K: 50})
			must(tb, err)
			slices.SortFunc(near, func(a, b replica.NearHit) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			out["near "+q] = fmt.Sprint(near)
		}
	})
	return out
}

var words = []string{"red", "blue", "apple", "sky", "grass", "fox"}

func TestAColdReplicaSearchesFromItsCheckpoint(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"), insert("b", "blue sky"))
	first := w.embed("red apple", "blue sky")
	catchUpIndex(t, w, r)
	must(t, r.Checkpoint(t.Context()))
	w.st.remove(indexlog.Key(ulid, first)) // covered, and removed
	w.commit(r, insert("c", "green grass"))
	_, err := indexlog.Append(t.Context(), w.st, ulid, &indexlog.Entry{Model: model, Dim: dim,
		Texts: []indexlog.Text{{Hash: indexlog.TextHash("green grass"), Vector: encoded(t, "green grass")}}}, first)
	must(t, err)
	cold := w.acquire(w.cache())
	if s := cold.State(); s.Index != first || s.Model != model || s.Dim != dim {
		t.Errorf("loaded at index %d of %s", s.Index, s.Model)
	}
	equal(t, "at once", nearest(t, cold, "blue sky"), []string{"b", "a"})
	equal(t, "words", keyword(t, cold, "apple"), []string{"a"})
	must(t, cold.CatchUpIndexTo(t.Context(), first+1))
	equal(t, "caught up", nearest(t, cold, "green grass")[:1], []string{"c"})
	checkSearchRebuilt(t, w, r)
}

// A replica that slept while entries were removed loads the checkpoint that
// covers them; a checkpoint never goes back in the index log.
func TestAHoleInTheIndexLogIsBridgedByACheckpoint(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"))
	sleeper := w.acquire(w.cache())
	first := w.embed("red apple")
	w.embed("blue sky")
	must(t, r.Checkpoint(t.Context())) // catches up first
	if r.State().Index != first+1 {
		t.Fatalf("the checkpoint is at index %d", r.State().Index)
	}
	w.st.remove(indexlog.Key(ulid, first))
	must(t, sleeper.CatchUpIndexTo(t.Context(), first+1))
	equal(t, "the sleeper", nearest(t, sleeper, "red apple"), []string{"a"})
	// Without one the rows say that they are pending, and search goes on.
	w.st.removePrefix("CHECKPOINT#")
	lost := w.acquire(w.cache())
	must(t, lost.CatchUpIndexTo(t.Context(), first+1))
	if got := states(t, lost)["a"]; got != "pending" {
		t.Errorf("a text whose entry is lost is %s", got)
	}
}

func TestModelsAreNeverMixed(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"), insert("b", "blue sky"), insert("c", "green grass"))
	w.embed("red apple", "blue sky")
	w.fail("green grass")
	catchUpIndex(t, w, r)
	nearest(t, r, "red apple") // loads the vectors
	w.index(&indexlog.Entry{Model: "test/2", Dim: dim, Reset: true})
	w.embed("green grass") // of the old model, from a job under way
	catchUpIndex(t, w, r)
	if got := counts(t, r); got != (replica.Counts{Rows: 3, Pending: 3}) {
		t.Errorf("after the change %+v", got)
	}
	w.index(&indexlog.Entry{Model: "test/2", Dim: dim, Texts: []indexlog.Text{{Hash: indexlog.TextHash("blue sky"), Vector: encoded(t, "blue sky")}}})
	catchUpIndex(t, w, r)
	view(t, r, func(v *replica.View) {
		if _, err := v.Nearest(t.Context(), replica.NearestQuery{Query: meaning("red apple"), Model: model, K: 5}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a query of the old model: %v", err)
		}
	})
	equal(t, "the new model", nearest(t, r, "red apple", func(q *replica.NearestQuery) { q.Model = "test/2" }), []string{"b"})
	w.index(&indexlog.Entry{At: 1, Model: "test/2", Dim: dim, Reset: true}) // all anew by the same model
	catchUpIndex(t, w, r)
	equal(t, "after a reset", nearest(t, r, "red apple", func(q *replica.NearestQuery) { q.Model = "test/2" }), nil)
	checkCoverage(t, r)
}

// A view of before a change of model is answered by its own vectors.
func TestAViewKeepsItsModel(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"))
	w.embed("red apple")
	catchUpIndex(t, w, r)
	view(t, r, func(old *replica.View) {
		w.index(&indexlog.Entry{Model: "test/2", Dim: dim, Reset: true,
			Texts: []indexlog.Text{{Hash: indexlog.TextHash("red apple"), Vector: encoded(t, "something else")}}})
		catchUpIndex(t, w, r)
		equal(t, "new", nearest(t, r, "x", func(q *replica.NearestQuery) { q.Model = "test/2" }), []string{"a"})
		hits, err := old.Nearest(t.Context(), replica.NearestQuery{Query: meaning("red apple"), Model: model, K: 5})
		if err != nil || len(hits) != 1 || hits[0].Cosine < 0.99 {
			t.Errorf("the old view: %v, %v", hits, err)
		}
	})
}

func checkCoverage(tb testing.TB, r *replica.Replica) {
	tb.Helper()
	var want replica.Counts
	view(tb, r, func(v *replica.View) {
		for i := range v.State().Schema.Tables {
			must(tb, v.Rows(tb.Context(), replica.ListQuery{Table: &v.State().Schema.Tables[i]}, func(row *replica.Row) (bool, error) {
				switch row.Vector {
				case replica.Pending:
					want.Pending++
				case replica.Indexed:
					want.Indexed++
				case replica.Failed:
					want.Failed++
				case replica.NoText:
					return true, nil
				}
				want.Rows++
				return true, nil
			}))
		}
	})
	if got := counts(tb, r); got != want {
		tb.Errorf("coverage is %+v, counted %+v", got, want)
	}
}

func TestSearchIsNarrowedToWhatMayBeSeen(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	def := tasks()
	def.Num, def.Name = 2, "others"
	w.commit(r, commitlog.Op{Kind: commitlog.CreateTable, Def: def})
	var texts []string
	for i := range 400 {
		text := fmt.Sprint("red apple ", i)
		texts = append(texts, text)
		op := insert(fmt.Sprintf("r%03d", i), text, cell(2, "pending"))
		if i%100 == 7 {
			op.Creator, op.Set[1].Value = "bob", "completed"
		}
		w.commit(r, op)
	}
	foreign := insert("x", "red apple 7")
	foreign.Table, foreign.Creator = 2, "bob"
	w.commit(r, foreign)
	w.embed(texts[:200]...)
	w.embed(texts[200:]...)
	catchUpIndex(t, w, r)
	bobs := map[int]string{1: "bob", 2: "bob"}
	want := []string{"r007", "x", "r107", "r207", "r307"}
	got := nearest(t, r, "red apple 7", func(q *replica.NearestQuery) { q.Creator = bobs })
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("bob's by meaning: %v", got)
	}
	got = keyword(t, r, "red apple", func(q *replica.KeywordQuery) { q.Creator = bobs })
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("bob's by words: %v", got)
	}
	one := []replica.Filter{{Field: "status", Is: replica.Equal, Values: []schema.Value{"completed"}}}
	got = nearest(t, r, "red apple 7", func(q *replica.NearestQuery) { q.Tables, q.Filters = []int{1}, one })
	if slices.Sort(got); !slices.Equal(got, []string{"r007", "r107", "r207", "r307"}) {
		t.Errorf("completed by meaning: %v", got)
	}
	got = keyword(t, r, "apple", func(q *replica.KeywordQuery) { q.Tables, q.Filters = []int{1}, one })
	if slices.Sort(got); !slices.Equal(got, []string{"r007", "r107", "r207", "r307"}) {
		t.Errorf("completed by words: %v", got)
	}
	equal(t, "one table", nearest(t, r, "red apple 7", func(q *replica.NearestQuery) { q.Tables = []int{2} }), []string{"x"})
	equal(t, "one table by words", keyword(t, r, "apple", func(q *replica.KeywordQuery) { q.Tables = []int{2} }), []string{"x"})
}

// What is cleared is found no more, though its vector is still in memory.
func TestAClearedTextIsNotFound(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("a", "red apple"), insert("b", "blue sky"))
	w.embed("red apple", "blue sky")
	catchUpIndex(t, w, r)
	equal(t, "both", nearest(t, r, "red apple"), []string{"a", "b"})
	w.index(&indexlog.Entry{Model: model, Dim: dim, Texts: []indexlog.Text{{Hash: indexlog.TextHash("red apple"), Cleared: true}}})
	catchUpIndex(t, w, r)
	equal(t, "cleared", nearest(t, r, "red apple"), []string{"b"})
	w.index(&indexlog.Entry{At: 1, Model: model, Dim: dim, Texts: []indexlog.Text{{Hash: indexlog.TextHash("red apple"), Vector: encoded(t, "red apple")}}})
	catchUpIndex(t, w, r)
	equal(t, "embedded again", nearest(t, r, "red apple"), []string{"a", "b"})
}

// A view of before a row came does not hide the row from later ones.
func TestAnOldViewHidesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	w.commit(r, insert("b", "blue sky"))
	w.embed("red apple", "blue sky")
	catchUpIndex(t, w, r)
	old := func(v *replica.View) {
		t.Helper()
		hits, err := v.Nearest(t.Context(), replica.NearestQuery{Query: meaning("red apple"), Model: model, K: 5})
		if err != nil || len(hits) != 1 || hits[0].ID != "b" {
			t.Errorf("the old view: %v, %v", hits, err)
		}
	}
	view(t, r, func(v *replica.View) {
		w.commit(r, insert("a", "red apple"))
		equal(t, "new", nearest(t, r, "red apple"), []string{"a", "b"})
		old(v)
	})
	equal(t, "after a commit", nearest(t, r, "red apple"), []string{"a", "b"})
	clearing := indexlog.Entry{At: 5, Model: model, Dim: dim, Texts: []indexlog.Text{{Hash: indexlog.TextHash("red apple"), Cleared: true}}}
	w.index(&clearing)
	catchUpIndex(t, w, r)
	view(t, r, func(v *replica.View) {
		w.index(&indexlog.Entry{At: 6, Model: model, Dim: dim, Texts: []indexlog.Text{{Hash: indexlog.TextHash("red apple"), Vector: encoded(t, "red apple")}}})
		catchUpIndex(t, w, r)
		equal(t, "new", nearest(t, r, "red apple"), []string{"a", "b"})
		old(v)
	})
	equal(t, "after an index entry", nearest(t, r, "red apple"), []string{"a", "b"})
}

// Many texts that no row has any more stand nearer than those that rows have.
func TestTextsOfNoRowDoNotCrowdOut(t *testing.T) {
	w := newWorld(t)
	r := w.create(w.cache())
	var old []string
	for i := range 1500 {
		old = append(old, fmt.Sprint("red apple ", i))
	}
	for part := range slices.Chunk(old, 500) {
		w.embed(part...)
	}
	w.embed("blue sky", "grass")
	w.commit(r, insert("a", "blue sky"))
	catchUpIndex(t, w, r)
	equal(t, "found behind them", nearest(t, r, "red apple"), []string{"a"})
	equal(t, "again", nearest(t, r, "red apple"), []string{"a"})
	w.commit(r, insert("b", old[3]), insert("c", "grass"))
	equal(t, "one of them came back", nearest(t, r, old[3])[:1], []string{"b"})
}
