package replica

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/vector"
)

var errStub = fault.New(fault.Unavailable, "not implemented")

// CatchUpIndex is not implemented yet.
func (r *Replica) CatchUpIndex(ctx context.Context) error { return ctx.Err() }

// CatchUpIndexTo is not implemented yet.
func (r *Replica) CatchUpIndexTo(ctx context.Context, n int64) error { return errStub }

// Coverage is not implemented yet.
func (v *View) Coverage(ctx context.Context) (Coverage, error) { return Coverage{}, errStub }

// Unindexed is not implemented yet.
func (v *View) Unindexed(ctx context.Context, afterTable int, afterKey string, limit int, failedToo bool) ([]PendingRow, error) {
	return nil, errStub
}

// RowText is not implemented yet.
func (v *View) RowText(ctx context.Context, table int, id string) (text string, h indexlog.Hash, row Row, ok bool, err error) {
	return "", h, Row{}, false, errStub
}

// Vector is not implemented yet.
func (v *View) Vector(ctx context.Context, h indexlog.Hash) (vector.Int8, bool, error) {
	return vector.Int8{}, false, errStub
}

// RowsOf is not implemented yet.
func (v *View) RowsOf(ctx context.Context, h indexlog.Hash) ([]indexlog.RowRef, error) {
	return nil, errStub
}

// Keyword is not implemented yet.
func (v *View) Keyword(ctx context.Context, q KeywordQuery) ([]KeywordHit, error) {
	return nil, errStub
}

// Nearest is not implemented yet.
func (v *View) Nearest(ctx context.Context, q NearestQuery) ([]NearHit, error) { return nil, errStub }

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
