package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
)

// Limits of a page of the inbox.
const (
	DefaultItems = 50
	MaxItems     = 200
	maxUnread    = 1000 // as many of the newest entries are looked at to count the unread
)

// Item is an entry of the inbox. Row is the row as it is now; absent when it is
// gone or does not fit the page.
type Item struct {
	ID         string          `json:"id"`
	Topic      string          `json:"topic"`
	Similarity float64         `json:"similarity"`
	Table      string          `json:"table"`
	RowID      string          `json:"rowId"`
	Row        json.RawMessage `json:"row,omitempty"`
	Version    int64           `json:"version"`
	At         schema.Time     `json:"at"`
	Read       bool            `json:"read"`
}

// Inbox is a page, newest first. Unread counts those among the newest 1,000
// entries.
type Inbox struct {
	Items  []Item `json:"items"`
	Cursor string `json:"cursor,omitempty"`
	Unread int    `json:"unread"`
}

// Page says which entries are wanted: those after Cursor (empty: the newest),
// at most Limit (0: DefaultItems) and about MaxBytes of JSON (0: no bound).
type Page struct {
	Cursor   string
	Limit    int
	MaxBytes int
}

func (p *Page) check() error {
	if p.Limit == 0 {
		p.Limit = DefaultItems
	}
	switch {
	case p.Limit < 0 || p.Limit > MaxItems:
		return fault.At(fault.Invalid, "limit", "a limit is 1 to %d", MaxItems)
	case p.Cursor != "" && !validID(p.Cursor):
		return fault.At(fault.Invalid, "cursor", "this cursor does not belong to the inbox; begin without one")
	}
	return nil
}

// Inbox gives what alerts of p found, newest first. What he may no longer read
// is left out.
func (a *Alerts) Inbox(ctx context.Context, p access.Principal, ref room.Ref, page Page) (Inbox, error) {
	if err := page.check(); err != nil {
		return Inbox{}, err
	}
	var in Inbox
	err := a.Rooms.Read(ctx, p, ref, func(v *room.View) (err error) {
		r := reader{alerts: a, view: v, page: page, inbox: Inbox{Items: []Item{}}}
		if err := r.read(ctx); err != nil {
			return err
		}
		r.inbox.Unread, err = r.unread(ctx)
		in = r.inbox
		return err
	})
	return in, err
}

// reader fills a page of the inbox.
type reader struct {
	alerts *Alerts
	view   *room.View
	page   Page
	inbox  Inbox
	bytes  int
}

func (r *reader) user() string { return r.view.Grant().Principal.User.ID }

