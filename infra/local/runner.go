package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"nanotypedb/functions/api"
	"nanotypedb/shared/config"
	"nanotypedb/shared/identity/devidentity"
	"nanotypedb/shared/indexing"
	"nanotypedb/web"
)

// stopTime bounds a graceful stop: requests in flight and the closing
// handshakes of the sockets.
const stopTime = 10 * time.Second

// Runner is the whole product in one process. Open makes one; Serve runs it
// until its context ends.
type Runner struct {
	parts    *parts
	sockets  *sockets
	follower *follower
	polling  []*poller
	server   *http.Server
	listener net.Listener
	addr     string // NANO_ADDR
	log      *slog.Logger
	frames   context.CancelFunc
}

// Open opens the data and listens on c.Addr; requests wait until Serve.
func Open(ctx context.Context, c config.Config, log *slog.Logger) (*Runner, error) {
	p, err := openParts(ctx, c, log)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen on NANO_ADDR: %w", err), p.close())
	}
	frames, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &Runner{
		parts: p, listener: listener, addr: c.Addr, log: log, frames: cancel,
		sockets: &sockets{live: p.live, hub: p.hub, log: log, ctx: frames, writeTimeout: 10 * time.Second},
	}
	r.follower = &follower{feed: p.feed, relay: p.relay, log: log}
	r.polling = append(r.pollers(c), r.jobPoller())
	handler, err := r.routes()
	if err != nil {
		return nil, errors.Join(err, listener.Close(), p.close())
	}
	r.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return r, nil
}

// URL is the address of the page and the API.
func (r *Runner) URL() string { return "http://" + r.listener.Addr().String() }

func (r *Runner) routes() (http.Handler, error) {
	handler, err := api.New(api.Deps{
		Rooms: r.parts.rooms, Backups: r.parts.keeper, Transfers: r.parts.transfers, Tickets: r.parts.tickets, Identity: r.parts.issuer, Announcer: r.parts.telling,
		Alerts: r.parts.alerts, Queue: indexing.NewDesk(r.parts.indexer, r.parts.rooms), Search: r.parts.searcher,
		Meter: r.parts.meters.of("api"), Analytics: r.parts.insight, Origins: []string{"*"}, Log: r.log,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/dev/session", devSession(devidentity.SessionHandler(r.parts.issuer), r.addr))
	mux.Handle("GET /ws", r.sockets)
	r.parts.serveBlobs(mux)
	for _, prefix := range []string{"/v1/", "/healthz", "/openapi.json"} {
		mux.Handle(prefix, handler)
	}
	mux.Handle("/", gzhttp.GzipHandler(web.Handler()))
	return mux, nil
}

// Serve answers requests until ctx ends, then stops gracefully: no new
// requests, those in flight are finished, sockets are told to come again.
func (r *Runner) Serve(ctx context.Context) error {
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	var background sync.WaitGroup
	background.Go(func() { r.follower.run(following) })
	background.Go(func() { r.tend(following) })
	for _, p := range r.polling {
		background.Go(func() { p.run(following) })
	}
	background.Go(func() { r.parts.meters.run(following) })
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(r.listener) }()
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
	}
	failed = errors.Join(failed, r.stop(context.WithoutCancel(ctx)))
	stopFollowing()
	background.Wait()
	return errors.Join(failed, r.parts.close())
}

// stop takes no more requests, lets those at hand be answered, and then ends
// the sockets behind the last messages.
func (r *Runner) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	r.sockets.drain(ctx)
	err := r.server.Shutdown(ctx)
	err = errors.Join(err, r.parts.telling.Close(), r.parts.hub.Close(ctx))
	r.sockets.wait(ctx)
	r.frames()
	return err
}

// The schedule of the relay: soon after the start, for what a crash left
// behind, then every hour.
const (
	tendFirst = 20 * time.Second
	tendEvery = time.Hour
)

// tend runs the scheduled work until ctx ends.
func (r *Runner) tend(ctx context.Context) {
	for wait := tendFirst; pause(ctx, wait) == nil; wait = tendEvery {
		behind, err := r.parts.relay.Tend(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Error("scheduled work", "error", err)
		}
		if behind > 0 {
			r.log.Info("relayed rooms that the feed forgot", "rooms", behind)
		}
		r.scheduleJobs(ctx)
		if err := r.parts.embed.Tend(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("scheduled work", "error", err)
		}
	}
}
