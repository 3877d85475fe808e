// Package sqlitefile owns the one SQLite file that the embedded store and queue
// share: it locks the data folder, opens and migrates the file, groups waiting
// writes into one transaction with one disk sync, and keeps readers apart from
// the writer.
//
// A write is a function that is run inside the group's transaction, by whoever
// leads the group. The first to come while nobody writes leads at once and
// alone, so that a lone write waits for nothing but the disk; whoever comes
// meanwhile waits, and one of those leads the next group of all who wait. There
// is no timer and no goroutine in between.
//
// The file is in WAL mode with synchronous=FULL: COMMIT returns after the WAL
// was synced, and only then readers see the changes and writers get their
// answers. A checkpoint copies the WAL into the file, from a goroutine that
// Open starts and Close ends.
package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"nanotypedb/shared/faultpoint"

	"modernc.org/sqlite"
)

// Name is the file's name in the data folder.
const Name = "nanotype.db"

// maxReaders is how many reads run at once; others wait.
const maxReaders = 4

// The steps between two effects.
const (
	PointBeforeCommit     faultpoint.Name = "sqlitefile.before-commit"     // the group is applied, nothing is durable
	PointAfterCommit      faultpoint.Name = "sqlitefile.after-commit"      // durable, nobody has an answer
	PointBeforeCheckpoint faultpoint.Name = "sqlitefile.before-checkpoint" // the WAL is about to be copied
	PointAfterCheckpoint  faultpoint.Name = "sqlitefile.after-checkpoint"  // it was copied
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointBeforeCommit, PointAfterCommit, PointBeforeCheckpoint, PointAfterCheckpoint}

// Errors that callers tell apart with errors.Is. After any other error of
// Submit nothing was applied.
var (
	// ErrUnknownOutcome: the commit failed; the write may be there after the
	// file is opened again.
	ErrUnknownOutcome = errors.New("sqlitefile: outcome of the commit unknown")
	// ErrFailed: an earlier commit failed, and the file does nothing until it
	// is opened again, because after a failed sync nobody knows what the disk
	// holds.
	ErrFailed = errors.New("sqlitefile: the file failed and must be opened again")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("sqlitefile: closed")
)

// File is the open file. All methods may be called concurrently.
type File struct {
	path   string
	unlock func() error

	mu      sync.Mutex
	writing bool       // somebody leads
	closed  bool       // no new writes
	queue   []*request // waiting, in order of arrival

	// Of whoever leads.
	writer *Tx
	group  []*request
	later  []func(*Tx) error // see SubmitLater; guarded by mu

	failure atomic.Pointer[error]
	readers chan *Tx // maxReaders places, nil where none is open yet

	checkpoints *checkpointer
}

// Options change what only tests change.
type Options struct {
	// CheckpointBytes is how much is written between two checkpoints; 0 is
	// the default.
	CheckpointBytes int64
}

// Open locks the folder, which it makes when it is not there, and opens the
// file in it, made or migrated to this code's format. It refuses a folder that
// another process has open and a file of a newer format.
func Open(ctx context.Context, folder string, options Options) (*File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	unlock, err := lockFolder(folder)
	if err != nil {
		return nil, err
	}
	f := &File{path: filepath.Join(folder, Name), unlock: unlock, readers: make(chan *Tx, maxReaders)}
	for range maxReaders {
		f.readers <- nil
	}
	if err := f.open(ctx, options); err != nil {
		return nil, errors.Join(err, unlock())
	}
	return f, nil
}

func (f *File) open(ctx context.Context, options Options) error {
	// fdatasync leaves out only the file's times. Where it does not exist,
	// fsync stays.
	if _, err := sqlite.Fdatasync(true); err != nil && !errors.Is(err, sqlite.ErrFdatasyncUnavailable) {
		return err
	}
	writer, err := f.connect(false)
	if err == nil {
		f.writer = writer
		err = f.prepare(ctx)
	}
	if err != nil {
		if f.writer != nil {
			err = errors.Join(err, f.writer.close())
		}
		return fmt.Errorf("open %s: %w", f.path, err)
	}
	f.checkpoints = startCheckpointer(f, options.CheckpointBytes)
	return nil
}

// prepare brings the file to this format and, when it is new, makes its name
// and that of its folder durable.
func (f *File) prepare(ctx context.Context) error {
	made, err := f.migrate(ctx)
	if err != nil || !made {
		return err
	}
	folder := filepath.Dir(f.path)
	return errors.Join(syncFolder(folder), syncFolder(filepath.Dir(folder)))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// connect opens one more connection.
func (f *File) connect(readOnly bool) (*Tx, error) {
	driver := &sqlite.Driver{}
	conn, err := driver.Open(f.path)
	if err != nil {
		return nil, err
	}
	tx := &Tx{conn: conn, statements: map[string]statement{}}
	pragmas := []string{
		"PRAGMA busy_timeout = 10000",
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL",
		"PRAGMA wal_autocheckpoint = 0",
		"PRAGMA cache_size = -16384",
		"PRAGMA temp_store = MEMORY",
	}
	if readOnly {
		pragmas = append(pragmas, "PRAGMA query_only = ON")
	}
	for _, pragma := range pragmas {
		if err := tx.once(pragma); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", pragma, err), tx.close())
		}
	}
	return tx, nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Failed gives the reason once the file has failed, else nil.
func (f *File) Failed() error {
	if failure := f.failure.Load(); failure != nil {
		return *failure
	}
	return nil
}

// fail stops all further use.
func (f *File) fail(cause error) {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	f.failure.CompareAndSwap(nil, &err)
}

// Read runs fn with a connection that sees everything acknowledged before the
// call. Writers do not delay it. Each query of fn has a snapshot of its own.
func (f *File) Read(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var tx *Tx
	var open bool
	select {
	case tx, open = <-f.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !open {
		return ErrClosed
	}
	defer func() { f.readers <- tx }()
	if err := f.Failed(); err != nil {
		return err
	}
	if tx == nil {
		var err error
		if tx, err = f.connect(true); err != nil {
			return fmt.Errorf("open a reader: %w", err)
		}
	}
	return fn(tx)
}

// Close waits for writes and reads that were accepted, makes durable what was
// submitted for later, and gives the folder free. Later calls get ErrClosed.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	f.mu.Unlock()
	var err error
	f.exclusively(func() { err = f.flush() })
	err = errors.Join(err, f.checkpoints.stop())
	for range maxReaders {
		if tx := <-f.readers; tx != nil {
			err = errors.Join(err, tx.close())
		}
	}
	close(f.readers)
	return errors.Join(err, f.writer.close(), f.unlock())
}

// flush commits what waits for a later group.
func (f *File) flush() error {
	if err := f.Failed(); err != nil {
		return nil //nolint:nilerr // who caused it was told; what waits is harmless to lose
	}
	f.mu.Lock()
	waiting := len(f.later)
	f.mu.Unlock()
	if waiting == 0 {
		return nil
	}
	last := &request{ctx: context.Background(), run: func(*Tx) error { return nil }}
	f.commit([]*request{last})
	return last.err
}
