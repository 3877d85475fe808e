// Package transport is a repair of the SDK's way to send a request, for every
// client of this project and of its tests.
package transport

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Repair returns a client that hides from net/http that a request's body can
// write itself. The SDK (smithy-go 1.28.8, transport/http/client.go) closes the
// body as soon as the answer's header is there. net/http may just then look
// whether the body is longer than announced; the closed body's WriteTo answers
// io.EOF, which is no proper end for a WriteTo, so that net/http takes it for a
// failed request and cuts the connection with the answer in it. The request was
// executed, and the caller learns "use of closed network connection", the
// symptom of https://github.com/aws/aws-sdk-go-v2/issues/2737. Read answers
// io.EOF as well, and properly.
func Repair(client aws.HTTPClient) aws.HTTPClient { return repaired{client} }

type repaired struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (r repaired) Do(request *http.Request) (*http.Response, error) {
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = onlyReads{request.Body}
	}
	return r.client.Do(request)
}

// onlyReads has no WriteTo.
type onlyReads struct{ io.ReadCloser }
