// Package live is the function behind the WebSocket: it opens and closes
// connections, answers JSON-RPC requests and broadcasts what they change.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/shared/access"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/emf"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
	"nanotypedb/shared/wire"
)

// Rooms is what of the room engine is reached over a socket.
type Rooms interface {
	Commit(ctx context.Context, p access.Principal, ref room.Ref, req room.Request) (room.Result, error)
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
	Log(ctx context.Context, p access.Principal, ref room.Ref, since int64, limit, maxBytes int) (room.LogPage, error)
	ReadAt(ctx context.Context, p access.Principal, ref room.Ref, seq int64, fn func(*room.View) error) error
	Head(ctx context.Context, ulid string) (int64, error)
	Index(ctx context.Context, p access.Principal, ref room.Ref, since *int64, tables map[string]bool, maxBytes int) (room.IndexPage, error)
}

// Deps are the parts that the function uses.
type Deps struct {
	Rooms    Rooms
	Alerts   Alerts
	Search   Searcher
	Audience *audience.Audience
	Push     push.Pusher
	Meter    *metering.Meter // nil: nothing is counted
	Log      *slog.Logger    // nil: slog.Default
}

// Handler serves the events of the WebSocket API. It is safe for concurrent
// use, and nothing it started outlives a call.
type Handler struct{ Deps }

// New returns a handler.
func New(d Deps) *Handler {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Handler{d}
}

// Handle serves one event of the gateway. Answers to messages go by push; the
// status only matters to a handshake, which anything but 200 refuses.
func (h *Handler) Handle(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	switch event.RequestContext.RouteKey {
	case "$connect":
		ctx, invocation := h.Meter.Begin(ctx)
		response := h.connect(ctx, event)
		invocation.End(ctx, connections(event, response.StatusCode == http.StatusOK, 1))
		return response, nil
	case "$disconnect":
		ctx, invocation := h.Meter.Begin(ctx)
		err := h.Audience.Disconnect(ctx, event.RequestContext.ConnectionID)
		invocation.End(ctx, connections(event, err == nil, -1))
		return ok(), err
	default:
		return ok(), h.message(ctx, event)
	}
}

func ok() events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
}

// connect admits whoever brings a good ticket.
func (h *Handler) connect(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) events.APIGatewayProxyResponse {
	err := h.admit(ctx, event.RequestContext.ConnectionID, event.QueryStringParameters["ticket"])
	if err == nil {
		return ok()
	}
	h.report(ctx, "$connect", requestID(event), err)
	return events.APIGatewayProxyResponse{
		StatusCode: wire.HTTPStatus(err),
		Headers:    map[string]string{"Content-Type": "text/plain; charset=utf-8"},
		Body:       wire.Public(err).Reason,
	}
}

// admit opens a connection for a ticket whose bearer is still a member. He is
// registered first: a removal that this does not see finds the connection.
func (h *Handler) admit(ctx context.Context, connection, ticket string) error {
	c, err := h.Audience.Connect(ctx, connection, ticket)
	if err != nil {
		return err
	}
	if err := h.Rooms.Read(ctx, c.Principal(), c.Ref(), func(*room.View) error { return nil }); err != nil {
		return errors.Join(err, h.Audience.Disconnect(ctx, connection))
	}
	return nil
}

func requestID(event events.APIGatewayWebsocketProxyRequest) string {
	if event.RequestContext.RequestID != "" {
		return event.RequestContext.RequestID
	}
	return id.New(time.Now())
}

// call is one request on its way.
type call struct {
	connection *audience.Connection
	request    wire.Request
}

// answer is a result, and what is done after it was sent.
type answer struct {
	result json.RawMessage
	then   func(context.Context) error
}

// message answers one message: the acknowledgement first, then what follows
// from it. An error is one of the gateway's: a client that cannot be reached.
func (h *Handler) message(ctx context.Context, event events.APIGatewayWebsocketProxyRequest) error {
	connectionID, requestID := event.RequestContext.ConnectionID, requestID(event)
	if event.IsBase64Encoded { // the gateway and the runner close such connections with 1003
		return h.Audience.Drop(ctx, connectionID)
	}
	ctx, invocation := h.Meter.Begin(ctx)
	request, err := wire.DecodeRequest([]byte(event.Body))
	c, unknown := h.Audience.Find(ctx, connectionID)
	if unknown != nil {
		defer func() { invocation.End(ctx, strange(request, unknown, requestID)) }()
		return h.turnAway(ctx, connectionID, request, unknown, requestID)
	}
	usage.From(ctx).In(c.Ref().ULID)
	var a answer
	if err == nil {
		a, err = h.dispatch(ctx, call{c, request})
	}
	defer func() { invocation.End(ctx, outcome(c, request, a, err, requestID, len(event.Body))) }()
	if err != nil {
		h.report(ctx, request.Method, requestID, err, slog.String("room", c.Ref().ULID), slog.String("user", c.Principal().User.ID))
	}
	sent := h.reply(ctx, connectionID, request, a, err, requestID)
	invocation.Answered()
	return errors.Join(sent, follow(ctx, a))
}

