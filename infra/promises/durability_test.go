package promises

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/functions/relay"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store/sqlitestore"
)

// Promise 1: an acknowledged commit is never lost and never applied twice,
// whatever is killed when.

// attempt is one commit that a writer asked for.
type attempt struct {
	room, commitID, row, title string
	seq                        int64 // of the acknowledgement; 0: the outcome is unknown
}

// ops are the operations of an attempt, so that it can be sent again.
func (a attempt) request() map[string]any {
	return map[string]any{"commitId": a.commitID, "ops": []any{insertTask(a.row, a.title)}}
}

// crashTest follows one data folder through many lives of the runner.
type crashTest struct {
	t    *testing.T
	data string
	rnd  *rand.Rand
	want map[string]int // rows by room
	life int
	bulk int     // large commits that one more client makes at once, so that checkpoints come soon
	ada  *person // her token outlives the runner
}

// as is ada, at the runner of this life.
func (c *crashTest) as(p *process) *person {
	who := *c.ada
	who.addr = p.addr
	return &who
}

func newCrashTest(t *testing.T, seed uint64) *crashTest {
	c := &crashTest{t: t, data: filepath.Join(t.TempDir(), "data"), rnd: rand.New(rand.NewPCG(seed, 1)), want: map[string]int{}}
	p := launch(t, c.data)
	c.ada = p.signIn(t, "ada")
	p.kill()
	return c
}

