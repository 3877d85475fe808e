package awstest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
)

const seed = 7

// opened is a store on DynamoDB Local under faults.
type opened struct {
	*testing.T
	*dynamostore.Store
	faults *awstest.Faults
	client *dynamodb.Client
	table  string
}

func open(t *testing.T, seed uint64, rates awstest.Rates) opened {
	t.Helper()
	return openWith(t, awstest.NewFaultsSeeded(seed, rates))
}

func openWith(t *testing.T, faults *awstest.Faults) opened {
	t.Helper()
	table := awstest.DynamoDBLocal.Table(t)
	client := dynamodb.NewFromConfig(awstest.DynamoDBLocal.Config(t, faults.Install))
	return opened{t, dynamostore.New(client, table), faults, client, table}
}

func logEntry(n int, data string) store.Write {
	key := store.Key{PK: "ROOM#1", SK: fmt.Sprintf("LOG#%016d", n)}
	return store.Write{Item: store.Item{Key: key, Data: []byte(data)}, If: store.Absent}
}

// holds requires a strong read to give data; "" stands for no item.
func (o opened) holds(key store.Key, data string) {
	o.Helper()
	item, err := o.Get(o.Context(), key, true)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		o.Fatalf("get: %v", err)
	}
	if string(item.Data) != data {
		o.Errorf("%s holds %q, want %q", key.SK, item.Data, data)
	}
}

func (o opened) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func TestStaleGet(t *testing.T) {
	o := open(t, seed, awstest.Rates{Stale: 1, MaxLag: 5})
	w := logEntry(1, "")
	w.If = store.Always
	for i := range 10 {
		w.Item.Data = []byte(fmt.Sprint(i))
		o.must(o.Write(t.Context(), w))
	}
	seen := map[string]bool{}
	for range 50 {
		item, err := o.Get(t.Context(), w.Item.Key, false)
		o.must(err)
		if s := string(item.Data); s < "4" || s > "8" {
			t.Fatalf("an old copy is at %s, want 4 to 8", s)
		}
		seen[string(item.Data)] = true
		clear(item.Data) // the caller's, not the copy's
	}
	if len(seen) != 5 {
		t.Errorf("saw only %v", seen)
	}
	o.holds(w.Item.Key, "9")
}

func TestStaleQueryIsThePartitionAsItWas(t *testing.T) {
	o := open(t, seed, awstest.Rates{Stale: 1, MaxLag: 5})
	for i := 1; i <= 10; i++ {
		o.must(o.Write(t.Context(), logEntry(i, "x"), store.Write{Item: store.Item{Key: store.Key{PK: "OTHER", SK: "A"}}}))
	}
	sizes := map[int]bool{}
	for range 50 {
		page, err := o.Query(t.Context(), store.Query{PK: "ROOM#1", From: "LOG#", To: "LOG#~"})
		o.must(err)
		for i, item := range page.Items {
			if item.SK != logEntry(i+1, "").Item.SK {
				t.Fatalf("entry %d is %s: no state that ever was", i, item.SK)
			}
		}
		sizes[len(page.Items)] = true
	}
	if sizes[10] || len(sizes) != 5 {
		t.Errorf("saw the log at lengths %v, want 5 to 9", sizes)
	}
	page, err := o.Query(t.Context(), store.Query{PK: "ROOM#1", Strong: true})
	if err != nil || len(page.Items) != 10 {
		t.Errorf("a strong query gave %d entries, %v", len(page.Items), err)
	}
}

