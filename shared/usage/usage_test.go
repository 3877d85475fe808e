package usage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"nanotypedb/shared/commitlog"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/flakystore"
	"nanotypedb/shared/store/storetest"
)

var noon = time.Date(2026, 11, 20, 12, 30, 0, 0, time.UTC)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func day(t time.Time) Range {
	return Range{From: t.Truncate(24 * time.Hour), To: t.Truncate(24 * time.Hour).Add(24 * time.Hour), By: ByHour}
}

func report(t testing.TB, l *Ledger, r Range) Report {
	t.Helper()
	rep, err := l.Report(context.Background(), "R", r)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestRecordersCountOnce lets several processes count into the same items while replies are lost, requests come late, and
// all of it is repeated: nothing may be missing or counted twice.
func TestRecordersCountOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := flakystore.Plan{Seed: rapid.Uint64().Draw(t, "seed"), DropReply: .2, LoseRequest: .1, ApplyLate: .15, Throttle: .1, Contend: .1}
		st := flakystore.New(storetest.NewModel(), plan)
		c := &clock{now: noon}
		l := NewLedger(st, c.Now)
		recorders := []*Recorder{NewRecorder(l), NewRecorder(l), NewRecorder(l)}
		want := map[string]int64{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r := rapid.SampledFrom(recorders).Draw(t, "recorder")
			if rapid.Bool().Draw(t, "flush") {
				_ = r.Flush(context.Background())
				continue
			}
			user, n := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "user"), rapid.Int64Range(1, 9).Draw(t, "n")
			r.Count("R", user, Of(Reads, n))
			want[user] += n
		}
		for _, r := range recorders {
			for range 500 {
				if r.Flush(context.Background()) == nil {
					break
				}
			}
		}
		if err := st.Settle(context.Background()); err != nil {
			t.Fatal(err)
		}
		rep, err := NewLedger(st, c.Now).Report(context.Background(), "R", day(noon))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range rep.Principals {
			if p.Counts[Reads] != want[p.Principal] {
				t.Fatalf("%s read %d rows by the ledger, %d in truth", p.Principal, p.Counts[Reads], want[p.Principal])
			}
			delete(want, p.Principal)
		}
		if len(want) > 0 {
			t.Fatalf("the ledger lacks %v", want)
		}
	})
}

func TestConcurrentFlushesLoseNothing(t *testing.T) {
	c := &clock{now: noon}
	l := NewLedger(storetest.NewModel(), c.Now)
	const processes, rounds = 6, 20
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			r := NewRecorder(l)
			for range rounds {
				r.Count("R", "ada", Of(Reads, 1))
				if err := r.Flush(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := report(t, l, day(noon)).Totals[Reads]; got != processes*rounds {
		t.Fatalf("counted %d of %d", got, processes*rounds)
	}
}

func TestOneWriteAnItemAndFlush(t *testing.T) {
	tally := &Tally{}
	st := Meter(storetest.NewModel())
	r := NewRecorder(NewLedger(st, (&clock{now: noon}).Now))
	for range 100 {
		r.Count("R", "ada", Of(Reads, 1).Plus(Of(Bytes, 1000)))
	}
	if got := r.Pending("R")[Reads]; got != 100 {
		t.Fatalf("%d are pending, want 100", got)
	}
	ctx := With(context.Background(), tally)
	if err := r.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if got := tally.Counts()[WriteUnits]; got != 8 {
		t.Fatalf("a flush cost %d eighths of a write unit, want 8", got)
	}
	if err := r.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if got := tally.Counts()[WriteUnits]; got != 8 {
		t.Fatalf("a flush with nothing to write cost %d eighths more", got-8)
	}
}

func entries(n int, at func(i int) time.Time) ([]*commitlog.Entry, []int) {
	list, sizes := make([]*commitlog.Entry, n), make([]int, n)
	for i := range list {
		list[i] = &commitlog.Entry{Seq: int64(i + 1), At: schema.Millis(at(i).UnixMilli()), By: []string{"ada", "bob", ""}[i%3],
			Ops: []commitlog.Op{{Kind: commitlog.Insert}, {Kind: commitlog.Update}, {Kind: commitlog.CreateTable}}}
		sizes[i] = 300 + i*40
	}
	return list, sizes
}

// TestLogIsCountedOnce gives overlapping pages of the log to several relays at once, over a store that loses replies.
func TestLogIsCountedOnce(t *testing.T) {
	all, sizes := entries(120, func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) })
	want := Counts{}
	for i, e := range all {
		want = want.Plus(Entry(e, sizes[i]))
	}
	st := flakystore.New(storetest.NewModel(), flakystore.Plan{Seed: 7, DropReply: .1, LoseRequest: .1, Contend: .05})
	var wg sync.WaitGroup
	for relay := range 4 {
		wg.Go(func() {
			l, rng := NewLedger(st, nil), rand.New(rand.NewPCG(uint64(relay), 1))
			for at := 0; at < len(all); {
				to := min(len(all), at+1+rng.IntN(30))
				if l.Logged(context.Background(), "R", all[at:to], sizes[at:to]) == nil {
					at = max(at, to-rng.IntN(3)*(len(all)-to+1)/len(all)) // sometimes a few again
				}
			}
		})
	}
	wg.Wait()
	rep := report(t, NewLedger(st, nil), Range{From: noon.Add(-time.Hour), To: noon.Add(4 * time.Hour), By: ByHour})
	if rep.Totals != want {
		t.Fatalf("counted %v, want %v", rep.Totals, want)
	}
	if want[Writes] != 240 || want[Commits] != 120 {
		t.Fatalf("the entries themselves count %v", want)
	}
	if len(rep.Principals) != 3 {
		t.Fatalf("principals: %v", rep.Principals)
	}
}

