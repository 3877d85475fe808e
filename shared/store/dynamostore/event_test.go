package dynamostore_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
)

// testdata/stream-event.json is events/testdata/dynamodb-event.json of
// aws-lambda-go 1.55.1 with this project's keys and the stream view NEW_IMAGE.
func streamEvent(t *testing.T) events.DynamoDBEvent {
	t.Helper()
	text, err := os.ReadFile("testdata/stream-event.json")
	if err != nil {
		t.Fatal(err)
	}
	var event events.DynamoDBEvent
	if err := json.Unmarshal(text, &event); err != nil {
		t.Fatal(err)
	}
	return event
}

func TestRecordsAreNewLogEntriesOnly(t *testing.T) {
	got, err := dynamostore.Records(streamEvent(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []dynamostore.Record{
		{
			Change: store.Change{
				Key:  store.Key{PK: "ROOM#01K000000000000000000000AA", SK: "LOG#0000000000000007"},
				Data: []byte{0, 1, 42, 65},
			},
			Sequence: "1405400000000002063282832",
		},
		{
			Change: store.Change{
				Key:  store.Key{PK: "ROOM#01K000000000000000000000BB", SK: "LOG#0000000000000001"},
				Data: []byte{65, 42, 1, 0},
			},
			Sequence: "1405400000000002063282836",
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	changes, err := dynamostore.Changes(streamEvent(t))
	if err != nil || len(changes) != len(want) || changes[1].Key != want[1].Key {
		t.Errorf("changes are %v, %v", changes, err)
	}
}

func TestRecordWithoutItsKeyIsNamed(t *testing.T) {
	for name, damage := range map[string]func(map[string]events.DynamoDBAttributeValue){
		"no sort key":     func(keys map[string]events.DynamoDBAttributeValue) { delete(keys, "sk") },
		"a number for it": func(keys map[string]events.DynamoDBAttributeValue) { keys["sk"] = events.NewNumberAttribute("1") },
	} {
		t.Run(name, func(t *testing.T) {
			event := streamEvent(t)
			damage(event.Records[4].Change.Keys)
			_, err := dynamostore.Records(event)
			var bad *dynamostore.RecordError
			if !errors.As(err, &bad) || bad.Sequence != "1405400000000002063282836" {
				t.Errorf("got %v, want a RecordError of the fifth record", err)
			}
		})
	}
}
