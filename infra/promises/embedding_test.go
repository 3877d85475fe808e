package promises

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/functions/relay"
	"nanotypedb/infra/local"
	"nanotypedb/shared/embedder/flakyembed"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/queue/sqlitequeue"
)

// Promise 2: every embeddable text ends indexed, or failed after its job went
// through the dead-letter queue after exactly 5 receives, with its error
// readable; a retry from there works.

// embedEnv makes a runner embed by a scripted server and try again soon.
func embedEnv(url string) []string {
	return []string{
		"NANO_EMBEDDER=openai", "NANO_EMBEDDER_URL=" + url, "NANO_EMBEDDER_MODEL=" + flakyembed.Model, "NANO_EMBEDDER_DIM=8",
		"NANO_EMBEDDER_TIMEOUT=1s", "NANO_BACKOFF_BASE=20ms",
	}
}

// failedJob and queueStatus are what the API says of a room's jobs.
type failedJob struct {
	ID, Table, Row, Class, Error string
	Attempts                     int
	Dead                         bool
}

type queueStatus struct {
	Deployment struct{ Waiting, InFlight, Delayed int }
	Dead       int
	Index      struct {
		Rows, Indexed, Pending, Failed int
		Model                          string
	}
	Failed []failedJob
}

func (w *person) queue(ctx context.Context, room string) (s queueStatus, err error) {
	err = w.call(ctx, "GET", "/v1/rooms/"+room+"/queue?limit=200", nil, &s)
	return s, err
}

// quiet tells whether nobody tries a job any more.
func (s *queueStatus) quiet() bool {
	alive := slices.ContainsFunc(s.Failed, func(f failedJob) bool { return !f.Dead })
	return s.Deployment.Waiting+s.Deployment.InFlight+s.Deployment.Delayed == 0 && !alive && s.Dead == len(s.Failed)
}

// settled waits until a room has so many rows and none is pending.
func (w *person) settled(t *testing.T, room string, rows int) queueStatus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := w.queue(ctx, room)
		if err == nil && s.Index.Pending == 0 && s.Index.Rows == rows && s.Index.Failed == s.Dead && s.quiet() {
			return s
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after a minute: %+v, %v; want %d rows", s, err, rows)
		case <-tick.C:
		}
	}
}

