package s3blob

import (
	"fmt"
	"io"

	"nanotypedb/shared/fault"
)

// exactReader passes r on and fails instead of ending when the number of bytes
// is not the one that was announced; a negative one is unknown.
type exactReader struct {
	r    io.Reader
	want int64
	got  int64
}

// Read implements io.Reader.
func (e *exactReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.got += int64(n)
	switch {
	case e.want < 0:
	case e.got > e.want:
		return n, fault.New(fault.Invalid, "the content is longer than the %d bytes announced", e.want)
	case err == io.EOF && e.got < e.want:
		return n, fmt.Errorf("the content ends after %d of %d bytes: %w", e.got, e.want, io.ErrUnexpectedEOF)
	}
	return n, err
}
