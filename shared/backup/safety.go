package backup

import "context"

// Secure keeps a room as it is before bulk content replaces rows of it, and
// returns the id of the snapshot. The same id keeps it once.
func (k *Keeper) Secure(ctx context.Context, ulid, id, note, by string) (string, error) {
	s, err := k.take(ctx, ulid, id, Safety, note, by)
	return s.ID, err
}
