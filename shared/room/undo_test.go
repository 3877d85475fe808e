package room_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/room"
)

func (w *world) undo(e *room.Engine, p access.Principal, seq int64, force bool) (room.Result, error) {
	w.tb.Helper()
	return e.Undo(w.tb.Context(), p, den, room.UndoRequest{Seq: seq, Force: force})
}

// dump is what an owner sees of a room: schema and rows, without what an edit
// alone changes.
func (w *world) dump(e *room.Engine) map[string]any { return w.dumpOf(e, den) }

func (w *world) dumpOf(e *room.Engine, ref room.Ref) map[string]any {
	w.tb.Helper()
	var out map[string]any
	must(w.tb, e.Read(w.tb.Context(), ada, ref, func(v *room.View) error {
		out = dumpView(w.tb, v)
		return nil
	}))
	return out
}

func dumpView(tb testing.TB, v *room.View) map[string]any {
	tb.Helper()
	out := map[string]any{}
	var s struct{ Tables []map[string]any }
	must(tb, json.Unmarshal(v.SchemaJSON(), &s))
	for _, t := range s.Tables {
		name := t["name"].(string)
		out["schema "+name] = t
		page, err := v.List(tb.Context(), room.ListRequest{Table: name, Limit: 1000})
		must(tb, err)
		var rows []map[string]any
		must(tb, json.Unmarshal(page.Rows, &rows))
		for _, row := range rows {
			delete(row, "_version")
			delete(row, "_updatedAt")
			delete(row, "_vector")
			out[name+" "+row["id"].(string)] = row
		}
	}
	return out
}

func diffText(a, b map[string]any) string {
	text := ""
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	sort.Strings(all)
	for _, k := range all {
		if !reflect.DeepEqual(a[k], b[k]) {
			text += fmt.Sprintf("%s: %v, want %v\n", k, a[k], b[k])
		}
	}
	return text
}

