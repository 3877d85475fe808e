// Package blobtest is the conformance suite of the blob port. Each adapter runs
// it from one test with a harness of its own. Cases use a key prefix that
// nothing else uses, so that a harness may open the same bucket each time.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/id"
)

// Harness is what an adapter's test brings.
type Harness struct {
	// Open opens a store, empty or with other keys in it. What it opens is
	// closed by tb.Cleanup.
	Open func(tb testing.TB) blob.Store

	// Reopen opens the data of the store that Open gave last anew, as after a
	// restart. Nil: the adapter keeps nothing open.
	Reopen func(tb testing.TB) blob.Store

	// StreamAlloc is how many bytes moving 64 MB in and out may allocate; 0 is
	// 24 MB.
	StreamAlloc uint64

	// Damage changes the stored content of a key behind the store's back: one
	// byte of it, or, when cut, its end is missing. Nil: the adapter's own
	// storage checks what it reads.
	Damage func(tb testing.TB, key string, cut bool)

	// Sign gives the store's addresses, reachable by HTTP. Nil: none.
	Sign func(tb testing.TB, s blob.Store) blob.Presigner

	// Skip names the cases that the adapter, or the emulator it runs on,
	// cannot pass, each with the reason.
	Skip map[string]string
}

// testCase is one named behaviour.
type testCase struct {
	name string
	run  func(s *subject)
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	cases := slices.Concat(contentCases, keyCases, listCases, raceCases, damageCases, addressCases)
	for name := range h.Skip {
		if !slices.ContainsFunc(cases, func(c testCase) bool { return c.name == name }) {
			t.Errorf("the harness skips %q, which is no case", name)
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if reason, skip := h.Skip[c.name]; skip {
				t.Skip(reason)
			}
			c.run(&subject{T: t, Store: h.Open(t), harness: h, prefix: "test/" + id.New(time.Now()) + "/"})
		})
	}
}

// subject is a store under test, with the requests that tests make most.
type subject struct {
	*testing.T
	blob.Store
	harness Harness
	prefix  string // of all keys of this case
}

func (s *subject) ctx() context.Context { return s.Context() }

// put stores content under a key of this case and must succeed.
func (s *subject) put(name, content string) {
	s.Helper()
	if err := s.Put(s.ctx(), s.prefix+name, bytes.NewReader([]byte(content)), int64(len(content))); err != nil {
		s.Fatalf("Put %s: %v", name, err)
	}
}

// has requires a blob to be there, whole.
func (s *subject) has(name, content string) {
	s.Helper()
	got, info := s.read(name)
	if got != content {
		s.Fatalf("%s holds %d bytes %.40q, want %d bytes %.40q", name, len(got), got, len(content), content)
	}
	stat, err := s.Stat(s.ctx(), s.prefix+name)
	if err != nil {
		s.Fatalf("Stat %s: %v", name, err)
	}
	for _, i := range []blob.Info{info, stat} {
		if i.Key != s.prefix+name || i.Size != int64(len(content)) || i.Modified.IsZero() {
			s.Fatalf("info of %s is %+v", name, i)
		}
	}
}

func (s *subject) read(name string) (string, blob.Info) {
	s.Helper()
	r, info, err := s.Get(s.ctx(), s.prefix+name)
	if err != nil {
		s.Fatalf("Get %s: %v", name, err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		s.Fatalf("read %s: %v", name, err)
	}
	return string(content), info
}

// absent requires nothing to be under a key, also not in a list.
func (s *subject) absent(name string) {
	s.Helper()
	if _, _, err := s.Get(s.ctx(), s.prefix+name); !errors.Is(err, blob.ErrNotFound) {
		s.Fatalf("Get %s: %v, want ErrNotFound", name, err)
	}
	if _, err := s.Stat(s.ctx(), s.prefix+name); !errors.Is(err, blob.ErrNotFound) {
		s.Fatalf("Stat %s: %v, want ErrNotFound", name, err)
	}
	if slices.Contains(s.list(""), name) {
		s.Fatalf("%s is listed", name)
	}
}

// list reads every page of the names under a prefix of this case.
func (s *subject) list(prefix string) []string {
	s.Helper()
	return s.pages(prefix, "", 0)
}

func (s *subject) pages(prefix, after string, limit int) []string {
	s.Helper()
	var names []string
	for {
		infos, next, err := s.List(s.ctx(), s.prefix+prefix, after, limit)
		if err != nil {
			s.Fatalf("List %s: %v", prefix, err)
		}
		if limit > 0 && len(infos) > limit {
			s.Fatalf("List gave %d blobs, asked for up to %d", len(infos), limit)
		}
		for _, info := range infos {
			names = append(names, info.Key[len(s.prefix):])
		}
		if next == "" {
			return names
		}
		after = next
	}
}

// readWhole reads a blob and checks that one writer of contentOf wrote it all.
func (s *subject) readWhole(key string) error {
	r, info, err := s.Get(s.ctx(), key)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	var writer int
	if _, err := fmt.Sscanf(string(content), "writer %d;", &writer); err != nil {
		return fmt.Errorf("the content begins %.20q: %w", content, err)
	}
	if string(content) != contentOf(writer) || info.Size != int64(len(content)) {
		return fmt.Errorf("a reader got %d bytes of writer %d, info says %d", len(content), writer, info.Size)
	}
	return nil
}