func TestLoadedRowsCountAsWrites(t *testing.T) {
	e := &commitlog.Entry{Seq: 1, Kind: commitlog.Load, Ops: []commitlog.Op{{Kind: commitlog.LoadBlob, Load: &commitlog.Bulk{Rows: 12_345}}}}
	if got := Entry(e, 10); got[Writes] != 12_345 || got[Commits] != 1 || got[WriteUnits] != 8 {
		t.Fatalf("counts %v", got)
	}
}

// TestRollUpChangesNoReport compares reports by day before and after the hours were summed, and after they were collected.
func TestRollUpChangesNoReport(t *testing.T) {
	c := &clock{now: noon}
	st := storetest.NewModel()
	l := NewLedger(st, c.Now)
	r := NewRecorder(l)
	for i := range 100 {
		r.Count("R", fmt.Sprint("user", i%3), Of(Reads, int64(i)).Plus(Of(AI, 1)))
		if err := r.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.Add(time.Hour)
	}
	days := Range{From: noon.Add(-48 * time.Hour), To: noon.Add(150 * time.Hour), By: ByDay}
	before := report(t, l, days)
	summed, err := l.RollUp(context.Background(), "R")
	if err != nil || summed != 4 {
		t.Fatalf("summed %d days, %v; want 4", summed, err)
	}
	if again, err := l.RollUp(context.Background(), "R"); err != nil || again != 0 {
		t.Fatalf("summed %d days again, %v", again, err)
	}
	same(t, before, report(t, l, days))
	forgetHours(t, st, before, c.Now().Add(-30*time.Hour))
	same(t, before, report(t, l, days))
	user := days
	user.Principal = "user1"
	if got := report(t, l, user); got.Totals[AI] != 33 || len(got.Principals) != 1 {
		t.Fatalf("one user's report: %+v", got.Totals)
	}
}

func same(t *testing.T, a, b Report) {
	t.Helper()
	if a.Totals != b.Totals || fmt.Sprint(a.Points) != fmt.Sprint(b.Points) || fmt.Sprint(a.Principals) != fmt.Sprint(b.Principals) {
		t.Fatalf("reports differ:\n%+v\n%+v", a, b)
	}
	if a.Totals[Reads] != 4950 {
		t.Fatalf("%d rows were read, want 4950", a.Totals[Reads])
	}
}

