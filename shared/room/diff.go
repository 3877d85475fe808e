package room

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/usage"
)

// Limits of a page of a diff.
const (
	DefaultChanges = 100
	MaxChanges     = 1000
)

// DiffRequest asks for what differs between two seqs; 0 is the present.
type DiffRequest struct {
	From, To int64
	Table    string // as it is called at To, else at From; empty: all
	Cursor   string
	Limit    int
	MaxBytes int // of the changes; 0: no bound
}

// DiffPage is a page of changes in order of table and row id. Tables counts
// all of them, whatever the page.
type DiffPage struct {
	From    int64                 `json:"from"`
	To      int64                 `json:"to"`
	Tables  map[string]*TableDiff `json:"tables"`
	Changes []json.RawMessage     `json:"changes"`
	Cursor  string                `json:"cursor,omitempty"`
}

// TableDiff counts the changes of a table. Schema tells whether it was
// created, dropped or altered in between; Was is its name at From when that
// was another.
type TableDiff struct {
	Added   int64  `json:"added"`
	Changed int64  `json:"changed"`
	Removed int64  `json:"removed"`
	Schema  string `json:"schema,omitempty"`
	Was     string `json:"was,omitempty"`
}

// Diff compares the room at two seqs, for p's eyes: of a table that is `own`
// at either, or now, somebody who is no owner sees his own rows. Errors:
// not_found when one of them can no longer be rebuilt, or there is no such
// table.
func (e *Engine) Diff(ctx context.Context, p access.Principal, ref Ref, req DiffRequest) (DiffPage, error) {
	if req.Limit == 0 {
		req.Limit = DefaultChanges
	}
	if req.Limit < 0 || req.Limit > MaxChanges {
		return DiffPage{}, fault.At(fault.Invalid, "limit", "a limit is 1 to %d", MaxChanges)
	}
	var page DiffPage
	err := e.inPast(ctx, p, ref, func(h *present) error {
		d := &diffReader{head: h, req: req}
		var err error
		page, err = d.read(ctx)
		usage.From(ctx).Add(usage.Reads, int64(len(page.Changes)))
		return err
	})
	return page, err
}

type diffReader struct {
	head  *present
	req   DiffRequest
	after *replica.DiffPosition
	own   func(table int) bool
	page  DiffPage
	size  int
	names map[int]string
}

func (d *diffReader) read(ctx context.Context) (DiffPage, error) {
	if err := d.points(); err != nil {
		return DiffPage{}, err
	}
	d.page = DiffPage{Tables: map[string]*TableDiff{}, Changes: []json.RawMessage{}}
	err := d.view(ctx, d.req.From, func(from *replica.View) error {
		return d.view(ctx, d.req.To, func(to *replica.View) error { return d.compare(ctx, from, to) })
	})
	return d.page, err
}

// points settles which seqs are compared: those of the cursor, as the present
// moves on.
func (d *diffReader) points() error {
	if d.req.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(d.req.Cursor)
		c := replica.DiffPosition{}
		if err == nil {
			_, err = fmt.Sscanf(string(raw), "%d %d %d %s", &d.req.From, &d.req.To, &c.Table, &c.ID)
		}
		if err != nil {
			return fault.At(fault.Invalid, "cursor", "this cursor is not one of a diff")
		}
		d.after = &c
	}
	for path, seq := range map[string]*int64{"from": &d.req.From, "to": &d.req.To} {
		if *seq == 0 {
			*seq = d.head.state.Seq
		}
		if err := d.head.reached(path, *seq); err != nil {
			return err
		}
	}
	return nil
}

// view runs fn on the room at a seq; the present needs no replica of its own.
func (d *diffReader) view(ctx context.Context, seq int64, fn func(*replica.View) error) error {
	h := d.head
	if seq == h.state.Seq {
		same := false
		err := h.replica.View(ctx, func(v *replica.View) error {
			if same = v.State().Seq == seq; !same {
				return nil
			}
			return fn(v)
		})
		if same || err != nil {
			return err
		}
	}
	past, release, err := h.engine.replicas.At(ctx, h.state.Room, seq)
	if err != nil {
		return err
	}
	defer release()
	return past.View(ctx, fn)
}

func (d *diffReader) compare(ctx context.Context, from, to *replica.View) (err error) {
	d.page.From, d.page.To = from.State().Seq, to.State().Seq
	if d.own, err = d.head.own(ctx, min(d.page.From, d.page.To)); err != nil {
		return err
	}
	o := replica.DiffOptions{After: d.after, Creator: func(table int) string { return d.creator(from, to, table) }}
	if d.req.Table != "" {
		t := to.State().Schema.Table(d.req.Table)
		if t == nil {
			t = from.State().Schema.Table(d.req.Table)
		}
		if t == nil {
			return fault.At(fault.NotFound, "table", "there is no table %q", clip(d.req.Table))
		}
		o.Tables = []int{t.Num}
	}
	d.names = tableNames(from.State().Schema, to.State().Schema)
	counts, err := replica.Diff(ctx, from, to, o, d.add)
	if err != nil {
		return err
	}
	for i := range counts {
		d.count(&counts[i])
	}
	return nil
}

