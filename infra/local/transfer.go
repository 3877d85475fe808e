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
		Rooms: p.rooms, Replicas: p.replicas, Blobs: p.blobs, Addresses: p.addresses(), Jobs: p.jobs, Announcer: lateAnnouncer{p}, Snapshot: p.keeper.Secure, Log: log,
	})
	return nil
}

// lateAnnouncer announces by the audience, which is opened after this.
type lateAnnouncer struct{ parts *parts }

// Announce implements transfer.Announcer.
func (l lateAnnouncer) Announce(ctx context.Context, ulid string, seq int64) error {
	return l.parts.telling.Announce(ctx, ulid, seq)
}

// serveBlobs serves the addresses that the runner gives out.
func (p *parts) serveBlobs(mux *http.ServeMux) {
	if p.signed != nil {
		mux.Handle(signedblob.Path, p.signed)
	}
}
