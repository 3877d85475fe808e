package dynamostore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nanotypedb/shared/store"
)

// Add implements store.Store.
func (s *Store) Add(ctx context.Context, key store.Key, deltas map[string]int64, expires time.Time) (map[string]int64, error) {
	if err := checkAdd(store.Item{Key: key, Counters: deltas}); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("add not begun: %w", err)
	}
	out, err := s.client.UpdateItem(ctx, s.addInput(key, deltas, expires), once)
	if err != nil {
		return nil, fmt.Errorf("add to %s %s: %w", key.PK, key.SK, writeError(err))
	}
	return newValues(out.Attributes, deltas)
}

func (s *Store) addInput(key store.Key, deltas map[string]int64, expires time.Time) *dynamodb.UpdateItemInput {
	in := &dynamodb.UpdateItemInput{TableName: &s.table, Key: encodeKey(key), ReturnValues: types.ReturnValueUpdatedNew}
	names, values := map[string]string{}, map[string]types.AttributeValue{}
	var clauses, adds []string
	for i, name := range slices.Sorted(maps.Keys(deltas)) {
		n := strconv.Itoa(i)
		names["#n"+n], values[":n"+n] = counterPrefix+name, number(deltas[name])
		adds = append(adds, "#n"+n+" :n"+n)
	}
	if len(adds) > 0 {
		clauses = append(clauses, "ADD "+strings.Join(adds, ", "))
	}
	if !expires.IsZero() {
		values[":x"] = number(wholeSecond(expires))
		clauses = append(clauses, "SET x = :x")
	}
	if len(clauses) > 0 { // none of these may be empty
		expression := strings.Join(clauses, " ")
		in.UpdateExpression, in.ExpressionAttributeValues = &expression, values
	}
	if len(names) > 0 {
		in.ExpressionAttributeNames = names
	}
	return in
}

func newValues(attributes map[string]types.AttributeValue, deltas map[string]int64) (map[string]int64, error) {
	item, err := decodeItem(attributes)
	if err != nil {
		return nil, err
	}
	values := make(map[string]int64, len(deltas))
	for name := range deltas {
		value, ok := item.Counters[name]
		if !ok {
			return nil, fmt.Errorf("counter %s is missing in the answer: %w", name, store.ErrUnknownOutcome)
		}
		values[name] = value
	}
	return values, nil
}
