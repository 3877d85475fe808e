// Package metering counts every invocation of a function: what it consumed goes
// to the usage of a room and principal, and its figures into one line of
// metrics.
package metering

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"nanotypedb/shared/emf"
	"nanotypedb/shared/usage"
)

// Lines takes the metrics of an invocation; emf.Writer and emf.Batch do.
type Lines interface {
	Write(values emf.Values, properties map[string]any) error
}

// Meter counts invocations. It is safe for concurrent use; a nil one counts
// nothing.
type Meter struct {
	Recorder *usage.Recorder  // nil: usage is not recorded
	Lines    Lines            // nil: no metrics
	Started  time.Time        // of the process; its first invocation tells the cold start. Zero: not told
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: slog.Default

	cold sync.Once
}

// Invocation is one invocation on its way.
type Invocation struct {
	meter *Meter
	tally *usage.Tally
	began time.Time

	answered time.Duration // after which the answer was given; 0: at the end
}

// Answered says that whoever asked has the answer: what follows is no part of
// the latency.
func (i *Invocation) Answered() {
	if i != nil {
		i.answered = max(1, i.meter.now().Sub(i.began))
	}
}

// Outcome says what became of an invocation.
type Outcome struct {
	Principal  string // who asked; empty when nobody was recognized
	Op         string // route or method
	Request    string // request id
	Failed     bool   // by our fault
	Background bool   // nobody waited for it: its time and failure are not among those of the room's requests
	Counts     usage.Counts
	Values     emf.Values // further metrics

	// Rooms are those that the work was for, with how much of it; nil: the one
	// that the tally names. What was consumed is divided among them.
	Rooms map[string]int64
}

// Begin starts an invocation: work done with the context it returns is counted.
func (m *Meter) Begin(ctx context.Context) (context.Context, *Invocation) {
	if m == nil {
		return ctx, nil
	}
	i := &Invocation{meter: m, tally: &usage.Tally{}, began: m.now()}
	return usage.With(ctx, i.tally), i
}

func (m *Meter) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// End counts the invocation. It does not wait for the store.
func (i *Invocation) End(ctx context.Context, o Outcome) {
	if i == nil {
		return
	}
	took := i.meter.now().Sub(i.began)
	counts := i.tally.Counts().Plus(o.Counts)
	counts[usage.Invocations]++
	counts[usage.ComputeTime] += took.Milliseconds() + 1
	latency := cmp.Or(i.answered, took)
	if !o.Background {
		counts[usage.Took(latency)]++
		if o.Failed {
			counts[usage.Errors]++
		}
	}
	if o.Rooms == nil {
		i.meter.Recorder.Count(i.tally.Room(), o.Principal, counts)
	}
	for room, share := range counts.Divide(o.Rooms) {
		i.meter.Recorder.Count(room, o.Principal, share)
	}
	i.line(ctx, o, counts, latency)
}

func (i *Invocation) line(ctx context.Context, o Outcome, counts usage.Counts, latency time.Duration) {
	m := i.meter
	if m.Lines == nil {
		return
	}
	values := emf.Values{
		emf.Latency: {float64(latency.Microseconds()) / 1000},
		emf.Reads:   {float64(counts[usage.Reads])},
		emf.AITexts: {float64(counts[usage.AI])},
		emf.Errors:  {0},
	}
	if o.Failed {
		values.Set(emf.Errors, 1)
	}
	for metric, v := range o.Values {
		values[metric] = v
	}
	m.cold.Do(func() {
		if !m.Started.IsZero() {
			values.Set(emf.ColdStart, float64(i.began.Sub(m.Started).Microseconds())/1000)
		}
	})
	properties := map[string]any{"room": i.tally.Room(), "user": o.Principal, "op": o.Op, "request": o.Request}
	if err := m.Lines.Write(values, properties); err != nil {
		m.logger().ErrorContext(ctx, "metrics were not written", "error", err)
	}
}

// FlushNow is Flush at the end of an invocation that nobody waits for, also
// when its time is over. What fails is told in the log.
func (m *Meter) FlushNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	if err := m.Flush(ctx); err != nil {
		m.logger().ErrorContext(ctx, "usage was not written, it is tried again", "error", err)
	}
}

const flushTime = 3 * time.Second

func (m *Meter) logger() *slog.Logger {
	if m == nil || m.Log == nil {
		return slog.Default()
	}
	return m.Log
}

// Flush writes the usage that was counted. A function calls it when the answer
// is given, the runner now and then; what fails is written with the next.
func (m *Meter) Flush(ctx context.Context) error {
	if m == nil {
		return nil
	}
	return m.Recorder.Flush(ctx)
}
