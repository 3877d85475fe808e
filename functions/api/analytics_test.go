package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nanotypedb/functions/api"
	"nanotypedb/shared/access"
	"nanotypedb/shared/analytics"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
)

// metered is a world whose requests are counted.
type metered struct{ *world }

func newMetered(t *testing.T, probes analytics.Probes) *metered {
	t.Helper()
	m := &metered{newWorld(t)}
	recorder := usage.NewRecorder(m.ledger)
	deps := m.api.Deps
	deps.Meter = &metering.Meter{Recorder: recorder}
	deps.Analytics = analytics.New(analytics.Options{
		Rooms: m.engine, Ledger: m.ledger, Recorder: recorder, Prices: &usage.Virginia, Probes: probes,
		Guard: m.guard, Model: "static", MaxRoomBytes: 1 << 20,
	})
	var err error
	m.api, err = api.New(deps)
	must(t, err)
	return m
}

// relayed counts the room's log, as the relay does.
func (w *world) relayed() {
	w.t.Helper()
	entries, sizes, _, err := commitlog.Read(w.t.Context(), w.store, w.ulid("ada"), 0, 1000)
	must(w.t, err)
	must(w.t, w.ledger.Logged(w.t.Context(), w.ulid("ada"), entries, sizes))
}

func (m *metered) report(as, query string) analytics.Answer {
	m.t.Helper()
	var a analytics.Answer
	must(m.t, json.Unmarshal([]byte(m.ask(as, "GET", "/v1/rooms/den/analytics"+query, "")), &a))
	return a
}

func TestUsageIsWhatWasAsked(t *testing.T) {
	m := newMetered(t, analytics.Probes{})
	m.den()
	m.ask("bob", "POST", "/v1/rooms/den/commits", `{"ops":[{"op":"insert","table":"tasks","row":{"title":"a"}},{"op":"insert","table":"tasks","row":{"title":"b"}}]}`)
	for range 3 {
		m.ask("vera", "GET", "/v1/rooms/den/tables/tasks/rows", "") // three rows each
	}
	m.ask("bob", "GET", "/v1/rooms/den/tables/tasks/rows/t1", "")
	m.relayed()
	m.relayed() // again, as after a crash

	a := m.report("ada", "?by=hour&compare=1")
	if a.Totals.Reads != 10 || a.Totals.Writes != 4 || a.Totals.Commits != 7 {
		t.Fatalf("totals %+v", a.Totals)
	}
	users := map[string]analytics.Figures{}
	for _, u := range a.Users {
		users[u.User] = u.Figures
	}
	ada, bob, vera := users[m.user("ada").ID], users[m.user("bob").ID], users[m.user("vera").ID]
	if vera.Reads != 9 || bob.Reads != 1 || bob.Writes != 2 || ada.Writes != 2 {
		t.Fatalf("users %+v", users)
	}
	sum := analytics.Figures{}
	for _, p := range a.Points {
		sum.Reads, sum.Writes, sum.Cost = sum.Reads+p.Reads, sum.Writes+p.Writes, sum.Cost+p.Cost
	}
	if len(a.Points) != 24 || sum.Reads != 10 || sum.Writes != 4 || math.Abs(sum.Cost-a.Totals.Cost) > 1e-12 || a.Totals.Cost <= 0 {
		t.Fatalf("%d points sum to %+v", len(a.Points), sum)
	}
	if a.Previous == nil || a.Previous.To != a.From || a.Previous.Totals.Reads != 0 {
		t.Fatalf("previous %+v", a.Previous)
	}
	if days := m.report("ada", ""); len(days.Points) != 30 || days.Totals.Reads != 10 || days.Previous != nil {
		t.Fatalf("by day: %d points, %+v", len(days.Points), days.Totals)
	}
}

func TestUsageIsForWhomItConcerns(t *testing.T) {
	m := newMetered(t, analytics.Probes{})
	m.den()
	m.ask("bob", "GET", "/v1/rooms/den/tables/tasks/rows", "")
	m.ask("vera", "GET", "/v1/rooms/den/tables/tasks/rows", "")
	bob, vera := m.user("bob").ID, m.user("vera").ID
	a := m.report("vera", "")
	if a.Totals.Reads != 2 || len(a.Users) != 1 || a.Users[0].User != vera {
		t.Fatalf("a viewer is told %+v of %+v", a.Totals, a.Users)
	}
	m.check([]request{
		{as: "vera", method: "GET", path: "/v1/rooms/den/analytics?user=" + bob, status: 403},
		{as: "vera", method: "GET", path: "/v1/rooms/den/analytics.csv?user=" + bob, status: 403},
		{as: "vera", method: "GET", path: "/v1/rooms/den/analytics?user=" + vera, status: 200, has: []string{`"reads":1`}},
		{as: "ada", method: "GET", path: "/v1/rooms/den/analytics?user=" + bob, status: 200, has: []string{`"reads":1`}},
		{as: "vera", method: "GET", path: "/v1/rooms/den/analytics.csv", status: 200, hasNot: []string{bob, vera}},
		{as: "eve", method: "GET", path: "/v1/rooms/den/analytics.csv", status: 404},
		{as: "bob", method: "PUT", path: "/v1/rooms/den/budget", body: `{"warn":1,"stop":2}`, status: 403},
	})
}

