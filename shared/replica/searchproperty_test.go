package replica_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/vector"
)

// known is what the index log says, entry by entry, as this test reads it.
type known struct {
	model string
	texts map[indexlog.Hash]string
}

func (k *known) apply(e *indexlog.Entry) {
	if e.Reset || k.model == "" {
		k.model, k.texts = e.Model, map[indexlog.Hash]string{}
	}
	if e.Model != k.model {
		return
	}
	for i := range e.Texts {
		switch t := &e.Texts[i]; {
		case t.Cleared:
			delete(k.texts, t.Hash)
		case !t.Failed:
			k.texts[t.Hash] = "indexed"
		case k.texts[t.Hash] != "indexed":
			k.texts[t.Hash] = "failed"
		}
	}
}

// TestSearchIsOfTheRows: in any order of commits, index entries, catch-ups,
// searches and checkpoints, search gives exactly the rows that have the words
// or a vector at that seq, in the order of the exact cosine, with the state
// that the index log says; and a replica made anew knows the same.
func TestSearchIsOfTheRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.close()
		r := w.create(w.cache())
		following := w.acquire(w.cache())
		know := known{texts: map[indexlog.Hash]string{}}
		head := int64(0)
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0, 1, 2, 3:
				w.commitRandomly(rt, r)
			case 4, 5:
				e := anyIndexEntry(rt, t, know.model, head)
				n, err := indexlog.Append(t.Context(), w.st, ulid, e, head)
				must(t, err)
				head = n
				know.apply(e)
			case 6:
				must(t, r.CatchUpIndexTo(t.Context(), head))
				checkSearch(rt, t, r, &know)
			case 7:
				must(t, following.CatchUp(t.Context()))
				must(t, following.CatchUpIndexTo(t.Context(), head))
				checkSearch(rt, t, following, &know)
			case 8:
				must(t, following.CatchUpIndexTo(t.Context(), head)) // before the commits that it is about
			case 9:
				must(t, r.Checkpoint(t.Context()))
			}
		}
		must(t, following.CatchUp(t.Context()))
		cold := w.acquire(w.cache())
		w.st.removePrefix("CHECKPOINT#")
		for name, replica := range map[string]*replica.Replica{"writer": r, "following": following, "cold": cold, "rebuilt": w.acquire(w.cache())} {
			must(t, replica.CatchUpIndexTo(t.Context(), head))
			checkSearch(rt, t, replica, &know)
			checkCoverage(t, replica)
			if t.Failed() {
				rt.Fatal(name)
			}
		}
	})
}

var someWords = []string{"red", "blue", "apple", "sky", "fox"}

func anyText(rt *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(someWords), 0, 3).Draw(rt, "text"), " ")
}

// commitRandomly inserts, updates or deletes one of a few rows, or changes
// what of them is embedded.
func (w *world) commitRandomly(rt *rapid.T, r *replica.Replica) {
	def := r.State().Schema.TableByNum(1)
	id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(rt, "id")
	_, there, err := readRow(w.tb, r, id)
	must(w.tb, err)
	cells := []schema.Cell{cell(1, anyText(rt))}
	if def.ColumnByNum(9) != nil {
		cells = append(cells, cell(9, anyText(rt)))
	}
	switch kind := rapid.IntRange(0, 9).Draw(rt, "kind"); {
	case kind == 0:
		w.commit(r, commitlog.Op{Kind: commitlog.AlterTable, Alter: alterEmbeds(rt, def)})
	case !there:
		w.commit(r, commitlog.Op{Kind: commitlog.Insert, Table: 1, ID: id, Creator: "ada", Set: cells})
	case kind < 4:
		w.commit(r, remove(id))
	case kind < 6:
		w.commit(r, update(id, cell(3, int64(kind))))
	default:
		w.commit(r, update(id, cells...))
	}
}

// alterEmbeds adds or drops an embedded column, or embeds the title or not.
func alterEmbeds(rt *rapid.T, def *schema.Table) *schema.Alteration {
	a := &schema.Alteration{Table: 1, Was: def.Name}
	title, notes := *def.ColumnByNum(1), def.ColumnByNum(9)
	switch {
	case notes == nil && def.NextColumn <= 9:
		a.Add = []schema.Column{{Num: 9, Name: "notes", Type: schema.Text, Embed: rapid.Bool().Draw(rt, "embed"), Default: "fox"}}
	case notes != nil && rapid.IntRange(0, 3).Draw(rt, "drop") == 0:
		a.Drop = []schema.ColumnName{{Num: 9, Name: "notes"}}
	case notes != nil && rapid.Bool().Draw(rt, "which"):
		changed := *notes
		changed.Embed = !changed.Embed
		a.Change = []schema.Column{changed}
	default:
		title.Embed = !title.Embed
		a.Change = []schema.Column{title}
	}
	return a
}

