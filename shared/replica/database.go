package replica

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"zombiezen.com/go/sqlite"
)

// A replica's file can be made again from the log at any time, so nothing of
// it is ever synced.
var (
	writerPragmas = []string{"PRAGMA synchronous=OFF", "PRAGMA wal_autocheckpoint=0", "PRAGMA cache_size=-16384",
		"PRAGMA temp_store=MEMORY", "PRAGMA cell_size_check=OFF"}
	readerPragmas = []string{"PRAGMA query_only=ON", "PRAGMA cache_size=-8192", "PRAGMA temp_store=MEMORY", "PRAGMA mmap_size=1073741824"}
)

// database is one SQLite file with its connections. A replica changes to
// another when it is loaded anew; the old file goes when its last view ends.
type database struct {
	path  string
	write *conn

	mu      sync.Mutex
	idle    []*conn
	active  int
	retired bool

	vectors vectors
}

// createDatabase makes the empty database of a room at seq 0.
func createDatabase(path, room string) (*database, *State, error) {
	db, err := openDatabase(path)
	if err != nil {
		return nil, nil, err
	}
	state := emptyState(room)
	state.oldest = none
	for _, q := range slices.Concat(ownTables, []string{changesTable}, indexTables) {
		if err == nil {
			err = db.write.script(q)
		}
	}
	if err == nil {
		err = writeState(db.write, state, true)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("create replica: %w", err), db.retire())
	}
	return db, state, nil
}

// openDatabase opens a file, or makes it.
func openDatabase(path string) (*database, error) {
	w, err := openConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate, append([]string{"PRAGMA journal_mode=WAL"}, writerPragmas...)...)
	if err != nil {
		return nil, errors.Join(err, removeDatabase(path))
	}
	return &database{path: path, write: w}, nil
}

// reader gives a connection for one view.
func (db *database) reader() (*conn, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if n := len(db.idle); n > 0 {
		c := db.idle[n-1]
		db.idle = db.idle[:n-1]
		db.active++
		return c, nil
	}
	c, err := openConn(db.path, sqlite.OpenReadWrite, readerPragmas...)
	if err != nil {
		return nil, err
	}
	if c.pin, err = c.db.Prepare("SELECT seq FROM head"); err != nil {
		return nil, errors.Join(fmt.Errorf("open reader: %w", err), c.close())
	}
	db.active++
	return c, nil
}

// retain keeps the database's files until release.
func (db *database) retain() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.active++
}

func (db *database) release() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.leave()
}

// leave ends one use of the files; the caller holds mu.
func (db *database) leave() error {
	db.active--
	if db.retired && db.active == 0 {
		return removeDatabase(db.path)
	}
	return nil
}

// endView gives a view's connection back.
func (db *database) endView(c *conn) error {
	err := c.pin.Reset()
	c.db.SetInterrupt(nil)
	db.mu.Lock()
	defer db.mu.Unlock()
	if sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		err = nil
	}
	if err != nil || db.retired {
		err = errors.Join(err, c.close())
	} else {
		db.idle = append(db.idle, c)
	}
	return errors.Join(err, db.leave())
}

// retire closes the database; readers that are at work end first.
func (db *database) retire() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.retired {
		return nil
	}
	db.retired = true
	err := db.write.close()
	for _, c := range db.idle {
		err = errors.Join(err, c.close())
	}
	db.idle = nil
	if db.active == 0 {
		err = errors.Join(err, removeDatabase(db.path))
	}
	return err
}

// removeDatabase removes a database's files, those that are there.
func removeDatabase(path string) error {
	var err error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if e := os.Remove(path + suffix); e != nil && !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// size is the bytes of the database's files.
func (db *database) size() int64 {
	var n int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(db.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}
