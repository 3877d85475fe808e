// Package sqsqueue is the AWS adapter of the queue port: one standard queue of
// SQS. Its redrive policy, retention and defaults are set where it is made; the
// default delay and wait of the queue must be 0, since SQS takes an absent 0
// for them.
package sqsqueue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nanotypedb/shared/queue"
)

// maxRequestBytes is what the bodies of one SendMessageBatch may have together:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
const maxRequestBytes = 1 << 20

// Queue implements queue.Queue.
type Queue struct {
	client, poller *sqs.Client
	url            string
}

// New makes the adapter of the queue with that URL. The client repeats by its
// own settings. The poller is for Receive, which SQS answers only after
// queue.MaxWait when there is nothing, so its time limits are longer; it may be
// the same client.
func New(client, poller *sqs.Client, url string) *Queue {
	return &Queue{client: client, poller: poller, url: url}
}

// seconds rounds up.
func seconds(d time.Duration) int32 {
	return int32((d + time.Second - 1) / time.Second) //nolint:gosec // every duration of the port is at most 12 hours
}

// Send implements queue.Queue. A batch that is too large for one request is sent
// in several.
func (q *Queue) Send(ctx context.Context, messages ...queue.Outgoing) error {
	if err := queue.ValidateSend(messages); err != nil {
		return err
	}
	failed := map[int]error{}
	for from := 0; from < len(messages); {
		to := requestEnd(messages, from)
		err := q.send(ctx, messages, from, to, failed)
		if err != nil && from == 0 && to == len(messages) {
			return err // the whole batch was one request
		}
		for i := from; err != nil && i < to; i++ {
			failed[i] = err
		}
		from = to
	}
	return queue.Batch(failed)
}

// requestEnd is behind the last message that fits into one request with from.
func requestEnd(messages []queue.Outgoing, from int) int {
	size, to := 0, from
	for ; to < len(messages); to++ {
		if size += len(messages[to].Body); size > maxRequestBytes {
			break
		}
	}
	return to
}

// send sends messages from up to to in one request.
func (q *Queue) send(ctx context.Context, messages []queue.Outgoing, from, to int, failed map[int]error) error {
	entries := make([]types.SendMessageBatchRequestEntry, 0, to-from)
	for i, m := range messages[from:to] {
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: entryID(from + i), MessageBody: &m.Body, DelaySeconds: seconds(m.Delay),
		})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return fmt.Errorf("send to the queue: %w", translate(err))
	}
	done := make([]*string, 0, len(out.Successful))
	for _, entry := range out.Successful {
		done = append(done, entry.Id)
	}
	return settle(from, to, done, out.Failed, failed)
}

func entryID(i int) *string { return aws.String(strconv.Itoa(i)) }

// settle adds to failed what an answer says of the entries from up to to. An
// entry that the answer does not name was done or not.
func settle(from, to int, done []*string, refused []types.BatchResultErrorEntry, failed map[int]error) error {
	missing := make(map[string]int, to-from)
	for i := from; i < to; i++ {
		missing[strconv.Itoa(i)] = i
	}
	for _, id := range done {
		delete(missing, aws.ToString(id))
	}
	for _, entry := range refused {
		i, ok := missing[aws.ToString(entry.Id)]
		if !ok {
			return fmt.Errorf("%w: the queue refused entry %q, which was not sent or not refused", queue.ErrUnknownOutcome, aws.ToString(entry.Id))
		}
		failed[i] = entryError(entry)
		delete(missing, aws.ToString(entry.Id))
	}
	for _, i := range missing {
		failed[i] = fmt.Errorf("%w: the queue did not answer for the entry", queue.ErrUnknownOutcome)
	}
	return nil
}

var received = []types.MessageSystemAttributeName{
	types.MessageSystemAttributeNameSentTimestamp,
	types.MessageSystemAttributeNameApproximateReceiveCount,
	types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp,
}

