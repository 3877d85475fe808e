package api

import (
	"net/http"
	"strconv"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
)

type (
	// UndoRequest names the commit to take back.
	UndoRequest = room.UndoRequest

	// TableDiff counts the rows of a table that differ.
	TableDiff struct {
		Added   int64  `json:"added"`
		Changed int64  `json:"changed"`
		Removed int64  `json:"removed"`
		Schema  string `json:"schema,omitempty"`
		Was     string `json:"was,omitempty"`
	}

	// RowDiff is a row that differs. Columns are those whose values differ.
	RowDiff struct {
		Table   string         `json:"table"`
		ID      string         `json:"id"`
		Kind    string         `json:"kind"`
		Columns []string       `json:"columns,omitempty"`
		Before  map[string]any `json:"before,omitempty"`
		After   map[string]any `json:"after,omitempty"`
	}

	// DiffAnswer is a page of what differs between two seqs.
	DiffAnswer struct {
		From    int64                `json:"from"`
		To      int64                `json:"to"`
		Tables  map[string]TableDiff `json:"tables"`
		Changes []RowDiff            `json:"changes"`
		Cursor  string               `json:"cursor,omitempty"`
	}

	// CellChange is a cell's value before and after a commit.
	CellChange struct {
		Before any `json:"before"`
		After  any `json:"after"`
	}

	// RowChange is what one commit did to a row.
	RowChange struct {
		Seq    int64                 `json:"seq"`
		At     Time                  `json:"at"`
		By     string                `json:"by"`
		Kind   string                `json:"kind"`
		Undoes int64                 `json:"undoes,omitempty"`
		Cells  map[string]CellChange `json:"cells"`
	}

	// HistoryAnswer is a page of a row's changes, the newest first.
	HistoryAnswer struct {
		Changes []RowChange `json:"changes"`
		More    bool        `json:"more"`
		Cut     bool        `json:"cut,omitempty"`
	}
)

// atParams choose the room as of an earlier seq or time.
var atParams = []Param{
	{"atSeq", true, "The room as it was at this seq, with your present role."},
	{"at", false, "The room as it was at this time (RFC 3339); a column of this name is filtered by at[eq]."},
}

var timeRoutes = []Route{
	{Method: "GET", Path: "/v1/rooms/{room}/diff", Role: access.Viewer, Summary: "What differs between two points: rows by table and id, and counts of all of them.",
		Query: append([]Param{
			{"from", false, "A seq, a time (RFC 3339), the id of a backup, or now."},
			{"to", false, "Likewise; now by default."},
			{"table", false, "Only this table."},
		}, page...), Status: http.StatusOK, Answer: DiffAnswer{}, call: diff},
	{Method: "POST", Path: "/v1/rooms/{room}/undo", Role: access.Editor, Summary: "Takes back one commit; 409 with conflicts when later ones have changed the same.",
		Body: UndoRequest{}, Status: http.StatusOK, Answer: Commit{}, call: undo},
	{Method: "GET", Path: "/v1/rooms/{room}/tables/{table}/rows/{id}/history", Role: access.Viewer, Summary: "Who changed which cell of a row when, newest first.",
		Query: []Param{
			{"before", true, "Only commits before this seq."},
			{"limit", true, "How many at most: 50 by default, 200 at most."},
		}, Status: http.StatusOK, Answer: HistoryAnswer{}, call: history},
}

// at reads which seq of the room is asked for; 0 is the present.
func (x *exchange) at(a *API) (int64, error) {
	if x.query.Has("at") && x.query.Has("atSeq") {
		return 0, fault.At(fault.Invalid, "at", "Give at or atSeq, not both.")
	}
	if x.query.Has("at") {
		return x.seqAt(a, "at", x.query.Get("at"))
	}
	seq, err := x.integer("atSeq", 0)
	if err == nil && seq == 0 && x.query.Has("atSeq") {
		err = fault.At(fault.Invalid, "atSeq", "A seq is 1 or above.")
	}
	return seq, err
}

func (x *exchange) seqAt(a *API, name, value string) (int64, error) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return 0, fault.At(fault.Invalid, name, "A time is written as in 2026-11-23T20:21:00Z.")
	}
	return a.Rooms.SeqAt(x.ctx(), x.principal, x.ref(), at)
}

// point reads one end of a diff; 0 is the present.
func (x *exchange) point(a *API, name string) (int64, error) {
	value := x.query.Get(name)
	if value == "now" || value == "" && name == "to" {
		return 0, nil
	}
	if seq, err := strconv.ParseInt(value, 10, 64); err == nil && seq > 0 {
		return seq, nil
	}
	const ulidLength = 26
	if len(value) == ulidLength && a.Backups != nil {
		backup, err := a.Backups.Get(x.ctx(), x.principal, x.ref(), value)
		return backup.Seq, fault.Under(name, err)
	}
	if value == "" {
		return 0, fault.At(fault.Invalid, name, "Say from where: a seq, a time, the id of a backup, or now.")
	}
	return x.seqAt(a, name, value)
}

func diff(a *API, x *exchange) (any, error) {
	limit, err := x.limit()
	if err != nil {
		return nil, err
	}
	req := room.DiffRequest{Table: x.query.Get("table"), Cursor: x.query.Get("cursor"), Limit: limit, MaxBytes: maxPage}
	if req.Cursor == "" {
		if req.From, err = x.point(a, "from"); err != nil {
			return nil, err
		}
		if req.To, err = x.point(a, "to"); err != nil {
			return nil, err
		}
	}
	return a.Rooms.Diff(x.ctx(), x.principal, x.ref(), req)
}

func undo(a *API, x *exchange) (any, error) {
	var asked UndoRequest
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	r, err := a.Rooms.Undo(x.ctx(), x.principal, x.ref(), asked)
	if err != nil {
		return nil, err
	}
	a.announce(x.ctx(), r)
	return audience.Receipt(r, x.principal.User.ID), nil
}

func history(a *API, x *exchange) (any, error) {
	before, err := x.integer("before", 0)
	if err != nil {
		return nil, err
	}
	limit, err := x.integer("limit", 0)
	if err == nil && (limit > room.MaxHistory || limit == 0 && x.query.Has("limit")) {
		err = fault.At(fault.Invalid, "limit", "A limit is 1 to %d.", room.MaxHistory)
	}
	if err != nil {
		return nil, err
	}
	req := room.HistoryRequest{Table: x.r.PathValue("table"), ID: x.r.PathValue("id"), Before: before, Limit: int(limit)}
	return a.Rooms.History(x.ctx(), x.principal, x.ref(), req)
}
