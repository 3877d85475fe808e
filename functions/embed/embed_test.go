package embed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nanotypedb/functions/embed"
	"nanotypedb/shared/embedder"
	"nanotypedb/shared/indexing"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/queue"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/store"
)

func TestEachTextIsEmbeddedOnce(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"), insert("b", "two"), insert("c", "one"))
	w.commit(insert("d", "  "), retitle("b", "three"))
	w.relayAll()
	w.settle()
	w.wantCoverage("3 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1, "two": 0, "three": 1})
	w.commit(retitle("a", "four"))
	w.relayAll()
	w.settle()
	w.commit(retitle("a", "one"), retitle("d", "four")) // both were there before
	w.relayAll()
	w.settle()
	w.wantCoverage("4 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1, "four": 1})
	if rows := w.alerts.texts; len(rows) != 6 || rows[5].Version == 0 || len(rows[0].Vector.Values) != 8 {
		t.Errorf("compared with alerts: %+v", rows)
	}
	last := w.told[len(w.told)-1]
	if last.N != int64(len(w.told)) || last.Rows[0].Creator != "ada" || last.Rows[0].State != replica.Indexed || last.State == nil {
		t.Errorf("told %+v", last)
	}
	if got := w.failures(); len(got) != 0 {
		t.Errorf("failures %+v", got)
	}
}

func TestJobsThatComeTwiceOrLateDoNothing(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "old"), insert("b", "gone"), insert("c", "same"))
	w.relayAll()
	w.commit(retitle("a", "new"), `{"op":"delete","table":"tasks","id":"b"}`)
	w.relayAll()
	// The relay died before its watermark: it makes the same jobs again.
	must(t, w.indexer.Send(t.Context(), w.jobOf("c")))
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"old": 0, "gone": 0, "new": 1, "same": 1})
}

// jobOf is the job that the relay makes for a row.
func (w *world) jobOf(row string) (j indexing.Job) {
	w.t.Helper()
	w.view(func(v *replica.View) {
		_, hash, _, _, err := v.RowText(w.t.Context(), 1, row)
		must(w.t, err)
		j = indexing.Job{Room: w.ulid, Table: 1, Row: row, Hash: hash, Seq: v.State().Seq}
	})
	return j
}

func TestAFailureIsTriedFiveTimesThenFailsAndRetryHeals(t *testing.T) {
	w := newWorld(t)
	w.model.set(func(text string, times int) error {
		if text == "bad" {
			return embedder.Unreached("the model is down")
		}
		return nil
	})
	w.commit(insert("a", "good"), insert("b", "bad"))
	w.relayAll()
	if received := w.settle(); received != 6 {
		t.Errorf("%d receives, want 1 and 5", received)
	}
	w.wantCoverage("1 indexed, 0 pending, 1 failed")
	w.wantAsked(map[string]int{"good": 1, "bad": 5})
	got := w.failures()
	if len(got) != 1 || !got[0].Dead || got[0].Attempts != 5 || got[0].Class != "unavailable" || got[0].Error != "the model is down" ||
		got[0].Row != "b" || got[0].FirstAt == 0 || got[0].LastAt < got[0].FirstAt {
		t.Fatalf("failures %+v", got)
	}
	if last := w.told[len(w.told)-1]; last.Rows[0].ID != "b" || last.Rows[0].State != replica.Failed {
		t.Errorf("told %+v", last)
	}
	w.model.set(nil)
	if n, err := w.indexer.Retry(t.Context(), w.ulid, indexing.Selection{IDs: []string{got[0].ID, "none"}}); n != 1 || err != nil {
		t.Fatalf("retried %d, %v", n, err)
	}
	w.wantCoverage("1 indexed, 1 pending, 0 failed")
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"good": 1, "bad": 6})
	if got := w.failures(); len(got) != 0 {
		t.Errorf("failures after the retry: %+v", got)
	}
}

func TestARefusedTextIsAskedForOnce(t *testing.T) {
	w := newWorld(t)
	w.model.set(func(string, int) error { return embedder.Refuse("too strange") })
	w.commit(insert("a", "strange"))
	w.relayAll()
	if received := w.settle(); received != 5 {
		t.Errorf("%d receives, want 5", received)
	}
	w.wantAsked(map[string]int{"strange": 1})
	w.wantCoverage("0 indexed, 0 pending, 1 failed")
	if got := w.failures(); len(got) != 1 || got[0].Class != "refused" || got[0].Error != "too strange" || got[0].Attempts != 5 {
		t.Errorf("failures %+v", got)
	}
	if n, err := w.indexer.Retry(t.Context(), w.ulid, indexing.Selection{All: true}); n != 1 || err != nil {
		t.Fatalf("retried %d, %v", n, err)
	}
	w.settle()
	w.wantAsked(map[string]int{"strange": 2})
	w.wantCoverage("0 indexed, 0 pending, 1 failed")
	if n, err := w.indexer.Discard(t.Context(), w.ulid, indexing.Selection{All: true}); n != 1 || err != nil {
		t.Fatalf("discarded %d, %v", n, err)
	}
	w.wantCoverage("0 indexed, 0 pending, 1 failed")
	w.model.set(nil)
	if n, err := w.indexer.Reindex(t.Context(), w.ulid, false); n != 1 || err != nil {
		t.Fatalf("reindexed %d, %v", n, err)
	}
	w.settle()
	w.wantCoverage("1 indexed, 0 pending, 0 failed")
}

