package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/backend/aws"
	"nanotypedb/shared/backend/aws/embedding"
	"nanotypedb/shared/backend/openai"
	"nanotypedb/shared/config"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/embedder/staticembed"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqlitequeue"
	"nanotypedb/shared/search"
)

// backoffBase is NANO_BACKOFF_BASE when it is not set.
const backoffBase = 2 * time.Second

// queues are those that the runner polls.
type queues struct{ embeddings, dead queue.Queue }

// openEmbedder opens the model that makes vectors.
func openEmbedder(ctx context.Context, c config.Config) (embedder.Embedder, error) {
	switch c.Embedder {
	case config.OpenAI:
		return openai.Open(ctx, c)
	case config.Bedrock:
		connected, err := aws.Connect(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("connect to AWS: %w", err)
		}
		return embedding.Open(ctx, connected, c)
	default:
		return staticembed.New(), nil
	}
}

// openQueues opens the queue of texts to embed and that of its dead letters.
func openQueues(made *sqlitequeue.Queues) (q queues, err error) {
	q.embeddings, err = made.Queue(sqlitequeue.Options{
		Name: indexing.QueueName, MaxReceives: indexing.MaxReceives, DeadLetter: indexing.DeadQueueName,
	})
	if err != nil {
		return q, err
	}
	q.dead, err = made.Queue(sqlitequeue.Options{Name: indexing.DeadQueueName})
	return q, err
}

// openIndexing opens what turns commits into vectors.
func (p *parts) openIndexing(ctx context.Context, c config.Config, log *slog.Logger) (err error) {
	if p.embedder, err = openEmbedder(ctx, c); err != nil {
		return err
	}
	p.meters.guard.Price(p.embedder.Model())
	p.indexer = indexing.New(indexing.Options{
		Store: p.store, Replicas: p.replicas, Queue: p.queues.embeddings, Embedder: p.embedder,
		Base: cmp.Or(c.BackoffBase, backoffBase), Concurrency: c.EmbedConcurrency, Tell: embed.Tell(p.audience, log), Budget: p.meters.guard, Usage: p.meters.recorder, Log: log,
	})
	p.alerts = alert.New(alert.Options{
		Store: p.store, Rooms: p.rooms, Replicas: p.replicas, Embedder: p.embedder, Limiter: p.limiter, Notifier: p.audience,
		Budget: p.meters.guard, Log: log,
	})
	p.searcher = search.New(search.Options{Rooms: p.rooms, Embedder: p.embedder, Limiter: p.limiter, Budget: p.meters.guard, Log: log})
	p.relay.Planner, p.live.Alerts, p.live.Search = p.indexer, p.alerts, p.searcher
	p.embed = embed.New(embed.Deps{Indexer: p.indexer, Queue: p.queues.embeddings, Alerts: p.alerts, Meter: p.meters.of("embed"), Log: log})
	p.dead = embed.NewDeadLetters(p.indexer, p.alerts, p.embed.Meter, log)
	return nil
}

// How many batches of jobs are worked off at once, and gathered, with the
// static model.
const (
	staticWorkers = 2
	staticGather  = 19
)

// pollers work off the queues.
func (r *Runner) pollers(c config.Config) []*poller {
	pace := r.parts.indexer.Pace
	workers, gather := cmp.Or(c.EmbedConcurrency, 4), 0
	var yields func() bool
	if _, compiledIn := r.parts.embedder.(staticembed.Embedder); compiledIn {
		// It takes microseconds a text: what costs is the disk, once a batch.
		workers, gather, yields = min(workers, staticWorkers), staticGather, r.follower.isBusy
	}
	return []*poller{
		{
			queue: r.parts.queues.embeddings, workers: workers, gather: gather, yields: yields, enter: pace.Enter, leave: pace.Leave, log: r.log,
			handle: func(ctx context.Context, messages []queue.Message) []queue.Message {
				return failed(r.parts.embed.Handle(ctx, messages))
			},
		},
		{
			queue: r.parts.queues.dead, workers: 1, log: r.log,
			handle: func(ctx context.Context, messages []queue.Message) []queue.Message {
				return failed(r.parts.dead.Handle(ctx, messages))
			},
		},
	}
}

func failed(failures []embed.Failure) []queue.Message {
	messages := make([]queue.Message, len(failures))
	for i, f := range failures {
		messages[i] = f.Message
	}
	return messages
}

var errNoQueues = errors.New("NANO_BACKEND=aws needs NANO_EMBEDDINGS_QUEUE and NANO_EMBEDDINGS_DLQ")
