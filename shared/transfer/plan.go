package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/transfer/plainsql"
)

// Mode says what becomes of the rows that a table has.
type Mode string

// The modes. Append adds the rows of the file; Replace makes the table have
// exactly these, where rows of the same id stay the same rows.
const (
	Append  Mode = "append"
	Replace Mode = "replace"
)

// Import says what to bring in, and how.
type Import struct {
	Table   string             `json:"table"`
	Format  Format             `json:"format"` // CSV or NDJSON
	Mode    Mode               `json:"mode"`
	Create  bool               `json:"create,omitempty"`  // make the table, its columns inferred
	DryRun  bool               `json:"dryRun,omitempty"`  // read, check, report, and change nothing
	Mapping map[string]*string `json:"mapping,omitempty"` // column of the file → of the table; null: left out
	Types   map[string]string  `json:"types,omitempty"`   // with Create: column → type, instead of the inferred one

	// CommitID, when set, makes the import one that may be asked for again.
	CommitID string `json:"commitId,omitempty"`
}

// Problem is a value or row that does not fit. Line is that of the file, from
// 1, where the row begins; Column that of the file.
type Problem struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
}

// Report is what an import found and did.
type Report struct {
	Rows       int64             `json:"rows"` // of the file
	Columns    []json.RawMessage `json:"columns"`
	Preview    []json.RawMessage `json:"preview,omitempty"` // of a dry run: the first rows as they would be
	Errors     []Problem         `json:"errors"`            // the first
	ErrorCount int64             `json:"errorCount"`
	Mapping    map[string]string `json:"mapping"` // column of the file → of the table
	Ignored    []string          `json:"ignored"` // columns of the file that go nowhere
	DryRun     bool              `json:"dryRun"`
	Seq        int64             `json:"seq,omitempty"` // of the commit
}

// How much a report tells.
const (
	shownErrors = 100
	shownRows   = 50
)

func (r *Report) add(p Problem) {
	if r.ErrorCount++; len(r.Errors) < shownErrors {
		r.Errors = append(r.Errors, p)
	}
}

// note takes an error about a row or the file into the report. Others come
// back.
func (r *Report) note(err error) (goOn bool, _ error) {
	var row *rowError
	var file *fileError
	switch {
	case errors.As(err, &row):
		r.add(row.problem)
		return true, nil
	case errors.As(err, &file):
		r.add(file.problem)
		return false, nil
	}
	return false, err
}

// refusal says that nothing was imported, and why.
func (r *Report) refusal() error {
	noun := "values or rows do"
	if r.ErrorCount == 1 {
		noun = "value or row does"
	}
	first := r.Errors[0]
	return fault.New(fault.Invalid, "%d %s not fit, so nothing was imported. The first is in line %d: %s", r.ErrorCount, noun, first.Line, first.Reason).
		With("errors", r.Errors).With("errorCount", r.ErrorCount)
}

// place is where the values of a column of the file go.
type place struct {
	target string // empty: nowhere
	column int    // in table.Columns, or toID
}

const toID = -1

// plan is how a file becomes rows of a table.
type plan struct {
	Import
	table  *schema.Table
	places []place // by column of the file
	report *Report
}

// systemNames are the fields of a row that an import sets by itself.
var systemNames = append(slices.Clone(plainsql.System), "_version", "_vector", tableName)

const tableName = "_table"

// scan reads a file to its end for the names of its columns and, to make a
// table, for what their values are.
func scan(open func() (io.ReadCloser, error), im Import) (names []string, cols []*inferred, report *Report, err error) {
	report = &Report{Errors: []Problem{}, Ignored: []string{}, Mapping: map[string]string{}, DryRun: im.DryRun}
	rc, err := open()
	if err != nil {
		return nil, nil, nil, err
	}
	defer rc.Close()
	in, err := openRecords(im.Format, rc)
	if err != nil {
		_, err = report.note(err)
		return nil, nil, report, err
	}
	for {
		rec, err := in.next()
		if errors.Is(err, io.EOF) {
			return in.columns(), im.inferAll(in.columns(), cols), report, nil
		}
		if err != nil {
			goOn, err := report.note(err)
			if err != nil || !goOn {
				return in.columns(), im.inferAll(in.columns(), cols), report, err
			}
			continue
		}
		if report.Rows++; report.Rows > maxRows {
			return nil, nil, nil, fault.New(fault.TooLarge, "The file has more than %d rows; split it.", maxRows)
		}
		if im.Create {
			cols = im.inferAll(in.columns(), cols)
			for i := range rec.cells {
				cols[i].add(&rec.cells[i])
			}
		}
	}
}

// inferAll makes cols as long as names.
func (im *Import) inferAll(names []string, cols []*inferred) []*inferred {
	for i := len(cols); i < len(names); i++ {
		target, _ := im.target(names[i])
		cols = append(cols, newInferred(im.Types[target] == string(schema.Enum) || im.Types[names[i]] == string(schema.Enum)))
	}
	return cols
}

// target is the name of the table's column that a column of the file is for:
// what the mapping says, else the same name in the form that names have. False
// when it is left out.
func (im *Import) target(source string) (string, bool) {
	if to, mapped := im.Mapping[source]; mapped {
		if to == nil {
			return "", false
		}
		return *to, true
	}
	if slices.Contains(systemNames, source) {
		return "", false
	}
	return normal(source), true
}

