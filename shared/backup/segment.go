package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
)

// A segment is these eight bytes and a zstd stream of frames, each with its
// length before it as an unsigned varint: a header as JSON, the entries as the
// log holds them, and an empty frame at the end.
const (
	segmentMagic  = "NANOSEG\n"
	segmentFormat = 1
)

// What a reader of a segment puts up with, whatever it says of itself.
const (
	maxSegmentHeader = 4 << 10
	maxSegmentFrame  = commitlog.MaxEntryBytes + 64<<10
	maxSegmentWindow = 8 << 20
	maxSegmentRaw    = 64 << 20
)

// segmentHeader says which entries of which room a segment has.
type segmentHeader struct {
	Format int    `json:"format"`
	Room   string `json:"room"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
}

// damage is a segment that is not what was written.
type damage struct{ err error }

func (e *damage) Error() string { return "damaged segment: " + e.err.Error() }
func (e *damage) Unwrap() error { return e.err }

func damaged(format string, args ...any) error { return &damage{fmt.Errorf(format, args...)} }

// encodeSegment writes entries, of which the first has the seq from.
func encodeSegment(w io.Writer, room string, from int64, entries [][]byte) error {
	if _, err := io.WriteString(w, segmentMagic); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(4<<20))
	if err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	head, err := json.Marshal(segmentHeader{segmentFormat, room, from, from + int64(len(entries)) - 1})
	for _, frame := range append(append([][]byte{head}, entries...), nil) {
		if err == nil {
			_, err = z.Write(append(binary.AppendUvarint(nil, uint64(len(frame))), frame...))
		}
	}
	if err := errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	return nil
}

// decodeSegment calls fn for each entry of a segment that must hold just those
// that want says. Memory is bounded by the largest entry. Errors: *damage,
// unavailable for a newer format, fn's, the reader's.
func decodeSegment(r io.Reader, want segmentHeader, fn func(seq int64, data []byte) error) error {
	source := &sourceReader{r: r}
	magic := make([]byte, len(segmentMagic))
	if _, err := io.ReadFull(source, magic); err != nil || string(magic) != segmentMagic {
		return source.explain("it is none", err)
	}
	z, err := zstd.NewReader(source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxSegmentWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return fmt.Errorf("read segment: %w", err)
	}
	defer z.Close()
	f := frames{source: source, in: bufio.NewReaderSize(z, 64<<10)}
	if err := f.header(want); err != nil {
		return err
	}
	for seq := want.From; seq <= want.To; seq++ {
		data, err := f.next(maxSegmentFrame)
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return damaged("it ends before entry %d", seq)
		}
		if err := fn(seq, data); err != nil {
			return err
		}
	}
	return f.end()
}

// frames reads the frames of a segment.
type frames struct {
	source *sourceReader
	in     *bufio.Reader
	buf    []byte
	total  int64
}

// next reads a frame, which is valid until the next.
func (f *frames) next(most uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(f.in)
	if err != nil {
		return nil, f.source.explain("a frame is cut off", err)
	}
	if f.total += int64(n); n > most || f.total > maxSegmentRaw {
		return nil, damaged("a frame has %d bytes", n)
	}
	if uint64(cap(f.buf)) < n {
		f.buf = make([]byte, n)
	}
	f.buf = f.buf[:n]
	if _, err := io.ReadFull(f.in, f.buf); err != nil {
		return nil, f.source.explain("a frame is cut off", err)
	}
	return f.buf, nil
}

func (f *frames) header(want segmentHeader) error {
	data, err := f.next(maxSegmentHeader)
	if err != nil {
		return err
	}
	var got segmentHeader
	if err := json.Unmarshal(data, &got); err != nil {
		return damaged("header: %w", err)
	}
	if got.Format > segmentFormat {
		return fault.New(fault.Unavailable, "archived commits were written by a newer version of the program")
	}
	if want.Format = segmentFormat; got != want {
		return damaged("it has entries %d to %d of room %.40q in format %d", got.From, got.To, got.Room, got.Format)
	}
	return nil
}

func (f *frames) end() error {
	data, err := f.next(maxSegmentFrame)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		return damaged("it has more entries than its header says")
	}
	if _, err := f.in.ReadByte(); !errors.Is(err, io.EOF) {
		return f.source.explain("something follows its end", err)
	}
	return nil
}

// sourceReader keeps an error of the source, to tell it from damage.
type sourceReader struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// explain tells damage from an error of the source.
func (s *sourceReader) explain(what string, err error) error {
	if s.err != nil {
		return fmt.Errorf("read segment: %w", s.err)
	}
	if err != nil {
		return damaged("%s: %v", what, err) // %v: an io.EOF in it is no end
	}
	return damaged("%s", what)
}

// hashingReader takes the SHA-256 of what passes.
type hashingReader struct {
	r io.Reader
	h hash.Hash
}

func newHashingReader(r io.Reader) *hashingReader { return &hashingReader{r, sha256.New()} }

// Read implements io.Reader.
func (h *hashingReader) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.h.Write(p[:n])
	return n, err
}

// sum is the hash of everything, also of what was not read yet.
func (h *hashingReader) sum() []byte {
	if _, err := io.Copy(io.Discard, h); err != nil {
		return nil
	}
	return h.h.Sum(nil)
}

// sealed is a whole segment in memory: at most segmentRaw and one page of the
// log, compressed.
func sealed(room string, from int64, entries [][]byte) ([]byte, error) {
	var out bytes.Buffer
	err := encodeSegment(&out, room, from, entries)
	return out.Bytes(), err
}
