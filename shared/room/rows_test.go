package room_test

import (
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
)

// TestAlterationsKeepTheLimitOfARow: rows do not grow above the limit by way
// of defaults.
func TestAlterationsKeepTheLimitOfARow(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"createTable","table":"big","columns":[{"name":"x","type":"text"},{"name":"y","type":"text"}]}`)
	w.commit(e, ada, fmt.Sprintf(`{"op":"insert","table":"big","id":"full","row":{"x":%q,"y":"y"}}`, strings.Repeat("x", 65_000)))
	w.commit(e, ada, `{"op":"insert","table":"big","id":"small","row":{"x":"x"}}`)
	add := fmt.Sprintf(`{"name":"z","type":"text","default":%q}`, strings.Repeat("z", 1000))
	_, err := e.Commit(t.Context(), ada, den, request(fmt.Sprintf(`{"op":"alterTable","table":"big","add":[%s]}`, add)))
	if !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), "65536") || !strings.Contains(err.Error(), "full") || strings.Contains(err.Error(), "small") {
		t.Errorf("a default: %v", err)
	}
	_, err = e.Commit(t.Context(), ada, den, request(fmt.Sprintf(`{"op":"alterTable","table":"big","drop":["x"],"add":[%s]}`, add)))
	if err != nil {
		t.Errorf("in the place of a dropped column: %v", err)
	}
	w.commit(e, ada, `{"op":"createTable","table":"wide","columns":[{"name":"x","type":"text"},{"name":"y","type":"text"}]}`)
	w.commit(e, ada, fmt.Sprintf(`{"op":"insert","table":"wide","id":"full","row":{"x":%q}}`, strings.Repeat("x", 65_000)))
	_, err = e.Commit(t.Context(), ada, den, request(fmt.Sprintf(
		`{"op":"alterTable","table":"wide","change":[{"name":"y","type":"text","required":true,"default":%q}]}`, strings.Repeat("z", 1000))))
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("a default of a changed column: %v", err)
	}
}