func (w *person) retryAll(t *testing.T, room string) (retried int) {
	t.Helper()
	var answer struct{ Retried int }
	if err := w.call(t.Context(), "POST", "/v1/rooms/"+room+"/queue/retry", map[string]any{"all": true}, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Retried
}

func (w *person) insertAll(t *testing.T, room string, texts ...string) {
	t.Helper()
	var ops []any
	for _, text := range texts {
		ops = append(ops, insertTask(strings.ReplaceAll(text, " ", "-"), text))
	}
	if err := w.call(t.Context(), "POST", "/v1/rooms/"+room+"/commits", map[string]any{"ops": ops}, nil); err != nil {
		t.Fatal(err)
	}
}

func (w *person) makeRoom(t *testing.T, room string) {
	t.Helper()
	if err := w.call(t.Context(), "POST", "/v1/rooms", map[string]string{"id": room, "name": room}, nil); err != nil {
		t.Fatal(err)
	}
}

// first answers the first n requests for a text in a way, and then well.
func first(text string, n int, answer flakyembed.Answer) flakyembed.Script {
	var asked atomic.Int64
	return func(_ int, texts []string) flakyembed.Answer {
		if !slices.Contains(texts, text) || asked.Add(1) > int64(n) {
			return nil
		}
		return answer
	}
}

const always = 1 << 30

func TestWhateverTheModelDoesATextEndsIndexedOrFailed(t *testing.T) {
	t.Parallel()
	const text = "what it is about"
	infinite := "1" + strings.Repeat("0", 400)
	for _, c := range []struct {
		name   string
		times  int
		answer flakyembed.Answer
		asked  int    // in all, before a retry
		class  string // of the failure; empty: it is indexed
		says   string
	}{
		{"answers well", 0, nil, 1, "", ""},
		{"fails at first", 2, flakyembed.Status(http.StatusInternalServerError, "oops"), 3, "", ""},
		{"fails four times", 4, flakyembed.Status(http.StatusServiceUnavailable, "oops"), 5, "", ""},
		{"fails always", always, flakyembed.Status(http.StatusInternalServerError, "oops"), 5, "unavailable", "status 500"},
		{"breaks off", always, flakyembed.Cut, 5, "unavailable", "broke off"},
		{"hangs once", 1, flakyembed.Hang, 2, "", ""},
		{"hangs always", always, flakyembed.Hang, 5, "unavailable", "did not answer within 1s"},
		{"is busy at first", 2, flakyembed.Throttle(0), 3, "", ""},
		{"wants a rest", 1, flakyembed.Throttle(time.Second), 2, "", ""},
		{"answers with a wrong size", always, flakyembed.Embedding(text, "[1,2,3]"), 5, "wrong_answer", "3 components instead of 8"},
		{"answers with NaN", always, flakyembed.Embedding(text, `[NaN,1,1,1,1,1,1,1]`), 5, "wrong_answer", ""},
		{"answers with infinity", always, flakyembed.Embedding(text, `[`+infinite+`,1,1,1,1,1,1,1]`), 5, "wrong_answer", ""},
		{"answers with nothing", always, flakyembed.Embedding(text, `[0,0,0,0,0,0,0,0]`), 5, "wrong_answer", "direction"},
		{"answers with a page", always, flakyembed.Body("<html>"), 5, "wrong_answer", ""},
		{"refuses", always, flakyembed.Status(http.StatusBadRequest, "not this one"), 1, "refused", "not this one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := flakyembed.Start(t, 8)
			server.Use(first(text, c.times, c.answer))
			p := launch(t, filepath.Join(t.TempDir(), "data"), embedEnv(server.URL)...)
			ada := p.signIn(t, "ada")
			ada.makeRoom(t, "plans")
			ada.insertAll(t, "plans", text)
			s := ada.settled(t, "plans", 1)
			if got := server.Asked(text); got != c.asked {
				t.Errorf("asked for %d times, want %d", got, c.asked)
			}
			if c.class == "" {
				if s.Index.Indexed != 1 || len(s.Failed) != 0 {
					t.Errorf("%+v, want it indexed", s)
				}
				return
			}
			checkHeals(t, server, ada, s, text, c.class, c.says)
		})
	}
}

// checkHeals checks that the only text of a room failed as it should, and that
// a retry mends it.
func checkHeals(t *testing.T, server *flakyembed.Server, who *person, s queueStatus, text, class, says string) {
	t.Helper()
	if s.Index.Failed != 1 || len(s.Failed) != 1 {
		t.Fatalf("%+v, want it failed", s)
	}
	if f := s.Failed[0]; !f.Dead || f.Attempts != indexing.MaxReceives || f.Class != class || !strings.Contains(f.Error, says) || f.Error == "" {
		t.Errorf("failed as %+v, want class %s and an error with %q", f, class, says)
	}
	before := server.Asked(text)
	server.Use(nil)
	if got := who.retryAll(t, "plans"); got != 1 {
		t.Errorf("%d retried", got)
	}
	if s = who.settled(t, "plans", 1); s.Index.Indexed != 1 || len(s.Failed) != 0 {
		t.Errorf("after the retry: %+v", s)
	}
	if got := server.Asked(text) - before; got != 1 {
		t.Errorf("asked for %d times by the retry", got)
	}
}

