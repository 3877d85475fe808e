package loadfile

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Reader reads a blob. It is used by one goroutine.
type Reader struct {
	source *sourceReader
	z      *zstd.Decoder
	in     *bufio.Reader
	limit  int64
	sum    hash.Hash
	header Header
	record Record
	buf    []byte
	prefix []byte
	stats  Sum
	err    error
}

// sourceReader counts, and keeps an error of the source to tell it from damage.
type sourceReader struct {
	r   io.Reader
	n   int64
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// NewReader reads the header of a blob that holds at most limit bytes
// uncompressed (0: MaxBytes). Nothing of a blob may be relied on before Next
// has returned io.EOF. Errors: *Damage, fault unavailable for a newer format,
// too_large, or the source's. Close it.
func NewReader(r io.Reader, limit int64) (*Reader, error) {
	if limit <= 0 || limit > MaxBytes {
		limit = MaxBytes
	}
	lr := &Reader{source: &sourceReader{r: r}, limit: limit, sum: sha256.New()}
	if err := lr.open(); err != nil {
		lr.Close()
		return nil, err
	}
	return lr, nil
}

func (r *Reader) open() error {
	first := make([]byte, len(magic))
	if _, err := io.ReadFull(r.source, first); err != nil {
		return r.broken("beginning", err)
	}
	if string(first) != magic {
		return damaged("it is none")
	}
	z, err := zstd.NewReader(r.source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return fmt.Errorf("read load: %w", err)
	}
	r.z, r.in = z, bufio.NewReaderSize(z, 64<<10)
	kind, data, err := r.frame(maxHeader)
	if err != nil {
		return err
	}
	if kind != frameHeader {
		return damaged("it does not begin with a header")
	}
	r.hash(data)
	r.header, err = decodeHeader(data[1:])
	return err
}

// broken tells an error of the source from damage.
func (r *Reader) broken(what string, err error) error {
	if r.source.err != nil {
		return fmt.Errorf("read load: %w", r.source.err)
	}
	return damaged("%s: %v", what, err) // %v: an io.EOF in it is not the end of the records
}

// frame reads a frame: its kind, and all its bytes but the length, which are
// the Reader's until the next.
func (r *Reader) frame(most int) (kind byte, data []byte, err error) {
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return 0, nil, r.broken("frame", err)
	}
	if n < 1 || n > uint64(most) {
		return 0, nil, damaged("a frame has %d bytes", n)
	}
	r.prefix = binary.AppendUvarint(r.prefix[:0], n)
	if r.stats.Content += int64(len(r.prefix)) + int64(n); r.stats.Content > r.limit {
		return 0, nil, tooLarge(r.limit)
	}
	r.buf = slices.Grow(r.buf[:0], int(n))[:n]
	if _, err := io.ReadFull(r.in, r.buf); err != nil {
		return 0, nil, r.broken("frame", err)
	}
	return r.buf[0], r.buf, nil
}

func (r *Reader) hash(frame []byte) {
	r.sum.Write(r.prefix)
	r.sum.Write(frame)
}

// Header is what the load is about. Its slices are the Reader's.
func (r *Reader) Header() *Header { return &r.header }

// Next returns the next record, which is valid until the call after, or io.EOF
// when the blob has ended and was found whole. Errors as NewReader's.
func (r *Reader) Next() (*Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.err = r.next(); r.err != nil {
		return nil, r.err
	}
	return &r.record, nil
}

func (r *Reader) next() error {
	kind, data, err := r.frame(maxRecord + 1)
	if err != nil {
		return err
	}
	if kind == frameTrailer {
		return r.end(data[1:])
	}
	r.hash(data)
	if err := decodeRecord(RecordKind(kind), data[1:], &r.record); err != nil {
		return err
	}
	return r.admit()
}

// admit checks a record against the header and counts it.
func (r *Reader) admit() error {
	r.stats.Records++
	switch r.record.Kind {
	case Vector:
		r.stats.Counts.Vectors++
		return nil
	case Delete:
		r.stats.Counts.Deletes++
		if r.header.Replaces(r.record.Table) {
			return damaged("a row of table %d, which is replaced, is deleted", r.record.Table)
		}
	default:
		r.stats.Counts.Rows++
	}
	for i := range r.header.Tables {
		if r.header.Tables[i].Num == r.record.Table {
			return nil
		}
	}
	return damaged("table %d is not in the header", r.record.Table)
}

// end checks the trailer, and that nothing follows it.
func (r *Reader) end(data []byte) error {
	sum, counts, err := decodeTrailer(data)
	if err != nil {
		return err
	}
	r.sum.Sum(r.stats.SHA256[:0])
	if sum != r.stats.SHA256 || counts != r.stats.Counts {
		return damaged("the content is not what the trailer says")
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		if err == nil {
			return damaged("something follows the trailer")
		}
		return r.broken("end", err)
	}
	r.stats.Bytes = r.source.n
	return io.EOF
}

// Sum describes the blob, once Next has returned io.EOF.
func (r *Reader) Sum() Sum { return r.stats }

// Close frees the decompressor; it does not close the reader below.
func (r *Reader) Close() {
	if r.z != nil {
		r.z.Close()
	}
}