// newest calls fn for the entries after a cursor, until it returns false.
func (r *reader) newest(ctx context.Context, cursor string, limit int, fn func(id string, m *match) (bool, error)) error {
	prefix := inboxPrefix(r.user())
	q := store.Query{
		PK: partition(r.view.State().Room), From: prefix, To: prefix + "~", Reverse: true, Limit: limit, Strong: true,
	}
	if cursor != "" {
		q.After = prefix + cursor
	}
	for {
		page, err := r.alerts.Store.Query(ctx, q)
		if err != nil {
			return unavailable("read inbox", err)
		}
		for _, item := range page.Items {
			m, err := decodeMatch(item.Data)
			if err != nil {
				return err
			}
			if !r.visible(m) || r.alerts.expired(item) {
				continue
			}
			if more, err := fn(item.SK[len(prefix):], m); err != nil || !more {
				return err
			}
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
	}
}

func (a *Alerts) expired(item store.Item) bool { return !a.Now().Before(item.Expires) }

// visible applies `own`, the stricter of then and now, since a role may have
// changed.
func (r *reader) visible(m *match) bool {
	t := r.view.State().Schema.TableByNum(m.Table)
	return r.view.Grant().SeesRow(m.Own || t != nil && t.Access == schema.Own, m.Creator)
}

func (r *reader) read(ctx context.Context) error {
	err := r.newest(ctx, r.page.Cursor, r.page.Limit+1, func(id string, m *match) (bool, error) {
		if len(r.inbox.Items) == r.page.Limit {
			r.inbox.Cursor = r.last()
			return false, nil
		}
		item, err := r.item(ctx, id, m)
		if err != nil {
			return false, err
		}
		return r.add(item), nil
	})
	return err
}

func (r *reader) last() string { return r.inbox.Items[len(r.inbox.Items)-1].ID }

// add puts an item onto the page, or ends the page before it. The first is
// always on it, if need be without its row.
func (r *reader) add(item Item) bool {
	const around = 512 // of an item beside its row
	size := len(item.Row) + around
	if r.page.MaxBytes > 0 && r.bytes+size > r.page.MaxBytes {
		if len(r.inbox.Items) > 0 {
			r.inbox.Cursor = r.last()
			return false
		}
		item.Row, size = nil, around
	}
	r.bytes += size
	r.inbox.Items = append(r.inbox.Items, item)
	return true
}

func (r *reader) item(ctx context.Context, id string, m *match) (Item, error) {
	item := Item{
		ID: id, Topic: m.Topic, Similarity: m.Similarity, Table: m.Name, RowID: m.Row, Version: m.Version, At: schema.Time(m.At), Read: m.Read,
	}
	t := r.view.State().Schema.TableByNum(m.Table)
	if t == nil {
		return item, nil
	}
	item.Table = t.Name
	row, err := r.view.Get(ctx, t.Name, m.Row)
	if fault.Is(err, fault.NotFound) {
		return item, nil
	}
	item.Row = row
	return item, err
}

func (r *reader) unread(ctx context.Context) (n int, err error) {
	seen := 0
	err = r.newest(ctx, "", maxUnread, func(_ string, m *match) (bool, error) {
		if !m.Read {
			n++
		}
		seen++
		return seen < maxUnread, nil
	})
	return n, err
}

// MarkRead marks entries of p's inbox as read: those named (at most 1,000), or
// all. It returns how many were unread. Ids of entries that are gone are
// passed over. Errors: invalid for what is no id.
func (a *Alerts) MarkRead(ctx context.Context, p access.Principal, ref room.Ref, ids []string, everything bool) (int, error) {
	if everything == (len(ids) > 0) {
		return 0, fault.New(fault.Invalid, "give either ids or all")
	}
	if len(ids) > maxUnread {
		return 0, fault.At(fault.TooLarge, "ids", "at most %d ids at once", maxUnread)
	}
	for i, id := range ids {
		if !validID(id) {
			return 0, fault.Under("ids", fault.At(fault.Invalid, fmt.Sprintf("[%d]", i), "this is no id of an entry"))
		}
	}
	st, err := a.state(ctx, p, ref)
	if err != nil {
		return 0, err
	}
	if everything {
		return a.markAll(ctx, st.Room, p.User.ID)
	}
	n := 0
	for _, id := range ids {
		item, err := a.Store.Get(ctx, matchKey(st.Room, p.User.ID, id), true)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return n, unavailable("read inbox", err)
		}
		marked, err := a.mark(ctx, item)
		if err != nil {
			return n, err
		}
		n += marked
	}
	return n, nil
}

func (a *Alerts) markAll(ctx context.Context, ulid, user string) (n int, err error) {
	prefix := inboxPrefix(user)
	err = all(ctx, a.Store, partition(ulid), prefix, prefix+"~", func(item store.Item) error {
		marked, err := a.mark(ctx, item)
		n += marked
		return err
	})
	return n, err
}

// mark marks one entry and returns 1 if it was unread. Nothing else of it ever
// changes, so a plain put under the condition that it is there is enough.
func (a *Alerts) mark(ctx context.Context, item store.Item) (int, error) {
	m, err := decodeMatch(item.Data)
	if err != nil || m.Read {
		return 0, err
	}
	m.Read = true
	next := store.Item{Key: item.Key, Expires: item.Expires}
	if next.Data, err = json.Marshal(m); err != nil {
		return 0, err
	}
	err = a.Store.Write(ctx, store.Write{Item: next, If: store.Present})
	var gone *store.ConditionError
	switch {
	case err == nil:
		return 1, nil
	case errors.As(err, &gone):
		return 0, nil
	}
	return 0, unavailable("mark as read", err)
}
