package room_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/store"
)

// scripted lets a test decide what a put into a log answers, and whether and
// when it happens.
type scripted struct {
	store.Store
	mu  sync.Mutex
	put func(writes []store.Write, apply func() error) error // nil: as the store says
}

func (s *scripted) on(put func([]store.Write, func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put = put
}

func (s *scripted) Write(ctx context.Context, writes ...store.Write) error {
	s.mu.Lock()
	put := s.put
	s.mu.Unlock()
	apply := func() error { return s.Store.Write(context.WithoutCancel(ctx), writes...) }
	if put == nil || !isLog(writes[0].Item.Key) {
		return apply()
	}
	return put(writes, apply)
}

// soleScripted is scripted as a store with one writer.
type soleScripted struct{ *scripted }

func (soleScripted) MaxAppend() int { return 1000 }

func stores(w *world) map[string]func() (*scripted, store.Store) {
	return map[string]func() (*scripted, store.Store){
		"one slot": func() (*scripted, store.Store) { s := &scripted{Store: w.store}; return s, s },
		"sole":     func() (*scripted, store.Store) { s := &scripted{Store: w.store}; return s, soleScripted{s} },
	}
}

const patience = 60 * time.Millisecond

// TestUndecided gives a commit up whose put may still arrive, and lets it
// arrive: before the room's next commit, which then is not in its place.
func TestUndecided(t *testing.T) {
	for name := range stores(nil) {
		for _, arrives := range []string{"never", "before the next commit", "at the next commit"} {
			t.Run(name+", "+arrives, func(t *testing.T) {
				w := newWorld(t)
				script, st := stores(w)[name]()
				e := w.engineOn(st)
				w.den(e)
				e.SetPatience(patience)
				base := w.state(e).Seq
				var flight func() error
				attempts := map[string]bool{}
				script.on(func(writes []store.Write, apply func() error) error {
					attempts[string(writes[0].Item.Data)] = true
					flight = apply
					return store.ErrUnknownOutcome
				})
				first := request(`{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
				if _, err := e.Commit(t.Context(), bob, den, first); !fault.Is(err, fault.Unavailable) {
					t.Fatalf("a put without an answer: %v", err)
				}
				if len(attempts) != 1 {
					t.Errorf("%d different entries were put while one was in flight", len(attempts))
				}
				if _, err := w.get(e, bob, "tasks", "a"); !fault.Is(err, fault.NotFound) {
					t.Errorf("a row that is not in the log: %v", err)
				}
				script.on(nil)
				switch arrives {
				case "before the next commit":
					must(t, flight())
					// The head of the log is told by pongs: reads must not be behind it.
					head, err := e.Head(t.Context(), w.state(w.engine()).Room)
					must(t, err)
					if seq := w.state(e).Seq; seq != head || head != base+1 {
						t.Errorf("head %d, read at %d", head, seq)
					}
				case "at the next commit":
					script.on(func(writes []store.Write, apply func() error) error {
						if flight != nil {
							must(t, flight())
							flight = nil
						}
						return apply()
					})
				}
				r := w.commit(e, bob, `{"op":"insert","table":"tasks","id":"b","row":{"title":"x"}}`)
				// The same bytes were put again first, so that "a" is there too.
				if r.Entry.Seq != base+2 {
					t.Errorf("the next commit is at %d, want %d", r.Entry.Seq, base+2)
				}
				if _, err := w.get(w.engine(), bob, "tasks", "a"); err != nil {
					t.Error(err)
				}
				if one, two := w.state(e), w.state(w.engine()); one.Sums != two.Sums {
					t.Error("the replica is not what the log says")
				}
			})
		}
	}
}

// TestNoCommitID counts what happened to commits without a commitId on a bad
// day: never twice, and not at all only when that was said.
func TestNoCommitID(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t)
			f := newFlaky(w.store, seed, 0.5)
			engines := []*room.Engine{w.engineOn(f), w.engineOn(f)}
			if seed%2 == 0 {
				engines = engines[:1]
				engines[0] = w.engineOn(soleFlaky{f})
			}
			w.den(engines[0])
			for _, e := range engines {
				e.SetPatience(150 * time.Millisecond)
			}
			const writers, each = 4, 12
			var mu sync.Mutex
			said := map[string]fault.Code{}
			var wg sync.WaitGroup
			for writer := range writers {
				wg.Go(func() {
					for i := range each {
						title := fmt.Sprintf("%d-%d", writer, i)
						_, err := engines[writer%len(engines)].Commit(context.Background(), bob, den, request(`{"op":"insert","table":"tasks","row":{"title":"`+title+`"}}`))
						mu.Lock()
						said[title] = fault.CodeOf(err)
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			f.arrive(context.Background(), true)
			rows, _, err := w.list(w.engine(), ada, room.ListRequest{Table: "tasks", Limit: 1000})
			must(t, err)
			times := map[string]int{}
			for _, row := range rows {
				times[row["title"].(string)]++
			}
			for title, code := range said {
				n := times[title]
				ok := map[fault.Code]bool{"": n == 1, fault.Unavailable: n <= 1, fault.RateLimited: n == 0}[code]
				if !ok {
					t.Errorf("%s was told %q and happened %d times", title, code, n)
				}
			}
		})
	}
}

// TestThrottled gives up a commit that the store never takes, and says that
// nothing has changed.
func TestThrottled(t *testing.T) {
	w := newWorld(t)
	script, st := stores(w)["one slot"]()
	e := w.engineOn(st)
	w.den(e)
	e.SetPatience(patience)
	for _, refusal := range []error{store.ErrThrottled, store.ErrContended} {
		script.on(func([]store.Write, func() error) error { return refusal })
		_, err := e.Commit(t.Context(), bob, den, request(`{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`))
		if f := faultOf(t, err); f.Code != fault.RateLimited || f.RetryAfter == 0 {
			t.Errorf("%v: %v", refusal, err)
		}
	}
	script.on(nil)
	w.commit(e, bob, `{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`)
}

// TestSleeper lets a process sleep for a day between resolving and putting,
// while the log moves on and is cut behind it. Its put lands in an empty slot,
// and must count for nothing.
func TestSleeper(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	var mu sync.Mutex
	w.clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	script, st := stores(w)["one slot"]()
	sleeper, other := w.engineOn(st), w.engineOn(shared{w.store})
	w.den(sleeper)
	base := w.state(sleeper).Seq
	ulid := w.state(sleeper).Room
	script.on(func(writes []store.Write, apply func() error) error {
		script.on(nil)
		for i := range 3 {
			w.commit(other, bob, fmt.Sprintf(`{"op":"insert","table":"tasks","id":"o%d","row":{"title":"x"}}`, i))
		}
		for seq := int64(1); seq <= base+2; seq++ { // as the sweep does, a day later
			must(t, w.store.Write(context.Background(), store.Write{Action: store.Delete, Item: store.Item{Key: logKey(ulid, seq)}}))
		}
		mu.Lock()
		now = now.Add(25 * time.Hour)
		mu.Unlock()
		return apply()
	})
	_, err := sleeper.Commit(t.Context(), bob, den, request(`{"op":"insert","table":"tasks","id":"s","row":{"title":"x"}}`))
	if err == nil {
		t.Error("a commit into a swept slot was acknowledged")
	}
	if _, err := w.store.Get(t.Context(), logKey(ulid, base+1), true); err == nil {
		t.Error("the stray entry is still there")
	}
}

// TestStaleReplicaCatchesUp counts the reads of the log that a commit costs:
// none while the replica is fresh, one when it is older than a minute or the
// clocks disagree.
func TestStaleReplicaCatchesUp(t *testing.T) {
	w := newWorld(t)
	now := time.Unix(1_900_000_000, 0)
	w.clock = func() time.Time { return now }
	counter := &queryCounter{Store: w.store}
	e := w.engineOn(counter)
	w.den(e)
	insert := `{"op":"insert","table":"tasks","row":{"title":"x"}}`
	for _, step := range []struct {
		sleep   time.Duration
		queries int
	}{{0, 0}, {59 * time.Second, 0}, {60 * time.Second, 1}, {0, 0}, {61 * time.Second, 1}} {
		now = now.Add(step.sleep)
		before := counter.n
		w.commit(e, bob, insert)
		if got := counter.n - before; got != step.queries {
			t.Errorf("after %s: %d reads of the log, want %d", step.sleep, got, step.queries)
		}
	}
}

type queryCounter struct {
	store.Store
	n int
}

func (q *queryCounter) Query(ctx context.Context, query store.Query) (store.Page, error) {
	q.n++
	return q.Store.Query(ctx, query)
}

type countingLimiter struct {
	mu    sync.Mutex
	calls map[string]int
	deny  access.Work
}

func (c *countingLimiter) Allow(_ context.Context, _, user string, what access.Work, n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[user+" "+string(what)] += n
	if what == c.deny {
		return fault.New(fault.RateLimited, "too often").After(time.Second)
	}
	return nil
}

func TestLimiter(t *testing.T) {
	w := newWorld(t)
	limiter := &countingLimiter{calls: map[string]int{}}
	w.limiter = limiter
	e := w.engine()
	w.den(e)
	insert := request(`{"op":"insert","table":"tasks","row":{"title":"x"}}`)
	_, err := e.Commit(t.Context(), bob, den, request(string(insert.Ops[0]), string(insert.Ops[0]), string(insert.Ops[0])))
	must(t, err)
	_, _, err = e.Rooms(t.Context(), bob, "", 0)
	must(t, err)
	_, err = e.Create(t.Context(), bob, "bobs", "Bob's")
	must(t, err)
	_, err = w.get(e, bob, "tasks", "x")
	if !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	_, err = e.Log(t.Context(), bob, den, 0, 0, 0)
	must(t, err)
	_, err = e.Commit(t.Context(), simon, den, insert)
	if !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if c := limiter.calls; c["bob commits"] != 4 || c["bob reads"] != 3 || c["simon commits"] != 0 {
		t.Errorf("asked %v", c)
	}
	limiter.deny = access.Commits
	if _, err := e.Commit(t.Context(), bob, den, insert); !fault.Is(err, fault.RateLimited) {
		t.Error(err)
	}
	if _, err := e.Create(t.Context(), bob, "more", "More"); !fault.Is(err, fault.RateLimited) {
		t.Errorf("rooms without end: %v", err)
	}
	if _, err := e.Commit(t.Context(), simon, den, insert); !fault.Is(err, fault.NotFound) {
		t.Errorf("a limit tells a stranger about a room: %v", err)
	}
}

// TestANewerFormatInTheSlot: another server, already of the next release, has
// won the slot. That is for good, and cannot be read here.
func TestANewerFormatInTheSlot(t *testing.T) {
	w := newWorld(t)
	script := &scripted{Store: w.store}
	e := w.engineOn(script)
	w.den(e)
	e.SetPatience(patience)
	puts := 0
	script.on(func(writes []store.Write, apply func() error) error {
		if puts++; puts == 1 {
			newer := store.Item{Key: writes[0].Item.Key, Data: []byte(`{"f":9,"news":true}`)}
			must(t, w.store.Write(context.Background(), store.Write{Action: store.Put, Item: newer, If: store.Absent}))
		}
		return apply()
	})
	_, err := e.Commit(t.Context(), bob, den, request(`{"op":"insert","table":"tasks","row":{"title":"x"}}`))
	if !fault.Is(err, fault.Unavailable) || puts != 1 {
		t.Errorf("%d puts, %v", puts, err)
	}
}
