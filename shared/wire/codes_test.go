package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/wire"
)

func TestEveryCodeHasItsNumberAndStatus(t *testing.T) {
	numbers, statuses := map[int]fault.Code{}, map[int]fault.Code{}
	for _, code := range fault.Codes {
		err := fault.New(code, "x")
		n, s := wire.Number(err), wire.HTTPStatus(err)
		if n == 0 || s == 0 {
			t.Errorf("%s: number %d, status %d", code, n, s)
		}
		if other, taken := numbers[n]; taken {
			t.Errorf("%s and %s share number %d", code, other, n)
		}
		if other, taken := statuses[s]; taken {
			t.Errorf("%s and %s share status %d", code, other, s)
		}
		numbers[n], statuses[s] = code, code
	}
}

func TestInternalErrorsKeepTheirText(t *testing.T) {
	for _, err := range []error{
		errors.New("secret path /var/x"),
		fault.New(fault.Internal, "secret"),
		fault.New(fault.Code("made-up"), "secret"),
		fault.New(fault.Conflict, "public").Because(errors.New("secret")),
	} {
		frame := string(wire.AppendError(nil, json.RawMessage("1"), err, "req-1"))
		rec := httptest.NewRecorder()
		wire.WriteProblem(rec, err, "req-1")
		for _, out := range []string{frame, rec.Body.String()} {
			if strings.Contains(out, "secret") {
				t.Errorf("%v leaks: %s", err, out)
			}
			if internal := fault.CodeOf(err) != fault.Conflict; strings.Contains(out, "req-1") != internal {
				t.Errorf("%v: request id told or not: %s", err, out)
			}
		}
	}
}

func TestInterruptedRequestsAreUndecided(t *testing.T) {
	for _, err := range []error{context.Canceled, context.DeadlineExceeded} {
		if n := wire.Number(err); n != 5003 {
			t.Errorf("%v: %d", err, n)
		}
	}
}

func TestProblem(t *testing.T) {
	rec := httptest.NewRecorder()
	err := fault.At(fault.RateLimited, "ops", "Too often.").After(1500*time.Millisecond).With("useHttp", true).With("status", 200)
	wire.WriteProblem(rec, err, "r")
	want := `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Too often.","code":"rate_limited","path":"ops","retryAfterMs":1500,"useHttp":true}`
	if rec.Body.String() != want {
		t.Errorf("got  %s\nwant %s", rec.Body, want)
	}
	if rec.Code != 429 || rec.Header().Get("Retry-After") != "2" || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, headers %v", rec.Code, rec.Header())
	}
}

func TestErrorFrame(t *testing.T) {
	err := fault.At(fault.Invalid, "ops[0].row.title", "Say \"so\".").Because(errors.New("hidden"))
	got := string(wire.AppendError(nil, json.RawMessage(`"a"`), err, "r"))
	want := `{"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"Invalid params","data":{"code":"invalid","path":"ops[0].row.title","reason":"Say \"so\"."}}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
