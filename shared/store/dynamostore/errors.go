package dynamostore

import (
	"errors"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"nanotypedb/shared/store"
)

// writeError translates the SDK's error of a write that was sent at most once.
func writeError(err error) error {
	if refusal := refusalOf(err); refusal != nil {
		return refusal
	}
	if certainlyNotApplied(err) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnknownOutcome, err)
}

// readError translates the SDK's error of a read.
func readError(err error) error {
	if isThrottling(err) {
		return fmt.Errorf("%w: %w", store.ErrThrottled, err)
	}
	return err
}

// refusalOf gives the store's error for what DynamoDB refuses by a code of its
// own, and nil for the rest.
func refusalOf(err error) error {
	var unmet *types.ConditionalCheckFailedException
	var conflict *types.TransactionConflictException
	var canceled *types.TransactionCanceledException
	switch {
	case errors.As(err, &unmet):
		return &store.ConditionError{Failed: []int{0}}
	case errors.As(err, &conflict):
		return fmt.Errorf("%w: %w", store.ErrContended, err)
	case errors.As(err, &canceled):
		return cancellation(canceled)
	case isThrottling(err):
		return fmt.Errorf("%w: %w", store.ErrThrottled, err)
	default:
		return nil
	}
}

// cancellation translates the reasons of a transaction that was cancelled
// whole. A condition that was not met outweighs the rest: repeating the same
// writes is of no use then.
func cancellation(canceled *types.TransactionCanceledException) error {
	var failed []int
	var contended, throttled bool
	for i, reason := range canceled.CancellationReasons {
		switch code := codeOf(reason); {
		case code == "ConditionalCheckFailed":
			failed = append(failed, i)
		case code == "TransactionConflict":
			contended = true
		case throttlingCodes[code]:
			throttled = true
		}
	}
	switch {
	case len(failed) > 0:
		return &store.ConditionError{Failed: failed}
	case contended:
		return fmt.Errorf("%w: %w", store.ErrContended, canceled)
	case throttled:
		return fmt.Errorf("%w: %w", store.ErrThrottled, canceled)
	default:
		return canceled
	}
}

func codeOf(reason types.CancellationReason) string {
	if reason.Code == nil {
		return ""
	}
	return *reason.Code
}

// throttlingCodes are those of exceptions and of cancellation reasons. All say
// that the request was turned away before it did anything.
var throttlingCodes = map[string]bool{
	"ProvisionedThroughputExceeded":          true,
	"ProvisionedThroughputExceededException": true,
	"RequestLimitExceeded":                   true,
	"ThrottlingError":                        true,
	"ThrottlingException":                    true,
}

func isThrottling(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && throttlingCodes[api.ErrorCode()]
}

// unknownCode is what the SDK makes of an answer that carries no code of
// DynamoDB's, as that of a proxy in between.
const unknownCode = "UnknownError"

// certainlyNotApplied reports that DynamoDB turned the request away as a whole,
// with a status of 4xx, or that it never left: it could not be encoded, signed
// or given a connection. A 5xx, a time-out, a lost connection and an answer
// that cannot be read say nothing about the write, and
// TransactionInProgressException says that it is still under way.
func certainlyNotApplied(err error) bool {
	var underWay *types.TransactionInProgressException
	if errors.As(err, &underWay) {
		return false
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() == 0 { // nothing came back
		return neverLeft(err)
	}
	var api smithy.APIError
	status := response.HTTPStatusCode()
	return status >= 400 && status < 500 && errors.As(err, &api) && api.ErrorCode() != unknownCode
}

func neverLeft(err error) bool {
	var encoding *smithy.SerializationError
	var signing *v4.SigningError
	var network *net.OpError
	return errors.As(err, &encoding) || errors.As(err, &signing) ||
		errors.As(err, &network) && network.Op == "dial"
}
