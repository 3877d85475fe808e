package commitlog

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
)

// insertOne is the commit that users make most: one row with a title.
func insertOne() *Entry {
	e := &Entry{
		Format: Format, Seq: 12345, At: 1795465260123, By: "01K8Z3V5QX9YHTA2M4N6P8R0ST", CommitID: "01K8Z3V5QX9YHTA2M4N6P8R0SU",
		Digest: strings.Repeat("d", 43), Attempt: "01K8Z3V5QX9YHTA2M4N6P8R0SV",
		Ops: []Op{{Kind: Insert, Table: 1, ID: "01K8Z3V5QX9YHTA2M4N6P8R0SW", Creator: "01K8Z3V5QX9YHTA2M4N6P8R0ST",
			Set: []Cell{{Num: 1, Value: strings.Repeat("title ", 10)}, {Num: 2, Value: "pending"}}}},
	}
	for i := range 32 {
		e.Before.Content[i], e.Before.State[i], e.After.Content[i], e.After.State[i] = byte(i), byte(255-i), byte(i*7), byte(i*11)
	}
	return e
}

func TestAOneRowEntryIsSmall(t *testing.T) {
	if n := len(AppendEntry(nil, insertOne())); n > 700 {
		t.Errorf("%d bytes", n)
	}
}

// everyOp has each kind of operation with all that it can carry.
func everyOp() *Entry {
	own, bound := schema.Own, -1.5
	column := schema.Column{Num: 1, Name: "n", Type: schema.Number, Required: true, Default: 1.0, Min: &bound, Unique: true}
	cells := []Cell{{Num: 1, Value: "a\"\n"}, {Num: 2, Value: nil}, {Num: 3, Value: int64(-7)}, {Num: 5, Value: 1.0}, {Num: 6, Value: true},
		{Num: 7, Value: schema.Millis(-1)}, {Num: 8, Value: schema.JSON(`{"t":1}`)}}
	return &Entry{Format: Format, Seq: 7, At: 1, By: "u", Attempt: "x", Kind: Undo, Undoes: 3, Pause: 50, Ops: []Op{
		{Kind: Insert, Table: 1, ID: "r", Creator: "u", Set: []Cell{}},
		{Kind: Insert, Table: 1, ID: "q", Creator: "u", Set: []Cell{}, CreatedAt: 2, UpdatedAt: 3, OldVersion: 4},
		{Kind: LoadBlob, Name: "a note", Load: &Bulk{Blob: "rooms/r/loads/l", SHA256: [32]byte{1, 2}, Mode: "merge", Base: 5, Tables: []int{1, 2, 3},
			Made: []int{2}, Was: []schema.Table{{Num: 3, Name: "gone", NextColumn: 1}}, Rows: 6, Deletes: 7}},
		{Kind: Update, Table: 1, ID: "r", Creator: "u", Set: cells, Old: cells, OldVersion: 4, OldUpdated: 5},
		{Kind: Delete, Table: 1, ID: "r", Creator: "u", Old: cells, OldVersion: 4, OldUpdated: 5, OldCreated: 6},
		{Kind: Delete, Table: 1, ID: "s", Creator: "u", OldOmitted: true, OldVersion: 4, Own: true},
		{Kind: CreateTable, Def: &schema.Table{Num: 2, Name: "t", Access: own, NextColumn: 2, Columns: []schema.Column{column}}},
		{Kind: AlterTable, Rewrites: true, Alter: &schema.Alteration{Table: 2, Was: "t", Name: "v", Access: &own, Add: []schema.Column{column}, Drop: []schema.ColumnName{{Num: 1, Name: "n", Was: "n"}}}},
		{Kind: DropTable, Table: 2, Name: "v", Def: &schema.Table{Num: 2, Name: "v", Access: own, NextColumn: 2, Columns: []schema.Column{column}}},
		{Kind: SetMember, User: "w", Role: "editor", Name: "Wé", Email: "w@example.com"}, {Kind: SetMember, User: "w"},
		{Kind: SetInvite, Email: "x@example.com", Role: "viewer"}, {Kind: SetRoom, ID: "my-room", Name: "My room"},
	}}
}

