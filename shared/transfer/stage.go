package transfer

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/faultpoint"
	"nanotypedb/shared/id"
	"nanotypedb/shared/job"
	"nanotypedb/shared/loadfile"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// The steps between two effects of an import or of the restore of an upload.
const (
	PointKept   faultpoint.Name = "transfer.kept"   // the file of a request is a blob, there is no job
	PointStaged faultpoint.Name = "transfer.staged" // the load is a blob that nothing names
	PointMade   faultpoint.Name = "transfer.made"   // the new room is there, and empty
	PointLoaded faultpoint.Name = "transfer.loaded" // the load is committed, the job does not know
)

// Points lists all fault points of this package.
var Points = []faultpoint.Name{PointKept, PointStaged, PointMade, PointLoaded}

const importKind = "import"

// importParams is what a job of an import is asked to do.
type importParams struct {
	Import
	Upload string `json:"upload"`
}

// staged is where a job stands between its two steps: what it is to load.
type staged struct {
	Blob   string          `json:"blob"`
	SHA256 string          `json:"sha256"`
	Tries  int             `json:"tries"` // how often it was staged
	Result json.RawMessage `json:"result"`
	Room   string          `json:"room,omitempty"` // another than the job's, by its ULID
	RoomID string          `json:"roomId,omitempty"`
	Made   bool            `json:"made,omitempty"` // that room is there
}

// maxStaged is how often a load is staged again because tables changed.
const maxStaged = 5

// importByJob does an import that is too large for one commit.
func (s *Service) importByJob(ctx context.Context, p access.Principal, ulid string, im Import, in Input) (Imported, error) {
	if s.Jobs == nil {
		return Imported{}, fault.New(fault.TooLarge, "The file has more than one commit takes, and this server does no long work.")
	}
	params := importParams{im, in.Upload}
	if in.Upload == "" {
		params.Upload = id.New(s.Now())
		key := uploadKey(ulid, p, params.Upload)
		if err := s.Blobs.PutNew(ctx, key, bytes.NewReader(in.Body), int64(len(in.Body))); err != nil {
			return Imported{}, fmt.Errorf("keep file of import: %w", err)
		}
	}
	faultpoint.Reach(PointKept)
	j, err := s.Jobs.Start(ctx, job.Spec{Kind: importKind, Room: ulid, By: p.User, Params: params})
	switch {
	case err != nil:
		return Imported{}, err
	case j.State != job.Done:
		return Imported{Job: &j}, nil
	}
	report := &Report{}
	if err := json.Unmarshal(j.Result, report); err != nil {
		return Imported{}, fmt.Errorf("read result of job %s: %w", j.ID, err)
	}
	return Imported{Report: report}, nil
}

// importStep stages the file, and then loads it. What the first step left
// behind when it was killed is swept.
func (s *Service) importStep(ctx context.Context, j *job.Job, cursor json.RawMessage) (json.RawMessage, bool, float64, error) {
	var params importParams
	if err := j.Decode(&params); err != nil {
		return nil, false, 0, err
	}
	var at staged
	if err := decodeCursor(cursor, &at); err != nil {
		return nil, false, 0, err
	}
	if at.Blob == "" {
		return s.stageImport(ctx, j, params, at.Tries)
	}
	if s.Snapshot != nil && params.Mode == Replace {
		if _, err := s.Snapshot(ctx, j.Room, j.ID, "before an import replaced the rows of "+params.Table, j.By.ID); err != nil {
			return nil, false, 0, err
		}
	}
	return s.load(ctx, j, &at, room.LoadRequest{InsertOnly: params.Mode == Append, Note: "import into " + params.Table, CommitID: params.CommitID},
		func(seq int64) error {
			report := &Report{}
			if err := json.Unmarshal(at.Result, report); err != nil {
				return fmt.Errorf("read report: %w", err)
			}
			report.Seq = seq
			return j.Finish(report)
		})
}

