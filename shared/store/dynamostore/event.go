package dynamostore

import (
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"nanotypedb/shared/store"
)

// Record is a change with the sequence number by which a function that reads
// the stream reports it as failed, as a batch item failure: Lambda then sends
// the batch again from the lowest number reported.
type Record struct {
	store.Change
	Sequence string
}

// RecordError is a record that this package cannot read. It stays unreadable
// however often it is sent again.
type RecordError struct {
	Sequence string
	Reason   string
}

// Error names the record.
func (e *RecordError) Error() string {
	return fmt.Sprintf("stream record %s: %s", e.Sequence, e.Reason)
}

// Records gives the new log entries among the records that Lambda passes on
// from the table's stream, in their order; replaced and removed items, and
// items that are not of the log, are left out. The error is a *RecordError.
func Records(event events.DynamoDBEvent) ([]Record, error) {
	var records []Record
	for i := range event.Records {
		r := &event.Records[i]
		if r.EventName != string(events.DynamoDBOperationTypeInsert) {
			continue
		}
		change, err := readChange(&r.Change)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(change.Key.SK, store.LogPrefix) {
			records = append(records, Record{change, r.Change.SequenceNumber})
		}
	}
	return records, nil
}

// Changes is Records without their sequence numbers.
func Changes(event events.DynamoDBEvent) ([]store.Change, error) {
	records, err := Records(event)
	changes := make([]store.Change, len(records))
	for i, r := range records {
		changes[i] = r.Change
	}
	return changes, err
}

func readChange(r *events.DynamoDBStreamRecord) (store.Change, error) {
	var change store.Change
	for name, into := range map[string]*string{partitionAttribute: &change.Key.PK, sortAttribute: &change.Key.SK} {
		value, ok := r.Keys[name]
		if !ok || value.DataType() != events.DataTypeString {
			return change, &RecordError{r.SequenceNumber, "it has no text under the key " + name}
		}
		*into = value.String()
	}
	if data, ok := r.NewImage[dataAttribute]; ok && data.DataType() == events.DataTypeBinary {
		change.Data = data.Binary()
	}
	return change, nil
}
