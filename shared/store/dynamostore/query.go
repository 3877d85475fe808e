package dynamostore

import (
	"context"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nanotypedb/shared/store"
)

// Query implements store.Store. A page that ends at the limit has Next set,
// also when nothing follows.
func (s *Store) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := checkQuery(q); err != nil {
		return store.Page{}, err
	}
	if isEmpty(q) {
		return store.Page{}, ctx.Err()
	}
	out, err := s.client.Query(ctx, s.queryInput(q))
	if err != nil {
		return store.Page{}, fmt.Errorf("query %s from %q to %q: %w", q.PK, q.From, q.To, readError(err))
	}
	return decodePage(out)
}

// isEmpty reports whether nothing can lie in the range. DynamoDB refuses such
// a query, and a cursor beyond the range, as malformed.
func isEmpty(q store.Query) bool {
	switch {
	case q.To != "" && q.From > q.To:
		return true
	case q.After == "":
		return false
	case q.Reverse:
		return q.After <= q.From
	default:
		return q.To != "" && q.After >= q.To
	}
}

func (s *Store) queryInput(q store.Query) *dynamodb.QueryInput {
	expression, values := keyCondition(q)
	in := &dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    &expression,
		ExpressionAttributeValues: values,
		ConsistentRead:            aws.Bool(q.Strong),
		ScanIndexForward:          aws.Bool(!q.Reverse),
	}
	if cursorInRange(q) {
		in.ExclusiveStartKey = encodeKey(store.Key{PK: q.PK, SK: q.After})
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, math.MaxInt32)))
	}
	return in
}

// cursorInRange reports whether After leaves anything out; one that lies
// before the range leaves out nothing. The cursor's item need not exist.
func cursorInRange(q store.Query) bool {
	if q.After == "" {
		return false
	}
	if q.Reverse {
		return q.To == "" || q.After <= q.To
	}
	return q.After >= q.From
}

func keyCondition(q store.Query) (string, map[string]types.AttributeValue) {
	values := map[string]types.AttributeValue{":pk": text(q.PK)}
	expression := "pk = :pk"
	if q.From != "" {
		values[":from"] = text(q.From)
	}
	if q.To != "" {
		values[":to"] = text(q.To)
	}
	switch {
	case q.From != "" && q.To != "":
		expression += " AND sk BETWEEN :from AND :to"
	case q.From != "":
		expression += " AND sk >= :from"
	case q.To != "":
		expression += " AND sk <= :to"
	}
	return expression, values
}

func decodePage(out *dynamodb.QueryOutput) (store.Page, error) {
	page := store.Page{Items: make([]store.Item, 0, len(out.Items))}
	for _, attributes := range out.Items {
		item, err := decodeItem(attributes)
		if err != nil {
			return store.Page{}, err
		}
		page.Items = append(page.Items, item)
	}
	if last, ok := out.LastEvaluatedKey[sortAttribute].(*types.AttributeValueMemberS); ok {
		page.Next = last.Value
	}
	return page, nil
}
