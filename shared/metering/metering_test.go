package metering

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"nanotypedb/shared/emf"
	"nanotypedb/shared/store/storetest"
	"nanotypedb/shared/usage"
)

type lines struct {
	values     []emf.Values
	properties []map[string]any
}

func (l *lines) Write(v emf.Values, p map[string]any) error {
	l.values, l.properties = append(l.values, v), append(l.properties, p)
	return nil
}

type brokenLines struct{}

func (brokenLines) Write(emf.Values, map[string]any) error { return errors.New("no") }

func TestInvocationsAreCounted(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	ledger := usage.NewLedger(storetest.NewModel(), func() time.Time { return now })
	out := &lines{}
	m := &Meter{Recorder: usage.NewRecorder(ledger), Lines: out, Started: now.Add(-40 * time.Millisecond), Now: func() time.Time { return now }}
	for n := range 2 {
		ctx, i := m.Begin(context.Background())
		usage.From(ctx).In("R")
		usage.From(ctx).Add(usage.Reads, 7)
		now = now.Add(3 * time.Millisecond)
		i.End(ctx, Outcome{Principal: "ada", Op: "rows.list", Failed: n == 1, Counts: usage.Of(usage.Requests, 1)})
	}
	if err := m.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	rep, err := ledger.Report(context.Background(), "R", usage.Range{From: now, To: now.Add(time.Hour), By: usage.ByHour})
	if err != nil {
		t.Fatal(err)
	}
	got := rep.Totals
	if got[usage.Reads] != 14 || got[usage.Requests] != 2 || got[usage.Errors] != 1 || got[usage.ComputeTime] != 8 {
		t.Fatalf("usage %v", got)
	}
	if p50, ok := got.Latency(.5); !ok || p50 != 5*time.Millisecond {
		t.Fatalf("latency %v %v", p50, ok)
	}
	if len(out.values) != 2 || out.values[0][emf.ColdStart][0] != 40 || out.values[1][emf.ColdStart] != nil {
		t.Fatalf("lines %v", out.values)
	}
	if out.properties[0]["room"] != "R" || out.properties[0]["user"] != "ada" {
		t.Fatalf("properties %v", out.properties)
	}
}

func TestWhatNobodyWaitsForIsNoLatency(t *testing.T) {
	m := &Meter{Recorder: usage.NewRecorder(usage.NewLedger(storetest.NewModel(), nil))}
	ctx, i := m.Begin(context.Background())
	usage.From(ctx).In("R")
	i.End(ctx, Outcome{Principal: usage.System, Background: true})
	if got := m.Recorder.Pending("R"); got.Timed() != 0 || got[usage.ComputeTime] == 0 {
		t.Fatalf("counted %v", got)
	}
}

// What follows the answer is time of the function, but no latency.
func TestLatencyEndsWithTheAnswer(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	out := &lines{}
	m := &Meter{Recorder: usage.NewRecorder(usage.NewLedger(storetest.NewModel(), nil)), Lines: out, Now: func() time.Time { return now }}
	ctx, i := m.Begin(context.Background())
	usage.From(ctx).In("R")
	now = now.Add(2 * time.Millisecond)
	i.Answered()
	now = now.Add(time.Second)
	i.End(ctx, Outcome{Principal: "ada"})
	got := m.Recorder.Pending("R")
	if p99, ok := got.Latency(.99); !ok || p99 != 2*time.Millisecond || got[usage.ComputeTime] < 1000 || out.values[0][emf.Latency][0] != 2 {
		t.Fatalf("latency %v, %d ms of function, line %v", p99, got[usage.ComputeTime], out.values[0])
	}
}

// A failure that nobody waited for is no failed request, but is in the metrics.
func TestBackgroundFailuresAreNoFailedRequests(t *testing.T) {
	out := &lines{}
	m := &Meter{Recorder: usage.NewRecorder(usage.NewLedger(storetest.NewModel(), nil)), Lines: out}
	ctx, i := m.Begin(context.Background())
	i.End(ctx, Outcome{Background: true, Failed: true, Rooms: map[string]int64{"R": 3, "S": 1}, Counts: usage.Of(usage.ReadUnits, 8)})
	r, s := m.Recorder.Pending("R"), m.Recorder.Pending("S")
	if r[usage.Errors] != 0 || out.values[0][emf.Errors][0] != 1 || r[usage.ReadUnits] != 6 || s[usage.ReadUnits] != 2 {
		t.Fatalf("R %v, S %v, line %v", r, s, out.values[0])
	}
}

// A function whose time is over still writes what it counted.
func TestFlushNowOutlivesTheInvocation(t *testing.T) {
	now := time.Now()
	ledger := usage.NewLedger(storetest.NewModel(), nil)
	m := &Meter{Recorder: usage.NewRecorder(ledger)}
	m.Recorder.Count("R", "ada", usage.Of(usage.Reads, 2))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m.FlushNow(ctx)
	rep, err := ledger.Report(context.Background(), "R", usage.Range{From: now.Add(-time.Hour), To: now.Add(time.Hour), By: usage.ByHour})
	if err != nil || rep.Totals[usage.Reads] != 2 {
		t.Fatalf("wrote %v, %v", rep.Totals, err)
	}
}

func TestStrangersCostNoRoom(t *testing.T) {
	ledger := usage.NewLedger(storetest.NewModel(), nil)
	m := &Meter{Recorder: usage.NewRecorder(ledger)}
	ctx, i := m.Begin(context.Background())
	i.End(ctx, Outcome{Principal: "eve", Counts: usage.Of(usage.Requests, 1)})
	if got := m.Recorder.Pending(""); !got.Zero() {
		t.Fatalf("counted %v for no room", got)
	}
}

func TestNobodyFailsForMetrics(t *testing.T) {
	m := &Meter{Lines: brokenLines{}}
	ctx, i := m.Begin(context.Background())
	i.End(ctx, Outcome{})
	var none *Meter
	ctx, i = none.Begin(context.Background())
	i.End(ctx, Outcome{})
	if err := errors.Join(none.Flush(ctx), m.Flush(ctx)); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkInvocation is what metering adds to each request; compare it with that of a commit.
func BenchmarkInvocation(b *testing.B) {
	m := &Meter{Recorder: usage.NewRecorder(usage.NewLedger(storetest.NewModel(), nil)), Lines: emf.NewBatch(emf.NewWriter(io.Discard, "live", nil))}
	for b.Loop() {
		ctx, i := m.Begin(context.Background())
		usage.From(ctx).In("R")
		i.End(ctx, Outcome{Principal: "ada", Op: "commit", Counts: usage.Of(usage.Messages, 2)})
	}
}
