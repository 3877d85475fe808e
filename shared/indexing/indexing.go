// Package indexing brings the texts of rows to vectors: it turns commits into
// jobs, jobs into vectors and entries of the index log, and what fails into
// items that people can see, retry and discard. It decides; functions/relay
// and functions/embed translate.
//
// A job may come twice, late or after its text has changed: what counts is the
// row as it is when the job is worked on. A text is asked for only when the
// room has no vector of it. Sweep finds rows that have neither vector nor job.
package indexing

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"nanotypedb/shared/embedder"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/usage"
)

// MaxReceives is how often a job is tried before it is dead.
const MaxReceives = 5

// Names of the queues where they are not given by address.
const (
	QueueName     = "embeddings"
	DeadQueueName = "embeddings-dead"
)

// The steps between two effects.
const (
	PointSent     faultpoint.Name = "indexing.sent"     // some jobs of a commit are in the queue, others not
	PointEmbedded faultpoint.Name = "indexing.embedded" // the model answered, nothing is kept
	PointStored   faultpoint.Name = "indexing.stored"   // vectors are kept, the index log does not say so
	PointAppended faultpoint.Name = "indexing.appended" // the index log says so, nobody was told
	PointFailed   faultpoint.Name = "indexing.failed"   // a failure is recorded, its message not put off
	PointBuried   faultpoint.Name = "indexing.buried"   // a failure is marked dead, the index log does not say so
	PointMourned  faultpoint.Name = "indexing.mourned"  // the index log says so, the message is still there
	PointRevived  faultpoint.Name = "indexing.revived"  // a failure is marked for retry, its job not sent
	PointCleared  faultpoint.Name = "indexing.cleared"  // a row is pending again, its failure not marked for retry
	PointReset    faultpoint.Name = "indexing.reset"    // the room has another model, its sweep is not under way
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{
	PointSent, PointEmbedded, PointStored, PointAppended, PointFailed, PointBuried, PointMourned, PointRevived, PointCleared, PointReset,
}

// budget decides whether a room may have more texts embedded; usage.Guard
// implements it.
type budget interface {
	AllowAI(ctx context.Context, room string) error
}

// Options configure an Indexer. Without an embedder it plans, lists, retries
// and sweeps, and leaves to others what takes the model.
type Options struct {
	Store       store.Store
	Replicas    *replica.Cache
	Queue       queue.Queue
	Embedder    embedder.Embedder              // nil: none
	Base        time.Duration                  // what failed comes again after this, then twice as long, and so on; 0: 30 s
	Concurrency int                            // batches embedded at once, see Pace; 0: 4
	Tell        func(context.Context, Indexed) // those who look at a room what its index log says now; nil: nobody
	Budget      budget                         // nil: there are no budgets
	Usage       *usage.Recorder                // of texts, for whose rows they are in; nil: nobody counts
	Now         func() time.Time               // nil: time.Now
	Log         *slog.Logger                   // nil: slog.Default
}

// Indexer is safe for concurrent use and starts no goroutine that outlives a
// call.
type Indexer struct {
	Options
	Pace   *Pace
	claims claims
	born   schema.Millis
}

// New returns an indexer.
func New(o Options) *Indexer {
	if o.Base == 0 {
		o.Base = 30 * time.Second
	}
	if o.Concurrency == 0 {
		o.Concurrency = 4
	}
	if o.Tell == nil {
		o.Tell = func(context.Context, Indexed) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Indexer{Options: o, Pace: newPace(o.Concurrency, o.Now), born: schema.Millis(o.Now().UnixMilli()), claims: claims{byText: map[textKey]*claim{}}}
}

func (x *Indexer) millis() schema.Millis { return schema.Millis(x.Now().UnixMilli()) }

// Wait is how long a job waits that was received so many times and failed:
// Base, then twice as long each time, give or take a quarter, but at least
// what the model asked for. After the last receive, and when the model refuses
// the text for good, there is nothing to wait for.
func (x *Indexer) Wait(receives int, err error) time.Duration {
	if receives >= MaxReceives || embedder.ClassOf(err) == embedder.Refused {
		return 0
	}
	wait := x.Base << max(receives-1, 0)
	wait += time.Duration((rand.Float64() - 0.5) / 2 * float64(wait)) //nolint:gosec // spreads load
	return min(max(wait, retryAfter(err)), queue.MaxVisibility/2)
}

// view runs fn on a room as it is now, at seq or later, with its index.
func (x *Indexer) view(ctx context.Context, room string, seq int64, fn func(*replica.Replica, *replica.View) error) error {
	r, release, err := x.Replicas.Acquire(ctx, room)
	if err != nil {
		return err
	}
	defer release()
	if r.State().Seq < seq {
		if err := r.CatchUp(ctx); err != nil {
			return err
		}
	}
	if err := r.CatchUpIndex(ctx); err != nil {
		return err
	}
	return r.View(ctx, func(v *replica.View) error { return fn(r, v) })
}

// atOnce runs fn for 0 to n-1, up to limit at the same time, and waits.
func atOnce(n, limit int, fn func(i int)) {
	slots := make(chan struct{}, limit)
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			fn(i)
		})
	}
	running.Wait()
}
