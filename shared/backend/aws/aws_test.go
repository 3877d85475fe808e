package aws_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/backend/aws"
	"nanotypedb/shared/backend/aws/feed"
	"nanotypedb/shared/config"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/store"
)

func setCredentials(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "NO_PROXY": "127.0.0.1",
	} {
		t.Setenv(name, value)
	}
}

// One configuration opens every port, also with the table on an emulator of
// its own.
func TestOpen(t *testing.T) {
	setCredentials(t)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", awstest.DynamoDBLocal.Endpoint(t))
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", awstest.DynamoDBLocal.Endpoint(t))
	c := config.Config{
		Table: awstest.DynamoDBLocal.Table(t), Bucket: awstest.Second.Bucket(t), EndpointURL: awstest.Second.Endpoint(t),
	}
	connected, err := aws.Connect(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := aws.Blobs(connected, c).PutNew(t.Context(), "a/b", strings.NewReader("x"), 1); err != nil {
		t.Errorf("blobs: %v", err)
	}
	key := store.Key{PK: "ROOM#1", SK: "LOG#0000000000000001"}
	if err := aws.Store(connected, c).Write(t.Context(), store.Write{Item: store.Item{Key: key}, If: store.Absent}); err != nil {
		t.Fatalf("store: %v", err)
	}
	reader, err := feed.Open(t.Context(), connected, c, "test")
	if err != nil {
		t.Fatal(err)
	}
	changes, token, err := reader.Next(t.Context(), 10)
	if err != nil || len(changes) != 1 || changes[0].Key != key {
		t.Fatalf("the feed told %v, %v", changes, err)
	}
	if err := reader.Ack(t.Context(), token); err != nil {
		t.Error(err)
	}
	jobs := aws.Queue(connected, makeQueue(t, connected))
	if err := jobs.Send(t.Context(), queue.Outgoing{Body: "x"}); err != nil {
		t.Fatalf("queue: %v", err)
	}
	messages, err := jobs.Receive(t.Context(), queue.Request{Max: 1, Wait: queue.MaxWait, Visibility: time.Minute})
	if err != nil || len(messages) != 1 || messages[0].Body != "x" {
		t.Errorf("received %v, %v", messages, err)
	}
}

func makeQueue(t *testing.T, connected sdk.Config) (url string) {
	t.Helper()
	made, err := sqs.NewFromConfig(connected).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String("test-" + rand.Text())})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	return *made.QueueUrl
}

// A receive may wait as long as the port allows; everything else is given up
// sooner, also by who waits for a queue that does not answer.
func TestReceiveOutlivesTheOtherTimeLimits(t *testing.T) {
	setCredentials(t)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	connected, err := aws.Connect(t.Context(), config.Config{EndpointURL: silent.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second) // above the limit of the table and of S3
	defer cancel()
	_, err = aws.Queue(connected, silent.URL+"/q").Receive(ctx, queue.Request{Max: 1, Wait: queue.MaxWait, Visibility: time.Minute})
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() == nil {
		t.Errorf("a receive ended with %v before its wait", err)
	}
}

func TestConnectNeedsARegion(t *testing.T) {
	setCredentials(t)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	if _, err := aws.Connect(t.Context(), config.Config{}); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("got %v, want an error that names AWS_REGION", err)
	}
}

// A table that does not answer costs a write one attempt, and whoever waits for
// it learns in time for the gateway's 29 s.
func TestTimeLimits(t *testing.T) {
	setCredentials(t)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	c := config.Config{Table: "t", EndpointURL: silent.URL}
	connected, err := aws.Connect(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	err = aws.Store(connected, c).Write(ctx, store.Write{Item: store.Item{Key: store.Key{PK: "P", SK: "S"}}})
	if !errors.Is(err, store.ErrUnknownOutcome) || ctx.Err() != nil {
		t.Errorf("a write that hangs: %v, %v", err, ctx.Err())
	}
	for name, n := range map[string]int{
		"table": aws.Table(connected).Options().Retryer.MaxAttempts(), "bucket": aws.Bucket(connected, c).Options().Retryer.MaxAttempts(),
	} {
		if n != 3 {
			t.Errorf("the client of the %s makes %d attempts", name, n)
		}
	}
}

// Functions open the store without the client of streams.
func TestStreamsAreApart(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "service/dynamodb\n") {
		t.Fatal("the list of imports is not one")
	}
	if strings.Contains(string(out), "service/dynamodbstreams") {
		t.Error("package aws imports the client of DynamoDB Streams")
	}
}
