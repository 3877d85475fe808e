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
// above its threshold. Compared is how many rows have a vector to compare.
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
		near, err := view.Near(ctx, table, a.Embedder.Model(), unit(v), maxPreview)
		if err != nil {
			return err
		}
		for _, row := range near {
			if s := similarity(float32(row.Cosine)); s >= r.threshold() {
				preview.Matches = append(preview.Matches, PreviewMatch{row.Table, row.Row, s})
			}
		}
		coverage, err := view.Coverage(ctx)
		preview.Compared = compared(&coverage, table)
		return err
	})
	return preview, err
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
