package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/transfer"
	"nanotypedb/shared/wire"
)

// ImportFile is the body of an import: the file itself.
type ImportFile string

// importFormats are the media types that an import takes.
var importFormats = map[string]transfer.Format{
	"text/csv": transfer.CSV, "application/csv": transfer.CSV,
	"application/x-ndjson": transfer.NDJSON, "application/ndjson": transfer.NDJSON, "application/jsonl": transfer.NDJSON,
}

func importRows(a *API, x *exchange) (any, error) {
	if a.Transfers == nil {
		return nil, errNoTransfers
	}
	im, err := x.importRequest()
	if err != nil {
		return nil, err
	}
	in := transfer.Input{Upload: x.query.Get("upload")}
	if in.Body, err = x.file(); err != nil {
		return nil, err
	}
	if in.Upload != "" && len(in.Body) > 0 {
		return nil, fault.At(fault.Invalid, "upload", "Send a file or name an upload, not both.")
	}
	done, err := a.Transfers.Import(x.ctx(), x.principal, x.ref(), im, in)
	if err != nil {
		return nil, err
	}
	if done.Result != nil {
		a.announce(x.ctx(), *done.Result)
	}
	if done.Job != nil {
		return accepted{done.Job}, nil
	}
	return done.Report, nil
}

// importRequest reads the query.
func (x *exchange) importRequest() (im transfer.Import, err error) {
	im.Table, im.Mode, im.CommitID = x.r.PathValue("table"), transfer.Append, x.query.Get("commitId")
	if im.Format, err = x.importFormat(); err != nil {
		return im, err
	}
	if x.query.Has("mode") {
		im.Mode = transfer.Mode(x.query.Get("mode"))
	}
	if im.Create, err = x.flag("create", false); err != nil {
		return im, err
	}
	if im.DryRun, err = x.flag("dryRun", false); err != nil {
		return im, err
	}
	if err := x.names("mapping", &im.Mapping); err != nil {
		return im, err
	}
	return im, x.names("types", &im.Types)
}

// importFormat is what the query says, or the header.
func (x *exchange) importFormat() (transfer.Format, error) {
	if x.query.Has("format") {
		return transfer.Format(x.query.Get("format")), nil
	}
	media, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if format := importFormats[media]; err == nil && format != "" {
		return format, nil
	}
	return "", wire.Status(http.StatusUnsupportedMediaType, "Send the file as text/csv or application/x-ndjson, or say format=csv or format=ndjson.")
}

// names reads a query parameter that is a JSON object of names.
func (x *exchange) names(name string, into any) error {
	if !x.query.Has(name) {
		return nil
	}
	if err := json.Unmarshal([]byte(x.query.Get(name)), into); err != nil {
		return fault.At(fault.Invalid, name, "This must be a JSON object of names.")
	}
	return nil
}

// file reads a body that is no JSON.
func (x *exchange) file() ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, wire.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fault.New(fault.TooLarge, "A body has at most %d bytes; ask for a place to upload to, and name the upload.", wire.MaxBody)
	case err != nil:
		return nil, fault.New(fault.Invalid, "The body could not be read to its end.").Because(err)
	}
	return body, nil
}
