package live

import (
	"context"
	"encoding/json"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
)

func runSQL(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		SQL    string            `json:"sql"`
		Params []json.RawMessage `json:"params,omitempty"`
		AtSeq  *int64            `json:"atSeq,omitempty"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	seq, err := room.PastSeq(req.AtSeq)
	if err != nil {
		return answer{}, err
	}
	began := time.Now()
	var found room.SQLResult
	err = h.Rooms.ReadAt(ctx, c.connection.Principal(), c.connection.Ref(), seq, func(v *room.View) (err error) {
		found, err = v.SQL(ctx, room.SQLRequest{SQL: req.SQL, Params: req.Params, MaxBytes: push.MaxMessage - 2*envelope})
		return err
	})
	if err == nil && found.Truncated {
		err = fault.New(fault.TooLarge, "the rows do not fit a message; ask over HTTP, or for less").With("useHttp", true)
	}
	return result(struct {
		room.SQLResult
		TookMs float64 `json:"tookMs"`
	}{found, float64(time.Since(began).Microseconds()) / 1000}, err)
}
