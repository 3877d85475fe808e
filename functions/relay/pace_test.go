package relay

import (
	"context"
	"testing"
	"time"
)

// slow is a room whose checkpoint takes a second and that is due always.
type slow struct {
	clock   *time.Time
	written int
}

func (s *slow) CheckpointDue() bool { return true }

func (s *slow) Checkpoint(context.Context) error {
	s.written++
	*s.clock = s.clock.Add(time.Second)
	return nil
}

func TestCheckpointsOfABusyRoomRest(t *testing.T) {
	clock := time.Unix(1000, 0)
	h := New(Deps{Now: func() time.Time { return clock }})
	busy, other := &slow{clock: &clock}, &slow{clock: &clock}
	write := func(r *slow, ulid string) {
		t.Helper()
		if err := h.checkpoint(t.Context(), r, ulid); err != nil {
			t.Fatal(err)
		}
	}
	write(busy, "busy")
	for range 29 {
		write(busy, "busy")
		clock = clock.Add(time.Second)
	}
	if busy.written != 1 {
		t.Fatalf("%d checkpoints while the room rests, want 1", busy.written)
	}
	if rooms, next := h.pace.ready(clock); len(rooms) != 0 || next != time.Second {
		t.Errorf("postponed: %v, next in %v; want one second", rooms, next)
	}
	write(other, "other")
	if other.written != 1 {
		t.Error("a busy room held up another")
	}
	if rooms, _ := h.pace.ready(clock); len(rooms) != 1 || rooms[0] != "busy" {
		t.Errorf("after its rest: %v", rooms)
	}
	write(busy, "busy")
	if rooms, next := h.pace.ready(clock); busy.written != 2 || len(rooms) != 0 || next != 0 {
		t.Errorf("%d checkpoints, postponed %v, next %v", busy.written, rooms, next)
	}
}
