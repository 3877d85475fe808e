// Package loadfile is the blob that a `load` names: bulk content of a room,
// staged by a job before one commit brings it in.
//
// A blob is eight bytes that tell what it is, then a zstd stream of frames:
// the header, any number of records, and a trailer. A frame is its length as
// an unsigned varint, a byte that tells its kind, and its content. The trailer
// holds the counts and the SHA-256 of everything before it, uncompressed, by
// which a load names what it brings: a blob that was cut, changed or put in
// another's place is refused.
//
// Memory is bounded on both sides by the largest frame, whatever a blob holds.
package loadfile

import (
	"fmt"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
)

// Format is the number of the newest format this code writes and reads.
const Format = 1

// MaxBytes bounds what a blob may hold uncompressed, when the reader sets no
// lower bound: a room is at most 2 GB.
const MaxBytes = 2 << 30

// Mode says what becomes of rows that the blob does not have.
type Mode string

// The modes.
const (
	// Replace: every table of the header has exactly the rows of the blob
	// afterwards.
	Replace Mode = "replace"

	// Merge: rows of the blob are put in the place of those of their ids or
	// added, those of a Delete record go, and all others stay as they are. It
	// costs what differs, so a restore of a table that is mostly the same is
	// staged as one.
	Merge Mode = "merge"
)

// Header says what a load is about. Both modes give every table of Tables the
// definition that is there, counters never going down and a table that is
// `own` in the room staying `own`. Rows of tables that are not named stay as
// they are.
//
// The columns of a table that is merged must have the numbers, types and embed
// flags that the room's have, so that rows which stay can stay; a table whose
// columns are others is listed in Replaced too, and the blob has all its rows.
// A table that the room does not have is made, and needs no place there.
type Header struct {
	Room     string         // the ULID of the room that the load is for
	Base     int64          // the seq at which the job looked at the room
	At       schema.Millis  // when the blob was begun
	Mode     Mode           // of all tables but those in Replaced
	Tables   []schema.Table // with their numbers, in order of them
	Replaced []int          // of a merge: tables that are replaced all the same, in order
	Dropped  []int          // tables that the load removes, in order
}

// Replaces reports whether all rows of a table come from the blob.
func (h *Header) Replaces(table int) bool {
	if h.Mode == Replace {
		return true
	}
	for _, num := range h.Replaced {
		if num == table {
			return true
		}
	}
	return false
}

// RecordKind is what a record is.
type RecordKind byte

// The kinds of records.
const (
	Row    RecordKind = 1 // Table ID Creator CreatedAt UpdatedAt Cells
	Delete RecordKind = 2 // Table ID; of a merge only
	Vector RecordKind = 3 // Hash Model Vector: the embedding of a text of the rows, which then is not made again
)

// Record is one row to put or delete, or one vector. Cells are every value
// that is not null, in order of column number. A row or delete comes at most
// once for an id; beyond that records may have any order, but tables in order
// of number and rows in order of id are applied fastest.
type Record struct {
	Kind      RecordKind
	Table     int
	ID        string
	Creator   string
	CreatedAt schema.Millis
	UpdatedAt schema.Millis
	Cells     []schema.Cell
	Hash      indexlog.Hash
	Model     string
	Vector    []byte // as vector.Encode writes it
}

// Counts are how many records of each kind a blob has.
type Counts struct {
	Rows    int64 `json:"rows"`
	Deletes int64 `json:"deletes"`
	Vectors int64 `json:"vectors"`
}

// Sum describes a finished blob.
type Sum struct {
	SHA256  [32]byte // of the content, uncompressed: what a load names
	Bytes   int64    // of the blob, compressed
	Content int64    // bytes of the content, uncompressed
	Records int64
	Counts  Counts
}

// KeyPrefix begins the blob keys of all loads of a room.
func KeyPrefix(room string) string { return "rooms/" + room + "/loads/" }

// Key is the blob key of a load. name is a ULID of the moment when the blob
// was begun: a load refuses a blob that is too old by it.
func Key(room, name string) string { return KeyPrefix(room) + name }

// Damage is a blob that is not what a Writer wrote.
type Damage struct{ err error }

// Error says what is wrong. It is not for users.
func (e *Damage) Error() string { return "damaged load: " + e.err.Error() }

// Unwrap gives the cause.
func (e *Damage) Unwrap() error { return e.err }

func damaged(format string, args ...any) error { return &Damage{fmt.Errorf(format, args...)} }

func newer(format int) error {
	return fault.New(fault.Unavailable, "the bulk content was written by a newer version of Nanotype DB (format %d, this server reads up to %d); try again when the server is up to date",
		format, Format)
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "the bulk content has more than the %d bytes that are allowed", limit)
}
