// Package blob is the port to immutable files: checkpoint images, snapshots,
// staged loads and log segments. The embedded adapter is dirblob, the AWS
// adapter s3blob; both pass blobtest. All methods may be called concurrently.
package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// Info describes a stored blob.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Store keeps blobs. Keys are made of segments of [a-zA-Z0-9._=-] joined by
// "/", at most 512 bytes, 200 a segment, with no segment "." or ".."; other keys
// are refused with fault.Invalid (see ValidateKey). A key may begin with
// another, as "a" and "a/b". When ctx ends before a method is done, nothing is
// stored and the error is ctx's, unless the last step was under way.
type Store interface {
	// Put stores the content of r whole or not at all: a reader never sees a
	// part, also after a crash. It replaces what was there. size is the exact
	// number of bytes, or -1 when unknown; a wrong size is an error and
	// nothing is stored.
	Put(ctx context.Context, key string, r io.Reader, size int64) error

	// PutNew is Put, refused with ErrExists when the key is taken.
	PutNew(ctx context.Context, key string, r io.Reader, size int64) error

	// Get opens a blob for streaming, or returns ErrNotFound. The caller closes
	// it. The reader gives what was there at the call, also when the blob is
	// replaced or deleted meanwhile. Every blob is stored with a checksum; when
	// the content is no longer what was stored, the last read, or Get itself,
	// fails instead of ending.
	Get(ctx context.Context, key string) (io.ReadCloser, Info, error)

	// Stat describes a blob, or returns ErrNotFound.
	Stat(ctx context.Context, key string) (Info, error)

	// List gives up to limit blobs (0: 1000) whose key begins with prefix, in
	// order of key, after the key `after`, which need not be there and may be
	// any string. next is the after of the following page, and empty at the end.
	List(ctx context.Context, prefix, after string, limit int) (infos []Info, next string, err error)

	// Delete removes a blob. To delete what is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Errors of all adapters. ErrDamaged is dirblob's; S3's checksum errors are the
// SDK's own.
var (
	ErrNotFound = errors.New("blob: no such blob")
	ErrExists   = errors.New("blob: key is taken")
	ErrDamaged  = errors.New("blob: the content is not what was stored")
)
