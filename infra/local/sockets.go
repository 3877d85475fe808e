package local

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"

	"nanotypedb/shared/id"
	"nanotypedb/shared/push/hubpush"
)

// The gateway ends a connection without traffic after ten minutes, and every
// connection after two hours.
const (
	maxIdle = 10 * time.Minute
	maxLife = 2 * time.Hour
)

// maxFrames is how many frames of one connection are handled at the same
// time; more wait unread.
const maxFrames = 32

// eventHandler is functions/live as the gateway calls it.
type eventHandler interface {
	Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error)
}

// sockets is what the WebSocket API of the gateway is on AWS: it turns
// connections and frames into events for the live function.
type sockets struct {
	live eventHandler
	hub  *hubpush.Hub
	log  *slog.Logger
	ctx  context.Context // of all frames; ends when the runner does
	open sync.WaitGroup  // connections being served

	writeTimeout time.Duration // how long a client may take to read what is written to it

	gate     sync.Mutex // of what follows
	draining bool       // frames are read no more
	handling sync.WaitGroup
}

// begin lets a frame be handled, unless the runner stops.
func (s *sockets) begin() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if !s.draining {
		s.handling.Add(1)
	}
	return !s.draining
}

// drain handles no further frame and waits for those at hand: what was
// committed is acknowledged, what was not is repeated by its client.
func (s *sockets) drain(ctx context.Context) {
	s.gate.Lock()
	s.draining = true
	s.gate.Unlock()
	s.await(ctx, &s.handling, "some requests did not end in time")
}

// ServeHTTP opens one connection and serves it to its end.
func (s *sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.open.Add(1)
	defer s.open.Done()
	c := &connection{sockets: s, id: id.New(time.Now()), ready: make(chan struct{}), opened: time.Now()}
	// Attached before it is registered, so that no broadcast finds a
	// registered connection that cannot be sent to.
	if err := s.hub.Attach(c.id, c); err != nil {
		s.log.Error("attach a connection", "error", err)
		http.Error(w, "the connection could not be opened; try again", http.StatusServiceUnavailable)
		return
	}
	defer s.hub.Detach(c.id)
	answer, err := s.live.Handle(r.Context(), c.connectEvent(r))
	if err != nil || answer.StatusCode >= 300 {
		close(c.ready)
		s.refuse(w, answer, err)
		return
	}
	defer c.disconnect()
	if err := c.accept(w, r); err != nil {
		s.log.Debug("upgrade", "error", err)
		return
	}
	c.serve()
}

func (s *sockets) refuse(w http.ResponseWriter, answer events.APIGatewayProxyResponse, err error) {
	if err != nil {
		s.log.Error("connect", "error", err)
		http.Error(w, "the connection could not be opened; try again", http.StatusInternalServerError)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write([]byte(answer.Body))
}

// connection is one WebSocket connection. It implements hubpush.Socket.
type connection struct {
	*sockets
	id     string
	ready  chan struct{}   // closed when conn is set, or never will be
	conn   *websocket.Conn // nil when the handshake failed
	meter  frameMeter
	opened time.Time

	limiting sync.Mutex
	bound    int64
}

func (c *connection) accept(w http.ResponseWriter, r *http.Request) error {
	defer close(c.ready)
	c.meter.tooBig, c.meter.timeout = func() { c.limit(1) }, c.writeTimeout
	conn, err := websocket.Accept(&meteredWriter{w, &c.meter}, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // any origin may connect, as on AWS: the ticket is the proof
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return err
	}
	c.conn = conn
	c.limit(maxMessage)
	return nil
}

// limit bounds the message at hand and those after it; what is longer ends
// the connection with 1009. The first limit below a whole message stays.
func (c *connection) limit(n int64) {
	c.limiting.Lock()
	defer c.limiting.Unlock()
	if c.bound == 0 || n < c.bound {
		c.bound = n
	}
	if c.conn != nil {
		c.conn.SetReadLimit(c.bound)
	}
}

// serve reads frames until the connection ends; each is handled by itself,
// concurrently, as the gateway does.
func (c *connection) serve() {
	var frames sync.WaitGroup
	defer frames.Wait()
	free := make(chan struct{}, maxFrames)
	life := time.AfterFunc(maxLife, func() { _ = c.Close(int(websocket.StatusGoingAway), "Going away") })
	defer life.Stop()
	for {
		message, err := c.read()
		if err != nil {
			_ = c.conn.CloseNow()
			return
		}
		if !c.begin() {
			continue // the hub closes the connection behind the last answers
		}
		free <- struct{}{}
		frames.Go(func() {
			defer func() { c.handling.Done(); <-free }()
			c.frame(message)
		})
	}
}

var errBinary = errors.New("local: binary frame")

func (c *connection) read() ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.ctx, maxIdle)
	defer cancel()
	kind, message, err := c.conn.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		_ = c.conn.Close(websocket.StatusUnsupportedData, "only text frames are understood")
		return nil, errBinary
	}
	return message, err
}

func (c *connection) frame(message []byte) {
	event := c.event("$default", "MESSAGE")
	event.Body = string(message)
	event.RequestContext.RequestID = id.New(time.Now())
	if _, err := c.live.Handle(c.ctx, event); err != nil && c.ctx.Err() == nil {
		c.log.Error("frame", "connection", c.id, "error", err)
	}
}

func (c *connection) disconnect() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 5*time.Second)
	defer cancel()
	if _, err := c.live.Handle(ctx, c.event("$disconnect", "DISCONNECT")); err != nil {
		c.log.Error("disconnect", "connection", c.id, "error", err)
	}
}

func (c *connection) event(route, kind string) events.APIGatewayWebsocketProxyRequest {
	return events.APIGatewayWebsocketProxyRequest{RequestContext: events.APIGatewayWebsocketProxyRequestContext{
		ConnectionID: c.id,
		RouteKey:     route,
		EventType:    kind,
		ConnectedAt:  c.opened.UnixMilli(),
		RequestID:    c.id,
		Stage:        "local",
	}}
}

func (c *connection) connectEvent(r *http.Request) events.APIGatewayWebsocketProxyRequest {
	event := c.event("$connect", "CONNECT")
	event.Headers = map[string]string{}
	for name, values := range r.Header {
		event.Headers[name] = strings.Join(values, ",")
	}
	event.QueryStringParameters = map[string]string{}
	for name, values := range r.URL.Query() {
		event.QueryStringParameters[name] = values[len(values)-1]
	}
	return event
}

// Write implements hubpush.Socket. What is sent before the upgrade waits for it.
func (c *connection) Write(message []byte) error {
	<-c.ready
	if c.conn == nil {
		return net.ErrClosed
	}
	err := c.conn.Write(context.Background(), websocket.MessageText, message) // c.meter bounds it
	if err != nil {
		_ = c.meter.Close() // so that reading ends too
	}
	return err
}

// Close implements hubpush.Socket. The closing handshake goes on by itself,
// for as long as the runner waits for its connections.
func (c *connection) Close(code int, reason string) error {
	select {
	case <-c.ready:
	default:
		return nil
	}
	if c.conn != nil {
		c.meter.hurry()
		c.open.Go(func() { _ = c.conn.Close(websocket.StatusCode(code), reason) })
	}
	return nil
}

// wait returns when every connection has ended, or ctx has.
func (s *sockets) wait(ctx context.Context) {
	s.await(ctx, &s.open, "some connections did not end in time")
}

func (s *sockets) await(ctx context.Context, group *sync.WaitGroup, late string) {
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.log.Warn(late)
	}
}
