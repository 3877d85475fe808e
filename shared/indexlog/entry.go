// Package indexlog is the index log of a room: which texts have vectors, which
// failed, and which model they are of. It is derived from the room's log and
// the model; it takes no seq and touches no row.
package indexlog

import (
	"crypto/sha256"

	"nanotypedb/shared/schema"
)

// Format is the number of the newest entry format this code writes and reads.
// Code that meets a higher one answers unavailable.
const Format = 1

// MaxEntryBytes is how large a stored entry may be; who has more to say
// appends several.
const MaxEntryBytes = 350 << 10

// Hash names a text: its SHA-256.
type Hash [32]byte

// TextHash is the hash of a text.
func TextHash(text string) Hash { return sha256.Sum256([]byte(text)) }

// Entry is what became known about texts at once.
type Entry struct {
	N     int64 // contiguous from 1
	At    schema.Millis
	Model string
	Dim   int
	Reset bool // from here on the room's model is Model with Dim: what earlier entries say counts no more
	Texts []Text
}

// Text is what became of one text. Exactly one of Vector, Failed and Cleared
// is set.
type Text struct {
	Hash    Hash
	Vector  []byte // of vector.Int8.Encode
	Failed  bool
	Reason  string // why, when Failed: a class such as refused or unavailable
	Cleared bool   // pending again, after a failure was taken back

	// Rows had this text when the entry was written. They are for telling who
	// looks at them, and may be out of date.
	Rows []RowRef
}

// RowRef names a row.
type RowRef struct {
	Table int
	ID    string
}
