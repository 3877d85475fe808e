package dirblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"nanotypedb/shared/blob"
)

const defaultLimit = 1000

// List implements blob.Store. It reads only the folders that can hold keys of
// the page.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) ([]blob.Info, string, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	l := lister{store: s, prefix: prefix, after: after, limit: limit}
	err := l.folder(ctx, "")
	switch {
	case errors.Is(err, errFull):
		return l.infos, l.infos[limit-1].Key, nil
	case err != nil:
		return nil, "", fmt.Errorf("list %q: %w", prefix, err)
	}
	return l.infos, "", nil
}

var errFull = errors.New("there is one more than the page holds")

// lister collects one page.
type lister struct {
	store         *Store
	prefix, after string
	limit         int
	infos         []blob.Info
}

// folder adds what is below a folder, whose name ends with "/" or is empty.
func (l *lister) folder(ctx context.Context, folder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	names, err := l.names(folder)
	for _, name := range names {
		if err == nil {
			err = l.entry(ctx, folder+name)
		}
	}
	return err
}

// names gives the blobs of a folder by name and its folders with "/" after it,
// sorted as the keys below them sort.
func (l *lister) names(folder string) ([]string, error) {
	entries, err := fs.ReadDir(l.store.root.FS(), path.Clean(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		blobName, isBlob := strings.CutSuffix(e.Name(), suffix)
		switch {
		case e.IsDir() && e.Name() != temporary:
			names = append(names, e.Name()+"/")
		case !e.IsDir() && isBlob:
			names = append(names, blobName)
		}
	}
	slices.Sort(names)
	return names, err
}

func (l *lister) entry(ctx context.Context, key string) error {
	if strings.HasSuffix(key, "/") {
		if l.skips(key) {
			return nil
		}
		return l.folder(ctx, key)
	}
	if !strings.HasPrefix(key, l.prefix) || key <= l.after {
		return nil
	}
	stat, err := l.store.root.Stat(key + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted since the folder was read
	}
	if err != nil {
		return err
	}
	if len(l.infos) == l.limit {
		return errFull
	}
	l.infos = append(l.infos, infoOf(key, stat))
	return nil
}

// skips tells that no key below a folder is in the page.
func (l *lister) skips(folder string) bool {
	if !strings.HasPrefix(folder, l.prefix) && !strings.HasPrefix(l.prefix, folder) {
		return true
	}
	return folder < l.after && !strings.HasPrefix(l.after, folder)
}
