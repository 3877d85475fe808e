package api

import (
	"encoding/json"
	"net/http"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/room"
)

type (
	// SQLStatement is one statement that reads, the room as it is or as it was at
	// a seq. Params are bound to its places, ?1 or ? in turn.
	SQLStatement struct {
		SQL    string            `json:"sql"`
		Params []json.RawMessage `json:"params,omitempty"`
		AtSeq  *int64            `json:"atSeq,omitempty"`
	}

	// SQLAnswer is what a statement gave; times are text, booleans 0 and 1.
	// Truncated: there are more rows than 10,000, or than a body holds.
	SQLAnswer struct {
		Columns   []string            `json:"columns"`
		Rows      [][]json.RawMessage `json:"rows"`
		Seq       int64               `json:"seq"`
		TookMs    float64             `json:"tookMs"`
		Truncated bool                `json:"truncated,omitempty"`
	}
)

var sqlRoutes = []Route{
	{Method: "POST", Path: "/v1/rooms/{room}/sql", Role: access.Viewer,
		Summary: "Answers one SQL statement that reads: within 5 seconds, with at most 10,000 rows.",
		Body:    SQLStatement{}, Status: http.StatusOK, Answer: SQLAnswer{}, call: runSQL},
}

func runSQL(a *API, x *exchange) (any, error) {
	var asked SQLStatement
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	seq, err := room.PastSeq(asked.AtSeq)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var found room.SQLResult
	err = a.Rooms.ReadAt(x.ctx(), x.principal, x.ref(), seq, func(v *room.View) (err error) {
		found, err = v.SQL(x.ctx(), room.SQLRequest{SQL: asked.SQL, Params: asked.Params, MaxBytes: maxPage})
		return err
	})
	if err != nil {
		return nil, err
	}
	took := float64(time.Since(began).Microseconds()) / 1000
	return SQLAnswer{found.Columns, found.Rows, found.Seq, took, found.Truncated}, nil
}
