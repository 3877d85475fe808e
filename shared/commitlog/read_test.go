package commitlog

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/store"
)

// fakeStore answers queries from a list of items as it stands, so that it can
// be wrong in ways that a store is not. page is how many items a page holds.
type fakeStore struct {
	items   []store.Item
	page    int
	empty   int // how many empty pages come first
	err     error
	queries []store.Query
}

func (f *fakeStore) Query(ctx context.Context, q store.Query) (store.Page, error) {
	f.queries = append(f.queries, q)
	if f.err != nil || ctx.Err() != nil {
		return store.Page{}, errors.Join(f.err, ctx.Err())
	}
	if len(f.queries) <= f.empty {
		return store.Page{Next: "LOG#0000000000000000"}, nil
	}
	return f.cut(q), nil
}

func (f *fakeStore) cut(q store.Query) store.Page {
	var p store.Page
	items := slices.Clone(f.items)
	if q.Reverse {
		slices.Reverse(items)
	}
	for _, item := range items {
		if item.PK != q.PK || item.SK < q.From || item.SK > q.To {
			continue
		}
		if n := len(p.Items); n > 0 && (n == f.page || n == q.Limit) {
			p.Next = p.Items[n-1].SK
			break
		}
		p.Items = append(p.Items, item)
	}
	return p
}

func (f *fakeStore) Get(context.Context, store.Key, bool) (store.Item, error) {
	return store.Item{}, store.ErrNotFound
}
func (f *fakeStore) Write(context.Context, ...store.Write) error { return errors.New("read only") }
func (f *fakeStore) Add(context.Context, store.Key, map[string]int64, time.Time) (map[string]int64, error) {
	return nil, errors.New("read only")
}

// logOf is a store with entries of room r under these seqs.
func logOf(page int, seqs ...int64) *fakeStore {
	f := &fakeStore{page: page}
	for _, seq := range seqs {
		e := insertOne()
		e.Seq = seq
		f.items = append(f.items, store.Item{Key: Key("r", seq), Data: AppendEntry(nil, e)})
	}
	return f
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		st    *fakeStore
		after int64
		limit int
		want  []int64
		more  bool
	}{
		{"empty", logOf(9), 0, 0, nil, false},
		{"all", logOf(9, 1, 2, 3), 0, 0, []int64{1, 2, 3}, false},
		{"the tail", logOf(9, 1, 2, 3), 1, 10, []int64{2, 3}, false},
		{"at the end", logOf(9, 1, 2, 3), 3, 10, nil, false},
		{"beyond the end", logOf(9, 1, 2, 3), 7, 10, nil, false},
		{"cut by limit", logOf(9, 1, 2, 3), 0, 2, []int64{1, 2}, true},
		{"cut by page", logOf(2, 1, 2, 3), 0, 0, []int64{1, 2}, true},
		{"page below limit", logOf(1, 1, 2, 3), 1, 2, []int64{2}, true},
		{"log trimmed before", logOf(9, 5, 6), 4, 0, []int64{5, 6}, false},
		{"empty pages first", &fakeStore{items: logOf(9, 1).items, empty: 2}, 0, 0, []int64{1}, false},
	} {
		entries, sizes, more, err := Read(context.Background(), c.st, "r", c.after, c.limit)
		var got []int64
		for i, e := range entries {
			got = append(got, e.Seq)
			if sizes[i] != len(AppendEntry(nil, e)) {
				t.Errorf("%s: entry %d has size %d", c.name, e.Seq, sizes[i])
			}
		}
		if err != nil || !slices.Equal(got, c.want) || more != c.more {
			t.Errorf("%s: got %v, %t, %v", c.name, got, more, err)
		}
		if q := c.st.queries[0]; !q.Strong {
			t.Errorf("%s: the read is not strong", c.name)
		}
	}
}

