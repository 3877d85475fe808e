// Package embedded opens the adapters that need nothing but a data folder:
// SQLite and directories.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store/sqlitestore"
)

// Backend is the opened adapters. Close it when nothing uses them any more.
type Backend struct {
	Store   *sqlitestore.Store
	Blobs   *dirblob.Store
	Queues  *sqlitequeue.Queues
	closers []io.Closer
}

// Open locks the data folder and opens what is in it, making it when it is
// not there.
func Open(ctx context.Context, folder string) (*Backend, error) {
	b := &Backend{}
	if err := b.open(ctx, folder); err != nil {
		return nil, errors.Join(fmt.Errorf("open data folder %s: %w", folder, err), b.Close())
	}
	return b, nil
}

func (b *Backend) open(ctx context.Context, folder string) error {
	file, err := sqlitefile.Open(ctx, folder, sqlitefile.Options{})
	if err != nil {
		return err
	}
	b.closers = append(b.closers, file)
	if b.Store, err = sqlitestore.Open(ctx, file); err != nil {
		return err
	}
	b.closers = append(b.closers, b.Store)
	if b.Queues, err = sqlitequeue.Open(ctx, file); err != nil {
		return err
	}
	if b.Blobs, err = dirblob.Open(filepath.Join(folder, "blobs")); err != nil {
		return err
	}
	b.closers = append(b.closers, b.Blobs)
	return nil
}

// Close closes the adapters, the last opened first.
func (b *Backend) Close() error {
	var all error
	for i := len(b.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, b.closers[i].Close())
	}
	b.closers = nil
	return all
}
