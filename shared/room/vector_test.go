package room_test

import (
	"bytes"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/room"
)

// A row tells what became of its text in lists and alone, and not in commits,
// which are of the log.
func TestVectorIsOfRowsAlone(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	res := w.commit(e, bob, `{"op":"createTable","table":"plain","columns":[{"name":"x","type":"text"}]}`,
		`{"op":"insert","table":"tasks","id":"a","row":{"title":"text"}}`, `{"op":"insert","table":"tasks","id":"b","row":{"title":"  "}}`,
		`{"op":"insert","table":"plain","id":"c","row":{"x":"text"}}`)
	shown := room.Show(res.Entry, res.State, room.Viewer{User: "vera", Role: access.Viewer})
	if bytes.Contains(shown.Commit, []byte("_vector")) {
		t.Errorf("the commit is %s", shown.Commit)
	}
	for _, c := range []struct {
		table, id string
		want      any
	}{{"tasks", "a", "pending"}, {"tasks", "b", nil}, {"plain", "c", nil}} {
		row, err := w.get(e, vera, c.table, c.id)
		if err != nil || row["_vector"] != c.want {
			t.Errorf("%s: %v, %v", c.id, row, err)
		}
	}
}
