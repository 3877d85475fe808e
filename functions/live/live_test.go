package live_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"nanotypedb/functions/live"
	"nanotypedb/shared/access"
	"nanotypedb/shared/alert"
	"nanotypedb/shared/audience"
	"nanotypedb/shared/push"
	"nanotypedb/shared/store"
)

// both runs a test with each registry.
func both(t *testing.T, test func(t *testing.T, w *world)) {
	for name, registry := range map[string]func(store.Store) audience.Registry{"local": local, "in the store": inStore} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, registry)) })
	}
}

func TestHandshake(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		ticket, err := w.tickets.Issue(t.Context(), user("ada").User, w.ulid)
		must(t, err)
		e := w.event("apigw-websocket-request.json", "c")
		for i, c := range []struct {
			query  map[string]string
			status int
		}{
			{nil, 401},
			{map[string]string{"ticket": ""}, 401},
			{map[string]string{"ticket": "wrong"}, 401},
			{map[string]string{"ticket": ticket}, 200},
			{map[string]string{"ticket": ticket}, 401},
		} {
			e.QueryStringParameters = c.query
			answer, err := w.live.Handle(t.Context(), e)
			if err != nil || answer.StatusCode != c.status {
				t.Errorf("%d: %d %s, %v", i, answer.StatusCode, answer.Body, err)
			}
		}
		if frame := w.call("c", "ping", "{}"); !strings.Contains(frame, fmt.Sprintf(`{"seq":%d}`, w.head())) {
			t.Errorf("ping: %s", frame)
		}
	})
}

func TestUnknownConnectionsAreTurnedAway(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		frames := w.send("nobody", `{"jsonrpc":"2.0","id":1,"method":"rows.list","params":{"table":"tasks"}}`)
		if len(frames) != 1 || !strings.Contains(frames[0], "4001") || strings.Contains(frames[0], "First") || !w.post.dropped("nobody") {
			t.Errorf("%v, dropped %v", frames, w.post.dropped("nobody"))
		}
		c := w.connect("ada")
		_, err := w.live.Handle(t.Context(), w.event("apigw-websocket-request-disconnect.json", c))
		must(t, err)
		if frame := w.call(c, "rows.list", `{"table":"tasks"}`); !strings.Contains(frame, "4001") {
			t.Errorf("after disconnecting: %s", frame)
		}
	})
}

// tries has one call of each method; a method that is not listed fails
// TestRolesByMethod.
var tries = map[string]string{
	"ping":         `{}`,
	"subscribe":    `{"since":0}`,
	"unsubscribe":  `{}`,
	"commit":       `{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}`,
	"rows.list":    `{"table":"tasks"}`,
	"rows.get":     `{"table":"tasks","id":"t1"}`,
	"log.read":     `{"since":0}`,
	"presence.set": `{"status":"here","n":1}`,
	"cursor.set":   `{"position":{"x":1},"n":1}`,

	"search":        `{"query":"First","k":3}`,
	"sql":           `{"sql":"select title from tasks where id = ?","params":["t1"]}`,
	"alerts.set":    `{"topic":"down","description":"outages","threshold":0.4,"table":"tasks"}`,
	"alerts.delete": `{"topic":"theirs"}`,
	"alerts.list":   `{}`,
	"alerts.inbox":  `{"limit":10}`,
}

func TestRolesByMethod(t *testing.T) {
	w := newWorld(t, local)
	roles := map[string]access.Role{"vera": access.Viewer, "bob": access.Editor, "ada": access.Owner}
	for _, method := range live.Methods {
		params, listed := tries[method.Name]
		if !listed {
			t.Errorf("method %s is not tried here", method.Name)
			continue
		}
		for name, role := range roles {
			_, err := w.alerts.Set(t.Context(), user(name), den, "theirs", alert.Request{Description: "anything"})
			must(t, err)
			before := w.head()
			frame := w.call(w.connect(name), method.Name, params)
			want := `"result"`
			switch {
			case !role.AtLeast(method.Role):
				want = `"code":4003`
			}
			refused := strings.Contains(frame, `"error"`)
			if !strings.Contains(frame, want) || refused && strings.Contains(frame, "First") {
				t.Errorf("%s as %s: %s, want %s", method.Name, name, frame, want)
			}
			if changed := w.head() != before; changed != (method.Name == "commit" && !refused) {
				t.Errorf("%s as %s: seq from %d to %d", method.Name, name, before, w.head())
			}
		}
	}
	if len(tries) != len(live.Methods) {
		t.Errorf("%d methods are tried, %d exist", len(tries), len(live.Methods))
	}
}

