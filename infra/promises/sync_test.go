package promises

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Promise 1 again: before each acknowledgement the disk has said that it has
// the commit.

// strace finds the program or skips, unless NANO_TEST_STRACE_REQUIRED is set.
func strace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(path, "-D", "-o", os.DevNull, "true").Run()
	}
	if err != nil && os.Getenv("NANO_TEST_STRACE_REQUIRED") == "1" {
		t.Fatalf("strace is required: %v", err)
	}
	if err != nil {
		t.Skipf("strace does not work here: %v", err)
	}
	return path
}

var (
	// A system call as it begins, with its file or connection.
	traceBegun = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*(?:>\d[^>]*)?)>(.*)$`)
	// A system call that was interrupted in the trace, as it ends.
	traceResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>.*= (-?\d+)`)
	traceResult  = regexp.MustCompile(`= (-?\d+)(?: \w+ \([^)]*\))?$`)
)

// syncWatch follows one connection, on which one commit is made at a time, and
// the write-ahead log through a trace.
type syncWatch struct {
	peer, wal string // the connection's address of the client; the log's path

	asked   bool            // a request came that is not answered
	written bool            // the commit asked for is in the log's file
	covers  map[string]bool // by thread: a sync that began after that
	durable bool            // one of those has succeeded
	reading map[string]bool // by thread: a read of the connection that is not over
	commits int             // answered

	commitID func(n int) string
}

func (w *syncWatch) step(line string) error {
	if m := traceResumed.FindStringSubmatch(line); m != nil {
		w.ended(m[1], m[2], m[3])
		return nil
	}
	m := traceBegun.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	thread, call, file, rest := m[1], m[2], m[3], m[4]
	connection, wal := strings.Contains(file, w.peer), file == w.wal
	switch {
	case wal && strings.Contains(call, "sync"):
		w.covers[thread] = w.written
	case wal && strings.Contains(rest, w.commitID(w.commits)):
		w.written = true
	case connection && (call == "read" || call == "recvfrom"):
		w.reading[thread] = true
	case connection && (call == "write" || call == "sendto"):
		return w.answered(line)
	}
	if result := traceResult.FindStringSubmatch(rest); result != nil {
		w.ended(thread, call, result[1])
	}
	return nil
}

func (w *syncWatch) ended(thread, call, result string) {
	switch {
	case strings.Contains(call, "sync"):
		w.durable = w.durable || w.covers[thread] && result == "0"
		delete(w.covers, thread)
	case w.reading[thread]:
		delete(w.reading, thread)
		w.asked = w.asked || result != "0" && !strings.HasPrefix(result, "-")
	}
}

func (w *syncWatch) answered(line string) error {
	if !w.asked || strings.Contains(line, "HTTP/1.1 101 ") { // the handshake
		w.asked = false
		return nil
	}
	n, durable := w.commits, w.durable
	written := w.written
	w.asked, w.written, w.durable = false, false, false
	w.commits++
	if !durable {
		return fmt.Errorf("commit %s was answered before a sync of the log (written: %v): %.300s", w.commitID(n), written, line)
	}
	return nil
}

func newWatch(peer, wal string, commitID func(int) string) *syncWatch {
	return &syncWatch{peer: peer, wal: wal, covers: map[string]bool{}, reading: map[string]bool{}, commitID: commitID}
}

// traced is a runner whose system calls are written down.
func traced(t *testing.T) (p *process, data, trace string) {
	t.Helper()
	dir := t.TempDir()
	data, trace = filepath.Join(dir, "data"), filepath.Join(dir, "trace")
	// -D: the runner is the child, and its tracer ends by itself.
	p = launchBy(t, exec.Command(strace(t), "-D", "-f", "-yy", "-s", "6000", "-o", trace,
		"-e", "trace=read,recvfrom,write,sendto,pwrite64,fsync,fdatasync", binary), data)
	return p, data, trace
}

