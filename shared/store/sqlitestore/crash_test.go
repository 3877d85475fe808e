package sqlitestore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"nanotypedb/shared/store"
)

// crashRounds is 5, or what NANO_TEST_CRASH_ROUNDS says.
func crashRounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("NANO_TEST_CRASH_ROUNDS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("NANO_TEST_CRASH_ROUNDS: %v", err)
	}
	return n
}

// killed requires a child to have ended by SIGKILL, and by nothing else.
func killed(t *testing.T, stderr string, err error) {
	t.Helper()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 || stderr != "" {
		t.Fatalf("the child ended with %v: %s", err, stderr)
	}
}

// TestKilledAtRandom kills a writing child again and again over one folder.
func TestKilledAtRandom(t *testing.T) {
	folder, all := t.TempDir(), newSaid()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range crashRounds(t) {
		stderr, err := all.runChild(t, folder, 1+random.IntN(1500))
		killed(t, stderr, err)
		if all.verify(t, folder); t.Failed() {
			t.Fatalf("round %d, seed %d", round, seed)
		}
	}
	if all.lines < 2*crashRounds(t) {
		t.Fatalf("the children said %d lines", all.lines)
	}
}

// verify opens what a killed child left: every acknowledged write is there, no
// transaction is half there, and what the feed did not tell it tells now.
func (s *said) verify(t *testing.T, folder string) {
	t.Helper()
	opened := openStore(t, folder)
	defer opened.close(t)
	heads := [crashRooms]int{}
	for room := range heads {
		heads[room] = s.verifyRoom(t, opened, room)
	}
	s.verifyFeed(t, opened, heads)
}

func (s *said) verifyRoom(t *testing.T, opened *opened, room int) (last int) {
	t.Helper()
	q := store.Query{PK: roomPK(room), Strong: true}
	for more := true; more; more = q.After != "" {
		page, err := opened.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			last++
			if item.Key != entryKey(room, last) || len(item.Data) != len(entry) {
				t.Fatalf("entry %d of room %d is %q", last, room, item.SK)
			}
		}
		q.After = page.Next
	}
	if last < s.written[room] {
		t.Errorf("room %d ends at %d, but %d was acknowledged", room, last, s.written[room])
	}
	marks, err := opened.Query(t.Context(), store.Query{PK: markKey(room, 0).PK, Strong: true})
	if err != nil {
		t.Fatal(err)
	}
	if last > 0 && (len(marks.Items) != 1 || marks.Items[0].Key != markKey(room, last)) {
		t.Errorf("room %d ends at %d with the marks %v: a transaction is half there", room, last, marks.Items)
	}
	return last
}

// verifyFeed reads the feed to its end without an ack. The end is known from
// the heads: a feed that told too little would wait, and the context ends that.
func (s *said) verifyFeed(t *testing.T, opened *opened, heads [crashRooms]int) {
	t.Helper()
	missing := map[store.Key]bool{}
	for room, last := range heads {
		for seq := 1; seq <= last; seq++ {
			if !s.told[room][seq] {
				missing[entryKey(room, seq)] = true
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for feed := opened.Feed(); len(missing) > 0; {
		changes, _, err := feed.Next(ctx, 100)
		if err != nil {
			t.Fatalf("the feed lost %d changes: %v", len(missing), err)
		}
		for _, change := range changes {
			delete(missing, change.Key)
			if len(change.Data) != len(entry) {
				t.Fatalf("the feed told %s with %d bytes", change.Key.SK, len(change.Data))
			}
		}
	}
}

// BenchmarkOpenAfterKill opens a copy of what a kill under load leaves.
func BenchmarkOpenAfterKill(b *testing.B) {
	folder := b.TempDir()
	s := openStore(b, folder)
	for i := range 40 {
		var writes []store.Write
		for seq := range 1000 {
			writes = append(writes, logWrite(fmt.Sprint(i), seq))
		}
		if err := s.Write(b.Context(), writes...); err != nil {
			b.Fatal(err)
		}
	}
	wal, err := os.ReadFile(s.file.Path() + "-wal")
	if err != nil {
		b.Fatal(err)
	}
	main, err := os.ReadFile(s.file.Path())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(wal))/1e6, "wal-MB")
	for b.Loop() {
		b.StopTimer()
		copied := b.TempDir()
		if err := errors.Join(os.WriteFile(copied+"/nanotype.db", main, 0o600), os.WriteFile(copied+"/nanotype.db-wal", wal, 0o600)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		again := openStore(b, copied)
		b.StopTimer()
		again.close(b)
		b.StartTimer()
	}
}
