package promises

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
)

// A part of promise 6: a snapshot holds the room at one seq, whatever is
// written meanwhile and whatever is killed when; one that was acknowledged is
// there, and one that is listed is whole.

// snapshotPoints are the steps of a snapshot and of the job that takes it.
// Those of the upkeep need days to pass: shared/backup kills at each of them
// with a clock of its own.
func snapshotPoints() []faultpoint.Name {
	return slices.Concat([]faultpoint.Name{replica.PointKept, backup.PointImageKept, backup.PointSnapRecorded,
		job.PointSent, job.PointKept, job.PointClaimed, job.PointStepped, job.PointSaved}, dirblob.Points)
}

// snapshotTest is one room through many lives of the runner, with writers who
// always insert two rows at once.
type snapshotTest struct {
	t    *testing.T
	data string
	ada  *person
	life int
	rnd  *rand.Rand
}

func newSnapshotTest(t *testing.T, seed uint64) *snapshotTest {
	t.Helper()
	s := &snapshotTest{t: t, data: filepath.Join(t.TempDir(), "data"), rnd: rand.New(rand.NewPCG(seed, 4))}
	p := launch(t, s.data)
	defer p.kill()
	s.ada = p.signIn(t, "ada")
	s.ada.room(t, "den")
	return s
}

func (s *snapshotTest) as(p *process) *person {
	who := *s.ada
	who.addr = p.addr
	return &who
}

// write inserts pairs of rows until the process dies or stop is closed.
func (s *snapshotTest) write(who *person, writer int, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		pair := fmt.Sprintf("%d-%d-%d", s.life, writer, n)
		ops := []any{insertTask("left-"+pair, pair), insertTask("right-"+pair, pair)}
		err := who.call(s.t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": ops}, nil)
		if refused(err) {
			s.t.Errorf("commit refused: %v", err)
		}
		if err != nil {
			return
		}
	}
}

// snapshotOnTheWire is a snapshot, or the job that takes it.
type snapshotOnTheWire struct {
	ID   string
	Job  string
	Kind string
	Note string
	Seq  int64
	Rows int64
}

// round takes snapshots while others write, until the process dies at a point,
// and checks in a new life what is there.
func (s *snapshotTest) round(point faultpoint.Name, hit int) {
	s.t.Helper()
	s.life++
	marker := filepath.Join(filepath.Dir(s.data), fmt.Sprintf("marker-%d", s.life))
	var env []string
	if point != "" {
		env = []string{"NANO_FAULT_POINT=" + string(point), "NANO_FAULT_MARKER=" + marker, fmt.Sprint("NANO_FAULT_HIT=", hit)}
	}
	p := launch(s.t, s.data, env...)
	if point == "" {
		timer := time.AfterFunc(time.Duration(s.rnd.IntN(600))*time.Millisecond, func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
	}
	told := s.takeUntilDead(p)
	p.kill()
	if point != "" && readMarker(s.t, marker) != string(point) {
		s.t.Fatalf("life %d ended without reaching %s; stderr:\n%s", s.life, point, p.stderr)
	}
	s.verify(told)
}

// takeUntilDead gives the snapshots that were acknowledged.
func (s *snapshotTest) takeUntilDead(p *process) (told []snapshotOnTheWire) {
	if !p.alive() {
		return nil
	}
	who, stop := s.as(p), make(chan struct{})
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() { s.write(who, w, stop) })
	}
	defer writers.Wait()
	defer close(stop)
	for n := range 200 {
		var done snapshotOnTheWire
		err := who.call(s.t.Context(), "POST", "/v1/rooms/den/backups", map[string]string{"note": fmt.Sprintf("%d-%d", s.life, n)}, &done)
		if refused(err) {
			s.t.Errorf("snapshot refused: %v", err)
		}
		if err != nil {
			return told
		}
		if done.Job == "" {
			told = append(told, done)
		}
	}
	return told
}

// verify opens the data again: acknowledged snapshots are listed, each that is
// listed holds the room at its seq, and every job comes to an end.
func (s *snapshotTest) verify(told []snapshotOnTheWire) {
	s.t.Helper()
	p := launch(s.t, s.data)
	defer p.kill()
	who := s.as(p)
	listed := s.listed(who)
	for _, one := range told {
		if !slices.ContainsFunc(listed, func(l snapshotOnTheWire) bool { return l == one }) {
			s.t.Errorf("the acknowledged snapshot %+v is not listed", one)
		}
	}
	log := who.log(s.t, "den")
	for _, one := range listed[:min(len(listed), 3)] {
		s.whole(who, one, log)
	}
	if s.life == 1 {
		s.jobsEnd(who)
	}
}

func (s *snapshotTest) listed(who *person) []snapshotOnTheWire {
	s.t.Helper()
	var list struct{ Backups []snapshotOnTheWire }
	if err := who.call(s.t.Context(), "GET", "/v1/rooms/den/backups?limit=1000", nil, &list); err != nil {
		s.t.Fatal(err)
	}
	return list.Backups
}

// whole downloads a snapshot and compares it with what the log says up to its
// seq.
func (s *snapshotTest) whole(who *person, one snapshotOnTheWire, log []commit) {
	s.t.Helper()
	var got, want []string
	content := json.NewDecoder(bytes.NewReader(who.file(s.t, "/v1/rooms/den/backups/"+one.ID+"/download?format=ndjson")))
	for content.More() {
		var row struct{ ID, Title string }
		if err := content.Decode(&row); err != nil {
			s.t.Fatal(err)
		}
		got = append(got, row.ID+" "+row.Title)
	}
	for _, done := range log[:one.Seq] {
		for _, op := range done.Ops {
			if op.Op == "insert" {
				want = append(want, op.ID+" "+string(bytes.Trim(op.Row["title"], `"`)))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || int64(len(got)) != one.Rows {
		s.t.Errorf("snapshot %+v has %d rows, the log up to its seq %d", one, len(got), len(want))
	}
}

// jobsEnd waits until whatever was interrupted has gone on by itself.
func (s *snapshotTest) jobsEnd(who *person) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 45*time.Second)
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
			if j.State != "done" {
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

// file reads an answer that is no JSON, wherever it is.
func (w *person) file(t *testing.T, path string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v, %.300s", path, resp.Status, err, content)
	}
	return content
}

func TestSnapshotsSurviveKillAtEachFaultPoint(t *testing.T) {
	for _, point := range snapshotPoints() {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			s := newSnapshotTest(t, 11)
			for range fewRounds() {
				s.round(point, 1+s.rnd.IntN(3))
			}
		})
	}
}

func TestSnapshotsSurviveKillAtRandom(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newSnapshotTest(t, seed)
	for range fewRounds() {
		s.round("", 0)
	}
}
