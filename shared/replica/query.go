package replica

import "nanotypedb/shared/schema"

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
