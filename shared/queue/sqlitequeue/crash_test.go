package sqlitequeue_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/queuetest"
)

// crashRounds is 5, or what NANO_TEST_CRASH_ROUNDS says.
func crashRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("NANO_TEST_CRASH_ROUNDS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("NANO_TEST_CRASH_ROUNDS: %v", err)
	}
	return n
}

// job is what children said of a message.
type job struct {
	sent, deleting, deleted bool
	receives                map[int]int // by count: how often it was told
	dead                    bool
}

// said is what children said, over all rounds of a test.
type said struct {
	jobs   map[string]*job
	lines  int
	died   int
	rounds int
}

func newSaid() *said { return &said{jobs: map[string]*job{}} }

// hear takes down one line. The last line of a killed child may be cut.
func (s *said) hear(t *testing.T, line string) {
	t.Helper()
	var what, body string
	var count int
	if n, _ := fmt.Sscan(line, &what, &body, &count); n < 2 || (what == "live" || what == "dead") && n < 3 {
		return
	}
	j := s.jobs[body]
	if what == "sending" {
		s.jobs[body] = &job{receives: map[int]int{}}
		return
	}
	if j == nil {
		t.Fatalf("%q was never sent", line)
	}
	switch what {
	case "sent":
		j.sent = true
	case "live":
		j.receives[count]++
		if j.deleted || j.dead || count > queuetest.MaxReceives || j.receives[count] > 1 {
			t.Errorf("%s: deleted %v, dead %v, receives %v", line, j.deleted, j.dead, j.receives)
		}
	case "dead":
		if !j.dead {
			s.died++
		}
		if j.dead = true; j.deleted {
			t.Errorf("%s came after its delete", line)
		}
	case "deleting":
		j.deleting = true
	case "deleted":
		j.deleted = true
	}
}

// round runs a child until it ends, killing it after limit lines.
func (s *said) round(t *testing.T, folder string, limit int, env ...string) {
	t.Helper()
	s.rounds++
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(append(os.Environ(), childFolder+"="+folder), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		s.hear(t, lines.Text())
		s.lines++
		if n == limit {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 || complaints.Len() > 0 {
		t.Fatalf("the child ended with %v: %s", err, complaints.String())
	}
}

// TestKilledAtRandom kills a working child again and again over one folder.
func TestKilledAtRandom(t *testing.T) {
	folder, all := t.TempDir(), newSaid()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range crashRounds(t) {
		if all.round(t, folder, 1+random.IntN(1000)); t.Failed() {
			t.Fatalf("round %d, seed %d", round, seed)
		}
	}
	if all.verify(t, folder); t.Failed() {
		t.Fatalf("seed %d", seed)
	}
}

// verify handles what the killed children left: no job that was sent is lost,
// none comes back after its delete, and each poisonous one died after exactly
// five receives. A kill hides those between the receive and its line, at most
// three of each of two workers.
func (s *said) verify(t *testing.T, folder string) {
	t.Helper()
	o := openQueues(t, folder)
	defer o.close(t)
	jobs, failed := o.queue(t, living), o.queue(t, dead)
	for s.drain(t, "live", jobs)+s.drain(t, "dead", failed) > 0 {
	}
	untold := 0
	for body, j := range s.jobs {
		poison := body[0] == 'p'
		switch {
		case j.sent && !j.deleting:
			t.Errorf("%s is lost: %+v", body, *j)
		case poison && j.deleting && !j.dead:
			t.Errorf("%s was deleted without being dead", body)
		case poison && j.dead:
			untold += queuetest.MaxReceives - len(j.receives)
		}
	}
	if most := 6 * s.rounds; untold > most {
		t.Errorf("%d receives of the dead were told to nobody; %d kills hide at most %d", untold, s.rounds, most)
	}
	if s.died == 0 || s.lines < 2*crashRounds(t) {
		t.Errorf("%d jobs died, the children said %d lines", s.died, s.lines)
	}
}

// drain works like a child, without waiting.
func (s *said) drain(t *testing.T, where string, q queue.Queue) (handled int) {
	t.Helper()
	for {
		messages, err := q.Receive(t.Context(), queue.Request{Max: queue.MaxBatch, Visibility: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) == 0 {
			return handled
		}
		for _, m := range messages {
			handled++
			s.hear(t, fmt.Sprintf("%s %s %d", where, m.Body, m.Receives))
			if where == "live" && m.Body[0] == 'p' {
				err = q.Extend(t.Context(), queue.Extension{Receipt: m.Receipt})
			} else {
				s.hear(t, "deleting "+m.Body)
				err = q.Delete(t.Context(), m.Receipt)
				s.hear(t, "deleted "+m.Body)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}
