package room

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// NearRow is a row and the cosine of its text to a vector.
type NearRow struct {
	Table  string
	Row    json.RawMessage
	Cosine float64
}

// Near gives the k rows whose text is nearest to a unit vector of a model, of
// one table (its number; 0: all), the nearest first. Rows that the viewer may
// not read are not compared. A room of another model has none.
func (v *View) Near(ctx context.Context, table int, model string, query []float32, k int) ([]NearRow, error) {
	q := replica.NearestQuery{Model: model, Query: query, Creator: v.creators(), K: k}
	if table != 0 {
		q.Tables = []int{table}
	}
	hits, err := v.view.Nearest(ctx, q)
	if err != nil {
		return nil, err
	}
	rows := make([]NearRow, 0, len(hits))
	for _, hit := range hits {
		t := v.State().Schema.TableByNum(hit.Table)
		if t == nil {
			continue
		}
		row, err := v.Get(ctx, t.Name, hit.ID)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, NearRow{t.Name, row, hit.Cosine})
	}
	return rows, nil
}

// creators are, for the tables of which the viewer reads only his own rows, he
// himself.
func (v *View) creators() map[int]string {
	if v.grant.Role == access.Owner {
		return nil
	}
	creators := map[int]string{}
	for i := range v.State().Schema.Tables {
		if t := &v.State().Schema.Tables[i]; t.Access == schema.Own {
			creators[t.Num] = v.grant.Principal.User.ID
		}
	}
	return creators
}

// Coverage counts the rows that have a text by what became of it, those of
// others in tables that are `own` too.
func (v *View) Coverage(ctx context.Context) (replica.Coverage, error) { return v.view.Coverage(ctx) }
