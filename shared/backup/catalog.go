// Package backup keeps what a room was: snapshots, which are kept images with
// a record, and segments, in which the entries of its log outlive the log. From
// the nearest snapshot before it and the entries after that, any seq within the
// retention can be rebuilt. On this stand the restore of a room, of tables or of
// rows, and the upkeep that takes away what nothing needs any more.
//
// Blobs of a room are under rooms/<ulid>/: snapshots/, segments/, loads/ and
// what others stage. A blob is written and verified before a record names it,
// and a record is gone before its blob goes; what a crash leaves unnamed is
// swept.
package backup

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// Kind is why a snapshot was taken.
type Kind string

// The kinds.
const (
	Hourly        Kind = "hourly"         // by the schedule, of a room that had changed
	Manual        Kind = "manual"         // somebody asked for it
	Safety        Kind = "safety"         // before an import replaced content
	BeforeRestore Kind = "before-restore" // before a restore
)

// Snapshot is the record of a kept image.
type Snapshot struct {
	ID       string        `json:"id"` // ULID
	Seq      int64         `json:"seq"`
	At       schema.Millis `json:"at"`    // when it was taken
	SeqAt    schema.Millis `json:"seqAt"` // of the commit at Seq
	Kind     Kind          `json:"kind"`
	Rows     int64         `json:"rows"`
	Bytes    int64         `json:"bytes"` // of the image, compressed
	Tables   int           `json:"tables"`
	Note     string        `json:"note,omitempty"`
	By       string        `json:"by,omitempty"` // user id; empty: the schedule
	Blob     string        `json:"blob"`
	SHA256   string        `json:"sha256"`             // of the blob
	Verified schema.Millis `json:"verified"`           // when it was last loaded whole
	Unlisted bool          `json:"unlisted,omitempty"` // deleted by a user, and gone when no seq needs it
}

// Public is a snapshot as users see it, in its form on the wire.
type Public struct {
	ID       string          `json:"id"`
	Seq      int64           `json:"seq"`
	At       json.RawMessage `json:"at"` // RFC 3339
	Kind     Kind            `json:"kind"`
	Rows     int64           `json:"rows"`
	Bytes    int64           `json:"bytes"`
	Tables   int             `json:"tables"`
	Note     string          `json:"note"`
	By       string          `json:"by,omitempty"`
	Verified json.RawMessage `json:"verified"` // RFC 3339
}

// Public leaves out what is nobody's business: where the image is.
func (s *Snapshot) Public() Public {
	return Public{s.ID, s.Seq, schema.AppendJSON(nil, s.At), s.Kind, s.Rows, s.Bytes, s.Tables, s.Note, s.By, schema.AppendJSON(nil, s.Verified)}
}

// segment is the record of archived entries.
type segment struct {
	From   int64         `json:"from"`
	To     int64         `json:"to"`
	First  schema.Millis `json:"first"` // of entry From
	Last   schema.Millis `json:"last"`
	Blob   string        `json:"blob"`
	SHA256 string        `json:"sha256"`
	Bytes  int64         `json:"bytes"`           // of the blob
	Loads  []string      `json:"loads,omitempty"` // blobs that its entries name
}

func metaPartition(room string) string { return "META#" + room }

const (
	snapPrefix    = "SNAP#"
	segmentPrefix = "SEG#"
)

func snapKey(room, id string) store.Key {
	return store.Key{PK: metaPartition(room), SK: snapPrefix + id}
}

func segmentKey(room string, from int64) store.Key {
	return store.Key{PK: metaPartition(room), SK: fmt.Sprintf("%s%016d", segmentPrefix, from)}
}

// BlobPrefix begins the keys of all blobs of a room but its checkpoints.
func BlobPrefix(room string) string { return "rooms/" + room + "/" }

// Catalog finds snapshots and archived entries. It is safe for concurrent use.
type Catalog struct {
	store store.Store
	blobs blob.Store
}

// NewCatalog returns the catalog of all rooms.
func NewCatalog(st store.Store, blobs blob.Store) *Catalog { return &Catalog{store: st, blobs: blobs} }

