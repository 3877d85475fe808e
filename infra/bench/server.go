package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a runner in a process of its own, on a data folder of its own.
type server struct {
	cmd     *exec.Cmd
	url     string
	started time.Duration // from exec to the first answer of /healthz
	client  *http.Client
	token   string
}

// build compiles the runner as it is shipped.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "nanotype")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "no_ui", "-ldflags", "-s -w", "-o", path, "./infra/local/bootstrap")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
}

// start runs the binary and waits for its first answer.
func start(ctx context.Context, binary, data string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(os.Environ(), "NANO_ADDR="+addr, "NANO_DATA="+data, "NANO_LOG=warn", "NANO_BACKEND=embedded")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	s := &server{cmd: cmd, url: "http://" + addr, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the runner: %w", err)
	}
	for {
		resp, err := s.client.Get(s.url + "/healthz")
		if err == nil {
			_ = resp.Body.Close()
			break
		}
		if time.Since(began) > 10*time.Second {
			return nil, fmt.Errorf("the runner does not answer: %w", err)
		}
		time.Sleep(200 * time.Microsecond)
	}
	s.started = time.Since(began)
	return s, s.signIn()
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

func (s *server) signIn() error {
	var answer struct{ Token string }
	if err := s.call("POST", "/v1/dev/session", map[string]string{"name": "bench"}, &answer); err != nil {
		return err
	}
	s.token = answer.Token
	return nil
}

// call makes one API request; out may be nil.
func (s *server) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func (s *server) room(id string) error {
	return s.call("POST", "/v1/rooms", map[string]string{"id": id, "name": id}, nil)
}

// fill puts rows into a room's table tasks, 500 a commit.
func (s *server) fill(room string, rows int) error {
	for done := 0; done < rows; {
		var ops []map[string]any
		for ; len(ops) < 500 && done < rows; done++ {
			ops = append(ops, map[string]any{"op": "insert", "table": "tasks", "id": fmt.Sprintf("row-%07d", done),
				"row": map[string]any{"title": fmt.Sprintf("Write down what the team agreed on, item %d", done)}})
		}
		if err := s.call("POST", "/v1/rooms/"+room+"/commits", map[string]any{"ops": ops}, nil); err != nil {
			return err
		}
	}
	return nil
}

// rss is the resident memory of the runner in MiB.
func (s *server) rss() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return float64(kb) / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", s.cmd.Process.Pid)
}

// cpu is the processor time that the runner has used so far: user and system
// time of /proc, in ticks of 10 ms.
func (s *server) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the first is the third of proc(5)
	if len(fields) < 13 {
		return 0, fmt.Errorf("%d fields in stat of process %d", len(fields), s.cmd.Process.Pid)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
