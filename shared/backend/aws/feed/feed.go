// Package feed opens the store's feed on AWS for a process that stays up, as
// the runner. It is apart from package aws so that no function links the
// client of DynamoDB Streams.
package feed

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"nanotypedb/shared/backend/aws"
	"nanotypedb/shared/config"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore/streamfeed"
)

// poll is how often Lambda itself looks at a stream.
const poll = 250 * time.Millisecond

// Open opens the feed of the table under a name, from where it was
// acknowledged last.
func Open(ctx context.Context, connected sdk.Config, c config.Config, name string) (store.Feed, error) {
	return streamfeed.Open(ctx, streamfeed.Options{
		Table: aws.Table(connected), Streams: dynamodbstreams.NewFromConfig(connected),
		Store: aws.Store(connected, c), TableName: c.Table, Name: name, Poll: poll,
	})
}
