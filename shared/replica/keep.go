package replica

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
)

// PointKept is between the writing and the verification of a kept image.
const PointKept faultpoint.Name = "replica.keep.written"

// Kept describes an image that was kept under a key of its own.
type Kept struct {
	Header
	Bytes  int64    // of the image
	SHA256 [32]byte // of the image; that of the database is in its header
}

// Keep writes the newest published state as an image under a key of the blob
// store that is free, and verifies it as stored: it is loaded from there, and
// size, hash, header and the sums recomputed from its rows must agree. Writers
// and readers go on meanwhile; it takes room for two copies of the database in
// the scratch folder, and little memory. After an error the blob may be there,
// and is worth nothing.
func (r *Replica) Keep(ctx context.Context, key string) (_ Kept, err error) {
	s, err := r.snapshot(ctx)
	if err != nil {
		return Kept{}, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	file, err := os.OpenFile(s.path+".zst", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Kept{}, fmt.Errorf("make image file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	sum := sha256.New()
	if err := s.write(ctx, io.MultiWriter(file, sum)); err != nil {
		return Kept{}, err
	}
	k := Kept{Header: s.header, SHA256: [32]byte(sum.Sum(nil))}
	if k.Bytes, err = rewind(file); err != nil {
		return Kept{}, err
	}
	if err := r.cache.o.Blobs.PutNew(ctx, key, file, k.Bytes); err != nil {
		return Kept{}, fmt.Errorf("keep image: %w", err)
	}
	faultpoint.Reach(PointKept)
	if err := r.cache.verifyKept(ctx, key, &k); err != nil {
		return Kept{}, fmt.Errorf("verify image %s: %w", key, err)
	}
	return k, nil
}

// rewind gives the size of a file and goes back to its beginning.
func rewind(file *os.File) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, fmt.Errorf("read image file: %w", err)
	}
	return size, nil
}

func (c *Cache) verifyKept(ctx context.Context, key string, k *Kept) error {
	in, _, err := c.o.Blobs.Get(ctx, key)
	if err != nil {
		return err
	}
	defer in.Close()
	sum := sha256.New()
	h, err := c.VerifyImage(ctx, io.TeeReader(in, sum))
	if err != nil {
		return err
	}
	if _, err := io.Copy(sum, in); err != nil {
		return err
	}
	if h.Seq != k.Seq || h.Sums != k.Sums || [32]byte(sum.Sum(nil)) != k.SHA256 {
		return damaged("it is not the image that was written")
	}
	return nil
}

// VerifyImage reads an image from anywhere and checks all of it: size and hash
// of the database, that its state is the one of the header, and that both sums
// are those of its rows. It takes room for the database in the scratch folder.
// Errors: invalid with what is wrong, unavailable for a newer format.
func (c *Cache) VerifyImage(ctx context.Context, in io.Reader) (_ Header, err error) {
	path := c.newPath("verify")
	defer func() { err = errors.Join(err, removeDatabase(path)) }()
	h, err := c.unpack(ctx, in, path)
	if err != nil {
		return Header{}, publicDamage(err)
	}
	s, err := readCopy(ctx, path, func(conn *conn, s *State) error {
		sums, rows, bytes, err := recount(ctx, conn, s)
		if err == nil && (sums != s.Sums || rows != s.Rows || bytes != s.Bytes) {
			err = damaged("the sums of its rows are others")
		}
		return err
	})
	if err != nil {
		if ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
			err = &damage{err}
		}
		return Header{}, publicDamage(err)
	}
	if h.Room != s.Room || h.Seq != s.Seq || h.Rows != s.Rows || h.Sums != s.Sums {
		return Header{}, publicDamage(damaged("header and database do not agree"))
	}
	return h, nil
}

// unpack brings the database of an image into a file.
func (c *Cache) unpack(ctx context.Context, in io.Reader, path string) (Header, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Header{}, fmt.Errorf("make database file: %w", err)
	}
	h, err := ReadImage(ctx, in, file)
	return h, errors.Join(err, file.Close())
}

// publicDamage tells a user that an image cannot be used.
func publicDamage(err error) error {
	var d *damage
	if !errors.As(err, &d) || fault.Is(err, fault.Unavailable) {
		return err
	}
	return fault.New(fault.Invalid, "this is no whole snapshot of Nanotype DB: it is damaged, cut off or something else").Because(err)
}
