package promises

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"nanotypedb/shared/access"
	"nanotypedb/shared/awstest"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/dynamostore"
)

// storm is what happens to requests to DynamoDB while clients work.
var storm = awstest.Rates{
	Stale: 0.5, Dropped: 0.08, Late: 0.08, Throttled: 0.08, Conflict: 0.08, Failed: 0.04, Delayed: 0.3, MaxDelay: 10 * time.Millisecond,
}

var (
	ada = access.Principal{User: identity.User{ID: "ada", Name: "ada", Email: "ada@example.com"}}
	den = room.Ref{ID: "den"}
)

// lambda is an engine as a Lambda process has it, with replicas of its own.
func lambda(t *testing.T, st store.Store) *room.Engine {
	t.Helper()
	blobs, err := dirblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	replicas, err := replica.NewCache(replica.Options{
		Store: st, Blobs: blobs, Dir: t.TempDir(), Log: quiet,
		OnMismatch: func(ulid string, seq int64) { t.Errorf("entry %d of room %s was written wrong", seq, ulid) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := replicas.Close(); err != nil {
			t.Error(err)
		}
	})
	return room.New(room.Options{Store: st, Replicas: replicas, Log: quiet})
}

// engineClient asks one of several engines, another one each time.
type engineClient struct {
	engines []*room.Engine
	rnd     *rand.Rand
}

// perform asks, and when the outcome is unknown asks again, another engine
// perhaps, or leaves it open.
func (c *engineClient) perform(ctx context.Context, in ask) told {
	for {
		out, err := c.try(ctx, c.engines[c.rnd.IntN(len(c.engines))], in)
		switch code := fault.CodeOf(err); code {
		case "":
			return out
		case fault.RateLimited: // nothing has changed
		case fault.Unavailable, fault.Internal:
			if c.rnd.IntN(4) > 0 {
				return told{unknown: true}
			}
		default:
			return told{code: string(code)}
		}
		if ctx.Err() != nil {
			return told{unknown: true}
		}
	}
}

func (c *engineClient) try(ctx context.Context, e *room.Engine, in ask) (told, error) {
	switch in.kind {
	case "get", "list":
		return read(ctx, e, in)
	}
	ctx, cancel := c.patience(ctx)
	defer cancel()
	text, err := json.Marshal(request(in))
	if err != nil {
		return told{}, err
	}
	var req room.Request
	if err := json.Unmarshal(text, &req); err != nil {
		return told{}, err
	}
	r, err := e.Commit(ctx, ada, den, req)
	if err != nil {
		return told{}, err
	}
	return told{seq: r.Entry.Seq}, nil
}

// patience lets some callers go away in the middle.
func (c *engineClient) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.rnd.IntN(3) > 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(1+c.rnd.IntN(12))*time.Millisecond)
}

func read(ctx context.Context, e *room.Engine, in ask) (told, error) {
	var out told
	err := e.Read(ctx, ada, den, func(v *room.View) error {
		out = told{seq: v.State().Seq}
		var rows []json.RawMessage
		if in.kind == "list" {
			page, err := v.List(ctx, room.ListRequest{Table: "tasks"})
			if err != nil {
				return err
			}
			if err := json.Unmarshal(page.Rows, &rows); err != nil {
				return err
			}
		} else {
			row, err := v.Get(ctx, "tasks", in.row)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		for _, raw := range rows {
			var row wireRow
			if err := json.Unmarshal(raw, &row); err != nil {
				return err
			}
			out.rows = append(out.rows, modelRow{row.ID, row.Title, row.Version})
		}
		return nil
	})
	return out, err
}

func TestHistoriesOnDynamoDBAreLinearizable(t *testing.T) {
	t.Parallel()
	const processes, clients, each = 3, 6, 50
	awstest.DynamoDBLocal.Endpoint(t)
	faults := awstest.NewFaults(t, awstest.Rates{})
	client := dynamodb.NewFromConfig(awstest.DynamoDBLocal.Config(t, faults.Install))
	st := dynamostore.New(client, awstest.DynamoDBLocal.Table(t))
	var engines []*room.Engine
	for range processes {
		engines = append(engines, lambda(t, st))
	}
	if _, err := engines[0].Create(t.Context(), ada, "den", "The den"); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	faults.SetRates(storm)
	history := recorder{start: time.Now()}
	var wg sync.WaitGroup
	for number := range clients {
		mine := rand.New(rand.NewPCG(seed, uint64(number)))
		c := &engineClient{engines: engines, rnd: mine}
		wg.Go(func() { history.client(ctx, number, each, mine, c.perform) })
	}
	wg.Wait()
	faults.SetRates(awstest.Rates{})
	faults.Deliver()
	happened, never := history.settle(finalLog(t, lambda(t, st), st))
	t.Logf("%+v; of the commits that were not answered %d happened and %d did not", faults.Counts(), happened, never)
	if c := faults.Counts(); c.Dropped == 0 || c.Late == 0 || c.Delivered == 0 || c.Throttled == 0 || c.Conflict == 0 || c.Failed == 0 {
		t.Errorf("not every fault occurred: %+v", c)
	}
	history.check(t, 1)
	history.canFail(t, 1)
}

// finalLog gives the seq of each commitId, by reading as a process does that
// knows nothing yet.
func finalLog(t *testing.T, e *room.Engine, st store.Store) map[string]int64 {
	t.Helper()
	var ulid string
	err := e.Read(t.Context(), ada, den, func(v *room.View) error {
		ulid = v.State().Room
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seqs := map[string]int64{}
	for after, more := int64(0), true; more; {
		var entries []*commitlog.Entry
		entries, _, more, err = commitlog.Read(t.Context(), st, ulid, after, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if was, twice := seqs[entry.CommitID]; twice && entry.CommitID != "" {
				t.Errorf("commit %s stands at %d and at %d", entry.CommitID, was, entry.Seq)
			}
			seqs[entry.CommitID] = entry.Seq
			after = entry.Seq
		}
		more = more && len(entries) > 0
	}
	return seqs
}
