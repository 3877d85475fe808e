package room_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
)

func viewer(p access.Principal, role access.Role, tables ...string) room.Viewer {
	v := room.Viewer{User: p.User.ID, Role: role}
	if len(tables) > 0 {
		v.Tables = map[string]bool{}
		for _, name := range tables {
			v.Tables[name] = true
		}
	}
	return v
}

func wire(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

func TestShow(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	r := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"a","row":{"title":"ä\"","status":null}}`)
	at := r.Entry.At
	got := wire(t, room.Show(r.Entry, r.State, viewer(vera, access.Viewer)).Commit)
	when := got["at"].(string)
	want := map[string]any{"seq": float64(r.Entry.Seq), "at": when, "by": "bob", "ops": []any{map[string]any{
		"op": "insert", "table": "tasks", "id": "a", "version": float64(r.Entry.Seq), "createdBy": "bob",
		"row": map[string]any{"id": "a", "title": `ä"`, "status": nil, "_version": float64(r.Entry.Seq), "_createdAt": when, "_updatedAt": when, "_createdBy": "bob"},
	}}}
	if !reflect.DeepEqual(got, want) || len(when) != len("2026-11-23T20:21:00.000Z") || at == 0 {
		t.Errorf("got %v", got)
	}
	hidden := room.Show(r.Entry, r.State, viewer(vera, access.Viewer, "other"))
	if string(hidden.Commit) != fmt.Sprintf(`{"seq":%d,"ops":[]}`, r.Entry.Seq) {
		t.Errorf("not subscribed: %s", hidden.Commit)
	}
	ops := func(r room.Result) string {
		t.Helper()
		got, err := json.Marshal(wire(t, room.Show(r.Entry, r.State, viewer(ada, access.Owner)).Commit)["ops"])
		must(t, err)
		return strings.ReplaceAll(string(got), fmt.Sprint(r.Entry.Seq), "N")
	}
	for _, tt := range []struct{ op, want string }{
		{`{"op":"update","table":"tasks","id":"a","set":{"status":"completed","title":"x"}}`, `[{"createdBy":"bob","id":"a","op":"update","set":{"status":"completed","title":"x"},"table":"tasks","version":N}]`},
		{`{"op":"delete","table":"tasks","id":"a"}`, `[{"createdBy":"bob","id":"a","op":"delete","table":"tasks","version":N}]`},
		{`{"op":"createTable","table":"x","columns":[{"name":"c","type":"text"}],"access":"own"}`, `[{"access":"own","columns":[{"name":"c","type":"text"}],"op":"createTable","table":"x"}]`},
		{`{"op":"alterTable","table":"x","rename":{"c":"d"},"add":[{"name":"e","type":"integer"}],"name":"y","access":"shared"}`,
			`[{"access":"shared","add":[{"name":"e","type":"integer"}],"name":"y","op":"alterTable","rename":{"c":"d"},"table":"x"}]`},
		{`{"op":"alterTable","table":"y","drop":["e"],"change":[{"name":"d","type":"text","maxLength":9}]}`,
			`[{"change":[{"maxLength":9,"name":"d","type":"text"}],"drop":["e"],"op":"alterTable","table":"y"}]`},
		{`{"op":"dropTable","table":"y"}`, `[{"op":"dropTable","table":"y"}]`},
	} {
		if got := ops(w.commit(e, ada, tt.op)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.op, got, tt.want)
		}
	}
	member, err := e.RemoveMember(t.Context(), ada, den, "cleo")
	must(t, err)
	if got := ops(member); got != `[{"op":"member","role":null,"user":"cleo"}]` {
		t.Error(got)
	}
	invite, err := e.Invite(t.Context(), ada, den, "x@y.zz", access.Editor)
	must(t, err)
	if got := ops(invite); got != `[{"email":"x@y.zz","op":"invite","role":"editor"}]` {
		t.Error(got)
	}
}