// forgetHours removes hours as the store does when they have expired.
func forgetHours(t *testing.T, st store.Store, rep Report, until time.Time) {
	t.Helper()
	page, err := st.Query(context.Background(), store.Query{PK: Partition("R"), From: hourPrefix, To: hourPrefix + "9"})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range page.Items {
		at, _, err := splitKey(item.SK)
		if err != nil {
			t.Fatal(err)
		}
		if at.Truncate(24 * time.Hour).Add(24 * time.Hour).After(until) {
			continue
		}
		if err := st.Write(context.Background(), store.Write{Action: store.Delete, Item: store.Item{Key: item.Key}}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRanges(t *testing.T) {
	for name, test := range map[string]struct {
		r    Range
		path string
	}{
		"no step":    {Range{From: noon, To: noon.Add(time.Hour)}, "by"},
		"backwards":  {Range{From: noon, To: noon.Add(-2 * time.Hour), By: ByHour}, "to"},
		"too long":   {Range{From: noon.AddDate(-1, 0, 0), To: noon, By: ByHour}, "from"},
		"an hour":    {Range{From: noon, To: noon, By: ByHour}, ""},
		"13 months":  {Range{From: noon.AddDate(-1, -1, 0), To: noon, By: ByDay}, ""},
		"empty, day": {Range{From: noon.Truncate(24 * time.Hour), To: noon.Truncate(24 * time.Hour), By: ByDay}, "to"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.r.Normal()
			if test.path == "" && err == nil {
				return
			}
			var got *fault.Error
			if !errors.As(err, &got) || got.Path != test.path {
				t.Fatalf("got %v, want a fault at %q", err, test.path)
			}
		})
	}
	r, _ := Range{From: noon, To: noon.Add(time.Hour), By: ByHour}.Normal()
	if b := r.Before(); b.To != r.From || b.To.Sub(b.From) != r.To.Sub(r.From) {
		t.Fatalf("the period before %v is %v", r, b)
	}
}

func TestUnits(t *testing.T) {
	st := Meter(storetest.NewModel())
	tally := &Tally{}
	ctx := With(context.Background(), tally)
	item := store.Item{Key: store.Key{PK: "P", SK: "a"}, Data: make([]byte, 3000)}
	steps := []struct {
		name string
		do   func() error
		want Counts
	}{
		{"3 KB put", func() error { return st.Write(ctx, store.Write{Item: item}) }, Of(WriteUnits, 24)},
		{"log entry", func() error {
			return st.Write(ctx, store.Write{Item: store.Item{Key: store.Key{PK: "P", SK: "LOG#1"}, Data: []byte("x")}})
		}, Counts{}},
		{"strong get", func() error { _, err := st.Get(ctx, item.Key, true); return err }, Of(ReadUnits, 8)},
		{"eventual get", func() error { _, err := st.Get(ctx, item.Key, false); return err }, Of(ReadUnits, 4)},
		{"query of nothing", func() error { _, err := st.Query(ctx, store.Query{PK: "none", Strong: true}); return err }, Of(ReadUnits, 8)},
		{"transaction", func() error {
			return st.Write(ctx, store.Write{Item: store.Item{Key: store.Key{PK: "P", SK: "b"}}}, store.Write{Item: store.Item{Key: store.Key{PK: "P", SK: "c"}}})
		}, Of(WriteUnits, 32)},
		{"counter", func() error {
			_, err := st.Add(ctx, store.Key{PK: "P", SK: "n"}, map[string]int64{"n": 1}, time.Time{})
			return err
		}, Of(WriteUnits, 8)},
	}
	for _, step := range steps {
		before := tally.Counts()
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
		if after := tally.Counts(); after != before.Plus(step.want) {
			t.Errorf("%s counted %v after %v", step.name, after, before)
		}
	}
}

func TestStorageIsCountedWhileItIsKept(t *testing.T) {
	c := &clock{now: noon.Truncate(24 * time.Hour).Add(12 * time.Hour)}
	l := NewLedger(storetest.NewModel(), c.Now)
	measure := func(sizes Sizes) {
		t.Helper()
		if err := l.Measure(context.Background(), "R", func(context.Context) (Sizes, error) { return sizes, nil }); err != nil {
			t.Fatal(err)
		}
	}
	measure(Sizes{Table: 1 << 20, Blobs: 2 << 20})
	c.Add(2 * time.Hour)
	measure(Sizes{Table: 1 << 30}) // too soon to be asked
	c.Add(22 * time.Hour)
	measure(Sizes{Table: 3 << 20})
	c.Add(24 * time.Hour)
	from := noon.Truncate(24 * time.Hour)
	for _, by := range []Step{ByHour, ByDay} {
		rep := report(t, l, Range{From: from, To: from.Add(96 * time.Hour), By: by})
		if got := rep.Totals[TableStored]; got != 24*1024+24*3*1024 {
			t.Errorf("by %s the table holds %d KB-hours", by, got)
		}
		if got := rep.Totals[BlobsStored]; got != 24*2048 {
			t.Errorf("by %s the bucket holds %d KB-hours", by, got)
		}
	}
	later := report(t, l, Range{From: from.Add(48 * time.Hour), To: from.Add(72 * time.Hour), By: ByDay})
	if got := later.Totals[TableStored]; got != 12*3*1024 {
		t.Errorf("a later day holds %d KB-hours: what was measured before counts on", got)
	}
	if usd := Virginia.Cost(Of(TableStored, 730<<20), "").Other; usd < 0.2499 || usd > 0.2501 {
		t.Errorf("a GB kept for a month costs %v", usd)
	}
}

func TestCostIsTheSumOfServices(t *testing.T) {
	c := Counts{}
	for f := range c {
		c[f] = int64(f+1) * 1_000_000
	}
	const model = "amazon.titan-embed-text-v2:0/512"
	sum := 0.0
	for _, s := range Virginia.Services(c, model) {
		sum += s.Cost
		if s.Source == "" || s.What == "" {
			t.Errorf("a price without a source: %+v", s)
		}
	}
	if total := Virginia.Cost(c, model).Total(); total < sum*0.999999 || total > sum*1.000001 {
		t.Fatalf("cost is %v, services sum to %v", total, sum)
	}
	if free := Virginia.Cost(Of(Tokens, 1e9), "static"); free.AI != 0 {
		t.Fatalf("one's own model costs %v", free.AI)
	}
	if got := Virginia.Cost(Of(WriteUnits, 8_000_000), model).Writes; got != 0.625 {
		t.Fatalf("a million write units cost %v", got)
	}
}

func TestGuard(t *testing.T) {
	c := &clock{now: noon}
	l := NewLedger(storetest.NewModel(), c.Now)
	g := NewGuard(l, &Virginia, "amazon.titan-embed-text-v2:0/512")
	ctx := context.Background()
	r := NewRecorder(l)
	r.Count("R", "ada", Of(Tokens, 100_000_000)) // 2 USD
	if err := r.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := g.AllowAI(ctx, "R"); err != nil {
		t.Fatalf("without a budget: %v", err)
	}
	if err := l.SetBudget(ctx, "R", Budget{Warn: 3, Stop: 2}); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a warning after the stop: %v", err)
	}
	if err := l.SetBudget(ctx, "R", Budget{Warn: 1, Stop: 2}); err != nil {
		t.Fatal(err)
	}
	if err := g.AllowAI(ctx, "R"); err != nil {
		t.Fatalf("what is known for a minute: %v", err)
	}
	c.Add(guardAge)
	if err := g.AllowAI(ctx, "R"); !fault.Is(err, fault.Forbidden) {
		t.Fatalf("above the budget: %v", err)
	}
	if err := g.AllowWrite(ctx, "R"); err != nil {
		t.Fatalf("writes were not to stop: %v", err)
	}
	if err := l.SetBudget(ctx, "R", Budget{Stop: 2, StopWrites: true}); err != nil {
		t.Fatal(err)
	}
	g.Forget("R")
	if err := g.AllowWrite(ctx, "R"); !fault.Is(err, fault.Forbidden) {
		t.Fatalf("writes were to stop: %v", err)
	}
	c.Add(30 * 24 * time.Hour)
	if err := g.AllowAI(ctx, "R"); err != nil {
		t.Fatalf("in the next month: %v", err)
	}
}

func TestLatency(t *testing.T) {
	var c Counts
	if _, ok := c.Latency(.5); ok {
		t.Fatal("a percentile of nothing")
	}
	for _, d := range []time.Duration{0, 900 * time.Microsecond, 3 * time.Millisecond, 4 * time.Millisecond, 70 * time.Millisecond} {
		c[Took(d)]++
	}
	for q, want := range map[float64]time.Duration{0: 0, .4: time.Millisecond, .5: 5 * time.Millisecond, .8: 5 * time.Millisecond, .99: 100 * time.Millisecond} {
		if got, ok := c.Latency(q); !ok || got != max(want, time.Millisecond) {
			t.Errorf("percentile %v is %v, want %v", q, got, want)
		}
	}
	c[Took(time.Hour)] += 100
	if got, ok := c.Latency(.5); ok {
		t.Errorf("half of the requests took at most %v, though most took an hour", got)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"c":{"reads":3,"novel":9},"log":7,"w":[{"id":"a","n":2}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err == nil {
			r.take("x", 1)
		}
	})
}

func BenchmarkCount(b *testing.B) {
	r := NewRecorder(NewLedger(storetest.NewModel(), nil))
	for b.Loop() {
		r.Count("R", "ada", Of(Reads, 100))
	}
}

// TestLateCountsReachTheirDay counts into days that were summed already, as a process does that slept or was down.
func TestLateCountsReachTheirDay(t *testing.T) {
	c := &clock{now: noon}
	l := NewLedger(storetest.NewModel(), c.Now)
	all, sizes := entries(3, func(int) time.Time { return noon })
	rollUp := func(want int) {
		t.Helper()
		if n, err := l.RollUp(context.Background(), "R"); err != nil || n != want {
			t.Fatalf("summed %d days, %v; want %d", n, err, want)
		}
	}
	log := func(from, to int) {
		t.Helper()
		if err := l.Logged(context.Background(), "R", all[from:to], sizes[from:to]); err != nil {
			t.Fatal(err)
		}
	}
	day := Range{From: noon, To: noon, By: ByDay}
	log(0, 2)
	c.Add(36 * time.Hour)
	rollUp(1)
	log(2, 3)
	rollUp(1)
	rollUp(0)
	if got := report(t, l, day).Totals; got[Commits] != 3 || got[Writes] != 6 {
		t.Fatalf("the day has %d commits and %d writes, its hours 3 and 6", got[Commits], got[Writes])
	}
}

// TestDaysAreMadeUpForAsLongAsThereAreHours sums for the first time after many weeks.
func TestDaysAreMadeUpForAsLongAsThereAreHours(t *testing.T) {
	c := &clock{now: noon}
	l := NewLedger(storetest.NewModel(), c.Now)
	r := NewRecorder(l)
	r.Count("R", "ada", Of(Reads, 7))
	if err := r.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Add(80 * oneDay)
	if n, err := l.RollUp(context.Background(), "R"); err != nil || n != 1 {
		t.Fatalf("summed %d days, %v", n, err)
	}
}

func TestPartsSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := Of(ReadUnits, rapid.Int64Range(0, 1e12).Draw(t, "n"))
		shares := rapid.MapOf(rapid.StringN(1, 3, 3), rapid.Int64Range(0, 1000)).Draw(t, "shares")
		sum, all := Counts{}, int64(0)
		for room, part := range whole.Divide(shares) {
			if sum = sum.Plus(part); part[ReadUnits] < 0 {
				t.Fatalf("%s gets %d", room, part[ReadUnits])
			}
		}
		for _, share := range shares {
			all += share
		}
		if all > 0 && sum != whole {
			t.Fatalf("the parts sum to %v of %v", sum, whole)
		}
	})
}

