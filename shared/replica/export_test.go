package replica

import (
	"context"
	"runtime"
	"time"

	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

// Recount gives the sums, rows and bytes of what the replica's tables hold.
func (r *Replica) Recount(ctx context.Context) (sums commitlog.Sums, rows, bytes int64, err error) {
	err = r.View(ctx, func(v *View) error {
		sums, rows, bytes, err = recount(ctx, v.conn, v.state)
		return err
	})
	return sums, rows, bytes, err
}

// Corrupt runs SQL behind the replica's back.
func (r *Replica) Corrupt(query string) error { return r.db.Load().write.script(query) }

// Dir is the cache's own scratch folder.
func (c *Cache) Dir() string { return c.scratch.dir }

// Loaded is the number of rooms in the cache.
func (c *Cache) Loaded() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// DecodeHeader is the decoder of a header.
var DecodeHeader = decodeHeader

// Endless runs a query without end; begun is called while it runs.
func (v *View) Endless(begun func()) error {
	s, err := v.conn.prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n")
	if err != nil {
		return err
	}
	go begun()
	return run(s)
}

// WaitForUsers returns when n callers hold or wait for a room.
func (c *Cache) WaitForUsers(room string, n int) {
	for {
		c.mu.Lock()
		e := c.entries[room]
		there := e != nil && e.users >= n
		c.mu.Unlock()
		if there {
			return
		}
		runtime.Gosched()
	}
}

// Bytes is the size of all replicas in the cache.
func (c *Cache) Bytes() (total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		total += e.cost.bytes
	}
	return total
}

// Rows is List with a Row for each row, fn's to keep.
func (v *View) Rows(ctx context.Context, q ListQuery, fn func(*Row) (bool, error)) error {
	return v.List(ctx, q, func(c *Cells) (bool, error) {
		row := new(Row)
		c.table.scan(c.stmt, row)
		return fn(row)
	})
}

// MaxExpired is how many commit ids an entry removes at most.
const MaxExpired = maxExpired

// Expired tells whether a commit id is expired at a later seq and time.
func Expired(idSeq, idAt, seq, at int64) bool {
	return commitMark{idSeq, schema.Millis(idAt)}.before(expiry(seq, schema.Millis(at)))
}

// Commits is the number of commit ids in the database.
func (r *Replica) Commits(ctx context.Context) (n int) {
	err := r.View(ctx, func(v *View) error {
		return recountCommits(ctx, v.conn, func(string, string, string, int64, schema.Millis) { n++ })
	})
	if err != nil {
		panic(err)
	}
	return n
}

// WaitForCatchUp returns when a catch-up is under way.
func (r *Replica) WaitForCatchUp() {
	for r.begun.Load() == r.done.Load() {
		runtime.Gosched()
	}
}

// ChangesKept bounds the bytes of changes kept.
const ChangesKept = changesKept

// ChangeBytes is how many bytes of changes are kept.
func (r *Replica) ChangeBytes() (n int64) {
	_, err := r.db.Load().write.one("SELECT sum(length(op)) FROM changes", func(s *sqlite.Stmt) { n = s.ColumnInt64(0) })
	if err != nil {
		panic(err)
	}
	return n
}

// MaxWarm is how many rooms that nobody uses keep their readers.
const MaxWarm = maxWarm

// Files is the number of descriptors that the cache counts.
func (c *Cache) Files() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total.files
}

// MaxTables is how many tables have their statements kept by a connection.
const MaxTables = maxTables

// Tables is the number of tables with statements on the view's connection.
func (v *View) Tables() int { return len(v.conn.tables) }

// WriterTables is the number of tables with statements on the writer's.
func (r *Replica) WriterTables() int { return len(r.db.Load().write.tables) }

// MaxLoads is how many replicas are made at the same time.
const MaxLoads = maxLoads

// Recounted reads all rows of a replica once.
func (r *Replica) Recounted(ctx context.Context) (int64, error) {
	_, rows, _, err := r.Recount(ctx)
	return rows, err
}

// AnonymousMemory is about what SQLite has allocated.
var AnonymousMemory = anonymousMemory

// SetSQLTime bounds statements by another time.
func (r *Replica) SetSQLTime(d time.Duration) { r.cache.sqlTime = d }

// DropVectors forgets the vectors in memory.
func (r *Replica) DropVectors() error {
	x := &r.db.Load().vectors
	x.mu.Lock()
	defer x.mu.Unlock()
	x.loaded.Store(false)
	x.index, x.hashes, x.slots = nil, nil, nil
	return nil
}
