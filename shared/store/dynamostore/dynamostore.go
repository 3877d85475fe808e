// Package dynamostore is the store on one DynamoDB table with the string keys
// pk and sk. An item's data is the binary attribute "d", its counters are
// number attributes prefixed "n_", and its expiry is "x", the table's TTL
// attribute in unix seconds. It uses no scan, no index and no PartiQL.
//
// Reads are retried by the client as it was configured; writes never are.
// A write that failed is reported as not applied only when that is certain:
// DynamoDB refused it, or no connection could be made. Everything else is
// store.ErrUnknownOutcome. An error that is none of the store's and not a
// fault means that nothing was applied, as with missing permissions.
package dynamostore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nanotypedb/shared/store"
)

// Store keeps items in one table.
type Store struct {
	client *dynamodb.Client
	table  string
}

var _ store.Store = (*Store)(nil)

// New returns the store in the named table. The client's retryer and time-outs
// apply to reads, its time-outs to writes as well.
func New(client *dynamodb.Client, table string) *Store {
	return &Store{client: client, table: table}
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	if err := key.Validate(); err != nil {
		return store.Item{}, err
	}
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.table,
		Key:            encodeKey(key),
		ConsistentRead: aws.Bool(strong),
	})
	if err != nil {
		return store.Item{}, fmt.Errorf("get %s %s: %w", key.PK, key.SK, readError(err))
	}
	if len(out.Item) == 0 {
		return store.Item{}, fmt.Errorf("get %s %s: %w", key.PK, key.SK, store.ErrNotFound)
	}
	return decodeItem(out.Item)
}

// Write implements store.Store.
func (s *Store) Write(ctx context.Context, writes ...store.Write) error {
	if err := store.ValidateWrites(writes, 1); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write not begun: %w", err)
	}
	var err error
	switch {
	case len(writes) == 0:
		return nil
	case len(writes) > 1 || writes[0].Action == store.Check:
		err = s.transact(ctx, writes)
	case writes[0].Action == store.Delete:
		err = s.delete(ctx, writes[0])
	default:
		err = s.put(ctx, writes[0])
	}
	if err != nil {
		return fmt.Errorf("write %s %s: %w", writes[0].Item.PK, writes[0].Item.SK, writeError(err))
	}
	return nil
}

func (s *Store) put(ctx context.Context, w store.Write) error {
	c := conditionOf(w)
	_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                 &s.table,
		Item:                      encodeItem(w.Item),
		ConditionExpression:       c.expression,
		ExpressionAttributeValues: c.values,
	}, once)
	return err
}

func (s *Store) delete(ctx context.Context, w store.Write) error {
	c := conditionOf(w)
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:                 &s.table,
		Key:                       encodeKey(w.Item.Key),
		ConditionExpression:       c.expression,
		ExpressionAttributeValues: c.values,
	}, once)
	return err
}

// transact leaves the idempotency token to the SDK, which makes a random one
// for each call: whether the same writes are the same transaction is for the
// caller to know.
func (s *Store) transact(ctx context.Context, writes []store.Write) error {
	items := make([]types.TransactWriteItem, len(writes))
	for i, w := range writes {
		items[i] = s.transactItem(w)
	}
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: items}, once)
	return err
}

func (s *Store) transactItem(w store.Write) types.TransactWriteItem {
	c := conditionOf(w)
	switch w.Action {
	case store.Delete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &s.table, Key: encodeKey(w.Item.Key),
			ConditionExpression: c.expression, ExpressionAttributeValues: c.values,
		}}
	case store.Check:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &s.table, Key: encodeKey(w.Item.Key),
			ConditionExpression: c.expression, ExpressionAttributeValues: c.values,
		}}
	default:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &s.table, Item: encodeItem(w.Item),
			ConditionExpression: c.expression, ExpressionAttributeValues: c.values,
		}}
	}
}

// once switches the SDK's retries off: a repeated conditional put would meet
// its own first attempt and report a condition that was not met.
func once(o *dynamodb.Options) {
	o.Retryer = aws.NopRetryer{}
	o.RetryMaxAttempts = 0
}

// condition is an expression over an item as it is before the write.
type condition struct {
	expression *string
	values     map[string]types.AttributeValue
}

func conditionOf(w store.Write) condition {
	switch w.If {
	case store.Absent:
		return condition{expression: aws.String("attribute_not_exists(pk)")}
	case store.Present:
		return condition{expression: aws.String("attribute_exists(pk)")}
	case store.Unchanged:
		if len(w.Previous) == 0 { // no data is stored as no attribute
			return condition{expression: aws.String("attribute_exists(pk) AND attribute_not_exists(d)")}
		}
		return condition{
			expression: aws.String("d = :previous"),
			values:     map[string]types.AttributeValue{":previous": &types.AttributeValueMemberB{Value: w.Previous}},
		}
	default:
		return condition{}
	}
}
