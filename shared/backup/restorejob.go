package backup

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/job"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// The steps between two effects of a restore, beside those of its snapshot and
// of its load.
const (
	PointRestoreMade    faultpoint.Name = "backup.restore.made"    // the room to restore into is there and empty, nothing names it
	PointRestoreVectors faultpoint.Name = "backup.restore.vectors" // its vectors are there, its rows are not
	PointRestoreStaged  faultpoint.Name = "backup.restore.staged"  // the load is stored, nothing names it
	PointRestoreLoaded  faultpoint.Name = "backup.restore.loaded"  // the load is committed, the job does not know
)

// RestorePoints lists the fault points of restores.
var RestorePoints = []faultpoint.Name{PointRestoreMade, PointRestoreVectors, PointRestoreStaged, PointRestoreLoaded}

// maxStaged is how often a load is staged that commits of others overtake.
const maxStaged = 5

// restoreCursor is where a restore stands.
type restoreCursor struct {
	Room    string             `json:"room,omitempty"`   // ULID of the room to make, noted before it is made
	RoomID  string             `json:"roomId,omitempty"` // its id, once it is made
	Vectors bool               `json:"vectors,omitempty"`
	Safety  string             `json:"safety,omitempty"` // id of the snapshot
	Blob    string             `json:"blob,omitempty"`   // of the load
	SHA256  string             `json:"sha256,omitempty"`
	Tries   int                `json:"tries,omitempty"` // loads staged
	Tables  map[string]Changes `json:"tables,omitempty"`
}

// restoring is one step of a restore.
type restoring struct {
	*Keeper
	job *job.Job
	by  access.Principal
	restoreParams
	at restoreCursor
}

func (r *restoring) dest() string {
	if r.Into != nil {
		return r.at.Room
	}
	return r.job.Room
}

func (k *Keeper) readRestore(j *job.Job, cursor json.RawMessage) (*restoring, error) {
	r := &restoring{Keeper: k, job: j, by: access.Principal{User: j.By}}
	if err := j.Decode(&r.restoreParams); err != nil {
		return nil, err
	}
	if len(cursor) > 0 {
		if err := json.Unmarshal(cursor, &r.at); err != nil {
			return nil, fmt.Errorf("read cursor of job %s: %w", j.ID, err)
		}
	}
	return r, nil
}

// restoreStep takes the safety snapshot, or makes the room; stages the load;
// commits it.
func (k *Keeper) restoreStep(ctx context.Context, j *job.Job, cursor json.RawMessage) (json.RawMessage, bool, float64, error) {
	r, err := k.readRestore(j, cursor)
	if err != nil {
		return nil, false, 0, err
	}
	progress := 0.0
	switch {
	case r.DryRun:
		return nil, true, 1, r.tryOut(ctx)
	case r.Into != nil && r.at.Room == "":
		r.at.Room = id.New(k.Now()) // noted before it is made, so that it is found or removed
	case r.Into != nil && r.at.RoomID == "":
		progress, err = 0.05, r.makeRoom(ctx)
	case r.Into != nil && !r.at.Vectors:
		progress, err = 0.2, r.copyVectors(ctx)
	case r.Into == nil && r.at.Safety == "":
		progress, err = 0.3, r.secure(ctx)
	case r.at.Blob == "":
		progress, err = 0.7, r.stage(ctx)
	default:
		done, err := r.load(ctx)
		if done || err != nil {
			return nil, done, 1, err
		}
		progress = 0.4 // staged again
	}
	if err != nil {
		return nil, false, 0, err
	}
	next, err := json.Marshal(r.at)
	return next, false, progress, err
}

