package promises

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nanotypedb/functions/embed"
	"nanotypedb/functions/relay"
	"nanotypedb/shared/awstest"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/embedder/flakyembed"
	"nanotypedb/shared/embedder/openaiembed"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqsqueue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
)

// makeQueues makes the queue of jobs and that of its dead letters.
func makeQueues(t *testing.T) (jobs, dead queue.Queue) {
	t.Helper()
	client := sqs.NewFromConfig(awstest.Second.Config(t))
	create := func(attributes map[string]string) (url, arn string) {
		name := "embeddings-" + rand.Text()
		made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
		})
		if err != nil {
			t.Fatal(err)
		}
		return *made.QueueUrl, got.Attributes["QueueArn"]
	}
	deadURL, deadARN := create(nil)
	url, _ := create(map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, deadARN, indexing.MaxReceives),
	})
	return sqsqueue.New(client, client, url), sqsqueue.New(client, client, deadURL)
}

// embedFunctions are the functions of one process on AWS.
type embedFunctions struct {
	engine   *room.Engine
	replicas *replica.Cache
	indexer  *indexing.Indexer
	relay    *relay.Handler
	embed    func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)
	dead     func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)
}

func newEmbedFunctions(t *testing.T, st store.Store, jobs queue.Queue, server *flakyembed.Server) *embedFunctions {
	t.Helper()
	blobs, err := dirblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	f := &embedFunctions{}
	f.replicas, err = replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.replicas.Close(), blobs.Close()); err != nil {
			t.Error(err)
		}
	})
	model, err := openaiembed.New(openaiembed.Config{URL: server.URL, Model: flakyembed.Model, Dim: server.Dim})
	if err != nil {
		t.Fatal(err)
	}
	f.engine = room.New(room.Options{Store: st, Replicas: f.replicas, Log: log})
	f.indexer = indexing.New(indexing.Options{
		Store: st, Replicas: f.replicas, Queue: jobs, Embedder: model, Base: 200 * time.Millisecond, Log: log,
	})
	f.relay = relay.New(relay.Deps{Store: st, Replicas: f.replicas, Rooms: f.engine, Planner: f.indexer, Log: log})
	f.embed = embed.New(embed.Deps{Indexer: f.indexer, Queue: jobs, Log: log}).Lambda()
	f.dead = embed.NewDeadLetters(f.indexer, nil, nil, log).Lambda()
	return f
}

// serve is the event source mapping of a queue: it deletes what the function
// does not call failed.
func serve(ctx context.Context, q queue.Queue, function func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)) {
	for ctx.Err() == nil {
		messages, err := q.Receive(ctx, queue.Request{Max: queue.MaxBatch, Wait: time.Second, Visibility: 10 * time.Second})
		if err != nil || len(messages) == 0 {
			continue
		}
		var event events.SQSEvent
		for _, m := range messages {
			event.Records = append(event.Records, events.SQSMessage{MessageId: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, Attributes: map[string]string{
				"ApproximateReceiveCount": strconv.Itoa(m.Receives), "SentTimestamp": strconv.FormatInt(m.Sent.UnixMilli(), 10),
				"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.FirstReceived.UnixMilli(), 10),
			}})
		}
		response, err := function(ctx, event)
		if err != nil {
			continue
		}
		for _, m := range messages {
			if !slices.ContainsFunc(response.BatchItemFailures, func(f events.SQSBatchItemFailure) bool { return f.ItemIdentifier == m.ID }) {
				_ = q.Delete(ctx, m.Receipt) // else it comes again
			}
		}
	}
}

// coverage is what a process says of the room's index.
func (f *embedFunctions) coverage(ctx context.Context, ulid string) (c replica.Coverage, err error) {
	r, release, err := f.replicas.Acquire(ctx, ulid)
	if err != nil {
		return c, err
	}
	defer release()
	if err := errors.Join(r.CatchUp(ctx), r.CatchUpIndex(ctx)); err != nil {
		return c, err
	}
	err = r.View(ctx, func(v *replica.View) error {
		c, err = v.Coverage(ctx)
		return err
	})
	return c, err
}

// until waits for the room's index to be so.
func (f *embedFunctions) until(ctx context.Context, t *testing.T, ulid string, done func(replica.Coverage) bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := f.coverage(ctx, ulid)
		if err == nil && done(c) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("in the end %+v, %v", c, err)
		case <-tick.C:
		}
	}
}

func TestEveryTextEndsIndexedOrFailedOnAWS(t *testing.T) {
	t.Parallel()
	faults := awstest.NewFaults(t, awstest.Rates{})
	st := dynamostore.New(dynamodb.NewFromConfig(awstest.DynamoDBLocal.Config(t, faults.Install)), awstest.DynamoDBLocal.Table(t))
	jobs, dead := makeQueues(t)
	server := flakyembed.Start(t, 8)
	server.Use(func(_ int, texts []string) flakyembed.Answer {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, "bad") }) {
			return flakyembed.Status(http.StatusInternalServerError, "oops")
		}
		return nil
	})
	one, two := newEmbedFunctions(t, st, jobs, server), newEmbedFunctions(t, st, jobs, server)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	info, err := one.engine.Create(ctx, ada, "den", "The den")
	if err != nil {
		t.Fatal(err)
	}
	faults.SetRates(storm)
	const good, bad = 60, 4
	for i := range good + bad {
		title := fmt.Sprintf("good %d", i)
		if i >= good {
			title = fmt.Sprintf("bad %d", i)
		}
		op := fmt.Appendf(nil, `{"op":"insert","table":"tasks","id":"row-%d","row":{"title":%q}}`, i, title)
		for { // until it is there for sure
			if _, err := one.engine.Commit(ctx, ada, den, room.Request{CommitID: fmt.Sprint("insert-", i), Ops: []json.RawMessage{op}}); err == nil {
				break
			} else if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	}
	relayed := 0
	for _, f := range []*embedFunctions{one, two, one} { // as the stream tells two relays, and again after a failure
		change := []store.Change{{Key: commitlog.Key(info.ULID, 1)}}
		for relayed++; len(f.relay.Handle(ctx, change)) > 0 && ctx.Err() == nil; relayed++ {
			t.Log("the relay is told again")
		}
	}
	var serving sync.WaitGroup
	stop, ended := context.WithCancel(ctx)
	for _, f := range []*embedFunctions{one, two} {
		serving.Go(func() { serve(stop, jobs, f.embed) })
		serving.Go(func() { serve(stop, dead, f.dead) })
	}
	defer func() { ended(); serving.Wait() }()
	two.until(ctx, t, info.ULID, func(c replica.Coverage) bool { return c.Rows == good+bad && c.Pending == 0 })
	faults.SetRates(awstest.Rates{})
	failures, _, err := two.indexer.Failures(ctx, info.ULID, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		if f.Dead && f.Attempts != indexing.MaxReceives || f.Error == "" {
			t.Errorf("failed as %+v", f)
		}
	}
	t.Logf("%+v; %d failed", faults.Counts(), len(failures))
	for i := range good + bad {
		title := fmt.Sprintf("bad %d", i)
		if i < good {
			title = fmt.Sprintf("good %d", i)
		}
		// Each relay may have sent each job.
		if got := server.Asked(title); got > relayed*indexing.MaxReceives {
			t.Errorf("%q was asked for %d times", title, got)
		}
	}
	server.Use(nil)
	if _, err := two.indexer.Retry(ctx, info.ULID, indexing.Selection{All: true}); err != nil {
		t.Fatal(err)
	}
	one.until(ctx, t, info.ULID, func(c replica.Coverage) bool { return c.Indexed == good+bad })
}