// normal brings a name into the form of column names as far as possible:
// "E-mail address" becomes e_mail_address.
func normal(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', b.Len() > 0 && (r >= '0' && r <= '9' || r == '_'):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	const most = 63
	text := b.String()
	return strings.TrimSuffix(text[:min(len(text), most)], "_")
}

// newPlan resolves names. existing is the table to import into; nil with
// Create. Errors: fault invalid about the request; what is wrong with the file
// goes into the report.
func newPlan(im Import, s *schema.Schema, names []string, cols []*inferred, report *Report) (*plan, error) {
	p := &plan{Import: im, report: report, places: make([]place, len(names))}
	for name := range im.Mapping {
		if !slices.Contains(names, name) && report.ErrorCount == 0 {
			return nil, fault.At(fault.Invalid, "mapping", "The file has no column %q.", shorten(name))
		}
	}
	var err error
	if im.Create {
		err = p.makeTable(s, names, cols)
	} else if p.table = s.Table(im.Table); p.table == nil {
		err = fault.At(fault.NotFound, "table", "There is no table %.70q; to make it, say create=1.", im.Table)
	}
	if err != nil {
		return nil, err
	}
	if err := p.resolve(names); err != nil {
		return nil, err
	}
	for i := range p.table.Columns {
		report.Columns = append(report.Columns, schema.AppendColumnJSON(nil, &p.table.Columns[i]))
	}
	p.required()
	return p, nil
}

// resolve finds the place of each column of the file.
func (p *plan) resolve(names []string) error {
	taken := map[string]string{}
	for i, name := range names {
		target, wanted := p.target(name)
		at := toID
		if target != plainsql.ID {
			at = slices.IndexFunc(p.table.Columns, func(c schema.Column) bool { return c.Name == target })
		}
		_, mapped := p.Mapping[name]
		switch {
		case wanted && at < 0 && target != plainsql.ID && mapped:
			return fault.At(fault.Invalid, "mapping", "The table %s has no column %q.", p.table.Name, shorten(target))
		case !wanted || at < 0 && target != plainsql.ID:
			p.report.Ignored = append(p.report.Ignored, name)
			continue
		}
		if other, twice := taken[target]; twice {
			p.report.add(Problem{Line: 1, Column: name, Reason: fmt.Sprintf("The columns %q and %q both go to %s; map one of them elsewhere or leave it out.",
				shorten(other), shorten(name), target)})
			continue
		}
		taken[target] = name
		p.places[i] = place{target: target, column: at}
		p.report.Mapping[name] = target
	}
	return nil
}

// required notes columns that must have a value and that the file has not.
func (p *plan) required() {
	for i := range p.table.Columns {
		c := &p.table.Columns[i]
		here := slices.ContainsFunc(p.places, func(at place) bool { return at.target == c.Name })
		if c.Required && c.Default == nil && !here && p.report.Rows > 0 {
			p.report.add(Problem{Line: 1, Column: c.Name, Reason: fmt.Sprintf("The column %s is required and has no default, and the file does not have it.", c.Name)})
		}
	}
}

// makeTable makes the table that the file suggests.
func (p *plan) makeTable(s *schema.Schema, names []string, cols []*inferred) error {
	var columns []json.RawMessage
	seen := map[string]bool{}
	for i, name := range names {
		target, wanted := p.target(name)
		if !wanted || target == plainsql.ID || seen[target] {
			continue
		}
		if err := schema.ValidName("column", target); err != nil {
			p.report.add(Problem{Line: 1, Column: name, Reason: fmt.Sprintf("The name of column %d cannot be that of a column; map it to one of a-z, 0-9 and _, or leave it out.", i+1)})
			continue
		}
		seen[target] = true
		col, err := p.columnOf(cols[i], target, name)
		if err != nil {
			return err
		}
		columns = append(columns, schema.AppendColumnJSON(nil, &col))
	}
	for name := range p.Types {
		if !seen[name] && !slices.Contains(names, name) && p.report.ErrorCount == 0 {
			return fault.At(fault.Invalid, "types", "The table would have no column %q.", shorten(name))
		}
	}
	var err error
	p.table, err = schema.ResolveCreate(s, p.Table, columns, schema.Shared)
	return err
}

// columnOf is the definition of a new column: of the type asked for, or of
// the one inferred.
func (p *plan) columnOf(c *inferred, target, source string) (schema.Column, error) {
	col := c.column(target, p.Format)
	name, asked := p.Types[target]
	if !asked {
		name, asked = p.Types[source]
	}
	if asked {
		t, err := parseType(name)
		if err != nil {
			return col, fault.Under("types", err)
		}
		col.Type = t
	}
	if col.Type == schema.Enum && (len(col.Values) == 0 || len(col.Values) > maxEnum) {
		return col, fault.At(fault.Invalid, "types", "The column %q has %d or more different values, and an enum has 1 to %d.", shorten(source), len(col.Values), maxEnum)
	}
	if col.Type != schema.Enum {
		col.Values = nil
	}
	return col, nil
}
