package promises

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/faultpoint"
)

// usageFigures is what of a report is compared.
type usageFigures struct {
	Reads, Writes, AI, Commits int64
	Cost                       float64
}

type usageReport struct {
	Points []usageFigures
	Totals usageFigures
	Users  []struct {
		User string
		usageFigures
	}
}

func (w *person) usage(t *testing.T, room string) (r usageReport) {
	t.Helper()
	if err := w.call(t.Context(), "GET", "/v1/rooms/"+room+"/analytics", nil, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// counted waits until the relay has counted so many commits.
func (w *person) counted(t *testing.T, room string, commits int64) usageReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r := w.usage(t, room)
		if r.Totals.Commits >= commits {
			return r
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute %d of %d commits are counted", r.Totals.Commits, commits)
		case <-tick.C:
		}
	}
}

// usageCSV sums the columns of the report as a table.
func (w *person) usageCSV(t *testing.T, room string) map[string]float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.addr+"/v1/rooms/"+room+"/analytics.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %s, %v", resp.Status, text, err)
	}
	table, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{}
	for _, line := range table[1:] {
		for i, name := range table[0] {
			if n, err := strconv.ParseFloat(line[i], 64); err == nil {
				sums[name] += n
			}
		}
	}
	return sums
}

// day is a scripted day of one room: what was done, and what that must count.
type day struct {
	t    *testing.T
	room string
	n    int // rows made so far
	want usageFigures
}

// shift is one life of the runner: two people write, read and search, commits
// are repeated as clients do that got no answer, and the runner is killed.
func (d *day) shift(p *process, ada, bob *person) {
	t := d.t
	for range 5 {
		d.n++
		commit := map[string]any{"commitId": fmt.Sprintf("day-%d", d.n), "ops": []any{
			insertTask(fmt.Sprintf("row-%d", d.n), fmt.Sprintf("text number %d", d.n)),
			map[string]any{"op": "update", "table": "tasks", "id": fmt.Sprintf("row-%d", d.n), "set": map[string]any{"status": "completed"}},
		}}
		for range 3 { // the same commit again and again is one
			if err := bob.call(t.Context(), "POST", "/v1/rooms/"+d.room+"/commits", commit, nil); err != nil {
				t.Fatal(err)
			}
		}
		d.want.Commits, d.want.Writes, d.want.AI = d.want.Commits+1, d.want.Writes+2, d.want.AI+1
	}
	for range 4 {
		d.want.Reads += int64(len(ada.rows(t, d.room, "tasks")))
	}
	ada.settled(t, d.room, d.n)
	var found struct{ Results []any }
	search := map[string]any{"query": fmt.Sprintf("a question of life %d", d.n), "mode": "semantic", "k": 3}
	if err := ada.call(t.Context(), "POST", "/v1/rooms/"+d.room+"/search", search, &found); err != nil {
		t.Fatal(err)
	}
	d.want.AI, d.want.Reads = d.want.AI+1, d.want.Reads+int64(len(found.Results))
	var answer struct{ Rows []any }
	if err := ada.call(t.Context(), "POST", "/v1/rooms/"+d.room+"/sql", map[string]any{"sql": "select id from tasks limit 7"}, &answer); err != nil {
		t.Fatal(err)
	}
	d.want.Reads += int64(len(answer.Rows))
	d.undoTwice(bob)
	ada.counted(t, d.room, d.want.Commits)
	p.kill()
}

// undoTwice takes the last commit back and forth: both are writes, and embed nothing anew.
func (d *day) undoTwice(who *person) {
	d.t.Helper()
	log := who.log(d.t, d.room)
	seq := log[len(log)-1].Seq
	for range 2 {
		var undone struct {
			Seq int64
			Ops []any
		}
		if err := who.call(d.t.Context(), "POST", "/v1/rooms/"+d.room+"/undo", map[string]any{"seq": seq}, &undone); err != nil {
			d.t.Fatal(err)
		}
		seq = undone.Seq
		d.want.Commits, d.want.Writes = d.want.Commits+1, d.want.Writes+int64(len(undone.Ops))
	}
}

