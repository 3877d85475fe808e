package sqlitestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
)

// The test binary runs itself again as a child that writes until it is killed.
const (
	childFolder = "NANO_TEST_CHILD_FOLDER"
	childMode   = "NANO_TEST_CHILD_MODE" // "rooms", or "serial"
)

func TestMain(m *testing.M) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	if err := child(folder, os.Getenv(childMode)); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
}

func child(folder, mode string) error {
	ctx := context.Background()
	file, err := sqlitefile.Open(ctx, folder, sqlitefile.Options{CheckpointBytes: 64 << 10})
	if err != nil {
		return err
	}
	s, err := sqlitestore.Open(ctx, file)
	if err != nil {
		return err
	}
	if mode == "serial" {
		return errors.Join(writeSerially(ctx, s), s.Close(), file.Close())
	}
	var group sync.WaitGroup
	errs := make([]error, crashRooms+1)
	for room := range crashRooms {
		group.Go(func() { errs[room] = writeRoom(ctx, s, room) })
	}
	group.Go(func() { errs[crashRooms] = readFeed(ctx, s.Feed()) })
	group.Wait()
	return errors.Join(errs...)
}

const (
	crashRooms   = 3
	serialWrites = 20
)

// say writes a line in one system call: what was said before the kill is read
// after it.
func say(format string, args ...any) error {
	_, err := fmt.Fprintf(os.Stdout, format+"\n", args...)
	return err
}

func roomPK(room int) string { return fmt.Sprintf("ROOM#%d", room) }

func entryKey(room, seq int) store.Key {
	return store.Key{PK: roomPK(room), SK: fmt.Sprintf("LOG#%016d", seq)}
}

func markKey(room, seq int) store.Key {
	return store.Key{PK: fmt.Sprintf("MARK#%d", room), SK: fmt.Sprintf("%016d", seq)}
}

func writeSerially(ctx context.Context, s *sqlitestore.Store) error {
	for seq := 1; seq <= serialWrites; seq++ {
		w := store.Write{Action: store.Put, Item: store.Item{Key: entryKey(0, seq), Data: entry}, If: store.Absent}
		if err := s.Write(ctx, w); err != nil {
			return err
		}
		if err := say("written 0 %d", seq); err != nil {
			return err
		}
	}
	return nil
}

// writeRoom appends to a room from where it ends: each entry in a transaction
// with a mark of its own and with the removal of the last mark.
func writeRoom(ctx context.Context, s *sqlitestore.Store, room int) error {
	last, err := head(ctx, s, room)
	for seq := last + 1; err == nil; seq++ {
		writes := []store.Write{
			{Action: store.Put, Item: store.Item{Key: markKey(room, seq), Data: []byte("mark")}, If: store.Absent},
			{Action: store.Put, Item: store.Item{Key: entryKey(room, seq), Data: entry}, If: store.Absent},
		}
		if seq > 1 {
			writes = append(writes, store.Write{Action: store.Delete, Item: store.Item{Key: markKey(room, seq-1)}, If: store.Present})
		}
		if err = s.Write(ctx, writes...); err == nil {
			err = say("written %d %d", room, seq)
		}
	}
	return err
}

func head(ctx context.Context, s *sqlitestore.Store, room int) (int, error) {
	page, err := s.Query(ctx, store.Query{PK: roomPK(room), Reverse: true, Limit: 1, Strong: true})
	if err != nil || len(page.Items) == 0 {
		return 0, err
	}
	var seq int
	_, err = fmt.Sscanf(page.Items[0].SK, "LOG#%d", &seq)
	return seq, err
}

// readFeed says what it was told before it acknowledges it.
func readFeed(ctx context.Context, feed store.Feed) error {
	for {
		changes, token, err := feed.Next(ctx, 5)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if err := sayTold(change); err != nil {
				return err
			}
		}
		if err := feed.Ack(ctx, token); err != nil {
			return err
		}
	}
}

func sayTold(change store.Change) error {
	var room, seq int
	if _, err := fmt.Sscanf(change.Key.PK+" "+change.Key.SK, "ROOM#%d LOG#%d", &room, &seq); err != nil {
		return err
	}
	return say("told %d %d", room, seq)
}

// said is what children said, over all rounds of a test.
type said struct {
	written [crashRooms]int          // the newest seq acknowledged
	told    [crashRooms]map[int]bool // what the feed told
	lines   int
}

func newSaid() *said {
	s := &said{}
	for room := range s.told {
		s.told[room] = map[int]bool{}
	}
	return s
}

// listen takes down what a child says. It ends the child with kill after limit
// lines, or when it is silent.
func (s *said) listen(t *testing.T, out io.Reader, limit int, kill func()) {
	t.Helper()
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		var what string
		var room, seq int
		if _, err := fmt.Sscan(lines.Text(), &what, &room, &seq); err != nil {
			continue // the last line of a killed child may be cut
		}
		s.lines++
		if what == "told" {
			s.told[room][seq] = true
		} else {
			s.written[room] = max(s.written[room], seq)
		}
		if n == limit {
			kill()
		}
	}
}

// runChild starts a child and listens until it ends.
func (s *said) runChild(t *testing.T, folder string, limit int, env ...string) (stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(append(os.Environ(), childFolder+"="+folder), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.listen(t, out, limit, func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	return complaints.String(), cmd.Wait()
}
