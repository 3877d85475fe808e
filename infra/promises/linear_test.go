package promises

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// Promise 3: histories of concurrent clients are linearizable per room.
//
// The model is a whole room: its seq and its few rows. A commit must be told
// the seq after the last, a read the seq and the rows of one moment.

// ask is one request of a client.
type ask struct {
	kind    string // insert, update, delete, get, list
	row     string
	title   string
	version int64 // ifVersion; 0: none

	commitID string
}

// told is what a client was told.
type told struct {
	unknown bool   // nothing, see recorder.settle
	code    string // of a refusal
	seq     int64
	rows    []modelRow // of a read
}

// modelRow is a row as a client sees it.
type modelRow struct {
	id, title string
	version   int64
}

const modelRows = 3

// modelRoom is comparable: the rows by number, absent ones zero.
type modelRoom struct {
	seq  int64
	rows [modelRows]modelRow
}

func rowNumber(id string) int { return int(id[1] - '0') }

func (r modelRoom) present() []modelRow {
	var rows []modelRow
	for _, row := range r.rows {
		if row.id != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// write gives the room after a commit, or why it is refused.
func (r modelRoom) write(in ask) (after modelRoom, code string) {
	after = r
	after.seq++
	row := &after.rows[rowNumber(in.row)]
	switch there := row.id != ""; {
	case in.kind == "insert" && there:
		return r, "conflict"
	case in.kind != "insert" && !there:
		return r, "not_found"
	case in.version != 0 && in.version != row.version:
		return r, "conflict"
	}
	*row = modelRow{in.row, in.title, after.seq}
	if in.kind == "delete" {
		*row = modelRow{}
	}
	return after, ""
}

// step gives the room after an operation; false when it cannot have happened
// here.
func (r modelRoom) step(in ask, out told) (bool, modelRoom) {
	switch in.kind {
	case "list":
		return out.seq == r.seq && slices.Equal(out.rows, r.present()), r
	case "get":
		row := r.rows[rowNumber(in.row)]
		if row.id == "" {
			return out.code == "not_found", r
		}
		return out.code == "" && out.seq == r.seq && slices.Equal(out.rows, []modelRow{row}), r
	}
	after, code := r.write(in)
	return out.code == code && (code != "" || out.seq == after.seq), after
}

func roomModel(seq int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return modelRoom{seq: seq} },
		Step: func(state, in, out any) (bool, any) { return state.(modelRoom).step(in.(ask), out.(told)) },
		DescribeOperation: func(in, out any) string {
			return fmt.Sprintf("%+v -> %+v", in, out)
		},
	}
}

// performer asks on behalf of a client; told.unknown when it was not answered.
type performer func(ctx context.Context, in ask) told

// unanswered is when an operation returned of which nobody knows whether it did.
const unanswered = 1 << 62

