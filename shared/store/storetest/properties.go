package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"nanotypedb/shared/store"

	"pgregory.net/rapid"
)

var propertyCases = []testCase{{"property/behaves as the model", testModel}}

// testModel makes random requests of the store and of the model, which must
// answer alike.
func testModel(s *subject) {
	rapid.Check(s.T, func(t *rapid.T) {
		p := pair{T: t, subject: s, model: NewModel(), pk: partition()}
		t.Repeat(map[string]func(*rapid.T){
			"write": p.write,
			"add":   p.add,
			"query": p.query,
			"":      p.get,
		})
	})
}

// pair is a store and a model that saw the same requests.
type pair struct {
	*rapid.T
	subject *subject
	model   *Model
	pk      string
}

var (
	genSK   = rapid.SampledFrom([]string{"A", "A#1", "A#10", "A#2", "B", "LOG#1", "LOG#2", "a"})
	genData = rapid.SampledFrom([]string{"", "\x00", "one", "two"})
)

func (p *pair) write(t *rapid.T) {
	sks := rapid.SliceOfNDistinct(genSK, 1, 4, rapid.ID).Draw(t, "keys")
	writes := make([]store.Write, len(sks))
	for i, sk := range sks {
		w := store.Write{
			Action: rapid.SampledFrom([]store.Action{store.Put, store.Put, store.Delete, store.Check}).Draw(t, "action"),
			If:     rapid.SampledFrom([]store.Condition{store.Always, store.Absent, store.Present, store.Unchanged}).Draw(t, "condition"),
			Item:   store.Item{Key: store.Key{PK: p.pk, SK: sk}},
		}
		if w.Action == store.Check && w.If == store.Always {
			w.If = store.Absent
		}
		if w.Action == store.Put {
			w.Item.Data = []byte(genData.Draw(t, "data"))
			w.Item.Counters = rapid.MapOfN(rapid.SampledFrom([]string{"n", "m"}), rapid.Int64Range(-5, 5), 0, 2).Draw(t, "counters")
			w.Item.Expires = genExpires.Draw(t, "expires")
		}
		if w.If == store.Unchanged {
			w.Previous = []byte(genData.Draw(t, "previous"))
		}
		writes[i] = w
	}
	got, want := p.subject.Store.Write(p.subject.ctx(), writes...), p.model.Write(p.subject.ctx(), writes...)
	if !sameOutcome(got, want) {
		t.Fatalf("Write: %v, want %v", got, want)
	}
}

var genExpires = rapid.SampledFrom([]time.Time{{}, future, future.Add(time.Hour)})

func sameOutcome(got, want error) bool {
	var g, w *store.ConditionError
	if errors.As(got, &g) && errors.As(want, &w) {
		return slices.Equal(g.Failed, w.Failed)
	}
	return got == nil && want == nil
}

func (p *pair) add(t *rapid.T) {
	key := store.Key{PK: p.pk, SK: genSK.Draw(t, "key")}
	deltas := rapid.MapOfN(rapid.SampledFrom([]string{"n", "m", "o"}), rapid.Int64Range(-5, 5), 1, 3).Draw(t, "deltas")
	expires := genExpires.Draw(t, "expires")
	got, err := p.subject.Store.Add(p.subject.ctx(), key, deltas, expires)
	want, wantErr := p.model.Add(p.subject.ctx(), key, deltas, expires)
	if err != nil || wantErr != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("Add: %v, %v, want %v, %v", got, err, want, wantErr)
	}
}

func (p *pair) query(t *rapid.T) {
	bound := rapid.OneOf(rapid.Just(""), genSK)
	q := store.Query{
		PK: p.pk, From: bound.Draw(t, "from"), To: bound.Draw(t, "to"), After: bound.Draw(t, "after"),
		Limit: rapid.IntRange(0, 3).Draw(t, "limit"), Reverse: rapid.Bool().Draw(t, "reverse"), Strong: true,
	}
	got, err := readAll(p.subject.ctx(), p.subject.Store, q)
	want, _ := readAll(p.subject.ctx(), p.model, q)
	if err != nil || !slices.EqualFunc(got, want, sameItem) {
		t.Fatalf("%+v gave %v, %v, want %v", q, got, err, want)
	}
}

func (p *pair) get(t *rapid.T) {
	key := store.Key{PK: p.pk, SK: genSK.Draw(t, "key")}
	got, err := p.subject.Store.Get(p.subject.ctx(), key, true)
	want, wantErr := p.model.Get(p.subject.ctx(), key, true)
	if !errors.Is(err, wantErr) || !sameItem(got, want) {
		t.Fatalf("Get %s: %+v, %v, want %+v, %v", key.SK, got, err, want, wantErr)
	}
}
