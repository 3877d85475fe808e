package schema

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// values draws canonical values of all kinds.
func values() *rapid.Generator[Value] {
	text := rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "\x00", "") })
	floats := rapid.Map(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64), func(f float64) float64 { return f + 0 })
	return rapid.OneOf(
		rapid.Just(Value(nil)),
		rapid.Map(text, func(s string) Value { return s }),
		rapid.Map(rapid.Int64Range(-MaxInteger, MaxInteger), func(n int64) Value { return n }),
		rapid.Map(floats, func(f float64) Value { return f }),
		rapid.Map(rapid.Bool(), func(b bool) Value { return b }),
		rapid.Map(rapid.Int64Range(int64(minMillis), int64(maxMillis)), func(n int64) Value { return Millis(n) }),
		rapid.Map(text, func(s string) Value { return JSON(AppendJSON([]byte(`{"a":[1.5,true,`), s)) + "]}" }),
	)
}

func TestStoredValuesComeBackWithTheirType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values().Draw(t, "value")
		stored := AppendStored(nil, v)
		got, err := DecodeStored(stored)
		if err != nil || got != v {
			t.Fatalf("%s: got %#v, %v, want %#v", stored, got, err, v)
		}
	})
}

func TestDecodeStoredRefusesWhatIsNotCanonical(t *testing.T) {
	for _, raw := range []string{
		``, `[]`, `{}`, `{"t":1,"j":1}`, `{"x":1}`, `{"t":1.0}`, `{"t":253402300800000}`, `{"j":null}`, `{"j":{"b":1,"a":2}}`,
		`{"j":{"a": 1}}`, `9007199254740992`, `1e400`, `"\ud800"`, `1 2`, `tru`, `{"j":1.0}`,
	} {
		if v, err := DecodeStored([]byte(raw)); err == nil {
			t.Errorf("%s: accepted as %#v", raw, v)
		}
	}
}

func TestCanonicalBytesDifferForDifferentValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := values().Draw(t, "one"), values().Draw(t, "other")
		a, b := AppendCanonical(nil, v), AppendCanonical(nil, w)
		if (v == w) != bytes.Equal(a, b) {
			t.Fatalf("%#v and %#v: %x and %x", v, w, a, b)
		}
		if v != w && bytes.HasPrefix(a, b) {
			t.Fatalf("%x of %#v begins with %x of %#v", a, v, b, w)
		}
	})
}

func TestCanonicalBytesTellSimilarValuesApart(t *testing.T) {
	seen := map[string]Value{}
	for _, v := range []Value{nil, false, true, int64(0), int64(1), float64(0), float64(1), Millis(0), Millis(1), "", "0", "1", "true", JSON("0"), JSON("1"), JSON("true"), JSON(`""`)} {
		key := string(AppendCanonical(nil, v))
		if other, ok := seen[key]; ok {
			t.Errorf("%#v and %#v have the same bytes %x", v, other, key)
		}
		seen[key] = v
	}
}

// Fingerprints of every room depend on these bytes: a change of the golden
// file is a new commitlog.Format.
func TestCanonicalBytesNeverChange(t *testing.T) {
	var got strings.Builder
	for _, v := range []Value{
		nil, false, true, int64(0), int64(1), int64(-1), int64(MaxInteger), int64(-MaxInteger),
		0.0, 1.0, -1.5, 0.1, 5e-324, math.MaxFloat64, Millis(0), minMillis, maxMillis, Millis(1795464060123),
		"", "a", "héllo \U0001F600", strings.Repeat("x", 200), JSON("1"), JSON(`{"a":[1,"b"]}`),
	} {
		fmt.Fprintf(&got, "%T %.40s %s\n", v, AppendJSON(nil, v), hex.EncodeToString(AppendCanonical(nil, v)))
	}
	golden(t, "testdata/canonical.golden", got.String())
}

// golden compares with a file; UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\ngot\n%s\nwant\n%s", path, got, want)
	}
}

func TestAppendJSONIsTheWireForm(t *testing.T) {
	for _, c := range []struct {
		v    Value
		want string
	}{
		{nil, "null"}, {true, "true"}, {int64(-7), "-7"}, {1.0, "1"}, {1e21, "1e+21"}, {1e-7, "1e-7"},
		{Millis(1795464060000), `"2026-11-23T20:01:00.000Z"`}, {Millis(-1), `"1969-12-31T23:59:59.999Z"`},
		{minMillis, `"0001-01-01T00:00:00.000Z"`}, {"a\"<\u2028é\x1f", "\"a\\\"<\u2028é\\u001f\""}, {JSON(`{"a":1}`), `{"a":1}`},
	} {
		if got := string(AppendJSON(nil, c.v)); got != c.want {
			t.Errorf("%#v: got %s, want %s", c.v, got, c.want)
		}
	}
}