func TestRefusalsKeepTheConnection(t *testing.T) {
	w := newWorld(t, local)
	c := w.connect("bob")
	call := func(method, params string) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
	}
	before := w.head()
	for _, q := range []struct{ message, has string }{
		{`{`, `"id":null,"error":{"code":-32700`},
		{`[` + call("ping", "{}") + `]`, `-32600`},
		{`{"id":1,"method":"ping"}`, `-32600`},
		{call("search", `{}`), `"path":"query"`},
		{call("search", `{"query":"x","k":51}`), `"path":"k"`},
		{call("search", `{"query":"x","mode":"fuzzy"}`), `"path":"mode"`},
		{call("search", `{"query":"x","table":"none"}`), `4004`},
		{call("sql", `{}`), `"path":"sql"`},
		{call("sql", `{"sql":"select nothing from tasks"}`), `"path":"sql"`},
		{call("sql", `{"sql":"delete from tasks"}`), `"path":"sql"`},
		{call("sql", `{"sql":"select ?","params":[{}]}`), `"path":"params[0]"`},
		{call("sql", `{"sql":"with recursive n(i) as (select 1 union all select i+1 from n limit 5000) select i, 'some text of a row' from n"}`), `"useHttp":true`},
		{call("alerts.missing", `{}`), `-32601`},
		{call("Ping", `{}`), `-32601`},
		{call("ping", `[]`), `-32602`},
		{call("ping", `{"x":1}`), `"path":"x"`},
		{call("commit", `{}`), `"path":"ops"`},
		{call("commit", `{"ops":[{"op":"insert","table":"tasks","row":{"title":5}}]}`), `"path":"ops[0].row.title"`},
		{call("commit", `{"ops":[{"op":"insert","table":"none","row":{}}]}`), `4004`},
		{call("commit", `{"ops":[{"op":"update","table":"tasks","id":"t1","set":{"title":"x"},"ifVersion":99}]}`), `4009`},
		{call("commit", `{"ops":[{"op":"createTable","table":"z","columns":[],"access":"own"}]}`), `4003`},
		{call("commit", `{"ops":"x"}`), `"path":"ops"`},
		{call("rows.list", `{}`), `"path":"table"`},
		{call("rows.list", `{"table":"none"}`), `4004`},
		{call("rows.list", `{"table":"tasks","limit":1001}`), `"path":"limit"`},
		{call("rows.list", `{"table":"tasks","where":{"colour":1}}`), `"path":"where.colour"`},
		{call("rows.list", `{"table":"tasks","cursor":"x"}`), `"path":"cursor"`},
		{call("rows.get", `{"table":"tasks","id":"none"}`), `4004`},
		{call("rows.get", `{"table":"tasks"}`), `"path":"id"`},
		{call("log.read", `{}`), `"path":"since"`},
		{call("log.read", `{"since":-1}`), `"path":"since"`},
		{call("log.read", `{"since":0,"limit":5000}`), `"path":"limit"`},
		{call("subscribe", `{"since":-1}`), `"path":"since"`},
		{call("subscribe", `{"tables":["tasks","none"]}`), `"path":"tables[1]"`},
		{call("subscribe", `{"tables":"tasks"}`), `"path":"tables"`},
		{call("presence.set", `{"status":"x"}`), `"path":"n"`},
		{call("presence.set", `{"n":1}`), `"path":"status"`},
		{call("presence.set", `{"n":1,"status":"x","user":"ada"}`), `"path":"user"`},
		{call("cursor.set", `{"n":1,"position":"`+strings.Repeat("x", 1100)+`"}`), `4013`},
		{call("alerts.set", `{"topic":"a"}`), `"path":"description"`},
		{call("alerts.set", `{"topic":"A","description":"x"}`), `"path":"topic"`},
		{call("alerts.set", `{"topic":"a","description":"x","threshold":"high"}`), `"path":"threshold"`},
		{call("alerts.set", `{"topic":"a","description":"x","threshold":7}`), `"path":"threshold"`},
		{call("alerts.set", `{"topic":"a","description":"x","table":"none"}`), `4004`},
		{call("alerts.set", `{"topic":"a","description":"x","user":"ada"}`), `"path":"user"`},
		{call("alerts.delete", `{"topic":"none"}`), `4004`},
		{call("alerts.inbox", `{"limit":1000}`), `"path":"limit"`},
		{call("alerts.inbox", `{"cursor":"x"}`), `"path":"cursor"`},
		{strings.Repeat(" ", 129<<10), `4013`},
	} {
		frames := w.send(c, q.message)
		if len(frames) != 1 || !strings.Contains(frames[0], q.has) || !strings.Contains(frames[0], `"error"`) {
			t.Errorf("%.120s: %v, want %s", q.message, frames, q.has)
		}
	}
	if w.head() != before {
		t.Error("a refusal changed the room")
	}
	if frame := w.call(c, "ping", "{}"); !strings.Contains(frame, "result") {
		t.Errorf("afterwards: %s", frame)
	}
}

