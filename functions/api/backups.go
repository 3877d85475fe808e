package api

import (
	"context"
	"encoding/json"
	"net/http"

	"nanotypedb/shared/access"
	"nanotypedb/shared/backup"
	"nanotypedb/shared/job"
	"nanotypedb/shared/room"
)

// Backups is what of snapshots, restores and long work is reached over HTTP;
// backup.Keeper implements it.
type Backups interface {
	List(ctx context.Context, p access.Principal, ref room.Ref, cursor string, limit int) ([]backup.Snapshot, string, error)
	Get(ctx context.Context, p access.Principal, ref room.Ref, id string) (backup.Snapshot, error)
	Take(ctx context.Context, p access.Principal, ref room.Ref, note string) (job.Job, error)
	Restore(ctx context.Context, p access.Principal, ref room.Ref, r backup.Restore) (job.Job, error)
	Annotate(ctx context.Context, p access.Principal, ref room.Ref, id, note string) (backup.Snapshot, error)
	Delete(ctx context.Context, p access.Principal, ref room.Ref, id string) error
	ListJobs(ctx context.Context, p access.Principal, ref room.Ref, cursor string, limit int) ([]job.Job, string, error)
	GetJob(ctx context.Context, p access.Principal, ref room.Ref, id string) (job.Job, error)
	CancelJob(ctx context.Context, p access.Principal, ref room.Ref, id string) (job.Job, error)
}

type (
	// Backup is a snapshot of the room at one seq.
	Backup struct {
		ID       string      `json:"id"`
		Seq      int64       `json:"seq"`
		At       Time        `json:"at"`
		Kind     backup.Kind `json:"kind"`
		Rows     int64       `json:"rows"`
		Bytes    int64       `json:"bytes"`
		Tables   int         `json:"tables"`
		Note     string      `json:"note"`
		By       string      `json:"by,omitempty"`
		Verified Time        `json:"verified"`
	}

	// BackupList is a page of snapshots, the newest first.
	BackupList struct {
		Backups []Backup `json:"backups"`
		Cursor  string   `json:"cursor,omitempty"`
	}

	// BackupNote is what a snapshot is called.
	BackupNote struct {
		Note string `json:"note"`
	}

	// NewBackup asks for a snapshot.
	NewBackup struct {
		Note string `json:"note,omitempty"`
	}
)

const backupsPath = "/v1/rooms/{room}/backups"

var backupRoutes = []Route{
	{Method: "GET", Path: backupsPath, Role: access.Viewer, Summary: "Snapshots of the room, newest first.", Query: page,
		Status: http.StatusOK, Answer: BackupList{}, call: listBackups},
	{Method: "POST", Path: backupsPath, Role: access.Editor, Summary: "Takes a snapshot, with a note.",
		Body: NewBackup{}, Status: http.StatusCreated, Answer: Backup{}, Also: alsoJob, call: createBackup},
	{Method: "GET", Path: backupsPath + "/{id}", Role: access.Viewer, Summary: "One snapshot.",
		Status: http.StatusOK, Answer: Backup{}, call: getBackup},
	{Method: "PATCH", Path: backupsPath + "/{id}", Role: access.Owner, Summary: "Gives a snapshot another note.",
		Body: BackupNote{}, Status: http.StatusOK, Answer: Backup{}, call: annotateBackup},
	{Method: "DELETE", Path: backupsPath + "/{id}", Role: access.Owner,
		Summary: "Takes a snapshot off the list. What lies within the retention can still be rebuilt.",
		Status:  http.StatusNoContent, call: deleteBackup},
}

var alsoJob = map[int]string{http.StatusAccepted: "A job goes on with it, {job}."}

func backupAnswer(s backup.Snapshot) Backup {
	return Backup{s.ID, s.Seq, Time(s.At), s.Kind, s.Rows, s.Bytes, s.Tables, s.Note, s.By, Time(s.Verified)}
}

func listBackups(a *API, x *exchange) (any, error) {
	limit, err := x.pageLimit()
	if err != nil {
		return nil, err
	}
	all, next, err := a.Backups.List(x.ctx(), x.principal, x.ref(), x.query.Get("cursor"), limit)
	list := BackupList{Backups: make([]Backup, len(all)), Cursor: next}
	for i, s := range all {
		list.Backups[i] = backupAnswer(s)
	}
	return list, err
}

func createBackup(a *API, x *exchange) (any, error) {
	var asked NewBackup
	if err := x.optionalBody(&asked); err != nil {
		return nil, err
	}
	j, err := a.Backups.Take(x.ctx(), x.principal, x.ref(), asked.Note)
	return work(j, err, func(result json.RawMessage) (any, error) {
		x.w.Header().Set("Location", x.r.URL.Path+"/"+j.ID) // a snapshot has the id of its job
		return result, nil
	})
}

// optionalBody reads the JSON body if there is one.
func (x *exchange) optionalBody(into any) error {
	if x.r.ContentLength == 0 {
		return nil
	}
	return x.body(into)
}

func getBackup(a *API, x *exchange) (any, error) {
	s, err := a.Backups.Get(x.ctx(), x.principal, x.ref(), x.r.PathValue("id"))
	return backupAnswer(s), err
}

func annotateBackup(a *API, x *exchange) (any, error) {
	var asked BackupNote
	if err := x.body(&asked); err != nil {
		return nil, err
	}
	s, err := a.Backups.Annotate(x.ctx(), x.principal, x.ref(), x.r.PathValue("id"), asked.Note)
	return backupAnswer(s), err
}

func deleteBackup(a *API, x *exchange) (any, error) {
	return nil, a.Backups.Delete(x.ctx(), x.principal, x.ref(), x.r.PathValue("id"))
}
