package indexing

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

// Bury ends jobs that came out of the dead-letter queue: their failures are
// marked dead, and the index logs of their rooms say that their texts failed.
// One whose text has no row any more is forgotten, and so is one whose text
// has a vector: whoever calls it does what hangs off that, as the job may have
// died before it did. Errors are by job; nil: its message may be deleted.
func (x *Indexer) Bury(ctx context.Context, jobs []Job) Result {
	result := Result{Errs: make([]error, len(jobs)), known: make([]bool, len(jobs))}
	byRoom := map[string][]int{}
	for i, j := range jobs {
		if j.Sweep != nil { // the schedule sweeps the room again
			x.Log.ErrorContext(ctx, "a sweep died", "room", j.Room)
			continue
		}
		byRoom[j.Room] = append(byRoom[j.Room], i)
	}
	for room, which := range byRoom {
		rows, living, err := x.buryRoom(ctx, room, jobs, which)
		var said []Indexed
		if err == nil {
			said, err = x.appendRows(ctx, room, rows)
		}
		if err != nil {
			for _, i := range which {
				result.Errs[i] = err
			}
		}
		result.Indexed = append(result.Indexed, said...)
		if len(living) > 0 {
			result.Indexed = append(result.Indexed, Indexed{Room: room, Rows: living})
		}
	}
	if len(byRoom) > 0 {
		faultpoint.Reach(PointMourned)
	}
	return result
}

// buryRoom marks the failures of one room, and gives the rows to tell of and
// those that have a vector after all.
func (x *Indexer) buryRoom(ctx context.Context, room string, jobs []Job, which []int) (failed, living []Row, err error) {
	works := make([]*work, len(jobs))
	for _, i := range which {
		works[i] = &work{Delivery: Delivery{Job: jobs[i]}}
	}
	x.look(ctx, room, works, which)
	for _, i := range which {
		w := works[i]
		switch {
		case fault.Is(w.err, fault.NotFound): // no room to tell; the log says so
			x.Log.ErrorContext(ctx, "a job of no room died", "room", room, "job", w.Job.ID())
			continue
		case w.err != nil:
			return nil, nil, w.err
		case !w.open():
			err = x.forget(ctx, room, w.Job.ID())
		default:
			var f *Failure
			f, err = x.mark(ctx, w.Job)
			if err == nil {
				failed = append(failed, Row{Table: f.Table, ID: f.Row, Creator: w.row.CreatedBy, Version: w.row.Version,
					State: replica.Failed, Delivery: i, hash: f.Hash, errReason: f.Class})
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return failed, rows(works), nil
}

// mark notes that a job is dead. Without a failure it was killed each time
// before it could note why.
func (x *Indexer) mark(ctx context.Context, j Job) (marked *Failure, err error) {
	now := x.millis()
	err = x.change(ctx, j.Room, j.ID(), func(f *Failure) *Failure {
		if f == nil {
			f = newFailure(j)
			f.FirstAt = now
		}
		if f.Class == "" || f.Attempts < MaxReceives {
			f.Attempts, f.LastAt = MaxReceives, now
		}
		if f.Class == "" {
			f.Class, f.Error, f.Model = Killed, "the embedding ended each time before it could say why", x.model()
		}
		f.Dead = true
		marked = f
		return f
	})
	faultpoint.Reach(PointBuried)
	return marked, err
}

// deadPartition has what came out of the dead-letter queue and is no job: for
// the whole deployment, as it names no room.
const deadPartition = "DEAD#malformed"

// malformed is an item of it.
type malformed struct {
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Body    string `json:"body"` // its beginning
	Bytes   int    `json:"bytes"`
	Sent    string `json:"sent"`
}

// How long such items are kept, and how much of the message.
const (
	keepMalformed = 30 * 24 * time.Hour
	maxMalformed  = 4096
)

// Discarded records a message that is no job before it is deleted.
func (x *Indexer) Discarded(ctx context.Context, m queue.Message, reason error) error {
	x.Log.ErrorContext(ctx, "a message that is no job died", "message", m.ID, "bytes", len(m.Body), "error", reason)
	data, err := json.Marshal(malformed{Message: m.ID, Reason: reason.Error(), Body: m.Body[:min(len(m.Body), maxMalformed)],
		Bytes: len(m.Body), Sent: m.Sent.Format(time.RFC3339Nano)})
	if err != nil {
		return err
	}
	key := store.Key{PK: deadPartition, SK: strconv.FormatInt(m.Sent.UnixMilli(), 10) + "#" + m.ID}
	err = x.Store.Write(ctx, store.Write{Item: store.Item{Key: key, Data: data, Expires: x.Now().Add(keepMalformed)}})
	if err != nil {
		return fmt.Errorf("record a message that is no job: %w", err)
	}
	return nil
}