func TestWithoutIDNothingIsAnswered(t *testing.T) {
	w := newWorld(t, local)
	c, before := w.connect("bob"), w.head()
	frames := w.send(c, `{"jsonrpc":"2.0","method":"commit","params":{"ops":[{"op":"insert","table":"tasks","row":{"title":"quiet"}}]}}`)
	if len(frames) != 0 || w.head() != before+1 {
		t.Errorf("%v, seq %d", frames, w.head())
	}
	if frames := w.send(c, `{"jsonrpc":"2.0","method":"none"}`); len(frames) != 0 {
		t.Errorf("%v", frames)
	}
}

func TestBinaryMessagesEndTheConnection(t *testing.T) {
	w := newWorld(t, local)
	c := w.connect("bob")
	e := w.event("apigw-websocket-request-send-message.json", c)
	e.Body, e.IsBase64Encoded = "AAAA", true
	_, err := w.live.Handle(t.Context(), e)
	if err != nil || !w.post.dropped(c) {
		t.Errorf("dropped %v, %v", w.post.dropped(c), err)
	}
}

func TestCommitsReachTheOthers(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		bob, vera, cleo := w.subscribe("bob"), w.subscribe("vera"), w.connect("cleo")
		tables := w.connect("ada")
		w.call(tables, "subscribe", `{"tables":["notes"]}`)
		w.post.take(bob)
		w.post.take(vera)
		seq := w.head() + 1
		frames := w.send(bob, `{"jsonrpc":"2.0","id":"k","method":"commit","params":{"commitId":"c","ops":[{"op":"insert","table":"tasks","id":"x","row":{"title":"Hello"}}]}}`)
		if len(frames) != 2 || !strings.HasPrefix(frames[0], `{"jsonrpc":"2.0","id":"k","result":{"seq":`) || !strings.Contains(frames[1], `"method":"commit"`) {
			t.Errorf("bob got %v", frames)
		}
		if got := w.post.take(vera); len(got) != 1 || !strings.Contains(got[0], `"title":"Hello"`) {
			t.Errorf("vera got %v", got)
		}
		if got := w.post.take(cleo); len(got) != 0 {
			t.Errorf("cleo does not listen and got %v", got)
		}
		if got := w.post.take(tables); len(got) != 1 || !strings.Contains(got[0], fmt.Sprintf(`"params":{"seq":%d,"ops":[]}`, seq)) {
			t.Errorf("ada listens to notes and got %v", got)
		}
		frames = w.send(bob, `{"jsonrpc":"2.0","id":1,"method":"commit","params":{"commitId":"c","ops":[{"op":"insert","table":"tasks","id":"x","row":{"title":"Hello"}}]}}`)
		if len(frames) != 1 || !strings.Contains(frames[0], fmt.Sprintf(`"seq":%d`, seq)) || len(w.post.take(vera)) != 0 {
			t.Errorf("again: %v", frames)
		}
		w.call(vera, "unsubscribe", "{}")
		w.post.take(bob)
		w.call(bob, "commit", `{"ops":[{"op":"delete","table":"tasks","id":"x"}]}`)
		if got := w.post.take(vera); len(got) != 0 {
			t.Errorf("after unsubscribing: %v", got)
		}
	})
}

