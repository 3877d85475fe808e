package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"nanotypedb/shared/config"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/usage"
)

// meters count what the runner's functions do: usage goes to the store every
// second, metrics to one output every ten.
type meters struct {
	ledger   *usage.Ledger
	recorder *usage.Recorder
	prices   *usage.Prices
	guard    *usage.Guard
	log      *slog.Logger
	each     bool // a line for each invocation, with its room and user, as functions write them
	out      io.WriteCloser
	batches  []*emf.Batch
}

// The pace of writing. A crash of the process loses what was read in the last
// second; what was written is counted from the log.
const (
	recordEvery = time.Second
	linesEvery  = 10 // times recordEvery
)

// openMetering wraps the store, so that all that is opened after it is metered.
func (p *parts) openMetering(_ context.Context, c config.Config, log *slog.Logger) error {
	m := &meters{ledger: usage.NewLedger(p.store, nil), prices: &usage.Virginia, log: log, each: c.Metrics == "stdout"}
	m.recorder = usage.NewRecorder(m.ledger)
	m.guard = usage.NewGuard(m.ledger, m.prices, "")
	var err error
	if m.out, err = openMetrics(c); err != nil {
		return err
	}
	p.meters, p.store = m, usage.Meter(p.store)
	p.closers = append(p.closers, m)
	return nil
}

func openMetrics(c config.Config) (io.WriteCloser, error) {
	switch c.Metrics {
	case "off":
		return nil, nil
	case "stdout":
		return nopCloser{os.Stdout}, nil
	case "":
		return openRotating(filepath.Join(c.Data, "metrics.jsonl"))
	default:
		return openRotating(c.Metrics)
	}
}

type nopCloser struct{ io.Writer }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

// of makes the meter of one function.
func (m *meters) of(function string) *metering.Meter {
	meter := &metering.Meter{Recorder: m.recorder, Log: m.log}
	switch {
	case m.out == nil:
	case m.each:
		meter.Lines = emf.NewWriter(m.out, function, nil)
	default:
		batch := emf.NewBatch(emf.NewWriter(m.out, function, nil))
		m.batches = append(m.batches, batch)
		meter.Lines = batch
	}
	return meter
}

// run writes what was counted until ctx ends.
func (m *meters) run(ctx context.Context) {
	for n := 1; pause(ctx, recordEvery) == nil; n++ {
		if err := m.recorder.Flush(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("usage was not written, it is tried again", "error", err)
		}
		if n%linesEvery == 0 {
			m.flushLines()
		}
	}
}

func (m *meters) flushLines() {
	for _, b := range m.batches {
		if err := b.Flush(); err != nil {
			m.log.Error("metrics were not written", "error", err)
		}
	}
}

// Close writes what is left. The store is still open.
func (m *meters) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := m.recorder.Flush(ctx)
	m.flushLines()
	if m.out != nil {
		err = errors.Join(err, m.out.Close())
	}
	return err
}

// rotatingBytes is the size at which a file of metrics makes room for the next;
// the one before it is kept.
const rotatingBytes = 16 << 20

// rotating is a file that grows no further than rotatingBytes.
type rotating struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64
}

func openRotating(path string) (*rotating, error) {
	r := &rotating{path: path}
	if err := r.open(); err != nil {
		return nil, fmt.Errorf("open NANO_METRICS: %w", err)
	}
	return r, nil
}

func (r *rotating) open() error {
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	r.file, r.size = file, info.Size()
	return nil
}

// Write implements io.Writer. Data is whole lines.
func (r *rotating) Write(data []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size > 0 && r.size+int64(len(data)) > rotatingBytes {
		if err := r.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := r.file.Write(data)
	r.size += int64(n)
	return n, err
}

func (r *rotating) rotate() error {
	if err := errors.Join(r.file.Close(), os.Rename(r.path, r.path+".1")); err != nil {
		return err
	}
	return r.open()
}

// Close implements io.Closer.
func (r *rotating) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Close()
}