func TestEveryOperationComesBack(t *testing.T) {
	for _, e := range []*Entry{insertOne(), everyOp(), {Format: Format, Seq: 1}} {
		data := AppendEntry(nil, e)
		got, err := DecodeEntry(data)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s:\ngot %+v, %v", data, got, err)
		}
		if !json.Valid(data) {
			t.Errorf("%s is no JSON", data)
		}
	}
}

// Entries are kept for ever: a change of the golden file is a new Format.
func TestTheStoredFormNeverChanges(t *testing.T) {
	got := string(AppendEntry(nil, insertOne())) + "\n" + string(AppendEntry(nil, everyOp())) + "\n"
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

// What earlier releases wrote stays readable.
func TestFormatOneIsRead(t *testing.T) {
	golden, err := os.ReadFile("testdata/entry-1.golden")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(golden)) {
		e, err := DecodeEntry([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil || e.Format != 1 || len(e.Ops) == 0 {
			t.Errorf("%s: %+v, %v", line, e, err)
		}
		if again := string(AppendEntry(nil, e)) + "\n"; again != line {
			t.Errorf("%s came back as %s", line, again)
		}
	}
}

// fill gives every field of v, at any depth, a value that is not its zero.
func fill(t *testing.T, v reflect.Value) {
	special := map[reflect.Type]string{
		reflect.TypeFor[OpKind](): string(Insert), reflect.TypeFor[Kind](): string(Undo),
		reflect.TypeFor[schema.Access](): string(schema.Own), reflect.TypeFor[schema.Type](): string(schema.Text),
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(cmp.Or(special[v.Type()], "x"))
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf("value"))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("%s cannot be filled: say how", v.Type())
	}
}

// A field that the codec does not know would be lost without a sound.
func TestNoFieldIsForgotten(t *testing.T) {
	var e Entry
	fill(t, reflect.ValueOf(&e).Elem())
	e.Format = Format
	e.Ops[0].Kind = LoadBlob
	e.Ops[0].Def.NextColumn, e.Ops[0].Load.Was[0].NextColumn = 2, 2
	data := AppendEntry(nil, &e)
	got, err := DecodeEntry(data)
	if err != nil || !reflect.DeepEqual(got, &e) {
		t.Errorf("%s:\ngot  %+v, %v\nwant %+v", data, got, err, e)
	}
}

func cellList(t *rapid.T, name string) []Cell {
	values := rapid.OneOf(
		rapid.Just(schema.Value(nil)),
		rapid.Map(rapid.String(), func(s string) schema.Value { return s }),
		rapid.Map(rapid.Int64Range(-schema.MaxInteger, schema.MaxInteger), func(n int64) schema.Value { return n }),
		rapid.Map(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64), func(f float64) schema.Value { return f + 0 }),
		rapid.Map(rapid.Bool(), func(b bool) schema.Value { return b }),
		rapid.Map(rapid.Int64Range(-1e13, 1e13), func(n int64) schema.Value { return schema.Millis(n) }),
		rapid.Map(rapid.StringMatching(`[a-z"\\]*`), func(s string) schema.Value { return schema.JSON(schema.AppendJSON([]byte(`[1,`), s)) + "]" }),
	)
	if rapid.Bool().Draw(t, name+" absent") {
		return nil
	}
	cells := []Cell{}
	num := 0
	for range rapid.IntRange(0, 4).Draw(t, name) {
		num += rapid.IntRange(1, 3).Draw(t, "step")
		cells = append(cells, Cell{Num: num, Value: values.Draw(t, "value")})
	}
	return cells
}

func drawOp(t *rapid.T) Op {
	text := rapid.String()
	seq := rapid.Int64Range(0, 1e12)
	return Op{
		Kind:  rapid.SampledFrom([]OpKind{Insert, Update, Delete, SetMember, SetInvite, SetRoom}).Draw(t, "kind"),
		Table: rapid.IntRange(0, 300).Draw(t, "table"), ID: text.Draw(t, "id"), Creator: text.Draw(t, "creator"),
		Set: cellList(t, "set"), Old: cellList(t, "old"), OldVersion: seq.Draw(t, "version"),
		OldUpdated: schema.Millis(seq.Draw(t, "updated")), OldCreated: schema.Millis(seq.Draw(t, "created")),
		OldOmitted: rapid.Bool().Draw(t, "omitted"), Own: rapid.Bool().Draw(t, "own"), User: text.Draw(t, "user"), Name: text.Draw(t, "name"), Email: text.Draw(t, "email"), Role: text.Draw(t, "role"),
	}
}

