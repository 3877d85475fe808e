// Package dirblob keeps blobs as files in a directory. It is the embedded
// adapter of the blob port.
//
// A blob "a/b" is the file "a/b~": the tilde, which no key contains, lets "a"
// be a blob and a directory at once. Content is written to a file in "~tmp",
// synced, and then moved to its place by rename(2) or, when it must be new, by
// link(2); the folder is synced before the call returns. What a crash leaves in
// "~tmp" is removed by Open. Behind its content each file has a checksum.
package dirblob

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
)

const (
	temporary = "~tmp"
	suffix    = "~"
)

// The steps between two effects.
const (
	PointWritten faultpoint.Name = "dirblob.written" // the content is synced, but under no key
	PointPlaced  faultpoint.Name = "dirblob.placed"  // the key is there, its folder not synced
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointWritten, PointPlaced}

// Store keeps blobs under one directory, of which it is the only user: who
// opens it holds the lock of the data folder.
type Store struct {
	root    *os.Root
	counter atomic.Uint64 // names temporary files
}

// Open opens the directory, making it when it is not there, and removes what a
// crash left half written.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	s := &Store{root: root}
	err = s.sweep()
	if err == nil {
		err = syncParent(dir)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sweep blob folder: %w", err), root.Close())
	}
	return s, nil
}

// syncParent makes the folder's own name durable.
func syncParent(dir string) error {
	parent, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

func (s *Store) sweep() error {
	if err := s.root.RemoveAll(temporary); err != nil {
		return err
	}
	return s.root.Mkdir(temporary, 0o700)
}

// Close ends the use of the directory. Readers that are open stay so.
func (s *Store) Close() error { return s.root.Close() }

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	return s.store(ctx, key, r, size, s.root.Rename)
}

// PutNew implements blob.Store.
func (s *Store) PutNew(ctx context.Context, key string, r io.Reader, size int64) error {
	if _, err := s.Stat(ctx, key); !errors.Is(err, blob.ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("put %s: %w", key, blob.ErrExists)
		}
		return err
	}
	return s.store(ctx, key, r, size, s.link)
}

// link is rename for a name that must be free.
func (s *Store) link(from, to string) error {
	if err := s.root.Link(from, to); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return blob.ErrExists
		}
		return err
	}
	return s.root.Remove(from)
}

func (s *Store) store(ctx context.Context, key string, r io.Reader, size int64, place func(from, to string) error) error {
	if err := blob.ValidateKey(key); err != nil {
		return err
	}
	temp := path.Join(temporary, strconv.FormatUint(s.counter.Add(1), 10))
	err := s.write(ctx, temp, r, size)
	if err == nil {
		faultpoint.Reach(PointWritten)
		err = s.place(temp, key, place)
	}
	if err != nil {
		if swept := s.root.Remove(temp); swept != nil && !errors.Is(swept, fs.ErrNotExist) {
			err = errors.Join(err, swept)
		}
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// write makes a durable file that is no blob yet.
func (s *Store) write(ctx context.Context, name string, r io.Reader, size int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	err = fill(ctx, io.MultiWriter(f, sum), r, size)
	if err == nil {
		_, err = f.Write(footer(sum.Sum32()))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// fill copies r, of which it reads at most one byte more than it should hold.
func fill(ctx context.Context, f io.Writer, r io.Reader, size int64) error {
	r = &contextReader{ctx: ctx, r: r}
	if size < 0 {
		_, err := io.Copy(f, r)
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, size+1))
	if err == nil && n != size {
		err = fault.New(fault.Invalid, "the content is not %d bytes long, as was said", size)
	}
	return err
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // the reader lives no longer than the call it belongs to
	r   io.Reader
}

// Read implements io.Reader.
func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	if ended := c.ctx.Err(); ended != nil {
		err = ended
	}
	return n, err
}

// place gives a written file its key.
func (s *Store) place(temp, key string, place func(from, to string) error) error {
	dir := path.Dir(key)
	if err := s.makeDir(dir); err != nil {
		return err
	}
	if err := place(temp, key+suffix); err != nil {
		return err
	}
	faultpoint.Reach(PointPlaced)
	return s.syncDir(dir)
}

// makeDir makes a folder and those above it, each durable in the one above.
func (s *Store) makeDir(dir string) error {
	if _, err := s.root.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := path.Dir(dir)
	if err := s.makeDir(parent); err != nil {
		return err
	}
	if err := s.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.syncDir(parent)
}

func (s *Store) syncDir(dir string) error {
	f, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Get implements blob.Store.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, blob.Info, error) {
	if err := blob.ValidateKey(key); err != nil {
		return nil, blob.Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return nil, blob.Info{}, err
	}
	f, err := s.root.Open(key + suffix)
	if err != nil {
		return nil, blob.Info{}, readError(key, err)
	}
	r, info, err := openContent(key, f)
	if err != nil {
		return nil, blob.Info{}, errors.Join(readError(key, err), f.Close())
	}
	return r, info, nil
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := blob.ValidateKey(key); err != nil {
		return blob.Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	stat, err := s.root.Stat(key + suffix)
	if err != nil {
		return blob.Info{}, readError(key, err)
	}
	return infoOf(key, stat), nil
}

// Delete implements blob.Store. Folders stay.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := blob.ValidateKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.root.Remove(key + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.syncDir(path.Dir(key))
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

func infoOf(key string, stat fs.FileInfo) blob.Info {
	return blob.Info{Key: key, Size: max(0, stat.Size()-footerSize), Modified: stat.ModTime().UTC()}
}

func readError(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = blob.ErrNotFound
	}
	return fmt.Errorf("read %s: %w", key, err)
}
