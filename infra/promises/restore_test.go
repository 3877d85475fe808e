package promises

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/backup"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/job"
	"nanotypedb/shared/room"
)

// Promises 5 and 6: a rollback is atomic for readers while others write, its
// undo brings back the exact state before it, and a snapshot restored elsewhere
// gives equal exports; whatever is killed when.

func restorePoints() []faultpoint.Name {
	return slices.Concat(backup.RestorePoints, room.LoadPoints,
		[]faultpoint.Name{backup.PointImageKept, backup.PointSnapRecorded, job.PointSent, job.PointKept, job.PointClaimed, job.PointStepped, job.PointSaved, job.PointUntidy})
}

// ringSize is how many rows always have the same title: each commit of a
// writer, and each restore, gives all of them another.
const ringSize = 30

type restoreTest struct {
	t    *testing.T
	data string
	ada  *person
	life int
	rnd  *rand.Rand
	seq  int64  // to go back to
	then string // its export
}

func newRestoreTest(t *testing.T, seed uint64) *restoreTest {
	t.Helper()
	s := &restoreTest{t: t, data: filepath.Join(t.TempDir(), "data"), rnd: rand.New(rand.NewPCG(seed, 5))}
	p := launch(t, s.data)
	defer p.kill()
	s.ada = p.signIn(t, "ada")
	s.ada.room(t, "den")
	ops := make([]any, ringSize)
	for i := range ops {
		ops[i] = insertTask(fmt.Sprintf("row-%02d", i), "at first")
	}
	var done commit
	if err := s.ada.call(t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": ops}, &done); err != nil {
		t.Fatal(err)
	}
	s.seq, s.then = done.Seq, s.export(s.ada, "den")
	return s
}

func (s *restoreTest) as(p *process) *person {
	who := *s.ada
	who.addr = p.addr
	return &who
}

func (s *restoreTest) export(who *person, id string) string {
	s.t.Helper()
	return string(who.file(s.t, "/v1/rooms/"+id+"/export?format=ndjson&meta=1"))
}

func turn(title string) []any {
	ops := make([]any, ringSize)
	for i := range ops {
		ops[i] = map[string]any{"op": "update", "table": "tasks", "id": fmt.Sprintf("row-%02d", i), "set": map[string]string{"title": title}}
	}
	return ops
}

// write turns the ring until the process dies or stop is closed.
func (s *restoreTest) write(who *person, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		err := who.call(s.t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": turn(fmt.Sprintf("%d-%d", s.life, n))}, nil)
		if refused(err) {
			s.t.Errorf("commit refused: %v", err)
		}
		if err != nil {
			return
		}
	}
}

// look reads the ring and checks that it is whole.
func (s *restoreTest) look(ctx context.Context, who *person) error {
	var list struct{ Rows []struct{ ID, Title string } }
	if err := who.call(ctx, "GET", "/v1/rooms/den/tables/tasks/rows?limit=100", nil, &list); err != nil {
		return err
	}
	for _, row := range list.Rows {
		if len(list.Rows) != ringSize || row.Title != list.Rows[0].Title {
			s.t.Errorf("a read sees something between before and after: %v", list.Rows)
			return nil
		}
	}
	return nil
}

func (s *restoreTest) read(who *person, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := s.look(s.t.Context(), who); err != nil {
			if refused(err) {
				s.t.Errorf("read refused: %v", err)
			}
			return
		}
	}
}

type restoredOnTheWire struct {
	Seq  int64
	Job  string
	Room string
}

// round restores while one writes and one reads, until the process dies.
func (s *restoreTest) round(point faultpoint.Name, hit int) {
	s.t.Helper()
	s.life++
	marker := filepath.Join(filepath.Dir(s.data), fmt.Sprintf("marker-%d", s.life))
	var env []string
	if point != "" {
		env = []string{"NANO_FAULT_POINT=" + string(point), "NANO_FAULT_MARKER=" + marker, fmt.Sprint("NANO_FAULT_HIT=", hit)}
	}
	p := launch(s.t, s.data, env...)
	if point == "" {
		timer := time.AfterFunc(time.Duration(s.rnd.IntN(1000))*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
	}
	s.restoreUntilDead(p)
	p.kill()
	if point != "" && readMarker(s.t, marker) != string(point) {
		s.t.Fatalf("life %d ended without reaching %s; stderr:\n%s", s.life, point, p.stderr)
	}
	s.verify()
}

func (s *restoreTest) restoreUntilDead(p *process) {
	if !p.alive() {
		return
	}
	who, stop := s.as(p), make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { s.write(who, stop) })
	others.Go(func() { s.read(who, stop) })
	defer others.Wait()
	defer close(stop)
	for n := range 30 {
		if !s.restoreOnce(who, n) {
			return
		}
	}
}

