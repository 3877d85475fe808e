package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// Restore says what to go back to, by exactly one of Backup, Seq and At, and
// with how much: all of the room, unless tables or rows are named.
type Restore struct {
	Backup string    // id of a snapshot
	Seq    int64     // a commit
	At     time.Time // the newest commit at a time or before
	Tables []string  // by their names now or then
	Rows   []RowName // put back as they were, or removed when they were not there
	Into   *NewRoom  // a room to make, whose owner the caller is; this one stays as it is
	DryRun bool      // say what would change, and change nothing
}

// RowName names a row.
type RowName struct {
	Table string `json:"table"`
	ID    string `json:"id"`
}

// NewRoom is a room to make. ID is made from the name when it is empty.
type NewRoom struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name"`
}

// Changes counts the rows of a table that a restore changes.
type Changes struct {
	Added   int64 `json:"added"`
	Changed int64 `json:"changed"`
	Removed int64 `json:"removed"`
}

// Restored is what a restore did, or would do. Tables holds those that differ.
type Restored struct {
	Seq          int64              `json:"seq"`                    // of the commit; of a dry run, that it was worked out at
	From         int64              `json:"from"`                   // the seq that was gone back to
	SafetyBackup string             `json:"safetyBackup,omitempty"` // the snapshot that was taken before
	Tables       map[string]Changes `json:"tables"`
	DryRun       bool               `json:"dryRun"`
	Room         string             `json:"room,omitempty"` // id of the room it went into, when that is another
}

// Vectors copies what was embedded for one room to another, so that it is not
// embedded again: of the texts for which needed is true. indexing.Indexer
// implements it.
type Vectors interface {
	CopyVectors(ctx context.Context, from, to string, needed func(indexlog.Hash) (bool, error)) error
}

// Announcer tells the live side that a room has commits up to seq.
type Announcer interface {
	Announce(ctx context.Context, ulid string, seq int64) error
}

// maxNamed bounds how many tables, and how many rows, one restore may name.
const maxNamed = 1000

// maxName is the longest name of a table, or id of a row, in bytes.
const maxName = 256

// restoreParams is what a job is asked to do.
type restoreParams struct {
	Seq    int64     `json:"seq"`
	Tables []string  `json:"tables,omitempty"`
	Rows   []RowName `json:"rows,omitempty"`
	Into   *NewRoom  `json:"into,omitempty"`
	DryRun bool      `json:"dryRun,omitempty"`
}

// Restore brings a room, tables or rows of it back to what they were, by one
// commit (owners): at once, or by the job that it returns, whose result is a
// Restored. Errors: invalid, forbidden, not_found for what there is not or can
// no longer be rebuilt, conflict when what was has no place in what is.
func (k *Keeper) Restore(ctx context.Context, p access.Principal, ref room.Ref, r Restore) (job.Job, error) {
	if err := r.check(); err != nil {
		return job.Job{}, err
	}
	st, err := k.admit(ctx, p, ref, access.Owner)
	if err != nil {
		return job.Job{}, err
	}
	seq, err := k.seqOf(ctx, p, st, &r)
	if err != nil {
		return job.Job{}, err
	}
	return k.Jobs.Start(ctx, job.Spec{Kind: RestoreJob, Room: st.Room, By: p.User, Background: isLarge(st),
		Params: restoreParams{Seq: seq, Tables: r.Tables, Rows: r.Rows, Into: r.Into, DryRun: r.DryRun}})
}

