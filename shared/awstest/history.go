package awstest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// attributes is an item as the SDK has it; nil is one that is not there.
type attributes = map[string]types.AttributeValue

// itemKey names an item of any table.
type itemKey struct{ table, pk, sk string }

// history keeps every version of every item it saw written.
type history struct {
	writes int
	items  map[itemKey][]version
}

// version is an item since a write.
type version struct {
	since int
	item  attributes
}

func keyOf(table *string, item attributes) itemKey {
	return itemKey{aws.ToString(table), stringOf(item["pk"]), stringOf(item["sk"])}
}

func stringOf(value types.AttributeValue) string {
	if s, ok := value.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// change is one item as a write leaves it.
type change struct {
	key  itemKey
	item attributes
}

// changes lists what a request that succeeded has done.
func (h *history) changes(parameters, result any) []change {
	switch p := parameters.(type) {
	case *dynamodb.PutItemInput:
		return []change{{keyOf(p.TableName, p.Item), clone(p.Item)}}
	case *dynamodb.DeleteItemInput:
		return []change{{keyOf(p.TableName, p.Key), nil}}
	case *dynamodb.UpdateItemInput:
		return []change{h.updated(p, result)}
	case *dynamodb.TransactWriteItemsInput:
		return transacted(p)
	default:
		return nil
	}
}

// updated merges the new values that an update returned; it must ask for
// UPDATED_NEW.
func (h *history) updated(p *dynamodb.UpdateItemInput, result any) change {
	key := keyOf(p.TableName, p.Key)
	item := clone(p.Key)
	if versions := h.items[key]; len(versions) > 0 {
		maps.Copy(item, versions[len(versions)-1].item)
	}
	if out, ok := result.(*dynamodb.UpdateItemOutput); ok {
		maps.Copy(item, clone(out.Attributes))
	}
	return change{key, item}
}

func transacted(p *dynamodb.TransactWriteItemsInput) []change {
	var changes []change
	for _, t := range p.TransactItems {
		switch {
		case t.Put != nil:
			changes = append(changes, change{keyOf(t.Put.TableName, t.Put.Item), clone(t.Put.Item)})
		case t.Delete != nil:
			changes = append(changes, change{keyOf(t.Delete.TableName, t.Delete.Key), nil})
		}
	}
	return changes
}

func (h *history) record(parameters, result any) {
	if h.items == nil {
		h.items = map[itemKey][]version{}
	}
	h.writes++
	for _, c := range h.changes(parameters, result) {
		h.items[c.key] = append(h.items[c.key], version{h.writes, c.item})
	}
}

// asOf gives an item after that many writes, and whether it has changed since.
func (h *history) asOf(key itemKey, writes int) (item attributes, changed bool) {
	versions := h.items[key]
	n := len(versions)
	for n > 0 && versions[n-1].since > writes {
		n--
	}
	if n > 0 {
		item = versions[n-1].item
	}
	return item, n < len(versions)
}

// eventualRead tells a read that may be answered from an old copy.
func eventualRead(parameters any) (any, bool) {
	switch p := parameters.(type) {
	case *dynamodb.GetItemInput:
		return p, !aws.ToBool(p.ConsistentRead)
	case *dynamodb.QueryInput:
		return p, !aws.ToBool(p.ConsistentRead)
	default:
		return nil, false
	}
}

// answer gives the result of a read as of lag writes ago, or nil when that is
// no different from now.
func (h *history) answer(read any, lag int) (any, error) {
	writes := max(h.writes-lag, 0)
	switch p := read.(type) {
	case *dynamodb.GetItemInput:
		item, changed := h.asOf(keyOf(p.TableName, p.Key), writes)
		if !changed {
			return nil, nil
		}
		return &dynamodb.GetItemOutput{Item: clone(item)}, nil
	case *dynamodb.QueryInput:
		return h.query(p, writes)
	default:
		return nil, fmt.Errorf("awstest: no old answer to a %T", read)
	}
}

func (h *history) query(p *dynamodb.QueryInput, writes int) (any, error) {
	within, err := parseRange(p)
	if err != nil {
		return nil, err
	}
	anyChanged := false
	var found []attributes
	for key := range h.items {
		if key.table != aws.ToString(p.TableName) || !within.contains(key) {
			continue
		}
		item, changed := h.asOf(key, writes)
		anyChanged = anyChanged || changed
		if item != nil {
			found = append(found, item)
		}
	}
	if !anyChanged {
		return nil, nil
	}
	return page(p, found), nil
}

// page sorts and cuts as DynamoDB does, except that it knows no limit of
// bytes.
func page(p *dynamodb.QueryInput, found []attributes) *dynamodb.QueryOutput {
	direction := 1
	if p.ScanIndexForward != nil && !*p.ScanIndexForward {
		direction = -1
	}
	slices.SortFunc(found, func(a, b attributes) int {
		return direction * cmp.Compare(stringOf(a["sk"]), stringOf(b["sk"]))
	})
	if after := stringOf(p.ExclusiveStartKey["sk"]); after != "" {
		found = slices.DeleteFunc(found, func(item attributes) bool {
			return direction*cmp.Compare(stringOf(item["sk"]), after) <= 0
		})
	}
	out := &dynamodb.QueryOutput{}
	if limit := int(aws.ToInt32(p.Limit)); limit > 0 && len(found) >= limit {
		found = found[:limit]
		last := found[limit-1]
		out.LastEvaluatedKey = attributes{"pk": last["pk"], "sk": last["sk"]}
	}
	for _, item := range found {
		out.Items = append(out.Items, clone(item))
	}
	out.Count = int32(len(out.Items))
	return out
}

// keyRange is what a key condition asks for; an empty bound is none.
type keyRange struct{ pk, from, to string }

func (r keyRange) contains(k itemKey) bool {
	return k.pk == r.pk && k.sk >= r.from && (r.to == "" || k.sk <= r.to)
}

// conditions are the key conditions that dynamostore writes.
var conditions = regexp.MustCompile(
	`^pk = (:\w+)(?: AND sk (?:BETWEEN (:\w+) AND (:\w+)|>= (:\w+)|<= (:\w+)))?$`)

func parseRange(p *dynamodb.QueryInput) (keyRange, error) {
	expression := aws.ToString(p.KeyConditionExpression)
	m := conditions.FindStringSubmatch(expression)
	if m == nil {
		return keyRange{}, fmt.Errorf("awstest: cannot answer the key condition %q from an old copy", expression)
	}
	value := func(name string) string { return stringOf(p.ExpressionAttributeValues[name]) }
	return keyRange{pk: value(m[1]), from: value(m[2] + m[4]), to: value(m[3] + m[5])}, nil
}

// clone copies as deep as a caller could change it.
func clone(item attributes) attributes {
	if item == nil {
		return nil
	}
	c := make(attributes, len(item))
	for name, value := range item {
		if b, ok := value.(*types.AttributeValueMemberB); ok {
			value = &types.AttributeValueMemberB{Value: bytes.Clone(b.Value)}
		}
		c[name] = value
	}
	return c
}

// writtenKeys lists the items that a request writes, in one order for all
// requests and each once.
func writtenKeys(parameters any) []itemKey {
	var h history
	var keys []itemKey
	for _, c := range h.changes(parameters, nil) {
		keys = append(keys, c.key)
	}
	slices.SortFunc(keys, func(a, b itemKey) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.pk, b.pk), cmp.Compare(a.sk, b.sk))
	})
	return slices.Compact(keys)
}

// keyLocks lets one writer at a time at each item.
type keyLocks struct {
	mu    sync.Mutex
	locks map[itemKey]*sync.Mutex
}

// lock takes the locks of all keys, which must be in order, and gives what
// releases them.
func (l *keyLocks) lock(keys []itemKey) (unlock func()) {
	held := make([]*sync.Mutex, len(keys))
	for i, key := range keys {
		held[i] = l.of(key)
		held[i].Lock()
	}
	return func() {
		for _, mutex := range held {
			mutex.Unlock()
		}
	}
}

func (l *keyLocks) of(key itemKey) *sync.Mutex {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.locks == nil {
		l.locks = map[itemKey]*sync.Mutex{}
	}
	if l.locks[key] == nil {
		l.locks[key] = &sync.Mutex{}
	}
	return l.locks[key]
}