// restoreOnce goes back, undoes that, restores elsewhere, and fails to. It is
// false when the process is dead.
func (s *restoreTest) restoreOnce(who *person, n int) bool {
	var done restoredOnTheWire
	calls := []struct {
		path  string
		body  map[string]any
		fails bool
	}{
		{"restore", map[string]any{"seq": s.seq}, false},
		{"undo", map[string]any{"force": true}, false},
		{"restore", map[string]any{"seq": s.seq, "into": map[string]string{"id": fmt.Sprintf("copy-%d-%d", s.life, n), "name": "copy"}}, false},
		{"restore", map[string]any{"seq": s.seq, "into": map[string]string{"id": "den", "name": "taken"}}, true},
	}
	for _, c := range calls {
		if c.path == "undo" {
			if done.Seq == 0 {
				continue
			}
			c.body["seq"] = done.Seq
		}
		done = restoredOnTheWire{}
		err := who.call(s.t.Context(), "POST", "/v1/rooms/den/"+c.path, c.body, &done)
		switch {
		case refused(err) != c.fails && (err == nil || refused(err)):
			s.t.Errorf("%s of %v: %v", c.path, c.body, err)
		case err != nil && !refused(err):
			return false
		}
	}
	return true
}

// verify opens the data again: the room is whole, and every room that is there
// has all that was restored into it once the jobs have ended.
func (s *restoreTest) verify() {
	s.t.Helper()
	p := launch(s.t, s.data)
	defer p.kill()
	who := s.as(p)
	if err := s.look(s.t.Context(), who); err != nil {
		s.t.Fatal(err)
	}
	ended := s.life == 1
	if ended {
		s.jobsEnd(who)
	}
	var list struct{ Rooms []struct{ ID string } }
	if err := who.call(s.t.Context(), "GET", "/v1/rooms?limit=1000", nil, &list); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range list.Rooms {
		if r.ID == "den" {
			continue
		}
		if got := s.export(who, r.ID); got != s.then && (ended || got != "") {
			s.t.Errorf("room %s exports\n%s, the room it was restored from\n%s", r.ID, got, s.then)
		}
	}
	s.undone(who)
}

// undone goes back and undoes that, with nobody else there.
func (s *restoreTest) undone(who *person) {
	s.t.Helper()
	before := s.export(who, "den")
	var done restoredOnTheWire
	if err := who.call(s.t.Context(), "POST", "/v1/rooms/den/restore", map[string]any{"seq": s.seq}, &done); err != nil {
		s.t.Fatal(err)
	}
	if got := s.export(who, "den"); got != s.then {
		s.t.Errorf("restored it exports\n%s, and was\n%s", got, s.then)
	}
	if err := who.call(s.t.Context(), "POST", "/v1/rooms/den/undo", map[string]any{"seq": done.Seq}, nil); err != nil {
		if s.life == 1 { // else a job of an earlier life may have come between
			s.t.Fatal(err)
		}
		return
	}
	if got := s.export(who, "den"); got != before && s.life == 1 {
		s.t.Errorf("undone it exports\n%s, and was\n%s", got, before)
	}
}

// jobsEnd waits until whatever was interrupted has gone on by itself.
func (s *restoreTest) jobsEnd(who *person) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 60*time.Second)
	defer cancel()
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		var list struct {
			Jobs []struct{ ID, State string }
		}
		if err := who.call(ctx, "GET", "/v1/rooms/den/jobs?limit=1000", nil, &list); err != nil {
			s.t.Fatal(err)
		}
		left := 0
		for _, j := range list.Jobs {
			if !job.State(j.State).Final() {
				left++
			}
		}
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
			text, _ := json.Marshal(list)
			s.t.Fatalf("%d jobs do not end: %s", left, text)
		case <-retry.C:
		}
	}
}

func TestRestoresSurviveKillAtEachFaultPoint(t *testing.T) {
	for _, point := range restorePoints() {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			s := newRestoreTest(t, 12)
			for range fewRounds() {
				s.round(point, 1+s.rnd.IntN(2))
			}
		})
	}
}

func TestRestoresSurviveKillAtRandom(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newRestoreTest(t, seed)
	for range fewRounds() {
		s.round("", 0)
	}
}
