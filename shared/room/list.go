package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
	"nanotypedb/shared/usage"
)

// Limits of a list of rows.
const (
	DefaultRows = 100
	MaxRows     = 1000
	maxFilters  = 20
	maxIn       = 100 // values of one "in"
)

// ListRequest asks for rows. Where holds, by column, a value or an object of
// comparisons; Order is a field, with "-" before it for descending.
type ListRequest struct {
	Table    string                     `json:"table"`
	Limit    int                        `json:"limit,omitempty"` // 0: 100; at most 1000
	Cursor   string                     `json:"cursor,omitempty"`
	Order    string                     `json:"order,omitempty"`
	Where    map[string]json.RawMessage `json:"where,omitempty"`
	MaxBytes int                        `json:"-"` // of Rows; 0: no bound. At least one row is returned, or too_large with useHttp
	Texts    bool                       `json:"-"` // values of Where may be strings for any type, as in a URL
}

// RowPage is a page of rows: Rows is a JSON array in wire form, Count is how
// many rows it holds.
type RowPage struct {
	Rows   json.RawMessage `json:"rows"`
	Cursor string          `json:"cursor,omitempty"`
	Seq    int64           `json:"seq"`
	Count  int             `json:"-"`
}

// List returns a page of rows.
func (v *View) List(ctx context.Context, req ListRequest) (RowPage, error) {
	q, binding, err := v.query(req)
	if err != nil {
		return RowPage{}, err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	buffer := pageBuffers.Get().(*[]byte)
	defer pageBuffers.Put(buffer)
	page := pager{max: req.MaxBytes, limit: limit, order: q.OrderBy, rows: newRowWriter(q.Table), dst: append((*buffer)[:0], '[')}
	if err := v.view.List(ctx, q, page.add); err != nil {
		return RowPage{}, err
	}
	if cap(page.dst) <= maxPageBuffer {
		*buffer = page.dst
	}
	out := RowPage{Rows: append(page.dst, ']'), Seq: v.State().Seq, Count: page.n}
	out.Rows = bytes.Clone(out.Rows) // the buffer is the next page's
	usage.From(ctx).Add(usage.Reads, int64(out.Count))
	if page.more {
		out.Cursor = encodeCursor(binding, page.last())
	}
	return out, nil
}

// pageBuffers are where pages are written before their size is known.
var pageBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPageBuffer is the largest buffer that is kept for another page.
const maxPageBuffer = 256 << 10

// pager writes rows until the page is full.
type pager struct {
	rows  *rowWriter
	max   int
	limit int
	dst   []byte
	n     int
	more  bool
	order string       // the field whose value is in a position
	id    []byte       // of the last row, reused
	value schema.Value // of the last row, but the id
}

// last is the position of the last row of the page.
func (p *pager) last() replica.Position {
	if p.order == "id" {
		p.value = string(p.id)
	}
	return replica.Position{Value: p.value, ID: string(p.id)}
}

func (p *pager) add(row *replica.Cells) (bool, error) {
	if p.n == p.limit {
		p.more = true
		return false, nil
	}
	start := len(p.dst)
	if p.n > 0 {
		p.dst = append(p.dst, ',')
	}
	p.dst = p.rows.appendCells(p.dst, row)
	if p.max > 0 && len(p.dst)+1 > p.max {
		if p.n == 0 {
			return false, fault.New(fault.TooLarge, "a row of %d bytes does not fit a message of %d; read it by HTTP", len(p.dst), p.max).
				With("useHttp", true)
		}
		p.dst, p.more = p.dst[:start], true
		return false, nil
	}
	p.n++
	p.id = row.AppendID(p.id[:0])
	if p.order != "id" {
		p.value = row.Value(p.order)
	}
	return true, nil
}

// query resolves a request. binding is what its cursors are bound to.
func (v *View) query(req ListRequest) (q replica.ListQuery, binding string, err error) {
	t, err := v.table(req.Table)
	if err != nil {
		return q, "", err
	}
	q = replica.ListQuery{Table: t, Limit: req.Limit, OrderBy: strings.TrimPrefix(req.Order, "-"), Descending: strings.HasPrefix(req.Order, "-")}
	if q.Limit == 0 {
		q.Limit = DefaultRows
	}
	if q.Limit < 0 || q.Limit > MaxRows {
		return q, "", fault.At(fault.Invalid, "limit", "a limit is 1 to %d", MaxRows)
	}
	if t.Access == schema.Own && v.grant.Role != access.Owner {
		q.Creator = v.grant.Principal.User.ID
	}
	if err := checkOrder(t, &q, req.Order); err != nil {
		return q, "", err
	}
	if q.Filters, err = parseWhere(t, req.Where, req.Texts); err != nil {
		return q, "", fault.Under("where", err)
	}
	binding = bind(&q)
	if req.Cursor != "" {
		q.After, err = decodeCursor(binding, req.Cursor, fieldColumn(t, q.OrderBy))
	}
	return q, binding, err
}

func checkOrder(t *schema.Table, q *replica.ListQuery, order string) error {
	if order == "" {
		q.OrderBy = "id"
		return nil
	}
	col := fieldColumn(t, q.OrderBy)
	if col == nil {
		return fault.At(fault.Invalid, "order", "table %s has no column %q", t.Name, clip(q.OrderBy))
	}
	if col.Type == schema.JSONType {
		return fault.At(fault.Invalid, "order", "rows cannot be ordered by column %s, whose type is json", col.Name)
	}
	return nil
}

// The fields of every row that are no columns, as columns.
var rowFields = map[string]*schema.Column{
	"id":         {Name: "id", Type: schema.Text},
	"_version":   {Name: "_version", Type: schema.Integer},
	"_createdAt": {Name: "_createdAt", Type: schema.Timestamp},
	"_updatedAt": {Name: "_updatedAt", Type: schema.Timestamp},
	"_createdBy": {Name: "_createdBy", Type: schema.Text},
}

func fieldColumn(t *schema.Table, name string) *schema.Column {
	if c := t.Column(name); c != nil {
		return c
	}
	return rowFields[name]
}

// parseWhere reads filters in order of column and comparison.
func parseWhere(t *schema.Table, where map[string]json.RawMessage, texts bool) ([]replica.Filter, error) {
	names := make([]string, 0, len(where))
	for name := range where {
		names = append(names, name)
	}
	slices.Sort(names)
	var filters []replica.Filter
	for _, name := range names {
		col := fieldColumn(t, name)
		if col == nil {
			return nil, fault.At(fault.Invalid, clip(name), "table %s has no column %q", t.Name, clip(name))
		}
		list, err := parseConditions(col, where[name], texts)
		if err != nil {
			return nil, fault.Under(name, err)
		}
		filters = append(filters, list...)
	}
	if len(filters) > maxFilters {
		return nil, fault.New(fault.TooLarge, "%d conditions are above the limit of %d", len(filters), maxFilters)
	}
	return filters, nil
}

// comparisons by their names on the wire, in the order that filters take.
var comparisons = []replica.Comparison{
	replica.Equal, replica.NotEqual, replica.Greater, replica.GreaterEqual, replica.Less, replica.LessEqual, replica.In, replica.Contains,
}

func parseConditions(col *schema.Column, raw json.RawMessage, texts bool) ([]replica.Filter, error) {
	if strictjson.New(raw).Kind() != strictjson.Object {
		f, err := parseCondition(col, replica.Equal, raw, texts)
		return []replica.Filter{f}, err
	}
	list, err := members(raw)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if !slices.Contains(comparisons, replica.Comparison(m.name)) {
			return nil, fault.At(fault.Invalid, clip(m.name), "this is no comparison; there are eq, ne, gt, gte, lt, lte, in, contains")
		}
	}
	var filters []replica.Filter
	for _, is := range comparisons {
		if raw, ok := list.get(string(is)); ok {
			f, err := parseCondition(col, is, raw, texts)
			if err != nil {
				return nil, fault.Under(string(is), err)
			}
			filters = append(filters, f)
		}
	}
	return filters, nil
}

