package api

import (
	"context"
	"net/http"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/room"
)

// Queue is what of the embedding queue is reached over HTTP; indexing.Desk
// implements it.
type Queue interface {
	Status(ctx context.Context, p access.Principal, ref room.Ref, cursor string, limit int) (indexing.Status, error)
	Retry(ctx context.Context, p access.Principal, ref room.Ref, s indexing.Selection) (int, error)
	Discard(ctx context.Context, p access.Principal, ref room.Ref, s indexing.Selection) (int, error)
	Reindex(ctx context.Context, p access.Principal, ref room.Ref, all bool) (int64, error)
}

type (
	// Retried is how many jobs were sent again.
	Retried struct {
		Retried int `json:"retried"`
	}

	// Discarded is how many jobs were forgotten.
	Discarded struct {
		Discarded int `json:"discarded"`
	}

	// ReindexMode says which rows are indexed: "missing", those without a
	// vector, or "all".
	ReindexMode struct {
		Mode string `json:"mode"`
	}

	// Queued is how many rows are to be indexed.
	Queued struct {
		Queued int64 `json:"queued"`
	}
)

const queuePath = "/v1/rooms/{room}/queue"

var queueRoutes = []Route{
	{Method: "GET", Path: queuePath, Role: access.Viewer,
		Summary: "What waits to be embedded in the whole deployment, how much of the room is indexed, and its failed jobs.",
		Query: []Param{
			{"limit", true, "How many failed jobs at most: 50 by default, 200 at most."},
			{"cursor", false, "Where to go on, as the page before says."},
		},
		Status: http.StatusOK, Answer: indexing.Status{}, call: queueStatus},
	{Method: "POST", Path: queuePath + "/retry", Role: access.Editor, Summary: "Sends dead jobs again.",
		Body: Selection{}, Status: http.StatusOK, Answer: Retried{}, call: retryJobs},
	{Method: "DELETE", Path: queuePath + "/failed", Role: access.Editor, Summary: "Forgets all dead jobs; their rows stay failed.",
		Status: http.StatusOK, Answer: Discarded{}, call: discardAll},
	{Method: "DELETE", Path: queuePath + "/failed/{id}", Role: access.Editor, Summary: "Forgets a dead job; its row stays failed.",
		Status: http.StatusOK, Answer: Discarded{}, call: discardOne},
	{Method: "POST", Path: queuePath + "/reindex", Role: access.Editor,
		Summary: "Queues the rows that have no vector (\"missing\"), or every row (\"all\", which takes an owner).",
		Body:    ReindexMode{}, Status: http.StatusOK, Answer: Queued{}, call: reindex},
}

func queueStatus(a *API, x *exchange) (any, error) {
	limit, err := x.limit()
	if err != nil {
		return nil, err
	}
	return a.Queue.Status(x.ctx(), x.principal, x.ref(), x.query.Get("cursor"), limit)
}

func retryJobs(a *API, x *exchange) (any, error) {
	var asked Selection
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	n, err := a.Queue.Retry(x.ctx(), x.principal, x.ref(), indexing.Selection{IDs: asked.IDs, All: asked.All})
	return Retried{n}, err
}

func discardAll(a *API, x *exchange) (any, error) {
	n, err := a.Queue.Discard(x.ctx(), x.principal, x.ref(), indexing.Selection{All: true})
	return Discarded{n}, err
}

func discardOne(a *API, x *exchange) (any, error) {
	n, err := a.Queue.Discard(x.ctx(), x.principal, x.ref(), indexing.Selection{IDs: []string{x.r.PathValue("id")}})
	if err == nil && n == 0 {
		err = fault.At(fault.NotFound, "id", "there is no such dead job in this room")
	}
	return Discarded{n}, err
}

func reindex(a *API, x *exchange) (any, error) {
	var asked ReindexMode
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	if asked.Mode != "missing" && asked.Mode != "all" {
		return nil, fault.At(fault.Invalid, "mode", "the mode is missing or all")
	}
	n, err := a.Queue.Reindex(x.ctx(), x.principal, x.ref(), asked.Mode == "all")
	return Queued{n}, err
}
