package room

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// Limits of a page of the log.
const (
	DefaultCommits = 100
	MaxCommits     = 1000
)

// LogPage is a page of a room's log. Seq is the head. Reset: the caller must
// load the tables anew, Commits is empty.
type LogPage struct {
	Commits []json.RawMessage `json:"commits"`
	Seq     int64             `json:"seq"`
	More    bool              `json:"more"`
	Reset   bool              `json:"reset,omitempty"`
}

// Log returns p's view of the commits after since, contiguous, at most limit
// and about maxBytes of JSON (0: no bound). A page ends before a commit that
// resets the caller; the page after it says so. Errors: too_large with useHttp
// when the first commit alone is above maxBytes.
func (e *Engine) Log(ctx context.Context, p access.Principal, ref Ref, since int64, limit, maxBytes int) (LogPage, error) {
	if limit == 0 {
		limit = DefaultCommits
	}
	if limit < 0 || limit > MaxCommits {
		return LogPage{}, fault.At(fault.Invalid, "limit", "a limit is 1 to %d", MaxCommits)
	}
	if since < 0 {
		return LogPage{}, fault.At(fault.Invalid, "since", "since is a seq, 0 or above")
	}
	var page LogPage
	err := e.inRoom(ctx, ref, func(ulid string) error {
		st, grant, err := e.head(ctx, p, ulid)
		if err != nil {
			return err
		}
		viewer := Viewer{User: grant.Principal.User.ID, Role: grant.Role}
		page, err = e.logPage(ctx, st, viewer, since, limit, maxBytes)
		return err
	})
	return page, err
}

// head gives the newest state of a room, for a member.
func (e *Engine) head(ctx context.Context, p access.Principal, ulid string) (*replica.State, access.Grant, error) {
	r, release, err := e.acquire(ctx, ulid)
	if err != nil {
		return nil, access.Grant{}, err
	}
	defer release()
	if err := e.limit(ctx, r.State(), p, access.Reads); err != nil {
		return nil, access.Grant{}, err
	}
	if err := e.catchUp(ctx, ulid, r); err != nil {
		return nil, access.Grant{}, err
	}
	st := r.State()
	grant, err := admit(st, p)
	return st, grant, err
}

func (e *Engine) logPage(ctx context.Context, st *replica.State, viewer Viewer, since int64, limit, maxBytes int) (LogPage, error) {
	page := LogPage{Commits: []json.RawMessage{}, Seq: st.Seq}
	if since >= st.Seq {
		page.Reset = since > st.Seq // not a seq of this room
		return page, nil
	}
	entries, err := e.entries(ctx, st, since, limit)
	if err != nil {
		return page, err
	}
	if entries == nil {
		page.Reset = true
		return page, nil
	}
	schemas, ok, err := e.schemasAfter(ctx, st, entries)
	if err != nil {
		return page, err
	}
	if !ok {
		page.Reset = true
		return page, nil
	}
	size := 0
	for i, entry := range entries {
		shown := show(entry, schemas[i], st.Schema, viewer)
		if shown.Reset != "" {
			page.Reset, page.More = i == 0, i > 0
			return page, nil
		}
		if size += len(shown.Commit) + 1; maxBytes > 0 && size > maxBytes {
			if i == 0 {
				return page, fault.New(fault.TooLarge, "commit %d has %d bytes, more than a message of %d can hold; read it by HTTP",
					entry.Seq, len(shown.Commit), maxBytes).With("useHttp", true)
			}
			page.More = true
			return page, nil
		}
		page.Commits = append(page.Commits, shown.Commit)
	}
	page.More = entries[len(entries)-1].Seq < st.Seq
	return page, nil
}

// entries reads the log after since, no further than st; nil when it no
// longer reaches back.
func (e *Engine) entries(ctx context.Context, st *replica.State, since int64, limit int) ([]*commitlog.Entry, error) {
	limit = int(min(int64(limit), st.Seq-since))
	var all []*commitlog.Entry
	for len(all) < limit {
		page, _, more, err := commitlog.Read(ctx, e.store, st.Room, since+int64(len(all)), limit-len(all))
		var gap *commitlog.GapError
		if errors.As(err, &gap) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if !more || len(page) == 0 {
			break
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// history remembers the entries of a room that changed its schema, for a
// part of its log.
type history struct {
	mu            sync.Mutex
	from, through int64 // it covers the entries after from up to through
	alters        []*commitlog.Entry
}

// maxScan is how many entries are looked through for schema changes. Who is
// further behind the newest change is told to load anew.
const maxScan = 20_000

// schemasAfter gives the names of tables and columns right after each entry,
// going back from the present schema over all that changed it since. It
// returns false when that is too far.
func (e *Engine) schemasAfter(ctx context.Context, st *replica.State, entries []*commitlog.Entry) ([]*schema.Schema, bool, error) {
	last := entries[len(entries)-1].Seq
	alters, ok, err := e.alterations(ctx, st, last)
	if err != nil || !ok {
		return nil, false, err
	}
	names := st.Schema
	for _, entry := range slices.Backward(alters) {
		names = before(entry, names)
	}
	schemas := make([]*schema.Schema, len(entries))
	for i, entry := range slices.Backward(entries) {
		schemas[i] = names
		names = before(entry, names)
	}
	return schemas, true, nil
}

// alterations lists the entries after seq, up to st, that changed the schema.
func (e *Engine) alterations(ctx context.Context, st *replica.State, seq int64) ([]*commitlog.Entry, bool, error) {
	if seq >= st.SchemaSeq {
		return nil, true, nil // the present names
	}
	h := &e.room(st.Room).history
	h.mu.Lock()
	defer h.mu.Unlock()
	if seq < h.from || h.through == 0 || seq > h.through {
		h.from, h.through, h.alters = seq, seq, nil
	}
	if st.SchemaSeq-h.through > maxScan {
		return nil, false, nil
	}
	for h.through < st.SchemaSeq {
		page, _, _, err := commitlog.Read(ctx, e.store, st.Room, h.through, int(min(1000, st.SchemaSeq-h.through)))
		var gap *commitlog.GapError
		if errors.As(err, &gap) || err == nil && len(page) == 0 {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		for _, entry := range page {
			if changesSchema(entry) {
				h.alters = append(h.alters, entry)
			}
		}
		h.through = page[len(page)-1].Seq
	}
	var alters []*commitlog.Entry
	for _, entry := range h.alters {
		if entry.Seq > seq && entry.Seq <= st.Seq {
			alters = append(alters, entry)
		}
	}
	return alters, true, nil
}

func changesSchema(e *commitlog.Entry) bool {
	for i := range e.Ops {
		switch e.Ops[i].Kind {
		case commitlog.CreateTable, commitlog.AlterTable, commitlog.DropTable:
			return true
		default:
		}
	}
	return false
}
