// Package commitlog is the log of a room: its entries, their encoding, their
// keys in the store, and reading them with the check that none is missing.
package commitlog

import (
	"nanotypedb/shared/schema"
)

// Format is the number of the newest entry format this code writes and reads.
// Code that meets a higher one answers unavailable. A new format is written
// one release after it can be read.
//
//	1  the first
//	2  loads, pauses, and rows inserted with times of their own
const Format = 2

// Limits of one commit; what exceeds one is refused with an error that names it.
const (
	MaxOps        = 1000
	MaxOpsBytes   = 256 << 10
	MaxEntryBytes = 350 << 10
)

// Kind says what a commit is beside its operations.
type Kind string

// The kinds. The ordinary one is empty.
const (
	Ordinary Kind = ""
	Create   Kind = "create" // the first entry of a room
	Closed   Kind = "closed" // the last: the room is deleted
	Load     Kind = "load"   // bulk content from a blob
	Check    Kind = "check"  // states recomputed sums after a writer was wrong
	Undo     Kind = "undo"
)

// Sum is a 256-bit additive fingerprint, little endian.
type Sum [32]byte

// Sums are the two fingerprints of a room's state. Content covers rows (table
// number, row id, creator, times, canonical values), schema and access; State
// covers versions, members, invitations, name, commit ids and counters.
type Sums struct{ Content, State Sum }

// Entry is one commit as the log keeps it.
type Entry struct {
	Format   int
	Seq      int64
	At       schema.Millis // never below the entry before
	By       string        // user id
	CommitID string        // of By; may be empty
	Digest   string        // of the request's operations; empty without CommitID
	Attempt  string        // random; belongs to exactly these bytes
	Kind     Kind
	Undoes   int64 // the seq that an undo takes back
	Pause    int64 // milliseconds for which other writers leave the next slot to this one
	Ops      []Op
	Before   Sums
	After    Sums
}

// OpKind is what an operation does.
type OpKind string

// The operations of an entry.
const (
	Insert      OpKind = "i"
	Update      OpKind = "u"
	Delete      OpKind = "d"
	CreateTable OpKind = "ct"
	AlterTable  OpKind = "at"
	DropTable   OpKind = "dt"
	SetMember   OpKind = "m"
	SetInvite   OpKind = "inv"
	SetRoom     OpKind = "room"
	LoadBlob    OpKind = "load"
)

// Op is one resolved operation. Which fields are set depends on Kind:
//
//	Insert       Table ID Creator Set (every non-null cell), and of a row that was there before:
//	             CreatedAt UpdatedAt, where they are not the entry's, and OldVersion, the seq that removed it
//	Update       Table ID Creator Set (changed cells, null included) Old OldVersion OldUpdated
//	Delete       Table ID Creator Old (every non-null cell) OldVersion OldUpdated OldCreated
//	CreateTable  Def
//	AlterTable   Alter, Rewrites
//	DropTable    Table Name Def (what was dropped, by which older entries are named)
//	SetMember    User Role (empty: removed) Name Email
//	SetInvite    Email Role (empty: withdrawn or accepted)
//	SetRoom      Name, and in the first entry ID, the id that users see
//	LoadBlob     Load, Name (a note); it comes first in its entry, whose other operations are on rows
//	all of rows and tables: Own; of SetMember, that it changed which rows of tables `own` the user sees
//
// Old cells are left out (OldOmitted) where the entry would grow too large;
// undo then takes them from the state at Seq-1.
type Op struct {
	Kind       OpKind
	Table      int
	ID         string
	Creator    string
	Set        []Cell
	Old        []Cell
	OldVersion int64
	OldUpdated schema.Millis
	OldCreated schema.Millis
	OldOmitted bool
	CreatedAt  schema.Millis
	UpdatedAt  schema.Millis
	Load       *Bulk
	Def        *schema.Table
	Alter      *schema.Alteration
	Rewrites   bool // an alteration that changed values of existing rows
	Own        bool // the table was `own` before this operation: history stays hidden when it is shared later
	User       string
	Name       string
	Email      string
	Role       string
}

// Bulk is what a load brought in. What it did to rows is in the blob alone.
type Bulk struct {
	Blob    string // its key
	SHA256  [32]byte
	Mode    string // as loadfile.Mode
	Base    int64
	Tables  []int          // whose schema or rows it set, the dropped included, in order
	Made    []int          // those of Tables that were not there
	Was     []schema.Table // those that it changed or dropped, as they were, columns by number and name only
	Rows    int64          // records of the blob
	Deletes int64
}

// Cell is one value by column number. Cells of an operation are in order of number.
type Cell = schema.Cell
