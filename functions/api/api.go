// Package api is the function behind the HTTP API: rooms, members, tickets,
// schema, commits, rows and the log. Its handlers translate; what may be done
// is decided by the room engine.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/room"
)

// Rooms is what of the room engine is reached over HTTP.
type Rooms interface {
	Create(ctx context.Context, p access.Principal, id, name string) (room.Info, error)
	Rooms(ctx context.Context, p access.Principal, after string, limit int) ([]room.Info, string, error)
	Rename(ctx context.Context, p access.Principal, ref room.Ref, name string) (room.Result, error)
	Delete(ctx context.Context, p access.Principal, ref room.Ref) (room.Result, error)
	SetMember(ctx context.Context, p access.Principal, ref room.Ref, user string, role access.Role) (room.Result, error)
	Invite(ctx context.Context, p access.Principal, ref room.Ref, email string, role access.Role) (room.Result, error)
	Join(ctx context.Context, p access.Principal, ref room.Ref) (room.Result, error)
	RemoveMember(ctx context.Context, p access.Principal, ref room.Ref, user string) (room.Result, error)
	Commit(ctx context.Context, p access.Principal, ref room.Ref, req room.Request) (room.Result, error)
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
	ReadAt(ctx context.Context, p access.Principal, ref room.Ref, seq int64, fn func(*room.View) error) error
	SeqAt(ctx context.Context, p access.Principal, ref room.Ref, at time.Time) (int64, error)
	Diff(ctx context.Context, p access.Principal, ref room.Ref, req room.DiffRequest) (room.DiffPage, error)
	History(ctx context.Context, p access.Principal, ref room.Ref, req room.HistoryRequest) (room.HistoryPage, error)
	Undo(ctx context.Context, p access.Principal, ref room.Ref, req room.UndoRequest) (room.Result, error)
	Log(ctx context.Context, p access.Principal, ref room.Ref, since int64, limit, maxBytes int) (room.LogPage, error)
}

// Announcer tells the live side that a room has commits up to seq, so that it
// broadcasts them. It must not wait for that: on AWS it invokes the function
// live asynchronously with {"announce": {"room", "seq"}}, the runner uses
// audience.Background. A lost announcement delays what clients see until they
// ping.
type Announcer interface {
	Announce(ctx context.Context, ulid string, seq int64) error
}

// Deps are the parts that the function uses.
type Deps struct {
	Rooms     Rooms
	Alerts    Alerts
	Queue     Queue
	Search    Searcher
	Backups   Backups
	Transfers Transfers // nil: there are no exports and imports
	Identity  identity.Verifier
	Tickets   *access.Tickets
	Announcer Announcer
	LiveURL   string // where sockets connect, wss://…; empty: /ws of the host that was asked
	Analytics Analytics
	Meter     *metering.Meter // nil: nothing is counted
	Origins   []string        // that pages of other origins may call from; "*": any
	Log       *slog.Logger    // nil: slog.Default
}

// API serves the routes. It implements http.Handler.
type API struct {
	Deps
	mux     *http.ServeMux
	spec    []byte
	origins map[string]bool
}

// New returns the API.
func New(d Deps) (*API, error) {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	spec, err := OpenAPI()
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	a := &API{Deps: d, mux: http.NewServeMux(), spec: spec, origins: map[string]bool{}}
	for _, origin := range d.Origins {
		a.origins[origin] = true
	}
	for i := range Routes {
		route := &Routes[i]
		a.mux.HandleFunc(route.Method+" "+route.Path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, route) })
	}
	return a, nil
}
