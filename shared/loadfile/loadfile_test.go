package loadfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/indexlog"
	"nanotypedb/shared/schema"
)

func header(mode Mode) Header {
	tasks := schema.Default().Tables[0]
	notes := schema.Table{Num: 3, Name: "notes", NextColumn: 2, Columns: []schema.Column{{Num: 1, Name: "body", Type: schema.JSONType}}}
	return Header{Room: "01JDROOM", Base: 7, At: 99, Mode: mode, Tables: []schema.Table{tasks, notes}, Dropped: []int{2}}
}

func write(t testing.TB, h Header, records ...Record) ([]byte, Sum) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, h)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := w.Put(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if sum.Bytes != int64(out.Len()) {
		t.Fatalf("the sum says %d bytes, and %d were written", sum.Bytes, out.Len())
	}
	return out.Bytes(), sum
}

func read(blob []byte, limit int64) (h Header, records []Record, sum Sum, err error) {
	r, err := NewReader(bytes.NewReader(blob), limit)
	if err != nil {
		return h, nil, sum, err
	}
	defer r.Close()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return *r.Header(), records, r.Sum(), nil
		}
		if err != nil {
			return *r.Header(), records, sum, err
		}
		c := *record
		c.Cells, c.Vector = append([]schema.Cell(nil), c.Cells...), append([]byte(nil), c.Vector...)
		records = append(records, c)
	}
}

func sample() []Record {
	return []Record{
		{Kind: Vector, Hash: indexlog.TextHash("milk"), Model: "static-1", Vector: []byte{1, 2, 3}},
		{Kind: Row, Table: 1, ID: "a", Creator: "u1", CreatedAt: 5, UpdatedAt: 6, Cells: []schema.Cell{{Num: 1, Value: "milk"}, {Num: 2, Value: "pending"}}},
		{Kind: Delete, Table: 1, ID: "b"},
		{Kind: Row, Table: 3, ID: "c", Creator: "u2", CreatedAt: -5, Cells: []schema.Cell{{Num: 1, Value: schema.JSON(`{"a":[1,2]}`)}}},
	}
}

func TestRoundTrip(t *testing.T) {
	want := header(Merge)
	want.Replaced = []int{3}
	blob, wrote := write(t, want, sample()...)
	h, records, sum, err := read(blob, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("header %+v, want %+v", h, want)
	}
	if !reflect.DeepEqual(records, sample()) {
		t.Errorf("records %+v, want %+v", records, sample())
	}
	if sum != wrote {
		t.Errorf("sum %+v, want %+v", sum, wrote)
	}
}

func TestAnyValueComesBack(t *testing.T) {
	value := rapid.OneOf(
		rapid.Map(rapid.StringMatching(`[^\x00]*`), func(s string) schema.Value { return s }),
		rapid.Map(rapid.Int64Range(-schema.MaxInteger, schema.MaxInteger), func(n int64) schema.Value { return n }),
		rapid.Map(rapid.Float64(), func(f float64) schema.Value { return f + 0 }),
		rapid.Map(rapid.Bool(), func(b bool) schema.Value { return b }),
		rapid.Map(rapid.Int64Range(-1e12, 1e12), func(n int64) schema.Value { return schema.Millis(n) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		v := value.Draw(t, "value")
		want := Record{Kind: Row, Table: 1, ID: "a", Creator: "u", Cells: []schema.Cell{{Num: 1, Value: v}}}
		var got Record
		if err := decodeRecord(Row, appendRecord(nil, &want), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Cells, want.Cells) {
			t.Fatalf("%v came back as %v", want.Cells, got.Cells)
		}
	})
}

func TestDamageIsRefused(t *testing.T) {
	blob, _ := write(t, header(Merge), sample()...)
	for i := range blob {
		cut := blob[:i]
		if _, _, _, err := read(cut, 0); err == nil {
			t.Fatalf("a blob cut after %d of %d bytes was read", i, len(blob))
		}
		flipped := bytes.Clone(blob)
		flipped[i] ^= 0x10
		if _, got, _, err := read(flipped, 0); err == nil && !reflect.DeepEqual(got, sample()) {
			t.Fatalf("a blob with byte %d changed was read as %v", i, got)
		}
	}
	if _, _, _, err := read(append(bytes.Clone(blob), 'x'), 0); err == nil {
		t.Error("a blob with a byte more was read")
	}
}

// frames makes a blob of any frames, with a right trailer when it is asked for.
func frames(t testing.TB, list ...[]byte) []byte {
	t.Helper()
	var content []byte
	for _, f := range list {
		content = append(binary.AppendUvarint(content, uint64(len(f))), f...)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(magic), z.EncodeAll(content, nil)...)
}

func TestHostileBlobs(t *testing.T) {
	good, err := encodeHeader(ptr(header(Replace)))
	if err != nil {
		t.Fatal(err)
	}
	head := append([]byte{frameHeader}, good...)
	del := append([]byte{byte(Delete)}, appendRecord(nil, &Record{Kind: Delete, Table: 1, ID: "b"})...)
	stranger := append([]byte{byte(Row)}, appendRecord(nil, &Record{Kind: Row, Table: 9, ID: "b"})...)
	badID := append([]byte{byte(Row)}, appendRecord(nil, &Record{Kind: Row, Table: 1, ID: "../x"})...)
	for name, blob := range map[string][]byte{
		"nothing":                       {},
		"another file":                  []byte("NANOIMG\nxxxxxxxxxxxx"),
		"no header":                     frames(t, del),
		"two headers":                   frames(t, head, head),
		"deletion from a replaced":      frames(t, head, del),
		"table that is not named":       frames(t, head, stranger),
		"row id with a path":            frames(t, head, badID),
		"no trailer":                    frames(t, head),
		"trailer of another":            frames(t, head, append([]byte{frameTrailer}, make([]byte, trailerBytes)...)),
		"frame that promises gigabytes": append([]byte(magic), zeros(t, binary.AppendUvarint(nil, 1<<40), 0)...),
	} {
		var damage *Damage
		if _, _, _, err := read(blob, 0); !errors.As(err, &damage) {
			t.Errorf("%s: %v, want damage", name, err)
		}
	}
}

// zeros compresses a beginning and n zero bytes after it.
func zeros(t testing.TB, begin []byte, n int) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(append(begin, make([]byte, n)...), nil)
}

