package emf

import (
	"errors"
	"sync"
)

// Batch collects the figures of many invocations into few lines, for a process
// that serves thousands of them a second. Properties are those of single
// invocations and are left out.
type Batch struct {
	w *Writer

	mu     sync.Mutex
	values Values
	last   error
}

// NewBatch returns an empty batch that writes by w.
func NewBatch(w *Writer) *Batch { return &Batch{w: w, values: Values{}} }

// Write notes the figures of an invocation. Metrics that count are added up, and
// those that are measured keep each value; a full line is written at once.
func (b *Batch) Write(values Values, _ map[string]any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for m, list := range values {
		for _, v := range list {
			b.add(m, v)
		}
	}
	return nil
}

func (b *Batch) add(m Metric, v float64) {
	have := b.values[m]
	if unit(m) == "Count" && len(have) == 1 {
		have[0] += v
		return
	}
	if b.values[m] = append(have, v); len(b.values[m]) == maxValues {
		b.last = errors.Join(b.last, b.w.Write(b.values, nil))
		b.values = Values{}
	}
}

// Flush writes what was noted, and returns the errors since the last flush.
func (b *Batch) Flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := errors.Join(b.last, b.w.Write(b.values, nil))
	b.values, b.last = Values{}, nil
	return err
}