// check refuses what says too much or too little.
func (r *Restore) check() error {
	points := 0
	for _, given := range []bool{r.Backup != "", r.Seq != 0, !r.At.IsZero()} {
		if given {
			points++
		}
	}
	switch {
	case points != 1:
		return fault.New(fault.Invalid, "a restore takes exactly one of backup, seq and at")
	case len(r.Tables) > maxNamed:
		return fault.At(fault.TooLarge, "tables", "a restore names at most %d tables", maxNamed)
	case len(r.Rows) > maxNamed:
		return fault.At(fault.TooLarge, "rows", "a restore names at most %d rows; restore the table instead", maxNamed)
	case r.Into != nil && len(r.Rows) > 0:
		return fault.At(fault.Invalid, "rows", "single rows go back into their own room; a new room takes tables")
	}
	for i, row := range r.Rows {
		if row.Table == "" || row.ID == "" || len(row.Table) > maxName || len(row.ID) > maxName {
			return fault.At(fault.Invalid, fmt.Sprintf("rows.%d", i), "a row has a table and an id")
		}
	}
	for i, name := range r.Tables {
		if name == "" || len(name) > maxName {
			return fault.At(fault.Invalid, fmt.Sprintf("tables.%d", i), "this is no name of a table")
		}
	}
	if r.Into != nil && r.Into.ID != "" {
		return fault.Under("into.id", schema.ValidRoomID(r.Into.ID))
	}
	return nil
}

// seqOf finds the seq to go back to.
func (k *Keeper) seqOf(ctx context.Context, p access.Principal, st *replica.State, r *Restore) (int64, error) {
	switch {
	case r.Backup != "":
		s, _, err := k.Catalog.snapshot(ctx, st.Room, r.Backup)
		return s.Seq, err
	case r.Seq != 0:
		if r.Seq < 1 || r.Seq > st.Seq {
			return 0, fault.At(fault.NotFound, "seq", "there is no commit %d; the room is at %d", r.Seq, st.Seq)
		}
		return r.Seq, nil
	}
	seq, err := k.Rooms.SeqAt(ctx, p, room.Ref{ULID: st.Room}, r.At)
	return seq, fault.Under("at", err)
}

// ReadRestored gives the result of a job that restored.
func ReadRestored(result json.RawMessage) (Restored, error) {
	var done Restored
	if err := json.Unmarshal(result, &done); err != nil {
		return Restored{}, fmt.Errorf("read result of a restore: %w", err)
	}
	return done, nil
}

// scope finds the tables and rows that a restore is about, by number. A table
// that is named is each that has the name now or had it then.
func (p *restoreParams) scope(present, target *replica.State) (replica.StageOptions, error) {
	var o replica.StageOptions
	now := present.Schema
	if p.Into != nil {
		now = &schema.Schema{}
	}
	for i, name := range p.Tables {
		nums := numbers(name, now, target.Schema)
		if len(nums) == 0 {
			return o, fault.At(fault.NotFound, fmt.Sprintf("tables.%d", i), "there is no table %.70q, now or then", name)
		}
		o.Tables = append(o.Tables, nums...)
	}
	for i, row := range p.Rows {
		t := present.Schema.Table(row.Table)
		if t == nil {
			return o, fault.At(fault.NotFound, fmt.Sprintf("rows.%d", i), "there is no table %.70q now; restore it as a whole", row.Table)
		}
		if o.Rows == nil {
			o.Rows = map[int][]string{}
		}
		o.Rows[t.Num] = append(o.Rows[t.Num], row.ID)
	}
	if p.Into != nil && len(o.Tables) > 0 {
		o.Drop = unnamed(present.Schema, o.Tables)
	}
	return o, nil
}

func numbers(name string, schemas ...*schema.Schema) (nums []int) {
	for _, s := range schemas {
		if t := s.Table(name); t != nil {
			nums = append(nums, t.Num)
		}
	}
	return nums
}

// unnamed gives the tables of a schema that are none of nums.
func unnamed(s *schema.Schema, nums []int) (rest []int) {
	for i := range s.Tables {
		named := false
		for _, num := range nums {
			named = named || num == s.Tables[i].Num
		}
		if !named {
			rest = append(rest, s.Tables[i].Num)
		}
	}
	return rest
}

// tally names the counts of the tables that differ.
func tally(counts []replica.DiffCounts, dropped []int) map[string]Changes {
	all := map[string]Changes{}
	for i := range counts {
		c := &counts[i]
		def := c.To
		if def == nil {
			def = c.From
		}
		skipped := false
		for _, num := range dropped {
			skipped = skipped || num == c.Table
		}
		same := c.From != nil && c.To != nil && c.Added+c.Changed+c.Removed == 0
		if def != nil && !skipped && !same {
			all[def.Name] = Changes{c.Added, c.Changed, c.Removed}
		}
	}
	return all
}
