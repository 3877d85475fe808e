package local

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/queue"
)

// PointHandled is between working messages off and deleting them.
const PointHandled faultpoint.Name = "local.handled"

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointHandled}

// Messages are hidden for visibility while they are worked on, which ends
// before that. Whoever stops lets the batches at hand end for stopGrace.
const (
	visibility = 60 * time.Second
	handleTime = 50 * time.Second
	stopGrace  = 3 * time.Second
)

// poller takes messages off a queue and has them worked on, as SQS does with a
// function: what is done is deleted, what is not comes again.
type poller struct {
	queue   queue.Queue
	workers int
	batch   int           // messages received at once; 0: as many as can be
	gather  int           // further such batches worked off with a full one, as far as there are
	hidden  time.Duration // how long they are; 0: visibility
	within  time.Duration // they are worked off; 0: handleTime
	handle  func(context.Context, []queue.Message) (failed []queue.Message)
	enter   func(context.Context) error // waits until a batch may be received; nil: at once
	leave   func()
	yields  func() bool // tells whether to leave the processors to others for a while; nil: never
	log     *slog.Logger
}

// run works until ctx ends.
func (p *poller) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range p.workers {
		workers.Go(func() { p.work(ctx) })
	}
	workers.Wait()
}

func (p *poller) work(ctx context.Context) {
	retry := retryFirst
	for ctx.Err() == nil {
		if err := p.step(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("poll a queue", "error", err)
			_ = pause(ctx, retry)
			retry = min(2*retry, retryLast)
			continue
		}
		retry = retryFirst
	}
}

// step receives and works off one batch.
func (p *poller) step(ctx context.Context) error {
	if p.enter != nil {
		if err := p.enter(ctx); err != nil {
			return err
		}
		defer p.leave()
	}
	messages, err := p.receive(ctx)
	if len(messages) == 0 {
		return err
	}
	if err != nil { // of what else was to be gathered
		p.log.Warn("poll a queue", "error", err)
	}
	began := time.Now()
	handling, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(p.within, handleTime))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, cancel) })()
	done := done(messages, p.handle(handling, messages))
	faultpoint.Reach(PointHandled)
	if err := p.remove(context.WithoutCancel(ctx), done); err != nil {
		return err
	}
	if p.yields != nil && p.yields() {
		_ = pause(ctx, min(yieldFactor*time.Since(began), yieldMost)) // ctx's end is seen by the caller
	}
	return nil
}

// A poller that yields rests yieldFactor times as long as it worked.
const (
	yieldFactor = 4
	yieldMost   = time.Second
)

// receive waits for a batch, and gathers what else waits when it is full.
func (p *poller) receive(ctx context.Context) ([]queue.Message, error) {
	request := queue.Request{Max: cmp.Or(p.batch, queue.MaxBatch), Wait: queue.MaxWait, Visibility: cmp.Or(p.hidden, visibility)}
	messages, err := p.queue.Receive(ctx, request)
	if err != nil || len(messages) < request.Max || p.gather == 0 {
		return messages, err
	}
	request.Wait = 0
	further, errs := make([][]queue.Message, p.gather), make([]error, p.gather)
	var all sync.WaitGroup
	for i := range p.gather {
		all.Go(func() { further[i], errs[i] = p.queue.Receive(ctx, request) })
	}
	all.Wait()
	return append(messages, slices.Concat(further...)...), errors.Join(errs...)
}

// remove deletes messages, in batches at the same time.
func (p *poller) remove(ctx context.Context, receipts []string) error {
	var all sync.WaitGroup
	errs := make([]error, (len(receipts)+queue.MaxBatch-1)/queue.MaxBatch)
	for i := range errs {
		batch := receipts[i*queue.MaxBatch : min((i+1)*queue.MaxBatch, len(receipts))]
		all.Go(func() {
			// Stale: it took too long, and somebody else has them.
			if err := p.queue.Delete(ctx, batch...); !errors.Is(err, queue.ErrStaleReceipt) {
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// done are the receipts of the messages that did not fail.
func done(messages, failed []queue.Message) (receipts []string) {
	left := make(map[string]bool, len(failed))
	for _, m := range failed {
		left[m.Receipt] = true
	}
	for _, m := range messages {
		if !left[m.Receipt] {
			receipts = append(receipts, m.Receipt)
		}
	}
	return receipts
}
