package api

import (
	"net/url"
	"strings"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

func issueTicket(a *API, x *exchange) (any, error) {
	if err := x.noBody(); err != nil {
		return nil, err
	}
	var ulid string
	err := a.Rooms.Read(x.ctx(), x.principal, x.ref(), func(v *room.View) error {
		ulid = v.State().Room
		return nil
	})
	if err != nil {
		return nil, err
	}
	secret, err := a.Tickets.Issue(x.ctx(), x.principal.User, ulid)
	if err != nil {
		return nil, err
	}
	return TicketAnswer{
		URL:       a.liveURL(x) + "?" + url.Values{"ticket": {secret}}.Encode(),
		ExpiresIn: int(access.TicketLife.Seconds()),
	}, nil
}

// liveURL is where the socket is opened: as configured, or on the host that
// was asked.
func (a *API) liveURL(x *exchange) string {
	if a.LiveURL != "" {
		return a.LiveURL
	}
	scheme := "ws"
	if x.r.TLS != nil || strings.EqualFold(x.r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "wss"
	}
	return scheme + "://" + x.r.Host + "/ws"
}

// noBody refuses a body that says something where nothing is asked.
func (x *exchange) noBody() error {
	if x.r.ContentLength == 0 {
		return nil
	}
	if x.r.ContentLength > wire.MaxBody {
		return fault.New(fault.TooLarge, "A body has at most %d bytes.", wire.MaxBody)
	}
	return x.body(&struct{}{})
}