func TestStaleQueryPagesAndDeletes(t *testing.T) {
	o := open(t, seed, awstest.Rates{Stale: 1, MaxLag: 1})
	for i := 1; i <= 5; i++ {
		o.must(o.Write(t.Context(), logEntry(i, "x")))
	}
	o.must(o.Write(t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: logEntry(3, "").Item.Key}}))
	for _, reverse := range []bool{false, true} {
		var got []string
		q := store.Query{PK: "ROOM#1", From: "LOG#", Limit: 2, Reverse: reverse}
		for more := true; more; more = q.After != "" {
			page, err := o.Query(t.Context(), q)
			o.must(err)
			for _, item := range page.Items {
				got = append(got, item.SK[len(item.SK)-1:])
			}
			q.After = page.Next
		}
		want := []string{"1", "2", "3", "4", "5"}
		if reverse {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("reverse %v: %v, want %v with the deleted entry", reverse, got, want)
		}
	}
}

func TestStaleCounters(t *testing.T) {
	o := open(t, seed, awstest.Rates{Stale: 1, MaxLag: 1})
	key := store.Key{PK: "USE#1", SK: "A"}
	for i := range 3 {
		_, err := o.Add(t.Context(), key, map[string]int64{"n": int64(i + 1)}, time.Time{})
		o.must(err)
	}
	item, err := o.Get(t.Context(), key, false)
	if err != nil || item.Counters["n"] != 3 {
		t.Errorf("an old copy counts %v, %v, want 3", item.Counters, err)
	}
}

func TestStaleRefusesWhatItCannotAnswer(t *testing.T) {
	o := open(t, seed, awstest.Rates{Stale: 1})
	_, err := o.client.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &o.table, KeyConditionExpression: aws.String("pk = :p AND begins_with(sk, :s)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p": &types.AttributeValueMemberS{Value: "P"}, ":s": &types.AttributeValueMemberS{Value: "S"},
		},
	})
	if err == nil {
		t.Error("a key condition that is not understood was let through")
	}
}

func TestDroppedReply(t *testing.T) {
	o := open(t, seed, awstest.Rates{Dropped: 1, Only: []string{"PutItem", "TransactWriteItems"}})
	for i := 1; i <= 10; i++ {
		w := []store.Write{logEntry(i, "x")}
		if i%2 == 0 {
			w = append(w, store.Write{Item: store.Item{Key: store.Key{PK: "OTHER", SK: "A"}}})
		}
		if err := o.Write(t.Context(), w...); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Fatalf("write %d: %v, want ErrUnknownOutcome", i, err)
		}
		o.holds(logEntry(i, "").Item.Key, "x")
	}
	if c := o.faults.Counts(); c.Dropped != 10 {
		t.Errorf("%+v, want 10 dropped", c)
	}
}

// A refusal is no success: its reply is not dropped.
func TestDroppedLeavesRefusals(t *testing.T) {
	o := open(t, seed, awstest.Rates{})
	o.must(o.Write(t.Context(), logEntry(1, "x")))
	o.faults.SetRates(awstest.Rates{Dropped: 1})
	var unmet *store.ConditionError
	if err := o.Write(t.Context(), logEntry(1, "y")); !errors.As(err, &unmet) {
		t.Errorf("got %v, want a ConditionError", err)
	}
}

func TestLateWriteArrivesAfterItsTimeOut(t *testing.T) {
	o := open(t, seed, awstest.Rates{Late: 1, MaxLate: 1000, Only: []string{"PutItem"}})
	key := logEntry(1, "").Item.Key
	if err := o.Write(t.Context(), logEntry(1, "x")); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Fatalf("got %v, want ErrUnknownOutcome", err)
	}
	o.holds(key, "")
	o.faults.Deliver()
	o.holds(key, "x")
	if c := o.faults.Counts(); c.Late != 1 || c.Delivered != 1 {
		t.Errorf("%+v", c)
	}
}

func TestLateWriteArrivesWithinMaxLate(t *testing.T) {
	o := open(t, seed, awstest.Rates{Late: 1, MaxLate: 3, Only: []string{"PutItem"}})
	key := logEntry(1, "").Item.Key
	ctx, cancel := context.WithCancel(t.Context())
	if err := o.Write(ctx, logEntry(1, "x")); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Fatalf("got %v, want ErrUnknownOutcome", err)
	}
	cancel() // the caller is gone, its request is not
	for range 3 {
		_, err := o.Get(t.Context(), store.Key{PK: "P", SK: "S"}, true)
		if !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	o.holds(key, "x")
}

