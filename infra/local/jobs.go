package local

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"nanotypedb/functions/jobs"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/signedblob"
	"nanotypedb/shared/config"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/job"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqlitequeue"
)

// A job's message is hidden for as long as its worker may take: a step begun
// late, and the time that it has.
const (
	jobTime   = job.WorkTime + job.StepTime
	jobHidden = jobTime + time.Minute
	jobAtOnce = 2 // jobs worked on at the same time
)

// openJobQueue opens the queue of long work. Its dead letters need nobody: the
// schedule finds their jobs by itself.
func openJobQueue(made *sqlitequeue.Queues) (queue.Queue, error) {
	return made.Queue(sqlitequeue.Options{Name: jobs.QueueName, MaxReceives: jobs.MaxReceives, DeadLetter: jobs.DeadQueueName})
}

var errNoJobQueue = errors.New("NANO_BACKEND=aws needs NANO_JOBS_QUEUE")

// openJobs opens long work, and what it keeps and restores.
func (p *parts) openJobs(_ context.Context, c config.Config, log *slog.Logger) error {
	p.jobs = job.New(job.Options{Store: p.store, Queue: p.jobQueue, Announcer: jobs.Announcer{Teller: lateTeller{p}}, Log: log})
	p.keeper = backup.New(backup.Options{
		Store: p.store, Blobs: p.blobs, Replicas: p.replicas, Catalog: p.catalog, Rooms: p.rooms, Jobs: p.jobs,
		Vectors: lateVectors{p}, Announcer: lateAnnouncer{p}, Retention: time.Duration(c.RetentionDays) * 24 * time.Hour, Log: log,
	})
	p.work = jobs.New(jobs.Deps{Runner: p.jobs, Keeper: p.keeper, Ledger: p.meters.ledger, Meter: p.meters.of("jobs"), Queue: p.jobQueue, Base: c.BackoffBase, Log: log})
	return nil
}

// lateTeller tells by the audience, which is opened after the jobs.
type lateTeller struct{ parts *parts }

// Tell implements jobs.Teller.
func (t lateTeller) Tell(ctx context.Context, ulid, user, method string, params json.RawMessage) error {
	return t.parts.audience.Tell(ctx, ulid, user, method, params)
}

// lateVectors copies vectors by the indexer, which is opened after the jobs.
type lateVectors struct{ parts *parts }

// CopyVectors implements backup.Vectors.
func (l lateVectors) CopyVectors(ctx context.Context, from, to string, needed func(indexlog.Hash) (bool, error)) error {
	return l.parts.indexer.CopyVectors(ctx, from, to, needed)
}

// jobPoller works off the queue of long work.
func (r *Runner) jobPoller() *poller {
	return &poller{queue: r.parts.jobQueue, workers: jobAtOnce, batch: 1, hidden: jobHidden, within: jobTime, handle: r.parts.work.Handle, log: r.log}
}

// scheduleJobs is what the schedule does about long work.
func (r *Runner) scheduleJobs(ctx context.Context) {
	if _, err := r.parts.work.Tick(ctx); err != nil && ctx.Err() == nil {
		r.log.Error("scheduled work", "error", err)
	}
}

// addresses are those of blobs: the store's own, or else the runner's.
func (p *parts) addresses() blob.Presigner {
	if own, ok := p.blobs.(blob.Presigner); ok {
		return own
	}
	if p.signed == nil {
		p.signed = signedblob.New(p.blobs, "", nil)
	}
	return p.signed
}
