package promises

import (
	"fmt"
	"path/filepath"
	"testing"

	"nanotypedb/shared/embedder/flakyembed"
)

// Restored texts are never embedded again, neither in their room nor in
// another.
func TestARestoreEmbedsNothing(t *testing.T) {
	t.Parallel()
	server := flakyembed.Start(t, 8)
	p := launch(t, filepath.Join(t.TempDir(), "data"), embedEnv(server.URL)...)
	ada := p.signIn(t, "ada")
	ada.makeRoom(t, "plans")
	var texts []string
	for i := range 25 {
		texts = append(texts, fmt.Sprintf("text %d", i))
	}
	ada.insertAll(t, "plans", texts...)
	ada.settled(t, "plans", len(texts))
	seq := ada.seq(t, "plans")
	var ops []any
	for i := range texts {
		ops = append(ops, map[string]any{"op": "delete", "table": "tasks", "id": fmt.Sprintf("text-%d", i)})
	}
	ada.must(t, "POST", "/v1/rooms/plans/commits", map[string]any{"ops": ops})
	ada.must(t, "POST", "/v1/rooms/plans/restore", map[string]any{"seq": seq, "into": map[string]string{"id": "copy", "name": "copy"}})
	ada.must(t, "POST", "/v1/rooms/plans/restore", map[string]any{"seq": seq})
	for _, room := range []string{"copy", "plans"} {
		if s := ada.settled(t, room, len(texts)); s.Index.Indexed != len(texts) {
			t.Errorf("room %s: %+v", room, s.Index)
		}
	}
	for _, text := range texts {
		if got := server.Asked(text); got != 1 {
			t.Errorf("%q was asked for %d times", text, got)
		}
	}
}
