package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"nanotypedb/functions/internal/gateway"
	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/metering"
	"nanotypedb/shared/room"
	"nanotypedb/shared/usage"
	"nanotypedb/shared/wire"
)

// exchange is one request on its way.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	query     url.Values
	principal access.Principal
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// ref is the room of the path.
func (x *exchange) ref() room.Ref { return room.Ref{ID: x.r.PathValue("room")} }

// response notes what was written, for the access line.
type response struct {
	http.ResponseWriter
	status int
	bytes  int
	user   string
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *response) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(data)
	w.bytes += n
	return n, err
}

// Unwrap gives http.ResponseController the writer below.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type requestIDKey struct{}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	requestID := gateway.RequestID(r.Context())
	if requestID == "" {
		requestID = id.New(began)
	}
	ctx, invocation := a.Meter.Begin(context.WithValue(r.Context(), requestIDKey{}, requestID))
	r = r.WithContext(ctx)
	out := &response{ResponseWriter: w}
	a.headers(out.Header(), r, requestID)
	defer a.access(r, out, requestID, began)
	defer func() { invocation.End(ctx, outcome(r, out, requestID)) }()
	defer a.recovered(r, out)
	a.route(out, r)
}

// headers are those of every answer.
func (a *API) headers(h http.Header, r *http.Request, requestID string) {
	h.Set("X-Request-Id", requestID)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	origin := r.Header.Get("Origin")
	if origin == "" || len(a.origins) == 0 {
		return
	}
	h.Add("Vary", "Origin")
	if a.origins[origin] || a.origins["*"] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
	}
}

// outcome is what is counted of a request.
func outcome(r *http.Request, out *response, requestID string) metering.Outcome {
	counts := usage.Of(usage.Requests, 1)
	counts[usage.Bytes] = int64(out.bytes)
	return metering.Outcome{
		Principal: out.user, Op: r.Pattern, Request: requestID, Counts: counts,
		Failed: out.status == http.StatusInternalServerError || out.status == http.StatusServiceUnavailable,
	}
}

// access writes the access line: never the query or a header, which may hold
// secrets.
func (a *API) access(r *http.Request, out *response, requestID string, began time.Time) {
	a.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", out.status),
		slog.Int("bytes", out.bytes), slog.Duration("took", time.Since(began)),
		slog.String("user", out.user), slog.String("room", usage.From(r.Context()).Room()), slog.String("request", requestID))
}

// recovered answers a panic as a failure of ours.
func (a *API) recovered(r *http.Request, out *response) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	a.Log.ErrorContext(r.Context(), "panic", "path", r.URL.Path, "cause", cause, "stack", string(debug.Stack()))
	if out.status == 0 {
		a.fail(out, r, fault.New(fault.Internal, "panic: %v", cause))
	}
}

// methods are those that a path may have.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// route serves what the mux finds. What it does not find is answered as a
// problem, OPTIONS with the methods that the path has.
func (a *API) route(w http.ResponseWriter, r *http.Request) {
	if _, pattern := a.mux.Handler(r); pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	allowed := a.allowed(r)
	if len(allowed) == 0 {
		a.fail(w, r, fault.New(fault.NotFound, "There is nothing at this path."))
		return
	}
	h := w.Header()
	h.Set("Allow", strings.Join(append(allowed, "OPTIONS"), ", "))
	if r.Method != http.MethodOptions {
		a.fail(w, r, wire.Status(http.StatusMethodNotAllowed, "This path takes %s.", strings.Join(allowed, ", ")))
		return
	}
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", strings.Join(allowed, ", "))
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "7200")
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) allowed(r *http.Request) []string {
	probe := r.Clone(r.Context())
	var allowed []string
	for _, probe.Method = range methods {
		if _, pattern := a.mux.Handler(probe); pattern != "" {
			allowed = append(allowed, probe.Method)
		}
	}
	return allowed
}

// serve answers one request of a route.
func (a *API) serve(w http.ResponseWriter, r *http.Request, route *Route) {
	x := &exchange{w: w, r: r}
	err := a.admit(x, route)
	var answer any
	if err == nil {
		answer, err = route.call(a, x)
	}
	if err == nil {
		err = write(w, route.Status, answer)
	}
	if err != nil {
		a.fail(w, r, err)
	}
}

