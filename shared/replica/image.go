package replica

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"zombiezen.com/go/sqlite"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// An image is these eight bytes, the length of the header as 32 bits little
// endian, the header as JSON, and the SQLite database compressed by zstd.
const imageMagic = "NANOIMG\n"

// What a reader of an image puts up with, whatever the image says of itself.
const (
	maxHeader   = 1 << 20 // a schema is at most 256 KB
	maxDatabase = 2 << 30
	maxWindow   = 8 << 20 // memory of the decompressor
)

// Header describes an image.
type Header struct {
	Format int
	Room   string
	Seq    int64
	At     schema.Millis // of entry Seq
	Rows   int64
	Schema *schema.Schema
	Sums   commitlog.Sums
	Index  int64 // the newest entry of the index log in it
	Model  string
	Dim    int
	Size   int64    // of the database, uncompressed
	SHA256 [32]byte // of the database, uncompressed
}

// headerJSON is a Header as written.
type headerJSON struct {
	Format  int             `json:"format"`
	Room    string          `json:"room"`
	Seq     int64           `json:"seq"`
	At      schema.Millis   `json:"at"`
	Rows    int64           `json:"rows"`
	Schema  json.RawMessage `json:"schema"`
	Content digest          `json:"content"`
	State   digest          `json:"state"`
	Index   int64           `json:"index,omitempty"`
	Model   string          `json:"model,omitempty"`
	Dim     int             `json:"dim,omitempty"`
	Size    int64           `json:"size"`
	SHA256  digest          `json:"sha256"`
}

// digest is 32 bytes, as text in hexadecimal.
type digest [32]byte

func (d digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

func (d *digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("a digest has %d digits, not %d", 2*len(d), len(text))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// damage is an image or checkpoint that is not what it should be.
type damage struct{ err error }

func (e *damage) Error() string { return "damaged image: " + e.err.Error() }
func (e *damage) Unwrap() error { return e.err }

func damaged(format string, args ...any) error { return &damage{fmt.Errorf(format, args...)} }

// snapshot is a copy of a replica at one seq, its sums recomputed from its
// rows. It is a file that its owner removes.
type snapshot struct {
	path   string
	header Header
}

func (s *snapshot) remove() error { return removeDatabase(s.path) }

// snapshot copies the newest published state. VACUUM INTO reads one snapshot
// of its own, so that writers and readers go on, and its seq is the one found
// in the copy; it leaves out free pages, and with them deleted rows.
func (r *Replica) snapshot(ctx context.Context) (_ *snapshot, err error) {
	s := &snapshot{path: r.cache.newPath("image")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove())
		}
	}()
	if err := r.copyTo(ctx, s.path); err != nil {
		return nil, fmt.Errorf("copy replica of room %s: %w", r.room, err)
	}
	if s.header, err = r.inspect(ctx, s.path); err != nil {
		return nil, err
	}
	s.header.SHA256, s.header.Size, err = hashFile(s.path)
	return s, err
}