// TestUndoTakesEachKindOfCommitBack, and undoing the undo brings it back.
func TestUndoTakesEachKindOfCommitBack(t *testing.T) {
	const setup = `{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`
	for name, ops := range map[string][]string{
		"insert":          {`{"op":"insert","table":"tasks","id":"b","row":{"title":"two"}}`},
		"update":          {`{"op":"update","table":"tasks","id":"a","set":{"title":"uno","status":"completed"}}`},
		"update to null":  {`{"op":"update","table":"tasks","id":"a","set":{"status":null}}`},
		"delete":          {`{"op":"delete","table":"tasks","id":"a"}`},
		"insert and edit": {`{"op":"insert","table":"tasks","id":"b","row":{"title":"two"}}`, `{"op":"update","table":"tasks","id":"b","set":{"title":"due"}}`},
		"edit twice":      {`{"op":"update","table":"tasks","id":"a","set":{"title":"x"}}`, `{"op":"update","table":"tasks","id":"a","set":{"title":"y"}}`},
		"delete and make": {`{"op":"delete","table":"tasks","id":"a"}`, `{"op":"insert","table":"tasks","id":"a","row":{"title":"new"}}`},
		"create table":    {`{"op":"createTable","table":"notes","columns":[{"name":"n","type":"integer"}]}`, `{"op":"insert","table":"notes","id":"x","row":{"n":1}}`},
		"drop table":      {`{"op":"dropTable","table":"tasks"}`},
		"drop and create": {`{"op":"dropTable","table":"tasks"}`, `{"op":"createTable","table":"tasks","columns":[{"name":"n","type":"integer"}]}`},
		"add column":      {`{"op":"alterTable","table":"tasks","add":[{"name":"n","type":"integer","default":3}]}`},
		"drop column":     {`{"op":"alterTable","table":"tasks","drop":["status"]}`},
		"rename":          {`{"op":"alterTable","table":"tasks","rename":{"title":"name"},"name":"todo"}`},
		"swap names":      {`{"op":"alterTable","table":"tasks","rename":{"title":"status","status":"title"}}`},
		"change column":   {`{"op":"alterTable","table":"tasks","change":[{"name":"title","type":"text","maxLength":40,"unique":true}]}`},
		"convert column":  {`{"op":"alterTable","table":"tasks","change":[{"name":"title","type":"json"}]}`},
		"access":          {`{"op":"alterTable","table":"tasks","access":"own"}`},
		"schema and rows": {`{"op":"dropTable","table":"tasks"}`, `{"op":"createTable","table":"notes","columns":[{"name":"n","type":"integer"}]}`, `{"op":"insert","table":"notes","id":"x","row":{"n":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			e := w.engine()
			w.den(e)
			first := setup
			if name == "convert column" {
				first = `{"op":"insert","table":"tasks","id":"a","row":{"title":"[1]"}}`
			}
			w.commit(e, ada, first)
			before := w.dump(e)
			r := w.commit(e, ada, ops...)
			after := w.dump(e)
			undone, err := w.undo(e, ada, r.Entry.Seq, false)
			must(t, err)
			if undone.Entry.Undoes != r.Entry.Seq {
				t.Errorf("undoes %d", undone.Entry.Undoes)
			}
			if got := diffText(w.dump(e), before); got != "" {
				t.Errorf("after the undo:\n%s", got)
			}
			_, err = w.undo(e, ada, undone.Entry.Seq, false)
			must(t, err)
			want := after
			if name == "access" {
				want = w.dump(e) // access is undone like names
			}
			if got := diffText(w.dump(e), want); got != "" {
				t.Errorf("after the undo of the undo:\n%s", got)
			}
		})
	}
}

// TestUndoReportsWhatStandsInTheWay: only what later commits touched.
func TestUndoReportsWhatStandsInTheWay(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`, `{"op":"insert","table":"tasks","id":"b","row":{"title":"two"}}`)
	edit := w.commit(e, ada, `{"op":"update","table":"tasks","id":"a","set":{"title":"uno","status":"completed"}}`, `{"op":"delete","table":"tasks","id":"b"}`)
	later := w.commit(e, bob, `{"op":"update","table":"tasks","id":"a","set":{"title":"eins"}}`)
	_, err := w.undo(e, cleo, edit.Entry.Seq, false)
	f := faultOf(t, err)
	want := []room.Conflict{{Table: "tasks", Row: "a", Column: "title", Seq: later.Entry.Seq, By: "bob", At: later.Entry.At.String()}}
	if f.Code != fault.Conflict || !reflect.DeepEqual(f.Details["conflicts"], want) {
		t.Fatalf("got %v, %+v", err, f.Details)
	}
	w.commit(e, bob, `{"op":"insert","table":"tasks","id":"b","row":{"title":"zwei"}}`)
	_, err = w.undo(e, cleo, edit.Entry.Seq, false)
	if got := faultOf(t, err).Details["conflicts"].([]room.Conflict); len(got) != 2 {
		t.Fatalf("got %+v", got)
	}
	_, err = w.undo(e, cleo, edit.Entry.Seq, true)
	must(t, err)
	row, err := w.get(e, ada, "tasks", "a")
	must(t, err)
	if row["title"] != "one" || row["status"] != "pending" {
		t.Errorf("got %v", row)
	}
	if row, err := w.get(e, ada, "tasks", "b"); err != nil || row["title"] != "two" {
		t.Errorf("got %v, %v", row, err)
	}
	// What was not touched is no conflict.
	other := w.commit(e, ada, `{"op":"update","table":"tasks","id":"a","set":{"title":"x"}}`)
	w.commit(e, bob, `{"op":"update","table":"tasks","id":"a","set":{"status":"completed"}}`)
	_, err = w.undo(e, cleo, other.Entry.Seq, false)
	must(t, err)
	// A row removed since.
	gone := w.commit(e, ada, `{"op":"update","table":"tasks","id":"a","set":{"title":"y"}}`)
	removed := w.commit(e, bob, `{"op":"delete","table":"tasks","id":"a"}`)
	_, err = w.undo(e, cleo, gone.Entry.Seq, false)
	if got := faultOf(t, err).Details["conflicts"].([]room.Conflict); len(got) != 1 || got[0].Seq != removed.Entry.Seq {
		t.Errorf("got %+v", got)
	}
	if _, err = w.undo(e, cleo, gone.Entry.Seq, true); !fault.Is(err, fault.Conflict) {
		t.Errorf("nothing left: %v", err)
	}
}

func TestUndoOfTablesReportsLaterRows(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	made := w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[{"name":"n","type":"integer"}]}`)
	row := w.commit(e, bob, `{"op":"insert","table":"notes","id":"x","row":{"n":1}}`)
	_, err := w.undo(e, ada, made.Entry.Seq, false)
	if got := faultOf(t, err).Details["conflicts"].([]room.Conflict); len(got) != 1 || got[0].Row != "x" || got[0].Seq != row.Entry.Seq {
		t.Errorf("got %+v", got)
	}
	added := w.commit(e, ada, `{"op":"alterTable","table":"notes","add":[{"name":"m","type":"integer"}]}`)
	w.commit(e, bob, `{"op":"update","table":"notes","id":"x","set":{"m":7}}`)
	_, err = w.undo(e, ada, added.Entry.Seq, false)
	if got := faultOf(t, err).Details["conflicts"].([]room.Conflict); len(got) != 1 || got[0].Column != "m" {
		t.Errorf("got %+v", got)
	}
	dropped := w.commit(e, ada, `{"op":"alterTable","table":"notes","drop":["m"]}`)
	later := w.commit(e, bob, `{"op":"insert","table":"notes","id":"y","row":{"n":2}}`)
	_, err = w.undo(e, ada, dropped.Entry.Seq, false)
	if got := faultOf(t, err).Details["conflicts"].([]room.Conflict); len(got) != 1 || got[0].Seq != later.Entry.Seq {
		t.Errorf("got %+v", got)
	}
	_, err = w.undo(e, ada, dropped.Entry.Seq, true)
	must(t, err)
	if row, err := w.get(e, ada, "notes", "x"); err != nil || row["m"] != 7.0 {
		t.Errorf("got %v, %v", row, err)
	}
}

// TestWhoMayUndo: editors what they could write, viewers and strangers
// nothing, members never.
func TestWhoMayUndo(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"createTable","table":"diary","columns":[{"name":"n","type":"integer"}],"access":"own"}`)
	shared := w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`)
	mine := w.commit(e, bob, `{"op":"insert","table":"diary","id":"b","row":{"n":1}}`)
	shape := w.commit(e, ada, `{"op":"alterTable","table":"diary","add":[{"name":"m","type":"integer"}]}`)
	member, err := e.SetMember(t.Context(), ada, den, "zoe", access.Viewer)
	must(t, err)
	for _, c := range []struct {
		who  access.Principal
		seq  int64
		code fault.Code
	}{
		{vera, shared.Entry.Seq, fault.Forbidden}, {simon, shared.Entry.Seq, fault.NotFound}, {cleo, mine.Entry.Seq, fault.Forbidden},
		{cleo, shape.Entry.Seq, fault.Forbidden}, {ada, member.Entry.Seq, fault.Invalid}, {ada, 1, fault.Invalid}, {ada, 0, fault.NotFound},
		{ada, 99, fault.NotFound}, {bob, mine.Entry.Seq, ""}, {cleo, shared.Entry.Seq, ""}, {ada, shape.Entry.Seq, ""},
	} {
		if _, err := w.undo(e, c.who, c.seq, false); fault.CodeOf(err) != c.code {
			t.Errorf("%s undoes %d: %v, want %s", c.who.User.ID, c.seq, err, c.code)
		}
	}
	drop := w.commit(e, ada, `{"op":"dropTable","table":"diary"}`)
	if _, err := w.undo(e, bob, drop.Entry.Seq, false); !fault.Is(err, fault.Forbidden) {
		t.Errorf("an editor brings back a table of others: %v", err)
	}
	plain := w.commit(e, bob, `{"op":"dropTable","table":"tasks"}`)
	if _, err := w.undo(e, cleo, plain.Entry.Seq, false); err != nil {
		t.Errorf("an editor cannot bring back what he could have made: %v", err)
	}
}

// TestAnUndoHappensOnce, by its commitId, also when it loads.
func TestAnUndoHappensOnce(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	for _, op := range []string{`{"op":"insert","table":"tasks","id":"a","row":{"title":"one"}}`, `{"op":"alterTable","table":"tasks","drop":["status"]}`} {
		r := w.commit(e, ada, op)
		req := room.UndoRequest{Seq: r.Entry.Seq, CommitID: fmt.Sprint("undo-", r.Entry.Seq)}
		first, err := e.Undo(t.Context(), bob, den, req)
		must(t, err)
		again, err := e.Undo(t.Context(), bob, den, req)
		must(t, err)
		if !again.Repeated || again.Entry.Seq != first.Entry.Seq {
			t.Errorf("%+v, then %+v", first, again)
		}
		req.Force = true
		if _, err := e.Undo(t.Context(), bob, den, req); !fault.Is(err, fault.Conflict) {
			t.Errorf("another undo by the same id: %v", err)
		}
	}
}

// TestUndoAnything: through random commits, undoing the newest gives what was
// before, and undoing that gives it back.
func TestUndoAnything(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	rooms := 0
	rapid.Check(t, func(rt *rapid.T) {
		rooms++
		ref := room.Ref{ID: fmt.Sprint("den-", rooms)}
		_, err := e.Create(t.Context(), ada, ref.ID, "Den")
		must(t, err)
		dumps := map[int64]map[string]any{1: w.dumpOf(e, ref)}
		seq := int64(1)
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			var r room.Result
			undoes := seq > 1 && rapid.Bool().Draw(rt, "undo")
			if undoes {
				r, err = e.Undo(t.Context(), ada, ref, room.UndoRequest{Seq: seq})
			} else {
				r, err = e.Commit(t.Context(), ada, ref, request(anyCommit(rt, stateOf(t, e, ref))...))
			}
			if fault.Is(err, fault.Internal) || fault.Is(err, fault.Unavailable) {
				rt.Fatal(err)
			}
			if err != nil || r.Entry.Seq == seq {
				continue
			}
			dumps[r.Entry.Seq] = w.dumpOf(e, ref)
			if got := diffText(dumps[r.Entry.Seq], dumps[seq-1]); undoes && got != "" {
				rt.Fatalf("undo of %d:\n%s", seq, got)
			}
			seq = r.Entry.Seq
		}
		at := rapid.Int64Range(1, seq).Draw(rt, "at")
		must(t, e.ReadAt(t.Context(), ada, ref, at, func(v *room.View) error {
			if got := diffText(dumpView(t, v), dumps[at]); got != "" {
				rt.Errorf("at %d:\n%s", at, got)
			}
			return nil
		}))
	})
}

func stateOf(t *testing.T, e *room.Engine, ref room.Ref) (st *replica.State) {
	t.Helper()
	must(t, e.Read(t.Context(), ada, ref, func(v *room.View) error { st = v.State(); return nil }))
	return st
}

// anyCommit makes one to three operations, most of which are possible.
func anyCommit(rt *rapid.T, st *replica.State) []string {
	var ops []string
	for range rapid.IntRange(1, 3).Draw(rt, "ops") {
		id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "id")
		n := rapid.IntRange(0, 99).Draw(rt, "n")
		if len(st.Schema.Tables) == 0 || rapid.IntRange(0, 9).Draw(rt, "make") == 0 {
			ops = append(ops, fmt.Sprintf(`{"op":"createTable","table":"t%d","columns":[{"name":"title","type":"text"}]}`, n))
			continue
		}
		table := rapid.SampledFrom(st.Schema.Tables).Draw(rt, "table")
		title := ""
		if len(table.Columns) > 0 {
			title = table.Columns[0].Name
		}
		switch rapid.IntRange(0, 9).Draw(rt, "kind") {
		case 0:
			ops = append(ops, fmt.Sprintf(`{"op":"dropTable","table":%q}`, table.Name))
		case 1:
			ops = append(ops, fmt.Sprintf(`{"op":"alterTable","table":%q,"drop":[%q]}`, table.Name, title))
		case 2:
			ops = append(ops, fmt.Sprintf(`{"op":"alterTable","table":%q,"add":[{"name":"x%d","type":"integer","default":4}]}`, table.Name, n))
		case 3:
			ops = append(ops, fmt.Sprintf(`{"op":"alterTable","table":%q,"name":"n%d","rename":{%q:"y%d"}}`, table.Name, n, title, n))
		case 4, 5:
			ops = append(ops, fmt.Sprintf(`{"op":"delete","table":%q,"id":%q}`, table.Name, id))
		case 6, 7:
			ops = append(ops, fmt.Sprintf(`{"op":"update","table":%q,"id":%q,"set":{%q:"v%d"}}`, table.Name, id, title, n))
		default:
			ops = append(ops, fmt.Sprintf(`{"op":"insert","table":%q,"id":%q,"row":{%q:"w%d"}}`, table.Name, id, title, n))
		}
	}
	return ops
}
