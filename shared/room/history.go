package room

import (
	"context"
	"encoding/json"
	"slices"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/usage"
)

// Limits of a page of a row's history.
const (
	DefaultHistory = 50
	MaxHistory     = 200

	maxRebuilds   = 4      // commits of a page whose values take the room as it was before them
	maxSearched   = 20_000 // commits looked through for the last of a row that is gone
	searchedChunk = 500
)

// HistoryRequest asks for the changes of a row before a seq (0: all).
type HistoryRequest struct {
	Table  string
	ID     string
	Before int64
	Limit  int
}

// RowChange is what one commit did to a row. Kind is insert, update or delete;
// load for bulk content, alter for a change of the table that changed the
// row's values. Columns are called as they are now; those that are gone are
// left out.
type RowChange struct {
	Seq    int64                 `json:"seq"`
	At     string                `json:"at"`
	By     string                `json:"by"`
	Kind   string                `json:"kind"`
	Undoes int64                 `json:"undoes,omitempty"`
	Cells  map[string]CellChange `json:"cells"`
}

// CellChange is the value of a cell before and after a commit.
type CellChange struct {
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// HistoryPage is a row's changes, the newest first. More: ask again with
// before set to the last seq. Cut: what was before is no longer kept.
type HistoryPage struct {
	Changes []RowChange `json:"changes"`
	More    bool        `json:"more"`
	Cut     bool        `json:"cut,omitempty"`
}

// History tells who changed which cell of a row when, also of one that is
// gone. Each change in the log names the one before it, so it costs one read a
// change. Errors: not_found when there is and was no such row, as far as p may
// see.
func (e *Engine) History(ctx context.Context, p access.Principal, ref Ref, req HistoryRequest) (HistoryPage, error) {
	if req.Limit == 0 {
		req.Limit = DefaultHistory
	}
	if req.Limit < 0 || req.Limit > MaxHistory {
		return HistoryPage{}, fault.At(fault.Invalid, "limit", "a limit is 1 to %d", MaxHistory)
	}
	if req.Before < 0 {
		return HistoryPage{}, fault.At(fault.Invalid, "before", "it is a seq, 0 or above")
	}
	if err := schema.ValidRowID(req.ID); err != nil {
		return HistoryPage{}, fault.Under("id", err)
	}
	page := HistoryPage{Changes: []RowChange{}}
	err := e.inPast(ctx, p, ref, func(h *present) error {
		t := h.state.Schema.Table(req.Table)
		if t == nil {
			return fault.At(fault.NotFound, "table", "there is no table %q", clip(req.Table))
		}
		r := &historian{head: h, table: t, key: rowKey{t.Num, req.ID}, limit: req.Limit, page: &page}
		err := r.read(ctx, req.Before)
		usage.From(ctx).Add(usage.Reads, int64(len(page.Changes)))
		return err
	})
	return page, err
}

type historian struct {
	head     *present
	table    *schema.Table
	key      rowKey
	limit    int
	rebuilds int
	page     *HistoryPage
}

func (r *historian) read(ctx context.Context, before int64) error {
	version, err := r.start(ctx, before)
	if err != nil {
		return err
	}
	for version > 0 {
		if len(r.page.Changes) == r.limit || r.rebuilds >= maxRebuilds {
			r.page.More = true
			break
		}
		next, err := r.step(ctx, version)
		if fault.Is(err, fault.NotFound) && len(r.page.Changes) > 0 {
			r.page.Cut = true
			break
		}
		if err != nil {
			return err
		}
		version = next
	}
	if before == 0 && len(r.page.Changes) == 0 {
		return errNoRow
	}
	return nil
}

// start finds the newest commit that changed the row, before a seq.
func (r *historian) start(ctx context.Context, before int64) (int64, error) {
	if before > r.head.state.Seq {
		before = 0
	}
	if before > 0 {
		probe := historian{head: r.head, table: r.table, key: r.key, page: &HistoryPage{}}
		return probe.step(ctx, before)
	}
	version := int64(0)
	err := r.head.replica.View(ctx, func(v *replica.View) error {
		if v.State().Schema.TableByNum(r.key.table) == nil {
			return nil
		}
		row, found, err := v.Row(ctx, r.key.table, r.key.id)
		if found && !r.sees(false, row.CreatedBy) {
			return errNoRow
		}
		version = row.Version
		return err
	})
	if version > 0 || err != nil {
		return version, err
	}
	return r.search(ctx)
}

// search looks backwards for the last commit of a row that is gone.
func (r *historian) search(ctx context.Context) (int64, error) {
	st := r.head.state
	for end := st.Seq; end > 0 && st.Seq-end < maxSearched; end -= searchedChunk {
		after := max(0, end-searchedChunk)
		for after < end {
			entries, err := r.head.engine.replicas.Entries(ctx, st.Room, after, int(end-after))
			if err != nil {
				return 0, errNoRow
			}
			found := int64(0)
			for _, e := range entries {
				if lastOf(e, r.key) != nil {
					found = e.Seq
				}
				after = e.Seq
			}
			if found > 0 && after >= end {
				return found, nil
			}
			if found > 0 {
				end = min(end, after) // the rest of the chunk may hold a later one
				if later, err := r.within(ctx, after, end); later > 0 || err != nil {
					return max(later, found), err
				}
				return found, nil
			}
		}
	}
	return 0, errNoRow
}

// within finds the last commit of the row between two seqs.
func (r *historian) within(ctx context.Context, after, end int64) (found int64, err error) {
	for after < end {
		entries, err := r.head.engine.replicas.Entries(ctx, r.head.state.Room, after, int(end-after))
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			if lastOf(e, r.key) != nil {
				found = e.Seq
			}
			after = e.Seq
		}
	}
	return found, nil
}

