package promises

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the runner built with fault points, once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "promises")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "nanotype")
	build := exec.Command("go", "build", "-tags", "faultpoints,no_ui", "-o", binary, "nanotypedb/infra/local/bootstrap")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the runner:", err)
		return 1
	}
	return m.Run()
}

// process is a runner in a process of its own.
type process struct {
	cmd    *exec.Cmd
	addr   string
	stderr *lockedBuffer
	exited chan struct{}
}

// lockedBuffer collects what a child prints while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// launch starts a runner on a data folder and waits until it answers or ends;
// a runner armed to die at start-up may end.
func launch(t *testing.T, data string, env ...string) *process {
	t.Helper()
	return launchBy(t, exec.Command(binary), data, env...)
}

// launchBy is launch by a command that becomes the runner.
func launchBy(t *testing.T, cmd *exec.Cmd, data string, env ...string) *process {
	t.Helper()
	p := &process{cmd: cmd, addr: freeAddr(t), stderr: &lockedBuffer{}, exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), append([]string{"NANO_ADDR=" + p.addr, "NANO_DATA=" + data, "NANO_LOG=warn"}, env...)...)
	p.cmd.Stderr = p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is read from ProcessState
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	p.awaitAnswer(t)
	return p
}

func (p *process) awaitAnswer(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	retry := time.NewTicker(2 * time.Millisecond)
	defer retry.Stop()
	for {
		conn, err := net.Dial("tcp", p.addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-p.exited:
			return
		case <-ctx.Done():
			t.Fatalf("the runner does not answer: %v\n%s", err, p.stderr)
		case <-retry.C:
		}
	}
}

// kill ends the process as a power cut would, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended by itself
	<-p.exited
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// ends tells whether the process is on its way out, as it is when it no longer
// answers.
func (p *process) ends() bool {
	select {
	case <-p.exited:
		return true
	case <-time.After(5 * time.Second):
		return false
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// person is a signed-in user of a runner.
type person struct {
	addr  string
	id    string
	token string
	http  *http.Client
}

// problem is an answer other than a success.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Path   string `json:"path"`
	Detail string `json:"detail"`
}

func (e *problem) Error() string {
	return fmt.Sprintf("%d %s %s %s", e.Status, e.Code, e.Path, e.Detail)
}

func (p *process) signIn(t *testing.T, name string) *person {
	t.Helper()
	who := &person{addr: p.addr, http: &http.Client{Timeout: 20 * time.Second}}
	var answer struct {
		Token string
		User  struct{ ID string }
	}
	if err := who.call(t.Context(), "POST", "/v1/dev/session", map[string]string{"name": name}, &answer); err != nil {
		t.Fatal(err)
	}
	who.token, who.id = answer.Token, answer.User.ID
	return who
}

// call makes one request; the error is a *problem when the server refused,
// and another one when the outcome is unknown.
func (w *person) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+w.addr+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return decodeAnswer(resp, text, out)
}

func decodeAnswer(resp *http.Response, text []byte, out any) error {
	if resp.StatusCode >= 300 {
		p := &problem{Status: resp.StatusCode}
		if err := json.Unmarshal(text, p); err != nil {
			return fmt.Errorf("%s without a problem: %s", resp.Status, text)
		}
		return p
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, out)
}

func (w *person) room(t *testing.T, id string) {
	t.Helper()
	if err := w.call(t.Context(), "POST", "/v1/rooms", map[string]string{"id": id, "name": id}, nil); err != nil {
		t.Fatal(err)
	}
}

// commit is a commit on the wire.
type commit struct {
	Seq      int64           `json:"seq"`
	At       string          `json:"at"`
	By       string          `json:"by"`
	CommitID string          `json:"commitId"`
	Kind     string          `json:"kind"`
	Ops      []operation     `json:"ops"`
	Raw      json.RawMessage `json:"-"`
}

// operation is one operation of a commit on the wire.
type operation struct {
	Op      string                     `json:"op"`
	Table   string                     `json:"table"`
	ID      string                     `json:"id"`
	Row     map[string]json.RawMessage `json:"row"`
	Set     map[string]json.RawMessage `json:"set"`
	Version int64                      `json:"version"`
}

// log reads a room's whole log and checks that it has no hole.
func (w *person) log(t *testing.T, room string) []commit {
	t.Helper()
	var all []commit
	for since := int64(0); ; {
		var page struct {
			Commits []commit
			Seq     int64
			More    bool
			Reset   bool
		}
		if err := w.call(t.Context(), "GET", fmt.Sprintf("/v1/rooms/%s/log?since=%d&limit=1000", room, since), nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Commits {
			if c.Seq != since+1 {
				t.Fatalf("log of %s: %d after %d", room, c.Seq, since)
			}
			since = c.Seq
		}
		all = append(all, page.Commits...)
		if page.Reset {
			t.Fatalf("log of %s ends with a reset after %d of %d", room, since, page.Seq)
		}
		if !page.More {
			return all
		}
	}
}

// rows reads a whole table, by id, without _vector, which is no data.
func (w *person) rows(t *testing.T, room, table string) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for cursor := ""; ; {
		var page struct {
			Rows   []map[string]any
			Cursor string
		}
		if err := w.call(t.Context(), "GET", "/v1/rooms/"+room+"/tables/"+table+"/rows?limit=1000&cursor="+cursor, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			delete(r, "_vector")
			all[r["id"].(string)] = r
		}
		if cursor = page.Cursor; cursor == "" {
			return all
		}
	}
}

// refused reports whether err is the server's own word, so that nothing
// happened, apart from unavailable, which leaves it open.
func refused(err error) bool {
	var p *problem
	return errors.As(err, &p) && p.Status != 503 && p.Status != 500
}

func insertTask(id, title string) map[string]any {
	return map[string]any{"op": "insert", "table": "tasks", "id": id, "row": map[string]any{"title": title}}
}

// rounds is how often a crash is repeated at each point: NANO_TEST_CRASH_ROUNDS
// times, 50 in CI.
func rounds() int {
	n, err := strconv.Atoi(os.Getenv("NANO_TEST_CRASH_ROUNDS"))
	if err != nil || n < 1 {
		return 3
	}
	return n
}

// fewRounds is rounds for suites whose rounds take seconds: at most 3, unless
// NANO_TEST_CRASH_ALL asks for all of them (make crash).
func fewRounds() int {
	if os.Getenv("NANO_TEST_CRASH_ALL") != "" {
		return rounds()
	}
	return min(rounds(), 3)
}

func readMarker(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
