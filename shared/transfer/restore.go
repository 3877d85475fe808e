package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/job"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer/plainsqlite"
)

const restoreKind = "restore-upload"

// Restore says what to bring back from an uploaded export, a SQLite file. Rows
// come back as they were exported, with who made them and when.
type Restore struct {
	Upload string   `json:"upload"`
	Tables []string `json:"tables,omitempty"` // empty: all of the file
	Drop   bool     `json:"drop,omitempty"`   // tables of the room that the file does not have go
	Into   *NewRoom `json:"into,omitempty"`   // a room to make; nil: this one
	DryRun bool     `json:"dryRun,omitempty"`
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

// Restored is what a restore did, or would do.
type Restored struct {
	Seq          int64              `json:"seq"`  // of the commit; of a dry run, that it was worked out at
	From         int64              `json:"from"` // always 0: a file has no seq
	SafetyBackup string             `json:"safetyBackup,omitempty"`
	Tables       map[string]Changes `json:"tables"`
	DryRun       bool               `json:"dryRun"`
	Room         string             `json:"room,omitempty"` // id of the room it went into, when that is another
}

// RestoreUpload brings the tables of an uploaded export back, by one load
// (owners). Errors: forbidden, not_found at "upload", and invalid for a file
// that is damaged, foreign or of a newer format, of which nothing is taken.
func (s *Service) RestoreUpload(ctx context.Context, p access.Principal, ref room.Ref, r Restore) (Restored, *job.Job, error) {
	if s.Jobs == nil {
		return Restored{}, nil, fault.New(fault.Unavailable, "This server does no long work.")
	}
	ulid := ""
	err := s.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		ulid = v.State().Room
		if !v.Grant().Role.AtLeast(access.Owner) {
			return fault.New(fault.Forbidden, "It takes the role owner to restore; yours is %s.", v.Grant().Role)
		}
		_, _, err := s.upload(ctx, p, ulid, r.Upload)
		return err
	})
	if err != nil {
		return Restored{}, nil, err
	}
	j, err := s.Jobs.Start(ctx, job.Spec{Kind: restoreKind, Room: ulid, By: p.User, Params: r})
	if err != nil || j.State != job.Done {
		return Restored{}, &j, err
	}
	var done Restored
	if err := json.Unmarshal(j.Result, &done); err != nil {
		return Restored{}, nil, fmt.Errorf("read result of job %s: %w", j.ID, err)
	}
	return done, nil, nil
}

// restoreStep notes the room to make, makes it, stages the file, and loads it.
func (s *Service) restoreStep(ctx context.Context, j *job.Job, cursor json.RawMessage) (json.RawMessage, bool, float64, error) {
	var r Restore
	if err := j.Decode(&r); err != nil {
		return nil, false, 0, err
	}
	var at staged
	if err := decodeCursor(cursor, &at); err != nil {
		return nil, false, 0, err
	}
	switch {
	case r.Into != nil && !at.Made && !r.DryRun:
		return s.makeRoom(ctx, j, &r, at)
	case at.Blob == "":
		return s.stageRestore(ctx, j, &r, &at)
	}
	var done Restored
	if err := json.Unmarshal(at.Result, &done); err != nil {
		return nil, false, 0, fmt.Errorf("read result: %w", err)
	}
	if s.Snapshot != nil && r.Into == nil {
		var err error
		if done.SafetyBackup, err = s.Snapshot(ctx, j.Room, j.ID, "before the restore of an uploaded file", j.By.ID); err != nil {
			return nil, false, 0, err
		}
	}
	return s.load(ctx, j, &at, room.LoadRequest{Note: "restore of an uploaded file"}, func(seq int64) error {
		done.Seq = seq
		return j.Finish(done)
	})
}

// makeRoom makes the room to restore into, under a ULID that the step before
// has noted. A file that is none is refused before.
func (s *Service) makeRoom(ctx context.Context, j *job.Job, r *Restore, at staged) (json.RawMessage, bool, float64, error) {
	p := access.Principal{User: j.By}
	if at.Room == "" {
		at.Room = id.New(s.Now())
		err := s.open(ctx, p, j.Room, r.Upload, func(context.Context, *plainsqlite.Reader) error { return nil })
		if err != nil {
			return nil, false, 0, err
		}
	} else {
		info, err := s.Rooms.CreateUnder(ctx, p, at.Room, r.Into.ID, r.Into.Name)
		if err != nil {
			return nil, false, 0, fault.Under("into", err)
		}
		at.Made, at.RoomID = true, info.ID
		faultpoint.Reach(PointMade)
	}
	next, err := json.Marshal(at)
	return next, false, 0.1, err
}

