package live

import (
	"context"
	"encoding/json"
	"strconv"

	"nanotypedb/shared/access"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

// Method is one JSON-RPC method. Role is what it takes in the room; without
// one, a connection is enough.
type Method struct {
	Name    string
	Role    access.Role
	Summary string
	call    func(context.Context, *Handler, call) (answer, error)
}

// Methods is every method of the protocol that this server answers. A test
// tries each with every role.
var Methods = []Method{
	{"ping", access.None, "tells the newest seq", ping},
	{"subscribe", access.Viewer, "listens to commits, from now or from since", subscribe},
	{"unsubscribe", access.None, "stops listening", unsubscribe},
	{"commit", access.Editor, "makes one commit", commit},
	{"rows.list", access.Viewer, "returns a page of rows", rowsList},
	{"rows.get", access.Viewer, "returns one row", rowsGet},
	{"log.read", access.Viewer, "returns the commits after since", logRead},
	{"search", access.Viewer, "returns the rows that match a query best", searchRows},
	{"sql", access.Viewer, "answers one SQL statement that reads", runSQL},
	{"presence.set", access.None, "tells the others a status", presenceSet},
	{"cursor.set", access.None, "tells the others a position", cursorSet},
	{"alerts.set", access.Viewer, "sets an alert by meaning", alertsSet},
	{"alerts.delete", access.Viewer, "ends an alert", alertsDelete},
	{"alerts.list", access.Viewer, "returns the user's alerts", alertsList},
	{"alerts.inbox", access.Viewer, "returns what the user's alerts found", alertsInbox},
}

// envelope is what of a message is not the pages in it, with room to spare.
const envelope = 1 << 10

var empty = json.RawMessage("{}")

type nothing struct{}

func ping(ctx context.Context, h *Handler, c call) (answer, error) {
	if err := c.request.Decode(&nothing{}); err != nil {
		return answer{}, err
	}
	seq, err := h.Rooms.Head(ctx, c.connection.Room)
	if err != nil {
		return answer{}, err
	}
	return answer{result: append(strconv.AppendInt([]byte(`{"seq":`), seq, 10), '}')}, nil
}

func commit(ctx context.Context, h *Handler, c call) (answer, error) {
	var req room.Request
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	r, err := h.Rooms.Commit(ctx, c.connection.Principal(), c.connection.Ref(), req)
	if err != nil {
		return answer{}, err
	}
	receipt := audience.Receipt(r, c.connection.User.ID)
	if len(receipt) > push.MaxMessage-envelope {
		receipt = audience.Truncated(r.Entry.Seq)
	}
	return answer{receipt, func(ctx context.Context) error { return h.Audience.Broadcast(ctx, r) }}, nil
}

func rowsList(ctx context.Context, h *Handler, c call) (answer, error) {
	var req room.ListRequest
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	req.MaxBytes = push.MaxMessage - 2*envelope // the cursor is in the rest
	var page room.RowPage
	err := h.Rooms.Read(ctx, c.connection.Principal(), c.connection.Ref(), func(v *room.View) (err error) {
		page, err = v.List(ctx, req)
		return err
	})
	return answer{result: wire.AppendRows(nil, page.Rows, page.Cursor, page.Seq)}, err
}

func result(value any, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	raw, err := json.Marshal(value)
	return answer{result: raw}, err
}

func rowsGet(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Table string `json:"table"`
		ID    string `json:"id"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	var row json.RawMessage
	var seq int64
	err := h.Rooms.Read(ctx, c.connection.Principal(), c.connection.Ref(), func(v *room.View) (err error) {
		seq = v.State().Seq
		row, err = v.Get(ctx, req.Table, req.ID)
		return err
	})
	return answer{result: wire.AppendRow(nil, row, seq)}, err
}

func logRead(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Since int64 `json:"since"`
		Limit int   `json:"limit,omitempty"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	return result(h.Rooms.Log(ctx, c.connection.Principal(), c.connection.Ref(), req.Since, req.Limit, push.MaxMessage-envelope))
}

func presenceSet(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Status json.RawMessage `json:"status"`
		N      int64           `json:"n"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	return done(h.Audience.SetPresence(ctx, c.connection, req.N, req.Status))
}

func cursorSet(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Position json.RawMessage `json:"position"`
		N        int64           `json:"n"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	return done(h.Audience.SetCursor(ctx, c.connection, req.N, req.Position))
}

func done(err error) (answer, error) { return answer{result: empty}, err }