// TestOwnInEveryPath looks at a table `own` with each role, live and through
// the log, deletes included, while it is own and after it is shared.
func TestOwnInEveryPath(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	since := w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[{"name":"text","type":"text"}],"access":"own"}`).Entry.Seq
	results := []room.Result{
		w.commit(e, bob, `{"op":"insert","table":"notes","id":"b1","row":{"text":"bob's secret"}}`),
		w.commit(e, ada, `{"op":"update","table":"notes","id":"b1","set":{"text":"edited secret"}}`),
		w.commit(e, bob, `{"op":"insert","table":"notes","id":"b2","row":{"text":"bob's secret"}}`, `{"op":"insert","table":"tasks","id":"t","row":{"title":"open"}}`),
		w.commit(e, bob, `{"op":"delete","table":"notes","id":"b1"}`),
	}
	seen := func(p access.Principal) (visible int) {
		page, err := e.Log(t.Context(), p, den, since, 0, 0)
		must(t, err)
		for i, raw := range page.Commits {
			visible += strings.Count(string(raw), `"notes"`)
			role := map[string]access.Role{"ada": access.Owner, "bob": access.Editor, "cleo": access.Editor, "vera": access.Viewer}[p.User.ID]
			live := room.Show(results[i].Entry, results[i].State, viewer(p, role))
			if string(live.Commit) != string(raw) {
				t.Errorf("%s: live %s, from the log %s", p.User.ID, live.Commit, raw)
			}
			if p.User.ID == "cleo" && strings.Contains(string(raw), "secret") {
				t.Errorf("cleo sees %s", raw)
			}
		}
		return visible
	}
	for p, want := range map[*access.Principal]int{&ada: 4, &bob: 4, &cleo: 0, &vera: 0} {
		if got := seen(*p); got != want {
			t.Errorf("%s sees %d operations on notes, want %d", p.User.ID, got, want)
		}
		rows, _, err := w.list(e, *p, room.ListRequest{Table: "notes"})
		must(t, err)
		if len(rows) != min(want, 1) {
			t.Errorf("%s lists %v", p.User.ID, rows)
		}
		if _, err := w.get(e, *p, "notes", "b2"); (err == nil) != (want > 0) {
			t.Errorf("%s gets: %v", p.User.ID, err)
		}
	}
	partly := wire(t, room.Show(results[2].Entry, results[2].State, viewer(cleo, access.Editor)).Commit)
	if len(partly["ops"].([]any)) != 1 || partly["by"] != "bob" {
		t.Errorf("a commit seen in part: %v", partly)
	}
	if string(room.Show(results[0].Entry, results[0].State, viewer(cleo, access.Editor)).Commit) != fmt.Sprintf(`{"seq":%d,"ops":[]}`, results[0].Entry.Seq) {
		t.Error("a hidden commit tells more than its seq")
	}
	shared := w.commit(e, ada, `{"op":"alterTable","table":"notes","access":"shared"}`)
	if got := room.Show(shared.Entry, shared.State, viewer(cleo, access.Editor)); got.Reset != room.ResetAccess {
		t.Errorf("sharing a table shows %+v", got)
	}
	if got := room.Show(shared.Entry, shared.State, viewer(ada, access.Owner)); got.Reset != "" {
		t.Errorf("sharing a table shows an owner %+v", got)
	}
	if rows, _, err := w.list(e, cleo, room.ListRequest{Table: "notes"}); err != nil || len(rows) != 1 {
		t.Errorf("after sharing: %v %v", rows, err)
	}
	page, err := e.Log(t.Context(), cleo, den, since, 0, 0)
	must(t, err)
	if len(page.Commits) != len(results) || !page.More || strings.Contains(fmt.Sprintf("%s", page.Commits), "secret") {
		t.Errorf("history of when it was own: %+v %s", page, page.Commits)
	}
	page, err = e.Log(t.Context(), cleo, den, shared.Entry.Seq-1, 0, 0)
	must(t, err)
	if !page.Reset || len(page.Commits) != 0 {
		t.Errorf("from the change of access: %+v", page)
	}
}

func TestResets(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	none := w.commit(e, ada, `{"op":"alterTable","table":"tasks","add":[{"name":"n","type":"integer"}]}`)
	if got := room.Show(none.Entry, none.State, viewer(bob, access.Editor)); got.Reset != "" {
		t.Errorf("adding an empty column: %+v", got)
	}
	rewrite := w.commit(e, ada, `{"op":"alterTable","table":"tasks","add":[{"name":"m","type":"integer","default":1}]}`)
	if got := room.Show(rewrite.Entry, rewrite.State, viewer(bob, access.Editor)); got.Reset != room.ResetRewrite {
		t.Errorf("adding a column with a default: %+v", got)
	}
	if got := room.Show(rewrite.Entry, rewrite.State, viewer(bob, access.Editor, "other")); got.Reset != "" {
		t.Errorf("the same, not subscribed: %+v", got)
	}
	promoted, err := e.SetMember(t.Context(), ada, den, "bob", access.Owner)
	must(t, err)
	if got := room.Show(promoted.Entry, promoted.State, viewer(bob, access.Owner)); got.Reset != "" {
		t.Errorf("promotion without a table of own: %+v", got)
	}
	w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[],"access":"own"}`)
	demoted, err := e.SetMember(t.Context(), ada, den, "bob", access.Editor)
	must(t, err)
	if got := room.Show(demoted.Entry, demoted.State, viewer(bob, access.Editor)); got.Reset != room.ResetRole {
		t.Errorf("demotion: %+v", got)
	}
	if got := room.Show(demoted.Entry, demoted.State, viewer(cleo, access.Editor)); got.Reset != "" {
		t.Errorf("demotion of another: %+v", got)
	}
	closed, err := e.Delete(t.Context(), ada, den)
	must(t, err)
	if got := room.Show(closed.Entry, closed.State, viewer(bob, access.Editor)); got.Reset != room.ResetClosed {
		t.Errorf("deletion: %+v", got)
	}
}

