package emf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func at() time.Time { return time.UnixMilli(1_795_000_000_123) }

// check validates a line against the format's schema, and that each metric is a member of the line with numbers.
func check(t *testing.T, line []byte) map[string]any {
	t.Helper()
	published, err := os.ReadFile("testdata/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("emf.json", doc); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MustCompile("emf.json").Validate(value); err != nil {
		t.Fatalf("%s\n%v", line, err)
	}
	var members map[string]any
	if err := json.Unmarshal(line, &members); err != nil {
		t.Fatal(err)
	}
	directives := members["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)
	for _, d := range directives {
		for _, m := range d.(map[string]any)["Metrics"].([]any) {
			name := m.(map[string]any)["Name"].(string)
			switch members[name].(type) {
			case float64, []any:
			default:
				t.Fatalf("metric %s has the value %v", name, members[name])
			}
		}
		for _, set := range d.(map[string]any)["Dimensions"].([]any) {
			for _, name := range set.([]any) {
				if _, ok := members[name.(string)].(string); !ok {
					t.Fatalf("dimension %v has no text for a value", name)
				}
			}
		}
	}
	return members
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, "live", at)
	values := Values{Reads: {3}, Latency: {1.5, 2, 2.25}, Commits: {}}
	values.Set(Errors, 0)
	if err := w.Write(values, map[string]any{"room": "01ABC", "user": "u-1", "request": "r"}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Fatalf("not one line: %q", out.String())
	}
	m := check(t, out.Bytes())
	if m["Service"] != "live" || m["room"] != "01ABC" || m["Reads"] != 3.0 || len(m["Latency"].([]any)) != 3 {
		t.Fatalf("line %v", m)
	}
	if _, ok := m["Commits"]; ok {
		t.Fatal("a metric without a value was written")
	}
}

// TestDimensionsStayFew writes a line for each of a thousand rooms and users: the metrics that CloudWatch would make of
// them, and charge for, must not grow with them.
func TestDimensionsStayFew(t *testing.T) {
	sets := map[string]map[string]bool{}
	for _, service := range []string{"api", "live", "relay", "embed", "jobs", "deliver"} {
		for n := range 1000 {
			var out bytes.Buffer
			w := NewWriter(&out, service, at)
			if err := w.Write(Values{Writes: {1}, Latency: {2}}, map[string]any{"room": fmt.Sprint(n), "user": fmt.Sprint("u", n)}); err != nil {
				t.Fatal(err)
			}
			count(t, out.Bytes(), sets)
		}
	}
	for name, distinct := range sets {
		if len(distinct) > 30 {
			t.Errorf("metric %s has %d dimension sets", name, len(distinct))
		}
	}
	if len(sets) == 0 {
		t.Fatal("no metric was written")
	}
}

func count(t *testing.T, line []byte, sets map[string]map[string]bool) {
	t.Helper()
	var members map[string]json.RawMessage
	var meta metadata
	if err := errors.Join(json.Unmarshal(line, &members), json.Unmarshal(members["_aws"], &meta)); err != nil {
		t.Fatal(err)
	}
	for _, d := range meta.Directives {
		for _, m := range d.Metrics {
			if sets[m.Name] == nil {
				sets[m.Name] = map[string]bool{}
			}
			for _, set := range d.Dimensions {
				key := ""
				for _, name := range set {
					key += name + "=" + string(members[name]) + " "
				}
				sets[m.Name][key] = true
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, "api", at)
	for name, err := range map[string]error{
		"property like a metric":    w.Write(Values{Reads: {1}}, map[string]any{"Reads": 1}),
		"property like a dimension": w.Write(Values{Reads: {1}}, map[string]any{"Service": "x"}),
		"too many values":           w.Write(Values{Reads: make([]float64, maxValues+1)}, nil),
		"what JSON cannot say":      w.Write(Values{Reads: {1}}, map[string]any{"f": func() {}}),
	} {
		if err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if out.Len() > 0 {
		t.Fatalf("wrote %q", out.String())
	}
	if err := w.Write(nil, nil); err != nil || out.Len() > 0 {
		t.Fatalf("nothing gave %q, %v", out.String(), err)
	}
	var none *Writer
	if err := none.Write(Values{Reads: {1}}, nil); err != nil {
		t.Fatal(err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestBrokenOutputIsTold(t *testing.T) {
	if err := NewWriter(broken{}, "api", at).Write(Values{Reads: {1}}, nil); err == nil {
		t.Fatal("a line that was not written went unnoticed")
	}
}

func BenchmarkLine(b *testing.B) {
	var out bytes.Buffer
	w := NewWriter(&out, "live", at)
	for b.Loop() {
		out.Reset()
		if err := w.Write(Values{Reads: {100}, Latency: {1.5}, Errors: {0}}, map[string]any{"room": "01ABC", "user": "u-1"}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestBatchAddsUpAndKeepsMeasurements(t *testing.T) {
	var out bytes.Buffer
	b := NewBatch(NewWriter(&out, "live", at))
	for i := range 250 {
		if err := b.Write(Values{Writes: {2}, Latency: {float64(i)}}, map[string]any{"room": "r"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	writes, latencies := 0.0, 0
	for line := range bytes.Lines(out.Bytes()) {
		m := check(t, line)
		if v, ok := m["Writes"].(float64); ok {
			writes += v
		}
		switch v := m["Latency"].(type) {
		case []any:
			latencies += len(v)
		case float64:
			latencies++
		}
	}
	if writes != 500 || latencies != 250 {
		t.Fatalf("lines hold %v writes and %d latencies", writes, latencies)
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := NewBatch(NewWriter(broken{}, "live", at)).Flush(); err != nil {
		t.Fatal("an empty batch wrote")
	}
}
