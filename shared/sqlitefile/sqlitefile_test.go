package sqlitefile

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

func open(t *testing.T, folder string) *File {
	t.Helper()
	f, err := Open(t.Context(), folder, Options{})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return f
}

// insert is a write of one key.
func insert(key string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO meta VALUES (?, 1)", "test "+key)
		return err
	}
}

// keys reads what insert wrote.
func keys(t *testing.T, f *File) string {
	t.Helper()
	var found []string
	err := f.Read(context.Background(), func(tx *Tx) error {
		return tx.Query("SELECT key FROM meta WHERE key LIKE 'test %' ORDER BY key", func(row []driver.Value) error {
			found = append(found, strings.TrimPrefix(fmt.Sprint(row[0]), "test "))
			return nil
		})
	})
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	return strings.Join(found, " ")
}

// inOneGroup holds the lead until all submits wait, so that they become one
// group in that order, and gives their outcomes.
func inOneGroup(t *testing.T, f *File, submits ...func() error) []error {
	t.Helper()
	errs := make([]error, len(submits))
	var group sync.WaitGroup
	f.exclusively(func() {
		for i, submit := range submits {
			group.Go(func() { errs[i] = submit() })
			for waiting := 0; waiting <= i; runtime.Gosched() {
				f.mu.Lock()
				waiting = len(f.queue)
				f.mu.Unlock()
			}
		}
	})
	group.Wait()
	return errs
}

var errRefused = errors.New("refused")

func refuseAfter(write func(*Tx) error) func(*Tx) error {
	return func(tx *Tx) error { return errors.Join(write(tx), errRefused) }
}

func TestARefusalUndoesOnlyItself(t *testing.T) {
	f := open(t, t.TempDir())
	submit := func(fn func(*Tx) error) func() error { return func() error { return f.Submit(t.Context(), fn) } }
	errs := inOneGroup(t, f,
		submit(insert("a")),
		submit(refuseAfter(insert("b"))),
		submit(insert("a")), // breaks the primary key
		func() error { return f.SubmitSingle(t.Context(), func(*Tx) error { return errRefused }) },
		submit(insert("c")),
	)
	var violated *sqlite.Error
	if errs[0] != nil || !errors.Is(errs[1], errRefused) || !errors.As(errs[2], &violated) || !errors.Is(errs[3], errRefused) || errs[4] != nil {
		t.Fatalf("outcomes %v", errs)
	}
	if got := keys(t, f); got != "a c" {
		t.Fatalf("the file holds %q", got)
	}
}

func TestALoneRefusalIsUndone(t *testing.T) {
	f := open(t, t.TempDir())
	if err := f.Submit(t.Context(), refuseAfter(insert("a"))); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	if err := f.Submit(t.Context(), insert("b")); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, f); got != "b" {
		t.Fatalf("the file holds %q", got)
	}
}

// TestASingleWriteMustNotFailHalfApplied shows that the group is saved from a
// caller that breaks the rule of SubmitSingle.
func TestASingleWriteMustNotFailHalfApplied(t *testing.T) {
	f := open(t, t.TempDir())
	errs := inOneGroup(t, f,
		func() error { return f.SubmitSingle(t.Context(), refuseAfter(insert("a"))) },
		func() error { return f.Submit(t.Context(), insert("b")) },
	)
	if errs[0] == nil || errs[1] == nil || keys(t, f) != "" {
		t.Fatalf("outcomes %v, the file holds %q", errs, keys(t, f))
	}
}

func TestAPanicReachesWhoCausedIt(t *testing.T) {
	f := open(t, t.TempDir())
	var caught any
	errs := inOneGroup(t, f,
		func() error { return f.Submit(t.Context(), insert("a")) },
		func() error {
			defer func() { caught = recover() }()
			return f.Submit(t.Context(), func(tx *Tx) error { panic(insert("b")(tx) == nil) })
		},
		func() error { return f.Submit(t.Context(), insert("c")) },
	)
	if caught != true || errs[0] != nil || errs[2] != nil || keys(t, f) != "a c" {
		t.Fatalf("caught %v, outcomes %v, the file holds %q", caught, errs, keys(t, f))
	}
}

func TestAWriteThatWaitsEndsWithItsContext(t *testing.T) {
	f := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	f.exclusively(func() {
		go func() { ended <- f.Submit(ctx, insert("a")) }()
		for waiting := 0; waiting == 0; runtime.Gosched() {
			f.mu.Lock()
			waiting = len(f.queue)
			f.mu.Unlock()
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("Submit: %v, want context.Canceled", err)
		}
	})
	if err := f.Submit(t.Context(), insert("b")); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, f); got != "b" {
		t.Fatalf("the file holds %q", got)
	}
}

// failing is a statement that fails as the disk does.
type failing struct{ statement }

var errDisk = errors.New("the disk failed")

func (failing) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, errDisk
}

