package replica

import (
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
)

// VectorState is what became of a row's text.
type VectorState uint8

// The states. A row without text has none.
const (
	NoText VectorState = iota
	Pending
	Indexed
	Failed
)

// String is the state's name on the wire; empty for NoText.
func (s VectorState) String() string {
	return [...]string{"", "pending", "indexed", "failed"}[s&3]
}

// Coverage counts rows with a text by what became of it.
type Coverage struct {
	Counts
	Tables []TableCoverage // those with an embedded column, in order of number
}

// TableCoverage is the coverage of one table.
type TableCoverage struct {
	Table int
	Counts
}

// Counts are numbers of rows: Rows have a text, and each is one of the others.
type Counts struct {
	Rows, Indexed, Pending, Failed int64
}

// PendingRow is a row whose text has no vector.
type PendingRow struct {
	Table int
	ID    string
	Hash  indexlog.Hash
	Text  string
	Since schema.Millis // when the row was last changed
}

// KeywordQuery asks for the rows whose text has words of Query.
type KeywordQuery struct {
	Tables  []int  // numbers; empty: all with an embedded column
	Query   string // of the user: words, never syntax
	Filters []Filter
	Creator map[int]string // by table: only rows created by this user
	K       int
	Bare    bool // without Terms and Highlights of the hits
}

// KeywordHit is a row with words of the query.
type KeywordHit struct {
	Table      int
	ID         string
	BM25       float64  // above 0, larger is better
	Terms      []string // of the query, as they stand in it, that the row has
	Highlights []Highlight
}

// Highlight tells where in a column's text the words are: code points from,
// and up to but not including.
type Highlight struct {
	Column int
	Ranges [][2]int
}

// NearestQuery asks for the rows whose text is nearest to a vector.
type NearestQuery struct {
	Tables  []int // numbers; empty: all with an embedded column
	Model   string
	Query   []float32 // unit vector of that model
	Filters []Filter
	Creator map[int]string // by table: only rows created by this user
	K       int
}

// NearHit is a row and the cosine of its text to the query.
type NearHit struct {
	Table  int
	ID     string
	Cosine float64
}
