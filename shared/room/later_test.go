package room_test

import (
	"testing"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
)

// A commit that converts a column and then changes the row hides no commit
// between it and the one that is undone.
func TestUndoSeesPastAnAlterationAndAnUpdateInOneCommit(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"createTable","table":"things","columns":[{"name":"a","type":"text"},{"name":"b","type":"text"},{"name":"c","type":"text"}]}`,
		`{"op":"insert","table":"things","id":"x","row":{"a":"one","b":"b","c":"5"}}`)
	edit := w.commit(e, ada, `{"op":"update","table":"things","id":"x","set":{"a":"two"}}`)
	w.commit(e, bob, `{"op":"update","table":"things","id":"x","set":{"a":"three"}}`)
	w.commit(e, bob, `{"op":"alterTable","table":"things","change":[{"name":"c","type":"integer"}]}`,
		`{"op":"update","table":"things","id":"x","set":{"b":"other"}}`)
	_, err := w.undo(e, ada, edit.Entry.Seq, false)
	if !fault.Is(err, fault.Conflict) {
		row, _ := w.get(e, ada, "things", "x")
		t.Errorf("undone without a word: %v, the row is %v", err, row)
	}
	page, err := e.History(t.Context(), ada, den, room.HistoryRequest{Table: "things", ID: "x"})
	if err != nil || len(page.Changes) != 4 || page.More {
		t.Errorf("of 4 changes the history has %d: %v", len(page.Changes), err)
	}
}
