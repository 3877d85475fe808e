package backup

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// The steps between two effects of a snapshot.
const (
	PointImageKept    faultpoint.Name = "backup.snapshot.kept"     // the image is stored and verified, nothing names it
	PointSnapRecorded faultpoint.Name = "backup.snapshot.recorded" // its record is there, nobody was told
)

// DefaultRetention is how far back a room can be rebuilt.
const DefaultRetention = 35 * 24 * time.Hour

// maxNote is how long a note may be, in code points.
const maxNote = 500

// Rooms is what of the room engine snapshots and restores need.
type Rooms interface {
	Read(ctx context.Context, p access.Principal, ref room.Ref, fn func(*room.View) error) error
	SeqAt(ctx context.Context, p access.Principal, ref room.Ref, at time.Time) (int64, error)
	Load(ctx context.Context, p access.Principal, ref room.Ref, req room.LoadRequest) (room.Result, error)
	CreateUnder(ctx context.Context, p access.Principal, ulid, roomID, name string) (room.Info, error)
	Delete(ctx context.Context, p access.Principal, ref room.Ref) (room.Result, error)
}

// Options configure a Keeper.
type Options struct {
	Store     store.Store
	Blobs     blob.Store
	Replicas  *replica.Cache
	Catalog   *Catalog
	Rooms     Rooms
	Jobs      *job.Runner
	Vectors   Vectors          // nil: a room that is restored into is embedded anew
	Announcer Announcer        // nil: restores are told by the relay
	Retention time.Duration    // 0: DefaultRetention
	Now       func() time.Time // nil: time.Now
	Log       *slog.Logger     // nil: slog.Default
}

// Keeper takes snapshots, goes back to them, and takes away what nothing needs
// any more. It is safe for concurrent use.
type Keeper struct {
	Options
}

// New returns a keeper, and registers its kinds of jobs.
func New(o Options) *Keeper {
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	k := &Keeper{Options: o}
	if o.Jobs != nil {
		k.register()
	}
	return k
}

func (k *Keeper) millis() schema.Millis { return schema.Millis(k.Now().UnixMilli()) }

// admit finds a room for a principal with at least a role. Errors: not_found
// for strangers, forbidden.
func (k *Keeper) admit(ctx context.Context, p access.Principal, ref room.Ref, need access.Role) (st *replica.State, err error) {
	err = k.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		if role := v.Grant().Role; !role.AtLeast(need) {
			return fault.New(fault.Forbidden, "it takes the role %s in this room; yours is %s", need, role)
		}
		st = v.State()
		return nil
	})
	return st, err
}

// List gives a page of a room's snapshots, the newest first, and the cursor of
// the next page (everybody in the room).
func (k *Keeper) List(ctx context.Context, p access.Principal, ref room.Ref, cursor string, limit int) ([]Snapshot, string, error) {
	st, err := k.admit(ctx, p, ref, access.Viewer)
	if err != nil {
		return nil, "", err
	}
	if cursor != "" && !validID(cursor) {
		return nil, "", fault.At(fault.Invalid, "cursor", "this is no cursor of this list")
	}
	all, err := k.Catalog.all(ctx, st.Room)
	if err != nil {
		return nil, "", err
	}
	var page []Snapshot
	for i := len(all) - 1; i >= 0; i-- {
		if s := all[i]; !s.Unlisted && (cursor == "" || s.ID < cursor) {
			if len(page) == limit {
				return page, page[limit-1].ID, nil
			}
			page = append(page, s)
		}
	}
	return page, "", nil
}

// Get gives one snapshot (everybody in the room). Errors: not_found.
func (k *Keeper) Get(ctx context.Context, p access.Principal, ref room.Ref, id string) (Snapshot, error) {
	st, err := k.admit(ctx, p, ref, access.Viewer)
	if err != nil {
		return Snapshot{}, err
	}
	s, _, err := k.Catalog.snapshot(ctx, st.Room, id)
	return s, err
}

// Annotate gives a snapshot another note (owners).
func (k *Keeper) Annotate(ctx context.Context, p access.Principal, ref room.Ref, id, note string) (Snapshot, error) {
	note, err := validNote(note)
	if err != nil {
		return Snapshot{}, err
	}
	return k.change(ctx, p, ref, id, func(s *Snapshot) { s.Note = note })
}

// Delete takes a snapshot off the list (owners). Its image goes as soon as no
// seq within the retention is rebuilt from it.
func (k *Keeper) Delete(ctx context.Context, p access.Principal, ref room.Ref, id string) error {
	_, err := k.change(ctx, p, ref, id, func(s *Snapshot) { s.Unlisted = true })
	return err
}

// changeTries is how often a change of a record is repeated that met another.
const changeTries = 5

