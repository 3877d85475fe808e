package promises

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nanotypedb/shared/access"
	"nanotypedb/shared/awstest"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/id"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store/dynamostore"
)

// A warm, uncontended one-row commit costs one write unit and no read, as
// DynamoDB Local reports them; that is what the price of a commit rests on.
func TestCommitCostsOneWriteUnitAndNoRead(t *testing.T) {
	var units awstest.Units
	st := dynamostore.New(dynamodb.NewFromConfig(awstest.DynamoDBLocal.Config(t, units.Install)), awstest.DynamoDBLocal.Table(t))
	blobs, err := dirblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	replicas, err := replica.NewCache(replica.Options{Store: st, Blobs: blobs, Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replicas.Close(); err != nil {
			t.Error(err)
		}
	})
	engine := room.New(room.Options{Store: st, Replicas: replicas, MaxRoomBytes: 1 << 28, Now: time.Now, Log: log})
	ada := access.Principal{User: identity.User{ID: "01890a5d-ac96-774b-bcce-b302099a8057", Name: "Ada"}}
	if _, err := engine.Create(t.Context(), ada, "plans", "Plans"); err != nil {
		t.Fatal(err)
	}
	for i, op := range []string{
		`{"op":"insert","table":"tasks","id":"a","row":{"title":"Write down what the team agreed on, item 1"}}`,
		`{"op":"insert","table":"tasks","id":"b","row":{"title":"Write down what the team agreed on, item 2"}}`,
		`{"op":"update","table":"tasks","id":"a","set":{"title":"Write down what the team agreed on, item 3"}}`,
		`{"op":"delete","table":"tasks","id":"a"}`,
	} {
		units.Reset()
		req := room.Request{CommitID: id.New(time.Now()), Ops: []json.RawMessage{json.RawMessage(op)}}
		if _, err := engine.Commit(t.Context(), ada, room.Ref{ID: "plans"}, req); err != nil {
			t.Fatal(err)
		}
		if reads, writes := units.Count(); i > 0 && (reads != 0 || writes != 1) {
			t.Errorf("%s cost %g write and %g read units, want 1 and 0", op, writes, reads)
		}
	}
}