func TestABusyModelCostsNoReceive(t *testing.T) {
	w := newWorld(t)
	w.model.set(func(text string, times int) error {
		if times <= 2 {
			return embedder.Throttle(2 * time.Millisecond)
		}
		return nil
	})
	w.commit(insert("a", "one"), insert("b", "two"))
	w.relayAll()
	if received := w.settle(); received != 2 {
		t.Errorf("%d receives, want 2", received)
	}
	w.wantAsked(map[string]int{"one": 3, "two": 3})
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	if got := w.failures(); len(got) != 0 {
		t.Errorf("failures %+v", got)
	}
}

func TestAModelThatWantsALongRestIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.model.set(func(string, int) error { return embedder.Throttle(time.Hour) })
	w.commit(insert("a", "one"))
	w.relayAll()
	messages, err := w.jobs.Receive(t.Context(), queue.Request{Max: 10, Visibility: time.Minute})
	must(t, err)
	failed := w.handler.Handle(t.Context(), messages)
	if len(failed) != 1 || failed[0].Wait != time.Hour || embedder.ClassOf(failed[0].Err) != embedder.Throttled {
		t.Errorf("failed %+v", failed)
	}
	if again := w.handler.Handle(t.Context(), messages); len(again) != 1 {
		t.Errorf("failed %+v", again)
	}
	w.wantAsked(map[string]int{"one": 1})
}

func TestAJobThatWasKilledEachTimeFails(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "deadly"))
	w.relayAll()
	for range indexing.MaxReceives {
		messages, err := w.jobs.Receive(t.Context(), queue.Request{Max: 10, Wait: time.Second, Visibility: time.Minute})
		must(t, err)
		must(t, w.jobs.Extend(t.Context(), queue.Extension{Receipt: messages[0].Receipt})) // as when the process dies
	}
	w.settle()
	w.wantCoverage("0 indexed, 0 pending, 1 failed")
	if got := w.failures(); len(got) != 1 || got[0].Class != indexing.Killed || got[0].Attempts != 5 || !got[0].Dead {
		t.Errorf("failures %+v", got)
	}
}

func TestADeadJobOfARowThatHasAnotherTextIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.model.set(func(string, int) error { return embedder.Unreached("down") })
	w.commit(insert("a", "one"))
	w.relayAll()
	work(t, w.jobs, w.handler.Handle)
	w.model.set(nil)
	w.commit(retitle("a", "two"))
	w.relayAll()
	w.settle()
	w.wantCoverage("1 indexed, 0 pending, 0 failed")
	if got := w.failures(); len(got) != 0 {
		t.Errorf("failures %+v", got)
	}
}

func TestAnAlertThatCannotBeComparedKeepsTheJob(t *testing.T) {
	w := newWorld(t)
	w.alerts.err = errors.New("the store is down")
	w.commit(insert("a", "one"))
	w.relayAll()
	messages, err := w.jobs.Receive(t.Context(), queue.Request{Max: 10, Visibility: time.Minute})
	must(t, err)
	if failed := w.handler.Handle(t.Context(), messages); len(failed) != 1 {
		t.Fatalf("failed %+v", failed)
	}
	w.alerts.err = nil
	w.settle()
	w.wantCoverage("1 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1})
	if len(w.alerts.texts) != 1 || len(w.failures()) != 0 {
		t.Errorf("compared %d, failures %+v", len(w.alerts.texts), w.failures())
	}
	// A job that dies of its alerts does not make an indexed row fail.
	w.alerts.err = errors.New("the store is down")
	w.commit(insert("b", "two"))
	w.relayAll()
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	if got := w.failures(); len(got) != 0 {
		t.Errorf("failures %+v", got)
	}
}

// deaf refuses the next so many entries of index logs.
type deaf struct {
	store.Store
	entries int
}

func (d *deaf) Write(ctx context.Context, writes ...store.Write) error {
	if strings.HasPrefix(writes[0].Item.SK, "INDEX#") && d.entries > 0 {
		d.entries--
		return store.ErrThrottled
	}
	return d.Store.Write(ctx, writes...)
}

func TestAVectorThatIsKeptIsNotAskedForAgain(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"))
	w.relayAll()
	w.settle()
	w.indexer.Store = &deaf{Store: w.store, entries: 2}
	w.commit(insert("b", "two"))
	w.relayAll()
	if received := w.settle(); received != 3 {
		t.Errorf("%d receives, want 3", received)
	}
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"two": 1})
}