func TestOwnRowsStayHidden(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		bob, cleo, ada := w.subscribe("bob"), w.subscribe("cleo"), w.subscribe("ada")
		for _, op := range []string{
			`{"op":"insert","table":"notes","id":"n","row":{"text":"secret"}}`,
			`{"op":"update","table":"notes","id":"n","set":{"text":"secret too"}}`,
			`{"op":"delete","table":"notes","id":"n"}`,
		} {
			if own := w.send(bob, `{"jsonrpc":"2.0","id":1,"method":"commit","params":{"ops":[`+op+`]}}`); len(own) != 2 || !strings.Contains(own[1], `"id":"n"`) {
				t.Errorf("bob got %v", own)
			}
			if got := w.post.take(cleo); len(got) != 1 || !strings.Contains(got[0], `"ops":[]`) || strings.Contains(got[0], "bob") {
				t.Errorf("cleo got %v", got)
			}
			if got := w.post.take(ada); len(got) != 1 || !strings.Contains(got[0], `"id":"n"`) {
				t.Errorf("ada got %v", got)
			}
		}
		if frame := w.call(cleo, "log.read", `{"since":0}`); strings.Contains(frame, "secret") {
			t.Errorf("cleo reads %s", frame)
		}
	})
}

func TestRemovedMembersAreDropped(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		vera, idle, bob := w.subscribe("vera"), w.connect("vera"), w.subscribe("bob")
		r, err := w.engine.RemoveMember(t.Context(), user("ada"), den, "vera")
		must(t, err)
		must(t, w.audience.Announce(t.Context(), r.Room, r.Entry.Seq))
		if got := w.post.take(vera); len(got) != 1 || !strings.Contains(got[0], `"method":"reset"`) {
			t.Errorf("vera got %v", got)
		}
		if !w.post.dropped(vera) || !w.post.dropped(idle) || w.post.dropped(bob) {
			t.Errorf("dropped: vera %v, idle %v, bob %v", w.post.dropped(vera), w.post.dropped(idle), w.post.dropped(bob))
		}
		got := strings.Join(w.post.take(bob), " ")
		if !strings.Contains(got, `"op":"member","user":"vera","role":null`) || !strings.Contains(got, `"gone":true`) {
			t.Errorf("bob got %s", got)
		}
		must(t, w.audience.Announce(t.Context(), r.Room, r.Entry.Seq))
		r, err = w.engine.Delete(t.Context(), user("ada"), den)
		must(t, err)
		must(t, w.audience.Announce(t.Context(), r.Room, r.Entry.Seq))
		if got := w.post.take(bob); len(got) == 0 || !strings.Contains(got[0], `"reason":"closed"`) || !w.post.dropped(bob) {
			t.Errorf("bob got %v of a deleted room", got)
		}
	})
}

func TestSubscribeCatchesUp(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		head := w.head()
		bob := w.connect("bob")
		for n := range 3 {
			w.call(bob, "commit", fmt.Sprintf(`{"ops":[{"op":"insert","table":"tasks","id":"r%d","row":{"title":"T"}},{"op":"insert","table":"notes","row":{"text":"N"}}]}`, n))
		}
		frame := w.call(bob, "subscribe", fmt.Sprintf(`{"since":%d}`, head))
		var got struct {
			Result struct {
				Seq, Index int64
				Commits    []struct{ Seq int64 }
				Presence   []any
				Connection string
				More       bool
			}
		}
		must(t, json.Unmarshal([]byte(frame), &got))
		r := got.Result
		if r.Seq != head+3 || len(r.Commits) != 3 || r.Commits[0].Seq != head+1 || r.More || r.Connection != bob || len(r.Presence) != 0 {
			t.Errorf("%s", frame)
		}
		ada := w.connect("ada")
		frame = w.call(ada, "subscribe", fmt.Sprintf(`{"since":%d,"tables":["tasks"]}`, head))
		if strings.Contains(frame, `"table":"notes"`) || !strings.Contains(frame, `"table":"tasks"`) || !strings.Contains(frame, `"connection":"`+bob+`"`) {
			t.Errorf("only tasks: %s", frame)
		}
		if frame := w.call(ada, "subscribe", `{"since":999}`); !strings.Contains(frame, `"reset":true`) {
			t.Errorf("a seq of another room: %s", frame)
		}
	})
}

