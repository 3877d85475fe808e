// Package replica turns a room's checkpoint and log into a SQLite database
// private to this process, and keeps it up to date. It is the only domain
// package with SQL.
//
// A Replica has many concurrent readers (View) while one Draft applies
// entries. Readers see a state only after Publish; nobody waits for a long
// query. Every applied entry is checked against its two fingerprints.
package replica

import (
	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/schema"
)

// State is everything about a room at one seq that is small enough to keep in
// memory: all but rows and commit ids. It is immutable and shared.
type State struct {
	Room        string // the internal ULID
	ID          string // the id that users see
	Name        string
	Seq         int64
	At          schema.Millis // of entry Seq
	CreatedAt   schema.Millis
	Closed      bool
	Schema      *schema.Schema
	Members     map[string]access.Member
	Invitations map[string]access.Role // by e-mail address, lower case
	Sums        commitlog.Sums
	Rows        int64
	Bytes       int64 // rows, full-text index and vectors, made yet or not, as counted against NANO_ROOM_MAX_MB
}

// Row is one row; Values are in the order of the table's Columns.
type Row struct {
	ID        string
	Version   int64
	CreatedAt schema.Millis
	UpdatedAt schema.Millis
	CreatedBy string
	Values    []schema.Value
}

// Comparison is how a Filter compares.
type Comparison string

// The comparisons of a list. Equal and NotEqual match null with null; In takes
// a list in Filter.Values; Contains looks for a substring of a text, ignoring
// ASCII case.
const (
	Equal        Comparison = "eq"
	NotEqual     Comparison = "ne"
	Greater      Comparison = "gt"
	GreaterEqual Comparison = "gte"
	Less         Comparison = "lt"
	LessEqual    Comparison = "lte"
	In           Comparison = "in"
	Contains     Comparison = "contains"
)

// Filter is one condition on a field: a column's name, or one of id,
// _createdAt, _updatedAt, _version, _createdBy.
type Filter struct {
	Field  string
	Is     Comparison
	Values []schema.Value
}

// ListQuery asks for rows of a table in an order. Ties are broken by id, and
// nulls come first. After is the position of the last row of the page before:
// its order value and its id.
type ListQuery struct {
	Table      *schema.Table
	Filters    []Filter
	OrderBy    string // a field as in Filter; empty: id
	Descending bool
	After      *Position
	Limit      int
	Creator    string // when set, only rows created by this user
}

// Position is a place in an ordered list.
type Position struct {
	Value schema.Value
	ID    string
}
