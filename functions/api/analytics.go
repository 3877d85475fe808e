package api

import (
	"context"
	"io"
	"net/http"

	"nanotypedb/shared/access"
	"nanotypedb/shared/analytics"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
)

// Analytics tells the usage, cost and health of rooms; analytics.Service
// implements it.
type Analytics interface {
	Report(ctx context.Context, p access.Principal, ref room.Ref, req analytics.Request) (analytics.Answer, error)
	CSV(ctx context.Context, p access.Principal, ref room.Ref, req analytics.Request) (func(io.Writer) error, error)
	Budget(ctx context.Context, p access.Principal, ref room.Ref) (analytics.Budget, error)
	SetBudget(ctx context.Context, p access.Principal, ref room.Ref, b usage.Budget) (analytics.Budget, error)
	Health(ctx context.Context, p access.Principal, ref room.Ref) (analytics.Health, error)
}

var usageRange = []Param{
	{"from", false, "The first day (2026-11-23) or moment (RFC 3339); by default 30 days before to, 24 hours by hour."},
	{"to", false, "The last day, or the moment before which to end; now by default."},
	{"by", false, "hour or day (default), in UTC."},
	{"user", false, "Only what this user used; owners may ask for anybody."},
}

var analyticsRoutes = []Route{
	{Method: "GET", Path: "/v1/rooms/{room}/analytics", Role: access.Viewer, Summary: "What the room used and what that costs; what single users used to owners.",
		Query:  append([]Param{{"compare", false, "1: also the totals of the range of the same length before."}}, usageRange...),
		Status: http.StatusOK, Answer: analytics.Answer{}, call: usageReport},
	{Method: "GET", Path: "/v1/rooms/{room}/analytics.csv", Role: access.Viewer, Summary: "The same as a table, to owners a line a period and user.",
		Query:  usageRange,
		Status: http.StatusOK, Gives: []string{"text/csv"}, call: usageCSV},
	{Method: "GET", Path: "/v1/rooms/{room}/budget", Role: access.Viewer, Summary: "What the room may cost a month, and what it has cost so far.",
		Status: http.StatusOK, Answer: analytics.Budget{}, call: getBudget},
	{Method: "PUT", Path: "/v1/rooms/{room}/budget", Role: access.Owner, Summary: "Sets what the room may cost a month, in USD; 0 is no limit.",
		Body: usage.Budget{}, Status: http.StatusOK, Answer: analytics.Budget{}, call: putBudget},
	{Method: "GET", Path: "/v1/rooms/{room}/health", Role: access.Viewer, Summary: "How the room is, in words and figures.",
		Status: http.StatusOK, Answer: analytics.Health{}, call: roomHealth},
}

func (x *exchange) usageRequest() (analytics.Request, error) {
	q := x.query
	if c := q.Get("compare"); q.Has("compare") && c != "1" && c != "0" {
		return analytics.Request{}, fault.At(fault.Invalid, "compare", "This is 1 or 0.")
	}
	return analytics.Request{
		From: q.Get("from"), To: q.Get("to"), By: usage.Step(q.Get("by")), User: q.Get("user"), Compare: q.Get("compare") == "1",
	}, nil
}

func usageReport(a *API, x *exchange) (any, error) {
	req, err := x.usageRequest()
	if err != nil {
		return nil, err
	}
	return a.Analytics.Report(x.ctx(), x.principal, x.ref(), req)
}

func usageCSV(a *API, x *exchange) (any, error) {
	req, err := x.usageRequest()
	if err != nil {
		return nil, err
	}
	body, err := a.Analytics.CSV(x.ctx(), x.principal, x.ref(), req)
	return file{kind: "text/csv; charset=utf-8", name: "usage.csv", write: body}, err
}

func getBudget(a *API, x *exchange) (any, error) {
	return a.Analytics.Budget(x.ctx(), x.principal, x.ref())
}

func putBudget(a *API, x *exchange) (any, error) {
	var b usage.Budget
	if err := x.body(&b); err != nil {
		return nil, err
	}
	return a.Analytics.SetBudget(x.ctx(), x.principal, x.ref(), b)
}

func roomHealth(a *API, x *exchange) (any, error) {
	return a.Analytics.Health(x.ctx(), x.principal, x.ref())
}
