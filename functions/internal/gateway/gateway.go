// Package gateway turns events of API Gateway's HTTP API (payload format 2.0)
// into net/http requests and captured responses back, so that one handler
// serves Lambda and the runner.
package gateway

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/wire"
)

// Handler answers events with an http.Handler. Bodies above wire.MaxBody, in
// either direction, are answered 413: what is larger goes another way.
func Handler(h http.Handler) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		out := newCapture()
		request, err := Request(ctx, event)
		if err == nil {
			h.ServeHTTP(out, request)
			err = out.tooLarge()
		}
		if event.RequestContext.HTTP.Method == http.MethodHead {
			out.body = nil // net/http's server would not send it either
		}
		if err != nil {
			out = newCapture()
			wire.WriteProblem(out, err, event.RequestContext.RequestID)
		}
		return out.response(), nil
	}
}

type requestIDKey struct{}

// RequestID is the gateway's id of the request, empty outside of Lambda.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Request makes the net/http request that an event describes.
func Request(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body, err := requestBody(event)
	if err != nil {
		return nil, err
	}
	target, err := requestURL(event)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, requestIDKey{}, event.RequestContext.RequestID)
	request, err := http.NewRequestWithContext(ctx, event.RequestContext.HTTP.Method, "/", strings.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "The request line is not valid.").Because(err)
	}
	request.URL = target // not by its text: nothing is escaped anew
	// The gateway has joined repeated headers by commas; each is one line.
	for name, value := range event.Headers {
		request.Header.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		request.Header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	request.Host = target.Host
	request.RequestURI = target.RequestURI()
	request.RemoteAddr = event.RequestContext.HTTP.SourceIP
	return request, nil
}

func requestBody(event events.APIGatewayV2HTTPRequest) (string, error) {
	body := event.Body
	if event.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return "", fault.New(fault.Invalid, "The body is not base64.").Because(err)
		}
		body = string(decoded)
	}
	if len(body) > wire.MaxBody {
		return "", fault.New(fault.TooLarge, "A body has at most %d bytes.", wire.MaxBody)
	}
	return body, nil
}

// requestURL keeps path and query as the client escaped them. A stage that is
// not the default one is a prefix of the path that routes do not have.
func requestURL(event events.APIGatewayV2HTTPRequest) (*url.URL, error) {
	path := event.RawPath
	if stage := event.RequestContext.Stage; stage != "" && stage != "$default" {
		if rest, found := strings.CutPrefix(path, "/"+stage); found && (rest == "" || rest[0] == '/') {
			path = rest
		}
	}
	if path == "" {
		path = "/"
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The path is not escaped well.").Because(err)
	}
	return &url.URL{
		Scheme: "https", Host: event.RequestContext.DomainName,
		Path: decoded, RawPath: path, RawQuery: event.RawQueryString,
	}, nil
}

// capture is a ResponseWriter that keeps everything.
type capture struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   []byte
}

func newCapture() *capture { return &capture{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (c *capture) Header() http.Header { return c.header }

// WriteHeader implements http.ResponseWriter. Informational statuses have no
// way through the gateway.
func (c *capture) WriteHeader(status int) {
	if c.status == 0 && status >= http.StatusOK {
		c.status, c.sent = status, c.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (c *capture) Write(data []byte) (int, error) {
	if c.status == 0 {
		if c.header.Get("Content-Type") == "" {
			c.header.Set("Content-Type", http.DetectContentType(data))
		}
		c.WriteHeader(http.StatusOK)
	}
	c.body = append(c.body, data...)
	return len(data), nil
}

func (c *capture) tooLarge() error {
	if len(c.body) > wire.MaxBody {
		return fault.New(fault.TooLarge, "The answer is larger than %d bytes; ask for less of it.", wire.MaxBody)
	}
	return nil
}

func (c *capture) response() events.APIGatewayV2HTTPResponse {
	c.WriteHeader(http.StatusOK)
	response := events.APIGatewayV2HTTPResponse{
		StatusCode: c.status,
		Headers:    make(map[string]string, len(c.sent)),
		Cookies:    c.sent["Set-Cookie"],
	}
	for name, values := range c.sent {
		if name != "Set-Cookie" {
			response.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	if response.IsBase64Encoded = !utf8.Valid(c.body); response.IsBase64Encoded {
		response.Body = base64.StdEncoding.EncodeToString(c.body)
	} else {
		response.Body = string(c.body)
	}
	return response
}
