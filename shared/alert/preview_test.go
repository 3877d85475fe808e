package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
)

// shown are the rows of a preview, as id:similarity.
func (w *world) preview(p access.Principal, r Request) ([]string, Preview) {
	w.t.Helper()
	preview, err := w.alerts.Preview(w.t.Context(), p, den, r)
	must(w.t, err)
	list := []string{}
	for _, m := range preview.Matches {
		var row struct{ ID string }
		must(w.t, json.Unmarshal(m.Row, &row))
		list = append(list, fmt.Sprintf("%s:%.2f", row.ID, m.Similarity))
	}
	return list, preview
}

func TestPreview(t *testing.T) {
	w := newWorld(t)
	w.row("near", "network outage")
	w.row("nearer", "outage")
	w.row("far", "cat dog")
	w.row("pending", "outage outage outage")
	w.note(bob, "his", "outage billing")
	w.note(ada, "hers", "outage invoice")
	w.index("network outage", "outage", "cat dog", "outage billing", "outage invoice")
	threshold := func(f float64) *float64 { return &f }
	for _, tt := range []struct {
		who      access.Principal
		asked    Request
		want     string
		compared int64
	}{
		{vera, Request{Description: "outage"}, "nearer:1.00 near:0.71", 3},
		{bob, Request{Description: "outage billing"}, "his:1.00 nearer:0.71 near:0.50", 4},
		{ada, Request{Description: "outage", Table: "notes"}, "his:0.71 hers:0.71", 2},
		{bob, Request{Description: "outage", Threshold: threshold(0.9)}, "nearer:1.00", 4},
		{bob, Request{Description: "dog", Threshold: threshold(0), Table: "tasks"}, "far:0.71 near:0.00 nearer:0.00", 3},
	} {
		got, preview := w.preview(tt.who, tt.asked)
		if strings.Join(got, " ") != tt.want || preview.Compared != tt.compared {
			t.Errorf("%s %+v: %v of %d, want %s of %d", tt.who.User.ID, tt.asked, got, preview.Compared, tt.want, tt.compared)
		}
	}
	if n := w.model.asked["outage"]; n != 1 {
		t.Errorf("the model was asked %d times for one description", n)
	}
	if in := w.inbox(vera, Page{}); len(in.Items) != 0 {
		t.Errorf("a preview put %v into the inbox", in.Items)
	}
	for name, err := range map[string]error{
		"a stranger": second(w.alerts.Preview(t.Context(), eve, den, Request{Description: "outage"})),
		"no table":   second(w.alerts.Preview(t.Context(), bob, den, Request{Description: "outage", Table: "none"})),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
