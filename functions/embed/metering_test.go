package embed_test

import (
	"log/slog"
	"testing"

	"nanotypedb/functions/embed"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/usage"
)

// lines sums the metrics of all invocations.
type lines map[emf.Metric]float64

func (l lines) Write(values emf.Values, _ map[string]any) error {
	for m, list := range values {
		for _, v := range list {
			l[m] += v
		}
	}
	return nil
}

// Texts count for whose rows they are in, once, and what the work took for the room.
func TestWhatEmbeddingCosts(t *testing.T) {
	w := newWorld(t)
	sums := lines{}
	m := &metering.Meter{Recorder: usage.NewRecorder(usage.NewLedger(w.store, nil)), Lines: sums}
	options := w.indexer.Options
	options.Usage, options.Store = m.Recorder, usage.Meter(w.store)
	w.indexer = indexing.New(options)
	w.handler = embed.New(embed.Deps{Indexer: w.indexer, Queue: w.jobs, Meter: m, Log: slog.New(slog.DiscardHandler)})
	w.commit(insert("a", "one"), insert("b", "two"), insert("c", "one"))
	w.relayAll()
	w.settle()
	got := m.Recorder.Pending(w.ulid)
	if got[usage.AI] != 2 || got[usage.Tokens] != 2 || sums[emf.AITexts] != 2 {
		t.Errorf("two texts were embedded: counted %v, metrics %v", got, sums)
	}
	// Two vectors and an entry of the index log are a unit each at least.
	if got[usage.WriteUnits] < 3*8 || got[usage.Queued] < 3 || got[usage.Invocations] == 0 {
		t.Errorf("the work counts %v", got)
	}
	if got[usage.Errors] != 0 || got.Timed() != 0 {
		t.Errorf("nobody asked for it, and nothing failed: %v", got)
	}
}