func decodeCursor(cursor json.RawMessage, at *staged) error {
	if len(cursor) == 0 || string(cursor) == "null" {
		return nil
	}
	if err := json.Unmarshal(cursor, at); err != nil {
		return fmt.Errorf("read cursor: %w", err)
	}
	return nil
}

// load commits what was staged. When it is stale it is to be staged again.
func (s *Service) load(ctx context.Context, j *job.Job, at *staged, req room.LoadRequest, finish func(seq int64) error) (json.RawMessage, bool, float64, error) {
	sum, err := hex.DecodeString(at.SHA256)
	if err != nil || len(sum) != len(req.SHA256) {
		return nil, false, 0, fmt.Errorf("read cursor of job %s: no SHA-256", j.ID)
	}
	req.Blob, req.SHA256 = at.Blob, [32]byte(sum)
	if req.CommitID == "" {
		req.CommitID = j.CommitID("load")
	}
	result, err := s.Rooms.Load(ctx, access.Principal{User: j.By}, room.Ref{ULID: roomOf(j, at)}, req)
	if room.IsStale(err) && at.Tries < maxStaged {
		again, encodeErr := json.Marshal(staged{Tries: at.Tries, Room: at.Room, RoomID: at.RoomID, Made: at.Made})
		return again, false, 0, encodeErr
	}
	if err != nil {
		return nil, false, 0, err
	}
	faultpoint.Reach(PointLoaded)
	if s.Announcer != nil && !result.Repeated {
		if err := s.Announcer.Announce(ctx, result.Room, result.Entry.Seq); err != nil {
			s.Log.WarnContext(ctx, "load was not announced", "room", result.Room, "seq", result.Entry.Seq, "error", err)
		}
	}
	return nil, true, 1, finish(result.Entry.Seq)
}

func roomOf(j *job.Job, at *staged) string {
	if at.Room != "" {
		return at.Room
	}
	return j.Room
}

// stageImport reads the file as the one who asked for it, and writes the load.
func (s *Service) stageImport(ctx context.Context, j *job.Job, params importParams, tries int) (next json.RawMessage, done bool, progress float64, err error) {
	p := access.Principal{User: j.By}
	err = s.viewAs(ctx, j.Room, p, func(v *room.View) error {
		if err := params.may(v.Grant()); err != nil {
			return err
		}
		open, _, err := s.upload(ctx, p, j.Room, params.Upload)
		if err != nil {
			return err
		}
		if seq, err := v.Committed(ctx, params.CommitID); seq != 0 || err != nil {
			done = true
			return errors.Join(err, j.Finish(earlier(seq)))
		}
		st := &stager{service: s, ctx: ctx, job: j, view: v}
		report, at, err := st.rows(params.Import, open)
		if err != nil {
			return err
		}
		if params.DryRun {
			done = true
			return j.Finish(report)
		}
		if report.ErrorCount > 0 {
			return report.refusal()
		}
		at.Tries = tries + 1
		if at.Result, err = json.Marshal(report); err != nil {
			return fmt.Errorf("encode report: %w", err)
		}
		next, err = json.Marshal(at)
		return err
	})
	return next, done, 0.8, err
}

// viewAs runs fn on the present of a room as p sees it, however long it takes.
func (s *Service) viewAs(ctx context.Context, ulid string, p access.Principal, fn func(*room.View) error) error {
	r, release, err := s.Replicas.Acquire(ctx, ulid)
	if err != nil {
		return fmt.Errorf("load room %s: %w", ulid, err)
	}
	defer release()
	if err := r.CatchUp(ctx); err != nil {
		return fmt.Errorf("catch up room %s: %w", ulid, err)
	}
	return r.View(ctx, func(raw *replica.View) error {
		v, err := room.ViewAs(raw, p)
		if err != nil {
			return err
		}
		return fn(v)
	})
}

// stager writes one load.
type stager struct {
	service *Service
	ctx     context.Context
	job     *job.Job
	view    *room.View

	key    string
	out    *spool
	writer *loadfile.Writer
	done   int64
}

