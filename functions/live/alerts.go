package live

import (
	"context"

	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
)

// Alerts is what of alerts by meaning is reached over a socket; alert.Alerts
// implements it.
type Alerts interface {
	Set(ctx context.Context, p access.Principal, ref room.Ref, topic string, r alert.Request) (alert.Alert, error)
	Delete(ctx context.Context, p access.Principal, ref room.Ref, topic string) error
	List(ctx context.Context, p access.Principal, ref room.Ref) ([]alert.Alert, error)
	Inbox(ctx context.Context, p access.Principal, ref room.Ref, page alert.Page) (alert.Inbox, error)
}

func alertsSet(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Topic       string   `json:"topic"`
		Description string   `json:"description"`
		Threshold   *float64 `json:"threshold,omitempty"`
		Table       string   `json:"table,omitempty"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	asked := alert.Request{Description: req.Description, Threshold: req.Threshold, Table: req.Table}
	_, err := h.Alerts.Set(ctx, c.connection.Principal(), c.connection.Ref(), req.Topic, asked)
	return done(err)
}

func alertsDelete(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Topic string `json:"topic"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	return done(h.Alerts.Delete(ctx, c.connection.Principal(), c.connection.Ref(), req.Topic))
}

func alertsList(ctx context.Context, h *Handler, c call) (answer, error) {
	if err := c.request.Decode(&nothing{}); err != nil {
		return answer{}, err
	}
	list, err := h.Alerts.List(ctx, c.connection.Principal(), c.connection.Ref())
	return result(map[string][]alert.Alert{"alerts": list}, err)
}

func alertsInbox(ctx context.Context, h *Handler, c call) (answer, error) {
	var req struct {
		Limit  int    `json:"limit,omitempty"`
		Cursor string `json:"cursor,omitempty"`
	}
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	page := alert.Page{Limit: req.Limit, Cursor: req.Cursor, MaxBytes: push.MaxMessage - 2*envelope}
	return result(h.Alerts.Inbox(ctx, c.connection.Principal(), c.connection.Ref(), page))
}
