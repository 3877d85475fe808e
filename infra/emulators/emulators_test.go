package emulators

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// endpoint reads the emulator's address. Without one the test is skipped, under make test-aws it fails.
func endpoint(t *testing.T, name string) string {
	t.Helper()
	address := os.Getenv(name)
	switch {
	case address != "":
	case os.Getenv("NANO_TEST_AWS_REQUIRED") != "":
		t.Fatalf("%s is empty, but NANO_TEST_AWS_REQUIRED is set", name)
	default:
		t.Skipf("%s is empty; make test-aws starts the emulators", name)
	}
	return address
}

func dynamo(address string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(address),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("emulator", "emulator", ""),
		Retryer:      aws.NopRetryer{},
	})
}

// createTable makes a table with the project's keys.
func createTable(t *testing.T, client *dynamodb.Client) string {
	t.Helper()
	name := "emulators-" + rand.Text()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   aws.String(name),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatalf("create table %s: %v", name, err)
	}
	return name
}

// putOnce fills a slot if it is free, as a commit does.
func putOnce(t *testing.T, client *dynamodb.Client, table, slot string, bytes int) (*dynamodb.PutItemOutput, error) {
	t.Helper()
	return client.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName:              aws.String(table),
		ConditionExpression:    aws.String("attribute_not_exists(pk)"),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "ROOM#1"},
			"sk": &types.AttributeValueMemberS{Value: slot},
			"b":  &types.AttributeValueMemberB{Value: make([]byte, bytes)},
		},
	})
}

// A conditional put costs one write unit per started KB, and DynamoDB Local says so; a commit's price is tested on it.
func TestDynamoDBLocalCountsWriteUnits(t *testing.T) {
	client := dynamo(endpoint(t, "NANO_TEST_DYNAMODB"))
	table := createTable(t, client)
	for _, c := range []struct {
		slot  string
		bytes int
		units float64
	}{{"LOG#1", 100, 1}, {"LOG#2", 900, 1}, {"LOG#3", 1100, 2}, {"LOG#4", 5000, 5}} {
		out, err := putOnce(t, client, table, c.slot, c.bytes)
		if err != nil {
			t.Fatalf("put %s: %v", c.slot, err)
		}
		if out.ConsumedCapacity == nil || aws.ToFloat64(out.ConsumedCapacity.CapacityUnits) != c.units {
			t.Errorf("%s of %d bytes: consumed %+v, want %v units", c.slot, c.bytes, out.ConsumedCapacity, c.units)
		}
	}
}

// Of many writers of one free slot exactly one wins, on both emulators: the adapters' concurrent tests need it.
func TestOneWriterWinsASlot(t *testing.T) {
	for _, name := range []string{"NANO_TEST_DYNAMODB", "NANO_TEST_AWS"} {
		t.Run(name, func(t *testing.T) {
			client := dynamo(endpoint(t, name))
			table := createTable(t, client)
			var won atomic.Int32
			var wait sync.WaitGroup
			for range 16 {
				wait.Go(func() {
					var taken *types.ConditionalCheckFailedException
					switch _, err := putOnce(t, client, table, "LOG#1", 100); {
					case err == nil:
						won.Add(1)
					case !errors.As(err, &taken):
						t.Errorf("put: %v", err)
					}
				})
			}
			wait.Wait()
			if won.Load() != 1 {
				t.Errorf("%d writers won the slot, want 1", won.Load())
			}
		})
	}
}

// The second emulator keeps an object's bytes and refuses a second If-None-Match put, as S3 does.
func TestSecondEmulatorServesS3(t *testing.T) {
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(endpoint(t, "NANO_TEST_AWS")),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("emulator", "emulator", ""),
		UsePathStyle: true,
		Retryer:      aws.NopRetryer{},
	})
	bucket, key := aws.String("emulators-"+strings.ToLower(rand.Text())), aws.String("rooms/1/checkpoint")
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatalf("create bucket: %v", err)
	}
	content := bytes.Repeat([]byte{0, 1, 2, 0xff}, 50_000)
	put := func(body []byte) error {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: bucket, Key: key, Body: bytes.NewReader(body), IfNoneMatch: aws.String("*"),
		})
		return err
	}
	if err := put(content); err != nil {
		t.Fatalf("put: %v", err)
	}
	var refused smithy.APIError
	if err := put([]byte("other")); !errors.As(err, &refused) || refused.ErrorCode() != "PreconditionFailed" {
		t.Errorf("second put: %v, want PreconditionFailed", err)
	}
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	defer func() { _ = object.Body.Close() }()
	if stored, err := io.ReadAll(object.Body); err != nil || !bytes.Equal(stored, content) {
		t.Errorf("read back %d bytes (%v), want the %d that were put", len(stored), err, len(content))
	}
}