// The condition is checked when the late write arrives.
func TestLateWriteFindsTheSlotTaken(t *testing.T) {
	o := open(t, seed, awstest.Rates{Late: 1, MaxLate: 1000})
	if err := o.Write(t.Context(), logEntry(1, "late")); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Fatal(err)
	}
	o.faults.SetRates(awstest.Rates{})
	o.must(o.Write(t.Context(), logEntry(1, "prompt")))
	o.faults.Deliver()
	o.holds(logEntry(1, "").Item.Key, "prompt")
}

func TestNotExecuted(t *testing.T) {
	for name, c := range map[string]struct {
		rates awstest.Rates
		want  error
	}{
		"throttled": {awstest.Rates{Throttled: 1}, store.ErrThrottled},
		"conflict":  {awstest.Rates{Conflict: 1}, store.ErrContended},
		"failed":    {awstest.Rates{Failed: 1}, store.ErrUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t, seed, c.rates)
			other := store.Write{Item: store.Item{Key: store.Key{PK: "OTHER", SK: "A"}}}
			for _, w := range [][]store.Write{{logEntry(1, "x")}, {logEntry(1, "x"), other}} {
				if err := o.Write(t.Context(), w...); !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
			}
			o.faults.SetRates(awstest.Rates{})
			o.holds(logEntry(1, "").Item.Key, "")
			if got := o.faults.Counts(); got.Throttled+got.Conflict+got.Failed != 2 {
				t.Errorf("%+v, want 2 effects", got)
			}
		})
	}
}

// The SDK repeats a read, and each attempt meets the faults anew.
func TestReadsAreRetried(t *testing.T) {
	o := open(t, seed, awstest.Rates{Dropped: 0.2, Throttled: 0.2, Failed: 0.2})
	for range 20 {
		if _, err := o.Get(t.Context(), store.Key{PK: "P", SK: "S"}, true); !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if c := o.faults.Counts(); c.Requests <= 20 || c.Dropped == 0 || c.Throttled == 0 || c.Failed == 0 {
		t.Errorf("%+v", c)
	}
}

func TestDelayEndsWithItsContext(t *testing.T) {
	o := open(t, seed, awstest.Rates{Delayed: 1, MaxDelay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := o.Write(ctx, logEntry(1, "x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if c := o.faults.Counts(); c.Delayed != 1 {
		t.Errorf("%+v", c)
	}
}

// schedule runs one sequence of requests and tells what became of each.
func schedule(t *testing.T, seed uint64) []string {
	o := open(t, seed, awstest.Rates{Stale: 0.5, Dropped: 0.1, Late: 0.1, Throttled: 0.1, Conflict: 0.1, Failed: 0.1, Delayed: 0.1})
	var outcomes []string
	for i := range 60 {
		err := o.Write(t.Context(), logEntry(i, "x"))
		page, queryErr := o.Query(t.Context(), store.Query{PK: "ROOM#1"})
		outcomes = append(outcomes, fmt.Sprint(kind(err), len(page.Items), kind(queryErr)))
	}
	return append(outcomes, fmt.Sprintf("%+v", o.faults.Counts()))
}

func kind(err error) string {
	for _, e := range []error{store.ErrUnknownOutcome, store.ErrContended, store.ErrThrottled} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return fmt.Sprint(err)
}

func TestScheduleIsReproducible(t *testing.T) {
	first, again, other := schedule(t, 1), schedule(t, 1), schedule(t, 2)
	if !slices.Equal(first, again) {
		t.Errorf("the same seed gave\n%v\nand\n%v", first, again)
	}
	if slices.Equal(first, other) {
		t.Error("another seed gave the same schedule")
	}
}