func (r *historian) sees(own bool, creator string) bool {
	return r.head.grant.SeesRow(own || r.table.Access == schema.Own, creator)
}

// step adds the change of one commit, and gives the version before it.
func (r *historian) step(ctx context.Context, seq int64) (int64, error) {
	entry, err := r.head.engine.replicas.Entry(ctx, r.head.state.Room, seq)
	if err != nil {
		return 0, err
	}
	var ops []*commitlog.Op
	for i := range entry.Ops {
		if op := &entry.Ops[i]; op.ID == r.key.id && op.Table == r.key.table {
			ops = append(ops, op)
		}
	}
	altered := len(ops) > 0 && ops[0].OldVersion == seq // the same commit had changed the row by an alteration before
	if len(ops) == 0 || altered || entry.Kind == commitlog.Load || slices.ContainsFunc(ops, func(op *commitlog.Op) bool { return op.OldOmitted }) {
		return r.rebuilt(ctx, entry, ops)
	}
	for _, op := range ops {
		if !r.sees(op.Own, op.Creator) {
			return 0, errNoRow
		}
	}
	first := ops[0]
	r.told(entry, kindOf(entry, ops), cellsOf(ops, true), cellsOf(ops, false))
	if first.Kind == commitlog.Insert {
		return first.OldVersion, nil
	}
	return first.OldVersion, nil
}

func kindOf(e *commitlog.Entry, ops []*commitlog.Op) string {
	first, last := ops[0].Kind, ops[len(ops)-1].Kind
	switch {
	case e.Kind == commitlog.Load:
		return "load"
	case last == commitlog.Delete:
		return "delete"
	case first == commitlog.Insert:
		return "insert"
	default:
		return "update"
	}
}

// cellsOf gives the values of the columns that operations touched, before the
// first or after the last of them.
func cellsOf(ops []*commitlog.Op, before bool) map[int]schema.Value {
	values := map[int]schema.Value{}
	for _, op := range ops {
		if op.Kind != commitlog.Update && !before { // a whole row, or none
			for num := range values {
				values[num] = nil
			}
		}
		for _, cell := range op.Old {
			if _, known := values[cell.Num]; before && !known {
				values[cell.Num] = cell.Value
			} else if !before {
				values[cell.Num] = nil
			}
		}
		for _, cell := range op.Set {
			if _, known := values[cell.Num]; before && !known {
				values[cell.Num] = nil
			} else if !before {
				values[cell.Num] = cell.Value
			}
		}
	}
	return values
}

// told adds a change, columns called as now.
func (r *historian) told(entry *commitlog.Entry, kind string, before, after map[int]schema.Value) {
	c := RowChange{Seq: entry.Seq, At: entry.At.String(), By: entry.By, Kind: kind, Undoes: entry.Undoes, Cells: map[string]CellChange{}}
	for i := range r.table.Columns {
		col := &r.table.Columns[i]
		if was, is := before[col.Num], after[col.Num]; was != is {
			c.Cells[col.Name] = CellChange{Before: schema.AppendJSON(nil, was), After: schema.AppendJSON(nil, is)}
		}
	}
	r.page.Changes = append(r.page.Changes, c)
}

// rebuilt is a change whose values the log does not have: they are found in
// the room as it was before and after.
func (r *historian) rebuilt(ctx context.Context, entry *commitlog.Entry, ops []*commitlog.Op) (int64, error) {
	r.rebuilds++
	was, before, err := r.row(ctx, entry.Seq-1)
	if err != nil {
		return 0, err
	}
	is, after, err := r.row(ctx, entry.Seq)
	if err != nil {
		return 0, err
	}
	for _, row := range []*replica.Row{was, is} {
		if row != nil && !r.sees(false, row.CreatedBy) {
			return 0, errNoRow
		}
	}
	kind := "alter"
	switch {
	case entry.Kind == commitlog.Load:
		kind = "load"
	case len(ops) > 0:
		kind = kindOf(entry, ops)
	}
	r.told(entry, kind, before, after)
	if was == nil {
		return 0, nil
	}
	return was.Version, nil
}

// row gives a row, and its values by column, as it was at a seq.
func (r *historian) row(ctx context.Context, seq int64) (*replica.Row, map[int]schema.Value, error) {
	var row *replica.Row
	values := map[int]schema.Value{}
	if seq < 1 {
		return nil, values, nil
	}
	past, release, err := r.head.engine.replicas.At(ctx, r.head.state.Room, seq)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	err = past.View(ctx, func(v *replica.View) error {
		t := v.State().Schema.TableByNum(r.key.table)
		if t == nil {
			return nil
		}
		was, found, err := v.Row(ctx, r.key.table, r.key.id)
		if err != nil || !found {
			return err
		}
		if t.Access == schema.Own && !r.sees(true, was.CreatedBy) {
			return errNoRow
		}
		row = &was
		for i, value := range was.Values {
			values[t.Columns[i].Num] = value
		}
		return nil
	})
	return row, values, err
}
