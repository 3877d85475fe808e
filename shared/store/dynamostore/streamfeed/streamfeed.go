// Package streamfeed is the store's feed on a DynamoDB stream, for a process
// that stays up, as the runner; functions get their records from Lambda. Only
// one process may read a feed of the same name at a time. A stream keeps 24
// hours: a feed that was not read for longer has missed what came before, and
// begins with the oldest record.
package streamfeed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"nanotypedb/shared/store"
)

// maxRecords is how many records one request may ask for.
const maxRecords = 1000

// Feed reads one table's stream. Its methods must not be called concurrently.
type Feed struct {
	streams *dynamodbstreams.Client
	store   store.Store
	cursor  store.Key // of the item with the acknowledged positions
	stream  string
	poll    time.Duration

	positions map[string]string // shard → the last sequence number that was told
	shards    []*shard
	next      int  // the shard to read first, so that none waits for another
	stale     bool // there may be shards that are not listed
}

// shard is a part of the stream that is being read.
type shard struct {
	id       string
	iterator *string // nil: none yet
	done     bool    // closed and read to its end
}

var _ store.Feed = (*Feed)(nil)

// Options say which feed to open; all are needed.
type Options struct {
	Table     *dynamodb.Client
	Streams   *dynamodbstreams.Client
	Store     store.Store // keeps the positions, as an item; on the same table or another
	TableName string
	Name      string        // of this reader of the stream
	Poll      time.Duration // between two looks at a stream that has nothing new
}

// Open opens the feed from where it was acknowledged last, or from the oldest
// record.
func Open(ctx context.Context, o Options) (*Feed, error) {
	described, err := o.Table.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &o.TableName})
	if err != nil {
		return nil, fmt.Errorf("find the stream of table %s: %w", o.TableName, err)
	}
	if described.Table.LatestStreamArn == nil {
		return nil, fmt.Errorf("table %s has no stream", o.TableName)
	}
	f := &Feed{
		streams: o.Streams, store: o.Store, poll: o.Poll,
		stream: *described.Table.LatestStreamArn,
		cursor: store.Key{PK: "FEED#" + o.Name, SK: "POSITIONS"},
	}
	f.positions, err = f.readPositions(ctx)
	return f, err
}

func (f *Feed) readPositions(ctx context.Context) (map[string]string, error) {
	positions := map[string]string{}
	item, err := f.store.Get(ctx, f.cursor, true)
	if errors.Is(err, store.ErrNotFound) {
		return positions, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the positions of the feed: %w", err)
	}
	if err := json.Unmarshal(item.Data, &positions); err != nil {
		return nil, fmt.Errorf("read the positions of the feed: %w", err)
	}
	return positions, nil
}

// Next implements store.Feed.
func (f *Feed) Next(ctx context.Context, most int) ([]store.Change, string, error) {
	for {
		if err := f.findShards(ctx); err != nil {
			return nil, "", err
		}
		changes, err := f.round(ctx, min(most, maxRecords))
		if err != nil {
			return nil, "", err
		}
		if len(changes) > 0 {
			token, err := json.Marshal(f.positions)
			return changes, string(token), err
		}
		f.stale = true
		if err := wait(ctx, f.poll); err != nil {
			return nil, "", err
		}
	}
}

// Ack implements store.Feed.
func (f *Feed) Ack(ctx context.Context, token string) error {
	err := f.store.Write(ctx, store.Write{Item: store.Item{Key: f.cursor, Data: []byte(token)}})
	if err != nil {
		return fmt.Errorf("acknowledge changes: %w", err)
	}
	return nil
}

// round reads the shards in turn until one has changes.
func (f *Feed) round(ctx context.Context, most int) ([]store.Change, error) {
	for range f.shards {
		s := f.shards[f.next%len(f.shards)]
		f.next = (f.next + 1) % len(f.shards)
		if s.done {
			continue
		}
		changes, err := f.read(ctx, s, most)
		if err != nil || len(changes) > 0 {
			return changes, err
		}
	}
	return nil, nil
}

