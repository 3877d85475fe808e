package api

import (
	"time"

	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer"
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

// RestoreUpload asks to bring the tables of an uploaded export back.
type RestoreUpload struct {
	Tables []string          `json:"tables,omitempty"`
	Drop   bool              `json:"drop,omitempty"`
	Into   *transfer.NewRoom `json:"into,omitempty"`
	DryRun bool              `json:"dryRun,omitempty"`
}

func restoreUpload(a *API, x *exchange) (any, error) {
	var asked RestoreUpload
	if err := x.optionalBody(&asked); err != nil {
		return nil, err
	}
	if a.Transfers == nil {
		return nil, errNoTransfers
	}
	done, j, err := a.Transfers.RestoreUpload(x.ctx(), x.principal, x.ref(), transfer.Restore{
		Upload: x.r.PathValue("upload"), Tables: asked.Tables, Drop: asked.Drop, Into: asked.Into, DryRun: asked.DryRun,
	})
	if err != nil {
		return nil, err
	}
	if j != nil {
		return accepted{j}, nil
	}
	return done, nil
}
