package relay_test

import (
	"testing"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/metering"
)

// lines keeps the metrics of each invocation.
type lines []emf.Values

func (l *lines) Write(v emf.Values, _ map[string]any) error {
	*l = append(*l, v)
	return nil
}

// Each invocation tells what it counted and how many entries were waiting, those told twice nothing.
func TestTheRelayTellsWhatItWorkedOff(t *testing.T) {
	w := newWorld(t)
	out := &lines{}
	deps := w.relay.Deps
	deps.Meter = &metering.Meter{Lines: out}
	w.relay = relay.New(deps)
	w.create(t, "plans")
	for range 3 {
		w.insert(t, "plans", 2, "a text")
	}
	changes := w.changes(t)
	w.handle(t, changes)
	w.handle(t, changes)
	sums := map[emf.Metric]float64{}
	for _, line := range *out {
		for _, m := range []emf.Metric{emf.Commits, emf.Writes, emf.Lag} {
			sums[m] += line[m][0]
		}
	}
	if sums[emf.Commits] != 4 || sums[emf.Writes] != 6 || sums[emf.Lag] != 4 {
		t.Fatalf("told %v", sums)
	}
}