// read reads one page of a shard. An iterator that expired is replaced by one
// at the same position at the next turn.
func (f *Feed) read(ctx context.Context, s *shard, most int) ([]store.Change, error) {
	if s.iterator == nil {
		if err := f.begin(ctx, s); err != nil {
			return nil, err
		}
	}
	out, err := f.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{
		ShardIterator: s.iterator, Limit: aws.Int32(int32(most)),
	})
	var expired *types.ExpiredIteratorException
	var trimmed *types.TrimmedDataAccessException
	switch {
	case errors.As(err, &expired):
		s.iterator = nil
		return nil, nil
	case errors.As(err, &trimmed):
		f.forget(s)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read shard %s: %w", s.id, err)
	}
	s.iterator, s.done = out.NextShardIterator, out.NextShardIterator == nil
	f.stale = f.stale || s.done // its children may be new
	return f.changes(s, out.Records), nil
}

func (f *Feed) changes(s *shard, records []types.Record) []store.Change {
	var changes []store.Change
	for i := range records {
		r := &records[i]
		f.positions[s.id] = aws.ToString(r.Dynamodb.SequenceNumber)
		sk := text(r.Dynamodb.Keys["sk"])
		if r.EventName != types.OperationTypeInsert || !strings.HasPrefix(sk, store.LogPrefix) {
			continue
		}
		change := store.Change{Key: store.Key{PK: text(r.Dynamodb.Keys["pk"]), SK: sk}}
		if data, ok := r.Dynamodb.NewImage["d"].(*types.AttributeValueMemberB); ok {
			change.Data = data.Value
		}
		changes = append(changes, change)
	}
	return changes
}

// begin takes an iterator after the shard's position, or at its oldest record.
func (f *Feed) begin(ctx context.Context, s *shard) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &f.stream, ShardId: &s.id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if position := f.positions[s.id]; position != "" {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, &position
	}
	out, err := f.streams.GetShardIterator(ctx, in)
	var trimmed *types.TrimmedDataAccessException
	if errors.As(err, &trimmed) && in.SequenceNumber != nil {
		f.forget(s)
		return f.begin(ctx, s)
	}
	if err != nil {
		return fmt.Errorf("open shard %s: %w", s.id, err)
	}
	s.iterator = out.ShardIterator
	return nil
}

// forget lets a shard begin with its oldest record: the stream no longer has
// the one after its position.
func (f *Feed) forget(s *shard) {
	delete(f.positions, s.id)
	s.iterator = nil
}

// findShards lists the shards when there may be new ones: DynamoDB allows only
// ten such requests a second. It drops those that the stream no longer has.
func (f *Feed) findShards(ctx context.Context) error {
	if len(f.shards) > 0 && !f.stale {
		return nil
	}
	known := map[string]*shard{}
	for _, s := range f.shards {
		known[s.id] = s
	}
	ids, err := f.shardIDs(ctx)
	if err != nil {
		return err
	}
	f.shards = f.shards[:0:0]
	for _, id := range ids {
		s := known[id]
		if s == nil {
			s = &shard{id: id}
		}
		f.shards = append(f.shards, s)
	}
	f.stale = false
	f.dropPositions()
	return nil
}

func (f *Feed) shardIDs(ctx context.Context) ([]string, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &f.stream}
	var ids []string
	for {
		out, err := f.streams.DescribeStream(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the shards of the stream: %w", err)
		}
		for _, s := range out.StreamDescription.Shards {
			ids = append(ids, *s.ShardId)
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
		if in.ExclusiveStartShardId == nil {
			return ids, nil
		}
	}
}

// dropPositions keeps the positions of listed shards only.
func (f *Feed) dropPositions() {
	kept := make(map[string]string, len(f.positions))
	for _, s := range f.shards {
		if position, ok := f.positions[s.id]; ok {
			kept[s.id] = position
		}
	}
	f.positions = kept
}

func text(value types.AttributeValue) string {
	if s, ok := value.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for changes: %w", ctx.Err())
	}
}
