package backup_test

import (
	"log/slog"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

func (w *world) cacheOptions(st store.Store, blobs blob.Store, log *slog.Logger) replica.Options {
	return replica.Options{Store: st, Blobs: blobs, Images: w.catalog, Archive: w.catalog, Dir: w.t.TempDir(), Now: w.clock, Log: log}
}
