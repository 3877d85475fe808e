package sqlitefile

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"nanotypedb/shared/faultpoint"
)

const (
	// checkpointBytes is how much is written between two checkpoints, counted
	// as the data and one page a group. The WAL grows to a few times that, as
	// every changed page is in it, and is then overwritten from its beginning,
	// which syncs faster than a file that grows. It is also what opening the
	// file after a kill has to read.
	checkpointBytes = 4 << 20

	// pageBytes is SQLite's page, the unit of the WAL.
	pageBytes = 4096

	// maxWAL is the length of the WAL, in distances between checkpoints, above
	// which the rest of a checkpoint is done while nobody writes. Without that,
	// a WAL that is written to all the time never starts anew.
	maxWAL = 2
)

// checkpointer copies the WAL into the file from a goroutine of its own and
// with a connection of its own. PASSIVE waits for nobody and lets nobody wait.
type checkpointer struct {
	file    *File
	every   int64
	pending atomic.Int64
	due     chan struct{}
	done    sync.WaitGroup
	tx      *Tx
	err     error // of the last attempt; read after done
}

func startCheckpointer(f *File, every int64) *checkpointer {
	if every <= 0 {
		every = checkpointBytes
	}
	c := &checkpointer{file: f, every: every, due: make(chan struct{}, 1)}
	c.done.Go(c.loop)
	return c
}

// wrote tells that a group was committed. Only who leads calls it.
func (c *checkpointer) wrote(bytes int64) {
	if c.pending.Add(bytes+pageBytes) < c.every {
		return
	}
	select {
	case c.due <- struct{}{}:
	default:
	}
}

func (c *checkpointer) loop() {
	for range c.due {
		c.pending.Store(0)
		c.err = c.checkpoint()
	}
	if c.tx != nil {
		c.err = errors.Join(c.err, c.tx.close())
	}
}

// checkpoint may fail, as on a full disk: what is in the WAL is durable all the
// same, and the next attempt does the rest.
func (c *checkpointer) checkpoint() error {
	if c.tx == nil {
		tx, err := c.file.connect(false)
		if err != nil {
			return fmt.Errorf("open the checkpointer: %w", err)
		}
		c.tx = tx
	}
	faultpoint.Reach(PointBeforeCheckpoint)
	frames, err := c.passive()
	if err == nil && frames > maxWAL*c.every/pageBytes {
		c.file.exclusively(func() { _, err = c.passive() })
	}
	faultpoint.Reach(PointAfterCheckpoint)
	return err
}

// passive copies what is in the WAL at the call and gives the WAL's length then,
// in pages.
func (c *checkpointer) passive() (frames int64, err error) {
	err = c.tx.Query("PRAGMA wal_checkpoint(PASSIVE)", func(row []driver.Value) error {
		n, ok := row[1].(int64)
		if !ok {
			return fmt.Errorf("wal_checkpoint answered %v", row)
		}
		frames = n
		return nil
	})
	return frames, err
}

// stop ends the goroutine. Nobody may write any more.
func (c *checkpointer) stop() error {
	close(c.due)
	c.done.Wait()
	return c.err
}
