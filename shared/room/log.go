package room

import (
	"context"
	"encoding/json"
	"errors"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
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
	page := LogPage{Commits: []json.RawMessage{}}
	err := e.inRoom(ctx, ref, func(ulid string) error {
		r, release, err := e.acquire(ctx, ulid)
		if err != nil {
			return err
		}
		defer release()
		st, grant, err := e.head(ctx, p, r, ulid)
		if err != nil {
			return err
		}
		page = LogPage{Commits: []json.RawMessage{}, Seq: st.Seq}
		if since >= st.Seq {
			page.Reset = since > st.Seq // not a seq of this room
			return nil
		}
		l := logReader{engine: e, replica: r, state: st, limit: limit, maxBytes: maxBytes, page: &page,
			viewer: Viewer{User: grant.Principal.User.ID, Role: grant.Role}}
		return l.read(ctx, since)
	})
	return page, err
}

// head brings a replica to the head of the log, for a member.
func (e *Engine) head(ctx context.Context, p access.Principal, r *replica.Replica, ulid string) (*replica.State, access.Grant, error) {
	if err := e.limit(ctx, r.State(), p, access.Reads, 1); err != nil {
		return nil, access.Grant{}, err
	}
	if err := e.catchUp(ctx, ulid, r); err != nil {
		return nil, access.Grant{}, err
	}
	st := r.State()
	grant, err := admit(st, p)
	return st, grant, err
}

// logReader fills a page of the log. It reads the log by pages of the store
// and keeps none of them, so that large commits do not add up in memory.
type logReader struct {
	engine   *Engine
	replica  *replica.Replica
	state    *replica.State
	viewer   Viewer
	limit    int
	maxBytes int
	page     *LogPage
	size     int
}

// smallRead is how many commits are read at once for a page bounded in bytes.
const smallRead = 64

func (l *logReader) read(ctx context.Context, since int64) error {
	last := since
	for len(l.page.Commits) < l.limit && last < l.state.Seq {
		n := min(l.limit-len(l.page.Commits), int(min(l.state.Seq-last, MaxCommits)))
		if l.maxBytes > 0 {
			n = min(n, smallRead)
		}
		full, err := l.chunk(ctx, last, n)
		if err != nil || full || l.page.Reset {
			return err
		}
		last = since + int64(len(l.page.Commits))
	}
	l.page.More = last < l.state.Seq
	return nil
}

// chunk adds at most n commits after a seq. full tells that the page has
// ended, with More and Reset set.
func (l *logReader) chunk(ctx context.Context, after int64, n int) (full bool, err error) {
	entries, _, _, err := commitlog.Read(ctx, l.engine.store, l.state.Room, after, n)
	var gap *commitlog.GapError
	if errors.As(err, &gap) || err == nil && len(entries) == 0 {
		l.end(true)
		return true, nil
	}
	if err != nil {
		return true, err
	}
	st, known, err := StateAt(ctx, l.replica, l.state, entries[len(entries)-1].Seq)
	if err != nil {
		return true, err
	}
	if !known {
		l.end(true)
		return true, nil
	}
	for i, named := range Rewind(entries, st) {
		if full, err := l.add(entries[i], named); full || err != nil {
			return true, err
		}
	}
	return false, nil
}

// end ends a page before a commit. One that resets the caller is told by the
// page that begins with it.
func (l *logReader) end(reset bool) {
	l.page.Reset = reset && len(l.page.Commits) == 0
	l.page.More = !l.page.Reset
}

func (l *logReader) add(entry *commitlog.Entry, named *replica.State) (full bool, err error) {
	shown := show(entry, named.Schema, l.state.Schema, l.viewer)
	if shown.Reset != "" {
		l.end(true)
		return true, nil
	}
	l.size += len(shown.Commit) + 1
	if l.maxBytes > 0 && l.size > l.maxBytes {
		if len(l.page.Commits) == 0 {
			return true, fault.New(fault.TooLarge, "commit %d has %d bytes, more than a message of %d can hold; read it by HTTP",
				entry.Seq, len(shown.Commit), l.maxBytes).With("useHttp", true)
		}
		l.end(false)
		return true, nil
	}
	l.page.Commits = append(l.page.Commits, shown.Commit)
	return false, nil
}
