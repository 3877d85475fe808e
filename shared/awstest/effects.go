package awstest

import (
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// operation is one request of any service.
type operation struct {
	service, name string
	parameters    any
}

func (o operation) isTableWrite() bool {
	switch o.parameters.(type) {
	case *dynamodb.PutItemInput, *dynamodb.DeleteItemInput, *dynamodb.UpdateItemInput, *dynamodb.TransactWriteItemsInput:
		return true
	default:
		return false
	}
}

// canBeLate leaves out S3, whose bodies belong to the caller again once it got
// its answer.
func (o operation) canBeLate() bool {
	if o.service != "SQS" {
		return o.isTableWrite()
	}
	switch o.name {
	case "SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility":
		return true
	default:
		return false
	}
}

// lostReply is one of the ways in which the answer of an executed request does
// not arrive.
func lostReply(pick uint64) error {
	switch pick % 3 {
	case 0:
		return timeout()
	case 1:
		return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}}
	default:
		return internalError()
	}
}

func timeout() error {
	return &smithyhttp.RequestSendError{Err: &net.OpError{Op: "read", Net: "tcp", Err: os.ErrDeadlineExceeded}}
}

func internalError() error {
	return response(http.StatusInternalServerError,
		&smithy.GenericAPIError{Code: "InternalServerError", Message: "injected", Fault: smithy.FaultServer})
}

func throttling(o operation) error {
	switch o.service {
	case "DynamoDB":
		return response(http.StatusBadRequest, &types.ProvisionedThroughputExceededException{Message: aws.String("injected")})
	case "S3":
		return response(http.StatusServiceUnavailable, &smithy.GenericAPIError{Code: "SlowDown", Message: "injected"})
	default:
		return response(http.StatusBadRequest, &smithy.GenericAPIError{Code: "ThrottlingException", Message: "injected"})
	}
}

// conflicting is what a write gets that meets a transaction in flight.
func conflicting(o operation, pick uint64) error {
	in, transaction := o.parameters.(*dynamodb.TransactWriteItemsInput)
	if !transaction {
		return response(http.StatusBadRequest, &types.TransactionConflictException{Message: aws.String("injected")})
	}
	reasons := make([]types.CancellationReason, len(in.TransactItems))
	for i := range reasons {
		reasons[i].Code = aws.String("None")
	}
	reasons[pick%uint64(len(reasons))].Code = aws.String("TransactionConflict")
	return response(http.StatusBadRequest, &types.TransactionCanceledException{
		Message: aws.String("injected"), CancellationReasons: reasons,
	})
}

func response(status int, err error) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
		Err:      err,
	}
}
