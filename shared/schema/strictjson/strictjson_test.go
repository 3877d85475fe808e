package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSkipAcceptsExactlyJSON(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // part of the error; empty: accepted
	}{
		{`null`, ""}, {` true `, ""}, {"\t[1 , -0.5e+3, \"a\"]\r\n", ""}, {`{"a":{"b":[]},"c":{}}`, ""},
		{`"\u00e9\ud83d\ude00\/\"\\\b\f\n\r\t"`, ""},
		{``, "a value is missing"}, {`nul`, "null is missing"}, {`True`, "a value is missing"},
		{`[1,]`, "a value is missing"}, {`[1 2]`, `',' is missing`}, {`[1`, `',' is missing`}, {`[,1]`, "a value is missing"},
		{`{"a":1,}`, `'"' is missing`}, {`{"a" 1}`, `':' is missing`}, {`{a:1}`, `'"' is missing`},
		{`{"a":1,"b":2,"a":3}`, `the key "a" comes twice`}, {`{"a":1,"\u0061":3}`, `the key "a" comes twice`},
		{`01`, "malformed"}, {`-`, "malformed"}, {`+1`, "a value is missing"}, {`1.`, "malformed"}, {`.5`, "a value is missing"},
		{`1e`, "malformed"}, {`0x10`, "more after"}, {`NaN`, "a value is missing"}, {`1 2`, "more after"},
		{`"a`, "does not end"}, {`"\`, "does not end"}, {`"\x"`, "unknown escape"}, {`"\u12g4"`, "four hexadecimal"},
		{"\"a\nb\"", "control character"}, {"\"\\n\x01\"", "control character"},
		{`"\ud800"`, "lone surrogate"}, {`"\udc00\ud800"`, "lone surrogate"}, {`"\ud800\u0041"`, "lone surrogate"},
		{`"\ud800x"`, "lone surrogate"}, {"\"\xff\"", "not valid UTF-8"}, {"\"\\n\xed\xa0\x80\"", "not valid UTF-8"},
		{strings.Repeat("[", 128) + strings.Repeat("]", 128), ""}, {strings.Repeat("[", 129), "nests deeper"},
	} {
		s := New([]byte(c.text))
		err := s.Skip()
		if err == nil {
			err = s.End()
		}
		checkError(t, c.text, err, c.want)
	}
}

func checkError(t *testing.T, text string, err error, want string) {
	t.Helper()
	var syntax *SyntaxError
	switch {
	case want == "" && err != nil:
		t.Errorf("%.60s: %v", text, err)
	case want != "" && !errors.As(err, &syntax):
		t.Errorf("%.60s: got %v, want a syntax error", text, err)
	case want != "" && !strings.Contains(syntax.Reason, want):
		t.Errorf("%.60s: got %q, want %q", text, syntax.Reason, want)
	}
}

func TestManyKeysAreComparedToo(t *testing.T) {
	for _, last := range []string{"k0", "k11", "k12", "k99"} {
		var b strings.Builder
		b.WriteByte('{')
		for i := range 100 {
			b.WriteString(`"k` + string(AppendNumber(nil, float64(i))) + `":0,`)
		}
		b.WriteString(`"` + last + `":0}`)
		checkError(t, b.String(), New([]byte(b.String())).Skip(), "comes twice")
	}
}

// The cases are those of RFC 8785 appendix B.
func TestAppendNumberWritesAsECMAScript(t *testing.T) {
	for _, c := range []struct {
		bits uint64
		want string
	}{
		{0x0000000000000000, "0"}, {0x8000000000000000, "0"}, {0x0000000000000001, "5e-324"}, {0x8000000000000001, "-5e-324"},
		{0x7fefffffffffffff, "1.7976931348623157e+308"}, {0x4340000000000000, "9007199254740992"},
		{0xc340000000000000, "-9007199254740992"}, {0x4430000000000000, "295147905179352830000"},
		{0x44b52d02c7e14af5, "9.999999999999997e+22"}, {0x44b52d02c7e14af6, "1e+23"}, {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
		{0x444b1ae4d6e2ef4e, "999999999999999700000"}, {0x444b1ae4d6e2ef4f, "999999999999999900000"},
		{0x444b1ae4d6e2ef50, "1e+21"}, {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"}, {0x3eb0c6f7a0b5ed8d, "0.000001"},
		{0x41b3de4355555553, "333333333.3333332"}, {0xbecbf647612f3696, "-0.0000033333333333333333"},
		{0x43143ff3c1cb0959, "1424953923781206.2"}, {math.Float64bits(1e-7), "1e-7"},
	} {
		if got := string(AppendNumber(nil, math.Float64frombits(c.bits))); got != c.want {
			t.Errorf("%016x: got %s, want %s", c.bits, got, c.want)
		}
	}
}

func TestInt(t *testing.T) {
	const limit = 1<<53 - 1
	for _, c := range []struct {
		text string
		want int64
		err  error
	}{
		{"0", 0, nil}, {"-0", 0, nil}, {"-0.0e7", 0, nil}, {"12", 12, nil}, {"1.0", 1, nil}, {"1e3", 1000, nil}, {"-1.50E1", -15, nil},
		{"12300e-2", 123, nil}, {"0.001e3", 1, nil}, {"9007199254740991", limit, nil}, {"-9007199254740991.000", -limit, nil},
		{"9007199254740992", 0, ErrRange}, {"9007199254740991.5", 0, ErrNotIntegral}, {"1.5", 0, ErrNotIntegral}, {"1e-1", 0, ErrNotIntegral},
		{"1e999999999999999999999", 0, ErrRange}, {"1e-999999999999999999999", 0, ErrNotIntegral}, {"0e999999999999999999999", 0, nil},
		{"123456789012345678901234567890", 0, ErrRange},
	} {
		if got, err := Int(c.text, limit); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %d, %v", c.text, got, err)
		}
	}
}

func TestFloat(t *testing.T) {
	for _, c := range []struct {
		text string
		want float64
		err  error
	}{
		{"0.1", 0.1, nil}, {"-0", 0, nil}, {"-0e-5", 0, nil}, {"1e21", 1e21, nil}, {"100000000000000000000", 1e20, nil},
		{"1000000000000000000000", 1e21, nil}, {"9007199254740993", 0, ErrInexact}, {"12345678901234567890", 0, ErrInexact},
		{"0.1234567890123456789", 0.12345678901234568, nil}, {"1e400", 0, ErrRange}, {"-1e400", 0, ErrRange}, {"1e-400", 0, ErrRange},
	} {
		got, err := Float(c.text)
		if got != c.want || math.Signbit(got) || !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, %v", c.text, got, err)
		}
	}
}

func TestStringsComeBackAndAreReadByEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		out := AppendString(nil, text)
		if got, err := New(out).String(); err != nil || got != text {
			t.Fatalf("%s: got %q, %v", out, got, err)
		}
		var other string
		if err := json.Unmarshal(out, &other); err != nil || other != text {
			t.Fatalf("%s: encoding/json got %q, %v", out, other, err)
		}
	})
}

func TestPlainFindsEveryByteInEveryPlace(t *testing.T) {
	for length := 1; length <= 20; length++ {
		for at := range length {
			for c := range 256 {
				text := bytes.Repeat([]byte{'a'}, length)
				text[at] = byte(c)
				want := c >= 0x20 && c < 0x80 && c != '"' && c != '\\'
				if Plain(text) != want {
					t.Fatalf("Plain(%q) = %t", text, !want)
				}
			}
		}
	}
	for _, text := range []string{"", "Grüße, 世界 – naïve", "\u007f", "ab世"} {
		if !Plain([]byte(text)) {
			t.Errorf("Plain(%q) = false", text)
		}
	}
}

func TestBytesThatAreNoTextBecomeReplacements(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		got, err := New(AppendString(nil, text)).String()
		if want := string([]rune(text)); err != nil || got != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	})
}

// FuzzScanner compares with encoding/json: what is accepted here is valid
// there. The seeds are in testdata/fuzz.
func FuzzScanner(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		s := New(data)
		raw, err := s.Raw()
		if err != nil || s.End() != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q is no JSON", data)
		}
		if !bytes.Equal(raw, bytes.TrimSpace(data)) {
			t.Fatalf("raw %q of %q", raw, data)
		}
	})
}
