package indexing

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// Rooms admits members to views of rooms; room.Engine implements it.
type Rooms interface {
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
}

// Desk is the queue and its dead letters as the members of a room see them:
// everybody may look, editors retry, discard and fill gaps, owners index
// anew. Who may not read a row sees none of its jobs.
type Desk struct {
	indexer *Indexer
	rooms   Rooms
}

// NewDesk returns the desk of an indexer.
func NewDesk(x *Indexer, rooms Rooms) *Desk { return &Desk{indexer: x, rooms: rooms} }

// Limits of what a desk shows.
const (
	DefaultFailed = 50
	MaxFailed     = 200
	maxDead       = 1000 // dead jobs are counted up to this
)

// Deployment counts the messages of all rooms: a queue cannot count one's.
type Deployment struct {
	Waiting     int64 `json:"waiting"`
	InFlight    int64 `json:"inFlight"`
	Delayed     int64 `json:"delayed"`
	OldestAgeMs int64 `json:"oldestAgeMs"`
}

// Health is how much of a room is indexed.
type Health struct {
	Rows    int64  `json:"rows"`
	Indexed int64  `json:"indexed"`
	Pending int64  `json:"pending"`
	Failed  int64  `json:"failed"`
	Model   string `json:"model,omitempty"`
}

// FailedJob is a job that failed. Dead: it is tried no more.
type FailedJob struct {
	ID       string      `json:"id"`
	Table    string      `json:"table"`
	Row      string      `json:"row"`
	Class    string      `json:"class"`
	Error    string      `json:"error"`
	Attempts int         `json:"attempts"`
	FirstAt  schema.Time `json:"firstAt"`
	LastAt   schema.Time `json:"lastAt"`
	Dead     bool        `json:"dead"`
}

// Status is the queue as one room sees it. Dead counts the room's dead jobs, up
// to 1,000.
type Status struct {
	Deployment Deployment  `json:"deployment"`
	Dead       int         `json:"dead"`
	Index      Health      `json:"index"`
	Failed     []FailedJob `json:"failed"`
	Cursor     string      `json:"cursor,omitempty"`
}

// Status shows the queue, and at most limit (0: DefaultFailed) of the failed
// jobs after cursor.
func (d *Desk) Status(ctx context.Context, p access.Principal, ref room.Ref, cursor string, limit int) (Status, error) {
	switch {
	case limit < 0 || limit > MaxFailed:
		return Status{}, fault.At(fault.Invalid, "limit", "a limit is 1 to %d", MaxFailed)
	case cursor != "" && !validJobID(cursor):
		return Status{}, fault.At(fault.Invalid, "cursor", "this cursor does not belong to this list; begin without one")
	case limit == 0:
		limit = DefaultFailed
	}
	s := Status{Failed: []FailedJob{}}
	err := d.rooms.Read(ctx, p, ref, func(v *room.View) error {
		coverage, err := v.Coverage(ctx)
		if err != nil {
			return err
		}
		s.Index = Health{coverage.Rows, coverage.Indexed, coverage.Pending, coverage.Failed, v.State().Model}
		if err := d.list(ctx, v, cursor, limit, &s); err != nil {
			return err
		}
		return d.count(ctx, v, &s)
	})
	if err != nil {
		return Status{}, err
	}
	counts, err := d.indexer.Queue.Counts(ctx)
	if err != nil {
		return Status{}, unavailable(err)
	}
	s.Deployment = deployment(counts)
	return s, nil
}

func deployment(c queue.Counts) Deployment {
	return Deployment{c.Waiting, c.InFlight, c.Delayed, c.Oldest.Milliseconds()}
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "the service is busy; try again").Because(err)
}

// list fills in a page of failed jobs.
func (d *Desk) list(ctx context.Context, v *room.View, cursor string, limit int, s *Status) error {
	return d.each(ctx, v, cursor, limit+1, func(f *Failure, t *schema.Table) bool {
		if len(s.Failed) == limit {
			s.Cursor = s.Failed[limit-1].ID
			return false
		}
		s.Failed = append(s.Failed, FailedJob{
			f.ID, t.Name, f.Row, f.Class, f.Error, f.Attempts, schema.Time(f.FirstAt), schema.Time(f.LastAt), f.Dead,
		})
		return true
	})
}

func (d *Desk) count(ctx context.Context, v *room.View, s *Status) error {
	return d.each(ctx, v, "", maxDead, func(f *Failure, _ *schema.Table) bool {
		if f.Dead {
			s.Dead++
		}
		return s.Dead < maxDead
	})
}

