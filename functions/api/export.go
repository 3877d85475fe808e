package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/job"
	"nanotypedb/shared/room"
	"nanotypedb/shared/transfer"
)

// Transfers is what of exports and imports is reached over HTTP.
type Transfers interface {
	Export(ctx context.Context, p access.Principal, ref room.Ref, r transfer.Request) (transfer.Download, error)
	Fetch(ctx context.Context, p access.Principal, ref room.Ref, jobID string) (transfer.Download, error)
	Import(ctx context.Context, p access.Principal, ref room.Ref, im transfer.Import, in transfer.Input) (transfer.Imported, error)
	NewUpload(ctx context.Context, p access.Principal, ref room.Ref, size int64) (transfer.Upload, error)
	RestoreUpload(ctx context.Context, p access.Principal, ref room.Ref, r transfer.Restore) (transfer.Restored, *job.Job, error)
}

var transferRoutes = []Route{
	{Method: "GET", Path: "/v1/rooms/{room}/export", Role: access.Viewer,
		Summary: "Exports what the user may see of the room: as a SQLite file, a SQL dump, NDJSON or CSV.",
		Query:   slices.Concat(exportParams, atParams, []Param{{"job", false, "The export that this job has made; no other parameter then."}}),
		Status:  http.StatusOK, Gives: exportTypes, Also: exportAlso, call: exportRoom},
	{Method: "GET", Path: backupsPath + "/{id}/download", Role: access.Viewer,
		Summary: "Exports what the user may see of a snapshot.", Query: exportParams,
		Status: http.StatusOK, Gives: exportTypes, Also: exportAlso, call: downloadBackup},
	{Method: "POST", Path: "/v1/rooms/{room}/tables/{table}/import", Role: access.Editor,
		Summary: "Brings a file of rows into a table, all of it or nothing. Owners may replace what is there.",
		Query: []Param{
			{"format", false, "csv or ndjson; by default as Content-Type says."},
			{"mode", false, "append, as by default, or replace: rows whose id is not in the file go."},
			{"create", false, "1 makes the table, with columns that fit the file."},
			{"dryRun", false, "1 reads and checks, reports, and changes nothing."},
			{"mapping", false, "A JSON object: column of the file to column of the table, null to leave it out."},
			{"types", false, "With create, a JSON object: column to type, as enum, instead of the inferred one."},
			{"upload", false, "What was uploaded before, instead of the body."},
			{"commitId", false, "Makes it safe to ask again, as for a commit."},
		},
		Body: ImportFile(""), Takes: []string{"text/csv", "application/x-ndjson"},
		Status: http.StatusOK, Answer: transfer.Report{},
		Also: map[int]string{http.StatusAccepted: "A job does it, {job}; its result is the report."},
		call: importRows},
	{Method: "POST", Path: "/v1/rooms/{room}/uploads", Role: access.Editor,
		Summary: "Gives an address to put a file to that is too large for a body.",
		Body:    NewUpload{}, Status: http.StatusCreated, Answer: UploadPlace{}, call: newUpload},
	{Method: "POST", Path: "/v1/rooms/{room}/uploads/{upload}/restore", Role: access.Owner,
		Summary: "Brings back the tables of an exported SQLite file that was uploaded, into this room or a new one.",
		Body:    RestoreUpload{}, Status: http.StatusOK, Answer: transfer.Restored{}, Also: alsoJob, call: restoreUpload},
}

var (
	exportParams = []Param{
		{"format", false, "sqlite, sql, ndjson or csv."},
		{"table", false, "One table; all by default, of CSV in a zip."},
		{"meta", false, "0 leaves out _createdAt, _updatedAt and _createdBy; for csv and ndjson."},
	}
	exportTypes = []string{"application/vnd.sqlite3", "application/sql", "application/x-ndjson", "text/csv", "application/zip"}
	exportAlso  = map[int]string{
		http.StatusAccepted: "A job makes it, {job}; then it is at export?job=.", http.StatusSeeOther: "It is at the Location, for ten minutes.",
	}
)

func exportRoom(a *API, x *exchange) (any, error) {
	if a.Transfers == nil {
		return nil, errNoTransfers
	}
	if x.query.Has("job") {
		if len(x.query) > 1 {
			return nil, fault.At(fault.Invalid, "job", "A job knows what it exports; give no other parameter.")
		}
		d, err := a.Transfers.Fetch(x.ctx(), x.principal, x.ref(), x.query.Get("job"))
		return download{d}, err
	}
	r, err := x.exportRequest()
	if err != nil {
		return nil, err
	}
	if r.Seq, err = x.at(a); err != nil {
		return nil, err
	}
	d, err := a.Transfers.Export(x.ctx(), x.principal, x.ref(), r)
	return download{d}, err
}

func downloadBackup(a *API, x *exchange) (any, error) {
	if a.Transfers == nil {
		return nil, errNoTransfers
	}
	r, err := x.exportRequest()
	if err != nil {
		return nil, err
	}
	backup, err := a.Backups.Get(x.ctx(), x.principal, x.ref(), x.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	r.Seq = backup.Seq
	d, err := a.Transfers.Export(x.ctx(), x.principal, x.ref(), r)
	return download{d}, err
}

// exportRequest reads what to export and how.
func (x *exchange) exportRequest() (r transfer.Request, err error) {
	if r.Format, err = transfer.ParseFormat(x.query.Get("format")); err != nil {
		return r, err
	}
	meta, err := x.flag("meta", true)
	r.Table, r.Bare = x.query.Get("table"), !meta
	return r, err
}

var errNoTransfers = fault.New(fault.Unavailable, "This server neither exports nor imports.")

// flag reads a query parameter that is 0 or 1.
func (x *exchange) flag(name string, fallback bool) (bool, error) {
	switch x.query.Get(name) {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	if x.query.Has(name) {
		return false, fault.At(fault.Invalid, name, "This is 0 or 1.")
	}
	return fallback, nil
}

// download answers with an export.
type download struct{ transfer.Download }

func (d download) send(w http.ResponseWriter) error {
	switch {
	case d.Job != nil:
		return accepted{d.Job}.send(w)
	case d.URL != "":
		w.Header().Set("Location", d.URL)
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	defer func() { _ = d.Content.Close() }()
	h := w.Header()
	h.Set("Content-Type", d.Type)
	h.Set("Content-Disposition", blob.Download{Name: d.Name}.Disposition())
	h.Set("Content-Length", strconv.FormatInt(d.Size, 10))
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(w, d.Content) // whoever gets less than Content-Length says knows that it was cut off
	return nil
}

// accepted answers with a job that goes on.
type accepted struct{ *job.Job }

func (j accepted) send(w http.ResponseWriter) error {
	body, err := json.Marshal(map[string]string{"job": j.ID})
	if err != nil {
		return err
	}
	return write(w, http.StatusAccepted, json.RawMessage(body))
}
