package promises

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
)

// Promise 5: a rollback is atomic for readers, and undoing it brings back the
// exact earlier state, also when the process is killed at any step of it.

// Rows of a load: a small one, and one above what makes it write a checkpoint
// at once.
const (
	fewRows  = 2_000
	manyRows = 21_000
)

// loadPoints are the steps of a load: staging its blob, the one put, showing
// it, and the checkpoint that follows.
func loadPoints() []faultpoint.Name {
	return slices.Concat(room.LoadPoints, []faultpoint.Name{room.BeforePut, room.AfterPut, room.AfterPublish,
		replica.PointPartsWritten, replica.PointVerified, replica.PointPointerWritten}, dirblob.Points)
}

// loadTest is a room with a large table, of which a column is dropped, so that
// to undo that is a load of all its rows.
type loadTest struct {
	t       *testing.T
	data    string
	ada     *person
	before  map[string]map[string]any // with the column
	after   map[string]map[string]any // without
	dropped int64
}

func (l *loadTest) as(p *process) *person {
	who := *l.ada
	who.addr = p.addr
	return &who
}

func newLoadTest(t *testing.T, rows int) *loadTest {
	t.Helper()
	l := &loadTest{t: t, data: filepath.Join(t.TempDir(), "data")}
	p := launch(t, l.data)
	defer p.kill()
	l.ada = p.signIn(t, "ada")
	l.ada.http = &http.Client{Timeout: 2 * time.Minute}
	l.ada.room(t, "den")
	for n := 0; n < rows; n += 1000 {
		var ops []any
		for i := range 1000 {
			ops = append(ops, insertTask(fmt.Sprintf("r%05d", n+i), fmt.Sprintf("title %d", n+i)))
		}
		l.commit(l.ada, ops...)
	}
	l.before = l.rows(l.ada)
	l.drop(p)
	return l
}

func (l *loadTest) commit(who *person, ops ...any) int64 {
	l.t.Helper()
	var done commit
	if err := who.call(l.t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": ops}, &done); err != nil {
		l.t.Fatal(err)
	}
	return done.Seq
}

// drop takes the column away again.
func (l *loadTest) drop(p *process) {
	l.t.Helper()
	who := l.as(p)
	l.dropped = l.commit(who, map[string]any{"op": "alterTable", "table": "tasks", "drop": []string{"status"}})
	l.after = l.rows(who)
}

// rows reads the table without what an edit alone changes.
func (l *loadTest) rows(who *person) map[string]map[string]any {
	all := who.rows(l.t, "den", "tasks")
	for _, row := range all {
		delete(row, "_version")
	}
	return all
}

// round undoes the drop while the process is to die at a point, and checks in
// a new life that the room is before or after, and that the same undo sent
// again settles it.
func (l *loadTest) round(point faultpoint.Name, hit, life int) {
	l.t.Helper()
	marker := filepath.Join(filepath.Dir(l.data), fmt.Sprintf("marker-%d", life))
	p := launch(l.t, l.data, "NANO_FAULT_POINT="+string(point), "NANO_FAULT_MARKER="+marker, fmt.Sprint("NANO_FAULT_HIT=", hit))
	request := map[string]any{"seq": l.dropped, "commitId": id.New(time.Now())}
	var acked commit
	err := errors.New("the runner did not start")
	if p.alive() {
		err = l.as(p).call(l.t.Context(), "POST", "/v1/rooms/den/undo", request, &acked)
		if err == nil {
			p.ends() // the checkpoint comes after the answer, or not at all
		}
		if refused(err) {
			l.t.Fatalf("the undo was refused: %v", err)
		}
	}
	p.kill()
	if readMarker(l.t, marker) != string(point) {
		l.t.Fatalf("life %d ended without reaching %s: %v\n%s", life, point, err, p.stderr)
	}
	again := launch(l.t, l.data)
	defer again.kill()
	who := l.as(again)
	switch got := l.rows(who); {
	case reflect.DeepEqual(got, l.before):
	case err == nil:
		l.t.Fatalf("%s: the acknowledged undo %d is lost", point, acked.Seq)
	case !reflect.DeepEqual(got, l.after):
		l.t.Fatalf("%s: the room is neither before nor after", point)
	}
	var settled commit
	if callErr := who.call(l.t.Context(), "POST", "/v1/rooms/den/undo", request, &settled); callErr != nil {
		l.t.Fatalf("the undo sent again: %v", callErr)
	}
	if err == nil && settled.Seq != acked.Seq {
		l.t.Fatalf("the undo happened at %d and at %d", acked.Seq, settled.Seq)
	}
	if got := l.rows(who); !reflect.DeepEqual(got, l.before) {
		l.t.Fatal("the undo brought back something else")
	}
	l.drop(again)
}

func TestALoadSurvivesKillAtEachStep(t *testing.T) {
	for _, point := range loadPoints() {
		t.Run(string(point), func(t *testing.T) {
			rows := fewRows
			if slices.Contains(replica.Points, point) {
				rows = manyRows
			}
			l := newLoadTest(t, rows)
			for n := range fewRounds() {
				l.round(point, 1, n)
			}
		})
	}
}

// TestReadersSeeALoadWhole: while it is brought in and taken back, a page of
// rows and the schema are those of before or those of after.
func TestReadersSeeALoadWhole(t *testing.T) {
	l := newLoadTest(t, fewRows)
	p := launch(t, l.data)
	defer p.kill()
	who := l.as(p)
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				var page struct{ Rows []map[string]any }
				if err := who.call(t.Context(), "GET", "/v1/rooms/den/tables/tasks/rows?limit=1000&order=-id", nil, &page); err != nil {
					t.Error(err)
					return
				}
				with := 0
				for _, row := range page.Rows {
					if _, ok := row["status"]; ok {
						with++
					}
				}
				if len(page.Rows) != 1000 || with != 0 && with != len(page.Rows) {
					t.Errorf("a page of %d rows, %d of them with the column", len(page.Rows), with)
				}
			}
		})
	}
	seq := l.dropped
	for range 3 {
		var undone commit
		if err := who.call(t.Context(), "POST", "/v1/rooms/den/undo", map[string]any{"seq": seq}, &undone); err != nil {
			t.Fatal(err)
		}
		seq = undone.Seq
	}
	close(done)
	all.Wait()
	if got := l.rows(who); !reflect.DeepEqual(got, l.before) {
		t.Error("undo, undo of the undo and undo of that is not what was before")
	}
}