func (r *Replica) copyTo(ctx context.Context, path string) (err error) {
	r.gate.RLock()
	db := r.db.Load()
	if db == nil {
		r.gate.RUnlock()
		return errClosed
	}
	db.retain()
	r.gate.RUnlock()
	defer func() { err = errors.Join(err, db.release()) }()
	c, err := openConn(db.path, sqlite.OpenReadWrite, "PRAGMA synchronous=OFF")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	c.db.SetInterrupt(ctx.Done())
	err = c.exec("VACUUM INTO ?1", path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// inspect reads a copy's state and compares it with its rows. Where they
// differ this replica is damaged: it is loaded anew at the next catch-up.
func (r *Replica) inspect(ctx context.Context, path string) (Header, error) {
	s, err := readCopy(ctx, path, func(c *conn, s *State) error {
		sums, rows, bytes, err := recount(ctx, c, s)
		if err == nil && (sums != s.Sums || rows != s.Rows || bytes != s.Bytes) {
			err = damaged("sums recomputed at seq %d are others", s.Seq)
		}
		return err
	})
	var d *damage
	if errors.As(err, &d) {
		r.broken.Store(true)
		r.log().Error("replica: damaged, to be loaded anew", "room", r.room, "error", err)
	}
	if err != nil {
		return Header{}, err
	}
	return Header{Format: imageFormat, Room: s.Room, Seq: s.Seq, At: s.At, Rows: s.Rows, Schema: s.Schema, Sums: s.Sums,
		Index: s.Index, Model: s.Model, Dim: s.Dim}, nil
}

// readCopy opens a database file for reading and gives its state.
func readCopy(_ context.Context, path string, check func(*conn, *State) error) (_ *State, err error) {
	c, err := openConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	s, err := readState(c)
	if err != nil {
		return nil, err
	}
	return s, check(c, s)
}

func hashFile(path string) (sum [32]byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, 0, fmt.Errorf("hash image: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, f); err != nil {
		return sum, 0, fmt.Errorf("hash image: %w", err)
	}
	return [32]byte(h.Sum(nil)), size, nil
}

// Image writes the SQLite image of the newest published state, compressed,
// with its header, and returns the header.
func (r *Replica) Image(ctx context.Context, w io.Writer) (Header, error) {
	s, err := r.snapshot(ctx)
	if err != nil {
		return Header{}, err
	}
	return s.header, errors.Join(s.write(ctx, w), s.remove())
}

// write encodes a snapshot as an image.
func (s *snapshot) write(ctx context.Context, w io.Writer) error {
	head, err := s.header.encode()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	defer f.Close()
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(4<<20))
	if err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	_, err = io.Copy(z, &contextReader{ctx, f})
	if err = errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

func (h *Header) encode() ([]byte, error) {
	text, err := json.Marshal(headerJSON{
		Format: h.Format, Room: h.Room, Seq: h.Seq, At: h.At, Rows: h.Rows, Schema: schema.EncodeSchema(h.Schema),
		Content: digest(h.Sums.Content), State: digest(h.Sums.State), Index: h.Index, Model: h.Model, Dim: h.Dim,
		Size: h.Size, SHA256: h.SHA256,
	})
	if err != nil {
		return nil, fmt.Errorf("encode image header: %w", err)
	}
	out := binary.LittleEndian.AppendUint32([]byte(imageMagic), uint32(len(text)))
	return append(out, text...), nil
}

// ReadHeader reads the header of an image and nothing after it.
func ReadHeader(r io.Reader) (Header, error) {
	var fixed [len(imageMagic) + 4]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return Header{}, unreadable("header", err)
	}
	n := binary.LittleEndian.Uint32(fixed[len(imageMagic):])
	if string(fixed[:len(imageMagic)]) != imageMagic || n > maxHeader {
		return Header{}, damaged("this is no image")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return Header{}, unreadable("header", err)
	}
	return decodeHeader(text)
}

func decodeHeader(text []byte) (Header, error) {
	var j headerJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return Header{}, damaged("header: %w", err)
	}
	if j.Format > imageFormat {
		return Header{}, fault.New(fault.Unavailable, "the image was written by a newer version of the program")
	}
	if j.Format < imageFormat {
		return Header{}, damaged("header: format %d is no longer read", j.Format)
	}
	if j.Index < 0 || j.Dim < 0 || j.Size < 0 || j.Size > maxDatabase || j.Seq < 1 || j.Rows < 0 {
		return Header{}, damaged("header: format %d, size %d, seq %d, rows %d", j.Format, j.Size, j.Seq, j.Rows)
	}
	s, err := schema.DecodeSchema(j.Schema)
	if err != nil {
		return Header{}, damaged("header: %w", err)
	}
	return Header{Format: j.Format, Room: j.Room, Seq: j.Seq, At: j.At, Rows: j.Rows, Schema: s, Index: j.Index, Model: j.Model, Dim: j.Dim,
		Sums: commitlog.Sums{Content: commitlog.Sum(j.Content), State: commitlog.Sum(j.State)}, Size: j.Size, SHA256: j.SHA256}, nil
}

// unreadable is damage when the image ends too early, else the reader's error.
func unreadable(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged("%s: %w", what, err)
	}
	return fmt.Errorf("read image %s: %w", what, err)
}

// ReadImage decodes an image: it writes the SQLite database to w and returns
// the header when size and SHA-256 are right. What was written before an
// error is worthless. Memory is bounded whatever the image holds, and no more
// than the size in its header is written, which is at most 2 GB.
func ReadImage(ctx context.Context, r io.Reader, w io.Writer) (Header, error) {
	in := &sourceReader{r: bufio.NewReaderSize(&contextReader{ctx, r}, 64<<10)}
	h, err := ReadHeader(in)
	if err != nil {
		return Header{}, err
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return Header{}, fmt.Errorf("read image: %w", err)
	}
	defer z.Close()
	sum := sha256.New()
	out := &sinkWriter{w: io.MultiWriter(w, sum)}
	n, err := io.Copy(out, io.LimitReader(z, h.Size+1))
	switch {
	case errors.Is(in.err, blob.ErrDamaged):
		return Header{}, &damage{in.err}
	case in.err != nil:
		return Header{}, fmt.Errorf("read image: %w", in.err)
	case out.err != nil:
		return Header{}, fmt.Errorf("write database: %w", out.err)
	case err != nil:
		return Header{}, damaged("database: %w", err)
	case n != h.Size || [32]byte(sum.Sum(nil)) != h.SHA256:
		return Header{}, damaged("the database has another size or SHA-256 than the header says")
	}
	return h, nil
}

// sourceReader keeps an error of the source, to tell it from damage.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// sinkWriter keeps an error of the target.
type sinkWriter struct {
	w   io.Writer
	err error
}

func (s *sinkWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // the reader lives no longer than the call it belongs to
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
