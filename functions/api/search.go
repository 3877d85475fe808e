package api

import (
	"context"
	"encoding/json"
	"net/http"

	"nanotypedb/shared/access"
	"nanotypedb/shared/room"
	"nanotypedb/shared/search"
)

// Searcher ranks rows; search.Searcher implements it.
type Searcher interface {
	Search(ctx context.Context, p access.Principal, ref room.Ref, req search.Request, maxBytes int) (*search.Result, error)
}

var searchRoutes = []Route{
	{Method: "POST", Path: "/v1/rooms/{room}/search", Role: access.Viewer,
		Summary: "The rows that match a query best, by their meaning, their words or both.",
		Body:    search.Request{}, Status: http.StatusOK, Answer: search.Result{}, call: searchRows},
}

func searchRows(a *API, x *exchange) (any, error) {
	var raw json.RawMessage
	if err := x.body(&raw); err != nil {
		return nil, err
	}
	asked, err := search.Decode(raw)
	if err != nil {
		return nil, err
	}
	return a.Search.Search(x.ctx(), x.principal, x.ref(), asked, maxPage)
}
