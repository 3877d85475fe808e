// Package aws opens the AWS adapters from a program's configuration, one
// function a port, so that a binary links only what it calls. Credentials and
// the Region come from where the SDK finds them: environment, profile, role.
//
// An emulator is chosen by AWS_ENDPOINT_URL, and for one service by the SDK's
// own AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_DYNAMODB_STREAMS and so on.
package aws

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdkconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"nanotypedb/shared/backend/aws/transport"
	"nanotypedb/shared/blob/s3blob"
	"nanotypedb/shared/config"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/queue/sqsqueue"
	"nanotypedb/shared/store/dynamostore"
)

// The gateway gives up a request after 29 s, so everything below must have
// ended before. DynamoDB answers within tens of milliseconds; a request that
// takes a second was lost, and its connection is given up with it. A read of
// it ends after at most 3 × 3 s + 2 × 0.5 s = 10 s, a write, which is never
// repeated, after 3 s; so it is with SQS, but for a receive, which SQS answers
// only after queue.MaxWait when there is nothing. S3 has 5 s for its first byte, and the body as long as
// the context of the call.
const (
	connectTimeout = time.Second
	tlsTimeout     = 2 * time.Second
	tableAttempt   = 3 * time.Second
	queueAttempt   = 3 * time.Second
	receiveAttempt = queue.MaxWait + 5*time.Second
	blobHeader     = 5 * time.Second
	attempts       = 3
	maxBackoff     = 500 * time.Millisecond
)

// Connections are kept for the next request, also of a warm function. Half of
// them may be writes waiting for an answer.
const (
	idleConnections = 64
	idleTimeout     = time.Minute
)

// Connect finds credentials and Region and sets what all clients share.
func Connect(ctx context.Context, c config.Config) (sdk.Config, error) {
	connected, err := sdkconfig.LoadDefaultConfig(ctx,
		sdkconfig.WithHTTPClient(httpClient()), sdkconfig.WithRetryer(newRetryer))
	if err != nil {
		return sdk.Config{}, fmt.Errorf("connect to AWS: %w", err)
	}
	connected.HTTPClient = transport.Repair(connected.HTTPClient)
	if c.EndpointURL != "" { // as a load option it would outweigh those of single services
		connected.BaseEndpoint = &c.EndpointURL
	}
	if connected.Region == "" {
		return sdk.Config{}, fmt.Errorf("connect to AWS: no Region is set; set AWS_REGION")
	}
	return connected, nil
}

func newRetryer() sdk.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
	})
}

func httpClient() *awshttp.BuildableClient { return clientAwaiting(blobHeader) }

// clientAwaiting waits so long for the first byte of an answer.
func clientAwaiting(header time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = tlsTimeout
			t.ResponseHeaderTimeout = header
			t.MaxIdleConns = 2 * idleConnections
			t.MaxIdleConnsPerHost = idleConnections
			t.IdleConnTimeout = idleTimeout
		})
}

// Store opens the table.
func Store(connected sdk.Config, c config.Config) *dynamostore.Store {
	return dynamostore.New(Table(connected), c.Table)
}

// Table opens the client of DynamoDB that Store uses.
func Table(connected sdk.Config) *dynamodb.Client {
	return dynamodb.NewFromConfig(connected, func(o *dynamodb.Options) {
		o.HTTPClient = transport.Repair(httpClient().WithTimeout(tableAttempt))
	})
}

// Blobs opens the bucket.
func Blobs(connected sdk.Config, c config.Config) *s3blob.Store {
	return s3blob.New(Bucket(connected, c), c.Bucket, "")
}

// Bucket opens the client of S3 that Blobs uses, for presigned addresses.
// Emulators have no host name for each bucket.
func Bucket(connected sdk.Config, c config.Config) *s3.Client {
	return s3.NewFromConfig(connected, func(o *s3.Options) {
		o.UsePathStyle = c.EndpointURL != ""
		o.DisableLogOutputChecksumValidationSkipped = true
	})
}

// Queue opens the queue with that URL.
func Queue(connected sdk.Config, url string) *sqsqueue.Queue {
	return sqsqueue.New(queueClient(connected, queueAttempt), queueClient(connected, receiveAttempt), url)
}

func queueClient(connected sdk.Config, attempt time.Duration) *sqs.Client {
	return sqs.NewFromConfig(connected, func(o *sqs.Options) {
		o.HTTPClient = transport.Repair(clientAwaiting(attempt).WithTimeout(attempt))
	})
}
