package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/functions/jobs"
	"nanotypedb/functions/live"
	"nanotypedb/functions/relay"
	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/analytics"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/backend/aws"
	"nanotypedb/shared/backend/aws/feed"
	"nanotypedb/shared/backend/embedded"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/config"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/identity/devidentity"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/job"
	"nanotypedb/shared/push/hubpush"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/search"
	"nanotypedb/shared/store"
	"nanotypedb/shared/transfer"
)

// localSends is how many sends a second a room may cause here, where a send
// costs a system call and no money.
const localSends = 200_000

// parts is what the runner is made of, in the order of opening.
type parts struct {
	store     store.Store
	feed      store.Feed
	blobs     blob.Store
	issuer    *devidentity.Issuer
	replicas  *replica.Cache
	rooms     *room.Engine
	signed    *signedblob.Server // nil: the store has addresses of its own
	transfers *transfer.Service
	tickets   *access.Tickets
	hub       *hubpush.Hub
	audience  *audience.Audience
	telling   *audience.Background
	live      *live.Handler
	relay     *relay.Handler
	queues    queues
	embedder  embedder.Embedder
	searcher  *search.Searcher
	indexer   *indexing.Indexer
	embed     *embed.Handler
	dead      *embed.DeadLetters
	alerts    *alert.Alerts
	limiter   *access.Limiter
	meters    *meters
	insight   *analytics.Service
	catalog   *backup.Catalog
	jobQueue  queue.Queue
	jobs      *job.Runner
	keeper    *backup.Keeper
	work      *jobs.Handler
	closers   []io.Closer
}

// openParts opens everything, or closes again what it opened.
func openParts(ctx context.Context, c config.Config, log *slog.Logger) (*parts, error) {
	p := &parts{}
	for _, open := range []func(context.Context, config.Config, *slog.Logger) error{
		p.openBackend, p.openMetering, p.openIssuer, p.openRooms, p.openJobs, p.openTransfers, p.openAudience, p.openIndexing, p.openAnalytics,
	} {
		if err := open(ctx, c, log); err != nil {
			return nil, errors.Join(err, p.close())
		}
	}
	return p, nil
}

func (p *parts) openBackend(ctx context.Context, c config.Config, _ *slog.Logger) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if c.Backend == config.AWS {
		return p.openAWS(ctx, c)
	}
	b, err := embedded.Open(ctx, c.Data)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, b)
	p.store, p.blobs, p.feed = b.Store, b.Blobs, b.Store.Feed()
	if p.queues, err = openQueues(b.Queues); err != nil {
		return err
	}
	p.jobQueue, err = openJobQueue(b.Queues)
	return err
}

func (p *parts) openAWS(ctx context.Context, c config.Config) error {
	if c.EmbeddingsQueue == "" {
		return errNoQueues
	}
	if c.JobsQueue == "" {
		return errNoJobQueue
	}
	connected, err := aws.Connect(ctx, c)
	if err != nil {
		return fmt.Errorf("connect to AWS: %w", err)
	}
	p.queues = queues{aws.Queue(connected, c.EmbeddingsQueue), aws.Queue(connected, c.EmbeddingsDLQ)}
	p.jobQueue = aws.Queue(connected, c.JobsQueue)
	p.store, p.blobs = aws.Store(connected, c), aws.Blobs(connected, c)
	if _, err := p.store.Get(ctx, store.Key{PK: "NAME#-", SK: "NAME"}, false); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read DynamoDB table %s: %w", c.Table, err)
	}
	if p.feed, err = feed.Open(ctx, connected, c, "runner"); err != nil {
		return fmt.Errorf("open the stream of table %s: %w", c.Table, err)
	}
	return nil
}

func (p *parts) openIssuer(_ context.Context, c config.Config, _ *slog.Logger) error {
	var err error
	p.issuer, err = devidentity.Open(c.Data, nil)
	return err
}

func (p *parts) openRooms(_ context.Context, c config.Config, log *slog.Logger) error {
	var err error
	p.catalog = backup.NewCatalog(p.store, p.blobs)
	p.replicas, err = replica.NewCache(replica.Options{
		Store: p.store, Blobs: p.blobs, Images: p.catalog, Archive: p.catalog, Dir: filepath.Join(c.Data, "replicas"), MaxBytes: int64(c.CacheMB) << 20, Log: log,
	})
	if err != nil {
		return fmt.Errorf("open the replicas' folder: %w", err)
	}
	p.closers = append(p.closers, p.replicas)
	limits := access.Limits{access.Commits: c.RateCommits, access.Reads: c.RateReads, access.AI: c.RateAI}
	p.limiter = access.NewLimiter(p.store, limits, nil, log)
	p.rooms = room.New(room.Options{
		Store: p.store, Replicas: p.replicas, MaxRoomBytes: c.MaxRoomBytes(), Now: time.Now, Log: log,
		Limiter: p.limiter, Budget: p.meters.guard,
	})
	p.relay = relay.New(relay.Deps{
		Store: p.store, Replicas: p.replicas, Rooms: p.rooms, Ledger: p.meters.ledger, Meter: p.meters.of("relay"), Log: log,
	})
	return nil
}

func (p *parts) openAudience(_ context.Context, c config.Config, log *slog.Logger) error {
	p.tickets = access.NewTickets(p.store, nil)
	p.hub = hubpush.New(hubpush.Options{Log: log})
	p.audience = audience.New(audience.Options{
		Registry: audience.NewLocal(), Tickets: p.tickets, Pusher: p.hub, Store: p.store,
		States: audience.Replicas{Cache: p.replicas}, Workers: -1, MaxSends: localSends, MaxPeople: -1, Usage: p.meters.recorder, Log: log,
	})
	p.telling = audience.NewBackground(p.audience)
	p.closers = append(p.closers, p.telling)
	p.live = live.New(live.Deps{Rooms: p.rooms, Audience: p.audience, Push: p.hub, Meter: p.meters.of("live"), Log: log})
	return nil
}

// close closes what was opened, the last first.
func (p *parts) close() error {
	var all error
	for i := len(p.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, p.closers[i].Close())
	}
	p.closers = nil
	return all
}
