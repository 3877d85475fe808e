package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// ask is one request of a client to one row.
type ask struct {
	row     string
	kind    string // insert, update, delete, get
	title   string
	version int64 // ifVersion; 0: none
}

// told is what became of it. Unknown: nobody was told.
type told struct {
	code    fault.Code
	title   string
	version int64
	unknown bool
}

// rowState is the model of one row: its title and the seq that last changed
// it, which must rise.
type rowState struct {
	there   bool
	title   string
	version int64
}

// rowModel is a row as design.md promises it: linearizable, with versions.
var rowModel = porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byRow := map[string][]porcupine.Operation{}
		for _, op := range history {
			byRow[op.Input.(ask).row] = append(byRow[op.Input.(ask).row], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byRow {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() []any { return []any{rowState{}} },
	Step: func(state, input, output any) []any {
		s, in, out := state.(rowState), input.(ask), output.(told)
		if out.unknown {
			return []any{s, rowState{there: in.kind != "delete", title: in.title, version: -1}}
		}
		next, code := s, fault.Code("")
		stale := in.version != 0 && s.version != -1 && in.version != s.version
		switch {
		case in.kind == "insert" && s.there:
			code = fault.Conflict
		case in.kind != "insert" && !s.there:
			code = fault.NotFound
		case stale:
			code = fault.Conflict
		case in.kind == "get":
			next.version = out.version
			if out.code == "" && (out.title != s.title || s.version != -1 && s.version != out.version) {
				return nil
			}
		case in.kind == "delete":
			next = rowState{}
		case in.kind == "update" && in.title == s.title:
		default:
			if out.code == "" && s.version != -1 && out.version <= s.version {
				return nil
			}
			next = rowState{true, in.title, out.version}
		}
		if code != out.code {
			return nil
		}
		return []any{next}
	},
	Equal:             func(a, b any) bool { return a.(rowState) == b.(rowState) },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

func perform(ctx context.Context, e *room.Engine, in ask, commitID string) told {
	if in.kind == "get" {
		var out told
		err := e.Read(ctx, bob, den, func(v *room.View) error {
			raw, err := v.Get(ctx, "tasks", in.row)
			if err != nil {
				return err
			}
			var row struct {
				Title   string `json:"title"`
				Version int64  `json:"_version"`
			}
			out.title, out.version = "", 0
			if err := json.Unmarshal(raw, &row); err != nil {
				return err
			}
			out.title, out.version = row.Title, row.Version
			return nil
		})
		out.code = fault.CodeOf(err)
		return out
	}
	version := ""
	if in.version != 0 {
		version = fmt.Sprintf(`,"ifVersion":%d`, in.version)
	}
	op := map[string]string{
		"insert": fmt.Sprintf(`{"op":"insert","table":"tasks","id":"%s","row":{"title":"%s"}}`, in.row, in.title),
		"update": fmt.Sprintf(`{"op":"update","table":"tasks","id":"%s","set":{"title":"%s"}%s}`, in.row, in.title, version),
		"delete": fmt.Sprintf(`{"op":"delete","table":"tasks","id":"%s"%s}`, in.row, version),
	}[in.kind]
	req := request(op)
	req.CommitID = commitID
	for {
		r, err := e.Commit(ctx, bob, den, req)
		switch code := fault.CodeOf(err); code {
		case fault.Unavailable, fault.RateLimited, fault.Internal:
			if ctx.Err() != nil {
				return told{unknown: true}
			}
		case "":
			return told{version: r.Entry.Seq}
		default:
			return told{code: code}
		}
	}
}

// histories runs clients against engines and checks what they were told.
func histories(t *testing.T, w *world, engines []*room.Engine, clients, each int) {
	t.Helper()
	w.den(engines[0])
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	start := time.Now()
	var mu sync.Mutex
	var ops []porcupine.Operation
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(client), 7))
			known := map[string]int64{}
			for i := range each {
				in := ask{row: fmt.Sprintf("r%d", rnd.IntN(3)), kind: []string{"insert", "update", "update", "delete", "get"}[rnd.IntN(5)], title: fmt.Sprintf("%d-%d", client, i)}
				if (in.kind == "update" || in.kind == "delete") && rnd.IntN(2) == 0 {
					in.version = known[in.row]
				}
				call := time.Since(start).Nanoseconds()
				out := perform(ctx, engines[(client+i)%len(engines)], in, fmt.Sprintf("%d/%d", client, i))
				end := time.Since(start).Nanoseconds()
				if out.version > 0 {
					known[in.row] = out.version
				}
				mu.Lock()
				ops = append(ops, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: end})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	model := rowModel.ToModel()
	if result, _ := porcupine.CheckOperationsVerbose(model, ops, 30*time.Second); result != porcupine.Ok {
		t.Errorf("the history of %d operations is not linearizable: %s", len(ops), result)
	}
}

func TestLinearizable(t *testing.T) {
	tests := map[string]func(w *world) []*room.Engine{
		"one process": func(w *world) []*room.Engine { return []*room.Engine{w.engine()} },
		"one slot":    func(w *world) []*room.Engine { return []*room.Engine{w.engineOn(shared{w.store})} },
		"two processes": func(w *world) []*room.Engine {
			return []*room.Engine{w.engineOn(shared{w.store}), w.engineOn(shared{w.store})}
		},
		"one process, flaky": func(w *world) []*room.Engine {
			return []*room.Engine{w.engineOn(soleFlaky{newFlaky(w.store, 3, 0.2)})}
		},
		"two processes, flaky": func(w *world) []*room.Engine {
			f := newFlaky(w.store, 4, 0.2)
			return []*room.Engine{w.engineOn(f), w.engineOn(f)}
		},
	}
	for name, engines := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			histories(t, w, engines(w), 6, 40)
		})
	}
}

// TestExactlyOnce lets writers repeat until they are told, on stores that lose
// replies and deliver late: each commit happened once, in the seq it was told.
func TestExactlyOnce(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t)
			f := newFlaky(w.store, seed, 0.35)
			var st store.Store = f
			processes := 2
			if seed%2 == 0 {
				st, processes = soleFlaky{f}, 1
			}
			var engines []*room.Engine
			for range processes {
				engines = append(engines, w.engineOn(st))
			}
			w.den(engines[0])
			base := w.state(engines[0]).Seq
			const writers, each = 4, 15
			var mu sync.Mutex
			seqs := map[int64]string{}
			var wg sync.WaitGroup
			for writer := range writers {
				wg.Go(func() {
					for i := range each {
						row := fmt.Sprintf("w%d-%d", writer, i)
						out := perform(context.Background(), engines[writer%processes], ask{row: row, kind: "insert", title: "x"}, row)
						mu.Lock()
						if was, taken := seqs[out.version]; taken || out.code != "" {
							t.Errorf("%s was told %+v, seq belongs to %q", row, out, was)
						}
						seqs[out.version] = row
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			f.arrive(context.Background(), true)
			fresh := w.engine()
			st1 := w.state(fresh)
			if st1.Seq != base+writers*each || st1.Rows != writers*each {
				t.Errorf("%d commits and %d rows, want %d; %d replies were lost", st1.Seq-base, st1.Rows, writers*each, f.lost)
			}
			for seq, row := range seqs {
				if got, err := w.get(fresh, ada, "tasks", row); err != nil || got["_version"] != float64(seq) {
					t.Errorf("%s, told seq %d: %v %v", row, seq, got, err)
				}
			}
			if f.lost == 0 {
				t.Error("no reply was lost, so nothing was tested")
			}
		})
	}
}
