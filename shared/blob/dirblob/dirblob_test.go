package dirblob_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/blobtest"
	"nanotypedb/shared/blob/dirblob"
	"nanotypedb/shared/blob/signedblob"
)

func open(tb testing.TB, dir string) *dirblob.Store {
	tb.Helper()
	s, err := dirblob.Open(dir)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	var dir string
	blobtest.Run(t, blobtest.Harness{
		Open: func(tb testing.TB) blob.Store {
			dir = filepath.Join(tb.TempDir(), "made", "by", "open")
			return open(tb, dir)
		},
		Reopen: func(tb testing.TB) blob.Store { return open(tb, dir) },
		Damage: func(tb testing.TB, key string, cut bool) { damage(tb, filepath.Join(dir, key+"~"), cut) },
		Sign:   serve,
	})
}

// damage changes the first byte of a file, or cuts off the last.
func damage(tb testing.TB, path string, cut bool) {
	tb.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	content[0] ^= 1
	if cut {
		content[0] ^= 1
		content = content[:len(content)-1]
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// serve makes a server of the store's addresses.
func serve(tb testing.TB, s blob.Store) blob.Presigner {
	tb.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	tb.Cleanup(server.Close)
	signed := signedblob.New(s, server.URL, nil)
	handler = signed
	return signed
}

func put(t *testing.T, s *dirblob.Store, key, content string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(content), -1); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestLeftoversAreSweptAndNeverListed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "a/kept", "x")
	leftover := filepath.Join(dir, "~tmp", "77")
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	infos, _, err := s.List(t.Context(), "", "", 0)
	if err != nil || len(infos) != 1 || infos[0].Key != "a/kept" {
		t.Fatalf("List gave %+v, %v", infos, err)
	}
	open(t, dir)
	if got := files(t, dir); len(got) != 1 || got[0] != filepath.Join("a", "kept~") {
		t.Fatalf("the folder holds %v", got)
	}
}

func TestFailedPutsLeaveNoFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, "taken", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{
		s.Put(t.Context(), "a", strings.NewReader("abc"), 2),
		s.PutNew(t.Context(), "b", strings.NewReader("abc"), 4),
		s.PutNew(t.Context(), "taken", strings.NewReader("abc"), 3),
		s.Put(ctx, "c", strings.NewReader("abc"), 3),
	} {
		if err == nil {
			t.Error("a Put that must fail succeeded")
		}
	}
	if got := files(t, dir); len(got) != 1 {
		t.Fatalf("the folder holds %v", got)
	}
}

// TestSymlinksDoNotLeadOut plants a link in the folder, as no key could.
func TestSymlinksDoNotLeadOut(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret~"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if r, _, err := s.Get(t.Context(), "out/secret"); err == nil {
		t.Error(errors.Join(errors.New("a blob outside the folder was read"), r.Close()))
	}
	if err := s.Put(t.Context(), "out/new", strings.NewReader("x"), 1); err == nil {
		t.Error("a blob outside the folder was written")
	}
	if got := files(t, outside); len(got) != 1 {
		t.Errorf("outside are %v", got)
	}
}
