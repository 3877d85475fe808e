package api

import (
	"time"

	"nanotypedb/shared/schema"
)

// NewUpload asks for a place for a file. Type is what the file is, and for
// people only.
type NewUpload struct {
	Bytes int64  `json:"bytes"`
	Type  string `json:"type,omitempty"`
}

// UploadPlace is where to put a file: by one request of the method, with the
// headers, before it expires. Upload names it afterwards.
type UploadPlace struct {
	Upload  string            `json:"upload"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Expires Time              `json:"expires"`
}

func newUpload(a *API, x *exchange) (any, error) {
	var asked NewUpload
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	if a.Transfers == nil {
		return nil, errNoTransfers
	}
	u, err := a.Transfers.NewUpload(x.ctx(), x.principal, x.ref(), asked.Bytes)
	if err != nil {
		return nil, err
	}
	return UploadPlace{
		Upload: u.ID, Method: u.Address.Method, URL: u.Address.URL, Headers: headersOf(u.Address.Headers), Expires: millis(u.Address.Expires),
	}, nil
}

// headersOf gives an object also where there are none.
func headersOf(headers map[string]string) map[string]string {
	if headers == nil {
		return map[string]string{}
	}
	return headers
}

func millis(t time.Time) Time { return Time(schema.Millis(t.UnixMilli())) }
