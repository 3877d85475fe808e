package room_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
)

// TestASlowListEnds: a list that goes through more than there is time for is
// ended while SQLite looks for its first row, and says why.
func TestASlowListEnds(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	text := strings.Repeat("x", 480)
	for range 40 {
		var ops []string
		for range 400 {
			ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"tasks","row":{"title":%q}}`, text))
		}
		w.commit(e, bob, ops...)
	}
	list := func() error {
		return e.Read(t.Context(), vera, den, func(v *room.View) error {
			where := map[string]json.RawMessage{"title": json.RawMessage(`{"contains":"y"}`)}
			_, err := v.List(t.Context(), room.ListRequest{Table: "tasks", Where: where})
			return err
		})
	}
	e.SetReadTime(time.Microsecond)
	if err := list(); !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), "longer than 1µs") {
		t.Errorf("got %v", err)
	}
	e.SetReadTime(time.Minute)
	if err := list(); err != nil {
		t.Errorf("the next list: %v", err)
	}
}
