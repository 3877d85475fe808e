package room_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
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

// addAndDrop is a commit of n alterations that each rewrite every task.
func addAndDrop(n int) room.Request {
	var ops []string
	for i := range n {
		if i%2 == 0 {
			ops = append(ops, `{"op":"alterTable","table":"tasks","add":[{"name":"x","type":"text","default":"y"}]}`)
		} else {
			ops = append(ops, `{"op":"alterTable","table":"tasks","drop":["x"]}`)
		}
	}
	return request(ops...)
}

func (w *world) tasks(e *room.Engine, n int) {
	var ops []string
	for i := range n {
		ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"r%d","row":{"title":"x"}}`, i))
	}
	w.commit(e, ada, ops...)
}

func TestAlterationsOfOneCommitAreBounded(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.tasks(e, 100)
	e.SetMaxVisits(1000)
	_, err := e.Commit(t.Context(), ada, den, addAndDrop(12))
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.TooLarge || f.Path != "ops[10]" || !strings.Contains(f.Reason, "1000 rows") {
		t.Errorf("12 alterations of 100 rows: %v", err)
	}
	if _, err := e.Commit(t.Context(), ada, den, addAndDrop(10)); err != nil {
		t.Errorf("10 alterations of 100 rows: %v", err)
	}
}

// TestACommitThatTakesTooLongIsTold: whoever takes all the time that there is
// hears that it is his commit, not that there are other writers.
func TestACommitThatTakesTooLongIsTold(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.tasks(e, 1000)
	e.SetPatience(50 * time.Millisecond)
	_, err := e.Commit(t.Context(), ada, den, addAndDrop(300))
	if !fault.Is(err, fault.TooLarge) || !strings.Contains(err.Error(), "50ms") {
		t.Errorf("got %v", err)
	}
	if _, err := e.Commit(t.Context(), ada, den, request(`{"op":"delete","table":"tasks","id":"r1"}`)); err != nil {
		t.Errorf("the next commit: %v", err)
	}
}
