package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

var transactionCases = []testCase{
	{"transaction/all or nothing", testAllOrNothing},
	{"transaction/indexes of failed conditions", testFailedIndexes},
	{"transaction/a check guards another item", testCheckGuards},
	{"transaction/no writes are nothing", testNoWrites},
	{"transaction/across partitions", testAcrossPartitions},
	{"race/one slot has one winner", testRaceSlot},
	{"race/one slot in transactions has one winner", testRaceTransaction},
	{"race/a contiguous log", testRaceLog},
	{"race/compare and set loses no step", testRaceCompareAndSet},
	{"race/readers see whole transactions", testRaceReaders},
}

func testAllOrNothing(s *subject) {
	pk := partition()
	a, b, c := store.Key{PK: pk, SK: "A"}, store.Key{PK: pk, SK: "B"}, store.Key{PK: pk, SK: "C"}
	s.write(put(a, "1", store.Absent), put(b, "1", store.Absent))
	s.refused([]int{1}, put(a, "2", store.Always), put(b, "2", store.Absent), put(c, "2", store.Always))
	s.hasData(a, "1")
	s.hasData(b, "1")
	s.absent(c)
	s.refused([]int{2}, remove(a, store.Always), put(b, "3", store.Always), remove(c, store.Present))
	s.hasData(a, "1")
	s.hasData(b, "1")
	s.write(remove(a, store.Present), putIf(b, "4", "1"), put(c, "4", store.Absent))
	s.absent(a)
	s.hasData(b, "4")
	s.hasData(c, "4")
}

func testFailedIndexes(s *subject) {
	pk := partition()
	there := store.Key{PK: pk, SK: "there"}
	s.write(put(there, "1", store.Absent))
	key := func(n int) store.Key { return store.Key{PK: pk, SK: fmt.Sprint("new", n)} }
	s.refused([]int{0, 2, 4},
		put(key(0), "x", store.Present),
		put(key(1), "x", store.Absent),
		put(there, "x", store.Absent),
		put(key(3), "x", store.Always),
		checkIf(key(4), "1"),
	)
	s.absent(key(1))
	s.absent(key(3))
}

func testCheckGuards(s *subject) {
	pk := partition()
	guard, item := store.Key{PK: pk, SK: "guard"}, store.Key{PK: pk, SK: "item"}
	s.refused([]int{0}, check(guard, store.Present), put(item, "1", store.Always))
	s.absent(item)
	s.write(put(guard, "fence 1", store.Always))
	s.write(checkIf(guard, "fence 1"), put(item, "2", store.Always))
	s.refused([]int{1}, put(item, "3", store.Always), checkIf(guard, "fence 2"))
	s.hasData(item, "2")
	s.hasData(guard, "fence 1")
}

func testNoWrites(s *subject) { s.write() }

func testAcrossPartitions(s *subject) {
	a, b := store.Key{PK: partition(), SK: "A"}, store.Key{PK: partition(), SK: "A"}
	s.write(put(a, "1", store.Absent), put(b, "2", store.Absent))
	s.hasData(a, "1")
	s.hasData(b, "2")
}

// lost tells an error that a loser of a race may get: not applied.
func lost(err error) bool {
	var condition *store.ConditionError
	return errors.As(err, &condition) || errors.Is(err, store.ErrContended)
}

// together runs n functions at once and waits for them.
func together(n int, run func(i int)) {
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-start
			run(i)
		})
	}
	close(start)
	group.Wait()
}

func testRaceSlot(s *subject)        { race(s, false) }
func testRaceTransaction(s *subject) { race(s, true) }