// Receive implements queue.Queue. It is sent once: an answer that was lost has
// counted a receive and hidden the messages, and repeating would do so to more.
func (q *Queue) Receive(ctx context.Context, r queue.Request) ([]queue.Message, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := q.poller.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: int32(r.Max), //nolint:gosec // at most queue.MaxBatch
		WaitTimeSeconds: seconds(r.Wait), VisibilityTimeout: seconds(r.Visibility), MessageSystemAttributeNames: received,
	}, func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return nil, ended
		}
		return nil, fmt.Errorf("receive from the queue: %w", translate(err))
	}
	messages := make([]queue.Message, 0, len(out.Messages))
	for _, m := range out.Messages {
		message, err := Message(aws.ToString(m.MessageId), aws.ToString(m.ReceiptHandle), aws.ToString(m.Body), m.Attributes)
		if err != nil {
			return nil, fmt.Errorf("receive from the queue: %w", err)
		}
		messages = append(messages, message)
	}
	return messages, nil
}

// Message makes a message of what SQS says of it, in an answer or in an event
// of Lambda.
func Message(id, receipt, body string, attributes map[string]string) (queue.Message, error) {
	m := queue.Message{ID: id, Receipt: receipt, Body: body}
	var numbers [3]int64
	for i, name := range received {
		n, err := strconv.ParseInt(attributes[string(name)], 10, 64)
		if err != nil {
			return queue.Message{}, fmt.Errorf("attribute %s of message %s: %w", name, id, err)
		}
		numbers[i] = n
	}
	m.Sent, m.Receives, m.FirstReceived = time.UnixMilli(numbers[0]).UTC(), int(numbers[1]), time.UnixMilli(numbers[2]).UTC()
	return m, nil
}

// Delete implements queue.Queue.
func (q *Queue) Delete(ctx context.Context, receipts ...string) error {
	if err := queue.ValidateDelete(receipts); err != nil {
		return err
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, len(receipts))
	for i := range receipts {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: entryID(i), ReceiptHandle: &receipts[i]}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return fmt.Errorf("delete from the queue: %w", translate(err))
	}
	done := make([]*string, 0, len(out.Successful))
	for _, entry := range out.Successful {
		done = append(done, entry.Id)
	}
	failed := map[int]error{}
	if err := settle(0, len(receipts), done, out.Failed, failed); err != nil {
		return err
	}
	return queue.Batch(failed)
}

// Extend implements queue.Queue.
func (q *Queue) Extend(ctx context.Context, extensions ...queue.Extension) error {
	if err := queue.ValidateExtend(extensions); err != nil {
		return err
	}
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(extensions))
	for i := range extensions {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id: entryID(i), ReceiptHandle: &extensions[i].Receipt, VisibilityTimeout: seconds(extensions[i].For),
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	out, err := q.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return fmt.Errorf("extend in the queue: %w", translate(err))
	}
	done := make([]*string, 0, len(out.Successful))
	for _, entry := range out.Successful {
		done = append(done, entry.Id)
	}
	failed := map[int]error{}
	if err := settle(0, len(extensions), done, out.Failed, failed); err != nil {
		return err
	}
	return queue.Batch(failed)
}

// Counts implements queue.Queue. They are approximate. SQS tells the age of the
// oldest message to CloudWatch only, so it is not known here.
func (q *Queue) Counts(ctx context.Context) (queue.Counts, error) {
	names := []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	}
	if err := ctx.Err(); err != nil {
		return queue.Counts{}, err
	}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
	if err != nil {
		return queue.Counts{}, fmt.Errorf("count the queue: %w", translate(err))
	}
	var numbers [3]int64
	for i, name := range names {
		if numbers[i], err = strconv.ParseInt(out.Attributes[string(name)], 10, 64); err != nil {
			return queue.Counts{}, fmt.Errorf("count the queue: %s: %w", name, err)
		}
	}
	return queue.Counts{Waiting: numbers[0], InFlight: numbers[1], Delayed: numbers[2]}, nil
}
