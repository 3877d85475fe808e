package local

import (
	"context"
	"log/slog"
	"net/http"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/config"
	"nanotypedb/shared/transfer"
)

// openTransfers opens exports and imports. Addresses of blobs are the store's
// own, or else the runner's.
func (p *parts) openTransfers(_ context.Context, _ config.Config, log *slog.Logger) error {
	addresses, own := p.blobs.(blob.Presigner)
	if !own {
		server := signedblob.New(p.blobs, "", nil)
		addresses, p.signed = server, server
	}
	p.transfers = transfer.New(transfer.Options{
		Rooms: p.rooms, Replicas: p.replicas, Blobs: p.blobs, Addresses: addresses, Log: log,
	})
	return nil
}

// serveBlobs serves the addresses that the runner gives out.
func (p *parts) serveBlobs(mux *http.ServeMux) {
	if p.signed != nil {
		mux.Handle(signedblob.Path, p.signed)
	}
}
