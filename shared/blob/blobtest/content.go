package blobtest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"nanotypedb/shared/blob"
)

var contentCases = []testCase{
	{"content/put and get", testPutGet},
	{"content/put replaces", testReplace},
	{"content/putnew does not replace", testPutNew},
	{"content/unknown size", testUnknownSize},
	{"content/a wrong size stores nothing", testWrongSize},
	{"content/a failing reader stores nothing", testFailingReader},
	{"content/an ended context stores nothing", testContext},
	{"content/delete", testDelete},
	{"content/modified", testModified},
	{"content/a reader keeps what it opened", testOpenReader},
	{"content/a big stream takes little memory", testBigStream},
	{"content/reopening", testReopen},
}

func testPutGet(s *subject) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for name, content := range map[string]string{
		"empty": "", "one": "x", "binary": string(every), "deep/er/and/deeper": "y", "large": strings.Repeat("0123456789abcdef", 40_000),
	} {
		s.absent(name)
		s.put(name, content)
		s.has(name, content)
	}
}

func testReplace(s *subject) {
	for _, content := range []string{"first and longer", "second", "", "third"} {
		s.put("a", content)
		s.has("a", content)
	}
}

func testPutNew(s *subject) {
	key := s.prefix + "a"
	if err := s.PutNew(s.ctx(), key, strings.NewReader("first"), 5); err != nil {
		s.Fatalf("PutNew: %v", err)
	}
	for _, size := range []int64{6, -1} {
		if err := s.PutNew(s.ctx(), key, strings.NewReader("second"), size); !errors.Is(err, blob.ErrExists) {
			s.Fatalf("PutNew: %v, want ErrExists", err)
		}
	}
	s.has("a", "first")
	if err := s.Delete(s.ctx(), key); err != nil {
		s.Fatalf("Delete: %v", err)
	}
	if err := s.PutNew(s.ctx(), key, strings.NewReader("third"), -1); err != nil {
		s.Fatalf("PutNew: %v", err)
	}
	s.has("a", "third")
}

func testUnknownSize(s *subject) {
	content := strings.Repeat("unknown ", 10_000)
	if err := s.Put(s.ctx(), s.prefix+"a", onlyReader{strings.NewReader(content)}, -1); err != nil {
		s.Fatalf("Put: %v", err)
	}
	s.has("a", content)
	if err := s.PutNew(s.ctx(), s.prefix+"b", onlyReader{strings.NewReader("")}, -1); err != nil {
		s.Fatalf("PutNew: %v", err)
	}
	s.has("b", "")
}

// onlyReader hides that a reader can seek, as a stream cannot.
type onlyReader struct{ io.Reader }

// puts calls both ways of storing.
func (s *subject) puts(ctx context.Context, name string, r func() io.Reader, size int64) []error {
	return []error{s.Put(ctx, s.prefix+name, r(), size), s.PutNew(ctx, s.prefix+name+"-new", r(), size)}
}

func (s *subject) putsFail(ctx context.Context, name string, r func() io.Reader, size int64) {
	s.Helper()
	for _, err := range s.puts(ctx, name, r, size) {
		if err == nil {
			s.Fatalf("%s: a Put that must fail succeeded", name)
		}
	}
	s.absent(name)
	s.absent(name + "-new")
}

func testWrongSize(s *subject) {
	content := func() io.Reader { return onlyReader{strings.NewReader("twelve bytes")} }
	for name, size := range map[string]int64{"short": 11, "long": 13, "none": 0} {
		s.putsFail(s.ctx(), name, content, size)
	}
	s.put("kept", "kept")
	if err := s.Put(s.ctx(), s.prefix+"kept", content(), 13); err == nil {
		s.Fatal("a Put of the wrong size succeeded")
	}
	s.has("kept", "kept")
}

var errBroken = errors.New("the reader broke")

