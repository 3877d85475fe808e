package loadfile

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// Writer writes a blob. It is used by one goroutine. What it wrote is worth
// nothing before Close has returned without an error.
type Writer struct {
	out   *countingWriter
	z     *zstd.Encoder
	sum   hash.Hash
	buf   []byte
	frame []byte
	mode  func(table int) (named, replaced bool)
	stats Sum
	err   error
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// NewWriter begins a blob with its header. Error: a header that breaks the
// rules of Header, or the writer's.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	data, err := encodeHeader(&h)
	if err != nil {
		return nil, fmt.Errorf("write load: %w", err)
	}
	if len(data) > maxHeader {
		return nil, fault.New(fault.TooLarge, "the schema of the bulk content has more than %d bytes", maxHeader)
	}
	out := &countingWriter{w: w}
	if _, err := io.WriteString(out, magic); err != nil {
		return nil, fmt.Errorf("write load: %w", err)
	}
	z, err := zstd.NewWriter(out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("write load: %w", err)
	}
	lw := &Writer{out: out, z: z, sum: sha256.New()}
	lw.mode = func(table int) (named, replaced bool) {
		for i := range h.Tables {
			if h.Tables[i].Num == table {
				return true, h.Replaces(table)
			}
		}
		return false, false
	}
	return lw, lw.write(frameHeader, data)
}

// write writes one frame.
func (w *Writer) write(kind byte, content []byte) error {
	w.frame = append(binary.AppendUvarint(w.frame[:0], uint64(len(content)+1)), kind)
	w.frame = append(w.frame, content...)
	if kind != frameTrailer {
		w.sum.Write(w.frame)
	}
	w.stats.Content += int64(len(w.frame))
	if _, err := w.z.Write(w.frame); err != nil {
		w.err = fmt.Errorf("write load: %w", err)
	}
	return w.err
}

// Put adds a record. Errors: a record of a table that the header does not
// name, a deletion from a table that is replaced, too_large for a row or
// vector beyond all limits, or the writer's, after which the blob is lost.
func (w *Writer) Put(r *Record) error {
	if w.err != nil {
		return w.err
	}
	if err := w.admit(r); err != nil {
		return fmt.Errorf("write load: %w", err)
	}
	w.buf = appendRecord(w.buf[:0], r)
	if len(w.buf) > maxRecord {
		return fault.New(fault.TooLarge, "the row %s has more than %d bytes", r.ID, maxRecord)
	}
	w.count(r.Kind)
	return w.write(byte(r.Kind), w.buf)
}

func (w *Writer) admit(r *Record) error {
	if r.Kind == Vector {
		if r.Model == "" || len(r.Vector) == 0 {
			return errors.New("a vector or its model is missing")
		}
		return nil
	}
	named, replaced := w.mode(r.Table)
	switch {
	case r.Kind != Row && r.Kind != Delete:
		return fmt.Errorf("there is no kind %d of record", r.Kind)
	case !named:
		return fmt.Errorf("table %d is not in the header", r.Table)
	case replaced && r.Kind == Delete:
		return fmt.Errorf("table %d is replaced, so it has no deletions", r.Table)
	}
	return schema.ValidRowID(r.ID)
}

func (w *Writer) count(kind RecordKind) {
	w.stats.Records++
	switch kind {
	case Row:
		w.stats.Counts.Rows++
	case Delete:
		w.stats.Counts.Deletes++
	case Vector:
		w.stats.Counts.Vectors++
	}
}

// Close ends the blob with its trailer; it does not close the writer below.
func (w *Writer) Close() (Sum, error) {
	if w.err != nil {
		return Sum{}, errors.Join(w.err, w.z.Close())
	}
	w.sum.Sum(w.stats.SHA256[:0])
	if err := w.write(frameTrailer, appendTrailer(nil, w.stats.SHA256, w.stats.Counts)); err != nil {
		return Sum{}, errors.Join(err, w.z.Close())
	}
	w.err = errors.New("write load: the blob has ended")
	if err := w.z.Close(); err != nil {
		return Sum{}, fmt.Errorf("write load: %w", err)
	}
	w.stats.Bytes = w.out.n
	return w.stats, nil
}
