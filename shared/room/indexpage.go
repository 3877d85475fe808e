package room

import (
	"context"
	"errors"

	"nanotypedb/shared/access"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// IndexPage tells how far a room's index log goes, and what its entries after
// an earlier point were about, from that point on without a gap. The caller
// who wants all compares the last of Entries with N: he reads the rows anew
// when it falls short.
type IndexPage struct {
	N       int64
	Entries []IndexEntry
}

// IndexEntry is an entry of the index log as one member sees it. Vector is what
// became of the row's present text.
type IndexEntry struct {
	N    int64      `json:"n"`
	Rows []IndexRow `json:"rows"`
}

// IndexRow is a row that an entry is about.
type IndexRow struct {
	Table  string `json:"table"`
	ID     string `json:"id"`
	Vector string `json:"vector"`
}

// Limits of a page of the index log.
const (
	maxIndexEntries = 100
	maxIndexRows    = 1000
	rowOverhead     = len(`{"table":"","id":"","vector":"indexed"},`)
	entryOverhead   = len(`{"n":1234567890123456,"rows":[]},`)
)

// Index gives what p may see of the index log after since (nil: only how far it
// goes), of some tables (nil: all), up to about maxBytes of JSON. It knows
// every entry that was appended before the call. It is a part of subscribing,
// which counts as reads already.
func (e *Engine) Index(ctx context.Context, p access.Principal, ref Ref, since *int64, tables map[string]bool, maxBytes int) (IndexPage, error) {
	var page IndexPage
	err := e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		if err := e.catchUp(ctx, ulid, r); err != nil {
			return err
		}
		grant, err := admit(r.State(), p)
		if err != nil {
			return err
		}
		entries, n, err := e.indexAfter(ctx, r, since)
		if err != nil {
			return err
		}
		return e.view(ctx, r, func(v *replica.View) error {
			w := indexWriter{view: v, grant: grant, tables: tables, left: maxBytes}
			page, err = w.page(ctx, entries, n)
			return err
		})
	})
	return page, err
}

// indexAfter finds the newest n, brings the replica up to it, and reads the
// entries after since: none when some are no longer kept, or they are many.
func (e *Engine) indexAfter(ctx context.Context, r *replica.Replica, since *int64) (entries []*indexlog.Entry, n int64, err error) {
	ulid := r.State().Room
	n, err = indexlog.Head(ctx, e.store, ulid)
	if err != nil {
		return nil, 0, err
	}
	if err := r.CatchUpIndexTo(ctx, n); err != nil {
		return nil, 0, err
	}
	if since == nil || n-*since > maxIndexEntries {
		return nil, n, nil
	}
	for from := *since; from < n; from = entries[len(entries)-1].N {
		page, _, err := indexlog.Read(ctx, e.store, ulid, from, int(n-from), true)
		var gap *indexlog.GapError
		if errors.As(err, &gap) || err == nil && len(page) == 0 {
			return nil, n, nil // removed, as a checkpoint covers them
		}
		if err != nil {
			return nil, 0, err
		}
		entries = append(entries, page...)
	}
	return entries, n, nil
}

// indexWriter shows entries to one member.
type indexWriter struct {
	view   *replica.View
	grant  access.Grant
	tables map[string]bool
	left   int // bytes
	rows   int
}

func (w *indexWriter) page(ctx context.Context, entries []*indexlog.Entry, n int64) (IndexPage, error) {
	page := IndexPage{N: n}
	for _, e := range entries {
		if e.Reset && e.N > 1 { // which is about all rows
			return IndexPage{N: n}, nil
		}
		shown, err := w.entry(ctx, e)
		if err != nil {
			return page, err
		}
		if w.left < 0 || w.rows > maxIndexRows {
			return page, nil
		}
		page.Entries = append(page.Entries, shown)
	}
	return page, nil
}

func (w *indexWriter) entry(ctx context.Context, e *indexlog.Entry) (IndexEntry, error) {
	shown := IndexEntry{N: e.N, Rows: []IndexRow{}}
	w.left -= entryOverhead
	for i := range e.Texts {
		for _, ref := range e.Texts[i].Rows {
			if w.left < 0 {
				return shown, nil
			}
			row, ok, err := w.row(ctx, ref)
			if err != nil {
				return shown, err
			}
			if ok {
				shown.Rows = append(shown.Rows, row)
				w.left -= rowOverhead + len(row.Table) + len(row.ID)
			}
			w.rows++
		}
	}
	return shown, nil
}

// row tells what became of a row's text, if it still has one and the member
// may see it.
func (w *indexWriter) row(ctx context.Context, ref indexlog.RowRef) (IndexRow, bool, error) {
	t := w.view.State().Schema.TableByNum(ref.Table)
	if t == nil || w.tables != nil && !w.tables[t.Name] {
		return IndexRow{}, false, nil
	}
	text, hash, row, ok, err := w.view.RowText(ctx, ref.Table, ref.ID)
	if err != nil || !ok || text == "" || !w.grant.SeesRow(t.Access == schema.Own, row.CreatedBy) {
		return IndexRow{}, false, err
	}
	state, err := w.view.TextState(ctx, hash)
	return IndexRow{t.Name, ref.ID, state.String()}, err == nil, err
}