// cleanRestore removes the room that a restore made and did not complete.
func (k *Keeper) cleanRestore(ctx context.Context, j *job.Job) error {
	r, err := k.readRestore(j, j.Cursor)
	if err != nil || r.Into == nil || r.at.Room == "" {
		return err
	}
	made := room.Ref{ULID: r.at.Room}
	filled := false // the load is committed, though the job did not live to say so
	err = k.Rooms.Read(ctx, r.by, made, func(v *room.View) error {
		filled = v.State().Seq > 1
		return nil
	})
	if err == nil && !filled {
		_, err = k.Rooms.Delete(ctx, r.by, made)
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (r *restoring) secure(ctx context.Context) error {
	if err := r.job.Report(ctx, 0.02, "safety snapshot"); err != nil {
		return err
	}
	s, err := r.take(ctx, r.job.Room, r.job.ID, BeforeRestore, fmt.Sprintf("before the restore to seq %d", r.Seq), r.by.User.ID)
	r.at.Safety = s.ID
	return err
}

// makeRoom makes the room to restore into, when what goes into it is there.
func (r *restoring) makeRoom(ctx context.Context) error {
	if err := r.job.Report(ctx, 0.02, "reading"); err != nil {
		return err
	}
	err := r.target(ctx, func(v *replica.View) error {
		_, err := r.scope(v.State(), v.State())
		return err
	})
	if err != nil {
		return err
	}
	info, err := r.Rooms.CreateUnder(ctx, r.by, r.at.Room, r.Into.ID, r.Into.Name)
	if err != nil {
		return fault.Under("into", err)
	}
	faultpoint.Reach(PointRestoreMade)
	r.at.RoomID = info.ID
	return nil
}

// copyVectors gives the new room the vectors of the texts that it gets, before
// it has the rows.
func (r *restoring) copyVectors(ctx context.Context) error {
	r.at.Vectors = true
	if r.Vectors == nil {
		return nil
	}
	if err := r.job.Report(ctx, 0.06, "reading"); err != nil {
		return err
	}
	err := r.target(ctx, func(v *replica.View) error {
		return r.Vectors.CopyVectors(ctx, r.job.Room, r.at.Room, func(h indexlog.Hash) (bool, error) {
			rows, err := v.RowsOf(ctx, h)
			return len(rows) > 0, err
		})
	})
	faultpoint.Reach(PointRestoreVectors)
	return err
}

// target runs fn on the room as it was, for who is still its owner.
func (r *restoring) target(ctx context.Context, fn func(*replica.View) error) error {
	if _, err := r.admit(ctx, r.by, room.Ref{ULID: r.job.Room}, access.Owner); err != nil {
		return err
	}
	past, release, err := r.Replicas.At(ctx, r.job.Room, r.Seq)
	if err != nil {
		return err
	}
	defer release()
	return past.View(ctx, fn)
}

// views runs fn on the room as it was, and the destination as it is.
func (r *restoring) views(ctx context.Context, dest string, fn func(target, present *replica.View) error) error {
	return r.target(ctx, func(target *replica.View) error {
		now, release, err := r.Replicas.Acquire(ctx, dest)
		if err != nil {
			return fmt.Errorf("read room %s: %w", dest, err)
		}
		defer release()
		if err := now.CatchUp(ctx); err != nil {
			return fmt.Errorf("read room %s: %w", dest, err)
		}
		return now.View(ctx, func(present *replica.View) error { return fn(target, present) })
	})
}

// tryOut counts what the restore would change.
func (r *restoring) tryOut(ctx context.Context) error {
	if err := r.job.Report(ctx, 0.02, "reading"); err != nil {
		return err
	}
	done := Restored{From: r.Seq, DryRun: true}
	err := r.views(ctx, r.job.Room, func(target, present *replica.View) error {
		done.Seq = present.State().Seq
		o, err := r.scope(present.State(), target.State())
		if err != nil {
			return err
		}
		if r.Into != nil {
			done.Tables, err = sizes(ctx, target, o.Tables)
			return err
		}
		staged, err := replica.Stage(ctx, target, present, o, io.Discard)
		if err == nil {
			done.Tables = tally(staged.Counts, nil)
		}
		return err
	})
	if err != nil {
		return err
	}
	return r.job.Finish(done)
}

// sizes counts the rows of tables: those of nums, or all.
func sizes(ctx context.Context, v *replica.View, nums []int) (map[string]Changes, error) {
	all := map[string]Changes{}
	for i := range v.State().Schema.Tables {
		def := &v.State().Schema.Tables[i]
		if len(nums) > 0 && len(unnamed(&schema.Schema{Tables: []schema.Table{*def}}, nums)) > 0 {
			continue
		}
		var c Changes
		err := v.List(ctx, replica.ListQuery{Table: def, OrderBy: "id"}, func(*replica.Cells) (bool, error) {
			c.Added++
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		all[def.Name] = c
	}
	return all, nil
}

// stage stores the load.
func (r *restoring) stage(ctx context.Context) error {
	if err := r.job.Report(ctx, 0.4, "reading"); err != nil {
		return err
	}
	now := r.Now()
	key := loadfile.Key(r.dest(), id.New(now))
	return r.views(ctx, r.dest(), func(target, present *replica.View) error {
		o, err := r.scope(present.State(), target.State())
		if err != nil {
			return err
		}
		if err := r.job.Report(ctx, 0.5, "staging"); err != nil {
			return err
		}
		o.At = schema.Millis(now.UnixMilli())
		staged, err := r.Replicas.StageLoad(ctx, key, target, present, o)
		if err != nil {
			return err
		}
		faultpoint.Reach(PointRestoreStaged)
		r.at.Blob, r.at.SHA256 = key, hex.EncodeToString(staged.Sum.SHA256[:])
		r.at.Tables, r.at.Tries = tally(staged.Counts, o.Drop), r.at.Tries+1
		return nil
	})
}

// request is the load that was staged.
func (r *restoring) request(past *replica.Replica) (room.LoadRequest, error) {
	req := room.LoadRequest{CommitID: r.job.CommitID("restore"), Blob: r.at.Blob, Note: fmt.Sprintf("restore to seq %d", r.Seq)}
	sum, err := hex.DecodeString(r.at.SHA256)
	if err != nil || len(sum) != len(req.SHA256) {
		return req, fmt.Errorf("read cursor of job %s: no SHA-256", r.job.ID)
	}
	req.SHA256 = [32]byte(sum)
	if len(r.Rows) == 0 || len(r.Tables) > 0 {
		req.Target = past
	}
	return req, nil
}

// load commits. It is not done when the load is to be staged again.
func (r *restoring) load(ctx context.Context) (done bool, err error) {
	if err := r.job.Report(ctx, 0.7, "committing"); err != nil {
		return false, err
	}
	past, release, err := r.Replicas.At(ctx, r.job.Room, r.Seq)
	if err != nil {
		return false, err
	}
	defer release()
	req, err := r.request(past)
	if err != nil {
		return false, err
	}
	if err := r.singles(ctx, &req, past.State()); err != nil {
		return false, err
	}
	result, err := r.Rooms.Load(ctx, r.by, room.Ref{ULID: r.dest()}, req)
	switch {
	case room.IsStale(err) && r.at.Tries < maxStaged:
		r.at.Blob, r.at.SHA256, r.at.Tables = "", "", nil
		return false, nil
	case room.IsStale(err):
		return false, fault.New(fault.Conflict, "others changed the tables %d times while the restore was prepared; try again when they are done", r.at.Tries).Because(err)
	case err != nil:
		return false, err
	}
	faultpoint.Reach(PointRestoreLoaded)
	r.tell(ctx, result)
	return true, r.job.Finish(Restored{Seq: result.Entry.Seq, From: r.Seq, SafetyBackup: r.at.Safety, Tables: r.tables(), Room: r.at.RoomID})
}

func (r *restoring) tables() map[string]Changes {
	if r.at.Tables == nil {
		return map[string]Changes{}
	}
	return r.at.Tables
}

// singles names the single rows that the load has.
func (r *restoring) singles(ctx context.Context, req *room.LoadRequest, then *replica.State) error {
	if len(r.Rows) == 0 {
		return nil
	}
	st, err := r.admit(ctx, r.by, room.Ref{ULID: r.job.Room}, access.Owner)
	if err != nil {
		return err
	}
	o, err := r.scope(st, then)
	req.Rows = o.Rows
	for _, num := range o.Tables {
		delete(req.Rows, num)
	}
	return err
}

// tell lets clients know, and writes the first checkpoint of a new room. What
// fails of it the relay does later.
func (r *restoring) tell(ctx context.Context, result room.Result) {
	if r.Announcer != nil && !result.Repeated {
		if err := r.Announcer.Announce(ctx, result.Room, result.Entry.Seq); err != nil {
			r.Log.WarnContext(ctx, "restore was not announced", "room", result.Room, "error", err)
		}
	}
	if r.Into == nil {
		return
	}
	now, release, err := r.Replicas.Acquire(ctx, r.at.Room)
	if err == nil {
		defer release()
		err = now.Checkpoint(ctx)
	}
	if err != nil {
		r.Log.WarnContext(ctx, "no checkpoint after a restore", "room", r.at.Room, "error", err)
	}
}
