package dynamostore_test

import (
	"context"
	"errors"
	"flag"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go/middleware"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
	"nanotypedb/shared/store/dynamostore/streamfeed"
	"nanotypedb/shared/store/storetest"
)

// open makes a table on the emulator with the store, wrapped, and its feed.
func open(t *testing.T, e awstest.Emulator, wrap func(store.Store) store.Store, install ...func(*middleware.Stack) error) storetest.Instance {
	t.Helper()
	table := e.Table(t)
	config := e.Config(t, install...)
	client, streams := dynamodb.NewFromConfig(config), dynamodbstreams.NewFromConfig(config)
	st := wrap(dynamostore.New(client, table))
	instance := storetest.Instance{
		Store: st,
		Feed: func(tb testing.TB) store.Feed {
			feed, err := streamfeed.Open(t.Context(), streamfeed.Options{
				Table: client, Streams: streams, Store: st, TableName: table, Name: "test", Poll: time.Millisecond,
			})
			if err != nil {
				tb.Fatal(err)
			}
			return feed
		},
	}
	instance.Reopen = func(testing.TB) storetest.Instance {
		instance.Store = wrap(dynamostore.New(dynamodb.NewFromConfig(config), table))
		return instance
	}
	return instance
}

func plain(st store.Store) store.Store { return st }

func TestConformance(t *testing.T) {
	opened := open(t, awstest.DynamoDBLocal, plain)
	propertyChecks(t, "50")
	storetest.Run(t, storetest.Harness{
		Open: func(testing.TB) storetest.Instance { return opened },
	})
}

func TestConformanceOnSecondEmulator(t *testing.T) {
	opened := open(t, awstest.Second, plain)
	propertyChecks(t, "20")
	storetest.Run(t, storetest.Harness{
		Open:  func(testing.TB) storetest.Instance { return opened },
		Scale: 4,
		Skip: map[string]string{
			"limit/bytes of a transaction": "ministack counts the request's base64 text against the 4 MB limit, AWS the items",
		},
	})
}

// What must hold under faults: reads get their answer through lost replies and
// errors, and no strong read is ever answered from an old copy. Writes meet
// only refusals here, which a caller may repeat without asking; ambiguous ones
// are the business of who writes, tested in awstest and in the room.
func TestConformanceUnderFaults(t *testing.T) {
	refusals := awstest.NewFaults(t, awstest.Rates{
		Stale: 0.5, Throttled: 0.1, Conflict: 0.1, Delayed: 0.05,
		Only: []string{"PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"},
	})
	losses := awstest.NewFaults(t, awstest.Rates{
		Dropped: 0.1, Throttled: 0.05, Failed: 0.05,
		Only: []string{"GetItem", "Query", "GetRecords", "GetShardIterator", "DescribeStream"},
	})
	repeat := func(st store.Store) store.Store { return repeating{st} }
	opened := open(t, awstest.DynamoDBLocal, repeat, refusals.Install, losses.Install)
	propertyChecks(t, "10")
	storetest.Run(t, storetest.Harness{Open: func(testing.TB) storetest.Instance { return opened }, Scale: 4})
	if c := refusals.Counts(); c.Stale == 0 || c.Throttled == 0 || c.Conflict == 0 {
		t.Errorf("not every refusal occurred: %+v", c)
	}
	if c := losses.Counts(); c.Dropped == 0 || c.Throttled == 0 || c.Failed == 0 {
		t.Errorf("not every loss occurred: %+v", c)
	}
}

// propertyChecks sets how often rapid runs each property until the test ends.
func propertyChecks(t *testing.T, n string) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	t.Cleanup(func() { _ = checks.Value.Set(before) })
	if err := checks.Value.Set(n); err != nil {
		t.Fatal(err)
	}
}

// repeating repeats what certainly was not applied.
type repeating struct{ store.Store }

func refused(err error) bool {
	return errors.Is(err, store.ErrContended) || errors.Is(err, store.ErrThrottled)
}

func (r repeating) Write(ctx context.Context, writes ...store.Write) error {
	for {
		if err := r.Store.Write(ctx, writes...); !refused(err) {
			return err
		}
	}
}

func (r repeating) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	for {
		values, err := r.Store.Add(ctx, key, deltas, expires)
		if !refused(err) {
			return values, err
		}
	}
}