func (k *Keeper) change(ctx context.Context, p access.Principal, ref room.Ref, id string, edit func(*Snapshot)) (Snapshot, error) {
	st, err := k.admit(ctx, p, ref, access.Owner)
	if err != nil {
		return Snapshot{}, err
	}
	for range changeTries {
		s, raw, err := k.Catalog.snapshot(ctx, st.Room, id)
		if err != nil {
			return Snapshot{}, err
		}
		edit(&s)
		data, err := json.Marshal(s)
		if err != nil {
			return Snapshot{}, fmt.Errorf("encode snapshot %s: %w", id, err)
		}
		if bytes.Equal(data, raw) {
			return s, nil
		}
		err = k.Store.Write(ctx, store.Write{Action: store.Put, If: store.Unchanged, Previous: raw,
			Item: store.Item{Key: snapKey(st.Room, id), Data: data}})
		if err == nil {
			return s, nil
		}
		var met *store.ConditionError
		if !errors.As(err, &met) && !errors.Is(err, store.ErrUnknownOutcome) && !errors.Is(err, store.ErrContended) {
			return Snapshot{}, fmt.Errorf("change snapshot %s: %w", id, err)
		}
	}
	return Snapshot{}, fault.New(fault.Unavailable, "the snapshot is being changed by others, try again")
}

func validNote(note string) (string, error) {
	note = strings.TrimSpace(note)
	if n := utf8.RuneCountInString(note); n > maxNote || !utf8.ValidString(note) || strings.ContainsFunc(note, unicode.IsControl) {
		return "", fault.At(fault.Invalid, "note", "a note has at most %d characters and no control characters", maxNote)
	}
	return note, nil
}

// take takes a snapshot of the newest state of a room under an id, once: when
// there is one of that id, it is returned.
func (k *Keeper) take(ctx context.Context, ulid, snapID string, kind Kind, note, by string) (Snapshot, error) {
	s, _, err := k.Catalog.snapshot(ctx, ulid, snapID)
	if !fault.Is(err, fault.NotFound) {
		return s, err
	}
	r, release, err := k.Replicas.Acquire(ctx, ulid)
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of room %s: %w", ulid, err)
	}
	defer release()
	if err := r.CatchUp(ctx); err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of room %s: %w", ulid, err)
	}
	if err := r.CatchUpIndex(ctx); err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of room %s: %w", ulid, err)
	}
	// Of its own even when a step is repeated: a blob of an earlier try may not
	// be whole, and is swept.
	key := BlobPrefix(ulid) + "snapshots/" + snapID + "-" + id.New(k.Now())
	kept, err := r.Keep(ctx, key)
	if err != nil {
		return Snapshot{}, fmt.Errorf("snapshot of room %s: %w", ulid, err)
	}
	faultpoint.Reach(PointImageKept)
	s = Snapshot{ID: snapID, Seq: kept.Seq, At: k.millis(), SeqAt: kept.At, Kind: kind, Rows: kept.Rows, Bytes: kept.Bytes,
		Tables: len(kept.Schema.Tables), Note: note, By: by, Blob: key, SHA256: hex.EncodeToString(kept.SHA256[:]), Verified: k.millis()}
	return k.record(ctx, ulid, s)
}

// record writes a snapshot's record unless there is one of its id, and gives
// the one that is there.
func (k *Keeper) record(ctx context.Context, ulid string, s Snapshot) (Snapshot, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return Snapshot{}, fmt.Errorf("encode snapshot: %w", err)
	}
	w := store.Write{Action: store.Put, If: store.Absent, Item: store.Item{Key: snapKey(ulid, s.ID), Data: data}}
	if err := k.Store.Write(ctx, w); err != nil {
		there, _, readErr := k.Catalog.snapshot(ctx, ulid, s.ID)
		if readErr != nil {
			return Snapshot{}, fmt.Errorf("record snapshot: %w", err)
		}
		s = there
	}
	faultpoint.Reach(PointSnapRecorded)
	return s, nil
}

// snapshotParams are those of a job that takes a snapshot.
type snapshotParams struct {
	Note string `json:"note,omitempty"`
}

// Kinds of jobs.
const (
	SnapshotJob = "snapshot"
	RestoreJob  = "restore"
)

func (k *Keeper) register() {
	k.Jobs.Register(SnapshotJob, k.snapshotStep)
	k.Jobs.Register(RestoreJob, k.restoreStep)
	k.Jobs.RegisterCleanup(RestoreJob, k.cleanRestore)
}

// Take takes a snapshot with a note (editors): at once, or by the job that it
// returns, whose result is a Snapshot.
func (k *Keeper) Take(ctx context.Context, p access.Principal, ref room.Ref, note string) (job.Job, error) {
	note, err := validNote(note)
	if err != nil {
		return job.Job{}, err
	}
	st, err := k.admit(ctx, p, ref, access.Editor)
	if err != nil {
		return job.Job{}, err
	}
	return k.Jobs.Start(ctx, job.Spec{Kind: SnapshotJob, Room: st.Room, By: p.User, Params: snapshotParams{note}, Background: isLarge(st)})
}

// largeRoom is the size above which copying a room takes longer than a request
// should.
const largeRoom = 96 << 20

func isLarge(st *replica.State) bool { return st.Bytes > largeRoom }

func (k *Keeper) snapshotStep(ctx context.Context, j *job.Job, _ json.RawMessage) (json.RawMessage, bool, float64, error) {
	var p snapshotParams
	if err := j.Decode(&p); err != nil {
		return nil, false, 0, err
	}
	s, err := k.take(ctx, j.Room, j.ID, Manual, p.Note, j.By.ID)
	if err != nil {
		return nil, false, 0, err
	}
	return nil, true, 1, j.Finish(s.Public())
}
