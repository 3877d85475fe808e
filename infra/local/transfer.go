package local

import (
	"context"
	"log/slog"
	"net/http"

	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/config"
	"nanotypedb/shared/transfer"
)

// openTransfers opens exports and imports.
func (p *parts) openTransfers(_ context.Context, _ config.Config, log *slog.Logger) error {
	p.transfers = transfer.New(transfer.Options{
		Rooms: p.rooms, Replicas: p.replicas, Blobs: p.blobs, Addresses: p.addresses(), Jobs: p.jobs, Log: log,
	})
	return nil
}

// serveBlobs serves the addresses that the runner gives out.
func (p *parts) serveBlobs(mux *http.ServeMux) {
	if p.signed != nil {
		mux.Handle(signedblob.Path, p.signed)
	}
}
