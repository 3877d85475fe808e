package replica

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/loadfile"
)

// loadCopy is the blob of a load in a file of this process, so that nothing is
// fetched while other writers wait.
type loadCopy struct {
	path  string
	users int
}

// FetchLoad copies the blob of a load to this process and verifies all of it.
// Until release is called, applying the load reads the copy. visit, if it is
// not nil, sees each record before all of them are verified. Errors: not_found
// when there is no such blob, invalid when it is damaged or another, visit's.
func (c *Cache) FetchLoad(ctx context.Context, key string, sum [32]byte, visit func(*loadfile.Record) error) (h loadfile.Header, s loadfile.Sum, release func(), err error) {
	path := c.newPath("load")
	h, s, err = c.copyLoad(ctx, key, path, visit)
	if err == nil && s.SHA256 != sum {
		err = fault.New(fault.Invalid, "the bulk content has another SHA-256 than was given")
	}
	if err != nil {
		return h, s, nil, errors.Join(err, removeDatabase(path))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if held := c.copies[key]; held != nil {
		held.users++
		return h, s, func() { c.dropCopy(key) }, removeDatabase(path)
	}
	c.copies[key] = &loadCopy{path: path, users: 1}
	return h, s, func() { c.dropCopy(key) }, nil
}

func (c *Cache) dropCopy(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.copies[key]
	if held.users--; held.users > 0 {
		return
	}
	delete(c.copies, key)
	if err := removeDatabase(held.path); err != nil {
		c.o.Log.Warn("replica: copy of a load not removed", "error", err)
	}
}

// copyLoad brings a blob into a file, reading it as a load on the way.
func (c *Cache) copyLoad(ctx context.Context, key, path string, visit func(*loadfile.Record) error) (h loadfile.Header, s loadfile.Sum, err error) {
	in, _, err := c.o.Blobs.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return h, s, fault.New(fault.NotFound, "there is no such bulk content").Because(err)
	}
	if err != nil {
		return h, s, fmt.Errorf("read load %s: %w", key, err)
	}
	defer in.Close()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return h, s, fmt.Errorf("make file of load: %w", err)
	}
	h, s, err = readLoad(io.TeeReader(&contextReader{ctx, in}, file), visit)
	var damage *loadfile.Damage
	if errors.As(err, &damage) {
		err = fault.New(fault.Invalid, "the bulk content is damaged").Because(err)
	}
	return h, s, errors.Join(err, file.Close())
}

func readLoad(in io.Reader, visit func(*loadfile.Record) error) (h loadfile.Header, s loadfile.Sum, err error) {
	r, err := loadfile.NewReader(in, 0)
	if err != nil {
		return h, s, err
	}
	defer r.Close()
	for err == nil {
		var record *loadfile.Record
		if record, err = r.Next(); err == nil && visit != nil {
			err = visit(record)
		}
	}
	if !errors.Is(err, io.EOF) {
		return h, s, err
	}
	return *r.Header(), r.Sum(), nil
}

// openLoad opens the blob of a load: the copy that this process has, or the
// stored one.
func (c *Cache) openLoad(ctx context.Context, b *commitlog.Bulk) (io.ReadCloser, error) {
	c.mu.Lock()
	held := c.copies[b.Blob]
	if held != nil {
		defer c.mu.Unlock()
		file, err := os.Open(held.path)
		if err != nil {
			return nil, fmt.Errorf("read copy of load: %w", err)
		}
		return file, nil
	}
	c.mu.Unlock()
	in, _, err := c.o.Blobs.Get(ctx, b.Blob)
	if err != nil {
		return nil, fmt.Errorf("read load %s: %w", b.Blob, err)
	}
	return in, nil
}

// StageLoad stages, as Stage does, into a new blob.
func (c *Cache) StageLoad(ctx context.Context, key string, target, present *View, o StageOptions) (_ *Staged, err error) {
	file, err := os.OpenFile(c.newPath("stage"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make file of load: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	out := bufio.NewWriterSize(file, 256<<10)
	staged, err := Stage(ctx, target, present, o, out)
	if err != nil {
		return nil, err
	}
	if err := out.Flush(); err != nil {
		return nil, fmt.Errorf("write load: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read load: %w", err)
	}
	if err := c.o.Blobs.PutNew(ctx, key, file, staged.Sum.Bytes); err != nil {
		return nil, fmt.Errorf("store load %s: %w", key, err)
	}
	return staged, nil
}
