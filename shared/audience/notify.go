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
// without rows. What does not fit a message comes in several of the same n. st
// is a state of the room that is not older than the rows. Errors: only that
// the listeners could not be found.
func (a *Audience) TellIndex(ctx context.Context, st *replica.State, n int64, rows []IndexedRow) error {
	ctx = context.WithoutCancel(ctx)
	listeners, err := a.Registry.InRoom(ctx, st.Room)
	if err != nil {
		return unavailable("read who listens", err)
	}
	e := indexEntry{n: n, rows: rows, state: st, rendered: map[string][][]byte{}}
	var sending sends
	defer a.settle(ctx, &sending)
	for _, c := range listeners {
		_, member := st.Members[c.User.ID]
		if c.Subscribed && member {
			a.enqueue(ctx, c, letter{frames: e.frames(c)}, &sending)
		}
	}
	return nil
}

// indexEntry renders one entry once for all who may see the same of it.
type indexEntry struct {
	n        int64
	rows     []IndexedRow
	state    *replica.State
	rendered map[string][][]byte
}

func (e *indexEntry) frames(c *Connection) [][]byte {
	viewer := c.viewer(e.state)
	grant := access.Grant{Principal: access.Principal{User: identity.User{ID: viewer.User}}, Role: viewer.Role}
	seen := make([]byte, len(e.rows))
	for i := range e.rows {
		t := e.state.Schema.TableByNum(e.rows[i].Table)
		if t != nil && (viewer.Tables == nil || viewer.Tables[t.Name]) && grant.SeesRow(t.Access == schema.Own, e.rows[i].Creator) {
			seen[i] = 1
		}
	}
	frames, done := e.rendered[string(seen)]
	if !done {
		frames = e.render(seen)
		e.rendered[string(seen)] = frames
	}
	return frames
}

// render makes messages that are not too large of the rows that are seen.
func (e *indexEntry) render(seen []byte) (frames [][]byte) {
	const tail = len(`]}}`)
	head := append(strconv.AppendInt([]byte(`{"n":`), e.n, 10), `,"rows":[`...)
	head = wire.AppendNotification(nil, "index", head)
	head = head[:len(head)-1] // the notification goes on
	frame := append([]byte(nil), head...)
	for i := range e.rows {
		if seen[i] == 0 {
			continue
		}
		row := e.row(&e.rows[i])
		if len(frame)+len(row)+tail+1 > push.MaxMessage {
			frames = append(frames, append(frame, `]}}`...))
			frame = append([]byte(nil), head...)
		}
		if len(frame) > len(head) {
			frame = append(frame, ',')
		}
		frame = append(frame, row...)
	}
	return append(frames, append(frame, `]}}`...))
}

func (e *indexEntry) row(r *IndexedRow) []byte {
	dst := schema.AppendJSON([]byte(`{"table":`), e.state.Schema.TableByNum(r.Table).Name)
	dst = schema.AppendJSON(append(dst, `,"id":`...), r.ID)
	return append(schema.AppendJSON(append(dst, `,"vector":`...), r.Vector), '}')
}
