package awstest

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"nanotypedb/shared/backend/aws/transport"
)

// Emulator is the environment variable that holds an emulator's address.
type Emulator string

// The emulators. DynamoDBLocal is trusted for conditions, concurrency and
// consumed units; Second serves S3, SQS and the rest.
const (
	DynamoDBLocal Emulator = "NANO_TEST_DYNAMODB"
	Second        Emulator = "NANO_TEST_AWS"
)

// Endpoint gives the emulator's address. Without one the test is skipped, and
// under make test-aws it fails.
func (e Emulator) Endpoint(tb testing.TB) string {
	tb.Helper()
	address := os.Getenv(string(e))
	switch {
	case address != "":
	case os.Getenv("NANO_TEST_AWS_REQUIRED") != "":
		tb.Fatalf("%s is empty, but NANO_TEST_AWS_REQUIRED is set", e)
	default:
		tb.Skipf("%s is empty; make test-aws starts the emulators", e)
	}
	return address
}

// Config gives a configuration for any SDK client of the emulator, with
// middleware installed, as Faults.Install and Units.Install. Its retries are
// many and quick, so that reads get through injected faults.
func (e Emulator) Config(tb testing.TB, install ...func(*middleware.Stack) error) aws.Config {
	tb.Helper()
	return ConfigFor(e.Endpoint(tb), install...)
}

// ConfigFor is Config for a server of the test's own.
func ConfigFor(endpoint string, install ...func(*middleware.Stack) error) aws.Config {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.Proxy = nil
		t.MaxIdleConnsPerHost = 64
	})
	return aws.Config{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("emulator", "emulator", ""),
		BaseEndpoint: aws.String(endpoint),
		HTTPClient:   transport.Repair(client),
		Retryer:      quickRetryer,
		APIOptions:   install,
	}
}

func quickRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 20
		o.MaxBackoff = 2 * time.Millisecond
		o.RateLimiter = ratelimit.None
	})
}

// Table makes a table as the stack does: keys pk and sk, on demand, with a
// stream of new images and a TTL on x. It is deleted when the test ends.
func (e Emulator) Table(tb testing.TB) string {
	tb.Helper()
	client := dynamodb.NewFromConfig(e.Config(tb))
	name := "test-" + rand.Text()
	_, err := client.CreateTable(tb.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage,
		},
	})
	if err != nil {
		tb.Fatalf("create table %s: %v", name, err)
	}
	tb.Cleanup(func() { deleteTable(tb, client, name) })
	_, err = client.UpdateTimeToLive(tb.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String("x"), Enabled: aws.Bool(true),
		},
	})
	if err != nil {
		tb.Fatalf("set the time to live of %s: %v", name, err)
	}
	return name
}

func deleteTable(tb testing.TB, client *dynamodb.Client, name string) {
	if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
		tb.Errorf("delete table %s: %v", name, err)
	}
}

// Bucket makes an S3 bucket. It stays until the emulator stops.
func (e Emulator) Bucket(tb testing.TB) string {
	tb.Helper()
	client := s3.NewFromConfig(e.Config(tb), func(o *s3.Options) { o.UsePathStyle = true })
	name := "test-" + strings.ToLower(rand.Text())
	if _, err := client.CreateBucket(tb.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		tb.Fatalf("create bucket %s: %v", name, err)
	}
	return name
}
