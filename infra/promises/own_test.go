package promises

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The rows of a table `own` that belong to somebody else show in no path: not
// their values, not their ids.

const (
	hiddenID   = "mine-alone" // of a row of ada's
	hiddenText = "hers alone"
	goneID     = "mine-gone" // of one that she deleted
)

// ownWorld is a room with ada's rows in the table notes, and bob and vera who
// must not see them. Owen owns it and sees everything.
func ownWorld(t *testing.T) (owen, ada, bob, vera *person) {
	t.Helper()
	p := launch(t, filepath.Join(t.TempDir(), "data"))
	owen, ada, bob, vera = p.signIn(t, "owen"), p.signIn(t, "ada"), p.signIn(t, "bob"), p.signIn(t, "vera")
	owen.room(t, "den")
	for who, role := range map[*person]string{ada: "editor", bob: "editor", vera: "viewer"} {
		owen.must(t, "PUT", "/v1/rooms/den/members/"+who.id, map[string]string{"role": role})
	}
	owen.commit(t, map[string]any{"op": "createTable", "table": "notes", "access": "own", "columns": []any{
		map[string]any{"name": "text", "type": "text"}, map[string]any{"name": "code", "type": "integer", "unique": true}}})
	return owen, ada, bob, vera
}

// commit makes a commit in den that must succeed.
func (w *person) commit(t *testing.T, ops ...any) int64 {
	t.Helper()
	var done commit
	if err := w.call(t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": ops}, &done); err != nil {
		t.Fatal(err)
	}
	return done.Seq
}

func note(op, id string, cells map[string]any) map[string]any {
	o := map[string]any{"op": op, "table": "notes", "id": id}
	switch op {
	case "insert":
		o["row"] = cells
	case "update":
		o["set"] = cells
	}
	return o
}

func TestOwnRowsShowInNoPath(t *testing.T) {
	t.Parallel()
	owen, ada, bob, vera := ownWorld(t)
	listening := map[*person]*socket{}
	for _, who := range []*person{bob, vera} {
		listening[who] = who.socket(t, "den")
		if err := listening[who].call(t.Context(), "subscribe", map[string]any{"since": 0}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ada.commit(t, note("insert", hiddenID, map[string]any{"text": hiddenText, "code": 1}))
	ada.commit(t, note("insert", goneID, map[string]any{"text": hiddenText, "code": 2}), insertTask("open", "for all"))
	owen.commit(t, note("update", hiddenID, map[string]any{"text": hiddenText + "!"}))
	ada.commit(t, note("delete", goneID, nil))
	ada.commit(t, note("insert", goneID, map[string]any{"text": hiddenText}), note("delete", goneID, nil))
	bob.commit(t, note("insert", "bobs", map[string]any{"text": "bob's own", "code": 3}))
	last := owen.commit(t, insertTask("last", "for all"))

	for who, s := range listening {
		t.Run(who.id, func(t *testing.T) {
			var live []string
			err := s.await(t.Context(), func(m message) bool {
				live = append(live, string(m.Params))
				return strings.Contains(string(m.Params), fmt.Sprintf(`"seq":%d`, last))
			})
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(live, "\n"); !strings.Contains(all, "for all") || strings.Contains(all, "bob's own") != (who == bob) {
				t.Errorf("live events leave out what everybody, or he alone, may see: %s", all)
			}
			showsNothing(t, "live events", live...)
			for path, text := range pathsOf(t, who, s) {
				showsNothing(t, path, text)
			}
		})
	}
	if !strings.Contains(strings.Join(slices.Collect(valuesOf(pathsOf(t, owen, owen.socket(t, "den")))), ""), hiddenText) {
		t.Error("the owner does not see the rows either, so nothing was tested")
	}
}

func valuesOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// pathsOf is everything that somebody can read of the room.
func pathsOf(t *testing.T, who *person, s *socket) map[string]string {
	t.Helper()
	rows := "/v1/rooms/den/tables/notes/rows"
	answers := map[string]string{}
	for _, path := range []string{
		rows, rows + "?limit=1", rows + "?order=-_version", rows + "?order=-code", rows + "?id=" + hiddenID, rows + "?code=1",
		rows + "?text[contains]=hers", rows + "?_createdBy=ada", rows + "?id[gte]=a",
		rows + "/" + hiddenID, rows + "/" + goneID, rows + "/never-was", "/v1/rooms/den/log?since=0", "/v1/rooms/den/log?since=0&limit=3", "/v1/rooms/den/schema",
	} {
		_, _, text := who.send(t, "GET", path, "", "")
		answers["GET "+path] = text
	}
	if a, b := answers["GET "+rows+"/"+hiddenID], answers["GET "+rows+"/never-was"]; who.id != "owen" && a != b {
		t.Errorf("a hidden row is answered %s, one that never was %s", a, b)
	}
	for i, frame := range []struct{ method, params string }{
		{"rows.list", `{"table":"notes"}`}, {"rows.list", `{"table":"notes","where":{"code":{"lte":2}}}`}, {"rows.list", `{"table":"notes","order":"-_createdAt","limit":1}`},
		{"rows.get", `{"table":"notes","id":"` + hiddenID + `"}`}, {"rows.get", `{"table":"notes","id":"` + goneID + `"}`},
		{"log.read", `{"since":0}`}, {"subscribe", `{"since":0}`}, {"subscribe", `{"since":0,"tables":["notes"]}`},
	} {
		m, err := s.raw(t.Context(), fmt.Sprint(1000+i), fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, 1000+i, frame.method, frame.params))
		if err != nil {
			t.Fatal(err)
		}
		answers[frame.method+" "+frame.params] = string(m.Result) + fmt.Sprint(m.Error)
	}
	return answers
}

func showsNothing(t *testing.T, path string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, hidden := range []string{hiddenID, goneID, hiddenText} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s shows %q: %s", path, hidden, text)
			}
		}
	}
}

