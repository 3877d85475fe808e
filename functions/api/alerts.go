package api

import (
	"context"
	"net/http"

	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/room"
)

// Alerts is what of alerts by meaning is reached over HTTP; alert.Alerts
// implements it.
type Alerts interface {
	Set(ctx context.Context, p access.Principal, ref room.Ref, topic string, r alert.Request) (alert.Alert, error)
	Delete(ctx context.Context, p access.Principal, ref room.Ref, topic string) error
	List(ctx context.Context, p access.Principal, ref room.Ref) ([]alert.Alert, error)
	Preview(ctx context.Context, p access.Principal, ref room.Ref, r alert.Request) (alert.Preview, error)
	Inbox(ctx context.Context, p access.Principal, ref room.Ref, page alert.Page) (alert.Inbox, error)
	MarkRead(ctx context.Context, p access.Principal, ref room.Ref, ids []string, everything bool) (int, error)
}

type (
	// AlertList is the alerts of the user in a room.
	AlertList struct {
		Alerts []alert.Alert `json:"alerts"`
	}

	// Selection names entries of a list: some, or all.
	Selection struct {
		IDs []string `json:"ids,omitempty"`
		All bool     `json:"all,omitempty"`
	}

	// MarkedRead is how many entries were unread.
	MarkedRead struct {
		Read int `json:"read"`
	}
)

const alertsPath = "/v1/rooms/{room}/alerts"

var alertRoutes = []Route{
	{Method: "GET", Path: alertsPath, Role: access.Viewer, Summary: "The user's alerts in the room.",
		Status: http.StatusOK, Answer: AlertList{}, call: listAlerts},
	{Method: "PUT", Path: alertsPath + "/{topic}", Role: access.Viewer,
		Summary: "Sets an alert: the user is told of rows whose text comes near enough to the description.",
		Body:    alert.Request{}, Status: http.StatusOK, Answer: alert.Alert{}, call: putAlert},
	{Method: "DELETE", Path: alertsPath + "/{topic}", Role: access.Viewer, Summary: "Ends an alert; the inbox keeps what it found.",
		Status: http.StatusNoContent, call: deleteAlert},
	{Method: "POST", Path: alertsPath + "/preview", Role: access.Viewer, Summary: "Which of the present rows an alert would have told of.",
		Body: alert.Request{}, Status: http.StatusOK, Answer: alert.Preview{}, call: previewAlert},
	{Method: "GET", Path: alertsPath + "/inbox", Role: access.Viewer, Summary: "What the user's alerts found in the last 90 days, newest first.",
		Query: []Param{
			{"limit", true, "How many at most: 50 by default, 200 at most."},
			{"cursor", false, "Where to go on, as the page before says."},
		},
		Status: http.StatusOK, Answer: alert.Inbox{}, call: readInbox},
	{Method: "POST", Path: alertsPath + "/inbox/read", Role: access.Viewer, Summary: "Marks entries of the inbox as read.",
		Body: Selection{}, Status: http.StatusOK, Answer: MarkedRead{}, call: markInbox},
}

func listAlerts(a *API, x *exchange) (any, error) {
	list, err := a.Alerts.List(x.ctx(), x.principal, x.ref())
	return AlertList{list}, err
}

func putAlert(a *API, x *exchange) (any, error) {
	var asked alert.Request
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	return a.Alerts.Set(x.ctx(), x.principal, x.ref(), x.r.PathValue("topic"), asked)
}

func deleteAlert(a *API, x *exchange) (any, error) {
	return nil, a.Alerts.Delete(x.ctx(), x.principal, x.ref(), x.r.PathValue("topic"))
}

func previewAlert(a *API, x *exchange) (any, error) {
	var asked alert.Request
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	return a.Alerts.Preview(x.ctx(), x.principal, x.ref(), asked)
}

func readInbox(a *API, x *exchange) (any, error) {
	limit, err := x.limit()
	if err != nil {
		return nil, err
	}
	page := alert.Page{Limit: limit, Cursor: x.query.Get("cursor"), MaxBytes: maxPage}
	return a.Alerts.Inbox(x.ctx(), x.principal, x.ref(), page)
}

func markInbox(a *API, x *exchange) (any, error) {
	var asked Selection
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	n, err := a.Alerts.MarkRead(x.ctx(), x.principal, x.ref(), asked.IDs, asked.All)
	return MarkedRead{n}, err
}
