package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/fault"
)

func TestSetRefuses(t *testing.T) {
	w := newWorld(t)
	number := func(f float64) *float64 { return &f }
	for _, tt := range []struct {
		name  string
		as    access.Principal
		topic string
		asked Request
		code  fault.Code
		path  string
	}{
		{"a stranger", eve, "a", Request{Description: "outage"}, fault.NotFound, ""},
		{"no topic", bob, "", Request{Description: "outage"}, fault.Invalid, "topic"},
		{"a capital", bob, "Outages", Request{Description: "outage"}, fault.Invalid, "topic"},
		{"a hyphen first", bob, "-a", Request{Description: "outage"}, fault.Invalid, "topic"},
		{"a key's separator", bob, "a#b", Request{Description: "outage"}, fault.Invalid, "topic"},
		{"a long topic", bob, strings.Repeat("a", 64), Request{Description: "outage"}, fault.Invalid, "topic"},
		{"no description", bob, "a", Request{Description: " \n\t"}, fault.Invalid, "description"},
		{"a long description", bob, "a", Request{Description: strings.Repeat("é", 1001)}, fault.TooLarge, "description"},
		{"a threshold below", bob, "a", Request{Description: "outage", Threshold: number(-0.1)}, fault.Invalid, "threshold"},
		{"a threshold above", bob, "a", Request{Description: "outage", Threshold: number(1.1)}, fault.Invalid, "threshold"},
		{"an unknown table", bob, "a", Request{Description: "outage", Table: "nowhere"}, fault.NotFound, "table"},
		{"a table without meaning", bob, "a", Request{Description: "outage", Table: "plain"}, fault.Invalid, "table"},
		{"a text without direction", bob, "a", Request{Description: "zebra"}, fault.Unavailable, "description"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.alerts.Set(t.Context(), tt.as, den, tt.topic, tt.asked)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != tt.code || f.Path != tt.path {
				t.Errorf("got %v, want %s at %q", err, tt.code, tt.path)
			}
		})
	}
	for _, p := range []access.Principal{bob, ada} {
		if list, err := w.alerts.List(t.Context(), p, den); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
	}
}

