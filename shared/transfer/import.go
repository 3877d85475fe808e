package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/job"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// Input is the file of an import: Body itself, or what was uploaded.
type Input struct {
	Body   []byte
	Upload string // its id; empty: Body
}

// Imported is what became of an import. Result is the commit, when there is
// one that is to be announced; Job is set instead of Report when it goes on.
type Imported struct {
	Report *Report
	Result *room.Result
	Job    *job.Job
}

// validate checks what can be told without the room.
func (im *Import) validate() error {
	switch {
	case im.Format != CSV && im.Format != NDJSON:
		return fault.At(fault.Invalid, "format", "An import takes csv or ndjson.")
	case im.Mode != Append && im.Mode != Replace:
		return fault.At(fault.Invalid, "mode", "The mode is append or replace.")
	case im.Create && im.Mode == Replace:
		return fault.At(fault.Invalid, "mode", "A table that is made has no rows to replace; say append.")
	case !im.Create && len(im.Types) > 0:
		return fault.At(fault.Invalid, "types", "The table has its types; they can be chosen for one that is made, with create=1.")
	}
	return nil
}

// may refuses who may not import: editors append, owners also replace.
func (im *Import) may(g access.Grant) error {
	need := access.Editor
	if im.Mode == Replace {
		need = access.Owner
	}
	if !g.Role.AtLeast(need) {
		return fault.New(fault.Forbidden, "It takes the role %s to %s rows by import; yours is %s.", need, im.Mode, g.Role)
	}
	return nil
}

// Import brings a file into a table, all of it or nothing. A few rows are one
// ordinary commit; more are staged and loaded by a job. Errors: fault invalid
// with `errors` and `errorCount` when rows do not fit, which a dry run
// reports instead; forbidden; not_found; conflict and others of a commit.
func (s *Service) Import(ctx context.Context, p access.Principal, ref room.Ref, im Import, in Input) (Imported, error) {
	if err := im.validate(); err != nil {
		return Imported{}, err
	}
	for try := 1; ; try++ {
		out, again, err := s.tryImport(ctx, p, ref, im, in, try)
		if !again {
			return out, err
		}
	}
}

// earlier is the report of an import that was done before: all that is known
// of it is its commit.
func earlier(seq int64) *Report {
	return &Report{Seq: seq, Columns: []json.RawMessage{}, Errors: []Problem{}, Ignored: []string{}, Mapping: map[string]string{}}
}

// maxTries is how often a small replacement is worked out anew because
// somebody else made a commit meanwhile.
const maxTries = 4

func (s *Service) tryImport(ctx context.Context, p access.Principal, ref room.Ref, im Import, in Input, try int) (out Imported, again bool, err error) {
	var small *smallImport
	ulid := ""
	err = s.Rooms.Read(ctx, p, ref, func(v *room.View) error {
		ulid = v.State().Room
		if err := im.may(v.Grant()); err != nil {
			return err
		}
		if done, err := v.Committed(ctx, im.CommitID); done != 0 || err != nil {
			out.Report = earlier(done)
			return err
		}
		open, size, err := s.input(ctx, p, ulid, in)
		if err != nil || s.Jobs != nil && size > inlineImport {
			return err
		}
		small, err = newSmall(ctx, v, im, open)
		return err
	})
	switch {
	case err != nil || out.Report != nil:
		return out, false, err
	case small == nil:
		out, err = s.importByJob(ctx, p, ulid, im, in)
		return out, false, err
	case im.DryRun:
		return Imported{Report: small.plan.report}, false, nil
	case small.plan.report.ErrorCount > 0:
		return Imported{}, false, small.plan.report.refusal()
	case small.large || try > maxTries:
		out, err = s.importByJob(ctx, p, ulid, im, in)
		return out, false, err
	case len(small.ops) == 0:
		small.plan.report.Seq = small.seq
		return Imported{Report: small.plan.report}, false, nil
	}
	return s.commit(ctx, p, ref, small)
}

// inlineImport is the size of a file above which an import is a job at once.
const inlineImport = 8 << 20

func (s *Service) commit(ctx context.Context, p access.Principal, ref room.Ref, small *smallImport) (Imported, bool, error) {
	im := &small.plan.Import
	request := room.Request{CommitID: im.CommitID, Ops: small.ops}
	if im.Mode == Replace {
		request.IfSeq = &small.seq
	}
	result, err := s.Rooms.Commit(ctx, p, ref, request)
	var f *fault.Error
	switch {
	case err == nil:
		small.plan.report.Seq = result.Entry.Seq
		return Imported{Report: small.plan.report, Result: &result}, false, nil
	case errors.As(err, &f) && f.Code == fault.Conflict && f.Path == "ifSeq":
		return Imported{}, true, nil
	case errors.As(err, &f) && strings.HasPrefix(f.Path, "ops["):
		return Imported{}, false, small.inLine(f)
	}
	return Imported{}, false, err
}

// smallImport is an import as the operations of one commit. large: it has more
// than a commit takes, and no operations.
type smallImport struct {
	plan  *plan
	seq   int64
	ops   []json.RawMessage
	lines []int // by operation; 0: none
	bytes int
	large bool
	rows  map[string]bool // ids of the file, for a replacement
	view  *room.View
	ctx   context.Context
}

// What a commit of an import has at most: less than any commit, since entries
// hold more than the request.
const (
	smallOps   = commitlog.MaxOps
	smallBytes = 200 << 10
)