// TestPendingHoldsWhatIsOnItsWay asks while a flush does not know whether its write arrived.
func TestPendingHoldsWhatIsOnItsWay(t *testing.T) {
	st := flakystore.New(storetest.NewModel(), flakystore.Plan{Seed: 1, LoseRequest: 1})
	r := NewRecorder(NewLedger(st, (&clock{now: noon}).Now))
	r.Count("R", "ada", Of(Reads, 3))
	if err := r.Flush(context.Background()); err == nil {
		t.Fatal("a lost request was taken for done")
	}
	if got := r.Pending("R")[Reads]; got != 3 {
		t.Fatalf("%d reads are pending, want 3", got)
	}
}

// TestAGuardGoesOnWithWhatItKnew loses the ledger after the budget was read.
func TestAGuardGoesOnWithWhatItKnew(t *testing.T) {
	c := &clock{now: noon}
	st := &failing{Store: storetest.NewModel()}
	l := NewLedger(st, c.Now)
	g := NewGuard(l, &Virginia, "")
	ctx := context.Background()
	if err := l.SetBudget(ctx, "R", Budget{Stop: 2, StopWrites: true}); err != nil {
		t.Fatal(err)
	}
	if err := g.AllowWrite(ctx, "R"); err != nil {
		t.Fatal(err)
	}
	st.down = true
	c.Add(2 * guardAge)
	if err := g.AllowWrite(ctx, "R"); err != nil {
		t.Fatalf("usage that cannot be read stopped a write: %v", err)
	}
	st.down = false
	if err := l.SetBudget(ctx, "R", Budget{Stop: 1e-9, StopWrites: true}); err != nil {
		t.Fatal(err)
	}
	if err := l.change(ctx, hourKey("R", noon.Truncate(time.Hour), "ada"), noon.Add(KeepHours), func(r *record) bool {
		r.Counts = Of(WriteUnits, 800)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	c.Add(retryAge)
	if err := g.AllowWrite(ctx, "R"); !fault.Is(err, fault.Forbidden) {
		t.Fatalf("seconds later: %v", err)
	}
}

// failing is a store that cannot be read for a while.
type failing struct {
	store.Store
	down bool
}

func (f *failing) Get(ctx context.Context, key store.Key, strong bool) (store.Item, error) {
	if f.down {
		return store.Item{}, errors.New("down")
	}
	return f.Store.Get(ctx, key, strong)
}
