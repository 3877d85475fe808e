package promises

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/room"
)

// lives is a runner that is killed and started again, and tells its clients
// where it is now.
type lives struct {
	mu   sync.Mutex
	addr string
	born chan struct{} // closed when the next life begins
}

func (l *lives) begin(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addr = addr
	if l.born != nil {
		close(l.born)
	}
	l.born = make(chan struct{})
}

func (l *lives) now() (addr string, next <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addr, l.born
}

// wireClient asks over HTTP or over a socket.
type wireClient struct {
	lives  *lives
	who    person
	room   string
	addr   string
	socket *socket // nil: HTTP
	overWS bool
	settle func() bool // whether to ask again for an unknown outcome
}

// connect follows the runner to its present life.
func (c *wireClient) connect(ctx context.Context) error {
	addr, _ := c.lives.now()
	if addr == c.addr && (c.socket != nil || !c.overWS) {
		return nil
	}
	c.addr, c.who.addr = addr, addr
	if !c.overWS {
		return nil
	}
	var err error
	c.socket, err = c.who.dial(ctx, c.room)
	return err
}

// perform asks once and, when the runner dies over it, perhaps again.
func (c *wireClient) perform(ctx context.Context, in ask) told {
	for {
		_, next := c.lives.now()
		err := c.connect(ctx)
		var out told
		if err == nil {
			out, err = c.try(ctx, in)
		}
		if err == nil {
			return out
		}
		if c.socket != nil {
			c.socket.close()
			c.socket = nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return told{unknown: true}
		}
		if !c.settle() {
			return told{unknown: true}
		}
	}
}

// try asks once; an error means that the outcome is unknown.
func (c *wireClient) try(ctx context.Context, in ask) (told, error) {
	var answer struct {
		Seq  int64
		Row  *wireRow
		Rows []wireRow
	}
	err := c.send(ctx, in, &answer)
	if code := refusalCode(err); code != "" {
		return told{code: code}, nil
	}
	out := told{seq: answer.Seq}
	if answer.Row != nil {
		answer.Rows = append(answer.Rows, *answer.Row)
	}
	for _, row := range answer.Rows {
		out.rows = append(out.rows, modelRow{row.ID, row.Title, row.Version})
	}
	return out, err
}

type wireRow struct {
	ID, Title string
	Version   int64 `json:"_version"`
}

func (c *wireClient) send(ctx context.Context, in ask, answer any) error {
	base := "/v1/rooms/" + c.room
	switch {
	case in.kind == "list" && c.overWS:
		return c.socket.call(ctx, "rows.list", map[string]any{"table": "tasks"}, answer)
	case in.kind == "list":
		return c.who.call(ctx, "GET", base+"/tables/tasks/rows", nil, answer)
	case in.kind == "get" && c.overWS:
		return c.socket.call(ctx, "rows.get", map[string]any{"table": "tasks", "id": in.row}, answer)
	case in.kind == "get":
		return c.who.call(ctx, "GET", base+"/tables/tasks/rows/"+in.row, nil, answer)
	case c.overWS:
		return c.socket.call(ctx, "commit", request(in), answer)
	default:
		return c.who.call(ctx, "POST", base+"/commits", request(in), answer)
	}
}

func request(in ask) map[string]any {
	op := map[string]any{"op": in.kind, "table": "tasks", "id": in.row}
	switch in.kind {
	case "insert":
		op["row"] = map[string]any{"title": in.title}
	case "update":
		op["set"] = map[string]any{"title": in.title}
	}
	if in.version != 0 {
		op["ifVersion"] = in.version
	}
	return map[string]any{"commitId": in.commitID, "ops": []any{op}}
}

// refusalCode is the code of an error that is the server's own word.
func refusalCode(err error) string {
	var overHTTP *problem
	var overSocket *rpcError
	code := ""
	switch {
	case errors.As(err, &overHTTP):
		code = overHTTP.Code
	case errors.As(err, &overSocket):
		code = overSocket.Data.Code
	}
	if code == "unavailable" || code == "internal" {
		return ""
	}
	return code
}

func TestHistoriesOfTheRunnerAreLinearizable(t *testing.T) {
	t.Parallel()
	const clients, each = 8, 150
	// How the lives of the runner end: by a signal, or at a fault point, as of
	// a commit that is in the log but not answered.
	ends := []faultpoint.Name{"", room.AfterPut, room.AfterPublish, room.BeforePut}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	data := filepath.Join(t.TempDir(), "data")
	p := launch(t, data)
	ada := p.signIn(t, "ada")
	ada.room(t, "den")
	all := &lives{}
	all.begin(p.addr)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	history := recorder{start: time.Now()}
	var wg sync.WaitGroup
	for number := range clients {
		mine := rand.New(rand.NewPCG(rnd.Uint64(), 2))
		c := &wireClient{lives: all, who: *ada, room: "den", overWS: number%2 == 0, settle: func() bool { return mine.IntN(4) == 0 }}
		wg.Go(func() { history.client(ctx, number, each, mine, c.perform) })
	}
	for life, point := range ends {
		if point == "" {
			history.await(ctx, (life+1)*clients*each/(len(ends)+1)+rnd.IntN(50))
			p.kill() // in the middle of the operations of many
		} else {
			<-p.exited
		}
		var env []string
		if life+1 < len(ends) && ends[life+1] != "" {
			env = []string{"NANO_FAULT_POINT=" + string(ends[life+1]), fmt.Sprintf("NANO_FAULT_HIT=%d", 10+rnd.IntN(40))}
		}
		p = launch(t, data, env...)
		all.begin(p.addr)
	}
	wg.Wait()
	seqs := map[string]int64{}
	for _, c := range ada.at(p).log(t, "den") {
		seqs[c.CommitID] = c.Seq
	}
	happened, never := history.settle(seqs)
	if happened == 0 || never == 0 {
		t.Errorf("of the commits that were not answered %d happened and %d did not: there must be both", happened, never)
	}
	t.Logf("of the commits that were not answered %d happened and %d did not", happened, never)
	history.check(t, 1)
	history.canFail(t, 1)
}

// at is the same person at another life of the runner.
func (w *person) at(p *process) *person {
	moved := *w
	moved.addr = p.addr
	return &moved
}

// await returns when so many operations are recorded.
func (r *recorder) await(ctx context.Context, n int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		r.mu.Lock()
		enough := len(r.ops) >= n
		r.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}