func TestReadReturnsNothingOfAPageWithAGap(t *testing.T) {
	for _, c := range []struct {
		name  string
		seqs  []int64
		after int64
		want  GapError
	}{
		{"hole at the start", []int64{3, 4}, 0, GapError{"r", 1, 3}},
		{"hole at the start, later", []int64{1, 4}, 2, GapError{"r", 3, 4}},
		{"gap", []int64{1, 2, 4}, 0, GapError{"r", 3, 4}},
		{"duplicate", []int64{1, 2, 2, 3}, 0, GapError{"r", 3, 2}},
		{"order", []int64{2, 1}, 0, GapError{"r", 1, 2}},
	} {
		entries, sizes, more, err := Read(context.Background(), logOf(9, c.seqs...), "r", c.after, 0)
		var gap *GapError
		if !errors.As(err, &gap) || *gap != c.want || entries != nil || sizes != nil || more {
			t.Errorf("%s: got %v, %v, %v", c.name, entries, more, err)
		}
	}
}

func TestReadTellsWhatIsWrongWithAnEntry(t *testing.T) {
	misplaced, newer, damaged, foreign := logOf(9, 1), logOf(9, 1), logOf(9, 1), logOf(9, 1)
	misplaced.items[0].Key = Key("r", 2)
	newer.items[0].Data = []byte(`{"f":3}`)
	damaged.items[0].Data = damaged.items[0].Data[:50]
	foreign.items[0].SK = "LOG#0000000000000001x"
	down := &fakeStore{err: store.ErrThrottled}
	for _, c := range []struct {
		st    *fakeStore
		after int64
		code  fault.Code
		want  string
	}{
		{misplaced, 1, fault.Internal, "says it is 1"}, {newer, 0, fault.Unavailable, "newer version"}, {damaged, 0, fault.Internal, "entry 1: decode entry"},
		{foreign, 0, fault.Internal, "is no key"}, {down, 0, fault.Internal, "read log of room r after 0"},
	} {
		entries, _, _, err := Read(context.Background(), c.st, "r", c.after, 0)
		if fault.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.want) || entries != nil {
			t.Errorf("got %v, want %s %s", err, c.code, c.want)
		}
	}
	if _, _, _, err := Read(context.Background(), down, "r", 0, 0); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("got %v", err)
	}
}

func TestHead(t *testing.T) {
	for _, c := range []struct {
		st   *fakeStore
		want int64
	}{{logOf(9), 0}, {logOf(9, 1), 1}, {logOf(1, 7, 8, 9), 9}} {
		c.st.items = append(c.st.items, store.Item{Key: store.Key{PK: Partition("r"), SK: "CHECKPOINT#"}}, store.Item{Key: Key("s", 99)})
		got, err := Head(context.Background(), c.st, "r")
		if err != nil || got != c.want || !c.st.queries[0].Strong {
			t.Errorf("got %d, %v, want %d", got, err, c.want)
		}
	}
	if _, err := Head(context.Background(), &fakeStore{err: store.ErrThrottled}, "r"); !errors.Is(err, store.ErrThrottled) {
		t.Errorf("got %v", err)
	}
}

func TestKeys(t *testing.T) {
	if k := Key("01K", 42); k != (store.Key{PK: "ROOM#01K", SK: "LOG#0000000000000042"}) {
		t.Errorf("got %v", k)
	}
	for _, seq := range []int64{1, 9, 10, 1 << 53, maxSeq} {
		if got, ok := SeqOf(Key("r", seq).SK); !ok || got != seq {
			t.Errorf("%d comes back as %d, %t", seq, got, ok)
		}
	}
	if Key("r", 9).SK >= Key("r", 10).SK || Key("r", maxSeq-1).SK >= Key("r", maxSeq).SK {
		t.Error("keys do not sort by seq")
	}
	if room, ok := RoomOf(Key("01K", 42).PK); room != "01K" || !ok {
		t.Errorf("got %s, %t", room, ok)
	}
	if room, ok := RoomOf("META#01K"); ok {
		t.Errorf("META# taken for room %s", room)
	}
	for _, sk := range []string{"", "LOG#", "LOG#1", "LOG#0000000000000000", "LOG#00000000000000001", "LOG#+000000000000001", "LOG#-000000000000001", "LOG#00000000000000x1", "CHECKPOINT#0000000000000001"} {
		if seq, ok := SeqOf(sk); ok {
			t.Errorf("%s taken for %d", sk, seq)
		}
	}
}
