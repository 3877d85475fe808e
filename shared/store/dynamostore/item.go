package dynamostore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nanotypedb/shared/store"
)

// The attributes of an item.
const (
	partitionAttribute = "pk"
	sortAttribute      = "sk"
	dataAttribute      = "d"
	expiresAttribute   = "x"
	counterPrefix      = "n_"
)

func encodeKey(k store.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{partitionAttribute: text(k.PK), sortAttribute: text(k.SK)}
}

// encodeItem leaves out what is empty, so that no data and empty data are the
// same.
func encodeItem(item store.Item) map[string]types.AttributeValue {
	attributes := encodeKey(item.Key)
	if len(item.Data) > 0 {
		attributes[dataAttribute] = &types.AttributeValueMemberB{Value: item.Data}
	}
	if !item.Expires.IsZero() {
		attributes[expiresAttribute] = number(wholeSecond(item.Expires))
	}
	for name, value := range item.Counters {
		attributes[counterPrefix+name] = number(value)
	}
	return attributes
}

// decodeItem ignores attributes that it does not know.
func decodeItem(attributes map[string]types.AttributeValue) (store.Item, error) {
	var item store.Item
	for name, value := range attributes {
		if err := decodeAttribute(&item, name, value); err != nil {
			return store.Item{}, err
		}
	}
	return item, nil
}

func decodeAttribute(item *store.Item, name string, value types.AttributeValue) error {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		decodeText(item, name, v.Value)
	case *types.AttributeValueMemberB:
		if name == dataAttribute {
			item.Data = v.Value
		}
	case *types.AttributeValueMemberN:
		return decodeNumber(item, name, v.Value)
	}
	return nil
}

func decodeText(item *store.Item, name, value string) {
	switch name {
	case partitionAttribute:
		item.PK = value
	case sortAttribute:
		item.SK = value
	}
}

func decodeNumber(item *store.Item, name, value string) error {
	counter, isCounter := strings.CutPrefix(name, counterPrefix)
	if !isCounter && name != expiresAttribute {
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return fmt.Errorf("attribute %s: %w", name, err)
	}
	if !isCounter {
		item.Expires = time.Unix(n, 0).UTC()
		return nil
	}
	if item.Counters == nil {
		item.Counters = map[string]int64{}
	}
	item.Counters[counter] = n
	return nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// wholeSecond rounds up: an item must not be collected before it expires.
func wholeSecond(t time.Time) int64 {
	seconds := t.Unix()
	if t.Nanosecond() > 0 {
		seconds++
	}
	return seconds
}
