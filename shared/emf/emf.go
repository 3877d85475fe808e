// Package emf writes metrics as lines of the log, in CloudWatch's embedded
// metric format: CloudWatch makes metrics of them, and Logs Insights finds their
// other properties.
//
// The only dimension is the service, so there are as many metrics as services
// and names; each distinct combination costs money. Rooms and users are
// properties, never dimensions.
//
// Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package emf

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Namespace is where CloudWatch shows the metrics.
const Namespace = "NanotypeDB"

// Metric is one thing that is measured. There are no others.
type Metric string

// The metrics.
const (
	Reads       Metric = "Reads"       // rows returned
	Writes      Metric = "Writes"      // rows changed
	AITexts     Metric = "AiTexts"     // texts embedded
	Commits     Metric = "Commits"     // entries put into logs
	Connections Metric = "Connections" // +1 for each opened, -1 for each closed
	DeadJobs    Metric = "DeadJobs"    // messages that reached a dead-letter queue
	Errors      Metric = "Errors"      // invocations that failed by our fault
	Latency     Metric = "Latency"     // milliseconds of an invocation
	ColdStart   Metric = "ColdStart"   // milliseconds from the start of the process to its first invocation
	Lag         Metric = "RelayLag"    // entries of a log that the relay had not worked off yet
)

var units = map[Metric]string{Latency: "Milliseconds", ColdStart: "Milliseconds"}

func unit(m Metric) string {
	if u, ok := units[m]; ok {
		return u
	}
	return "Count"
}

// maxValues is how many values a metric may have in a line.
const maxValues = 100

// Writer makes one line of each invocation. It is safe for concurrent use, and
// a nil one writes nothing.
type Writer struct {
	service string
	now     func() time.Time

	mu  sync.Mutex
	out io.Writer
}

// NewWriter returns a writer of a service's lines. now is the clock; nil: time.Now.
func NewWriter(out io.Writer, service string, now func() time.Time) *Writer {
	if now == nil {
		now = time.Now
	}
	return &Writer{service: service, out: out, now: now}
}

// Values are the figures of an invocation, or of several: a metric has up to 100.
type Values map[Metric][]float64

// Set gives a metric one value.
func (v Values) Set(m Metric, value float64) { v[m] = []float64{value} }

// Write writes one line with the metrics and properties of an invocation.
// Properties must hold no secrets and no contents of rows. It is an error to
// name a property like a metric.
func (w *Writer) Write(values Values, properties map[string]any) error {
	if w == nil || len(values) == 0 {
		return nil
	}
	line, err := w.line(values, properties)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.out.Write(line); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

type definition struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

type metadata struct {
	Timestamp  int64       `json:"Timestamp"`
	Directives []directive `json:"CloudWatchMetrics"`
}

func (w *Writer) line(values Values, properties map[string]any) ([]byte, error) {
	members := map[string]any{"Service": w.service}
	for name, value := range properties {
		if _, taken := values[Metric(name)]; taken || name == "Service" || name == "_aws" {
			return nil, fmt.Errorf("emf: property %s is a metric or a dimension", name)
		}
		members[name] = value
	}
	d := directive{Namespace: Namespace, Dimensions: [][]string{{"Service"}}}
	for _, m := range slices.Sorted(maps.Keys(values)) {
		v := values[m]
		switch {
		case len(v) == 0:
			continue
		case len(v) > maxValues:
			return nil, fmt.Errorf("emf: metric %s has %d values, a line has at most %d", m, len(v), maxValues)
		case len(v) == 1:
			members[string(m)] = v[0]
		default:
			members[string(m)] = v
		}
		d.Metrics = append(d.Metrics, definition{Name: string(m), Unit: unit(m)})
	}
	members["_aws"] = metadata{Timestamp: w.now().UnixMilli(), Directives: []directive{d}}
	line, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("encode metrics: %w", err)
	}
	return append(line, '\n'), nil
}