// items calls fn for each item of a room's metadata whose key begins with
// prefix, in order of key.
func (c *Catalog) items(ctx context.Context, room, prefix string, fn func(store.Item) error) error {
	q := store.Query{PK: metaPartition(room), From: prefix, To: prefix + "~", Strong: true}
	for {
		page, err := c.store.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("list %s of room %s: %w", prefix, room, err)
		}
		for _, item := range page.Items {
			if err := fn(item); err != nil {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

func decodeItem(item store.Item, into any) error {
	if err := json.Unmarshal(item.Data, into); err != nil {
		return fmt.Errorf("decode %s of %s: %w", item.SK, item.PK, err)
	}
	return nil
}

// all gives every snapshot of a room, the oldest first, also those unlisted.
func (c *Catalog) all(ctx context.Context, room string) ([]Snapshot, error) {
	var all []Snapshot
	err := c.items(ctx, room, snapPrefix, func(item store.Item) error {
		var s Snapshot
		if err := decodeItem(item, &s); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// snapshot reads a record, and its bytes for a conditional put. Errors:
// not_found, also for one that was deleted.
func (c *Catalog) snapshot(ctx context.Context, room, id string) (Snapshot, []byte, error) {
	none := fault.At(fault.NotFound, "backup", "there is no such snapshot")
	if !validID(id) {
		return Snapshot{}, nil, none
	}
	item, err := c.store.Get(ctx, snapKey(room, id), true)
	if errors.Is(err, store.ErrNotFound) {
		return Snapshot{}, nil, none
	}
	if err != nil {
		return Snapshot{}, nil, fmt.Errorf("read snapshot %s: %w", id, err)
	}
	var s Snapshot
	if err := decodeItem(item, &s); err != nil {
		return Snapshot{}, nil, err
	}
	if s.Unlisted {
		return Snapshot{}, nil, none
	}
	return s, item.Data, nil
}

// Nearest finds the newest image of a room at seq or before: its blob key and
// its own seq; ok is false when there is none.
func (c *Catalog) Nearest(ctx context.Context, room string, seq int64) (key string, at int64, ok bool, err error) {
	all, err := c.all(ctx, room)
	for _, s := range all {
		if s.Seq <= seq && (!ok || s.Seq >= at) {
			key, at, ok = s.Blob, s.Seq, true
		}
	}
	return key, at, ok, err
}

// segments gives the records of a room's segments, in order.
func (c *Catalog) segments(ctx context.Context, room string) ([]segment, error) {
	var all []segment
	err := c.items(ctx, room, segmentPrefix, func(item store.Item) error {
		var s segment
		if err := decodeItem(item, &s); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
}

// newest finds the last segment that begins at seq or before; nil when there
// is none.
func (c *Catalog) newest(ctx context.Context, room string, seq int64) (*segment, error) {
	q := store.Query{PK: metaPartition(room), From: segmentPrefix, To: segmentKey(room, seq).SK, Limit: 1, Reverse: true, Strong: true}
	for {
		page, err := c.store.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("find segment of room %s: %w", room, err)
		}
		if len(page.Items) > 0 {
			s := new(segment)
			return s, decodeItem(page.Items[0], s)
		}
		if q.After = page.Next; q.After == "" {
			return nil, nil
		}
	}
}

// Read returns archived entries of a room from after+1 on, at most limit (0:
// as many as one segment holds), without a hole. There are none when the
// entry after+1 is not archived, or not any more; more tells whether to call
// again with the last seq.
func (c *Catalog) Read(ctx context.Context, room string, after int64, limit int) (entries []*commitlog.Entry, more bool, err error) {
	s, err := c.newest(ctx, room, after+1)
	if err != nil || s == nil || s.To <= after {
		return nil, false, err
	}
	err = c.readSegment(ctx, room, s, func(seq int64, data []byte) error {
		if seq <= after || limit > 0 && len(entries) == limit {
			return nil
		}
		e, err := commitlog.DecodeEntry(data)
		if err != nil {
			return fmt.Errorf("entry %d: %w", seq, err)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read archived entries of room %s after %d: %w", room, after, err)
	}
	return entries, true, nil
}

// readSegment calls fn for each entry of a segment, and checks all of it.
func (c *Catalog) readSegment(ctx context.Context, room string, s *segment, fn func(seq int64, data []byte) error) (err error) {
	in, _, err := c.blobs.Get(ctx, s.Blob)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	sum := newHashingReader(in)
	if err := decodeSegment(sum, segmentHeader{Room: room, From: s.From, To: s.To}, fn); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.sum()); got != s.SHA256 {
		return &damage{fmt.Errorf("segment %s has another SHA-256", s.Blob)}
	}
	return nil
}

func validID(id string) bool {
	const ulidLength = 26
	if len(id) != ulidLength {
		return false
	}
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}