// TestLogNamesThings reads commits back after their tables and columns were
// renamed: each carries the names of its time, as live.
func TestLogNamesThings(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	var live []string
	since := w.state(e).Seq
	for _, ops := range [][]string{
		{`{"op":"createTable","table":"x","columns":[{"name":"a","type":"text"},{"name":"b","type":"text"}]}`},
		{`{"op":"insert","table":"x","id":"1","row":{"a":"A","b":"B"}}`},
		{`{"op":"insert","table":"x","id":"2","row":{"a":"A"}}`, `{"op":"alterTable","table":"x","rename":{"a":"b","b":"a"}}`, `{"op":"update","table":"x","id":"2","set":{"b":"Z"}}`},
		{`{"op":"update","table":"x","id":"1","set":{"b":"C"}}`},
		{`{"op":"alterTable","table":"x","name":"y","add":[{"name":"c","type":"integer"}]}`},
		{`{"op":"insert","table":"y","id":"3","row":{"c":5}}`},
		{`{"op":"update","table":"y","id":"3","set":{"c":null}}`},
		{`{"op":"alterTable","table":"y","drop":["c"],"rename":{"a":"d"}}`},
		{`{"op":"createTable","table":"x","columns":[{"name":"z","type":"text"}]}`},
	} {
		r := w.commit(e, bob, ops...)
		live = append(live, string(room.Show(r.Entry, r.State, viewer(vera, access.Viewer)).Commit))
	}
	for _, engine := range []*room.Engine{e, w.engine()} {
		for limit := 1; limit <= len(live)+1; limit++ {
			var got []string
			for from := since; ; {
				page, err := engine.Log(t.Context(), vera, den, from, limit, 0)
				must(t, err)
				if page.Reset {
					t.Fatal("reset")
				}
				for _, raw := range page.Commits {
					got = append(got, string(raw))
				}
				from += int64(len(page.Commits))
				if !page.More {
					break
				}
			}
			if len(got) != len(live) {
				t.Fatalf("%d commits, want %d", len(got), len(live))
			}
			for i := range got {
				a, b := wire(t, json.RawMessage(got[i])), wire(t, json.RawMessage(live[i]))
				if !reflect.DeepEqual(a, b) {
					t.Errorf("limit %d:\n log %s\nlive %s", limit, got[i], live[i])
				}
			}
		}
	}
}