// Whoever probes learns no more than that an id, or a unique value, is taken,
// which the room cannot hide.
func TestProbingTellsNothingOfOwnRows(t *testing.T) {
	t.Parallel()
	_, ada, bob, vera := ownWorld(t)
	version := ada.commit(t, note("insert", "probe", map[string]any{"text": hiddenText, "code": 7}))
	withVersion := func(op string, v int64) map[string]any {
		o := note(op, "probe", map[string]any{"text": "x"})
		o["ifVersion"] = v
		return o
	}
	never := func(o map[string]any) map[string]any {
		o["id"] = "never"
		return o
	}
	for name, ops := range map[string][2]map[string]any{
		"update":                {note("update", "probe", map[string]any{"text": "x"}), note("update", "never", map[string]any{"text": "x"})},
		"update, right version": {withVersion("update", version), never(withVersion("update", version))},
		"update, wrong version": {withVersion("update", 1), never(withVersion("update", 1))},
		"update, bad column":    {note("update", "probe", map[string]any{"x": 1}), note("update", "never", map[string]any{"x": 1})},
		"delete":                {note("delete", "probe", nil), note("delete", "never", nil)},
		"delete, right version": {withVersionOnly("probe", version), withVersionOnly("never", version)},
		"delete, wrong version": {withVersionOnly("probe", 1), withVersionOnly("never", 1)},
	} {
		var answers [2]string
		for i, op := range ops {
			err := bob.call(t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": []any{op}}, nil)
			answers[i] = fmt.Sprint(err)
			if refusalCode(err) != "not_found" {
				t.Errorf("%s: %v, want not_found", name, err)
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s of a hidden row is answered %q, of none %q", name, answers[0], answers[1])
		}
	}
	for name, op := range map[string]map[string]any{
		"its id":    note("insert", "probe", map[string]any{"text": "x"}),
		"its value": note("insert", "bobs", map[string]any{"code": 7}),
	} {
		err := bob.call(t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": []any{op}}, nil)
		if refusalCode(err) != "conflict" || strings.Contains(err.Error(), hiddenText) || strings.Contains(err.Error(), "ada") ||
			name == "its value" && strings.Contains(err.Error(), "probe") {
			t.Errorf("insert with %s: %v", name, err)
		}
	}
	if err := vera.call(t.Context(), "POST", "/v1/rooms/den/commits", map[string]any{"ops": []any{note("delete", "probe", nil)}}, nil); refusalCode(err) != "forbidden" {
		t.Errorf("a viewer deletes: %v", err)
	}
	if rows := ada.rows(t, "den", "notes"); len(rows) != 1 || rows["probe"]["text"] != hiddenText {
		t.Errorf("ada's rows are %v", rows)
	}
}

func withVersionOnly(id string, v int64) map[string]any {
	o := note("delete", id, nil)
	o["ifVersion"] = v
	return o
}

// History is filtered by the stricter of then's access and now's.
func TestHistoryOfATableThatBecameOwn(t *testing.T) {
	t.Parallel()
	owen, ada, bob, _ := ownWorld(t)
	owen.commit(t, map[string]any{"op": "createTable", "table": "plans", "columns": []any{map[string]any{"name": "text", "type": "text"}}})
	ada.commit(t, map[string]any{"op": "insert", "table": "plans", "id": hiddenID, "row": map[string]any{"text": hiddenText}}, insertTask("open", "for all"))
	log := func() string {
		_, _, text := bob.send(t, "GET", "/v1/rooms/den/log?since=0", "", "")
		return text
	}
	if text := log(); !strings.Contains(text, hiddenText) {
		t.Fatalf("a shared row is not in the log: %s", text)
	}
	owen.commit(t, map[string]any{"op": "alterTable", "table": "plans", "access": "own"})
	text := log()
	showsNothing(t, "the log", text)
	if !strings.Contains(text, "for all") {
		t.Errorf("the log ends too early: %s", text)
	}
}
