package audience

import (
	"context"
	"encoding/json"
	"strconv"

	"nanotypedb/shared/access"
	"nanotypedb/shared/identity"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/wire"
)

// Tell sends a notification to every connection of a user to a room, whether
// it listens to commits or not. Nobody is there: nothing is kept. Errors: only
// that the connections could not be found.
func (a *Audience) Tell(ctx context.Context, ulid, user, method string, params json.RawMessage) error {
	ctx = context.WithoutCancel(ctx)
	present, err := a.Registry.InRoom(ctx, ulid)
	if err != nil {
		return unavailable("read who is here", err)
	}
	l := letter{frames: [][]byte{wire.AppendNotification(nil, method, params)}}
	var sending sends
	defer a.settle(ctx, &sending)
	for _, c := range present {
		if c.User.ID == user {
			a.enqueue(ctx, c, l, &sending)
		}
	}
	return nil
}

// IndexedRow is what became of a row's text: Vector is indexed, failed or
// pending, and Creator who made the row.
type IndexedRow struct {
	Table   int
	ID      string
	Creator string
	Vector  string
}

// TellIndex tells the room's listeners of entry n of its index log, each of the
// rows that he may see and listens to; nobody misses an n, though it may be
// without rows. An entry that does not fit a message is not told: a client
// sees by the next that n is missing, and subscribes again. st is a state of
// the room that is not older than the rows. Errors: only that the listeners
// could not be found.
func (a *Audience) TellIndex(ctx context.Context, st *replica.State, n int64, rows []IndexedRow) error {
	ctx = context.WithoutCancel(ctx)
	listeners, err := a.Registry.InRoom(ctx, st.Room)
	if err != nil {
		return unavailable("read who listens", err)
	}
	e := indexEntry{n: n, rows: rows, state: st, rendered: map[string]letter{}}
	var sending sends
	defer a.settle(ctx, &sending)
	for _, c := range listeners {
		_, member := st.Members[c.User.ID]
		if c.Subscribed && member {
			a.enqueue(ctx, c, e.letter(c), &sending)
		}
	}
	return nil
}

// indexEntry renders one entry once for all who may see the same of it.
type indexEntry struct {
	n        int64
	rows     []IndexedRow
	state    *replica.State
	rendered map[string]letter
}

func (e *indexEntry) letter(c *Connection) letter {
	viewer := c.viewer(e.state)
	grant := access.Grant{Principal: access.Principal{User: identity.User{ID: viewer.User}}, Role: viewer.Role}
	seen := make([]byte, len(e.rows))
	for i := range e.rows {
		t := e.state.Schema.TableByNum(e.rows[i].Table)
		if t != nil && (viewer.Tables == nil || viewer.Tables[t.Name]) && grant.SeesRow(t.Access == schema.Own, e.rows[i].Creator) {
			seen[i] = 1
		}
	}
	l, done := e.rendered[string(seen)]
	if !done {
		if frame := e.render(seen); len(frame) <= push.MaxMessage {
			l.frames = [][]byte{frame}
		}
		e.rendered[string(seen)] = l
	}
	return l
}

func (e *indexEntry) render(seen []byte) []byte {
	params := append(strconv.AppendInt([]byte(`{"n":`), e.n, 10), `,"rows":[`...)
	start := len(params)
	for i := range e.rows {
		if seen[i] == 0 {
			continue
		}
		if len(params) > start {
			params = append(params, ',')
		}
		r := &e.rows[i]
		params = schema.AppendJSON(append(params, `{"table":`...), e.state.Schema.TableByNum(r.Table).Name)
		params = schema.AppendJSON(append(params, `,"id":`...), r.ID)
		params = append(schema.AppendJSON(append(params, `,"vector":`...), r.Vector), '}')
	}
	return wire.AppendNotification(nil, "index", append(params, `]}`...))
}
