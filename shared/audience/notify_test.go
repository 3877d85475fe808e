package audience

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/push"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

func TestTellReachesEveryConnectionOfTheUser(t *testing.T) {
	s := newStand(t, nil)
	s.listen("a1", "ada")
	quiet := s.listen("a2", "ada")
	s.listen("b1", "bob")
	must(t, s.audience.Unsubscribe(t.Context(), quiet))
	for _, id := range []string{"a1", "a2", "b1"} {
		s.post.take(id)
	}
	must(t, s.audience.Tell(t.Context(), theRoom, "ada", "alert", json.RawMessage(`{"topic":"x"}`)))
	const want = `{"jsonrpc":"2.0","method":"alert","params":{"topic":"x"}}`
	for id, count := range map[string]int{"a1": 1, "a2": 1, "b1": 0} {
		if box := s.post.take(id); len(box) != count || count == 1 && box[0] != want {
			t.Errorf("%s got %v", id, box)
		}
	}
	s.post.gone["a1"] = true
	must(t, s.audience.Tell(t.Context(), theRoom, "ada", "alert", json.RawMessage(`{}`)))
	if n := len(s.connections()); n != 2 {
		t.Errorf("%d connections are known after one was found gone", n)
	}
}

// indexed is a state with tables 1 tasks, 2 notes (own).
func (s *stand) indexed() *replica.State {
	st := s.state(5)
	st.Schema = &schema.Schema{NextTable: 3, Tables: []schema.Table{{Num: 1, Name: "tasks"}, {Num: 2, Name: "notes", Access: schema.Own}}}
	return st
}

func TestTellIndexShowsWhatEachMaySee(t *testing.T) {
	s := newStand(t, nil)
	for _, name := range []string{"owner", "bob", "cleo", "some", "quiet", "gone"} {
		s.listen(name, name)
	}
	s.members["owner"] = access.Member{User: "owner", Role: access.Owner}
	for _, c := range s.connections() {
		switch c.ID {
		case "some":
			must(t, s.audience.Registry.Save(t.Context(), c.listening(true, []string{"notes"})))
		case "quiet":
			must(t, s.audience.Registry.Save(t.Context(), c.listening(false, nil)))
		}
	}
	delete(s.members, "gone")
	must(t, s.audience.TellIndex(t.Context(), s.indexed(), 3, []IndexedRow{
		{Table: 1, ID: "r1", Creator: "x", Vector: "indexed"}, {Table: 2, ID: "n1", Creator: "bob", Vector: "failed"},
		{Table: 2, ID: "n2", Creator: "some", Vector: "pending"}, {Table: 9, ID: "dropped", Creator: "bob", Vector: "indexed"},
	}))
	r1, n1, n2 := `{"table":"tasks","id":"r1","vector":"indexed"}`, `{"table":"notes","id":"n1","vector":"failed"}`, `{"table":"notes","id":"n2","vector":"pending"}`
	for id, want := range map[string]string{"owner": r1 + "," + n1 + "," + n2, "bob": r1 + "," + n1, "cleo": r1, "some": n2} {
		box := s.post.take(id)
		if frame := `{"jsonrpc":"2.0","method":"index","params":{"n":3,"rows":[` + want + `]}}`; len(box) != 1 || box[0] != frame {
			t.Errorf("%s got %v", id, box)
		}
	}
	for _, id := range []string{"quiet", "gone"} {
		if box := s.post.take(id); len(box) != 0 {
			t.Errorf("%s got %v", id, box)
		}
	}
	must(t, s.audience.TellIndex(t.Context(), s.indexed(), 4, []IndexedRow{{Table: 2, ID: "n3", Creator: "owner", Vector: "indexed"}}))
	if box := s.post.take("bob"); len(box) != 1 || box[0] != `{"jsonrpc":"2.0","method":"index","params":{"n":4,"rows":[]}}` {
		t.Errorf("an entry without rows for bob: %v", box)
	}
}

// What does not fit is a gap in n for those who would see it all, and only them.
func TestTellIndexLeavesOutWhatDoesNotFit(t *testing.T) {
	s := newStand(t, nil)
	s.listen("a", "ada")
	s.listen("b", "bob")
	rows := make([]IndexedRow, 300)
	for i := range rows {
		rows[i] = IndexedRow{Table: 2, ID: fmt.Sprintf("%060d", i), Creator: "ada", Vector: "indexed"}
	}
	must(t, s.audience.TellIndex(t.Context(), s.indexed(), 3, rows))
	must(t, s.audience.TellIndex(t.Context(), s.indexed(), 4, rows[:250]))
	if box := s.post.take("a"); len(box) != 1 || len(box[0]) > push.MaxMessage || !strings.Contains(box[0], `"n":4`) {
		t.Errorf("a got %.300s", box)
	}
	if box := s.post.take("b"); len(box) != 2 {
		t.Errorf("b got %.300s", box)
	}
}

// unlisted is a registry that cannot be read.
type unlisted struct{ Registry }

func (unlisted) InRoom(context.Context, string) ([]*Connection, error) {
	return nil, errors.New("broken")
}

func TestTellSaysThatNobodyWasFound(t *testing.T) {
	s := newStand(t, func(o *Options) { o.Registry = unlisted{NewLocal()} })
	if s.audience.Tell(t.Context(), theRoom, "ada", "alert", nil) == nil || s.audience.TellIndex(t.Context(), s.indexed(), 1, nil) == nil {
		t.Error("no error")
	}
}
