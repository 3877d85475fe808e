package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/id"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// Download is an export that is ready, or on its way. One of Content, URL and
// Job is set.
type Download struct {
	Name    string
	Type    string
	Size    int64
	Content io.ReadCloser // the caller reads and closes it
	URL     string        // where it is fetched, for a few minutes
	Job     *job.Job      // which makes it; Fetch gives it afterwards
}

const (
	// addressLife is how long the address of a download works.
	addressLife = 10 * time.Minute

	exportKind = "export"
)

// ExportPrefix begins the blob keys of a room's exports. They are of use for a
// day at most.
func ExportPrefix(ulid string) string { return "rooms/" + ulid + "/exports/" }

// Export exports a room as p sees it, now or at a seq. What is small comes as Content, the
// rest by URL; a large room makes a job. Errors: those of Engine.Read,
// not_found at "table", invalid.
func (s *Service) Export(ctx context.Context, p access.Principal, ref room.Ref, r Request) (Download, error) {
	var d Download
	large := ""
	err := s.Rooms.ReadAt(ctx, p, ref, r.Seq, func(v *room.View) (err error) {
		st := v.State()
		if s.Jobs != nil && st.Bytes > s.Direct {
			large = st.Room
			_, err = r.tables(View(v))
			return err
		}
		d, err = s.write(ctx, v, r)
		return err
	})
	if err != nil || large == "" {
		return d, err
	}
	j, err := s.Jobs.Start(ctx, job.Spec{Kind: exportKind, Room: large, By: p.User, Params: r})
	switch {
	case err != nil:
		return Download{}, err
	case j.State != job.Done:
		return Download{Job: &j}, nil
	}
	return s.finished(ctx, &j)
}

// write makes an export of a view.
func (s *Service) write(ctx context.Context, v *room.View, r Request) (Download, error) {
	st := v.State()
	out := &spool{ctx: ctx, blobs: s.Blobs, key: ExportPrefix(st.Room) + id.New(s.Now()), most: s.Inline}
	err := out.close(Export(ctx, View(v), r, out))
	if err != nil {
		return Download{}, err
	}
	d := Download{Name: r.FileName(st.ID, st.Seq), Type: r.ContentType(), Size: out.size}
	if !out.stored {
		d.Content = io.NopCloser(&out.small)
		return d, nil
	}
	return s.fetch(ctx, out.key, d)
}

// fetch gives a stored export by its address, or itself where there are none.
func (s *Service) fetch(ctx context.Context, key string, d Download) (Download, error) {
	if s.Addresses != nil {
		a, err := s.Addresses.PresignGet(ctx, key, blob.Download{Name: d.Name, Type: d.Type}, addressLife)
		d.URL = a.URL
		return d, err
	}
	content, info, err := s.Blobs.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return Download{}, fault.New(fault.NotFound, "The export is not kept any more; make another.")
	}
	d.Content, d.Size = content, info.Size
	return d, err
}

// exported is the result of a job.
type exported struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
	Seq  int64  `json:"seq"`
}

// exportStep does all of an export: begun again, it makes another blob.
func (s *Service) exportStep(ctx context.Context, j *job.Job, _ json.RawMessage) (json.RawMessage, bool, float64, error) {
	var r Request
	if err := j.Decode(&r); err != nil {
		return nil, false, 0, err
	}
	var result exported
	write := func(src Source, st *replica.State) error {
		result = exported{Key: ExportPrefix(j.Room) + id.New(s.Now()), Name: r.FileName(st.ID, st.Seq), Type: r.ContentType(), Seq: st.Seq}
		out := &spool{ctx: ctx, blobs: s.Blobs, key: result.Key}
		err := out.close(Export(ctx, reporting{src, j, st.Rows, new(int64)}, r, out))
		result.Size = out.size
		return err
	}
	p := access.Principal{User: j.By}
	var err error
	if r.Seq == 0 {
		err = s.viewAs(ctx, j.Room, p, func(v *room.View) error { return write(View(v), v.State()) })
	} else {
		err = s.inPast(ctx, p, j.Room, r.Seq, write)
	}
	if err != nil {
		return nil, false, 0, err
	}
	return nil, true, 1, j.Finish(result)
}

// inPast runs fn on a room at an earlier seq, however long it takes.
func (s *Service) inPast(ctx context.Context, p access.Principal, ulid string, seq int64, fn func(Source, *replica.State) error) error {
	past := &past{rooms: s.Rooms, p: p, ref: room.Ref{ULID: ulid}, seq: seq, now: s.Now}
	err := s.Rooms.ReadAt(ctx, p, past.ref, seq, func(v *room.View) error {
		past.state = v.State()
		return nil
	})
	if err != nil {
		return err
	}
	return fn(past, past.state)
}