// connections is what is counted of a connection that opens or closes.
func connections(event events.APIGatewayWebsocketProxyRequest, done bool, n float64) metering.Outcome {
	o := metering.Outcome{Op: event.RequestContext.RouteKey, Request: requestID(event), Background: true}
	if done {
		o.Values = emf.Values{emf.Connections: {n}}
	}
	return o
}

// billedMessage is the part of a message that the gateway charges as one.
const billedMessage = 32 << 10

// strange is what is counted of a message on a connection that is not known:
// it belongs to no room.
func strange(request wire.Request, err error, requestID string) metering.Outcome {
	return metering.Outcome{Op: request.Method, Request: requestID, Failed: ours(err)}
}

// ours reports whether a request failed by our fault.
func ours(err error) bool {
	code := wire.Public(err).Code
	return code == fault.Internal || code == fault.Unavailable
}

// outcome is what is counted of a message and its answer.
func outcome(c *audience.Connection, request wire.Request, a answer, err error, requestID string, size int) metering.Outcome {
	counts := usage.Of(usage.Messages, int64(max(1, (size+billedMessage-1)/billedMessage)))
	if request.Answered() {
		counts[usage.Messages]++
	}
	counts[usage.Bytes] = int64(len(a.result))
	o := metering.Outcome{Principal: c.Principal().User.ID, Op: request.Method, Request: requestID, Counts: counts}
	o.Failed = err != nil && ours(err)
	return o
}

// follow does what comes after the acknowledgement, whether that arrived or not.
func follow(ctx context.Context, a answer) error {
	if a.then == nil {
		return nil
	}
	return a.then(ctx)
}

// turnAway answers on a connection that is not registered, and ends it when it
// never will be.
func (h *Handler) turnAway(ctx context.Context, connectionID string, request wire.Request, err error, requestID string) error {
	h.report(ctx, request.Method, requestID, err)
	sent := h.reply(ctx, connectionID, request, answer{}, err, requestID)
	if !fault.Is(err, fault.Unauthenticated) {
		return sent
	}
	return errors.Join(sent, h.Push.Drop(ctx, connectionID))
}

// dispatch runs a request's method. A panic is our failure of this one
// request; the connection is kept.
func (h *Handler) dispatch(ctx context.Context, c call) (a answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.Log.ErrorContext(ctx, "panic", "method", c.request.Method, "cause", cause, "stack", string(debug.Stack()))
			a, err = answer{}, fault.New(fault.Internal, "panic: %v", cause)
		}
	}()
	for i := range Methods {
		if Methods[i].Name == c.request.Method {
			return Methods[i].call(ctx, h, c)
		}
	}
	return answer{}, wire.UnknownMethod(c.request.Method)
}

// reply sends the answer to a request, if one is wanted. A result that does
// not fit a message is refused, telling to use HTTP.
func (h *Handler) reply(ctx context.Context, connectionID string, request wire.Request, a answer, err error, requestID string) error {
	if !request.Answered() {
		return nil
	}
	var frame []byte
	if err == nil {
		frame = wire.AppendResult(make([]byte, 0, len(a.result)+64), request.ID, a.result)
		if len(frame) > push.MaxMessage {
			err = fault.New(fault.TooLarge, "The answer does not fit a message; ask over HTTP.").With("useHttp", true)
		}
	}
	if err != nil {
		frame = wire.AppendError(nil, request.ID, err, requestID)
	}
	switch err := h.Push.Send(ctx, connectionID, frame); {
	case errors.Is(err, push.ErrGone):
		return h.Audience.Disconnect(ctx, connectionID)
	case err != nil:
		// The client repeats what was not answered, commits with their commitId.
		h.Log.WarnContext(ctx, "answer not sent", "connection", connectionID, "method", request.Method, "error", err)
	}
	return nil
}

// report logs a failure once: ours as errors, the client's for debugging.
func (h *Handler) report(ctx context.Context, method, requestID string, err error, more ...slog.Attr) {
	level := slog.LevelDebug
	switch wire.Public(err).Code {
	case fault.Internal:
		level = slog.LevelError
	case fault.Unavailable:
		level = slog.LevelWarn
	}
	h.Log.LogAttrs(ctx, level, "request failed", append(more, slog.String("method", method), slog.String("request", requestID), slog.Any("error", err))...)
}

// announcement is the asynchronous invocation by api and relay: a room has
// commits up to seq that this side did not make.
type announcement struct {
	Announce *struct {
		Room string `json:"room"`
		Seq  int64  `json:"seq"`
	} `json:"announce"`
}

// Invoke is the function's entry on Lambda: events of the gateway and
// announcements. It implements lambda.Handler.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var a announcement
	if err := json.Unmarshal(payload, &a); err != nil {
		return nil, fmt.Errorf("decode invocation: %w", err)
	}
	if a.Announce != nil {
		return []byte("{}"), h.Audience.Announce(ctx, a.Announce.Room, a.Announce.Seq)
	}
	var event events.APIGatewayWebsocketProxyRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	response, err := h.Handle(ctx, event)
	if err != nil {
		return nil, err
	}
	return json.Marshal(response)
}