// each calls fn for the failures after a cursor whose rows the viewer may
// read, until it returns false. A failure that waits to be sent again has
// nothing to show.
func (d *Desk) each(ctx context.Context, v *room.View, cursor string, page int, fn func(*Failure, *schema.Table) bool) error {
	q := store.Query{
		PK: indexlog.Partition(v.State().Room), From: failPrefix, To: failPrefix + "~", Limit: page, Strong: true,
	}
	if cursor != "" {
		q.After = failPrefix + cursor
	}
	for {
		found, err := d.indexer.Store.Query(ctx, q)
		if err != nil {
			return unavailable(err)
		}
		for _, item := range found.Items {
			f, err := decodeFailure(item.Data)
			if err != nil {
				return err
			}
			t, err := d.visible(ctx, v, f)
			if err != nil {
				return err
			}
			if t != nil && f.Class != "" && !fn(f, t) {
				return nil
			}
		}
		if q.After = found.Next; q.After == "" {
			return nil
		}
	}
}

// visible gives the table of a failure whose row the viewer may read; nil when
// he may not, or the table is gone.
func (d *Desk) visible(ctx context.Context, v *room.View, f *Failure) (*schema.Table, error) {
	t := v.State().Schema.TableByNum(f.Table)
	if t == nil || t.Access != schema.Own || v.Grant().Role == access.Owner {
		return t, nil
	}
	_, err := v.Get(ctx, t.Name, f.Row)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return t, err
}

// Retry sends failed jobs again and returns how many. Errors: forbidden for
// viewers, invalid.
func (d *Desk) Retry(ctx context.Context, p access.Principal, ref room.Ref, s Selection) (int, error) {
	return d.change(ctx, p, ref, s, d.indexer.Retry)
}

// Discard forgets failed jobs and returns how many. Errors: as Retry's.
func (d *Desk) Discard(ctx context.Context, p access.Principal, ref room.Ref, s Selection) (int, error) {
	return d.change(ctx, p, ref, s, d.indexer.Discard)
}

// change does something with those of the selected failures that the caller
// may see.
func (d *Desk) change(ctx context.Context, p access.Principal, ref room.Ref, s Selection,
	do func(context.Context, string, Selection) (int, error)) (int, error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	var ulid string
	err := d.rooms.Read(ctx, p, ref, func(v *room.View) (err error) {
		ulid = v.State().Room
		if err = atLeast(v, access.Editor); err == nil && restricted(v) {
			s, err = d.allowed(ctx, v, s)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if s.All {
		return do(ctx, ulid, s)
	}
	total := 0
	for ids := range slices.Chunk(s.IDs, MaxSelected) {
		n, err := do(ctx, ulid, Selection{IDs: ids})
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *Selection) check() error {
	if s.All == (len(s.IDs) > 0) {
		return fault.New(fault.Invalid, "give either ids or all")
	}
	if len(s.IDs) > MaxSelected {
		return fault.At(fault.TooLarge, "ids", "at most %d jobs can be named at once; this names %d", MaxSelected, len(s.IDs))
	}
	for i, id := range s.IDs {
		if !validJobID(id) {
			return fault.Under("ids", fault.At(fault.Invalid, fmt.Sprintf("[%d]", i), "this is no id of a job"))
		}
	}
	return nil
}

// validJobID tells what Job.ID may have given.
func validJobID(id string) bool {
	return len(id) == 26 && !strings.ContainsFunc(id, func(c rune) bool { return (c < 'A' || c > 'Z') && (c < '2' || c > '7') })
}

func atLeast(v *room.View, need access.Role) error {
	if role := v.Grant().Role; !role.AtLeast(need) {
		return fault.New(fault.Forbidden, "it takes the role %s in this room; yours is %s", need, role)
	}
	return nil
}

// restricted tells whether there are rows that the viewer may not read.
func restricted(v *room.View) bool {
	if v.Grant().Role == access.Owner {
		return false
	}
	for i := range v.State().Schema.Tables {
		if v.State().Schema.Tables[i].Access == schema.Own {
			return true
		}
	}
	return false
}

// allowed names those of the selected failures that the viewer may see.
func (d *Desk) allowed(ctx context.Context, v *room.View, s Selection) (Selection, error) {
	var left Selection
	if s.All {
		err := d.each(ctx, v, "", maxDead, func(f *Failure, _ *schema.Table) bool {
			left.IDs = append(left.IDs, f.ID)
			return true
		})
		return left, err
	}
	for _, id := range s.IDs {
		f, err := d.indexer.failure(ctx, v.State().Room, id)
		if err != nil {
			return left, unavailable(err)
		}
		if f == nil {
			continue
		}
		t, err := d.visible(ctx, v, f)
		if err != nil {
			return left, err
		}
		if t != nil {
			left.IDs = append(left.IDs, id)
		}
	}
	return left, nil
}

// Reindex queues the rows of a room that have no vector, or, with all of it,
// every row. Errors: forbidden for viewers, and with all for editors.
func (d *Desk) Reindex(ctx context.Context, p access.Principal, ref room.Ref, all bool) (int64, error) {
	need := access.Editor
	if all {
		need = access.Owner
	}
	var ulid string
	err := d.rooms.Read(ctx, p, ref, func(v *room.View) error {
		ulid = v.State().Room
		return atLeast(v, need)
	})
	if err != nil {
		return 0, err
	}
	return d.indexer.Reindex(ctx, ulid, all)
}
