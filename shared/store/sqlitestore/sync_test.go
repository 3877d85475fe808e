package sqlitestore_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// strace finds the program or skips, unless NANO_TEST_STRACE_REQUIRED is set.
func strace(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(path, "-o", os.DevNull, "true").Run()
	}
	if err != nil && os.Getenv("NANO_TEST_STRACE_REQUIRED") == "1" {
		t.Fatalf("strace is required: %v", err)
	}
	if err != nil {
		t.Skipf("strace does not work here: %v", err)
	}
	return path
}

// traceChild runs a serial child under strace and gives the trace and what the
// child said.
func traceChild(t *testing.T, options ...string) (trace []string, output string, err error) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "trace")
	args := append([]string{"-f", "-y", "-o", log, "-e", "trace=write,pwrite64,fsync,fdatasync"}, options...)
	cmd := exec.CommandContext(t.Context(), strace(t), append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), childFolder+"="+t.TempDir(), childMode+"=serial")
	out, err := cmd.CombinedOutput()
	f, openErr := os.Open(log)
	if openErr != nil {
		t.Fatalf("%v: %v, %s", openErr, err, out)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		trace = append(trace, lines.Text())
	}
	return trace, string(out), err
}

var (
	traceCall    = regexp.MustCompile(`^(\d+)\s+(write|pwrite64|fsync|fdatasync)\((\d+)<([^>]*)>`)
	traceResumed = regexp.MustCompile(`^(\d+)\s+<\.\.\. (\w+) resumed>.*= (-?\d+)`)
)

// watch follows the WAL through a trace.
type watch struct {
	writes  int             // to the WAL since the last acknowledgement
	dirty   bool            // the WAL was written to after the last sync began
	covered map[string]bool // by thread: its sync began, and nothing was written since
	acks    int
	syncs   int
}

// step takes one line and complains about an acknowledgement that came before
// the sync it needs.
func (w *watch) step(line string) error {
	if m := traceResumed.FindStringSubmatch(line); m != nil {
		if strings.HasSuffix(m[2], "sync") && m[3] == "0" {
			w.synced(m[1])
		}
		return nil
	}
	m := traceCall.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	thread, call, fd, path := m[1], m[2], m[3], m[4]
	wal := strings.HasSuffix(path, ".db-wal")
	switch {
	case wal && strings.HasSuffix(call, "sync"):
		w.covered[thread] = true
		if strings.HasSuffix(line, "= 0") {
			w.synced(thread)
		}
	case wal:
		w.writes++
		w.dirty = true
		clear(w.covered)
	case fd == "1" && strings.Contains(line, "written"):
		return w.acknowledged(line)
	}
	return nil
}

func (w *watch) synced(thread string) {
	if w.covered[thread] {
		w.dirty = false
		w.syncs++
	}
	delete(w.covered, thread)
}

func (w *watch) acknowledged(line string) error {
	w.acks++
	if w.writes == 0 || w.dirty {
		return fmt.Errorf("acknowledged after %d writes to the WAL, synced: %v: %s", w.writes, !w.dirty, line)
	}
	w.writes = 0
	return nil
}

func TestASyncComesBeforeEachAcknowledgement(t *testing.T) {
	trace, output, err := traceChild(t)
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	w := watch{covered: map[string]bool{}}
	for i, line := range trace {
		if err := w.step(line); err != nil {
			t.Errorf("line %d: %v", i+1, err)
		}
	}
	if w.acks != serialWrites || w.syncs < serialWrites {
		t.Fatalf("the trace shows %d acknowledgements and %d syncs of the WAL, want %d", w.acks, w.syncs, serialWrites)
	}
}

// TestTheWatchSeesAMissingSync lets the test above fail: it takes the syncs out
// of a trace.
func TestTheWatchSeesAMissingSync(t *testing.T) {
	for _, tc := range []struct {
		name  string
		trace []string
		ok    bool
	}{
		{"synced", []string{`7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 fdatasync(5</d/x.db-wal>) = 0`, `7 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, true},
		{"never synced", []string{`7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, false},
		{"another file synced", []string{`7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 fdatasync(4</d/x.db>) = 0`, `7 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, false},
		{"the sync failed", []string{`7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 fdatasync(5</d/x.db-wal>) = -1 EIO (Input/output error)`, `7 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, false},
		{"not completed", []string{`7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 fdatasync(5</d/x.db-wal> <unfinished ...>`, `8 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, false},
		{"resumed", []string{`7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 fdatasync(5</d/x.db-wal> <unfinished ...>`, `7 <... fdatasync resumed>) = 0`, `8 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, true},
		{"written after the sync", []string{`7 fdatasync(5</d/x.db-wal>) = 0`, `7 pwrite64(5</d/x.db-wal>, "", 24, 0) = 24`, `7 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, false},
		{"nothing written", []string{`7 fdatasync(5</d/x.db-wal>) = 0`, `7 write(1<pipe:[1]>, "written 0 1\n", 12) = 12`}, false},
	} {
		w, ok := watch{covered: map[string]bool{}}, true
		for _, line := range tc.trace {
			ok = w.step(line) == nil && ok
		}
		if ok != tc.ok {
			t.Errorf("%s: accepted %v, want %v", tc.name, ok, tc.ok)
		}
	}
}

// TestAFailedSyncIsNotAcknowledged lets the tenth fdatasync fail: the write
// that waits for it ends as of unknown outcome, and nothing is written after it.
func TestAFailedSyncIsNotAcknowledged(t *testing.T) {
	trace, output, err := traceChild(t, "-e", "inject=fdatasync:error=EIO:when=10")
	if err == nil || !strings.Contains(output, "outcome unknown") {
		t.Fatalf("the child ended with %v: %s", err, output)
	}
	// How many came before is not certain: strace counts the calls of each thread, and syncs move between threads.
	if !strings.Contains(output, "written") {
		t.Fatal("no write was acknowledged before the failure")
	}
	failed := false
	for _, line := range trace {
		failed = failed || strings.Contains(line, "EIO")
		if failed && strings.Contains(line, "written") {
			t.Fatalf("acknowledged after a failed sync: %s", line)
		}
	}
	if !failed {
		t.Fatal("no sync failed")
	}
}