// cleanRestore removes the room that a restore made and did not fill.
func (s *Service) cleanRestore(ctx context.Context, j *job.Job) error {
	var at staged
	if err := decodeCursor(j.Cursor, &at); err != nil || at.Room == "" {
		return err
	}
	by, made := access.Principal{User: j.By}, room.Ref{ULID: at.Room}
	filled := false // the load is committed, though the job did not live to say so
	err := s.Rooms.Read(ctx, by, made, func(v *room.View) error {
		filled = v.State().Seq > 1
		return nil
	})
	if err == nil && !filled {
		_, err = s.Rooms.Delete(ctx, by, made)
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// stageRestore reads the file, and writes the load.
func (s *Service) stageRestore(ctx context.Context, j *job.Job, params *Restore, at *staged) (next json.RawMessage, done bool, progress float64, err error) {
	p := access.Principal{User: j.By}
	err = s.open(ctx, p, j.Room, params.Upload, func(ctx context.Context, file *plainsqlite.Reader) error {
		return s.viewAs(ctx, roomOf(j, at), p, func(v *room.View) error {
			if !v.Grant().Role.AtLeast(access.Owner) {
				return fault.New(fault.Forbidden, "It takes the role owner to restore; yours is %s.", v.Grant().Role)
			}
			r := &restoring{stager: stager{service: s, ctx: ctx, job: j, view: v}, file: file, params: params, roomID: at.RoomID}
			result, kept, err := r.run()
			if err != nil {
				return err
			}
			if params.DryRun {
				done = true
				return j.Finish(result)
			}
			kept.Room, kept.RoomID, kept.Made, kept.Tries = at.Room, at.RoomID, at.Made, at.Tries+1
			if kept.Result, err = json.Marshal(result); err != nil {
				return fmt.Errorf("encode result: %w", err)
			}
			next, err = json.Marshal(kept)
			return err
		})
	})
	return next, done, 0.8, err
}

// patience is how long reading a file may take.
const patience = 3 * time.Minute

// open copies an upload to a private file and runs fn on it.
func (s *Service) open(ctx context.Context, p access.Principal, ulid, uploadID string, fn func(context.Context, *plainsqlite.Reader) error) (err error) {
	open, _, err := s.upload(ctx, p, ulid, uploadID)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "nanotype-upload-*")
	if err != nil {
		return fmt.Errorf("open upload: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "upload")
	if err := copyTo(path, open); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := plainsqlite.Open(within, path)
	if err != nil {
		return err
	}
	err = errors.Join(fn(within, r), r.Close())
	if within.Err() != nil && ctx.Err() == nil {
		return fault.New(fault.TooLarge, "Reading the file took longer than %s.", patience)
	}
	return err
}

func copyTo(path string, open func() (io.ReadCloser, error)) (err error) {
	content, err := open()
	if err != nil {
		return err
	}
	defer content.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open upload: %w", err)
	}
	_, err = io.Copy(f, io.LimitReader(content, MaxUpload))
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("copy upload: %w", err)
	}
	return nil
}

// restoring stages one file.
type restoring struct {
	stager
	file   *plainsqlite.Reader
	params *Restore
	roomID string // of the room that was made
	result Restored
}

// table is a table of the file, and what it is in the room.
type fileTable struct {
	name string
	def  schema.Table  // with the room's numbers
	now  *schema.Table // nil: the room does not have it
}

func (r *restoring) run() (*Restored, *staged, error) {
	st := r.view.State()
	tables, err := r.tables(st.Schema)
	if err != nil {
		return nil, nil, err
	}
	r.result = Restored{Seq: st.Seq, Tables: map[string]Changes{}, DryRun: r.params.DryRun}
	r.result.Room = r.roomID
	h := loadfile.Header{Room: st.Room, Base: st.Seq, Mode: loadfile.Replace}
	for i := range tables {
		h.Tables = append(h.Tables, tables[i].def)
	}
	if err := r.drop(&h, tables); err != nil {
		return nil, nil, err
	}
	if !r.params.DryRun {
		if err := r.begin(h); err != nil {
			return nil, nil, err
		}
	}
	for i := 0; i < len(tables) && err == nil; i++ {
		err = r.table(&tables[i])
	}
	at, err := r.end(err)
	return &r.result, at, err
}

// tables resolves the tables to restore, in order of number.
func (r *restoring) tables(now *schema.Schema) ([]fileTable, error) {
	all := r.file.Tables()
	for _, name := range r.params.Tables {
		if !slices.ContainsFunc(all, func(t schema.Table) bool { return t.Name == name }) {
			return nil, fault.At(fault.NotFound, "tables", "The file has no table %.70q.", name)
		}
	}
	list := []fileTable{}
	next := max(now.NextTable, 1)
	for i := range all {
		if len(r.params.Tables) > 0 && !slices.Contains(r.params.Tables, all[i].Name) {
			continue
		}
		t := fileTable{name: all[i].Name, now: now.Table(all[i].Name)}
		if r.params.Into != nil && r.params.DryRun {
			t.now = nil // the room is not there yet
		}
		t.def = renumbered(&all[i], t.now, next)
		if t.def.Num == next {
			next++
		}
		list = append(list, t)
	}
	if len(list) == 0 {
		return nil, fault.New(fault.Invalid, "The file has no tables.")
	}
	slices.SortFunc(list, func(a, b fileTable) int { return cmp.Compare(a.def.Num, b.def.Num) })
	return list, nil
}

// renumbered gives a table of a file the numbers that its names have in the
// room, where they can stay in order; the others get new ones.
func renumbered(file, now *schema.Table, next int) schema.Table {
	t := *file
	t.Columns = slices.Clone(file.Columns)
	if t.Num = next; now == nil {
		return t
	}
	t.Num, t.NextColumn = now.Num, now.NextColumn
	last := 0
	for i := range t.Columns {
		c := &t.Columns[i]
		if was := now.Column(c.Name); was != nil && was.Num > last && was.Type == c.Type {
			c.Num = was.Num
		} else {
			c.Num = t.NextColumn
			t.NextColumn++
		}
		last = c.Num
	}
	return t
}

// drop lists the tables that go, and counts their rows.
func (r *restoring) drop(h *loadfile.Header, tables []fileTable) error {
	if !r.params.Drop && r.params.Into == nil || r.params.Into != nil && r.params.DryRun {
		return nil
	}
	for _, t := range r.view.State().Schema.Tables {
		if slices.ContainsFunc(tables, func(f fileTable) bool { return f.def.Num == t.Num }) {
			continue
		}
		h.Dropped = append(h.Dropped, t.Num)
		n, err := r.rowsNow(t.Name)
		if err != nil {
			return err
		}
		r.result.Tables[t.Name] = Changes{Removed: n}
	}
	return nil
}

func (r *restoring) rowsNow(table string) (n int64, err error) {
	err = r.view.Scan(r.ctx, table, func(*replica.Row) error { n++; return nil })
	return n, err
}

// table stages the rows of a table and counts what they change.
func (r *restoring) table(t *fileTable) error {
	ids := newSeen()
	var c Changes
	kept := int64(0)
	line := 0
	err := r.file.Rows(r.ctx, t.name, func(row *replica.Row) error {
		line++
		if _, twice := ids.at(line, row.ID); twice {
			return fault.New(fault.Invalid, "The table %s has two rows with the id %s.", t.name, row.ID)
		}
		same, found, err := r.compare(t, row)
		switch {
		case err != nil:
			return err
		case !found:
			c.Added++
		default:
			kept++
			if !same {
				c.Changed++
			}
		}
		if r.params.DryRun {
			return nil
		}
		return r.put(recordOf(&t.def, row), 0)
	})
	if err != nil {
		return err
	}
	if t.now != nil {
		n, err := r.rowsNow(t.now.Name)
		if err != nil {
			return err
		}
		c.Removed = n - kept
	}
	r.result.Tables[t.name] = c
	return nil
}

func recordOf(t *schema.Table, row *replica.Row) *loadfile.Record {
	r := &loadfile.Record{Kind: loadfile.Row, Table: t.Num, ID: row.ID, Creator: row.CreatedBy, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt}
	for i, v := range row.Values {
		if v != nil {
			r.Cells = append(r.Cells, schema.Cell{Num: t.Columns[i].Num, Value: v})
		}
	}
	return r
}

// compare finds the row in the room, and whether it is the same there.
func (r *restoring) compare(t *fileTable, row *replica.Row) (same, found bool, err error) {
	if t.now == nil {
		return false, false, nil
	}
	was, found, err := r.view.Row(r.ctx, t.now.Name, row.ID)
	if err != nil || !found {
		return false, false, err
	}
	same = was.CreatedBy == row.CreatedBy && was.CreatedAt == row.CreatedAt && was.UpdatedAt == row.UpdatedAt && len(was.Values) == len(row.Values)
	for i := 0; same && i < len(row.Values); i++ {
		same = t.now.Columns[i].Name == t.def.Columns[i].Name && was.Values[i] == row.Values[i]
	}
	return same, true, nil
}