func parseCondition(col *schema.Column, is replica.Comparison, raw json.RawMessage, texts bool) (replica.Filter, error) {
	f := replica.Filter{Field: col.Name, Is: is}
	plain := schema.Column{Name: col.Name, Type: col.Type, Values: col.Values}
	switch is {
	case replica.In:
		return parseIn(&plain, f, raw, texts)
	case replica.Contains:
		if col.Type != schema.Text && col.Type != schema.Enum && col.Type != schema.Date {
			return f, fault.New(fault.Invalid, "contains takes a column of text; %s is %s", col.Name, col.Type)
		}
		plain = schema.Column{Name: col.Name, Type: schema.Text}
	default:
	}
	v, err := filterValue(&plain, raw, texts)
	if err == nil && v == nil && is != replica.Equal && is != replica.NotEqual {
		err = fault.New(fault.Invalid, "%s takes a value other than null", is)
	}
	if err == nil && col.Type == schema.JSONType && is != replica.Equal && is != replica.NotEqual {
		err = fault.New(fault.Invalid, "a column of json can only be compared by eq, ne and in")
	}
	f.Values = []schema.Value{v}
	return f, err
}

func parseIn(col *schema.Column, f replica.Filter, raw json.RawMessage, texts bool) (replica.Filter, error) {
	var values []json.RawMessage
	if err := intoList(&values, raw); err != nil {
		return f, err
	}
	if len(values) == 0 || len(values) > maxIn {
		return f, fault.New(fault.Invalid, "in takes 1 to %d values", maxIn)
	}
	for i, value := range values {
		v, err := filterValue(col, value, texts)
		if err != nil {
			return f, fault.Under(fmt.Sprintf("[%d]", i), err)
		}
		f.Values = append(f.Values, v)
	}
	return f, nil
}

// filterValue brings a value to compare with into canonical form. With texts,
// a string is also taken for the JSON that it holds.
func filterValue(col *schema.Column, raw json.RawMessage, texts bool) (schema.Value, error) {
	v, err := schema.Canonical(col, raw)
	if err == nil || !texts {
		return v, bare(err)
	}
	var text string
	if intoString(&text, raw) != nil {
		return nil, bare(err)
	}
	if inner, innerErr := schema.Canonical(col, json.RawMessage(text)); innerErr == nil {
		return inner, nil
	}
	return nil, bare(err)
}

// bare takes the path from an error about a column: the caller names it.
func bare(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Path != "" {
		c := *f
		c.Path = ""
		return &c
	}
	return err
}