func TestTextsOfAModelThatIsDownHealOnceItIsUp(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := launch(t, data, embedEnv("http://127.0.0.1:1/v1")...)
	ada := p.signIn(t, "ada")
	ada.makeRoom(t, "plans")
	var texts []string
	for i := range 25 {
		texts = append(texts, fmt.Sprintf("text %d", i))
	}
	ada.insertAll(t, "plans", texts...)
	s := ada.settled(t, "plans", len(texts))
	if s.Index.Failed != len(texts) {
		t.Errorf("%+v, want all failed", s.Index)
	}
	for _, f := range s.Failed {
		if !f.Dead || f.Attempts != indexing.MaxReceives || !strings.Contains(f.Error, "cannot be reached") {
			t.Errorf("failed as %+v", f)
		}
	}
	p.kill()
	server := flakyembed.Start(t, 8)
	p = launch(t, data, embedEnv(server.URL)...)
	ada.addr = p.addr
	if got := ada.retryAll(t, "plans"); got != len(texts) {
		t.Errorf("%d retried", got)
	}
	if s := ada.settled(t, "plans", len(texts)); s.Index.Indexed != len(texts) || len(s.Failed) != 0 {
		t.Errorf("after the retry: %+v", s)
	}
	for _, text := range texts {
		if got := server.Asked(text); got != 1 {
			t.Errorf("%q was asked for %d times", text, got)
		}
	}
}

// A bulk import asks a busy model for no more than it takes, and no job of it
// dies.
func TestAnImportOutlastsABusyModel(t *testing.T) {
	t.Parallel()
	server := flakyembed.Start(t, 8)
	var last atomic.Int64
	server.Use(func(int, []string) flakyembed.Answer { // a request each 20 ms
		now := time.Now().UnixMilli()
		if before := last.Load(); now-before < 20 || !last.CompareAndSwap(before, now) {
			return flakyembed.Throttle(0)
		}
		return nil
	})
	p := launch(t, filepath.Join(t.TempDir(), "data"), embedEnv(server.URL)...)
	ada := p.signIn(t, "ada")
	ada.makeRoom(t, "plans")
	var texts []string
	for i := range 500 {
		texts = append(texts, fmt.Sprintf("text %d", i))
	}
	ada.insertAll(t, "plans", texts...)
	if s := ada.settled(t, "plans", len(texts)); s.Index.Indexed != len(texts) {
		t.Errorf("%+v, want all indexed", s.Index)
	}
	asked := 0
	for _, text := range texts {
		asked += server.Asked(text)
	}
	t.Logf("%d requests for %d texts, %.1f times each", server.Requests(), len(texts), float64(asked)/float64(len(texts)))
	if asked > 6*len(texts) {
		t.Errorf("each text was asked for %.1f times", float64(asked)/float64(len(texts)))
	}
}

// embedCrash follows one data folder through many lives of the runner. Texts
// that begin with "bad" fail while broken is set.
type embedCrash struct {
	t      *testing.T
	data   string
	rnd    *rand.Rand
	server *flakyembed.Server
	broken atomic.Bool
	ada    *person
	life   int
	texts  []string // that are in the room for sure
	maybe  []string // whose commits were not answered
}

func newEmbedCrash(t *testing.T, seed uint64) *embedCrash {
	c := &embedCrash{t: t, data: filepath.Join(t.TempDir(), "data"), rnd: rand.New(rand.NewPCG(seed, 1)), server: flakyembed.Start(t, 8)}
	c.server.Use(func(_ int, texts []string) flakyembed.Answer {
		if c.broken.Load() && slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, "bad") }) {
			return flakyembed.Status(http.StatusInternalServerError, "oops")
		}
		return nil
	})
	p := launch(t, c.data, embedEnv(c.server.URL)...)
	c.ada = p.signIn(t, "ada")
	c.ada.makeRoom(t, "plans")
	p.kill()
	return c
}

// work writes, retries and indexes anew until the process dies.
func (c *embedCrash) work(p *process) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 40*time.Second)
	defer cancel()
	c.ada.addr = p.addr
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for n := 0; p.alive(); n++ {
		texts := []string{fmt.Sprintf("good %d %d", c.life, n)}
		if n < 3 {
			texts = append(texts, fmt.Sprintf("bad %d %d", c.life, n))
		}
		if n < 40 && c.commit(ctx, texts) != nil {
			return
		}
		var err error
		switch n % 80 { // jobs have time to die in between
		case 30, 45, 60, 75:
			err = c.ada.call(ctx, "POST", "/v1/rooms/plans/queue/retry", map[string]any{"all": true}, nil)
		case 79:
			err = c.ada.call(ctx, "POST", "/v1/rooms/plans/queue/reindex", map[string]any{"mode": "all"}, nil)
		}
		if err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Errorf("life %d did not end", c.life)
			return
		}
	}
}

