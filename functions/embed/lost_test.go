package embed_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
)

func TestARetryKilledHalfwayIsFoundByTheSchedule(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"))
	w.relayAll()
	w.model.set(func(string, int) error { return embedder.Wrong("no") })
	w.settle()
	w.wantCoverage("0 indexed, 0 pending, 1 failed")
	w.now = func() time.Time { return time.Now().Add(20 * time.Minute) }
	must(t, w.handler.Tend(t.Context()))
	if complete, err := w.indexer.Complete(t.Context(), w.ulid, 2); !complete || err != nil {
		t.Fatalf("complete: %v, %v", complete, err)
	}
	w.model.set(nil)
	_, err := w.indexer.Retry(t.Context(), w.ulid, indexing.Selection{All: true})
	must(t, err)
	w.lose() // as if it had ended before the job was sent
	w.wantCoverage("0 indexed, 1 pending, 0 failed")
	must(t, w.handler.Tend(t.Context()))
	w.settle()
	w.wantCoverage("1 indexed, 0 pending, 0 failed")
}

func TestARetryKeepsTheVectorOfAnotherRowsJob(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"))
	w.relayAll()
	w.model.set(func(string, int) error { return embedder.Wrong("no") })
	w.settle()
	w.model.set(nil)
	w.commit(insert("b", "one"))
	w.relayAll()
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	retried, err := w.indexer.Retry(t.Context(), w.ulid, indexing.Selection{All: true})
	must(t, err)
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	if w.settle(); retried != 1 || len(w.failures()) != 0 {
		t.Errorf("%d retried, left %v", retried, w.failures())
	}
}

func TestAFailureNotedTooLateStaysDead(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"))
	w.relayAll()
	w.model.set(func(string, int) error { return embedder.Wrong("no") })
	w.settle()
	f := w.failures()[0]
	j := indexing.Job{Room: w.ulid, Table: f.Table, Row: f.Row, Hash: f.Hash, Seq: f.Seq}
	must(t, w.indexer.Fail(t.Context(), j, indexing.MaxReceives, embedder.Wrong("too late")))
	if retried, err := w.indexer.Retry(t.Context(), w.ulid, indexing.Selection{All: true}); retried != 1 || err != nil {
		t.Errorf("%d retried, %v", retried, err)
	}
}

func TestAlertsThatFailAreToldByTheDeadLetters(t *testing.T) {
	w := newWorld(t)
	w.alerts.err = errors.New("busy")
	w.commit(insert("a", "one"))
	w.relayAll()
	work(t, w.jobs, w.handler.Handle)
	messages, err := w.buried.Receive(t.Context(), queue.Request{Max: 10, Visibility: time.Minute})
	must(t, err)
	if len(messages) != 1 {
		t.Fatalf("%d dead jobs", len(messages))
	}
	if failed := w.dead.Handle(t.Context(), messages); len(failed) != 1 {
		t.Errorf("%d dead jobs stay while alerts fail, want 1", len(failed))
	}
	w.alerts.err = nil
	if failed := w.dead.Handle(t.Context(), messages); len(failed) != 0 || len(w.alerts.texts) != 1 {
		t.Errorf("%v failed, %d texts compared", failed, len(w.alerts.texts))
	}
	w.wantCoverage("1 indexed, 0 pending, 0 failed")
	if left := w.failures(); len(left) != 0 {
		t.Errorf("failures %v", left)
	}
}

func TestAlertsHearOfVectorsThatASweepFinds(t *testing.T) {
	for name, fails := range map[string]bool{"at once": false, "by jobs": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.commit(insert("a", "one"), insert("b", "two"))
			w.relayAll()
			w.settle()
			_, err := w.indexer.Reindex(t.Context(), w.ulid, true)
			must(t, err)
			w.alerts.texts = nil
			if fails {
				w.alerts.err = errors.New("busy")
				work(t, w.jobs, func(ctx context.Context, m []queue.Message) []embed.Failure {
					defer func() { w.alerts.err = nil }()
					return w.handler.Handle(ctx, m)
				})
			}
			w.settle()
			if len(w.alerts.texts) != 2 {
				t.Errorf("%d texts compared, want 2", len(w.alerts.texts))
			}
			w.wantCoverage("2 indexed, 0 pending, 0 failed")
			w.wantAsked(map[string]int{"one": 1, "two": 1})
		})
	}
}

func TestTextsThatNoRowHasLeaveTheIndex(t *testing.T) {
	w := newWorld(t)
	const rows = 600
	var inserts, deletes []string
	for i := range rows {
		inserts = append(inserts, insert(fmt.Sprintf("r%d", i), fmt.Sprintf("text %d", i)))
		deletes = append(deletes, fmt.Sprintf(`{"op":"delete","table":"tasks","id":"r%d"}`, i))
	}
	w.commit(insert("stays", "one"))
	w.commit(inserts...)
	w.relayAll()
	w.settle()
	w.commit(deletes...)
	w.relayAll()
	unused := func() (n int) {
		w.view(func(v *replica.View) {
			texts, err := v.Unused(t.Context(), nil, 10*rows)
			must(t, err)
			n = len(texts)
		})
		return n
	}
	if n := unused(); n != rows {
		t.Fatalf("%d texts of no row, want %d", n, rows)
	}
	must(t, w.handler.Tend(t.Context()))
	if n := unused(); n != 100 {
		t.Errorf("%d texts of no row are left, want 100", n)
	}
	w.commit(insert("back", "text 0"), insert("too", "text 1"))
	w.relayAll()
	w.settle()
	w.wantCoverage("3 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1, "text 0": 1, "text 1": 1})
}