func drawSum(t *rapid.T) (s Sum) {
	copy(s[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "sum"))
	return s
}

func TestAnyEntryComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &Entry{
			Format: Format, Seq: rapid.Int64Range(1, 1e15).Draw(t, "seq"), At: schema.Millis(rapid.Int64Range(0, 1e14).Draw(t, "at")),
			By: rapid.String().Draw(t, "by"), CommitID: rapid.String().Draw(t, "commitId"), Digest: rapid.String().Draw(t, "digest"), Attempt: rapid.String().Draw(t, "attempt"),
			Kind:   rapid.SampledFrom([]Kind{Ordinary, Create, Closed, Load, Check, Undo}).Draw(t, "kind"),
			Before: Sums{drawSum(t), drawSum(t)}, After: Sums{drawSum(t), drawSum(t)},
		}
		for range rapid.IntRange(0, 3).Draw(t, "ops") {
			e.Ops = append(e.Ops, drawOp(t))
		}
		data := AppendEntry(nil, e)
		got, err := DecodeEntry(data)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%s: %v", data, err)
		}
	})
}

// A name from elsewhere that is no UTF-8 must not make a room unreadable.
func TestTextThatIsNoUTF8CanBeReadBack(t *testing.T) {
	e := insertOne()
	e.Ops = []Op{{Kind: SetMember, User: "u", Name: "a\xff\xed\xa0\x80b"}}
	got, err := DecodeEntry(AppendEntry(nil, e))
	if err != nil || got.Ops[0].Name != "a\ufffd\ufffd\ufffd\ufffdb" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestANewerFormatIsUnavailable(t *testing.T) {
	for _, data := range []string{`{"f":3}`, `{"f":3,"new":{"member":1}}`, ` {"f":2147483648`, `{"f":3,broken`} {
		_, err := DecodeEntry([]byte(data))
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("%s: got %v", data, err)
		}
	}
}

func TestDecodeEntryRefusesDamage(t *testing.T) {
	good := string(AppendEntry(nil, insertOne()))
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, data := range map[string]string{
		"empty": ``, "null": `null`, "no format": `{}`, "format 0": change(`"f":2`, `"f":0`), "huge format": change(`"f":2`, `"f":2147483649`), "format late": change(`{"f":2,"s":12345`, `{"s":12345,"f":2`),
		"unknown member": change(`"a":`, `"aa":`), "unknown in op": change(`"t":1`, `"tt":1`), "unknown kind of op": change(`"k":"i"`, `"k":"q"`), "no kind of op": change(`"k":"i",`, ``),
		"create without definition": change(`"k":"i"`, `"k":"ct"`), "drop without definition": change(`"k":"i"`, `"k":"dt"`), "alteration of nothing": change(`"k":"i"`, `"k":"at"`),
		"load of nothing": change(`"k":"i"`, `"k":"load"`), "load in an insert": change(`"t":1`, `"t":1,"b":{"b":"x"}`),
		"drop of another": change(`"k":"i"`, `"k":"dt","d":{"n":9,"t":"x","k":1}`),
		"unknown kind":    change(`"o":[`, `"k":"q","o":[`), "twice": change(`"s":12345`, `"s":12345,"s":12345`), "seq 0": change(`"s":12345`, `"s":0`), "fractional seq": change(`12345`, `12345.0`),
		"no sums": change(`,"q":`, `,"k":"undo","z":`), "short sum": change(`["AAEC`, `["AEC`), "line break in sum": change(`["AAEC`, `["\nAEC`), "three sums": change(`"]}`, `","AA"]}`),
		"cells out of order": change(`"s":[1,`, `"s":[3,`), "cell without value": change(`,2,"pending"]`, `,2]`), "lone surrogate": change(`title `, `\ud800`), "rest": good + "1", "cut": good[:len(good)-1],
	} {
		if _, err := DecodeEntry([]byte(data)); err == nil || fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := DecodeEntry([]byte(good)); err != nil {
		t.Error(err)
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

func BenchmarkAppendEntry(b *testing.B) {
	e, buf := insertOne(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendEntry(buf[:0], e)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkDecodeEntry(b *testing.B) {
	data := AppendEntry(nil, insertOne())
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := DecodeEntry(data); err != nil {
			b.Fatal(err)
		}
	}
}
