package indexlog

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/sqlitefile"
	"nanotypedb/shared/store"
	"nanotypedb/shared/store/sqlitestore"
)

func everyText() *Entry {
	return &Entry{N: 7, At: 1795465260123, Model: "static/1", Dim: 4, Reset: true, Texts: []Text{
		{Hash: TextHash("a"), Vector: []byte{1, 2, 3}, Rows: []RowRef{{Table: 1, ID: "x"}, {Table: 2, ID: "y\"z"}}},
		{Hash: TextHash("b"), Failed: true, Reason: "refused"},
		{Hash: TextHash("c"), Cleared: true, Rows: []RowRef{{Table: 1, ID: "w"}}},
	}}
}

// Entries are kept while a room lives: a change of the golden file is a new Format.
func TestTheStoredFormNeverChanges(t *testing.T) {
	got := string(AppendEntry(nil, everyText())) + "\n"
	const path = "testdata/entry.golden"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("got\n%s\nwant\n%s (%v)", got, want, err)
	}
}

func drawEntry(t *rapid.T) *Entry {
	e := &Entry{
		N: rapid.Int64Range(1, 1<<50).Draw(t, "n"), At: schema.Millis(rapid.Int64Range(0, 1<<50).Draw(t, "at")),
		Model: rapid.String().Draw(t, "model"), Dim: rapid.IntRange(0, 8192).Draw(t, "dim"), Reset: rapid.Bool().Draw(t, "reset"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "texts") {
		text := Text{Hash: TextHash(rapid.String().Draw(t, "text"))}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			text.Vector = rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "vector")
		case 1:
			text.Failed, text.Reason = true, rapid.String().Draw(t, "reason")
		case 2:
			text.Cleared = true
		}
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			text.Rows = append(text.Rows, RowRef{Table: rapid.IntRange(0, 300).Draw(t, "table"), ID: rapid.String().Draw(t, "id")})
		}
		e.Texts = append(e.Texts, text)
	}
	return e
}

func TestEntriesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t)
		data := AppendEntry(nil, e)
		got, err := DecodeEntry(data)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%s:\ngot  %+v, %v\nwant %+v", data, got, err, e)
		}
	})
}

func TestDecodeEntryRefusesDamage(t *testing.T) {
	good := string(AppendEntry(nil, everyText()))
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, data := range map[string]string{
		"empty": ``, "null": `null`, "no format": `{}`, "format 0": change(`"f":1`, `"f":0`), "format late": change(`"f":1,"n":7`, `"n":7,"f":1`),
		"no n": change(`"n":7,`, ``), "n 0": change(`"n":7`, `"n":0`), "unknown member": change(`"a":`, `"aa":`), "unknown in text": change(`"v":`, `"vv":`),
		"both": change(`"v":`, `"x":true,"v":`), "neither": change(`,"c":true`, ``), "no hash": change(`"h":"ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs",`, ``),
		"short hash": change(`"ypeB`, `"`), "line break in vector": change(`"v":"`, `"v":"\n`), "table without row": change(`,"x",2,"y\"z"]`, `,"x",2]`),
		"negative table": change(`[1,"x"`, `[-1,"x"`), "rest": good + "1", "cut": good[:len(good)-1],
	} {
		if _, err := DecodeEntry([]byte(data)); err == nil || fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := DecodeEntry([]byte(change(`"f":1`, `"f":2,"new":[]`))); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a newer format: got %v", err)
	}
}

// The seeds are in testdata/fuzz.
func FuzzDecodeEntry(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := DecodeEntry(data)
		if err != nil {
			return
		}
		again, err := DecodeEntry(AppendEntry(nil, e))
		if err != nil || string(AppendEntry(nil, again)) != string(AppendEntry(nil, e)) {
			t.Fatalf("%q: %v", data, err)
		}
	})
}

func FuzzNOf(f *testing.F) {
	f.Add("INDEX#0000000000000007")
	f.Fuzz(func(t *testing.T, sk string) {
		if n, ok := NOf(sk); ok && Key("r", n).SK != sk {
			t.Errorf("%q is %d, whose key is %q", sk, n, Key("r", n).SK)
		}
	})
}