func TestMessagesThatAreNoJobsDieAndAreRecorded(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"))
	good := w.jobOf("a")
	foreign := good
	foreign.Room = "01JBADBADBADBADBADBADBADBA"
	bodies := []string{
		"not JSON", `{"v":2,"id":"x"}`, `{"v":1}`, good.Encode() + " and more", strings.Repeat("x", 100_000),
		strings.Replace(good.Encode(), `"row":"a"`, `"row":"b"`, 1), foreign.Encode(),
	}
	for _, body := range bodies {
		must(t, w.jobs.Send(t.Context(), queue.Outgoing{Body: body}))
	}
	w.relayAll()
	if received := w.settle(); received != 5*len(bodies)+1 {
		t.Errorf("%d receives, want 5 of each of %d and 1", received, len(bodies))
	}
	w.wantCoverage("1 indexed, 0 pending, 0 failed")
	page, err := w.store.Query(t.Context(), store.Query{PK: "DEAD#malformed"})
	must(t, err)
	if len(page.Items) != len(bodies)-1 {
		t.Errorf("%d recorded, want all %d but the one of a room that is not there", len(page.Items), len(bodies)-1)
	}
	for _, item := range page.Items {
		if len(item.Data) > 10_000 || !strings.Contains(string(item.Data), "not a job: ") && !strings.Contains(string(item.Data), "at most") {
			t.Errorf("recorded as %.200s", item.Data)
		}
	}
}