func (c *embedCrash) commit(ctx context.Context, texts []string) error {
	var ops []any
	for _, text := range texts {
		ops = append(ops, insertTask(strings.ReplaceAll(text, " ", "-"), text))
	}
	err := c.ada.call(ctx, "POST", "/v1/rooms/plans/commits", map[string]any{"ops": ops}, nil)
	var refusal *problem
	switch {
	case err == nil:
		c.texts = append(c.texts, texts...)
	case !errors.As(err, &refusal) || !refused(err):
		c.maybe = append(c.maybe, texts...)
	default:
		c.t.Errorf("commit refused: %v", err)
	}
	return err
}

// verify lets the next life end what was begun: every text is indexed, or
// failed after exactly five receives; and a retry heals those.
func (c *embedCrash) verify() {
	c.t.Helper()
	p := launch(c.t, c.data, embedEnv(c.server.URL)...)
	defer p.kill()
	c.ada.addr = p.addr
	rows := c.ada.rows(c.t, "plans", "tasks")
	for _, text := range c.maybe {
		if _, there := rows[strings.ReplaceAll(text, " ", "-")]; there {
			c.texts = append(c.texts, text)
		}
	}
	c.maybe = nil
	if len(rows) != len(c.texts) {
		c.t.Fatalf("%d rows, want %d", len(rows), len(c.texts))
	}
	// What was killed between the parts of a retry is pending and has no job:
	// retrying is then still possible.
	c.ada.retryAll(c.t, "plans")
	s := c.ada.settled(c.t, "plans", len(c.texts))
	for _, f := range s.Failed {
		if !strings.HasPrefix(f.Row, "bad") || !f.Dead || f.Attempts != indexing.MaxReceives || !strings.Contains(f.Error, "status 500") {
			c.t.Errorf("failed as %+v", f)
		}
	}
	c.broken.Store(false)
	c.ada.retryAll(c.t, "plans")
	if s = c.ada.settled(c.t, "plans", len(c.texts)); s.Index.Indexed != len(c.texts) || len(s.Failed) != 0 {
		c.t.Errorf("after the retry: %+v", s)
	}
	for _, text := range c.texts {
		// Once, once more when the first request was for a bad text too, and
		// once more when it was killed before the vector was kept.
		if got := c.server.Asked(text); strings.HasPrefix(text, "good") && (got < 1 || got > 3) {
			c.t.Errorf("%q was asked for %d times", text, got)
		}
	}
}

// round is one life that ends at a fault point, or at random when it is empty.
func (c *embedCrash) round(point faultpoint.Name) {
	c.t.Helper()
	c.life++
	c.broken.Store(true)
	marker := filepath.Join(filepath.Dir(c.data), fmt.Sprintf("marker-%d", c.life))
	env := embedEnv(c.server.URL)
	if point != "" {
		env = append(env, "NANO_FAULT_POINT="+string(point), "NANO_FAULT_MARKER="+marker, fmt.Sprintf("NANO_FAULT_HIT=%d", 1+c.rnd.IntN(3)))
	}
	p := launch(c.t, c.data, env...)
	if point == "" {
		timer := time.AfterFunc(time.Duration(c.rnd.IntN(1500))*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
	}
	if p.alive() {
		c.work(p)
	}
	if point != "" {
		p.ends()
	}
	p.kill()
	if point != "" && readMarker(c.t, marker) != string(point) {
		c.t.Fatalf("life %d ended without reaching %s; stderr:\n%s", c.life, point, p.stderr)
	}
	c.verify()
}

func TestEveryTextEndsIndexedOrFailedWhereverTheRunnerIsKilled(t *testing.T) {
	for _, point := range slices.Concat(indexing.Points, embed.Points, relay.Points, local.Points, sqlitequeue.Points) {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			c := newEmbedCrash(t, 7)
			for range fewRounds() {
				c.round(point)
			}
		})
	}
}

func TestEveryTextEndsIndexedOrFailedWheneverTheRunnerIsKilled(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := newEmbedCrash(t, seed)
	for range fewRounds() {
		c.round("")
	}
}