func TestAFailedCommitClosesTheFile(t *testing.T) {
	folder := t.TempDir()
	f := open(t, folder)
	if err := f.Submit(t.Context(), insert("a")); err != nil {
		t.Fatal(err)
	}
	f.writer.statements["COMMIT"] = failing{f.writer.statements["COMMIT"]}
	errs := inOneGroup(t, f,
		func() error { return f.Submit(t.Context(), insert("b")) },
		func() error { return f.Submit(t.Context(), refuseAfter(insert("c"))) },
	)
	for i, err := range errs {
		if !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, errDisk) {
			t.Errorf("write %d of the group: %v, want ErrUnknownOutcome", i, err)
		}
	}
	if err := f.Submit(t.Context(), insert("d")); !errors.Is(err, ErrFailed) || errors.Is(err, ErrUnknownOutcome) {
		t.Errorf("Submit: %v, want ErrFailed", err)
	}
	if err := f.Read(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrFailed) {
		t.Errorf("Read: %v, want ErrFailed", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if got := keys(t, open(t, folder)); !strings.HasPrefix(got, "a") || strings.Contains(got, "d") {
		t.Errorf("the file holds %q", got)
	}
}

// TestAFullDiskRefusesTheGroup sets a limit that SQLite treats like a full disk.
func TestAFullDiskRefusesTheGroup(t *testing.T) {
	f := open(t, t.TempDir())
	if err := f.writer.once("PRAGMA max_page_count = 30"); err != nil {
		t.Fatal(err)
	}
	large := insert(strings.Repeat("x", 300_000))
	errs := inOneGroup(t, f,
		func() error { return f.Submit(t.Context(), insert("a")) },
		func() error { return f.Submit(t.Context(), large) },
		func() error { return f.Submit(t.Context(), insert("b")) },
	)
	for i, err := range errs {
		var full *sqlite.Error
		if !errors.As(err, &full) || full.Code() != sqlite3.SQLITE_FULL || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("write %d of the group: %v, want SQLITE_FULL", i, err)
		}
	}
	if err := f.Submit(t.Context(), insert("c")); err != nil {
		t.Fatalf("a write that fits: %v", err)
	}
	if got := keys(t, f); got != "c" {
		t.Fatalf("the file holds %q", got)
	}
}

func TestSubmitLaterComesWithTheNextWriteOrClose(t *testing.T) {
	folder := t.TempDir()
	f := open(t, folder)
	later := func(fn func(*Tx) error) {
		t.Helper()
		if err := f.SubmitLater(fn); err != nil {
			t.Fatal(err)
		}
	}
	later(insert("a"))
	later(refuseAfter(insert("b")))
	if got := keys(t, f); got != "" {
		t.Fatalf("before a write the file holds %q", got)
	}
	if err := f.Submit(t.Context(), func(*Tx) error { return errRefused }); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	if err := f.Submit(t.Context(), insert("c")); err != nil {
		t.Fatal(err)
	}
	if got := keys(t, f); got != "a c" {
		t.Fatalf("after a write the file holds %q", got)
	}
	later(insert("d"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.SubmitLater(insert("e")); !errors.Is(err, ErrClosed) {
		t.Fatalf("SubmitLater: %v, want ErrClosed", err)
	}
	if got := keys(t, open(t, folder)); got != "a c d" {
		t.Fatalf("after Close the file holds %q", got)
	}
}

func TestCloseWaitsForWritesAndRefusesLaterOnes(t *testing.T) {
	folder := t.TempDir()
	f := open(t, folder)
	accepted := make([]error, 20)
	var group sync.WaitGroup
	for i := range accepted {
		group.Go(func() { accepted[i] = f.Submit(t.Context(), insert(fmt.Sprintf("%02d", i))) })
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	if err := f.Submit(t.Context(), insert("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("Submit: %v, want ErrClosed", err)
	}
	if err := f.Read(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("Read: %v, want ErrClosed", err)
	}
	var want []string
	for i, err := range accepted {
		switch {
		case err == nil:
			want = append(want, fmt.Sprintf("%02d", i))
		case !errors.Is(err, ErrClosed):
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := keys(t, open(t, folder)); got != strings.Join(want, " ") {
		t.Fatalf("the file holds %q, want %q", got, want)
	}
}

func TestTheFolderIsLocked(t *testing.T) {
	folder := t.TempDir()
	open(t, folder)
	_, err := Open(t.Context(), folder, Options{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("a second Open: %v", err)
	}
}

func TestANewerFormatIsRefused(t *testing.T) {
	folder := t.TempDir()
	f := open(t, folder)
	err := f.Submit(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec("UPDATE meta SET value = ? WHERE key = 'format'", int64(Format+1))
		return err
	})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), folder, Options{}); !errors.Is(err, ErrNewer) {
		t.Fatalf("Open: %v, want ErrNewer", err)
	}
	if _, err := Open(t.Context(), folder, Options{}); errors.Is(err, ErrLocked) {
		t.Fatal("a refused Open keeps the lock")
	}
}

func TestAForeignFileIsRefused(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, Name), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	var foreign *sqlite.Error
	if _, err := Open(t.Context(), folder, Options{}); !errors.As(err, &foreign) || foreign.Code() != sqlite3.SQLITE_NOTADB {
		t.Fatalf("Open: %v, want SQLITE_NOTADB", err)
	}
}

// TestTheWALStaysBounded writes without a pause while the checkpointer runs.
func TestTheWALStaysBounded(t *testing.T) {
	folder := t.TempDir()
	f, err := Open(t.Context(), folder, Options{CheckpointBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	const writers, each, size = 4, 150, 8000
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				if err := f.Submit(t.Context(), insert(fmt.Sprintf("%d %03d %s", w, i, strings.Repeat("x", size)))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	stat, err := os.Stat(filepath.Join(folder, Name+"-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if written := int64(writers * each * size); stat.Size() > written/2 {
		t.Errorf("the WAL has %d bytes after %d were written", stat.Size(), written)
	}
	if got := strings.Count(keys(t, f), "x "); got != writers*each-1 {
		t.Errorf("%d keys are there, want %d", got+1, writers*each)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