// begin begins the blob.
func (st *stager) begin(h loadfile.Header) (err error) {
	now := st.service.Now()
	h.At = schema.Millis(now.UnixMilli())
	st.key = loadfile.Key(h.Room, id.New(now))
	st.out = &spool{ctx: st.ctx, blobs: st.service.Blobs, key: st.key}
	st.writer, err = loadfile.NewWriter(st.out, h)
	return err
}

// end finishes the blob, or takes it back after an error.
func (st *stager) end(err error) (*staged, error) {
	if st.writer == nil {
		return nil, err
	}
	var sum loadfile.Sum
	if err == nil {
		sum, err = st.writer.Close()
	}
	if err = st.out.close(err); err != nil {
		return nil, err
	}
	faultpoint.Reach(PointStaged)
	return &staged{Blob: st.key, SHA256: hex.EncodeToString(sum.SHA256[:])}, nil
}

// put adds a row to the blob and tells the progress of a file of total rows.
func (st *stager) put(r *loadfile.Record, total int64) error {
	if st.done++; st.done%1000 == 0 {
		if err := st.job.Report(st.ctx, 0.8*float64(st.done)/float64(max(total, st.done)), "reading rows"); err != nil {
			return err
		}
	}
	return st.writer.Put(r)
}

// rows stages the rows of a file.
func (st *stager) rows(im Import, open func() (io.ReadCloser, error)) (*Report, *staged, error) {
	now := st.view.State()
	names, cols, report, err := scan(open, im)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPlan(im, now.Schema, names, cols, report)
	if err != nil {
		return nil, nil, err
	}
	if !im.DryRun && report.ErrorCount == 0 {
		mode := loadfile.Merge
		if im.Mode == Replace {
			mode = loadfile.Replace
		}
		if err := st.begin(loadfile.Header{Room: now.Room, Base: now.Seq, Mode: mode, Tables: []schema.Table{*p.table}}); err != nil {
			return nil, nil, err
		}
	}
	err = p.check(open, st.taken(p), func(row *newRow) error { return st.add(p, row) })
	if err == nil && report.ErrorCount > 0 && st.writer != nil {
		err = report.refusal()
	}
	at, err := st.end(err)
	if err != nil && report.ErrorCount > 0 {
		return report, nil, nil
	}
	return report, at, err
}

func (st *stager) taken(p *plan) func(string) (bool, error) {
	if p.Create || p.Mode == Replace {
		return nil
	}
	return func(id string) (bool, error) {
		_, found, err := st.view.Row(st.ctx, p.Table, id)
		return found, err
	}
}

func (st *stager) add(p *plan, row *newRow) error {
	if p.DryRun && len(p.report.Preview) < shownRows {
		p.report.Preview = append(p.report.Preview, appendRow(nil, p.table, row))
	}
	if st.writer == nil || p.report.ErrorCount > 0 {
		return nil
	}
	now := st.service.Now()
	at := schema.Millis(now.UnixMilli())
	record := loadfile.Record{Kind: loadfile.Row, Table: p.table.Num, ID: row.id, Creator: st.job.By.ID, CreatedAt: at, UpdatedAt: at, Cells: row.cells(p.table)}
	switch {
	case row.id == "":
		record.ID = id.New(now)
	case p.Mode == Replace:
		if err := st.keep(p, row, &record); err != nil {
			return err
		}
	}
	return st.put(&record, p.report.Rows)
}

// keep gives a row that is there already its creator and times; the time of
// its last change only when nothing changes.
func (st *stager) keep(p *plan, row *newRow, r *loadfile.Record) error {
	was, found, err := st.view.Row(st.ctx, p.Table, row.id)
	if err != nil || !found {
		return err
	}
	r.Creator, r.CreatedAt = was.CreatedBy, was.CreatedAt
	if slices.Equal(was.Values, row.values) {
		r.UpdatedAt = was.UpdatedAt
	}
	return nil
}
