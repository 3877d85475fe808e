package awstest

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// Units counts the capacity units that DynamoDB reports for requests that
// succeeded; what it charged for a condition that was not met is not told.
// DynamoDBLocal tells what AWS would, except that a transaction counts half
// there. Second counts transactions right, and queries wrong.
type Units struct {
	mu     sync.Mutex
	reads  float64
	writes float64
}

// Install adds the counter to a client's stack; use it in APIOptions.
func (u *Units) Install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awstest.Units", u.count), middleware.Before)
}

// Count gives the read and write units since the last Reset.
func (u *Units) Count() (reads, writes float64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.reads, u.writes
}

// Reset starts counting anew.
func (u *Units) Reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reads, u.writes = 0, 0
}

func (u *Units) count(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	in.Parameters = withCapacity(in.Parameters)
	out, metadata, err := next.HandleInitialize(ctx, in)
	if err == nil {
		u.add(out.Result)
	}
	return out, metadata, err
}

// withCapacity copies the request, which is the caller's, and asks for the
// units.
func withCapacity(parameters any) any {
	switch p := parameters.(type) {
	case *dynamodb.GetItemInput:
		return copyWith(p, func(p *dynamodb.GetItemInput) { p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal })
	case *dynamodb.QueryInput:
		return copyWith(p, func(p *dynamodb.QueryInput) { p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal })
	case *dynamodb.PutItemInput:
		return copyWith(p, func(p *dynamodb.PutItemInput) { p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal })
	case *dynamodb.DeleteItemInput:
		return copyWith(p, func(p *dynamodb.DeleteItemInput) { p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal })
	case *dynamodb.UpdateItemInput:
		return copyWith(p, func(p *dynamodb.UpdateItemInput) { p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal })
	case *dynamodb.TransactWriteItemsInput:
		return copyWith(p, func(p *dynamodb.TransactWriteItemsInput) {
			p.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
		})
	default:
		return parameters
	}
}

func copyWith[T any](original *T, change func(*T)) *T {
	c := *original
	change(&c)
	return &c
}

func (u *Units) add(result any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch r := result.(type) {
	case *dynamodb.GetItemOutput:
		u.reads += units(r.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		u.reads += units(r.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		u.writes += units(r.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		u.writes += units(r.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		u.writes += units(r.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		for i := range r.ConsumedCapacity {
			u.writes += units(&r.ConsumedCapacity[i])
		}
	}
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}
