package promises

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// `own` holds in what embeddings are for: search, SQL, alerts, and what is told
// of the index.
func TestOwnRowsShowInNoSearch(t *testing.T) {
	t.Parallel()
	owen, ada, bob, vera := ownWorld(t)
	owen.commit(t, map[string]any{"op": "createTable", "table": "memos", "access": "own", "columns": []any{
		map[string]any{"name": "text", "type": "text", "embed": true}}})
	memo := func(id, text string) map[string]any {
		return map[string]any{"op": "insert", "table": "memos", "id": id, "row": map[string]any{"text": text}}
	}
	listening := map[*person]*socket{}
	for _, who := range []*person{owen, bob, vera} {
		who.must(t, "PUT", "/v1/rooms/den/alerts/everything", map[string]any{"description": hiddenText, "threshold": 0})
		listening[who] = who.socket(t, "den")
		if err := listening[who].call(t.Context(), "subscribe", map[string]any{"since": 0, "indexSince": 0}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ada.commit(t, memo(hiddenID, hiddenText), memo(goneID, hiddenText+" too"))
	bob.commit(t, memo("bobs", "bob's own "+hiddenText[:4]))
	ada.commit(t, insertTask("open", "for all"))
	owen.settled(t, "den", 4)
	for who, s := range listening {
		t.Run(who.id, func(t *testing.T) {
			answers := meaningOf(t, who, s)
			all := strings.Join(answers, "\n")
			if who == owen {
				for _, part := range []string{hiddenID, hiddenText, "bobs", "open"} {
					if !strings.Contains(all, part) {
						t.Errorf("the owner does not see %s, so nothing was tested", part)
					}
				}
				return
			}
			for _, answer := range answers {
				path, text, _ := strings.Cut(answer, "\n")
				showsNothing(t, path, text)
			}
			if !strings.Contains(all, `"rows":[[0]]`) {
				t.Errorf("a statement counts hidden rows: %s", all)
			}
			if !strings.Contains(all, "open") || strings.Contains(all, "bobs") != (who == bob) {
				t.Errorf("what everybody, or he alone, may see is left out: %s", all)
			}
		})
	}
}

// meaningOf is everything about meaning that somebody can read of the room: a
// line that says how, and the answer.
func meaningOf(t *testing.T, who *person, s *socket) (answers []string) {
	t.Helper()
	for _, m := range s.heard() {
		answers = append(answers, "live event "+m.Method+"\n"+string(m.Params))
	}
	ask := func(method, path string, body any) {
		t.Helper()
		contentType, text := "", ""
		if body != nil {
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			contentType, text = "application/json", string(raw)
		}
		status, _, answer := who.send(t, method, "/v1/rooms/den"+path, contentType, text)
		if status >= 500 {
			t.Errorf("%s %s %s: %d %s", method, path, text, status, answer)
		}
		answers = append(answers, fmt.Sprintf("%s %s %d\n%s", method, path, status, answer))
	}
	hidden := strings.Fields(hiddenText)
	for _, mode := range []string{"hybrid", "semantic", "keyword"} {
		ask("POST", "/search", map[string]any{"query": hidden[len(hidden)-1] + " all own", "mode": mode, "k": 50})
		ask("POST", "/search", map[string]any{"query": hidden[0], "mode": mode, "table": "memos", "where": map[string]any{"id": map[string]any{"gte": "a"}}})
	}
	for _, sql := range []string{
		"select * from memos", "select id, text from memos order by _version", "select group_concat(text) from memos",
		"select m.id from memos m, tasks t", "with x as (select * from memos) select * from x", "select name, sql from sqlite_master",
		"select count(*) from memos where text like '%" + hidden[0] + "%' and id not in ('bobs')",
	} {
		ask("POST", "/sql", map[string]any{"sql": sql})
	}
	ask("POST", "/alerts/preview", map[string]any{"description": strings.ToUpper(hidden[0]), "threshold": 0})
	ask("POST", "/alerts/preview", map[string]any{"description": "x", "threshold": 0, "table": "memos"})
	ask("GET", "/alerts/inbox", nil)
	ask("GET", "/queue", nil)
	for i, frame := range []struct{ method, params string }{
		{"search", `{"query":"own all"}`}, {"sql", `{"sql":"select * from memos"}`}, {"alerts.inbox", `{}`},
		{"subscribe", `{"since":0,"indexSince":0}`}, {"subscribe", `{"indexSince":0,"tables":["memos"]}`},
	} {
		m, err := s.raw(t.Context(), fmt.Sprint(1000+i), fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, 1000+i, frame.method, frame.params))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, frame.method+" "+frame.params+"\n"+string(m.Result)+fmt.Sprint(m.Error))
	}
	return answers
}
