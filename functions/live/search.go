package live

import (
	"context"
	"encoding/json"

	"nanotypedb/shared/access"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
	"nanotypedb/shared/search"
)

// Searcher ranks rows; search.Searcher implements it.
type Searcher interface {
	Search(ctx context.Context, p access.Principal, ref room.Ref, req search.Request, maxBytes int) (*search.Result, error)
}

func searchRows(ctx context.Context, h *Handler, c call) (answer, error) {
	var raw json.RawMessage
	if err := c.request.Decode(&raw); err != nil {
		return answer{}, err
	}
	asked, err := search.Decode(raw)
	if err != nil {
		return answer{}, err
	}
	return result(h.Search.Search(ctx, c.connection.Principal(), c.connection.Ref(), asked, push.MaxMessage-envelope))
}
