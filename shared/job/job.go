// Package job does long work in steps: snapshots, restores, imports, exports.
// A job is a record that holds where the work stands, and a message of the
// queue "jobs" that lets somebody go on with it. Killing the process between
// any two effects is harmless: the message comes again, the step begins anew
// from its stored cursor, and what a step commits carries a commitId of the
// job (CommitID), so that a step run twice commits once.
//
// Whoever works on a job claims it first, by raising its fence with a
// conditional put; who was fenced out can save nothing any more.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// State says what becomes of a job.
type State string

// The states. The last three are final.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Final reports whether a job in this state changes no more.
func (s State) Final() bool { return s == Done || s == Failed || s == Cancelled }

// Job is a piece of long work, as it is kept under META#<room>/JOB#<id>.
type Job struct {
	ID        string          `json:"id"` // ULID of its creation
	Kind      string          `json:"kind"`
	Room      string          `json:"room"` // ULID
	By        identity.User   `json:"by"`   // on whose behalf
	Params    json.RawMessage `json:"params,omitempty"`
	State     State           `json:"state"`
	Progress  float64         `json:"progress"`         // 0 to 1
	Phase     string          `json:"phase,omitempty"`  // what is being done, for a person
	Step      int             `json:"step"`             // how many steps were completed
	Cursor    json.RawMessage `json:"cursor,omitempty"` // where the next begins; empty: at the beginning
	Fence     int64           `json:"fence"`            // how often the job was claimed
	Attempts  int             `json:"attempts"`         // of the step at hand
	Cancel    bool            `json:"cancel,omitempty"` // somebody asked for it
	Untidy    bool            `json:"untidy,omitempty"` // it failed or was cancelled, and left something to clean up
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *Failure        `json:"error,omitempty"`
	CreatedAt schema.Millis   `json:"createdAt"`
	UpdatedAt schema.Millis   `json:"updatedAt"`

	report func(ctx context.Context, progress float64, phase string) error
}

// Failure is why a job failed, as users may read it.
type Failure struct {
	Code   fault.Code     `json:"code"`
	Path   string         `json:"path,omitempty"`
	Reason string         `json:"reason"`
	More   map[string]any `json:"details,omitempty"`
}

// Step does a part of a job, in at most StepTime, beginning where cursor
// says. It returns where the next begins, or done with j.Result set; progress
// is that of the whole job. What it leaves behind must bear being done again
// from the same cursor, also while an older run of it still ends.
//
// An error that no repetition mends (fault.Invalid, NotFound, Forbidden,
// Conflict, TooLarge, Unauthenticated) fails the job with its reason. After
// another one the step is tried again, MaxAttempts times in all.
type Step func(ctx context.Context, j *Job, cursor json.RawMessage) (next json.RawMessage, done bool, progress float64, err error)

// Decode reads the parameters that Spec.Params gave.
func (j *Job) Decode(params any) error {
	if err := json.Unmarshal(j.Params, params); err != nil {
		return fmt.Errorf("read parameters of job %s: %w", j.ID, err)
	}
	return nil
}

// Finish sets the result.
func (j *Job) Finish(result any) error {
	data, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode result of job %s: %w", j.ID, err)
	}
	j.Result = data
	return nil
}

// CommitID is the commitId of what a step of the job commits.
func (j *Job) CommitID(step string) string { return "job/" + j.ID + "/" + step }

// Report tells, in the middle of a step, how far the job is: progress of the
// whole and what is being done. It saves and announces at most once a second.
// Its error, ErrStopped or the context's, ends the step: the job was cancelled,
// or somebody else works on it.
func (j *Job) Report(ctx context.Context, progress float64, phase string) error {
	if err := ctx.Err(); err != nil || j.report == nil {
		return err
	}
	return j.report(ctx, progress, phase)
}

// ErrStopped ends a step whose job was cancelled or claimed by somebody else.
var ErrStopped = errors.New("job: stopped")

// Limits.
const (
	InlineTime  = 8 * time.Second     // after which Start leaves the rest to the queue
	StepTime    = 5 * time.Minute     // of one step
	WorkTime    = 4 * time.Minute     // after which Handle begins no further step but sends the job on
	MaxAttempts = 5                   // of one step
	keptTime    = 30 * 24 * time.Hour // how long the record of a job that ended is kept
	staleTime   = 15 * time.Minute    // without a sign of life, after which Revive sends a job's message again
	reportEvery = time.Second
)

// Partition is where the jobs of a room are kept, beside other metadata.
func Partition(room string) string { return "META#" + room }

const sortPrefix = "JOB#"

func keyOf(room, id string) store.Key {
	return store.Key{PK: Partition(room), SK: sortPrefix + id}
}

// message is what the queue carries.
type message struct {
	Version int    `json:"v"`
	Room    string `json:"room"`
	Job     string `json:"job"`
}

const messageVersion = 1

// decodeMessage reads a message, or tells why it is none of a job.
func decodeMessage(body string) (message, error) {
	var m message
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("read message: %w", err)
	}
	if m.Version != messageVersion || m.Room == "" || m.Job == "" {
		return m, fmt.Errorf("read message: version %d, room %q, job %q", m.Version, m.Room, m.Job)
	}
	return m, nil
}