// What was done to a table that was dropped since is shown with the names of
// its time, by the access that it had last.
func TestLogOfADroppedTable(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	since := w.commit(e, ada, `{"op":"createTable","table":"side","columns":[{"name":"x","type":"text"}]}`,
		`{"op":"insert","table":"side","row":{"x":"y"}}`, `{"op":"insert","table":"tasks","id":"t","row":{"title":"x"}}`,
		`{"op":"insert","table":"side","row":{"x":"z"}}`).Entry.Seq - 1
	w.commit(e, ada, `{"op":"alterTable","table":"side","rename":{"x":"later"},"name":"other","access":"own"}`)
	w.commit(e, ada, `{"op":"dropTable","table":"other"}`)
	for p, want := range map[*access.Principal]int{&ada: 4, &bob: 2} {
		page, err := e.Log(t.Context(), *p, den, since, 1, 0)
		must(t, err)
		text := string(page.Commits[0])
		if ops, _ := wire(t, page.Commits[0])["ops"].([]any); len(ops) != want || p == &ada && !strings.Contains(text, `"x":"z"`) {
			t.Errorf("%s sees %s", p.User.ID, text)
		}
	}
	page, err := e.Log(t.Context(), ada, den, since+2, 1, 0)
	must(t, err)
	if text := string(page.Commits[0]); !strings.Contains(text, `{"op":"dropTable","table":"other"}`) {
		t.Error(text)
	}
}

func TestLogPages(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	for i := range 20 {
		w.commit(e, bob, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"r%d","row":{"title":"x"}}`, i))
	}
	head := w.state(e).Seq
	for _, tt := range []struct{ limit, bytes int }{{3, 0}, {0, 700}, {1000, 0}} {
		seq := int64(0)
		for more := true; more; {
			page, err := e.Log(t.Context(), vera, den, seq, tt.limit, tt.bytes)
			must(t, err)
			if page.Seq != head || tt.bytes > 0 && len(fmt.Sprintf("%s", page.Commits)) > tt.bytes+2 {
				t.Errorf("%+v: seq %d, %d bytes", tt, page.Seq, len(fmt.Sprintf("%s", page.Commits)))
			}
			for _, raw := range page.Commits {
				if seq++; wire(t, raw)["seq"] != float64(seq) {
					t.Fatalf("%+v: commit %s after %d", tt, raw, seq-1)
				}
			}
			more = page.More
		}
		if seq != head {
			t.Errorf("%+v: ended at %d of %d", tt, seq, head)
		}
	}
	for name, ask := range map[string]struct {
		since        int64
		limit, bytes int
		code         fault.Code
	}{"limit": {0, 1001, 0, fault.Invalid}, "since": {-1, 0, 0, fault.Invalid}, "bytes": {0, 0, 20, fault.TooLarge}} {
		if _, err := e.Log(t.Context(), vera, den, ask.since, ask.limit, ask.bytes); !fault.Is(err, ask.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if page, err := e.Log(t.Context(), vera, den, head+1, 0, 0); err != nil || !page.Reset {
		t.Errorf("from the future: %+v %v", page, err)
	}
}

// TestShowClass checks that viewers of one class get the same bytes, and that
// those who get the same are of one class.
func TestShowClass(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[{"name":"text","type":"text"}],"access":"own"}`)
	results := []room.Result{
		w.commit(e, bob, `{"op":"insert","table":"notes","id":"b","row":{"text":"x"}}`, `{"op":"insert","table":"tasks","id":"t","row":{"title":"x"}}`),
		w.commit(e, ada, `{"op":"delete","table":"notes","id":"b"}`, `{"op":"insert","table":"notes","id":"a","row":{"text":"x"}}`),
		w.commit(e, ada, `{"op":"alterTable","table":"notes","access":"shared"}`),
	}
	var viewers []room.Viewer
	for _, p := range []access.Principal{ada, bob, cleo, vera} {
		for _, role := range []access.Role{access.Owner, access.Editor, access.Viewer, access.None} {
			viewers = append(viewers, viewer(p, role), viewer(p, role, "notes"), viewer(p, role, "tasks"))
		}
	}
	for _, r := range results {
		classes := map[string]string{}
		for _, v := range viewers {
			s := room.Show(r.Entry, r.State, v)
			class, shown := room.ShowClass(r.Entry, r.State, v), string(s.Commit)+s.Reset
			if was, ok := classes[class]; ok && was != shown {
				t.Errorf("class %q gets %s and %s", class, was, shown)
			}
			classes[class] = shown
		}
		if len(classes) > 4 {
			t.Errorf("%d classes", len(classes))
		}
	}
}

