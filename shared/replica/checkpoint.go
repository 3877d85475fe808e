package replica

import "context"

type pointer struct{ Seq int64 }
type damage struct{ err error }

func (e *damage) Error() string { return e.err.Error() }

func (c *Cache) restore(ctx context.Context, room string) (*Replica, error) { return nil, nil }
