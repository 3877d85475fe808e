package room

import (
	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
)

// ViewAs is what p may see of a room in v, for work that is done on behalf of
// members who asked for it earlier. Errors: not_found when p is no member in
// that state, or the room is closed.
func ViewAs(v *replica.View, p access.Principal) (*View, error) {
	grant, err := admit(v.State(), p)
	if err != nil {
		return nil, fault.New(fault.NotFound, "%s", errNoRoom.Reason).Because(err)
	}
	return &View{view: v, grant: grant}, nil
}
