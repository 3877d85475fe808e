package topology

import (
	"slices"
	"strings"
	"testing"

	"nanotypedb/shared/emf"
)

var metrics = map[string]bool{
	string(emf.Reads): true, string(emf.Writes): true, string(emf.AITexts): true, string(emf.Commits): true, string(emf.Connections): true,
	string(emf.DeadJobs): true, string(emf.Errors): true, string(emf.Latency): true, string(emf.ColdStart): true, string(emf.Lag): true,
}

// known reports whether a series is of something that a deployment has.
func known(s Series) bool {
	switch s.Source {
	case FromEMF:
		return metrics[s.Metric] && slices.Contains(Functions, s.Of)
	case FromLambda:
		return slices.Contains(Functions, s.Of)
	case FromSQS:
		return slices.Contains(Queues, strings.TrimSuffix(s.Of, Dead))
	case FromTable:
		return s.Of == "table"
	}
	return false
}

func TestAlarmsSayWhatToDo(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Alarms() {
		if seen[a.Name] {
			t.Errorf("two alarms are named %s", a.Name)
		}
		seen[a.Name] = true
		if !known(a.Series) {
			t.Errorf("alarm %s is about %+v, which no deployment has", a.Name, a.Series)
		}
		if len(a.Meaning) < 20 || len(a.Runbook) < 40 || a.Periods < 1 || a.Period <= 0 || a.Series.Statistic == "" {
			t.Errorf("alarm %s is incomplete: %+v", a.Name, a)
		}
		for _, q := range strings.Split(a.Runbook, "\"")[1:] {
			if name := strings.TrimSpace(q); strings.Contains(a.Runbook, "saved query \""+name+"\"") &&
				!slices.ContainsFunc(Queries(), func(q Query) bool { return q.Name == name }) {
				t.Errorf("alarm %s names a query %q that is not saved", a.Name, name)
			}
		}
	}
	for _, kind := range []string{"dead-jobs", "embeddings-old", "api-errors", "live-throttled", "commits-slow"} {
		if !seen[kind] {
			t.Errorf("there is no alarm %s", kind)
		}
	}
}

func TestDashboardShowsWhatExists(t *testing.T) {
	for _, w := range Dashboard() {
		if w.Title == "" || len(w.Series) == 0 || w.Width < 1 || w.Width > 24 {
			t.Errorf("widget %+v is incomplete", w)
		}
		for _, s := range w.Series {
			if !known(s) {
				t.Errorf("widget %q shows %+v, which no deployment has", w.Title, s)
			}
		}
	}
}

func TestQueriesNameTheirLogs(t *testing.T) {
	for _, q := range Queries() {
		if len(q.Functions) == 0 || !strings.Contains(q.Text, "filter") {
			t.Errorf("query %+v is incomplete", q)
		}
		for _, f := range q.Functions {
			if !slices.Contains(Functions, f) {
				t.Errorf("query %q asks the log of %s, which is no function", q.Name, f)
			}
		}
	}
}