func TestMessagesFitAFrame(t *testing.T) {
	w := newWorld(t, local)
	bob, vera := w.subscribe("bob"), w.subscribe("vera")
	since := w.head()
	var ops []string
	for n := range 80 { // 80 titles of 450 characters: more than one message, less than a client may send
		ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"big%d","row":{"title":%q}}`, n, strings.Repeat("x", 450)))
	}
	frames := w.send(bob, `{"jsonrpc":"2.0","id":1,"method":"commit","params":{"ops":[`+strings.Join(ops, ",")+`]}}`)
	truncated := fmt.Sprintf(`{"seq":%d,"truncated":true}`, since+1)
	if len(frames) != 2 || frames[0] != `{"jsonrpc":"2.0","id":1,"result":`+truncated+`}` || !strings.Contains(frames[1], truncated) {
		t.Errorf("bob got %.200v", frames)
	}
	if got := w.post.take(vera); len(got) != 1 || !strings.Contains(got[0], truncated) {
		t.Errorf("vera got %.200v", got)
	}
	if frame := w.call(vera, "log.read", fmt.Sprintf(`{"since":%d}`, since)); !strings.Contains(frame, `"code":4013`) || !strings.Contains(frame, `"useHttp":true`) {
		t.Errorf("log.read: %.200s", frame)
	}
	if frame := w.call(vera, "subscribe", fmt.Sprintf(`{"since":%d}`, since)); !strings.Contains(frame, `"more":true`) || len(frame) > push.MaxMessage {
		t.Errorf("subscribe: %.200s", frame)
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		frame := w.call(vera, "rows.list", fmt.Sprintf(`{"table":"tasks","limit":1000%s}`, cursor))
		var page struct {
			Result struct {
				Rows   []struct{ ID string }
				Cursor string
			}
		}
		must(t, json.Unmarshal([]byte(frame), &page))
		for _, row := range page.Result.Rows {
			seen[row.ID] = true
		}
		if page.Result.Cursor == "" {
			break
		}
		cursor = fmt.Sprintf(`,"cursor":%q`, page.Result.Cursor)
	}
	if len(seen) != 81 {
		t.Errorf("%d of 81 rows by pages", len(seen))
	}
}

// A change of values answers its maker with the commit and resets listeners.
func TestAConversionIsAnsweredAndResets(t *testing.T) {
	w := newWorld(t, local)
	bob, vera := w.subscribe("bob"), w.subscribe("vera")
	w.call(bob, "commit", `{"ops":[{"op":"createTable","table":"m","columns":[{"name":"v","type":"integer"}]},{"op":"insert","table":"m","row":{"v":1}}]}`)
	w.post.take(vera)
	frames := w.send(bob, `{"jsonrpc":"2.0","id":1,"method":"commit","params":{"ops":[{"op":"alterTable","table":"m","change":[{"name":"v","type":"text"}]}]}}`)
	if len(frames) != 2 || !strings.Contains(frames[0], `"op":"alterTable"`) || !strings.Contains(frames[1], `"reason":"rewrite"`) {
		t.Errorf("bob got %v", frames)
	}
	if got := w.post.take(vera); len(got) != 1 || !strings.Contains(got[0], `"method":"reset"`) {
		t.Errorf("vera got %v", got)
	}
}

// While others commit, clients come and go. Each of them has every seq from
// where it began: by its catch-up, by log.read, or by a notification.
func TestWhoSubscribesInTheMiddleMissesNothing(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		writers := []string{w.connect("bob"), w.connect("cleo"), w.connect("ada")}
		since := w.head()
		var running sync.WaitGroup
		for _, writer := range writers {
			running.Go(func() {
				for n := range 25 {
					e := w.event("apigw-websocket-request-send-message.json", writer)
					e.Body = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"commit","params":{"ops":[{"op":"insert","table":"tasks","row":{"title":"x"}}]}}`, n)
					if _, err := w.live.Handle(t.Context(), e); err != nil {
						t.Error(err)
					}
				}
			})
		}
		var joined []string
		for range 8 {
			vera := w.connect("vera")
			e := w.event("apigw-websocket-request-send-message.json", vera)
			e.Body = fmt.Sprintf(`{"jsonrpc":"2.0","id":"s","method":"subscribe","params":{"since":%d}}`, since)
			_, err := w.live.Handle(t.Context(), e)
			must(t, err)
			joined = append(joined, vera)
		}
		running.Wait()
		head := w.head()
		if head != since+75 {
			t.Fatalf("head %d after %d", head, since)
		}
		for _, vera := range joined {
			frames := w.post.take(vera)
			seen := seqsOf(t, frames)
			for seq := since + 1; seq <= head; seq++ {
				if !seen[seq] {
					t.Errorf("%s misses %d of %d", vera, seq, head)
					break
				}
			}
		}
	})
}

