package promises

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/queue/sqlitequeue"
)

// alertCrash follows one data folder through many lives of the runner, in
// which bob wants to hear of every row.
type alertCrash struct {
	t        *testing.T
	data     string
	rnd      *rand.Rand
	ada, bob *person
	life     int
	told     map[string]int // by row: how often bob heard of it
}

func newAlertCrash(t *testing.T, seed uint64) *alertCrash {
	c := &alertCrash{t: t, data: filepath.Join(t.TempDir(), "data"), rnd: rand.New(rand.NewPCG(seed, 1)), told: map[string]int{}}
	p := launch(t, c.data)
	c.ada, c.bob = p.signIn(t, "ada"), p.signIn(t, "bob")
	c.ada.makeRoom(t, "den")
	c.ada.must(t, "PUT", "/v1/rooms/den/members/"+c.bob.id, map[string]string{"role": "viewer"})
	c.bob.must(t, "PUT", "/v1/rooms/den/alerts/everything", map[string]any{"description": "anything at all", "threshold": 0})
	p.kill()
	return c
}

// hear counts what bob is told until his connection ends.
func (c *alertCrash) hear(s *socket) {
	_ = s.await(c.t.Context(), func(m message) bool { // it ends with the connection
		var params struct{ Row struct{ ID string } }
		if m.Method == "alert" && json.Unmarshal(m.Params, &params) == nil {
			c.told[params.Row.ID]++
		}
		return false
	})
}

// work writes rows until the process dies, and returns when bob's connection
// has ended with it.
func (c *alertCrash) work(p *process) {
	c.ada.addr, c.bob.addr = p.addr, p.addr
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	heard := make(chan struct{})
	s, err := c.bob.dial(ctx, "den")
	go func() {
		defer close(heard)
		if err == nil {
			c.hear(s)
		}
	}()
	for n := 0; ; n++ {
		ops := []any{insertTask(fmt.Sprintf("row-%d-%d", c.life, n), fmt.Sprintf("the text of row %d in life %d", n, c.life))}
		if c.ada.call(ctx, "POST", "/v1/rooms/den/commits", map[string]any{"ops": ops}, nil) != nil {
			break
		}
	}
	if ctx.Err() != nil {
		c.t.Errorf("life %d did not end", c.life)
		p.kill()
	}
	<-heard
}

// verify lets another life end what was begun: bob's inbox has each row once,
// and he was not told of any row twice.
func (c *alertCrash) verify() {
	c.t.Helper()
	p := launch(c.t, c.data)
	defer p.kill()
	c.ada.addr, c.bob.addr = p.addr, p.addr
	rows := c.ada.rows(c.t, "den", "tasks")
	c.ada.settled(c.t, "den", len(rows))
	inbox := c.bob.inbox(c.t, "den")
	for id := range rows {
		if inbox[id] != 1 || c.told[id] > 1 {
			c.t.Errorf("row %s is in the inbox %d times and was told %d times", id, inbox[id], c.told[id])
		}
	}
	if len(inbox) != len(rows) {
		c.t.Errorf("the inbox is about %d rows of %d", len(inbox), len(rows))
	}
}

// inbox counts the entries of somebody's whole inbox by row.
func (w *person) inbox(t *testing.T, room string) map[string]int {
	t.Helper()
	count := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Items  []struct{ RowID string }
			Cursor string
		}
		if err := w.call(t.Context(), "GET", "/v1/rooms/"+room+"/alerts/inbox?limit=200&cursor="+cursor, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			count[item.RowID]++
		}
		if cursor = page.Cursor; cursor == "" {
			return count
		}
	}
}

func (c *alertCrash) round(point faultpoint.Name) {
	c.t.Helper()
	c.life++
	marker := filepath.Join(filepath.Dir(c.data), fmt.Sprintf("marker-%d", c.life))
	var env []string
	if point != "" {
		env = []string{"NANO_FAULT_POINT=" + string(point), "NANO_FAULT_MARKER=" + marker, fmt.Sprintf("NANO_FAULT_HIT=%d", 1+c.rnd.IntN(5))}
	}
	p := launch(c.t, c.data, env...)
	if point == "" {
		timer := time.AfterFunc(time.Duration(c.rnd.IntN(300))*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
	}
	if p.alive() {
		c.work(p)
	}
	p.kill()
	if point != "" && readMarker(c.t, marker) != string(point) {
		c.t.Fatalf("life %d ended without reaching %s; stderr:\n%s", c.life, point, p.stderr)
	}
	c.verify()
}

// An alert is in the inbox once for each row, and told at most once, whatever
// is killed when.
func TestAlertsComeOnceWhereverTheRunnerIsKilled(t *testing.T) {
	for _, point := range []faultpoint.Name{
		alert.PointKept, embed.PointTold, indexing.PointStored, indexing.PointAppended, sqlitequeue.PointAfterReceive, "",
	} {
		t.Run("at "+string(point), func(t *testing.T) {
			t.Parallel()
			c := newAlertCrash(t, 11)
			for range fewRounds() {
				c.round(point)
			}
		})
	}
}