// TestADayIsCountedExactly plays days of mixed work with crashes of the runner, also between the counting and the
// watermark, and compares every figure.
func TestADayIsCountedExactly(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := launch(t, data)
	ada, bob := p.signIn(t, "ada"), p.signIn(t, "bob")
	ada.makeRoom(t, "day")
	if err := ada.call(t.Context(), "PUT", "/v1/rooms/day/members/"+bob.id, map[string]string{"role": "editor"}, nil); err != nil {
		t.Fatal(err)
	}
	d := &day{t: t, room: "day", want: usageFigures{Commits: 2}}
	for range 4 {
		d.shift(p, ada, bob)
		p = launch(t, data)
		ada, bob = p.signIn(t, "ada"), p.signIn(t, "bob")
	}
	r := ada.counted(t, "day", d.want.Commits)
	cost := r.Totals.Cost
	r.Totals.Cost = 0
	if r.Totals != d.want {
		t.Errorf("counted %+v, did %+v", r.Totals, d.want)
	}
	if len(r.Users) != 3 { // and the system
		t.Errorf("counted for %+v", r.Users)
	}
	for _, u := range r.Users {
		if u.User == bob.id && (u.Writes != d.want.Writes || u.Reads != 0) || u.User == ada.id && u.Reads != d.want.Reads {
			t.Errorf("counted for %s: %+v", u.User, u.usageFigures)
		}
	}
	sums := ada.usageCSV(t, "day")
	if sums["reads"] != float64(d.want.Reads) || sums["writes"] != float64(d.want.Writes) || sums["ai"] != float64(d.want.AI) || sums["commits"] != float64(d.want.Commits) {
		t.Errorf("the table sums to %v, want %+v", sums, d.want)
	}
	// Meanwhile some requests were answered, which cost a little.
	if cost <= 0 || sums["cost"] < cost || sums["cost"] > cost*1.05 {
		t.Errorf("the table's cost sums to %v, the card says %v", sums["cost"], cost)
	}
	p.kill()
}

// TestWritesAgreeWithTheLogWhereverTheRelayIsKilled recounts the log after crashes at each step of the relay.
func TestWritesAgreeWithTheLogWhereverTheRelayIsKilled(t *testing.T) {
	t.Parallel()
	for _, point := range relay.Points {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			for life := range fewRounds() {
				killRelay(t, data, point, life)
			}
			p := launch(t, data)
			defer p.kill()
			ada := p.signIn(t, "ada")
			commits, writes := int64(0), int64(0)
			for _, c := range ada.log(t, "den") {
				commits++
				for _, op := range c.Ops {
					if op.Op == "insert" || op.Op == "update" || op.Op == "delete" {
						writes++
					}
				}
			}
			if r := ada.counted(t, "den", commits); r.Totals.Commits != commits || r.Totals.Writes != writes {
				t.Errorf("counted %d commits and %d writes, the log has %d and %d", r.Totals.Commits, r.Totals.Writes, commits, writes)
			}
		})
	}
}

// killRelay runs a runner that dies at a point, writing until then.
func killRelay(t *testing.T, data string, point faultpoint.Name, life int) {
	t.Helper()
	marker := filepath.Join(filepath.Dir(data), fmt.Sprintf("marker-%d", life))
	p := launch(t, data, "NANO_FAULT_POINT="+string(point), "NANO_FAULT_MARKER="+marker, fmt.Sprintf("NANO_FAULT_HIT=%d", 1+life%3))
	if !p.alive() {
		return
	}
	who, err := p.trySignIn(t.Context(), "ada")
	for n := 0; err == nil && n < 10_000; n++ {
		if n == 0 && life == 0 {
			err = who.call(t.Context(), "POST", "/v1/rooms", map[string]string{"id": "den", "name": "den"}, nil)
			continue
		}
		op := insertTask(fmt.Sprintf("row-%d-%d", life, n), "a text")
		err = who.call(t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": []any{op}}, nil)
		if refused(err) {
			t.Fatal(err)
		}
	}
	p.kill()
	if got := readMarker(t, marker); got != string(point) {
		t.Fatalf("life %d ended without reaching %s (%q)", life, point, got)
	}
}

// trySignIn is signIn of a runner that may be dying.
func (p *process) trySignIn(ctx context.Context, name string) (*person, error) {
	who := &person{addr: p.addr, http: &http.Client{Timeout: 20 * time.Second}}
	var answer struct {
		Token string
		User  struct{ ID string }
	}
	err := who.call(ctx, "POST", "/v1/dev/session", map[string]string{"name": name}, &answer)
	who.token, who.id = answer.Token, answer.User.ID
	return who, err
}