// creator is whose rows of a table are shown; empty: everybody's.
func (d *diffReader) creator(from, to *replica.View, table int) string {
	if d.head.grant.Role == access.Owner {
		return ""
	}
	own := d.own(table)
	for _, v := range []*replica.View{from, to} {
		t := v.State().Schema.TableByNum(table)
		own = own || t != nil && t.Access == schema.Own
	}
	if !own {
		return ""
	}
	return d.head.grant.Principal.User.ID
}

// tableNames gives each table one name: the one it has at to, else that at
// from, with its number where another has the same.
func tableNames(from, to *schema.Schema) map[int]string {
	names, used := map[int]string{}, map[string]bool{}
	for _, s := range []*schema.Schema{to, from} {
		for i := range s.Tables {
			t := &s.Tables[i]
			if names[t.Num] != "" {
				continue
			}
			name := t.Name
			if used[name] {
				name = fmt.Sprintf("%s#%d", name, t.Num)
			}
			names[t.Num], used[name] = name, true
		}
	}
	return names
}

func (d *diffReader) count(c *replica.DiffCounts) {
	t := &TableDiff{Added: c.Added, Changed: c.Changed, Removed: c.Removed}
	switch {
	case c.From == nil:
		t.Schema = "created"
	case c.To == nil:
		t.Schema = "dropped"
	default:
		if c.From.Name != c.To.Name {
			t.Was = c.From.Name
		}
		from := *c.From
		from.NextColumn = c.To.NextColumn
		if !from.Equal(c.To) {
			t.Schema = "altered"
		}
	}
	if t.Schema != "" || t.Added+t.Changed+t.Removed > 0 {
		d.page.Tables[d.names[c.Table]] = t
	}
}

// add adds a change to the page, until that is full.
func (d *diffReader) add(c *replica.Change) (bool, error) {
	if len(d.page.Changes) == d.req.Limit {
		return d.end(), nil
	}
	change := d.change(c)
	if d.size += len(change); d.req.MaxBytes > 0 && d.size > d.req.MaxBytes && len(d.page.Changes) > 0 {
		return d.end(), nil
	}
	d.page.Changes = append(d.page.Changes, change)
	d.after = &replica.DiffPosition{Table: c.Table, ID: c.ID}
	return true, nil
}

// end ends the page after the last change in it.
func (d *diffReader) end() bool {
	text := fmt.Sprintf("%d %d %d %s", d.page.From, d.page.To, d.after.Table, d.after.ID)
	d.page.Cursor = base64.RawURLEncoding.EncodeToString([]byte(text))
	return false
}

func (d *diffReader) change(c *replica.Change) json.RawMessage {
	dst := schema.AppendJSON([]byte(`{"table":`), d.names[c.Table])
	dst = schema.AppendJSON(append(dst, `,"id":`...), c.ID)
	dst = schema.AppendJSON(append(dst, `,"kind":`...), string(c.Kind))
	if c.Before != nil && c.After != nil {
		dst = appendNames(append(dst, `,"columns":`...), changedColumns(c))
	}
	if c.Before != nil {
		dst = newRowWriter(c.From).append(append(dst, `,"before":`...), c.Before)
	}
	if c.After != nil {
		dst = newRowWriter(c.To).append(append(dst, `,"after":`...), c.After)
	}
	return append(dst, '}')
}

// changedColumns names the columns whose values differ, as they are called
// now, those that are gone as they were.
func changedColumns(c *replica.Change) []string {
	var names []string
	for i := range c.To.Columns {
		at := slices.IndexFunc(c.From.Columns, func(f schema.Column) bool { return f.Num == c.To.Columns[i].Num })
		var was schema.Value
		if at >= 0 {
			was = c.Before.Values[at]
		}
		if was != c.After.Values[i] {
			names = append(names, c.To.Columns[i].Name)
		}
	}
	for i := range c.From.Columns {
		if c.To.ColumnByNum(c.From.Columns[i].Num) == nil && c.Before.Values[i] != nil {
			names = append(names, c.From.Columns[i].Name)
		}
	}
	return names
}

func appendNames(dst []byte, names []string) []byte {
	dst = append(dst, '[')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = schema.AppendJSON(dst, name)
	}
	return append(dst, ']')
}
