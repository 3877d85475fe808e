package gateway_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/functions/internal/gateway"
	"nanotypedb/shared/wire"
)

func event(t *testing.T, file string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRequestFromAnEvent(t *testing.T) {
	r, err := gateway.Request(context.Background(), event(t, "apigw-v2-request-jwt-authorizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	cookies := r.Header.Get("Cookie")
	query := r.URL.Query()
	if r.Method != "GET" || r.URL.Path != "/my/path" || r.Host != "id.execute-api.us-east-1.amazonaws.com" ||
		string(body) != "{\r\n\t\"a\": 1\r\n}" || r.ContentLength != int64(len(body)) || cookies != "cookie1; cookie2" ||
		!slices.Equal(query["parameter1"], []string{"value1", "value2"}) || query.Get("parameter2") != "value" ||
		r.Header.Get("Header1") != "value1" || r.RemoteAddr != "IP" || gateway.RequestID(r.Context()) != "id" {
		t.Errorf("%+v, body %q, cookies %q", r, body, cookies)
	}
}

func TestRequests(t *testing.T) {
	base := event(t, "apigw-v2-request-no-authorizer.json")
	for name, c := range map[string]struct {
		change func(*events.APIGatewayV2HTTPRequest)
		want   string // method, escaped path and body, or the problem's code
	}{
		"as it is":       {func(e *events.APIGatewayV2HTTPRequest) {}, "GET / "},
		"escaped slash":  {func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/a%2Fb/c%20d" }, "GET /a%2Fb/c%20d "},
		"stage":          {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = "prod"; e.RawPath = "/prod/v1/me" }, "GET /v1/me "},
		"only a stage":   {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = "prod"; e.RawPath = "/prod" }, "GET / "},
		"not the stage":  {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = "prod"; e.RawPath = "/production" }, "GET /production "},
		"head":           {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "HEAD" }, "/"},
		"base64":         {func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded, e.Body = true, "AGE=" }, "GET / \x00a"},
		"bad base64":     {func(e *events.APIGatewayV2HTTPRequest) { e.IsBase64Encoded, e.Body = true, "?" }, "invalid"},
		"bad path":       {func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/%zz" }, "invalid"},
		"bad method":     {func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "G T" }, "invalid"},
		"largest body":   {func(e *events.APIGatewayV2HTTPRequest) { e.Body = strings.Repeat("x", wire.MaxBody) }, "GET / " + strings.Repeat("x", wire.MaxBody)},
		"too large body": {func(e *events.APIGatewayV2HTTPRequest) { e.Body = strings.Repeat("x", wire.MaxBody+1) }, "too_large"},
	} {
		e := base
		c.change(&e)
		answer, err := gateway.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
		}))(context.Background(), e)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.want, "/") {
			if body := decode(t, answer); body != strings.TrimPrefix(c.want, "/") && name != "largest body" {
				t.Errorf("%s: %q", name, body)
			}
		} else if !strings.Contains(answer.Body, `"code":"`+c.want+`"`) || answer.Headers["content-type"] != "application/problem+json" {
			t.Errorf("%s: %+v", name, answer)
		}
	}
}

func decode(t *testing.T, answer events.APIGatewayV2HTTPResponse) string {
	t.Helper()
	if !answer.IsBase64Encoded {
		return answer.Body
	}
	data, err := base64.StdEncoding.DecodeString(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestResponses(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		check   func(events.APIGatewayV2HTTPResponse) bool
	}{
		"nothing written": {func(http.ResponseWriter, *http.Request) {}, func(a events.APIGatewayV2HTTPResponse) bool {
			return a.StatusCode == 200 && a.Body == ""
		}},
		"status": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNoContent)
			w.WriteHeader(http.StatusTeapot)
		}, func(a events.APIGatewayV2HTTPResponse) bool { return a.StatusCode == 204 }},
		"headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Vary", "Origin")
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
			_, _ = w.Write([]byte("{}"))
			w.Header().Set("Late", "1")
		}, func(a events.APIGatewayV2HTTPResponse) bool {
			return a.Headers["vary"] == "Origin, Accept" && slices.Equal(a.Cookies, []string{"a=1", "b=2"}) &&
				a.Headers["late"] == "" && a.Headers["set-cookie"] == "" && a.Headers["content-type"] != ""
		}},
		"bytes": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0}) }, func(a events.APIGatewayV2HTTPResponse) bool {
			return a.IsBase64Encoded && a.Body == "/wA="
		}},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, wire.MaxBody+1)) }, func(a events.APIGatewayV2HTTPResponse) bool {
			return a.StatusCode == 413 && strings.Contains(a.Body, "too_large")
		}},
	} {
		answer, err := gateway.Handler(c.handler)(context.Background(), event(t, "apigw-v2-request-no-authorizer.json"))
		if err != nil || !c.check(answer) {
			t.Errorf("%s: %.200v, %v", name, answer, err)
		}
	}
}

// FuzzRequest: no event makes the adapter panic.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/v1/rooms/a", "limit=1", "{}", false, "$default")
	f.Add("POST", "/prod/%2e%2e/", "%", "AGE=", true, "prod")
	f.Fuzz(func(t *testing.T, method, path, query, body string, encoded bool, stage string) {
		var e events.APIGatewayV2HTTPRequest
		e.RawPath, e.RawQueryString, e.Body, e.IsBase64Encoded = path, query, body, encoded
		e.RequestContext.HTTP.Method, e.RequestContext.Stage = method, stage
		r, err := gateway.Request(context.Background(), e)
		if err == nil && r.URL.RawQuery != query {
			t.Errorf("query %q became %q", query, r.URL.RawQuery)
		}
	})
}