func TestCSVSumsToTheTotals(t *testing.T) {
	m := newMetered(t, analytics.Probes{})
	m.den()
	for _, who := range []string{"ada", "bob", "vera", "vera"} {
		m.ask(who, "GET", "/v1/rooms/den/tables/tasks/rows", "")
	}
	m.relayed()
	for _, who := range []string{"ada", "vera"} {
		table, err := csv.NewReader(strings.NewReader(m.ask(who, "GET", "/v1/rooms/den/analytics.csv?by=hour", ""))).ReadAll()
		must(t, err)
		sums := map[string]float64{}
		for _, line := range table[1:] {
			for i, name := range table[0] {
				if n, err := strconv.ParseFloat(line[i], 64); err == nil {
					sums[name] += n
				}
			}
		}
		a := m.report("ada", "?by=hour")
		if sums["reads"] != 4 || sums["writes"] != float64(a.Totals.Writes) || sums["commits"] != float64(a.Totals.Commits) {
			t.Errorf("as %s the table sums to %v, the totals are %+v", who, sums, a.Totals)
		}
	}
}

func TestBadRanges(t *testing.T) {
	m := newMetered(t, analytics.Probes{})
	m.den()
	for query, path := range map[string]string{
		"?by=week": "by", "?from=yesterday": "from", "?to=31.12.2026": "to", "?from=2026-11-02&to=2026-11-01": "to",
		"?from=2020-01-01&by=hour": "from", "?compare=yes": "compare", "?from=0001-01-01T00:00:00Z": "from", "?by=hour&from=2026-01-01&to=2026-01-02": "from",
	} {
		m.check([]request{{as: "ada", method: "GET", path: "/v1/rooms/den/analytics" + query, status: 400, has: []string{`"path":"` + path + `"`}}})
	}
}

func TestBudget(t *testing.T) {
	m := newMetered(t, analytics.Probes{})
	m.den()
	m.ask("vera", "GET", "/v1/rooms/den/tables/tasks/rows", "")
	m.relayed()
	if b := m.report("vera", "").Budget; b.State != "none" || b.Spent <= 0 {
		t.Fatalf("without a budget %+v: what was spent is told all the same", b)
	}
	m.check([]request{
		{as: "vera", method: "GET", path: "/v1/rooms/den/budget", status: 200, has: []string{`"state":"none"`}},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/budget", body: `{"warn":-1,"stop":2}`, status: 400, has: []string{`"path":"warn"`}},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/budget", body: `{"warn":3,"stop":2}`, status: 400},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/budget", body: `{"warn":1,"stop":2,"currency":"EUR"}`, status: 400},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/budget", body: `{"warn":0.0000001,"stop":2}`, status: 200, has: []string{`"stop":2`}},
	})
	m.relayed()
	if a := m.report("vera", ""); a.Budget.State != "ok" && a.Budget.State != "warned" {
		t.Fatalf("budget %+v", a.Budget)
	}
}

// A room that has used its budget up refuses what costs, and nothing else.
func TestSpentBudgetStopsWrites(t *testing.T) {
	w := newWorld(t)
	w.den()
	first := `{"commitId":"before","ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}`
	w.ask("bob", "POST", "/v1/rooms/den/commits", first)
	w.ask("ada", "PUT", "/v1/rooms/den/budget", `{"warn":0,"stop":0.0000001,"stopWrites":true}`)
	w.relayed()
	undo := fmt.Sprintf(`{"seq":%d}`, w.seq())
	w.guard.Forget(w.ulid("ada"))
	insert := `{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}`
	w.check([]request{
		{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: insert, status: 403, has: []string{"used up its budget"}},
		{as: "bob", method: "POST", path: "/v1/rooms/den/commits", body: first, status: 200, has: []string{`"before"`}}, // it was acknowledged before
		{as: "bob", method: "POST", path: "/v1/rooms/den/undo", body: undo, status: 403, has: []string{"used up its budget"}},
		{as: "eve", method: "POST", path: "/v1/rooms/den/commits", body: insert, status: 404, hasNot: []string{"budget"}},
		{as: "bob", method: "GET", path: "/v1/rooms/den/tables/tasks/rows", status: 200},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/members/zed", body: `{"role":"viewer"}`, status: 200, changes: true},
		{as: "ada", method: "PUT", path: "/v1/rooms/den/budget", body: `{"warn":0,"stop":1000,"stopWrites":true}`, status: 200},
	})
	w.guard.Forget(w.ulid("ada"))
	w.ask("bob", "POST", "/v1/rooms/den/commits", insert)
}

