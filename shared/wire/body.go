package wire

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"nanotypedb/shared/fault"
)

// DecodeBody reads the JSON body of a request into a struct, strictly as
// Decode does. Errors: 415 for another content type, too_large above MaxBody.
func DecodeBody(w http.ResponseWriter, r *http.Request, into any) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return Status(http.StatusUnsupportedMediaType, "Send the body as application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.New(fault.TooLarge, "A body has at most %d bytes.", MaxBody)
	case err != nil:
		return fault.New(fault.Invalid, "The body could not be read to its end.").Because(err)
	}
	return Decode(body, into)
}
