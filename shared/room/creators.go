package room

import (
	"context"

	"nanotypedb/shared/access"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

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

// Coverage counts the rows that have a text, and that the viewer may read, by
// what became of it.
func (v *View) Coverage(ctx context.Context) (replica.Coverage, error) {
	return v.view.CoverageOf(ctx, v.creators())
}
