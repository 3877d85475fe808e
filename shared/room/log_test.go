package room_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/store"
)

// scale weighs what is read of logs.
type scale struct {
	store.Store
	bytes, entries atomic.Int64
}

func (s *scale) Query(ctx context.Context, q store.Query) (store.Page, error) {
	page, err := s.Store.Query(ctx, q)
	for _, item := range page.Items {
		if isLog(item.Key) {
			s.bytes.Add(int64(len(item.Data)))
			s.entries.Add(1)
		}
	}
	return page, err
}

// TestAPageOfLargeCommitsReadsLittle: what a message cannot hold is not read
// from the log either.
func TestAPageOfLargeCommitsReadsLittle(t *testing.T) {
	w := newWorld(t)
	log := &scale{Store: shared{w.store}}
	e := w.engineOn(log)
	w.den(e)
	since := w.state(e).Seq
	w.commit(e, bob, `{"op":"createTable","table":"big","columns":[{"name":"x","type":"text"}]}`)
	for range 30 {
		ops := make([]string, 4)
		for i := range ops {
			ops[i] = fmt.Sprintf(`{"op":"insert","table":"big","row":{"x":%q}}`, strings.Repeat("x", 60_000))
		}
		w.commit(e, bob, ops...)
	}
	log.bytes.Store(0)
	page, err := e.Log(t.Context(), vera, den, since, 1000, 29<<10)
	must(t, err)
	if len(page.Commits) != 1 || !page.More || page.Reset {
		t.Errorf("%d commits, more: %t, reset: %t", len(page.Commits), page.More, page.Reset)
	}
	if n := log.bytes.Load(); n > 1<<20+commitlog.MaxEntryBytes {
		t.Errorf("%d bytes of the log were read for %d", n, 29<<10)
	}
	all, err := e.Log(t.Context(), vera, den, since, 1000, 0)
	must(t, err)
	if len(all.Commits) != 31 || all.More {
		t.Errorf("%d commits of 31, more: %t", len(all.Commits), all.More)
	}
}

// TestNamesOfOldCommitsTakeNoLog: however far a commit is from the newest
// change of the schema, its names come from the replica.
func TestNamesOfOldCommitsTakeNoLog(t *testing.T) {
	w := newWorld(t)
	log := &scale{Store: shared{w.store}}
	e := w.engineOn(log)
	w.den(e)
	since := w.state(e).Seq
	w.commit(e, bob, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
	w.commit(e, bob, `{"op":"alterTable","table":"tasks","rename":{"title":"name"},"name":"todo"}`)
	for i := range 50 {
		w.commit(e, bob, fmt.Sprintf(`{"op":"insert","table":"todo","id":"r%d","row":{"name":"x"}}`, i))
	}
	w.commit(e, bob, `{"op":"createTable","table":"late","columns":[{"name":"x","type":"text"}]}`)
	log.entries.Store(0)
	page, err := e.Log(t.Context(), vera, den, since, 1, 0)
	must(t, err)
	if len(page.Commits) != 1 || !strings.Contains(string(page.Commits[0]), `"table":"tasks","id":"a"`) || !strings.Contains(string(page.Commits[0]), `"title":"x"`) {
		t.Errorf("%+v %s", page, page.Commits)
	}
	if n := log.entries.Load(); n > 2 {
		t.Errorf("%d entries were read for one", n)
	}
}
