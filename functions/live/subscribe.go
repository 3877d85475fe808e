package live

import (
	"context"
	"encoding/json"
	"fmt"

	"nanotypedb/shared/audience"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/push"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
)

// maxPresence is how many bytes of an answer the list of people may take.
const maxPresence = 8 << 10

type subscription struct {
	Tables     []string `json:"tables,omitempty"`
	Since      *int64   `json:"since,omitempty"`
	IndexSince *int64   `json:"indexSince,omitempty"`
}

// subscribed is the answer. When the last of Indexed falls short of Index, the
// client reads the rows' _vector anew.
type subscribed struct {
	Seq        int64             `json:"seq"`
	Index      int64             `json:"index"`
	Commits    []json.RawMessage `json:"commits,omitempty"`
	Indexed    []room.IndexEntry `json:"indexed,omitempty"`
	More       bool              `json:"more,omitempty"`
	Reset      bool              `json:"reset,omitempty"`
	Presence   []audience.Person `json:"presence"`
	Connection string            `json:"connection"`
}

// subscribe registers the connection as a listener before it reads what was
// missed: a commit that comes in between is told twice rather than never.
func subscribe(ctx context.Context, h *Handler, c call) (answer, error) {
	var req subscription
	if err := c.request.Decode(&req); err != nil {
		return answer{}, err
	}
	if err := h.mayListen(ctx, c.connection, req); err != nil {
		return answer{}, err
	}
	people, err := h.Audience.Subscribe(ctx, c.connection, req.Tables)
	if err != nil {
		return answer{}, err
	}
	out := subscribed{Presence: fitting(people), Connection: c.connection.ID}
	if err := h.catchUp(ctx, c.connection, req, &out); err != nil {
		return answer{}, err
	}
	h.Audience.Started(c.connection.Room, out.Seq)
	if err := h.catchUpIndex(ctx, c.connection, req, &out); err != nil {
		return answer{}, err
	}
	return result(out, nil)
}

// mayListen checks the role and the tables, before anybody is told that
// somebody came.
func (h *Handler) mayListen(ctx context.Context, c *audience.Connection, req subscription) error {
	if len(req.Tables) > schema.MaxTables {
		return fault.At(fault.TooLarge, "tables", "A room has at most %d tables.", schema.MaxTables)
	}
	for name, since := range map[string]*int64{"since": req.Since, "indexSince": req.IndexSince} {
		if since != nil && *since < 0 {
			return fault.At(fault.Invalid, name, "This is a seq, 0 or above.")
		}
	}
	return h.Rooms.Read(ctx, c.Principal(), c.Ref(), func(v *room.View) error {
		for i, table := range req.Tables {
			if v.State().Schema.Table(table) == nil {
				return fault.At(fault.NotFound, fmt.Sprintf("tables[%d]", i), "There is no such table in this room.")
			}
		}
		return nil
	})
}

// catchUp fills in the missed commits, as far as they fit a message, or the
// head when none are asked for.
func (h *Handler) catchUp(ctx context.Context, c *audience.Connection, req subscription, out *subscribed) (err error) {
	if req.Since == nil {
		out.Seq, err = h.Rooms.Head(ctx, c.Room)
		return err
	}
	page, err := h.Rooms.Log(ctx, c.Principal(), c.Ref(), *req.Since, room.MaxCommits, push.MaxMessage-maxPresence-envelope)
	if fault.Is(err, fault.TooLarge) {
		// The first commit fills more than this answer: log.read tells it, or
		// says that it is read by HTTP.
		out.More = true
		out.Seq, err = h.Rooms.Head(ctx, c.Room)
		return err
	}
	if err != nil {
		return err
	}
	out.Seq, out.More, out.Reset = page.Seq, page.More, page.Reset
	out.Commits, err = onlyTables(page.Commits, req.Tables)
	return err
}

// catchUpIndex fills in the missed entries of the index log, as far as there is
// room beside the commits.
func (h *Handler) catchUpIndex(ctx context.Context, c *audience.Connection, req subscription, out *subscribed) error {
	left := push.MaxMessage - maxPresence - envelope
	for _, commit := range out.Commits {
		left -= len(commit) + 1
	}
	page, err := h.Rooms.Index(ctx, c.Principal(), c.Ref(), req.IndexSince, named(req.Tables), left)
	out.Index, out.Indexed = page.N, page.Entries
	return err
}

// named is a set of tables; nil: all.
func named(tables []string) map[string]bool {
	if tables == nil {
		return nil
	}
	set := make(map[string]bool, len(tables))
	for _, table := range tables {
		set[table] = true
	}
	return set
}

// fitting cuts the list of people to maxPresence bytes.
func fitting(people []audience.Person) []audience.Person {
	size := 0
	for i, p := range people {
		raw, err := json.Marshal(p)
		if size += len(raw) + 1; err != nil || size > maxPresence {
			return people[:i]
		}
	}
	return people
}

func unsubscribe(ctx context.Context, h *Handler, c call) (answer, error) {
	if err := c.request.Decode(&nothing{}); err != nil {
		return answer{}, err
	}
	return answer{result: empty}, h.Audience.Unsubscribe(ctx, c.connection)
}

// onlyTables takes from commits what is about other tables, as the broadcast
// does for a subscription to some.
func onlyTables(commits []json.RawMessage, tables []string) ([]json.RawMessage, error) {
	if tables == nil {
		return commits, nil
	}
	wanted := named(tables)
	for i, raw := range commits {
		cut, err := cutCommit(raw, wanted)
		if err != nil {
			return nil, fmt.Errorf("cut commit: %w", err)
		}
		commits[i] = cut
	}
	return commits, nil
}

type wireCommit struct {
	Seq      int64             `json:"seq"`
	At       string            `json:"at,omitempty"`
	By       string            `json:"by,omitempty"`
	CommitID string            `json:"commitId,omitempty"`
	Kind     string            `json:"kind,omitempty"`
	Ops      []json.RawMessage `json:"ops"`
}

func cutCommit(raw json.RawMessage, wanted map[string]bool) (json.RawMessage, error) {
	var c wireCommit
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	kept := []json.RawMessage{}
	for _, op := range c.Ops {
		var about struct{ Op, Table, Name string }
		if err := json.Unmarshal(op, &about); err != nil {
			return nil, err
		}
		if about.Table == "" || wanted[about.Table] || about.Op == "alterTable" && wanted[about.Name] {
			kept = append(kept, op)
		}
	}
	switch {
	case len(kept) == len(c.Ops):
		return raw, nil
	case len(kept) == 0:
		c = wireCommit{Seq: c.Seq}
	}
	c.Ops = kept
	return json.Marshal(c)
}
