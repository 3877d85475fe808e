package awstest_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nanotypedb/shared/awstest"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
)

// The figures are those of DynamoDB's price list: a write costs a unit per
// started KB, in a transaction two, a strong read a unit per started 4 KB, an
// eventual one half of it.
func TestUnits(t *testing.T) {
	var units awstest.Units
	client := dynamodb.NewFromConfig(awstest.DynamoDBLocal.Config(t, units.Install))
	st := dynamostore.New(client, awstest.DynamoDBLocal.Table(t))
	entry := func(n, bytes int) store.Write { return logEntry(n, string(make([]byte, bytes))) }
	get := func(n int, strong bool) func() error {
		return func() error { _, err := st.Get(t.Context(), entry(n, 0).Item.Key, strong); return err }
	}
	for _, c := range []struct {
		name          string
		do            func() error
		reads, writes float64
	}{
		{"a commit of one row", func() error { return st.Write(t.Context(), entry(1, 600)) }, 0, 1},
		{"a commit of 3 KB", func() error { return st.Write(t.Context(), entry(2, 3000)) }, 0, 3},
		{"a strong read", get(1, true), 1, 0},
		{"an eventual read", get(1, false), 0.5, 0},
		{"a query of a small log", func() error {
			_, err := st.Query(t.Context(), store.Query{PK: "ROOM#1", Strong: true})
			return err
		}, 1, 0},
		{"a counter", func() error {
			_, err := st.Add(t.Context(), store.Key{PK: "USE#1", SK: "A"}, map[string]int64{"n": 1}, time.Time{})
			return err
		}, 0, 1},
		{"a removal", func() error {
			return st.Write(t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: entry(1, 0).Item.Key}})
		}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			units.Reset()
			if err := c.do(); err != nil {
				t.Fatal(err)
			}
			if reads, writes := units.Count(); reads != c.reads || writes != c.writes {
				t.Errorf("%v read and %v write units, want %v and %v", reads, writes, c.reads, c.writes)
			}
		})
	}
}

// Ministack counts a transaction as AWS does, DynamoDB Local does not.
func TestUnitsOfTransactions(t *testing.T) {
	for emulator, want := range map[awstest.Emulator]float64{awstest.Second: 4, awstest.DynamoDBLocal: 2} {
		t.Run(string(emulator), func(t *testing.T) {
			var units awstest.Units
			client := dynamodb.NewFromConfig(emulator.Config(t, units.Install))
			st := dynamostore.New(client, emulator.Table(t))
			if err := st.Write(t.Context(), logEntry(1, "x"), logEntry(2, "x")); err != nil {
				t.Fatal(err)
			}
			if reads, writes := units.Count(); reads != 0 || writes != want {
				t.Errorf("%v read and %v write units, want 0 and %v", reads, writes, want)
			}
		})
	}
}