// seqsOf are the seqs told by an answer to subscribe and notifications.
func seqsOf(t *testing.T, frames []string) map[int64]bool {
	t.Helper()
	seen := map[int64]bool{}
	for _, frame := range frames {
		var f struct {
			Method string
			Params struct{ Seq int64 }
			Result struct{ Commits []struct{ Seq int64 } }
		}
		must(t, json.Unmarshal([]byte(frame), &f))
		if f.Method == "commit" {
			seen[f.Params.Seq] = true
		}
		for _, c := range f.Result.Commits {
			seen[c.Seq] = true
		}
	}
	return seen
}

func TestPresenceCarriesTheServersUser(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		bob, vera := w.subscribe("bob"), w.subscribe("vera")
		w.call(bob, "presence.set", `{"status":{"user":"ada"},"n":4}`)
		w.call(bob, "cursor.set", `{"position":[1],"n":5}`)
		w.call(bob, "cursor.set", `{"position":[2],"n":6}`)
		got := w.post.take(vera)
		want := []string{
			`{"jsonrpc":"2.0","method":"presence","params":{"user":"bob","name":"bob","connection":"` + bob + `","n":4,"status":{"user":"ada"}}}`,
			`{"jsonrpc":"2.0","method":"presence","params":{"user":"bob","name":"bob","connection":"` + bob + `","n":5,"cursor":[1]}}`,
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("vera got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestInvoke(t *testing.T) {
	w := newWorld(t, inStore)
	vera := w.subscribe("vera")
	r, err := w.engine.Commit(t.Context(), user("ada"), den, request(`{"op":"insert","table":"tasks","row":{"title":"By HTTP"}}`))
	must(t, err)
	_, err = w.live.Invoke(t.Context(), fmt.Appendf(nil, `{"announce":{"room":%q,"seq":%d}}`, r.Room, r.Entry.Seq))
	must(t, err)
	if got := w.post.take(vera); len(got) != 1 || !strings.Contains(got[0], "By HTTP") {
		t.Errorf("vera got %v", got)
	}
	e := w.event("apigw-websocket-request-send-message.json", vera)
	e.Body = `{"jsonrpc":"2.0","id":9,"method":"ping"}`
	payload, err := json.Marshal(e)
	must(t, err)
	answer, err := w.live.Invoke(t.Context(), payload)
	if err != nil || !strings.Contains(string(answer), `"statusCode":200`) || len(w.post.take(vera)) != 1 {
		t.Errorf("%s, %v", answer, err)
	}
	if _, err := w.live.Invoke(t.Context(), []byte("nonsense")); err == nil {
		t.Error("nonsense was taken")
	}
}

func TestAPanicIsAnsweredAndHidden(t *testing.T) {
	w := newWorld(t, local)
	broken := live.New(live.Deps{Rooms: nil, Audience: w.audience, Push: w.post, Log: slog.New(slog.DiscardHandler)})
	c := w.connect("bob")
	e := w.event("apigw-websocket-request-send-message.json", c)
	e.Body = `{"jsonrpc":"2.0","id":9,"method":"ping"}`
	_, err := broken.Handle(t.Context(), e)
	must(t, err)
	frames := w.post.take(c)
	if len(frames) != 1 || !strings.Contains(frames[0], "-32603") || !strings.Contains(frames[0], e.RequestContext.RequestID) || strings.Contains(frames[0], "nil pointer") {
		t.Errorf("%v", frames)
	}
	if w.post.dropped(c) || !strings.Contains(w.call(c, "ping", "{}"), "result") {
		t.Error("the connection was not kept")
	}
}
