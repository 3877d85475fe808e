package replica

import (
	"container/list"
	"syscall"
)

// What an open replica takes beside its files, measured with 200 small rooms:
// 0.4 MB for the database with its writer, 0.14 MB for a reader; descriptors
// of the database, its write-ahead log and shared memory, and of the first two
// again for a reader. SQLite keeps that of the database when a reader is
// closed, for the next one: closing it would drop the process's locks.
const (
	replicaMemory = 384 << 10
	readerMemory  = 160 << 10
	replicaFiles  = 3
)

// maxWarm is how many rooms nobody uses at the moment keep their readers, the
// most recently used ones. Opening one again takes less than a millisecond.
const maxWarm = 32

// cost is what replicas take of the process's means.
type cost struct {
	bytes int64 // of files and memory
	files int   // descriptors
}

func (c *cost) change(from, to cost) {
	c.bytes += to.bytes - from.bytes
	c.files += to.files - from.files
}

// defaultFiles is half of the descriptors that the process may open; the other
// half is for connections, and for what loads and checkpoints need meanwhile.
func defaultFiles() int {
	const usual, most = 1024, 1 << 20
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return usual / 2
	}
	return int(min(limit.Cur, most) / 2)
}

// measure brings an entry's cost up to date. Readers are counted when nobody
// uses the room: the count would wait for one that is being opened.
func (c *Cache) measure(e *entry) {
	if e.replica == nil || e.gone {
		return
	}
	db := e.replica.db.Load()
	if db == nil {
		return
	}
	const often = 32 // entries, of at most 350 KB each
	if seq := e.replica.State().Seq; e.stored == 0 || seq-e.sizedAt >= often {
		e.stored, e.sizedAt = db.size(), seq
	}
	if e.users == 0 {
		e.readers = db.readers()
		e.peak = max(e.peak, e.readers)
	}
	now := cost{e.stored + replicaMemory + int64(e.readers)*readerMemory + db.vectors.bytes.Load(), replicaFiles + e.readers + e.peak}
	c.total.change(e.cost, now)
	e.cost = now
}

// cool notes that the last user of a room has left, and takes the readers from
// the rooms that were not used lately, for the caller to close.
func (c *Cache) cool(left *entry) (conns []*conn) {
	if !left.gone && left.readers > 0 {
		c.warm.keep(left)
	}
	for c.warm.Len() > maxWarm {
		e := c.warm.oldest()
		c.warm.drop(e)
		if db := e.replica.db.Load(); db != nil && e.users == 0 {
			conns = append(conns, db.takeIdle()...)
			c.measure(e)
		}
	}
	return conns
}

// warmth is the list of rooms that may have idle readers, most recently used
// first.
type warmth struct{ list.List }

func (w *warmth) keep(e *entry) {
	if e.warm != nil {
		w.MoveToFront(e.warm)
		return
	}
	e.warm = w.PushFront(e)
}

func (w *warmth) drop(e *entry) {
	if e.warm != nil {
		w.Remove(e.warm)
		e.warm = nil
	}
}

func (w *warmth) oldest() *entry {
	e, _ := w.Back().Value.(*entry)
	return e
}

// readers is the number of connections for views.
func (db *database) readers() int {
	db.mu.Lock()
	defer db.mu.Unlock()
	return len(db.idle) + db.active
}

// takeIdle takes the connections that no view uses.
func (db *database) takeIdle() []*conn {
	db.mu.Lock()
	defer db.mu.Unlock()
	taken := db.idle
	db.idle = nil
	return taken
}

// overflow detaches the least recently used replicas that nobody uses, until
// the rest fits.
func (c *Cache) overflow() (victims []*entry) {
	for at := c.lru.Back(); at != nil && (c.total.bytes > c.o.MaxBytes || c.total.files > c.o.MaxFiles); {
		e, _ := at.Value.(*entry)
		at = at.Prev()
		if e.users == 0 {
			c.detach(e)
			victims = append(victims, e)
		}
	}
	return victims
}

func (c *Cache) closeAll(entries []*entry) {
	for _, e := range entries {
		if e.replica == nil {
			continue
		}
		if err := e.replica.close(); err != nil {
			c.o.Log.Warn("replica: not closed cleanly", "room", e.room, "error", err)
		}
	}
}

func (c *Cache) closeReaders(conns []*conn) {
	for _, conn := range conns {
		if err := conn.close(); err != nil {
			c.o.Log.Warn("replica: reader not closed cleanly", "error", err)
		}
	}
}