func TestAnotherModelEmbedsTheRoomAnew(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"), insert("b", "two"))
	w.relayAll()
	w.settle()
	next := newModel()
	next.name, next.dim = "test/2", 6
	w.use(next)
	w.commit(insert("c", "three"))
	w.relayAll()
	w.settle()
	w.wantCoverage("3 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1, "two": 1, "three": 1})
	w.view(func(v *replica.View) {
		if v.State().Model != "test/2" || v.State().Dim != 6 {
			t.Errorf("the room's model is %s of %d", v.State().Model, v.State().Dim)
		}
	})
	// And back: its vectors are still there, but for the newest.
	w.use(newModel())
	must(t, w.indexer.Send(t.Context(), indexing.Job{Room: w.ulid, Sweep: &indexing.Sweep{}}))
	w.settle()
	w.wantCoverage("3 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 0, "two": 0, "three": 1})
}

// lose empties the queue, as nothing that is promised does.
func (w *world) lose() {
	w.t.Helper()
	work(w.t, w.jobs, func(context.Context, []queue.Message) []embed.Failure { return nil })
}

func TestTheScheduleFindsRowsThatLostTheirJobs(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"), insert("b", "two"))
	w.relayAll()
	w.settle()
	w.commit(insert("c", "three"), insert("d", "one"))
	w.relayAll()
	w.lose()
	w.wantCoverage("3 indexed, 1 pending, 0 failed") // d has the text of a
	must(t, w.handler.Tend(t.Context()))
	if received := w.settle(); received != 0 {
		t.Errorf("%d jobs of rows that may still have theirs", received)
	}
	w.now = func() time.Time { return time.Now().Add(20 * time.Minute) }
	must(t, w.handler.Tend(t.Context()))
	if received := w.settle(); received != 1 {
		t.Errorf("%d jobs, want one", received)
	}
	w.wantCoverage("4 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1, "three": 1})
	must(t, w.handler.Tend(t.Context()))
	if complete, err := w.indexer.Complete(t.Context(), w.ulid, 3); !complete || err != nil {
		t.Errorf("complete: %v, %v", complete, err)
	}
}

func TestVectorsThatNoRowHasAreRemovedAfterAMonth(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"), insert("b", "two"))
	w.relayAll()
	w.settle()
	w.commit(`{"op":"delete","table":"tasks","id":"b"}`)
	w.relayAll()
	vectors := func() int {
		page, err := w.store.Query(t.Context(), store.Query{PK: "VEC#" + w.ulid, From: "VEC#", To: "VEC#~"})
		must(t, err)
		return len(page.Items)
	}
	must(t, w.handler.Tend(t.Context()))
	if got := vectors(); got != 2 {
		t.Errorf("%d vectors at once, want 2", got)
	}
	w.now = func() time.Time { return time.Now().Add(31 * 24 * time.Hour) }
	must(t, w.handler.Tend(t.Context()))
	if got := vectors(); got != 1 {
		t.Errorf("%d vectors after a month, want 1", got)
	}
}

func TestAColumnThatIsEmbeddedFromNowOnIsSwept(t *testing.T) {
	w := newWorld(t)
	w.commit(`{"op":"createTable","table":"notes","columns":[{"name":"body","type":"text"}]}`)
	w.commit(`{"op":"insert","table":"notes","id":"n","row":{"body":"long ago"}}`, insert("a", "one"))
	w.relayAll()
	w.commit(`{"op":"alterTable","table":"notes","change":[{"name":"body","type":"text","embed":true}]}`)
	w.relayAll()
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"long ago": 1, "one": 1})
}

func TestAFailedTextIsAskedForAlone(t *testing.T) {
	w := newWorld(t)
	together := 0
	w.model.set(func(text string, times int) error {
		if text == "bad" || times == 1 { // a request that fails, fails all its texts
			return embedder.Unreached("broken")
		}
		return nil
	})
	w.commit(insert("a", "one"), insert("b", "bad"), insert("c", "three"))
	w.relayAll()
	w.model.calls = func(texts []string) {
		if len(texts) > 1 {
			together++
		}
	}
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 1 failed")
	w.wantAsked(map[string]int{"one": 2, "bad": 5, "three": 2})
	if together != 1 {
		t.Errorf("%d requests of several texts, want the first only", together)
	}
}

func TestAnIndexThatBeginsAnewUsesTheVectorsThatAreKept(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"), insert("b", "two"))
	w.relayAll()
	w.settle()
	if n, err := w.indexer.Reindex(t.Context(), w.ulid, true); n != 2 || err != nil {
		t.Fatalf("reindexed %d, %v", n, err)
	}
	must(t, w.store.Write(t.Context(), store.Write{Action: store.Delete, Item: store.Item{Key: w.vectorKey("b")}}))
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")
	w.wantAsked(map[string]int{"one": 1, "two": 2})
}

func (w *world) vectorKey(row string) store.Key {
	return indexlog.VectorKey(w.ulid, w.model.Model(), w.jobOf(row).Hash)
}

// While a new version takes over, the old one does not take the room back.
func TestTheModelOfTheNewerVersionStays(t *testing.T) {
	w := newWorld(t)
	w.commit(insert("a", "one"))
	w.relayAll()
	w.settle()
	older, handler, asked := w.indexer, w.handler, w.model
	w.now = func() time.Time { return time.Now().Add(time.Minute) }
	next := newModel()
	next.name = "test/2"
	w.use(next)
	w.commit(insert("b", "two"))
	w.relayAll()
	w.settle()
	w.wantCoverage("2 indexed, 0 pending, 0 failed")

	w.commit(insert("c", "three"))
	w.relayAll()
	messages, err := w.jobs.Receive(t.Context(), queue.Request{Max: 10, Visibility: time.Minute})
	must(t, err)
	failed := handler.Handle(t.Context(), messages)
	if len(failed) != 1 || !strings.Contains(failed[0].Err.Error(), "newer version") || asked.times("three") != 0 {
		t.Errorf("the older version: %+v", failed)
	}
	if _, err := older.SweepStep(t.Context(), w.ulid, indexing.Sweep{}, nil); err == nil {
		t.Error("the older version swept the room")
	}
	w.settle()
	w.wantCoverage("3 indexed, 0 pending, 0 failed")
	w.view(func(v *replica.View) {
		if v.State().Model != "test/2" {
			t.Errorf("the room's model is %s", v.State().Model)
		}
	})
}

func TestFailuresOfTextsThatAreGoneAreRemoved(t *testing.T) {
	w := newWorld(t)
	w.model.set(func(text string, _ int) error {
		if strings.HasPrefix(text, "bad") {
			return embedder.Refuse("no")
		}
		return nil
	})
	w.commit(insert("a", "bad one"), insert("b", "bad two"), insert("c", "bad three"))
	w.relayAll()
	w.settle()
	w.commit(retitle("a", "good"), `{"op":"delete","table":"tasks","id":"b"}`)
	w.relayAll()
	w.settle()
	if got := w.failures(); len(got) != 3 {
		t.Fatalf("failures %+v", got)
	}
	must(t, w.handler.Tend(t.Context()))
	if got := w.failures(); len(got) != 1 || got[0].Row != "c" {
		t.Errorf("failures %+v, want only that of c", got)
	}
}