// race lets writers compete for empty slots. In a transaction each writer also
// leaves a mark of its own, which only the winner's may remain. When all were
// only contended, nobody won and the slot is raced for again.
func race(s *subject, transaction bool) {
	const writers = 16
	pk := partition()
	for round := range s.few(10) {
		slot := store.Key{PK: pk, SK: fmt.Sprintf("LOG#%016d", round)}
		mark := func(i int) store.Key { return store.Key{PK: pk, SK: fmt.Sprintf("MARK#%d#%d", round, i)} }
		winners := raceOnce(s, slot, mark, writers, transaction)
		for attempt := 0; len(winners) == 0 && attempt < 50; attempt++ {
			winners = raceOnce(s, slot, mark, writers, transaction)
		}
		if len(winners) != 1 {
			s.Fatalf("round %d has winners %v", round, winners)
		}
		s.hasData(slot, fmt.Sprint("writer ", winners[0]))
		marks := s.all(store.Query{PK: pk, From: fmt.Sprintf("MARK#%d#", round), To: fmt.Sprintf("MARK#%d#~", round), Strong: true})
		if transaction && (len(marks) != 1 || marks[0].Key != mark(winners[0])) {
			s.Fatalf("round %d left marks %v, writer %d won", round, sortKeys(marks), winners[0])
		}
	}
}

func raceOnce(s *subject, slot store.Key, mark func(int) store.Key, writers int, transaction bool) []int {
	errs := make([]error, writers)
	together(writers, func(i int) {
		writes := []store.Write{put(slot, fmt.Sprint("writer ", i), store.Absent)}
		if transaction {
			writes = []store.Write{put(mark(i), "", store.Always), writes[0]}
		}
		errs[i] = s.Store.Write(s.ctx(), writes...)
	})
	var winners []int
	for i, err := range errs {
		switch {
		case err == nil:
			winners = append(winners, i)
		case !lost(err):
			s.Fatalf("a loser got %v", err)
		}
	}
	return winners
}

// testRaceLog is what rooms do: several writers append to one log.
func testRaceLog(s *subject) {
	const writers = 8
	pk, each := partition(), s.few(25)
	together(writers, func(w int) {
		next := 1
		for n := 0; n < each; next++ {
			key := store.Key{PK: pk, SK: fmt.Sprintf("LOG#%016d", next)}
			switch err := s.Store.Write(s.ctx(), put(key, fmt.Sprintf("%d/%d", w, n), store.Absent)); {
			case err == nil:
				n++
			case errors.Is(err, store.ErrContended):
				next--
			case !lost(err):
				s.Errorf("writer %d: %v", w, err)
				return
			}
		}
	})
	items := s.all(store.Query{PK: pk, Strong: true})
	if len(items) != writers*each {
		s.Fatalf("the log has %d entries, want %d", len(items), writers*each)
	}
	seen := map[string]bool{}
	for i, item := range items {
		if item.SK != fmt.Sprintf("LOG#%016d", i+1) || seen[string(item.Data)] {
			s.Fatalf("entry %d is %s with %q", i+1, item.SK, item.Data)
		}
		seen[string(item.Data)] = true
	}
}

func testRaceCompareAndSet(s *subject) {
	const writers = 8
	key, each := store.Key{PK: partition(), SK: "A"}, s.few(20)
	s.write(put(key, "0", store.Absent))
	together(writers, func(w int) {
		for n := 0; n < each; {
			item, err := s.Store.Get(s.ctx(), key, true)
			if err != nil {
				s.Errorf("writer %d: %v", w, err)
				return
			}
			switch err = s.Store.Write(s.ctx(), putIf(key, successor(item.Data), string(item.Data))); {
			case err == nil:
				n++
			case !lost(err):
				s.Errorf("writer %d: %v", w, err)
				return
			}
		}
	})
	s.hasData(key, fmt.Sprint(writers*each))
}

func successor(data []byte) string {
	var n int
	if _, err := fmt.Sscan(string(data), &n); err != nil {
		return err.Error()
	}
	return fmt.Sprint(n + 1)
}

