package alert

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/vector"
)

// maxPreview is how many matches a preview shows.
const maxPreview = 50

// Preview is what an alert would have told of the present rows: the best 50
// above its threshold. Compared is how many rows that the user may read have a
// vector to compare.
type Preview struct {
	Matches  []PreviewMatch `json:"matches"`
	Compared int64          `json:"compared"`
}

// PreviewMatch is a row that an alert would have told of.
type PreviewMatch struct {
	Table      string          `json:"table"`
	Row        json.RawMessage `json:"row"`
	Similarity float64         `json:"similarity"`
}

// Preview compares a description with the rows that p may read now. Nothing is
// kept. Errors: as Set's.
func (a *Alerts) Preview(ctx context.Context, p access.Principal, ref room.Ref, r Request) (Preview, error) {
	if err := r.check(); err != nil {
		return Preview{}, err
	}
	st, err := a.state(ctx, p, ref)
	if err != nil {
		return Preview{}, err
	}
	if _, err := scope(st, r.Table); err != nil {
		return Preview{}, err
	}
	v, err := a.describe(ctx, st.Room, p.User.ID, r.Description)
	if err != nil {
		return Preview{}, fault.Under("description", err)
	}
	preview := Preview{Matches: []PreviewMatch{}}
	err = a.Rooms.Read(ctx, p, ref, func(view *room.View) error {
		table, err := scope(view.State(), r.Table)
		if err != nil {
			return err
		}
		coverage, err := view.Coverage(ctx)
		if preview.Compared = compared(&coverage, table); err != nil || preview.Compared == 0 {
			return err
		}
		return a.match(ctx, view, &r, unit(v), &preview)
	})
	return preview, err
}

// match adds the rows that are near enough.
func (a *Alerts) match(ctx context.Context, view *room.View, r *Request, query []float32, preview *Preview) error {
	hits, err := view.Nearest(ctx, room.SearchScope{Table: r.Table}, a.Embedder.Model(), query, maxPreview)
	if err != nil {
		return err
	}
	for _, hit := range hits {
		s := similarity(float32(hit.Cosine))
		if s < r.threshold() {
			return nil // as are those after it
		}
		found, ok, err := view.Found(ctx, hit.Table, hit.ID)
		if err != nil {
			return err
		}
		if ok {
			preview.Matches = append(preview.Matches, PreviewMatch{found.Table.Name, found.Row, s})
		}
	}
	return nil
}

// compared is how many rows of a table (0: all) have a vector.
func compared(c *replica.Coverage, table int) int64 {
	if table == 0 {
		return c.Indexed
	}
	for _, t := range c.Tables {
		if t.Table == table {
			return t.Indexed
		}
	}
	return 0
}

// unit is a vector as the search takes it.
func unit(v vector.Int8) []float32 {
	u, err := vector.Unit(v.Floats())
	if err != nil { // it was quantized from a unit vector
		return nil
	}
	return u
}
