package sqsqueue

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"nanotypedb/shared/queue"
)

// translate gives the port's error for one of the SDK. Repeating helps with all
// but a queue that does not exist or may not be used; those keep SQS's code in
// their text.
func translate(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return fmt.Errorf("%w: %w", queue.ErrUnknownOutcome, err)
	}
	if known := knownError(api.ErrorCode(), api.ErrorMessage()); known != nil {
		return fmt.Errorf("%w: %w", known, err)
	}
	if api.ErrorFault() == smithy.FaultClient {
		return err
	}
	return fmt.Errorf("%w: %w", queue.ErrUnknownOutcome, err)
}

// entryError is translate for one entry of a batch that was answered.
func entryError(entry types.BatchResultErrorEntry) error {
	code, message := aws.ToString(entry.Code), aws.ToString(entry.Message)
	known := knownError(code, message)
	switch {
	case known != nil:
		return fmt.Errorf("%w: %s", known, code)
	case entry.SenderFault:
		return fmt.Errorf("the queue refused the entry: %s: %s", code, message)
	default:
		return fmt.Errorf("%w: %s: %s", queue.ErrUnknownOutcome, code, message)
	}
}

// knownError gives the error of the port that a code means, or nil. Codes come
// with or without the prefix of the older protocol.
func knownError(code, message string) error {
	switch strings.TrimPrefix(code, "AWS.SimpleQueueService.") {
	case "RequestThrottled", "ThrottlingException", "Throttling", "RequestLimitExceeded", "KmsThrottled", "KMS.ThrottlingException",
		"OverLimit": // too many in flight
		return queue.ErrThrottled
	case "ReceiptHandleIsInvalid", "MessageNotInflight":
		return queue.ErrStaleReceipt
	case "InvalidParameterValue": // of an expired receipt too: https://repost.aws/knowledge-center/sqs-receipt-handle-error
		if strings.Contains(message, "ReceiptHandle") {
			return queue.ErrStaleReceipt
		}
	}
	return nil
}