// admit checks who asks and the query.
func (a *API) admit(x *exchange, route *Route) error {
	if !route.Open {
		if err := a.authenticate(x); err != nil {
			return err
		}
	}
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid, "The query is not escaped well.")
	}
	for name, values := range query {
		known := slices.ContainsFunc(route.Query, func(p Param) bool { return p.Name == name })
		switch {
		case !known && !route.Filters:
			return fault.At(fault.Invalid, name, "There is no such query parameter here.")
		case len(values) > 1:
			return fault.At(fault.Invalid, name, "This query parameter is given %d times.", len(values))
		}
	}
	x.query = query
	return nil
}

// authenticate finds who asks, by the bearer token.
func (a *API) authenticate(x *exchange) error {
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return fault.New(fault.Unauthenticated, "Sign in: send Authorization: Bearer with a token.")
	}
	user, err := a.Identity.Verify(x.ctx(), strings.TrimSpace(token))
	if err != nil {
		return err
	}
	x.principal = access.Principal{User: user}
	if out, ok := x.w.(*response); ok {
		out.user = user.ID
	}
	return nil
}

// integer reads a query parameter, or gives fallback when it is absent.
func (x *exchange) integer(name string, fallback int64) (int64, error) {
	if !x.query.Has(name) {
		return fallback, nil
	}
	n, err := strconv.ParseInt(x.query.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, fault.At(fault.Invalid, name, "This must be a whole number, 0 or above.")
	}
	return n, nil
}

// limit reads the parameter limit; 0 is given only by its absence.
func (x *exchange) limit() (int, error) {
	n, err := x.integer("limit", 0)
	if err == nil && (n > room.MaxRows || n == 0 && x.query.Has("limit")) {
		err = fault.At(fault.Invalid, "limit", "A limit is 1 to %d.", room.MaxRows)
	}
	return int(n), err
}

// body reads the JSON body.
func (x *exchange) body(into any) error { return wire.DecodeBody(x.w, x.r, into) }

// sender is an answer that is no JSON with the status of its route: a file, a
// redirect, a job. An error means that nothing was written yet.
type sender interface {
	send(w http.ResponseWriter) error
}

// write sends an answer; nil means that there is none.
func write(w http.ResponseWriter, status int, answer any) error {
	if s, ok := answer.(sender); ok {
		return s.send(w)
	}
	if answer == nil {
		w.WriteHeader(status)
		return nil
	}
	body, encoded := answer.(json.RawMessage)
	if !encoded {
		var err error
		if body, err = json.Marshal(answer); err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: nobody to tell
	return nil
}

// file is an answer that is saved: it is written as it is made, so an error on
// the way can only cut it off.
type file struct {
	kind  string // media type
	name  string // what it is saved as: plain ASCII without quotes
	write func(io.Writer) error
}

func (f file) send(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	w.WriteHeader(http.StatusOK)
	if err := f.write(w); err != nil {
		// Ends the connection, so that nobody takes a part for the whole.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// fail answers with a problem and logs failures that are ours.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	requestID, _ := r.Context().Value(requestIDKey{}).(string)
	level := slog.LevelDebug
	switch wire.Public(err).Code {
	case fault.Internal:
		level = slog.LevelError
	case fault.Unavailable:
		level = slog.LevelWarn
	case fault.Unauthenticated:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	a.Log.Log(r.Context(), level, "request failed", "method", r.Method, "path", r.URL.Path, "request", requestID, "error", err)
	wire.WriteProblem(w, err, requestID)
}

// announce lets the live side tell a commit. That it failed is no reason to
// fail the request: the commit stands.
func (a *API) announce(ctx context.Context, r room.Result) {
	if r.Repeated || a.Announcer == nil {
		return
	}
	if err := a.Announcer.Announce(ctx, r.Room, r.Entry.Seq); err != nil {
		a.Log.WarnContext(ctx, "commit was not announced", "room", r.Room, "seq", r.Entry.Seq, "error", err)
	}
}
