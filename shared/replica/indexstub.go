package replica

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

var errStub = fault.New(fault.Unavailable, "not implemented")

// SQLQuery is one statement of a user.
type SQLQuery struct {
	SQL      string
	Params   []json.RawMessage                          // JSON null, numbers, texts and booleans, by place
	Own      func(table *schema.Table) (creator string) // whose rows of a table there are; empty: all
	MaxRows  int                                        // 0: 10,000
	MaxBytes int                                        // of the answer's rows; 0: 4 MB
}

// SQLResult is its answer.
type SQLResult struct {
	Columns   []string
	Rows      [][]json.RawMessage
	Truncated bool // there were more rows than MaxRows or MaxBytes allow
}

// SQL is not implemented yet.
func (v *View) SQL(ctx context.Context, q SQLQuery) (SQLResult, error) { return SQLResult{}, errStub }
