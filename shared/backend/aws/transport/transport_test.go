package transport_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"nanotypedb/shared/backend/aws/transport"
)

// lookAgain does to a body what the SDK and net/http may do in this order.
type lookAgain struct{ err error }

func (l *lookAgain) Do(r *http.Request) (*http.Response, error) {
	if _, err := io.CopyN(io.Discard, r.Body, r.ContentLength); err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil { // the SDK, once it has the answer's header
		return nil, err
	}
	_, l.err = io.Copy(io.Discard, r.Body) // net/http's transferWriter.writeBody
	return nil, nil
}

func request(t *testing.T) *http.Request {
	t.Helper()
	r, err := smithyhttp.NewStackRequest().(*smithyhttp.Request).SetStream(bytes.NewReader([]byte("body")))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 4
	return r.Build(t.Context())
}

func TestRepair(t *testing.T) {
	var bare, repaired lookAgain
	if _, err := bare.Do(request(t)); err != nil {
		t.Fatal(err)
	}
	if bare.err == nil {
		t.Error("the SDK no longer needs this package")
	}
	if _, err := transport.Repair(&repaired).Do(request(t)); err != nil {
		t.Fatal(err)
	}
	if repaired.err != nil {
		t.Errorf("a repaired body ends with %v", repaired.err)
	}
}