// TestRewind shows a run of commits by one later state: each as it was shown
// live.
func TestRewind(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	var entries []*commitlog.Entry
	var live []string
	var last room.Result
	for _, op := range []string{
		`{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`,
		`{"op":"alterTable","table":"tasks","rename":{"title":"name"},"name":"todo"}`,
		`{"op":"update","table":"todo","id":"a","set":{"name":"y"}}`,
		`{"op":"alterTable","table":"todo","drop":["status"]}`,
	} {
		last = w.commit(e, bob, op)
		entries = append(entries, last.Entry)
		live = append(live, string(room.Show(last.Entry, last.State, viewer(vera, access.Viewer)).Commit))
	}
	for i, st := range room.Rewind(entries, last.State) {
		got := room.Show(entries[i], st, viewer(vera, access.Viewer))
		if string(got.Commit) != live[i] {
			t.Errorf("got %+v, live %s", got, live[i])
		}
	}
}

// TestSchemaSeqTellsTheNewestChange: however many commits follow the
// newest change of the schema, nobody need look through them for names.
func TestSchemaSeqTellsTheNewestChange(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, bob, `{"op":"insert","table":"tasks","row":{"title":"x"}}`)
	for _, engine := range []*room.Engine{e, w.engine()} {
		st := w.state(engine)
		if st.SchemaSeq == 0 || st.SchemaSeq > 3 {
			t.Errorf("newest change of the schema at %d of %d", st.SchemaSeq, st.Seq)
		}
		page, err := engine.Log(t.Context(), ada, den, 0, 1, 0)
		must(t, err)
		if page.Reset || len(page.Commits) != 1 {
			t.Errorf("the beginning of the log: %+v", page)
		}
	}
}

// TestUnknownColumnsAreLeftOut: an operation with a column that nobody knows
// is left out, and the rest of its commit is there.
func TestUnknownColumnsAreLeftOut(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	r := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	table := r.Entry.Ops[0].Table
	entry := &commitlog.Entry{Seq: r.Entry.Seq, Ops: []commitlog.Op{r.Entry.Ops[0],
		{Kind: commitlog.Insert, Table: table, ID: "b", Creator: "bob", Set: []commitlog.Cell{{Num: 99, Value: "x"}}},
		{Kind: commitlog.Update, Table: table, ID: "b", Creator: "bob", Set: []commitlog.Cell{{Num: 99, Value: "x"}}}, r.Entry.Ops[0]}}
	shown := room.Show(entry, r.State, viewer(ada, access.Owner))
	if ops, ok := wire(t, shown.Commit)["ops"].([]any); !ok || len(ops) != 2 {
		t.Errorf("shown as %s", shown.Commit)
	}
}