func anyIndexEntry(rt *rapid.T, tb testing.TB, model string, head int64) *indexlog.Entry {
	e := &indexlog.Entry{At: schema.Millis(head), Model: rapid.SampledFrom([]string{"test/1", "test/1", "test/1", "test/2"}).Draw(rt, "model"), Dim: dim}
	e.Reset = e.Model != model && rapid.Bool().Draw(rt, "reset") || rapid.IntRange(0, 9).Draw(rt, "anew") == 0
	for range rapid.IntRange(0, 4).Draw(rt, "texts") {
		text := anyText(rt)
		if text == "" {
			continue
		}
		if rapid.IntRange(0, 2).Draw(rt, "second") == 0 {
			text += "\n" + rapid.SampledFrom(someWords).Draw(rt, "line")
		}
		said := indexlog.Text{Hash: indexlog.TextHash(text)}
		switch rapid.IntRange(0, 6).Draw(rt, "said") {
		case 0:
			said.Failed = true
		case 1:
			said.Cleared = true
		default:
			said.Vector = encoded(tb, text)
		}
		e.Texts = append(e.Texts, said)
	}
	return e
}

// checkSearch compares the answers of a replica with its rows one by one.
func checkSearch(rt *rapid.T, tb testing.TB, r *replica.Replica, know *known) {
	tb.Helper()
	if got := r.State(); got.Model != know.model {
		rt.Fatalf("the model is %q, not %q", got.Model, know.model)
	}
	query := rapid.SampledFrom(someWords).Draw(rt, "query")
	near := map[string]string{}
	var withWord []string
	view(tb, r, func(v *replica.View) {
		def := v.State().Schema.TableByNum(1)
		for _, row := range allRows(tb, v, def) {
			text := schema.EmbedText(def, func(num int) schema.Value {
				return row.Values[slices.IndexFunc(def.Columns, func(c schema.Column) bool { return c.Num == num })]
			})
			want := ""
			if text != "" {
				if want = know.texts[indexlog.TextHash(text)]; want == "" {
					want = "pending"
				}
			}
			if row.Vector.String() != want {
				rt.Fatalf("row %s with text %q is %q, not %q", row.ID, text, row.Vector, want)
			}
			if want == "indexed" {
				near[row.ID] = text
			}
			if slices.Contains(strings.Fields(text), query) {
				withWord = append(withWord, row.ID)
			}
		}
		hits, err := v.Keyword(tb.Context(), replica.KeywordQuery{Query: query + " ", K: 50})
		must(tb, err)
		var found []string
		for _, h := range hits {
			found = append(found, h.ID)
		}
		if slices.Sort(found); !slices.Equal(found, withWord) {
			rt.Fatalf("%s is in %v, found in %v", query, withWord, found)
		}
		if know.model == "" {
			return
		}
		checkNear(rt, tb, v, know.model, query, near)
	})
}

func checkNear(rt *rapid.T, tb testing.TB, v *replica.View, model, query string, texts map[string]string) {
	tb.Helper()
	near, err := v.Nearest(tb.Context(), replica.NearestQuery{Model: model, Query: meaning(query), K: 50})
	must(tb, err)
	if len(near) != len(texts) {
		rt.Fatalf("%d rows have vectors, found %v", len(texts), near)
	}
	for i, h := range near {
		text, ok := texts[h.ID]
		if !ok {
			rt.Fatalf("found row %s, which has no vector", h.ID)
		}
		delete(texts, h.ID)
		stored, err := vector.Decode(encoded(tb, text))
		must(tb, err)
		cosine := 0.0
		for j, x := range stored.Floats() {
			cosine += float64(x) * float64(meaning(query)[j])
		}
		if diff := h.Cosine - cosine; diff > 1e-4 || diff < -1e-4 || i > 0 && h.Cosine > near[i-1].Cosine {
			rt.Fatalf("row %s with text %q has cosine %v, found %v after %v", h.ID, text, cosine, h.Cosine, fmt.Sprint(near[:i]))
		}
	}
}

func allRows(tb testing.TB, v *replica.View, def *schema.Table) (out []replica.Row) {
	tb.Helper()
	must(tb, v.Rows(tb.Context(), replica.ListQuery{Table: def}, func(row *replica.Row) (bool, error) {
		out = append(out, *row)
		return true, nil
	}))
	return out
}