// past is a Source that reads a room at an earlier seq, which never changes,
// in as many views as it takes.
type past struct {
	rooms Rooms
	p     access.Principal
	ref   room.Ref
	seq   int64
	now   func() time.Time
	state *replica.State
}

// viewTime is how long one of the views is used: less than it may last.
const viewTime = 2 * time.Second

var errViewOver = errors.New("transfer: go on in another view")

func (p *past) Tables() []schema.Table { return p.state.Schema.Tables }

func (p *past) Scan(ctx context.Context, table string, fn func(*replica.Row) error) error {
	for after := ""; ; {
		err := p.rooms.ReadAt(ctx, p.p, p.ref, p.seq, func(v *room.View) error {
			began, first := p.now(), true
			return v.ScanAfter(ctx, table, after, func(row *replica.Row) error {
				if !first && p.now().Sub(began) > viewTime {
					return errViewOver
				}
				after, first = row.ID, false
				return fn(row)
			})
		})
		if !errors.Is(err, errViewOver) {
			return err
		}
	}
}

// reporting is a Source that tells a job's progress.
type reporting struct {
	Source
	job  *job.Job
	rows int64
	done *int64
}

func (r reporting) Scan(ctx context.Context, table string, fn func(*replica.Row) error) error {
	return r.Source.Scan(ctx, table, func(row *replica.Row) error {
		if *r.done++; *r.done%1000 == 0 {
			if err := r.job.Report(ctx, min(1, float64(*r.done)/float64(max(1, r.rows))), "reading "+table); err != nil {
				return err
			}
		}
		return fn(row)
	})
}

// Fetch gives the export that a job of p has made. Errors: not_found, conflict
// while it is not done.
func (s *Service) Fetch(ctx context.Context, p access.Principal, ref room.Ref, jobID string) (Download, error) {
	ulid := ""
	err := s.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		ulid = v.State().Room
		return nil
	})
	if err != nil {
		return Download{}, err
	}
	none := fault.At(fault.NotFound, "job", "You have no such export.")
	if s.Jobs == nil {
		return Download{}, none
	}
	j, err := s.Jobs.Get(ctx, ulid, jobID)
	switch {
	case fault.Is(err, fault.NotFound):
		return Download{}, none
	case err != nil:
		return Download{}, err
	case j.Kind != exportKind || j.By.ID != p.User.ID:
		return Download{}, none
	case j.State != job.Done:
		return Download{}, fault.At(fault.Conflict, "job", "The export is %s; come back when it is done.", j.State)
	}
	return s.finished(ctx, &j)
}

func (s *Service) finished(ctx context.Context, j *job.Job) (Download, error) {
	var result exported
	if err := json.Unmarshal(j.Result, &result); err != nil {
		return Download{}, fmt.Errorf("read result of job %s: %w", j.ID, err)
	}
	return s.fetch(ctx, result.Key, Download{Name: result.Name, Type: result.Type, Size: result.Size})
}

// spool keeps up to most bytes, and puts what is larger into a blob, to which
// it writes from then on.
type spool struct {
	ctx    context.Context
	blobs  blob.Store
	key    string
	most   int
	small  bytes.Buffer
	size   int64
	stored bool
	pipe   *io.PipeWriter
	put    chan error
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	if s.pipe == nil && s.small.Len()+len(p) <= s.most {
		return s.small.Write(p)
	}
	if s.pipe == nil {
		s.begin()
		if _, err := s.pipe.Write(s.small.Bytes()); err != nil {
			return 0, err
		}
		s.small = bytes.Buffer{}
	}
	return s.pipe.Write(p)
}

// begin starts to put what is written; close waits for its end.
func (s *spool) begin() {
	content, pipe := io.Pipe()
	s.pipe, s.put, s.stored = pipe, make(chan error, 1), true
	go func() {
		err := s.blobs.PutNew(s.ctx, s.key, content, -1)
		_ = content.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // whoever still writes is told why
		s.put <- err
	}()
}

// close ends the writing with its error, and gives what went wrong.
func (s *spool) close(err error) error {
	if s.pipe == nil && s.most == 0 && err == nil {
		s.begin() // an empty export, to be stored like any other
	}
	if s.pipe == nil {
		return err
	}
	_ = s.pipe.CloseWithError(err) // nil: the end
	if putErr := <-s.put; putErr != nil && err == nil {
		return fmt.Errorf("store export: %w", putErr)
	}
	return err
}
