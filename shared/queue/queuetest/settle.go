package queuetest

import (
	"errors"
	"maps"
	"slices"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/queue"
)

var deleteCases = []testCase{
	{"delete/a batch", testDeleteBatch},
	{"delete/twice", testDeleteTwice},
	{"delete/after the visibility time", testDeleteLate},
	{"delete/an old receipt", testDeleteStale},
	{"delete/a receipt of nobody", testDeleteForeign},
	{"delete/what is above a limit is refused", testSettleLimits},
}

var extendCases = []testCase{
	{"extend/longer", testExtendLonger},
	{"extend/zero gives back", testExtendZero},
	{"extend/failures one by one", testExtendFailures},
	{"extend/after the visibility time", testExtendLate},
}

func testDeleteBatch(s *subject) {
	s.send(numbered(queue.MaxBatch)...)
	messages := s.receive(s.Queue, queue.MaxBatch, short)
	s.delete(s.Queue, messages[:9]...)
	s.pass(short + 100*time.Millisecond)
	if m := s.one(hidden); m.ID != messages[9].ID {
		s.Fatalf("received %+v, which was deleted", m)
	}
	s.none(s.Queue)
	s.counts(s.Queue, 0, 1, 0)
}

func testDeleteTwice(s *subject) {
	s.send("x", "y")
	messages := s.receive(s.Queue, 2, hidden)
	s.delete(s.Queue, messages[0])
	s.onlyStale("Delete", s.Queue.Delete(s.Context(), receiptsOf(messages)...))
	s.counts(s.Queue, 0, 0, 0)
}

func testDeleteLate(s *subject) {
	s.send("x")
	m := s.one(short)
	s.pass(short + 100*time.Millisecond)
	s.delete(s.Queue, m)
	s.none(s.Queue)
	s.counts(s.Queue, 0, 0, 0)
}

// testDeleteStale: whatever an old receipt does, the holder of the newest can
// finish the message.
func testDeleteStale(s *subject) {
	s.send("x")
	old := s.one(hidden)
	s.extend(0, old)
	newest := s.one(hidden)
	s.onlyStale("Delete", s.Queue.Delete(s.Context(), old.Receipt))
	s.onlyStale("Extend", s.Queue.Extend(s.Context(), queue.Extension{Receipt: old.Receipt, For: hidden}))
	s.onlyStale("Delete", s.Queue.Delete(s.Context(), newest.Receipt))
	s.none(s.Queue)
	s.counts(s.Queue, 0, 0, 0)
}

func testDeleteForeign(s *subject) {
	s.send("x")
	m := s.one(hidden)
	err := s.Queue.Delete(s.Context(), "nonsense", m.Receipt, "01ARZ3NDEKTSV4RRFFQ69G5FAV-7x")
	var batch *queue.BatchError
	if !errors.As(err, &batch) || !errors.Is(err, queue.ErrStaleReceipt) {
		s.Fatalf("Delete: %v, want ErrStaleReceipt", err)
	}
	if got := slices.Sorted(maps.Keys(batch.Failed)); !slices.Equal(got, []int{0, 2}) {
		s.Errorf("entries %v failed, want 0 and 2", got)
	}
	s.counts(s.Queue, 0, 0, 0)
}

func testSettleLimits(s *subject) {
	eleven := slices.Repeat([]string{"x"}, queue.MaxBatch+1)
	long := queue.Extension{Receipt: "x", For: queue.MaxVisibility + 1}
	for name, err := range map[string]error{
		"delete none":      s.Queue.Delete(s.Context()),
		"delete eleven":    s.Queue.Delete(s.Context(), eleven...),
		"delete nothing":   s.Queue.Delete(s.Context(), ""),
		"extend none":      s.Queue.Extend(s.Context()),
		"extend eleven":    s.Queue.Extend(s.Context(), make([]queue.Extension, queue.MaxBatch+1)...),
		"extend nothing":   s.Queue.Extend(s.Context(), queue.Extension{}),
		"extend too long":  s.Queue.Extend(s.Context(), long),
		"extend backwards": s.Queue.Extend(s.Context(), queue.Extension{Receipt: "x", For: -1}),
	} {
		if !fault.Is(err, fault.Invalid) {
			s.Errorf("%s: %v, want invalid", name, err)
		}
	}
}

func testExtendLonger(s *subject) {
	s.send("x", "y")
	messages := s.receive(s.Queue, 2, short)
	s.extend(hidden, messages...)
	s.pass(short + 100*time.Millisecond)
	s.none(s.Queue)
	s.counts(s.Queue, 0, 2, 0)
	s.delete(s.Queue, messages...)
	s.counts(s.Queue, 0, 0, 0)
}

func testExtendZero(s *subject) {
	s.send("x", "y")
	messages := s.receive(s.Queue, 2, hidden)
	s.extend(0, messages[0])
	again := s.one(hidden)
	if again.ID != messages[0].ID || again.Receives != 2 {
		s.Fatalf("received %+v, want %+v again", again, messages[0])
	}
	s.none(s.Queue)
}

func testExtendFailures(s *subject) {
	s.send("x", "y")
	messages := s.receive(s.Queue, 2, hidden)
	err := s.Queue.Extend(s.Context(), queue.Extension{Receipt: messages[0].Receipt},
		queue.Extension{Receipt: "nonsense", For: time.Second}, queue.Extension{Receipt: messages[1].Receipt})
	var batch *queue.BatchError
	if !errors.As(err, &batch) || len(batch.Failed) != 1 || !errors.Is(batch.Failed[1], queue.ErrStaleReceipt) {
		s.Fatalf("Extend: %v, want ErrStaleReceipt of entry 1", err)
	}
	s.receive(s.Queue, 2, hidden)
}

func testExtendLate(s *subject) {
	s.send("x")
	m := s.one(short)
	s.pass(short + 100*time.Millisecond)
	if err := s.Queue.Extend(s.Context(), queue.Extension{Receipt: m.Receipt, For: hidden}); !errors.Is(err, queue.ErrStaleReceipt) {
		s.Fatalf("Extend: %v, want ErrStaleReceipt", err)
	}
	if again := s.one(hidden); again.ID != m.ID || again.Receives != 2 {
		s.Fatalf("received %+v, want %+v again", again, m)
	}
}
