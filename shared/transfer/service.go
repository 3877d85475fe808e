package transfer

import (
	"context"
	"log/slog"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/wire"
)

// Rooms is what of the room engine exports and imports use.
type Rooms interface {
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
	ReadAt(ctx context.Context, p access.Principal, ref room.Ref, seq int64, fn func(*room.View) error) error
	Commit(ctx context.Context, p access.Principal, ref room.Ref, req room.Request) (room.Result, error)
	Load(ctx context.Context, p access.Principal, ref room.Ref, req room.LoadRequest) (room.Result, error)
	CreateUnder(ctx context.Context, p access.Principal, ulid, roomID, name string) (room.Info, error)
	Delete(ctx context.Context, p access.Principal, ref room.Ref) (room.Result, error)
}

// Announcer tells the live side that a room has commits up to seq.
type Announcer interface {
	Announce(ctx context.Context, ulid string, seq int64) error
}

// Jobs is what of the job runner exports and imports use.
type Jobs interface {
	Start(ctx context.Context, s job.Spec) (job.Job, error)
	Get(ctx context.Context, room, id string) (job.Job, error)
	Register(kind string, step job.Step)
	RegisterCleanup(kind string, cleanup job.Cleanup)
}

// Snapshot keeps a room as it is before bulk content replaces rows of it. The
// same id keeps it once.
type Snapshot func(ctx context.Context, ulid, id, note, by string) (snapshot string, err error)

// Options configure a Service.
type Options struct {
	Rooms     Rooms
	Replicas  *replica.Cache
	Blobs     blob.Store
	Addresses blob.Presigner   // nil: what is large is streamed, and there are no uploads
	Announcer Announcer        // nil: loads are told by the relay
	Jobs      Jobs             // nil: all work is done while the caller waits
	Snapshot  Snapshot         // nil: nothing is kept before rows are replaced in bulk
	Inline    int              // bytes that an answer may have; 0: what passes through a function
	Direct    int64            // bytes of a room above which its export is a job; 0: 32 MB, read well within the time of a view
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default
}

// Service exports and imports rooms. It is safe for concurrent use.
type Service struct{ Options }

// New returns a service, and registers its kinds of jobs.
func New(o Options) *Service {
	if o.Inline == 0 {
		o.Inline = wire.MaxBody - 64<<10
	}
	if o.Direct == 0 {
		o.Direct = 32 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o}
	if o.Jobs != nil {
		o.Jobs.Register(exportKind, s.exportStep)
		o.Jobs.Register(importKind, s.importStep)
		o.Jobs.Register(restoreKind, s.restoreStep)
		o.Jobs.RegisterCleanup(restoreKind, s.cleanRestore)
	}
	return s
}