func TestSizeIsBounded(t *testing.T) {
	big := make([]Record, 200)
	for i := range big {
		big[i] = Record{Kind: Row, Table: 1, ID: string(rune('A'+i/26%26)) + string(rune('a'+i%26)) + "x", Cells: []schema.Cell{{Num: 1, Value: string(make([]byte, 0)) + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}}
	}
	blob, sum := write(t, header(Replace), big...)
	if _, _, _, err := read(blob, sum.Content-1); !fault.Is(err, fault.TooLarge) {
		t.Errorf("one byte above the limit: %v", err)
	}
	if _, _, _, err := read(blob, sum.Content); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
}

func TestNewerFormatIsUnavailable(t *testing.T) {
	blob := frames(t, append([]byte{frameHeader}, `{"format":2}`...))
	if _, _, _, err := read(blob, 0); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a newer format: %v", err)
	}
}

func TestWriterRefuses(t *testing.T) {
	bad := header(Merge)
	bad.Dropped = []int{1}
	if _, err := NewWriter(io.Discard, bad); err == nil {
		t.Error("a table that is dropped and kept was taken")
	}
	w, err := NewWriter(io.Discard, header(Replace))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Record{
		"deletion from a replaced table": {Kind: Delete, Table: 1, ID: "a"},
		"table that is not named":        {Kind: Row, Table: 8, ID: "a"},
		"bad row id":                     {Kind: Row, Table: 1, ID: "a b"},
		"empty vector":                   {Kind: Vector, Model: "m"},
		"no kind":                        {Table: 1, ID: "a"},
	} {
		if err := w.Put(&r); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, mode := range []Mode{Replace, Merge} {
		var records []Record
		if mode == Merge {
			records = sample()
		}
		blob, _ := write(f, header(mode), records...)
		f.Add(blob)
	}
	f.Add(frames(f, append([]byte{frameHeader}, `{"format":1,"room":"r","mode":"merge"}`...)))
	f.Fuzz(func(t *testing.T, blob []byte) {
		h, records, sum, err := read(blob, 1<<20)
		if err != nil {
			return
		}
		again, wrote := write(t, h, records...)
		h2, records2, sum2, err := read(again, 1<<20)
		if err != nil || wrote != sum2 || !reflect.DeepEqual(h, h2) || !reflect.DeepEqual(records, records2) || sum.Counts != sum2.Counts {
			t.Fatalf("what was read is not what is written of it: %v", err)
		}
	})
}

func FuzzRecord(f *testing.F) {
	for _, r := range sample() {
		f.Add(byte(r.Kind), appendRecord(nil, &r))
	}
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		var r, again Record
		if decodeRecord(RecordKind(kind), data, &r) != nil {
			return
		}
		if err := decodeRecord(r.Kind, appendRecord(nil, &r), &again); err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v came back as %+v: %v", r, again, err)
		}
	})
}

func ptr(h Header) *Header { return &h }
