package live_test

import (
	"strings"
	"testing"

	"nanotypedb/shared/alert"
	"nanotypedb/shared/vector"
)

// An alert is told on every connection of its owner, and waits in the inbox of
// who was away.
func TestAlerts(t *testing.T) {
	both(t, func(t *testing.T, w *world) {
		c := w.connect("vera")
		if frame := w.call(c, "alerts.set", `{"topic":"down","description":"the network is down"}`); frame != `{"jsonrpc":"2.0","id":1,"result":{}}` {
			t.Errorf("set: %s", frame)
		}
		other := w.connect("bob")
		check := func(id string) {
			t.Helper()
			r, err := w.engine.Commit(t.Context(), user("bob"), den, request(`{"op":"insert","table":"tasks","id":"`+id+`","row":{"title":"network down"}}`))
			must(t, err)
			embedded := letters{}.Embed(t.Context(), []string{"network down"}, "")
			v, err := vector.Quantize(embedded[0].Vector)
			must(t, err)
			text := alert.Matched{Table: r.State.Schema.Table("tasks").Num, ID: id, Version: r.Entry.Seq, Vector: v}
			must(t, w.alerts.Check(t.Context(), w.ulid, []alert.Matched{text}))
		}
		check("r1")
		box := w.post.take(c)
		if len(box) != 1 || !strings.Contains(box[0], `"method":"alert","params":{"topic":"down","similarity":`) || !strings.Contains(box[0], `"title":"network down"`) {
			t.Errorf("vera got %v", box)
		}
		if box := w.post.take(other); len(box) != 0 {
			t.Errorf("bob got %v", box)
		}
		must(t, w.audience.Disconnect(t.Context(), c))
		check("r2")
		c = w.connect("vera")
		if frame := w.call(c, "alerts.inbox", `{"limit":1}`); !strings.Contains(frame, `"rowId":"r2"`) || strings.Contains(frame, `"rowId":"r1"`) || !strings.Contains(frame, `"unread":2`) {
			t.Errorf("inbox: %s", frame)
		}
		if frame := w.call(c, "alerts.list", `{}`); !strings.Contains(frame, `"alerts":[{"topic":"down","description":"the network is down","threshold":0.5,"createdAt":"2`) {
			t.Errorf("list: %s", frame)
		}
		if frame := w.call(c, "alerts.delete", `{"topic":"down"}`); !strings.Contains(frame, `"result":{}`) {
			t.Errorf("delete: %s", frame)
		}
	})
}