// recorder collects a history.
type recorder struct {
	start time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (r *recorder) now() int64 { return time.Since(r.start).Nanoseconds() }

func (r *recorder) add(op porcupine.Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
}

// client makes each requests, one after the other, and records them. A commit
// that was not answered stays open to the end of the history; a read is left
// out, as it has no effect.
func (r *recorder) client(ctx context.Context, number, each int, rnd *rand.Rand, perform performer) {
	seen := map[string]int64{}
	run := rnd.Uint32()
	for i := range each {
		if ctx.Err() != nil {
			return
		}
		in := randomAsk(rnd, seen, fmt.Sprintf("%d-%d-%x", number, i, run))
		in.commitID = fmt.Sprintf("%d/%d/%x", number, i, run)
		op := porcupine.Operation{ClientId: number, Input: in, Call: r.now()}
		out := perform(ctx, in)
		op.Output, op.Return = out, r.now()
		if out.unknown {
			if in.kind == "get" || in.kind == "list" {
				continue
			}
			op.Return = unanswered
		}
		learn(seen, in, out)
		r.add(op)
	}
}

// settle looks up in the final log what became of the commits that were not
// answered. They stay open, but happened at that seq, or never: of answers that
// may be either the checker would have to try every combination.
func (r *recorder) settle(seqs map[string]int64) (happened, never int) {
	r.ops = slices.DeleteFunc(r.ops, func(op porcupine.Operation) bool {
		seq := seqs[op.Input.(ask).commitID]
		if op.Output.(told).unknown && seq == 0 {
			never++
			return true
		}
		return false
	})
	for i, op := range r.ops {
		if op.Output.(told).unknown {
			happened++
			r.ops[i].Output = told{seq: seqs[op.Input.(ask).commitID]}
		}
	}
	return happened, never
}

func randomAsk(rnd *rand.Rand, seen map[string]int64, title string) ask {
	kinds := []string{"insert", "insert", "update", "update", "update", "delete", "get", "get", "list"}
	in := ask{kind: kinds[rnd.IntN(len(kinds))], row: fmt.Sprintf("r%d", rnd.IntN(modelRows)), title: title}
	if (in.kind == "update" || in.kind == "delete") && rnd.IntN(2) == 0 {
		in.version = seen[in.row]
	}
	return in
}

// learn keeps the version that a client saw last, for its next ifVersion.
func learn(seen map[string]int64, in ask, out told) {
	if out.code == "" && (in.kind == "insert" || in.kind == "update") {
		seen[in.row] = out.seq
	}
	for _, row := range out.rows {
		seen[row.id] = row.version
	}
}

// check says whether the history is linearizable, and whether enough ran at the
// same time for that to mean something.
func (r *recorder) check(t *testing.T, seq int64) {
	t.Helper()
	const patience = 60 * time.Second
	model := roomModel(seq)
	result, info := porcupine.CheckOperationsVerbose(model, r.ops, patience)
	if result != porcupine.Ok {
		path := t.ArtifactDir() + "/history.html"
		t.Fatalf("the history of %d operations is not linearizable: %s (drawn in %s: %v)", len(r.ops), result, path, porcupine.VisualizePath(model, info, path))
	}
	count, busy := r.concurrency()
	t.Logf("%d operations, %d of them beside another write, answers: %v", len(r.ops), busy, count)
	if busy < len(r.ops)/4 {
		t.Errorf("only %d of %d operations ran beside another write", busy, len(r.ops))
	}
	for _, answer := range []string{"insert", "update", "delete", "get", "list", "insert conflict", "update conflict", "delete not_found", "get not_found"} {
		if count[answer] == 0 {
			t.Errorf("no operation ended with %q", answer)
		}
	}
}

// canFail says whether two forged answers are found out.
func (r *recorder) canFail(t *testing.T, seq int64) {
	t.Helper()
	for name, forged := range map[string][]porcupine.Operation{"a stale list": r.withStaleList(), "a lost commit": r.withLostCommit()} {
		if forged == nil {
			t.Errorf("the history has no place for %s", name)
		} else if result := porcupine.CheckOperationsTimeout(roomModel(seq), forged, 60*time.Second); result != porcupine.Illegal {
			t.Errorf("with %s forged into it the history is still %s", name, result)
		}
	}
}

// concurrency counts the answers by kind, and the operations during which
// another one that writes ran.
func (r *recorder) concurrency() (count map[string]int, busy int) {
	count = map[string]int{}
	slices.SortFunc(r.ops, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	for i, op := range r.ops {
		in, out := op.Input.(ask), op.Output.(told)
		answer := in.kind
		if op.Return == unanswered {
			answer += " open"
		} else if out.code != "" {
			answer += " " + out.code
		}
		count[answer]++
		if slices.ContainsFunc(r.ops[max(0, i-40):min(len(r.ops), i+40)], func(other porcupine.Operation) bool {
			kind := other.Input.(ask).kind
			return other.ClientId != op.ClientId && kind != "get" && kind != "list" && other.Call < op.Return && op.Call < other.Return && other.Return < unanswered
		}) {
			busy++
		}
	}
	return count, busy
}

// withStaleList gives the last list the answer of one that ended before it
// began, at an earlier seq.
func (r *recorder) withStaleList() []porcupine.Operation {
	forged := slices.Clone(r.ops)
	for i, op := range slices.Backward(forged) {
		if op.Input.(ask).kind != "list" {
			continue
		}
		for _, earlier := range slices.Backward(forged[:i]) {
			if earlier.Input.(ask).kind == "list" && earlier.Return < op.Call && earlier.Output.(told).seq < op.Output.(told).seq {
				forged[i].Output = earlier.Output
				return forged
			}
		}
	}
	return nil
}

// withLostCommit leaves out an acknowledged commit.
func (r *recorder) withLostCommit() []porcupine.Operation {
	for i, op := range r.ops {
		if out := op.Output.(told); i > len(r.ops)/2 && out.seq > 0 && out.rows == nil && op.Input.(ask).kind == "update" {
			return slices.Delete(slices.Clone(r.ops), i, i+1)
		}
	}
	return nil
}