func openStore(t *testing.T) store.Store {
	t.Helper()
	file, err := sqlitefile.Open(t.Context(), t.TempDir(), sqlitefile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlitestore.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(st.Close(), file.Close()); err != nil {
			t.Error(err)
		}
	})
	return st
}

func TestAppendsOfManyAreContiguous(t *testing.T) {
	st := openStore(t)
	var all sync.WaitGroup
	const writers, each = 8, 10
	for w := range writers {
		all.Go(func() {
			for i := range each {
				e := &Entry{Model: "m", Dim: w + 1, Texts: []Text{{Hash: TextHash(string(rune('a' + i))), Cleared: true}}}
				if _, err := Append(t.Context(), st, "r", e, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var got []*Entry
	for more := true; more; {
		page, m, err := Read(t.Context(), st, "r", int64(len(got)), 7, true)
		if err != nil {
			t.Fatal(err)
		}
		got, more = append(got, page...), m
	}
	said := map[[2]any]int{}
	for _, e := range got {
		said[[2]any{e.Dim, e.Texts[0].Hash}]++
	}
	if len(got) != writers*each || len(said) != writers*each {
		t.Errorf("%d entries of %d kinds, want %d", len(got), len(said), writers*each)
	}
	if head, err := Head(t.Context(), st, "r"); head != writers*each || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
	if head, err := Head(t.Context(), st, "other"); head != 0 || err != nil {
		t.Errorf("head of an empty log %d, %v", head, err)
	}
}

func TestReadTellsGapsAndForeignItems(t *testing.T) {
	st := openStore(t)
	put := func(key store.Key, data []byte) {
		t.Helper()
		if err := st.Write(t.Context(), store.Write{Item: store.Item{Key: key, Data: data}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int64{1, 2, 4} {
		put(Key("r", n), AppendEntry(nil, &Entry{N: n}))
	}
	var gap *GapError
	if _, _, err := Read(t.Context(), st, "r", 0, 0, false); !errors.As(err, &gap) || gap.Want != 3 || gap.Got != 4 {
		t.Errorf("a missing entry: got %v", err)
	}
	if entries, more, err := Read(t.Context(), st, "r", 0, 2, false); len(entries) != 2 || !more || err != nil {
		t.Errorf("%d entries before the gap, %v, %v", len(entries), more, err)
	}
	put(Key("s", 1), AppendEntry(nil, &Entry{N: 2}))
	if _, _, err := Read(t.Context(), st, "s", 0, 0, false); err == nil {
		t.Error("an entry under another's key was read")
	}
	put(store.Key{PK: Partition("u"), SK: "INDEX#000000000000000x"}, nil)
	if _, _, err := Read(t.Context(), st, "u", 0, 0, false); err == nil {
		t.Error("an item that is no entry was read")
	}
}

// doubtful loses the answer of puts, before or after they happened.
type doubtful struct {
	store.Store
	before, after int
}

func (d *doubtful) Write(ctx context.Context, writes ...store.Write) error {
	if d.before > 0 {
		d.before--
		return store.ErrUnknownOutcome
	}
	err := d.Store.Write(ctx, writes...)
	if err == nil && d.after > 0 {
		d.after--
		return store.ErrUnknownOutcome
	}
	return err
}

func TestAppendFindsOutWhatBecameOfALostAnswer(t *testing.T) {
	for name, d := range map[string]*doubtful{"not done": {before: 2}, "done": {after: 1}} {
		d.Store = openStore(t)
		n, err := Append(t.Context(), d, "r", &Entry{Model: "m"}, 0)
		if n != 1 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if entries, _, err := Read(t.Context(), d, "r", 0, 0, true); len(entries) != 1 || err != nil {
			t.Errorf("%s: %d entries, %v", name, len(entries), err)
		}
	}
	d := &doubtful{Store: openStore(t), before: 3}
	if _, err := Append(t.Context(), d, "r", &Entry{}, 0); !errors.Is(err, store.ErrUnknownOutcome) {
		t.Errorf("after three lost answers: %v", err)
	}
}

func TestAppendRefusesWhatIsTooLarge(t *testing.T) {
	e := &Entry{Texts: []Text{{Vector: make([]byte, MaxEntryBytes)}}}
	if _, err := Append(t.Context(), openStore(t), "r", e, 0); !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v", err)
	}
}
