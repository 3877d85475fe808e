package sqsqueue_test

import (
	"crypto/rand"
	"flag"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/queuetest"
	"nanotypedb/shared/queue/sqsqueue"
)

// create makes a queue and gives its URL and ARN.
func create(tb testing.TB, client *sqs.Client, attributes map[string]string) (url, arn string) {
	tb.Helper()
	name := "test-" + rand.Text()
	made, err := client.CreateQueue(tb.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		tb.Fatalf("create queue: %v", err)
	}
	names := []types.QueueAttributeName{types.QueueAttributeNameQueueArn}
	out, err := client.GetQueueAttributes(tb.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: names})
	if err != nil {
		tb.Fatalf("get the queue's ARN: %v", err)
	}
	return *made.QueueUrl, out.Attributes["QueueArn"]
}

// instance makes two queues on the emulator. The redrive policy is set by the
// API, as the emulator drops that of CloudFormation.
func instance(tb testing.TB, install ...func(*middleware.Stack) error) queuetest.Instance {
	tb.Helper()
	plain := sqs.NewFromConfig(awstest.Second.Config(tb))
	client := sqs.NewFromConfig(awstest.Second.Config(tb, install...))
	deadURL, deadARN := create(tb, plain, nil)
	url, _ := create(tb, plain, map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, deadARN, queuetest.MaxReceives),
	})
	return queuetest.Instance{Queue: sqsqueue.New(client, client, url), Dead: sqsqueue.New(client, client, deadURL)}
}

func propertyChecks(t *testing.T, n string) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	t.Cleanup(func() { _ = checks.Value.Set(before) })
	if err := checks.Value.Set(n); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	awstest.Second.Endpoint(t)
	propertyChecks(t, "10")
	queuetest.Run(t, queuetest.Harness{
		Open: func(tb testing.TB) queuetest.Instance { return instance(tb) },
		Skip: map[string]string{
			"extend/after the visibility time": "ministack extends a message that is not in flight; AWS answers MessageNotInflight",
		},
	})
}

var _ queue.Queue = (*sqsqueue.Queue)(nil)
