package room

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// SearchScope says where to search. Its zero value is every table with an
// embedded column, of which members see what `own` leaves them.
type SearchScope struct {
	Table string                     // empty: all
	Where map[string]json.RawMessage // as in a ListRequest; only with Table
}

// scope is a resolved SearchScope.
type scope struct {
	tables  []int
	filters []replica.Filter
	creator map[int]string
}

// scope resolves where to search. Errors: not_found, invalid.
func (v *View) scope(s SearchScope) (out scope, err error) {
	if s.Table == "" {
		if len(s.Where) > 0 {
			return out, fault.At(fault.Invalid, "where", "conditions need a table, because tables have other columns")
		}
	} else {
		t, err := v.table(s.Table)
		if err != nil {
			return out, err
		}
		if !t.Embeds() {
			return out, fault.At(fault.Invalid, "table", "table %s cannot be searched, because none of its columns has embed: true", t.Name)
		}
		out.tables = []int{t.Num}
		if out.filters, err = parseWhere(t, s.Where, false); err != nil {
			return out, fault.Under("where", err)
		}
	}
	out.creator = v.creators()
	return out, nil
}

// CheckScope tells whether a scope can be searched: not_found, invalid.
func (v *View) CheckScope(s SearchScope) error {
	_, err := v.scope(s)
	return err
}

// Keyword gives the k rows that match the words of a query best, without
// their explanation.
func (v *View) Keyword(ctx context.Context, s SearchScope, query string, k int) ([]replica.KeywordHit, error) {
	in, err := v.scope(s)
	if err != nil {
		return nil, err
	}
	return v.view.Keyword(ctx, replica.KeywordQuery{Tables: in.tables, Filters: in.filters, Creator: in.creator, Query: query, K: k, Bare: true})
}

// Nearest gives the k rows nearest to a unit vector of a model; unavailable
// when the room's vectors are of another one.
func (v *View) Nearest(ctx context.Context, s SearchScope, model string, query []float32, k int) ([]replica.NearHit, error) {
	in, err := v.scope(s)
	if err != nil {
		return nil, err
	}
	return v.view.Nearest(ctx, replica.NearestQuery{Tables: in.tables, Filters: in.filters, Creator: in.creator, Model: model, Query: query, K: k})
}

// Found is a row in wire form, with the names of its table and columns.
type Found struct {
	Table *schema.Table
	Row   json.RawMessage
}

// Found gives a row that a search of this view found; false when there is
// none that its reader may see.
func (v *View) Found(ctx context.Context, table int, id string) (Found, bool, error) {
	t := v.State().Schema.TableByNum(table)
	if t == nil {
		return Found{}, false, ctx.Err()
	}
	row, found, err := v.view.Row(ctx, table, id)
	if err != nil || !found || !v.grant.SeesRow(t.Access == schema.Own, row.CreatedBy) {
		return Found{}, false, err
	}
	return Found{t, newRowWriter(t).append(nil, &row)}, true, nil
}

// Explain tells which words of a query a found row has, and where.
func (v *View) Explain(ctx context.Context, query string, table int, id string) (replica.KeywordHit, error) {
	return v.view.Explain(ctx, query, table, id)
}
