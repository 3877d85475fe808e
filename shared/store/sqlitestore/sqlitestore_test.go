package sqlitestore_test

import (
	"context"
	"testing"

	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
	"nanotypedb/shared/store/storetest"
)

// opened is a store and its file.
type opened struct {
	*sqlitestore.Store
	file   *sqlitefile.File
	folder string
}

func openStore(tb testing.TB, folder string) *opened {
	tb.Helper()
	file, err := sqlitefile.Open(context.Background(), folder, sqlitefile.Options{})
	if err != nil {
		tb.Fatalf("open file: %v", err)
	}
	s, err := sqlitestore.Open(context.Background(), file)
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	o := &opened{Store: s, file: file, folder: folder}
	tb.Cleanup(func() { o.close(tb) })
	return o
}

// close may be called twice.
func (o *opened) close(tb testing.TB) {
	tb.Helper()
	if err := o.Store.Close(); err != nil {
		tb.Errorf("close store: %v", err)
	}
	if err := o.file.Close(); err != nil {
		tb.Errorf("close file: %v", err)
	}
}

func (o *opened) instance() storetest.Instance {
	return storetest.Instance{
		Store: o.Store,
		Feed:  func(testing.TB) store.Feed { return o.Feed() },
		Reopen: func(tb testing.TB) storetest.Instance {
			o.close(tb)
			return openStore(tb, o.folder).instance()
		},
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(tb testing.TB) storetest.Instance { return openStore(tb, tb.TempDir()).instance() },
	})
}
