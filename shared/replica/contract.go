package replica

import (
	"context"
	"io"
	"log/slog"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/store"
)

// This file is the contract agreed on before the package was written; its
// bodies are replaced as they are built.

// Options configure a Cache.
type Options struct {
	Store     store.Store
	Blobs     blob.Store
	Dir       string           // scratch folder for the database files, private to the process
	MaxBytes  int64            // of all replicas together; least recently used out. 0: 512 MB
	MaxReader int              // readers of one replica at the same time; 0: 4
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger
}

// Cache keeps the replicas of a process.
type Cache struct{}

// NewCache returns an empty cache; nothing is opened before Acquire.
func NewCache(o Options) (*Cache, error) { panic("contract") }

// Acquire returns the replica of a room, loading it when needed (checkpoint
// and tail), and a function that releases it. Concurrent callers share one
// load. Errors: not_found when the room has no log (a fault.Error),
// unavailable when an entry has a newer format or the log has a hole that no
// checkpoint covers.
func (c *Cache) Acquire(ctx context.Context, room string) (*Replica, func(), error) {
	panic("contract")
}

// Forget drops a room's replica when nobody uses it any more.
func (c *Cache) Forget(room string) {}

// Close closes all replicas and removes their files.
func (c *Cache) Close() error { panic("contract") }

// Replica is one room in this process.
type Replica struct{}

// State is the newest published state.
func (r *Replica) State() *State { panic("contract") }

// CatchUp reads the log strongly from the replica's seq to its end, applies
// and publishes it. It waits while a Draft is open.
func (r *Replica) CatchUp(ctx context.Context) error { panic("contract") }

// CaughtUp is when the newest completed catch-up began (by the wall clock),
// or when an own commit was last published: at that moment the replica was at
// the head of the log.
func (r *Replica) CaughtUp() time.Time { panic("contract") }

// View runs fn on a consistent snapshot of the newest published state. The
// View must not be kept after fn returns. Views run concurrently with each
// other and with a Draft.
func (r *Replica) View(ctx context.Context, fn func(*View) error) error { panic("contract") }

// Begin opens the one write transaction of a replica, waiting for the one
// that is open. The caller must end it with Publish or Discard.
func (r *Replica) Begin(ctx context.Context) (*Draft, error) { panic("contract") }

// Checkpoint writes the newest published state as the room's checkpoint:
// image, recomputed sums, parts under an id of their own, verification by
// loading, then the conditional pointer. It does nothing when a checkpoint as
// new exists. Writers and readers go on meanwhile.
func (r *Replica) Checkpoint(ctx context.Context) error { panic("contract") }

// CheckpointDue reports whether the tail since the newest checkpoint exceeds
// max(64 KB, min(image/4, 4 MB)) or 2,000 entries.
func (r *Replica) CheckpointDue() bool { panic("contract") }

// Image writes the SQLite image of the newest published state, compressed,
// with its header, and returns the header.
func (r *Replica) Image(ctx context.Context, w io.Writer) (Header, error) { panic("contract") }

// Header describes an image.
type Header struct {
	Format int
	Room   string
	Seq    int64
	Rows   int64
	Sums   commitlog.Sums
	Size   int64    // of the database, uncompressed
	SHA256 [32]byte // of the database, uncompressed
}

// View is a consistent read of a room at one seq.
type View struct{}

// State is the state at the view's seq.
func (v *View) State() *State { panic("contract") }

// Row returns a row, and whether there is one.
func (v *View) Row(ctx context.Context, table int, id string) (Row, bool, error) { panic("contract") }

// Rows calls fn for each row of the answer in order, until fn returns false
// or an error. The Row and its Values are fn's to keep.
func (v *View) Rows(ctx context.Context, q ListQuery, fn func(*Row) (bool, error)) error {
	panic("contract")
}

// Commit finds an earlier commit of a user by its commitId, kept 30 days:
// its seq (0: none) and the digest of its operations.
func (v *View) Commit(ctx context.Context, user, commitID string) (int64, string, error) {
	panic("contract")
}

// Draft is an open write transaction. It is not safe for concurrent use.
// Its reads see what was applied in it.
type Draft struct{}

// State is the state with all entries finished in the draft.
func (d *Draft) State() *State { panic("contract") }

// Row, see View.
func (d *Draft) Row(ctx context.Context, table int, id string) (Row, bool, error) { panic("contract") }

// Commit, see View.
func (d *Draft) Commit(ctx context.Context, user, commitID string) (int64, string, error) {
	panic("contract")
}

// Try runs fn within a savepoint: when fn returns an error, everything
// applied by it is taken back and the error returned.
func (d *Draft) Try(ctx context.Context, fn func() error) error { panic("contract") }

// Start begins the entry after State().Seq: it sets Format, Seq and Before
// of e. At, By, CommitID, Digest, Attempt and Kind are the caller's.
func (d *Draft) Start(e *commitlog.Entry) { panic("contract") }

// Apply applies one resolved operation of the started entry. It checks only
// what would corrupt the replica (unknown numbers, a row that is or is not
// there); what users may do is checked before. For Update, Delete it fills
// Old, OldVersion, OldUpdated, OldCreated and Creator when filling is asked
// for by a nil Old (a writer); when following the log it does not.
func (d *Draft) Apply(ctx context.Context, op *commitlog.Op) error { panic("contract") }

// Schema is the schema with the operations applied so far in the started
// entry; Bytes and Members likewise see them.
func (d *Draft) Working() *State { panic("contract") }

// Finish ends the entry: uniqueness of everything touched (a fault conflict
// that names table, column and value; Path is "ops[i]..." with the index of
// the op that brought the value), commit id, counters, expiry of commit ids
// older than 30 days, and sets After.
func (d *Draft) Finish(ctx context.Context, e *commitlog.Entry) error { panic("contract") }

// Publish makes the draft what readers see. durable is when the log was known
// to end at State().Seq.
func (d *Draft) Publish(durable time.Time) error { panic("contract") }

// Discard takes the whole draft back.
func (d *Draft) Discard() error { panic("contract") }