func newSmall(ctx context.Context, v *room.View, im Import, open func() (io.ReadCloser, error)) (*smallImport, error) {
	names, cols, report, err := scan(open, im)
	if err != nil {
		return nil, err
	}
	s := &smallImport{seq: v.State().Seq, view: v, ctx: ctx, rows: map[string]bool{}}
	s.plan, err = newPlan(im, v.State().Schema, names, cols, report)
	if err != nil {
		return nil, err
	}
	if im.Create {
		s.createTable()
	}
	err = s.plan.check(open, s.taken(), s.add)
	if err == nil && im.Mode == Replace && !s.large && !im.DryRun && report.ErrorCount == 0 {
		err = s.removeOthers()
	}
	return s, err
}

// taken tells ids that rows of the table have, where that is in the way.
func (s *smallImport) taken() func(string) (bool, error) {
	if s.plan.Create || s.plan.Mode == Replace {
		return nil
	}
	return func(id string) (bool, error) {
		_, found, err := s.view.Row(s.ctx, s.plan.Table, id)
		return found, err
	}
}

func (s *smallImport) createTable() {
	op := strictjson.AppendString([]byte(`{"op":"createTable","table":`), s.plan.Table)
	op = append(op, `,"columns":[`...)
	for i := range s.plan.table.Columns {
		if i > 0 {
			op = append(op, ',')
		}
		op = schema.AppendColumnJSON(op, &s.plan.table.Columns[i])
	}
	s.put(append(op, "]}"...), 0)
}

// put adds an operation while there is room.
func (s *smallImport) put(op []byte, line int) {
	s.bytes += len(op)
	if s.large = s.large || len(s.ops) == smallOps || s.bytes > smallBytes; s.large {
		s.ops, s.lines, s.rows = nil, nil, nil
		return
	}
	s.ops, s.lines = append(s.ops, op), append(s.lines, line)
}

// add takes a row of the file.
func (s *smallImport) add(row *newRow) error {
	if s.plan.DryRun && len(s.plan.report.Preview) < shownRows {
		s.plan.report.Preview = append(s.plan.report.Preview, appendRow(nil, s.plan.table, row))
	}
	if s.large || s.plan.DryRun || s.plan.report.ErrorCount > 0 {
		return nil
	}
	if s.plan.Mode == Append || row.id == "" {
		s.put(s.operation("insert", "row", row.id, s.values(row)), row.line)
		return nil
	}
	s.rows[row.id] = true
	was, found, err := s.view.Row(s.ctx, s.plan.Table, row.id)
	switch {
	case err != nil:
		return err
	case !found:
		s.put(s.operation("insert", "row", row.id, s.values(row)), row.line)
	case !slices.Equal(was.Values, row.values):
		s.put(s.operation("update", "set", row.id, s.values(row)), row.line)
	}
	return nil
}

func (s *smallImport) operation(kind, field, id string, values []byte) []byte {
	op := strictjson.AppendString([]byte(`{"op":"`+kind+`","table":`), s.plan.Table)
	if id != "" {
		op = strictjson.AppendString(append(op, `,"id":`...), id)
	}
	if values == nil {
		return append(op, '}')
	}
	return append(append(append(op, `,"`+field+`":`...), values...), '}')
}

func (s *smallImport) values(row *newRow) []byte {
	bare := *row
	bare.id = ""
	return appendRow(nil, s.plan.table, &bare)
}

// removeOthers deletes the rows that the file does not have, before what it
// has comes: a unique value may go from one row to another.
func (s *smallImport) removeOthers() error {
	puts, lines := s.ops, s.lines
	s.ops, s.lines = nil, nil
	err := s.view.Scan(s.ctx, s.plan.Table, func(row *replica.Row) error {
		if !s.large && !s.rows[row.ID] {
			s.put(s.operation("delete", "", row.ID, nil), 0)
		}
		return nil
	})
	s.large = s.large || len(s.ops)+len(puts) > smallOps
	if s.large {
		s.ops, s.lines = nil, nil
		return err
	}
	s.ops, s.lines = append(s.ops, puts...), append(s.lines, lines...)
	return err
}

// inLine turns what is wrong with an operation into what is wrong with a line.
func (s *smallImport) inLine(f *fault.Error) error {
	number, rest, _ := strings.Cut(strings.TrimPrefix(f.Path, "ops["), "]")
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(s.lines) || s.lines[i] == 0 {
		return f
	}
	field := rest[strings.LastIndexByte(rest, '.')+1:]
	problem := Problem{Line: s.lines[i], Reason: f.Reason}
	for source, target := range s.plan.report.Mapping {
		if target == field {
			problem.Column = source
		}
	}
	s.plan.report.add(problem)
	c := *f
	c.Path, c.Reason = "", fmt.Sprintf("Nothing was imported. Line %d: %s", problem.Line, f.Reason)
	return c.With("errors", s.plan.report.Errors).With("errorCount", s.plan.report.ErrorCount)
}

// input gives the file, to be opened as often as needed, and its size.
func (s *Service) input(ctx context.Context, p access.Principal, ulid string, in Input) (open func() (io.ReadCloser, error), size int64, err error) {
	if in.Upload == "" {
		return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(in.Body)), nil }, int64(len(in.Body)), nil
	}
	return s.upload(ctx, p, ulid, in.Upload)
}
