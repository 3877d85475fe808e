package dynamostore_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
)

// server answers every request with handle and counts them.
func server(t *testing.T, handle http.HandlerFunc) (*dynamostore.Store, *atomic.Int32) {
	t.Helper()
	var requests atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		handle(w, r)
	}))
	t.Cleanup(srv.Close)
	config := awstest.ConfigFor(srv.URL)
	config.HTTPClient = awshttp.NewBuildableClient().WithTimeout(200 * time.Millisecond)
	return dynamostore.New(dynamodb.NewFromConfig(config), "table"), &requests
}

// answer is an error in the form of DynamoDB's JSON protocol.
func answer(status int, code, more string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","Message":"m"`+more+`}`)
	}
}

func raw(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// errDefinite is any error that promises that nothing was applied and is none of
// the store's.
var errDefinite = errors.New("definite")

func kindOf(err error) error {
	var condition *store.ConditionError
	switch {
	case errors.As(err, &condition):
		return condition
	case err == nil:
		return nil
	}
	for _, kind := range []error{store.ErrUnknownOutcome, store.ErrContended, store.ErrThrottled} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return errDefinite
}

func reasons(codes string) string { return `,"CancellationReasons":[` + codes + `]` }

const (
	fine      = `{"Code":"None"}`
	unmet     = `{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"}`
	conflict  = `{"Code":"TransactionConflict"}`
	throttled = `{"Code":"ThrottlingError"}`
	exceeded  = `{"Code":"ProvisionedThroughputExceeded"}`
	invalid   = `{"Code":"ValidationError"}`
)

// The codes are those of the API reference of PutItem and TransactWriteItems.
func TestWriteErrors(t *testing.T) {
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		want   error
	}{
		"condition":                    {answer(400, "ConditionalCheckFailedException", ""), &store.ConditionError{Failed: []int{0}}},
		"conflict":                     {answer(400, "TransactionConflictException", ""), store.ErrContended},
		"throughput":                   {answer(400, "ProvisionedThroughputExceededException", ""), store.ErrThrottled},
		"throttling":                   {answer(400, "ThrottlingException", ""), store.ErrThrottled},
		"request limit":                {answer(400, "RequestLimitExceeded", ""), store.ErrThrottled},
		"transaction under way":        {answer(400, "TransactionInProgressException", ""), store.ErrUnknownOutcome},
		"no such table":                {answer(400, "ResourceNotFoundException", ""), errDefinite},
		"not allowed":                  {answer(400, "AccessDeniedException", ""), errDefinite},
		"malformed":                    {answer(400, "ValidationException", ""), errDefinite},
		"internal error":               {answer(500, "InternalServerError", ""), store.ErrUnknownOutcome},
		"unavailable":                  {answer(503, "ServiceUnavailable", ""), store.ErrUnknownOutcome},
		"a proxy's refusal":            {raw(408, "<html>"), store.ErrUnknownOutcome},
		"a proxy's error":              {raw(502, "<html>"), store.ErrUnknownOutcome},
		"an answer that is no JSON":    {raw(200, "<html>"), store.ErrUnknownOutcome},
		"a lost connection":            {cut, store.ErrUnknownOutcome},
		"a time-out":                   {hang, store.ErrUnknownOutcome},
		"canceled: conditions":         {answer(400, "TransactionCanceledException", reasons(fine+","+unmet+","+unmet)), &store.ConditionError{Failed: []int{1, 2}}},
		"canceled: conflict":           {answer(400, "TransactionCanceledException", reasons(conflict+","+fine)), store.ErrContended},
		"canceled: conflict, unmet":    {answer(400, "TransactionCanceledException", reasons(conflict+","+unmet)), &store.ConditionError{Failed: []int{1}}},
		"canceled: throttled":          {answer(400, "TransactionCanceledException", reasons(fine+","+throttled)), store.ErrThrottled},
		"canceled: exceeded, conflict": {answer(400, "TransactionCanceledException", reasons(exceeded+","+conflict)), store.ErrContended},
		"canceled: invalid":            {answer(400, "TransactionCanceledException", reasons(invalid+","+fine)), errDefinite},
		"canceled without reasons":     {answer(400, "TransactionCanceledException", ""), errDefinite},
	} {
		t.Run(name, func(t *testing.T) {
			st, requests := server(t, c.handle)
			err := st.Write(t.Context(), put("A", "data"))
			if got := kindOf(err); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v (%v), want %v", got, err, c.want)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("the write was sent %d times", n)
			}
		})
	}
}

// No kind of write is ever sent twice; reads are.
func TestWritesAreSentOnce(t *testing.T) {
	key := store.Key{PK: "P", SK: "A"}
	for name, write := range map[string]func(*dynamostore.Store) error{
		"put": func(s *dynamostore.Store) error { return s.Write(t.Context(), put("A", "1")) },
		"delete": func(s *dynamostore.Store) error {
			return s.Write(t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: key}})
		},
		"transaction": func(s *dynamostore.Store) error { return s.Write(t.Context(), put("A", "1"), put("B", "1")) },
		"add": func(s *dynamostore.Store) error {
			_, err := s.Add(t.Context(), key, map[string]int64{"n": 1}, time.Time{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			st, requests := server(t, answer(500, "InternalServerError", ""))
			if err := write(st); !errors.Is(err, store.ErrUnknownOutcome) {
				t.Errorf("got %v, want ErrUnknownOutcome", err)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("it was sent %d times", n)
			}
		})
	}
	st, requests := server(t, answer(500, "InternalServerError", ""))
	if _, err := st.Get(t.Context(), key, true); err == nil || requests.Load() < 2 {
		t.Errorf("a failing read was sent %d times, %v", requests.Load(), err)
	}
}

// A write whose context ends while it is under way may have been applied; one
// that got no connection was not.
func TestContextAndConnection(t *testing.T) {
	arrived := make(chan struct{}, 1)
	st, _ := server(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if err := st.Write(ctx, put("A", "1")); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Errorf("ended under way: %v, want ErrUnknownOutcome", err)
	}
	srv := httptest.NewServer(nil)
	closed := srv.URL
	srv.Close()
	st = dynamostore.New(dynamodb.NewFromConfig(awstest.ConfigFor(closed)), "table")
	if err := st.Write(t.Context(), put("A", "1")); err == nil || errors.Is(err, store.ErrUnknownOutcome) {
		t.Errorf("no connection: %v, want an error that says nothing was applied", err)
	}
}

func TestThrottledRead(t *testing.T) {
	st, _ := server(t, answer(400, "ProvisionedThroughputExceededException", ""))
	if _, err := st.Get(t.Context(), store.Key{PK: "P", SK: "A"}, true); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("got %v, want ErrThrottled", err)
	}
	if _, err := st.Query(t.Context(), store.Query{PK: "P"}); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("got %v, want ErrThrottled", err)
	}
}

func put(sk, data string) store.Write {
	return store.Write{Item: store.Item{Key: store.Key{PK: "P", SK: sk}, Data: []byte(data)}, If: store.Absent}
}