// testRaceReaders checks that a query of one page never sees a part of a
// transaction on an adapter whose queries are snapshots of one partition, and
// on any adapter that a strong read after the answer sees all of it.
func testRaceReaders(s *subject) {
	pk := partition()
	a, b := store.Key{PK: pk, SK: "A"}, store.Key{PK: pk, SK: "B"}
	var acknowledged atomic.Int64
	rounds := s.few(50)
	together(3, func(who int) {
		for n := 1; n <= rounds; n++ {
			if who > 0 {
				readPair(s, pk, &acknowledged)
				continue
			}
			data := fmt.Sprintf("%06d", n)
			if err := s.Store.Write(s.ctx(), put(a, data, store.Always), put(b, data, store.Always)); err != nil {
				s.Errorf("Write: %v", err)
				return
			}
			acknowledged.Store(int64(n))
		}
	})
}

func readPair(s *subject, pk string, acknowledged *atomic.Int64) {
	floor := acknowledged.Load()
	items, err := readAll(s.ctx(), s.Store, store.Query{PK: pk, Strong: true})
	if err != nil {
		s.Errorf("Query: %v", err)
		return
	}
	oldest := fmt.Sprintf("%06d", floor)
	if floor > 0 && (len(items) != 2 || slices.ContainsFunc(items, func(i store.Item) bool { return string(i.Data) < oldest })) {
		s.Errorf("a strong read after %d was acknowledged gave %v", floor, items)
	}
}

var limitCases = []testCase{
	{"limit/the same key twice is refused", testSameKeyTwice},
	{"limit/writes of a transaction", testTransactionWrites},
	{"limit/bytes of an item", testItemBytes},
	{"limit/bytes of a transaction", testTransactionBytes},
	{"limit/a check without a condition is refused", testCheckAlways},
}

// rejected writes and must get a fault of that code.
func (s *subject) rejected(code fault.Code, writes ...store.Write) {
	s.Helper()
	if err := s.Store.Write(s.ctx(), writes...); fault.CodeOf(err) != code {
		s.Fatalf("Write: %v, want %s", err, code)
	}
}

func testSameKeyTwice(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	s.rejected(fault.Invalid, put(key, "1", store.Always), put(key, "2", store.Always))
	s.rejected(fault.Invalid, check(key, store.Absent), put(key, "2", store.Always))
	s.absent(key)
}

func testTransactionWrites(s *subject) {
	pk := partition()
	writes := make([]store.Write, store.MaxWrites+1)
	for i := range writes {
		writes[i] = put(store.Key{PK: pk, SK: fmt.Sprintf("%03d", i)}, "x", store.Absent)
	}
	s.rejected(fault.TooLarge, writes...)
	s.absent(writes[0].Item.Key)
	s.write(writes[:store.MaxWrites]...)
	if n := len(s.all(store.Query{PK: pk, Strong: true})); n != store.MaxWrites {
		s.Fatalf("%d items after a transaction of %d", n, store.MaxWrites)
	}
}

func testItemBytes(s *subject) {
	key := store.Key{PK: partition(), SK: "A"}
	largest := string(make([]byte, store.MaxItemBytes-len(key.PK)-len(key.SK)))
	s.rejected(fault.TooLarge, put(key, largest+"x", store.Always))
	s.absent(key)
	s.write(put(key, largest, store.Absent))
	s.hasData(key, largest)
}

func testTransactionBytes(s *subject) {
	pk := partition()
	var writes []store.Write
	for i := range store.MaxTransactSize/300_000 + 1 {
		writes = append(writes, put(store.Key{PK: pk, SK: fmt.Sprintf("%03d", i)}, string(make([]byte, 300_000)), store.Always))
	}
	s.rejected(fault.TooLarge, writes...)
	s.absent(writes[0].Item.Key)
	s.write(writes[1:]...)
	s.hasData(writes[1].Item.Key, string(writes[1].Item.Data))
}

func testCheckAlways(s *subject) {
	s.rejected(fault.Invalid, check(store.Key{PK: partition(), SK: "A"}, store.Always))
}