func TestHealthSaysWhatIsWrong(t *testing.T) {
	dead := int64(0)
	m := newMetered(t, analytics.Probes{
		Queue: func(context.Context) (queue.Counts, error) {
			return queue.Counts{Waiting: 4, Oldest: time.Hour, OldestKnown: dead > 0}, nil
		},
		Dead:        func(context.Context, string) (int64, error) { return dead, nil },
		Connections: func(context.Context, string) (int, error) { return 2, nil },
		LastSnapshot: func(context.Context, access.Principal, room.Ref) (time.Time, error) {
			return time.Now().Add(-48 * time.Hour), nil
		},
		Relayed: func(context.Context, string) (int64, error) { return 1, nil },
	})
	m.den()
	m.relayed()
	var h analytics.Health
	must(t, json.Unmarshal([]byte(m.ask("vera", "GET", "/v1/rooms/den/health", "")), &h))
	if h.Status != analytics.Warn || *h.Connections != 2 || *h.RelayLag != m.seq()-1 || h.Rows != 2 {
		t.Fatalf("health %+v", h)
	}
	dead = 3
	must(t, json.Unmarshal([]byte(m.ask("vera", "GET", "/v1/rooms/den/health", "")), &h))
	if h.Status != analytics.Bad {
		t.Fatalf("with dead letters the status is %s", h.Status)
	}
	for _, c := range h.Checks {
		if (c.Level == analytics.OK) != (c.Do == "") || c.What == "" {
			t.Errorf("check %+v", c)
		}
	}
}

// What cannot be found out is told, and hides nothing else.
func TestHealthOfAFailingProbe(t *testing.T) {
	m := newMetered(t, analytics.Probes{
		Dead:        func(context.Context, string) (int64, error) { return 0, errors.New("no table") },
		Connections: func(context.Context, string) (int, error) { return 2, nil },
	})
	m.den()
	var h analytics.Health
	must(t, json.Unmarshal([]byte(m.ask("ada", "GET", "/v1/rooms/den/health", "")), &h))
	if h.Status != analytics.Bad || h.Dead != nil || h.Connections == nil || !slices.ContainsFunc(h.Checks, func(c analytics.Check) bool {
		return c.ID == "dead" && c.Level == analytics.Bad && !strings.Contains(c.What+c.Do, "no table")
	}) {
		t.Fatalf("health %+v", h)
	}
}

// A room older than a day without a snapshot is not well.
func TestHealthWithoutASnapshot(t *testing.T) {
	m := newMetered(t, analytics.Probes{LastSnapshot: func(context.Context, access.Principal, room.Ref) (time.Time, error) { return time.Time{}, nil }})
	m.den()
	o := m.api.Analytics.(*analytics.Service).Options
	for days, want := range []analytics.Level{analytics.OK, analytics.OK, analytics.Warn} {
		o.Now = func() time.Time { return time.Now().AddDate(0, 0, days) }
		h, err := analytics.New(o).Health(t.Context(), access.Principal{User: m.user("ada")}, room.Ref{ID: "den"})
		must(t, err)
		if h.Status != want {
			t.Errorf("after %d days the status is %s: %+v", days, h.Status, h.Checks)
		}
	}
}

// Every way in which rows are returned counts them.
func TestWhatCountsAsReads(t *testing.T) {
	m := newMetered(t, analytics.Probes{})
	m.den() // tasks has a row
	for _, c := range []struct {
		name, method, path, body string
		reads                    int64
	}{
		{"list", "GET", "/tables/tasks/rows", "", 1},
		{"one row", "GET", "/tables/tasks/rows/t1", "", 1},
		{"SQL", "POST", "/sql", `{"sql":"select id from tasks union all select id from tasks"}`, 2},
		{"SQL of the past", "POST", "/sql", `{"sql":"select id from tasks","atSeq":` + strconv.FormatInt(m.seq(), 10) + `}`, 1},
		{"differences", "GET", "/diff?from=1&to=now", "", 1},
		{"history", "GET", "/tables/tasks/rows/t1/history", "", 1},
		{"export", "GET", "/export?format=ndjson", "", 1},
		{"schema", "GET", "/schema", "", 0},
		{"log", "GET", "/log?since=0", "", 0},
		{"analytics", "GET", "/analytics", "", 0},
		{"what is not there", "GET", "/tables/tasks/rows/none", "", 0},
	} {
		before := m.report("ada", "").Totals.Reads
		out := m.send(request{as: "vera", method: c.method, path: "/v1/rooms/den" + c.path, body: c.body})
		if out.Code >= 400 && out.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", c.name, out.Code, out.Body)
		}
		if got := m.report("ada", "").Totals.Reads - before; got != c.reads {
			t.Errorf("%s counted %d reads, want %d", c.name, got, c.reads)
		}
	}
}
