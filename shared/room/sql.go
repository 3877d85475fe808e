package room

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/usage"
)

// SQLRequest is one statement that reads. Params are bound to its places ?1,
// ?2 and so on, or ? in turn: null, numbers, texts, booleans (as 0 and 1).
type SQLRequest struct {
	SQL      string            `json:"sql"`
	Params   []json.RawMessage `json:"params,omitempty"`
	MaxBytes int               `json:"-"` // of the answer's rows; 0: 4 MB
}

// SQLResult is the answer of a statement: rows are arrays in the order of
// Columns.
type SQLResult struct {
	Columns   []string            `json:"columns"`
	Rows      [][]json.RawMessage `json:"rows"`
	Seq       int64               `json:"seq"`
	Truncated bool                `json:"truncated,omitempty"` // the statement gives more rows than these
}

// SQL answers a statement over the tables that the reader sees, with `own`
// applied. Errors: invalid with what SQLite says of the statement, forbidden
// for what is not allowed, too_large for what takes too long or too much.
func (v *View) SQL(ctx context.Context, req SQLRequest) (SQLResult, error) {
	grant := v.grant
	res, err := v.view.SQL(ctx, replica.SQLQuery{SQL: req.SQL, Params: req.Params, MaxBytes: req.MaxBytes,
		Admit: func(st *replica.State) (err error) {
			if st.Seq != v.State().Seq { // a later one, with other roles; the past is seen with the present role
				grant, err = admit(st, grant.Principal)
			}
			return err
		},
		Own: func(t *schema.Table) string {
			if grant.Role != access.Owner && (t.Access == schema.Own || v.own(t.Num)) {
				return grant.Principal.User.ID
			}
			return ""
		}})
	if err != nil {
		return SQLResult{}, err
	}
	usage.From(ctx).Add(usage.Reads, int64(len(res.Rows)))
	return SQLResult{Columns: res.Columns, Rows: res.Rows, Seq: res.Seq, Truncated: res.Truncated}, nil
}

// own tells whether the view's state, which is stricter about the past than
// the past was, has a table as `own`.
func (v *View) own(table int) bool {
	t := v.State().Schema.TableByNum(table)
	return t != nil && t.Access == schema.Own
}

// PastSeq is the seq of a request that may name one; 0 is the present.
func PastSeq(atSeq *int64) (int64, error) {
	switch {
	case atSeq == nil:
		return 0, nil
	case *atSeq < 1:
		return 0, fault.At(fault.Invalid, "atSeq", "a seq is 1 or above")
	}
	return *atSeq, nil
}
