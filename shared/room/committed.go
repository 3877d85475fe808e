package room

import "context"

// Committed gives the seq of the commit that its reader made with a commitId,
// as far back as ids are kept; 0: none.
func (v *View) Committed(ctx context.Context, commitID string) (int64, error) {
	if commitID == "" {
		return 0, nil
	}
	seq, _, err := v.view.Commit(ctx, v.grant.Principal.User.ID, commitID)
	return seq, err
}
