package live_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"nanotypedb/functions/live"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/usage"
)

// lines keeps the metrics of each invocation.
type lines []emf.Values

func (l *lines) Write(v emf.Values, _ map[string]any) error {
	*l = append(*l, v)
	return nil
}

// metered is the world's function with a meter.
func (w *world) metered(m *metering.Meter) *live.Handler {
	deps := w.live.Deps
	deps.Meter = m
	return live.New(deps)
}

func TestMessagesAreCounted(t *testing.T) {
	w := newWorld(t, local)
	out := &lines{}
	m := &metering.Meter{Recorder: usage.NewRecorder(usage.NewLedger(w.store, nil)), Lines: out}
	w.live = w.metered(m)
	connection := w.connect("bob")
	before := m.Recorder.Pending(w.ulid)
	w.call(connection, "sql", `{"sql":"select 1 union all select 2"}`)
	w.call(connection, "rows.get", `{"table":"tasks","id":"t1"}`)
	got := m.Recorder.Pending(w.ulid)
	if got[usage.Messages]-before[usage.Messages] != 4 || got[usage.Reads] != 3 || got.Timed() != 2 {
		t.Fatalf("counted %v after %v", got, before)
	}
	if opened := (*out)[0][emf.Connections]; !slices.Equal(opened, []float64{1}) {
		t.Fatalf("a connection was opened: %v", opened)
	}
	known := len(*out)
	w.send("nobody", `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if len(*out) != known+1 {
		t.Fatal("a message on an unknown connection has no line of metrics")
	}
}

// BenchmarkMetering commits over a socket into one room, each commit durable, with and without metering in turns, and
// reports by how many percent metering makes the median acknowledgement slower. Usage is written every second
// meanwhile, as the runner does.
func BenchmarkMetering(b *testing.B) {
	w := newWorld(b, local)
	m := &metering.Meter{Recorder: usage.NewRecorder(usage.NewLedger(w.store, nil)), Lines: emf.NewBatch(emf.NewWriter(io.Discard, "live", nil))}
	handlers := []*live.Handler{w.live, w.metered(m)}
	defer flushing(b.Context(), m)()
	connection, event := w.connect("bob"), w.event("apigw-websocket-request-send-message.json", "")
	event.RequestContext.ConnectionID = connection
	took := make([][]time.Duration, len(handlers))
	n := 0
	for b.Loop() {
		for i := range handlers {
			side := (i + n) % len(handlers) // either one first
			event.Body = fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"commit","params":{"ops":[{"op":"insert","table":"tasks","row":{"title":"row %d"}}]}}`, n)
			began := time.Now()
			_, err := handlers[side].Handle(b.Context(), event)
			took[side] = append(took[side], time.Since(began))
			must(b, err)
			w.post.take(connection)
		}
		n++
	}
	median := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)/2].Nanoseconds()) / 1000
	}
	without, with := median(took[0]), median(took[1])
	b.ReportMetric(without, "µs-without")
	b.ReportMetric(with, "µs-with")
	b.ReportMetric(100*(with/without-1), "%-more")
}

// flushing writes usage every second until the function it returns was called.
func flushing(ctx context.Context, m *metering.Meter) func() {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = m.Flush(ctx)
			}
		}
	}()
	return func() { cancel(); <-done }
}