func testFailingReader(s *subject) {
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), failing{})
	}
	s.putsFail(s.ctx(), "known", broken, 200_000)
	s.putsFail(s.ctx(), "unknown", broken, -1)
	for _, err := range s.puts(s.ctx(), "cause", broken, -1) {
		if !errors.Is(err, errBroken) {
			s.Fatalf("Put: %v, want the reader's error", err)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// testContext ends a context before the call and in the middle of the stream.
func testContext(s *subject) {
	ended, cancel := context.WithCancel(s.ctx())
	cancel()
	s.putsFail(ended, "before", func() io.Reader { return strings.NewReader("x") }, 1)
	for _, size := range []int64{-1, 1 << 20} {
		ctx, cancel := context.WithCancel(s.ctx())
		s.putsFail(ctx, "during", func() io.Reader {
			return io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<19)), ending(cancel), strings.NewReader(strings.Repeat("x", 1<<19)))
		}, size)
	}
	if _, _, err := s.Get(ended, s.prefix+"a"); !errors.Is(err, context.Canceled) {
		s.Errorf("Get: %v, want context.Canceled", err)
	}
	if _, _, err := s.List(ended, s.prefix, "", 0); !errors.Is(err, context.Canceled) {
		s.Errorf("List: %v, want context.Canceled", err)
	}
}

// ending ends a context when the stream reaches it.
type ending context.CancelFunc

func (e ending) Read([]byte) (int, error) {
	e()
	return 0, io.EOF
}

func testDelete(s *subject) {
	remove := func(name string) {
		s.Helper()
		if err := s.Delete(s.ctx(), s.prefix+name); err != nil {
			s.Fatalf("Delete: %v", err)
		}
	}
	remove("never-there")
	s.put("a/b", "1")
	s.put("a/c", "2")
	remove("a")
	remove("a/b")
	remove("a/b")
	s.absent("a/b")
	s.has("a/c", "2")
	remove("a/c")
	s.put("a", "3")
	s.has("a", "3")
}

func testModified(s *subject) {
	before := time.Now().Add(-time.Minute)
	s.put("a", "x")
	info, err := s.Stat(s.ctx(), s.prefix+"a")
	if err != nil || info.Modified.Before(before) || info.Modified.After(time.Now().Add(time.Minute)) {
		s.Fatalf("modified %v, %v", info.Modified, err)
	}
	infos, _, err := s.List(s.ctx(), s.prefix, "", 0)
	if err != nil || len(infos) != 1 || infos[0].Size != 1 || infos[0].Modified.Before(before) {
		s.Fatalf("listed %+v, %v", infos, err)
	}
}

// testOpenReader replaces and deletes a blob under a reader.
func testOpenReader(s *subject) {
	old := strings.Repeat("old ", 50_000)
	s.put("a", old)
	for _, change := range []func() error{
		func() error { return s.Put(s.ctx(), s.prefix+"a", strings.NewReader("new"), 3) },
		func() error { return s.Delete(s.ctx(), s.prefix+"a") },
	} {
		want, _ := s.read("a")
		r, _, err := s.Get(s.ctx(), s.prefix+"a")
		if err != nil {
			s.Fatalf("Get: %v", err)
		}
		if err := change(); err != nil {
			s.Fatalf("change: %v", err)
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || string(got) != want {
			s.Fatalf("a reader got %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
}

// testBigStream moves 64 MB through the store and watches what was allocated.
func testBigStream(s *subject) {
	const size = 64 << 20
	allowed := cmp.Or(s.harness.StreamAlloc, 24<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent, received := sha256.New(), sha256.New()
	body := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), sent)
	if err := s.Put(s.ctx(), s.prefix+"big", body, size); err != nil {
		s.Fatalf("Put: %v", err)
	}
	s.drain("big", received)
	runtime.ReadMemStats(&after)
	if !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
		s.Fatal("what came back is not what was stored")
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > allowed {
		s.Fatalf("moving %d MB allocated %d MB, at most %d allowed", size>>20, used>>20, allowed>>20)
	}
}

func (s *subject) drain(name string, to hash.Hash) {
	s.Helper()
	r, _, err := s.Get(s.ctx(), s.prefix+name)
	if err != nil {
		s.Fatalf("Get: %v", err)
	}
	_, err = io.Copy(to, r)
	if err := errors.Join(err, r.Close()); err != nil {
		s.Fatalf("read: %v", err)
	}
}

func testReopen(s *subject) {
	if s.harness.Reopen == nil {
		s.Skip("the adapter keeps nothing open")
	}
	s.put("a/b", "1")
	s.put("c", "2")
	s.Store = s.harness.Reopen(s.T)
	s.has("a/b", "1")
	s.has("c", "2")
}