// work writes with several clients until the process dies or enough was
// tried, and tells what each was told. Beside commits it makes rooms and
// members, so that those paths are killed too.
func (c *crashTest) work(p *process, room string, limit int) []attempt {
	ada := c.as(p)
	if err := ada.call(c.t.Context(), "POST", "/v1/rooms", map[string]string{"id": room, "name": room}, nil); err != nil {
		var refusal *problem
		if errors.As(err, &refusal) && refusal.Status != 409 || refusal == nil && !p.ends() {
			c.t.Errorf("create %s: %v", room, err)
		}
	}
	const writers = 4
	told := make([][]attempt, writers)
	ctx, cancel := context.WithTimeout(c.t.Context(), 60*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for w := range writers {
		seed := c.rnd.Uint64()
		wg.Go(func() { told[w] = c.write(ctx, ada, room, w, limit/writers, rand.New(rand.NewPCG(seed, 2))) })
	}
	if c.bulk > 0 {
		wg.Go(func() { c.fill(ctx, ada) })
	}
	wg.Wait()
	var all []attempt
	for _, of := range told {
		all = append(all, of...)
	}
	return all
}

func (c *crashTest) write(ctx context.Context, who *person, room string, writer, limit int, rnd *rand.Rand) []attempt {
	var told []attempt
	for n := range limit {
		a := attempt{room: room, commitID: id.New(time.Now()),
			row: fmt.Sprintf("w%d-%d-%d", writer, c.life, n), title: fmt.Sprintf("%0*d", 1+rnd.IntN(400), n)}
		var done commit
		err := who.call(ctx, "POST", "/v1/rooms/"+room+"/commits", a.request(), &done)
		if err == nil {
			a.seq = done.Seq
		} else if refused(err) {
			c.t.Errorf("commit refused: %v", err)
		}
		told = append(told, a)
		if err != nil {
			return told
		}
		if n%16 == writer {
			_ = who.call(ctx, "PUT", "/v1/rooms/"+room+"/members/guest-"+fmt.Sprint(rnd.IntN(20)), map[string]string{"role": "viewer"}, nil)
		}
		if n%64 == 7*writer {
			_ = who.call(ctx, "POST", "/v1/rooms", map[string]string{"id": fmt.Sprintf("side-%d-%d-%d", c.life, writer, n), "name": "side"}, nil)
		}
	}
	return told
}

// verify opens the data again and compares it with what the writers were
// told: acknowledged commits stand once, at their seq; unknown ones at most
// once, and sending one again settles it.
func (c *crashTest) verify(told []attempt) {
	c.t.Helper()
	p := launch(c.t, c.data)
	defer p.kill()
	ada := c.as(p)
	told = slices.DeleteFunc(told, func(a attempt) bool { return a.seq == 0 && c.settle(ada, a) })
	c.compare(ada, told)
}

// settle sends a commit again of which nobody knows whether it happened, and
// tells whether its room was never made.
func (c *crashTest) settle(ada *person, a attempt) (noRoom bool) {
	c.t.Helper()
	err := ada.call(c.t.Context(), "POST", "/v1/rooms/"+a.room+"/commits", a.request(), nil)
	var refusal *problem
	if errors.As(err, &refusal) && refusal.Status == 404 {
		return true
	}
	if err != nil {
		c.t.Errorf("settle %s: %v", a.commitID, err)
	}
	return false
}

func (c *crashTest) compare(ada *person, told []attempt) {
	c.t.Helper()
	byRoom := map[string][]attempt{}
	for _, a := range told {
		byRoom[a.room] = append(byRoom[a.room], a)
	}
	for room, attempts := range byRoom {
		at := map[string][]commit{}
		for _, done := range ada.log(c.t, room) {
			at[done.CommitID] = append(at[done.CommitID], done)
		}
		for _, a := range attempts {
			c.check(a, at[a.commitID])
		}
		c.want[room] += len(attempts)
		if rows := ada.rows(c.t, room, "tasks"); len(rows) != c.want[room] {
			c.t.Errorf("%s has %d rows, want %d", room, len(rows), c.want[room])
		}
	}
}

func (c *crashTest) check(a attempt, stands []commit) {
	c.t.Helper()
	switch {
	case len(stands) != 1:
		c.t.Errorf("commit %s (acknowledged at %d) stands %d times", a.commitID, a.seq, len(stands))
	case a.seq != 0 && stands[0].Seq != a.seq:
		c.t.Errorf("commit %s acknowledged at %d, stands at %d", a.commitID, a.seq, stands[0].Seq)
	case len(stands[0].Ops) != 1 || stands[0].Ops[0].ID != a.row || string(stands[0].Ops[0].Row["title"]) != `"`+a.title+`"`:
		c.t.Errorf("commit %s stands with other operations: %+v", a.commitID, stands[0].Ops)
	}
}

// round is one life of the runner that ends at a fault point, or at random
// when point is empty.
func (c *crashTest) round(point faultpoint.Name) {
	c.t.Helper()
	c.life++
	room := fmt.Sprintf("room-%d", c.life/10)
	marker := filepath.Join(filepath.Dir(c.data), fmt.Sprintf("marker-%d", c.life))
	var env []string
	if point != "" {
		env = []string{"NANO_FAULT_POINT=" + string(point), "NANO_FAULT_MARKER=" + marker,
			fmt.Sprintf("NANO_FAULT_HIT=%d", 1+c.rnd.IntN(hits(point)))}
	}
	switch {
	case strings.HasPrefix(string(point), "sqlitefile"):
		c.bulk = 100
	case strings.HasPrefix(string(point), "dirblob"):
		c.bulk = 50
	default:
		c.bulk = 12
	}
	if hits(point) > few {
		c.bulk = 0
	}
	p := launch(c.t, c.data, env...)
	if point == "" {
		after := time.Duration(c.rnd.IntN(150)) * time.Millisecond
		timer := time.AfterFunc(after, func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
	}
	var told []attempt
	if p.alive() {
		told = c.work(p, room, c.limit())
	}
	p.kill()
	if point != "" && readMarker(c.t, marker) != string(point) {
		c.t.Fatalf("life %d ended without reaching %s; stderr:\n%s", c.life, point, p.stderr)
	}
	c.verify(told)
}

// limit is how many commits are tried. The client of large ones goes on.
func (c *crashTest) limit() int {
	if c.bulk > 0 {
		return 1_000
	}
	return 8_000
}

const few = 2

// hits is how often a point may be passed before it kills: few times where it
// is passed seldom.
func hits(point faultpoint.Name) int {
	switch {
	case strings.HasPrefix(string(point), "dirblob"):
		return 1
	case strings.Contains(string(point), "checkpoint"):
		return few
	case strings.Contains(string(point), "create"), strings.HasPrefix(string(point), "relay"), strings.Contains(string(point), "ack"):
		return few + 1
	}
	return 40
}

// fill makes large commits in one room after the other until the process dies.
// The image of each soon has several parts or, of a larger one, is a blob; a
// room does not grow beyond that, however slow who writes checkpoints is.
func (c *crashTest) fill(ctx context.Context, who *person) {
	const calmly = 100 // small commits after the large ones
	calm := time.NewTicker(20 * time.Millisecond)
	defer calm.Stop()
	rnd := rand.New(rand.NewPCG(uint64(c.life), 3))
	for n := 0; ; n++ {
		room := fmt.Sprintf("bulk-%d-%d", c.life, n/(c.bulk+calmly))
		size, place := 100, n%(c.bulk+calmly)
		if place > c.bulk {
			<-calm.C
			size = 10
		}
		var err error
		if place == 0 {
			err = who.call(ctx, "POST", "/v1/rooms", map[string]string{"id": room, "name": room}, nil)
		}
		if err == nil {
			err = who.call(ctx, "POST", "/v1/rooms/"+room+"/commits", map[string]any{"ops": randomTasks(rnd, size)}, nil)
		}
		if refused(err) {
			c.t.Errorf("%s: large commit refused: %v", room, err)
		}
		if err != nil {
			return
		}
	}
}

// randomTasks are inserts that do not compress well.
func randomTasks(rnd *rand.Rand, n int) []any {
	var ops []any
	for range n {
		title := make([]byte, 450)
		for j := range title {
			title[j] = byte('!' + rnd.IntN(90))
		}
		ops = append(ops, map[string]any{"op": "insert", "table": "tasks", "row": map[string]any{"title": string(title)}})
	}
	return ops
}

func allPoints() []faultpoint.Name {
	var all []faultpoint.Name
	for _, points := range [][]faultpoint.Name{
		room.Points, sqlitefile.Points, sqlitestore.Points, replica.Points, relay.Points, dirblob.Points,
	} {
		all = append(all, points...)
	}
	// Parts are swept a day after they were replaced: tested in replica with
	// a clock of its own.
	return slices.DeleteFunc(all, func(p faultpoint.Name) bool { return p == replica.PointBetweenRemovals })
}

func TestAcknowledgedCommitsSurviveKillAtEachFaultPoint(t *testing.T) {
	for _, point := range allPoints() {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			c := newCrashTest(t, 7)
			for range rounds() {
				c.round(point)
			}
		})
	}
}

func TestAcknowledgedCommitsSurviveKillAtRandom(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := newCrashTest(t, seed)
	for range rounds() {
		c.round("")
	}
}
