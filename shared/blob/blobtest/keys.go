package blobtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/fault"
)

var keyCases = []testCase{
	{"key/bad ones are refused", testBadKeys},
	{"key/good ones are taken", testGoodKeys},
	{"key/a key may begin with another", testKeyBeginsWithKey},
}

func testBadKeys(s *subject) {
	for _, key := range []string{
		"", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "./a", "a b", "a\\b", "a\x00b", "a\nb", "%2e%2e/a",
		"\u00e4", "a:b", "a*", "~", "a/b\xff", strings.Repeat("k/", blob.MaxKeyBytes/2) + "k",
		strings.Repeat("k", blob.MaxSegmentBytes+1),
	} {
		refused := func(what string, err error) {
			s.Helper()
			if !fault.Is(err, fault.Invalid) {
				s.Errorf("%s %.30q: %v, want invalid", what, key, err)
			}
		}
		refused("Put", s.Put(s.ctx(), key, strings.NewReader("x"), 1))
		refused("PutNew", s.PutNew(s.ctx(), key, strings.NewReader("x"), 1))
		_, _, err := s.Get(s.ctx(), key)
		refused("Get", err)
		_, err = s.Stat(s.ctx(), key)
		refused("Stat", err)
		refused("Delete", s.Delete(s.ctx(), key))
	}
}

func testGoodKeys(s *subject) {
	longest := strings.Repeat("s/", (blob.MaxKeyBytes-len(s.prefix))/2-1)
	longest += strings.Repeat("k", blob.MaxKeyBytes-len(s.prefix)-len(longest))
	for _, name := range []string{
		"A-Z_a.z=9", ".hidden", "..a", "...", "-rf", "=", "a.tmp", ".tmp-1/x", "lost", longest, strings.Repeat("n", blob.MaxSegmentBytes),
	} {
		s.put(name, "content of "+name)
		s.has(name, "content of "+name)
		if !slices.Contains(s.list(""), name) {
			s.Errorf("%.30q is not listed", name)
		}
	}
}

// testKeyBeginsWithKey is what a bucket allows and a directory must imitate.
func testKeyBeginsWithKey(s *subject) {
	names := []string{"a/b/c", "a", "a/b", "a/b.c", "a.b/c", "ab"}
	for _, name := range names {
		s.put(name, "content of "+name)
	}
	for _, name := range names {
		s.has(name, "content of "+name)
	}
	if err := s.Delete(s.ctx(), s.prefix+"a"); err != nil {
		s.Fatalf("Delete: %v", err)
	}
	s.absent("a")
	s.has("a/b", "content of a/b")
	s.has("a/b/c", "content of a/b/c")
}

var listCases = []testCase{
	{"list/in order of key", testListOrder},
	{"list/by prefix", testListPrefix},
	{"list/in pages", testListPages},
	{"list/after any key", testListAfter},
}

var listed = []string{"A", "a", "a-b/x", "a.b", "a/1", "a/1/2", "a/10", "a/2", "a0", "a=b", "aa", "b/c/d", "b/c/e", "b=", "c_d"}

func (s *subject) putListed() {
	for i := range listed {
		s.put(listed[(i*4)%len(listed)], "x")
	}
}

func testListOrder(s *subject) {
	s.putListed()
	if !slices.IsSorted(listed) {
		s.Fatal("the case's own list is not sorted")
	}
	if got := s.list(""); !slices.Equal(got, listed) {
		s.Fatalf("got  %v\nwant %v", got, listed)
	}
}

func startingWith(prefix string) []string {
	var names []string
	for _, name := range listed {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

func testListPrefix(s *subject) {
	s.putListed()
	for _, prefix := range []string{"a", "a/", "a/1", "a/1/", "b/c", "b/c/d", "b/c/d/", "nothing", "nothing/at/all", "a-", "."} {
		if got, want := s.list(prefix), startingWith(prefix); !slices.Equal(got, want) {
			s.Errorf("prefix %q gave %v, want %v", prefix, got, want)
		}
	}
}

func testListPages(s *subject) {
	s.putListed()
	for _, limit := range []int{1, 2, len(listed) - 1, len(listed), len(listed) + 1} {
		for _, prefix := range []string{"", "a", "a/"} {
			if got, want := s.pages(prefix, "", limit), startingWith(prefix); !slices.Equal(got, want) {
				s.Errorf("prefix %q in pages of %d gave %v, want %v", prefix, limit, got, want)
			}
		}
	}
}

func testListAfter(s *subject) {
	s.putListed()
	for _, after := range append([]string{"0", "a/", "a/11", "b/c/dd", "zz"}, listed...) {
		want := slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return name <= after })
		if got := s.pages("", s.prefix+after, 4); !slices.Equal(got, want) {
			s.Errorf("after %q came %v, want %v", after, got, want)
		}
	}
}

var raceCases = []testCase{
	{"race/putnew has one winner", testRacePutNew},
	{"race/readers see whole blobs", testRaceReaders},
}

func testRacePutNew(s *subject) {
	const writers = 8
	for round := range 5 {
		name := fmt.Sprint("slot/", round)
		errs := make([]error, writers)
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() { errs[w] = s.PutNew(s.ctx(), s.prefix+name, strings.NewReader(contentOf(w)), -1) })
		}
		group.Wait()
		winner := -1
		for w, err := range errs {
			switch {
			case err == nil && winner < 0:
				winner = w
			case err == nil:
				s.Fatalf("writers %d and %d both won", winner, w)
			case !errors.Is(err, blob.ErrExists):
				s.Fatalf("writer %d: %v, want ErrExists", w, err)
			}
		}
		if winner < 0 {
			s.Fatal("nobody won")
		}
		s.has(name, contentOf(winner))
	}
}

func contentOf(writer int) string {
	return strings.Repeat(fmt.Sprint("writer ", writer, "; "), 2000+100*writer)
}

// testRaceReaders replaces a blob while others read it.
func testRaceReaders(s *subject) {
	s.put("a", contentOf(0))
	ctx, cancel := context.WithCancel(s.ctx())
	defer cancel()
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := s.readWhole(s.prefix + "a"); err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	for i := range 20 {
		s.put("a", contentOf(i%5))
	}
	cancel()
	group.Wait()
}