func TestSetListDelete(t *testing.T) {
	w := newWorld(t)
	low := 0.0
	first, err := w.alerts.Set(t.Context(), vera, den, "pets", Request{Description: "  cat dog\n", Threshold: &low, Table: "tasks"})
	must(t, err)
	w.set(vera, "money", strings.Repeat("é", 992)+" billing") // 1,000 code points
	w.set(bob, "pets", "dog")
	w.clock = w.clock.Add(time.Hour)
	changed, err := w.alerts.Set(t.Context(), vera, den, "pets", Request{Description: "dog", Table: "tasks"})
	must(t, err)
	if first.Threshold != 0 || first.Description != "cat dog" || changed.Threshold != DefaultThreshold || changed.CreatedAt != first.CreatedAt {
		t.Errorf("first %+v, then %+v", first, changed)
	}
	w.commit(ada, `{"op":"alterTable","table":"tasks","name":"jobs"}`)
	list, err := w.alerts.List(t.Context(), vera, den)
	changed.Table = "jobs"
	if err != nil || len(list) != 2 || !reflect.DeepEqual(list[1], changed) || list[0].Topic != "money" {
		t.Errorf("list %+v, %v", list, err)
	}
	wire, err := json.Marshal(list[1])
	must(t, err)
	want := `{"topic":"pets","description":"dog","threshold":0.5,"table":"jobs","createdAt":"` +
		w.clock.Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000Z") + `"}`
	if string(wire) != want {
		t.Errorf("got %s, want %s", wire, want)
	}
	must(t, w.alerts.Delete(t.Context(), vera, den, "pets"))
	if err := w.alerts.Delete(t.Context(), vera, den, "pets"); !fault.Is(err, fault.NotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if list, _ := w.alerts.List(t.Context(), bob, den); len(list) != 1 {
		t.Errorf("bob's are %v", list)
	}
	for _, err := range []error{w.alerts.Delete(t.Context(), eve, den, "pets"), second(w.alerts.List(t.Context(), eve, den))} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("a stranger: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestTheLimitHoldsAlsoAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for i := range MaxAlerts + 8 {
		wg.Go(func() {
			var err error
			for range 40 { // losing to the others is not what is tested
				if _, err = w.alerts.Set(t.Context(), bob, den, fmt.Sprintf("topic-%d", i), Request{Description: "outage"}); !fault.Is(err, fault.Unavailable) {
					break
				}
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				if refused++; !fault.Is(err, fault.TooLarge) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list, err := w.alerts.List(t.Context(), bob, den)
	if err != nil || len(list) != MaxAlerts || refused != 8 {
		t.Fatalf("%d alerts, %d refused, %v", len(list), refused, err)
	}
	w.set(bob, list[0].Topic, "billing") // one that is there may change
	w.set(cleo, "hers", "billing")
	must(t, w.alerts.Delete(t.Context(), bob, den, list[0].Topic))
	w.set(bob, "another", "billing")
}

// countdown refuses after so many texts.
type countdown struct{ left int }

func (c *countdown) Allow(_ context.Context, _, _ string, what access.Work, n int) error {
	if what != access.AI {
		return nil
	}
	if c.left -= n; c.left < 0 {
		return fault.New(fault.RateLimited, "no more")
	}
	return nil
}

func TestDescriptionsCountAsTextsEmbedded(t *testing.T) {
	w := newWorld(t)
	w.alerts.Limiter = &countdown{2}
	w.set(bob, "a", "outage")
	w.set(bob, "b", "outage") // is known
	w.set(bob, "c", "billing")
	_, err := w.alerts.Set(t.Context(), bob, den, "d", Request{Description: "cat"})
	if !fault.Is(err, fault.RateLimited) || w.model.asked["outage"] != 1 || w.model.asked["cat"] != 0 {
		t.Errorf("%v, asked %v", err, w.model.asked)
	}
}

func TestAModelThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t)
	for want, fails := range map[fault.Code]error{
		fault.RateLimited: embedder.Throttle(time.Second), fault.Unavailable: embedder.Unreached("down"), fault.Invalid: embedder.Refuse("never"),
	} {
		w.model.fail(fails)
		_, err := w.alerts.Set(t.Context(), bob, den, "a", Request{Description: "outage"})
		if !fault.Is(err, want) {
			t.Errorf("%v: got %v", fails, err)
		}
	}
	if list, _ := w.alerts.List(t.Context(), bob, den); len(list) != 0 {
		t.Errorf("kept %v", list)
	}
	w.model.fail(nil)
	w.set(bob, "a", "outage")
	if topics := w.check(w.row("r", "outage")); !slices.Equal(topics, []string{"bob:a:r"}) {
		t.Errorf("told %v", topics)
	}
}

// spent is a budget that is used up.
type spent struct{}

func (spent) AllowAI(context.Context, string) error {
	return fault.New(fault.Forbidden, "the budget is used up")
}

func TestASpentBudgetEmbedsNothing(t *testing.T) {
	w := newWorld(t)
	w.set(bob, "known", "outage")
	w.alerts.Budget = spent{}
	w.set(cleo, "known", "outage") // needs no model
	if _, err := w.alerts.Set(t.Context(), bob, den, "new", Request{Description: "billing"}); !fault.Is(err, fault.Forbidden) {
		t.Errorf("set: %v", err)
	}
	m := w.row("r1", "outage")
	wantTold(t, w.check(m), "bob:known:r1", "cleo:known:r1")
	w.model = newWords("words/2", "cat", "outage")
	w.restart()
	w.alerts.Budget = spent{}
	must(t, w.alerts.Check(t.Context(), w.ulid, []Matched{w.text("tasks", "r1", "outage", m.Version)})) // no job fails for it
	if n := w.model.asked["outage"]; n != 0 {
		t.Errorf("asked %d times", n)
	}
}
