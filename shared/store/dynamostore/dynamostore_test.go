package dynamostore_test

import (
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

// open makes a table on the emulator with the store and its feed.
func open(t *testing.T, e awstest.Emulator, install ...func(*middleware.Stack) error) storetest.Instance {
	t.Helper()
	table := e.Table(t)
	config := e.Config(t, install...)
	client, streams := dynamodb.NewFromConfig(config), dynamodbstreams.NewFromConfig(config)
	st := dynamostore.New(client, table)
	instance := storetest.Instance{
		Store: st,
		Feed: func(tb testing.TB) store.Feed {
			feed, err := streamfeed.Open(t.Context(), client, streams, st, table, "test", time.Millisecond)
			if err != nil {
				tb.Fatal(err)
			}
			return feed
		},
	}
	instance.Reopen = func(testing.TB) storetest.Instance {
		instance.Store = dynamostore.New(dynamodb.NewFromConfig(config), table)
		return instance
	}
	return instance
}

func TestConformance(t *testing.T) {
	opened := open(t, awstest.DynamoDBLocal)
	storetest.Run(t, storetest.Harness{
		Open: func(testing.TB) storetest.Instance { return opened },
	})
}

func TestConformanceOnSecondEmulator(t *testing.T) {
	opened := open(t, awstest.Second)
	storetest.Run(t, storetest.Harness{
		Open:  func(testing.TB) storetest.Instance { return opened },
		Scale: 4,
		Skip: map[string]string{
			"limit/bytes of a transaction": "ministack counts the request's base64 text against the 4 MB limit, AWS the items",
		},
	})
}
