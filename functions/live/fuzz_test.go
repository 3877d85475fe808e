package live_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzMessage: whatever a client sends, it gets at most one answer, which is
// JSON, and keeps its connection.
func FuzzMessage(f *testing.F) {
	for method, params := range tries {
		f.Add(`{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`)
	}
	f.Add(`{"jsonrpc":"2.0","id":"\u0000","method":"rows.list","params":{"table":"tasks","where":{"title":{"gt":null}}}}`)
	f.Add(`{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"since":0,"tables":[]}}`)
	w := newWorld(f, local)
	connection := w.connect("vera") // a viewer: nothing may change
	f.Fuzz(func(t *testing.T, message string) {
		w.t = t
		before := w.head()
		frames := w.send(connection, message)
		answers := 0
		for _, frame := range frames {
			if !json.Valid([]byte(frame)) {
				t.Errorf("answer %q", frame)
			}
			if strings.Contains(frame, `"id":`) && !strings.Contains(frame, `"method":`) {
				answers++
			}
		}
		if answers > 1 || w.post.dropped(connection) || w.head() != before {
			t.Errorf("%q: %v, dropped %v", message, frames, w.post.dropped(connection))
		}
	})
}