func TestSyncBeforeEachAcknowledgement(t *testing.T) {
	const commits = 30
	p, data, trace := traced(t)
	ada := p.signIn(t, "ada")
	ada.room(t, "den")
	s := ada.socket(t, "den")
	var http1 net.Conn
	overHTTP := *ada
	overHTTP.http = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		MaxConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
			http1, err = new(net.Dialer).DialContext(ctx, network, addr)
			return http1, err
		},
	}}
	ways := map[string]func(body any) error{
		"http":   func(body any) error { return overHTTP.call(t.Context(), "POST", "/v1/rooms/den/commits", body, nil) },
		"socket": func(body any) error { return s.call(t.Context(), "commit", body, nil) },
	}
	name := func(way string) func(int) string {
		return func(n int) string { return fmt.Sprintf("%s-%04d;", way, n) }
	}
	for way, commit := range ways {
		for n := range commits {
			id := name(way)(n)
			if err := commit(map[string]any{"commitId": id, "ops": []any{insertTask(fmt.Sprintf("%s%d", way, n), "x")}}); err != nil {
				t.Fatalf("%s: %v", way, err)
			}
		}
	}
	p.kill()
	wal := walOf(t, data)
	for way, conn := range map[string]net.Conn{"http": http1, "socket": s.tcp} {
		w := newWatch(conn.LocalAddr().String()+"]", wal, name(way))
		w.follow(t, trace, commits)
		if w.commits != commits {
			t.Errorf("%s: the trace shows %d acknowledgements, want %d", way, w.commits, commits)
		}
	}
}

// walOf is the path of the database's write-ahead log.
func walOf(t *testing.T, data string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(data, "*-wal"))
	if err != nil || len(found) != 1 {
		t.Fatalf("write-ahead logs in %s: %v, %v", data, found, err)
	}
	return found[0]
}

// follow goes through a trace up to so many commits.
func (w *syncWatch) follow(t *testing.T, trace string, commits int) {
	t.Helper()
	file, err := os.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for w.commits < commits && lines.Scan() {
		if err := w.step(lines.Text()); err != nil {
			t.Error(err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestTheWatchSeesAMissingSync lets the test above fail, on traces that are
// not as they should be.
func TestTheWatchSeesAMissingSync(t *testing.T) {
	const (
		asked    = `7 read(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "POST", 4096) = 4`
		nothing  = `7 read(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, 0xc00, 4096) = -1 EAGAIN (Resource temporarily unavailable)`
		written  = `7 pwrite64(5</d/x.db-wal>, "\1\2 c-0000; \3", 24, 0) = 24`
		another  = `7 pwrite64(5</d/x.db-wal>, "\1\2 relay \3", 24, 0) = 24`
		synced   = `7 fdatasync(5</d/x.db-wal>) = 0`
		failed   = `7 fdatasync(5</d/x.db-wal>) = -1 EIO (Input/output error)`
		elsewhre = `7 fdatasync(4</d/replica.db-wal>) = 0`
		begun    = `8 fdatasync(5</d/x.db-wal> <unfinished ...>`
		ended    = `8 <... fdatasync resumed>) = 0`
		answered = `7 write(9<TCP:[127.0.0.1:80->127.0.0.1:5]>, "HTTP/1.1 200 OK", 15) = 15`
	)
	for name, tc := range map[string]struct {
		trace []string
		ok    bool
	}{
		"synced":                 {[]string{nothing, asked, written, synced, answered}, true},
		"by another thread":      {[]string{asked, written, begun, ended, answered}, true},
		"never":                  {[]string{asked, written, answered}, false},
		"not written":            {[]string{asked, synced, answered}, false},
		"another's write":        {[]string{asked, another, synced, answered}, false},
		"failed":                 {[]string{asked, written, failed, answered}, false},
		"another file":           {[]string{asked, written, elsewhre, answered}, false},
		"not over":               {[]string{asked, written, begun, answered, ended}, false},
		"begun before the write": {[]string{asked, begun, written, ended, answered}, false},
		"after the answer":       {[]string{asked, written, answered, synced}, false},
	} {
		w, ok := newWatch("127.0.0.1:5]", "/d/x.db-wal", func(int) string { return "c-0000;" }), true
		for _, line := range tc.trace {
			ok = w.step(line) == nil && ok
		}
		if ok != tc.ok || w.commits != 1 {
			t.Errorf("%s: accepted %v, want %v; %d commits", name, ok, tc.ok, w.commits)
		}
	}
}
