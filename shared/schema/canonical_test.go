package schema

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
)

func num(f float64) *float64 { return &f }

// reasonOf gives the code and sentence of a fault, or fails.
func reasonOf(t *testing.T, err error) (fault.Code, string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	return f.Code, f.Reason
}

func TestCanonicalValues(t *testing.T) {
	text := Column{Name: "c", Type: Text}
	short := Column{Name: "c", Type: Text, MaxLength: 3}
	integer := Column{Name: "c", Type: Integer}
	bounded := Column{Name: "c", Type: Integer, Min: num(0), Max: num(10)}
	number := Column{Name: "c", Type: Number}
	ratio := Column{Name: "c", Type: Number, Max: num(0.5)}
	boolean := Column{Name: "c", Type: Boolean}
	stamp := Column{Name: "c", Type: Timestamp}
	date := Column{Name: "c", Type: Date}
	anyJSON := Column{Name: "c", Type: JSONType}
	enum := Column{Name: "c", Type: Enum, Values: []string{"red", "green"}}
	required := Column{Name: "c", Type: Text, Required: true}
	for _, c := range []struct {
		col  Column
		raw  string
		want Value
		err  string // part of the sentence
	}{
		{text, `"a\u00e9"`, "aé", ""}, {text, `""`, "", ""}, {text, `null`, nil, ""}, {text, `"\ud83d\ude00"`, "\U0001F600", ""},
		{text, `"\ud800"`, nil, "lone surrogate"}, {text, `"a\u0000"`, nil, "U+0000"}, {text, "\"\xc3\"", nil, "UTF-8"},
		{text, `5`, nil, "c must be text, but 5 was given"}, {text, `["a"]`, nil, `["a"] was given`}, {text, `"a" "b"`, nil, "not valid JSON"}, {text, ``, nil, "must be text"},
		{short, `"\ud83d\ude00\ud83d\ude00\ud83d\ude00"`, "\U0001F600\U0001F600\U0001F600", ""}, {short, `"abcd"`, nil, "at most 3 characters, but has 4"},
		{integer, `12`, int64(12), ""}, {integer, `1.0`, int64(1), ""}, {integer, `1e3`, int64(1000), ""}, {integer, `-0`, int64(0), ""},
		{integer, `9007199254740991`, int64(MaxInteger), ""}, {integer, `-9007199254740991`, int64(-MaxInteger), ""},
		{integer, `9007199254740992`, nil, "9007199254740992 was given"}, {integer, `1.5`, nil, "a whole number between"}, {integer, `"1"`, nil, `"1" was given`},
		{integer, `1e999999999`, nil, "a whole number"}, {integer, `true`, nil, "true was given"}, {integer, `01`, nil, "not valid JSON"},
		{bounded, `0`, int64(0), ""}, {bounded, `-1`, nil, "at least 0, but -1"}, {bounded, `11`, nil, "at most 10, but 11"},
		{number, `1.5`, 1.5, ""}, {number, `-0.0`, 0.0, ""}, {number, `3`, 3.0, ""}, {number, `1e400`, nil, "finite number"}, {number, `1e-400`, nil, "64-bit float"},
		{number, `12345678901234567890`, nil, "larger whole numbers"}, {number, `"1.5"`, nil, "a number"}, {number, `NaN`, nil, "a number"}, {ratio, `0.75`, nil, "at most 0.5, but 0.75"},
		{boolean, `true`, true, ""}, {boolean, `false`, false, ""}, {boolean, `0`, nil, "true or false"}, {boolean, `"true"`, nil, "true or false"}, {boolean, `tru`, nil, "not valid JSON"},
		{stamp, `"2026-11-23T20:21:00Z"`, Millis(1795465260000), ""}, {stamp, `"2026-11-23T22:21:00.5+02:00"`, Millis(1795465260500), ""},
		{stamp, `"2026-11-23T20:21:00.123999Z"`, Millis(1795465260123), ""}, {stamp, `1795465260000`, Millis(1795465260000), ""}, {stamp, `-1e3`, Millis(-1000), ""},
		{stamp, `"0001-01-01T00:00:00Z"`, minMillis, ""}, {stamp, `"9999-12-31T23:59:59.999Z"`, maxMillis, ""},
		{stamp, `"0001-01-01T00:00:00+01:00"`, nil, "years 0001 to 9999"}, {stamp, `"9999-12-31T23:59:59-01:00"`, nil, "years 0001"}, {stamp, `253402300800000`, nil, "RFC 3339"},
		{stamp, `"2026-02-30T00:00:00Z"`, nil, "RFC 3339"}, {stamp, `"2026-11-23"`, nil, "RFC 3339"}, {stamp, `"2026-11-23T20:21:00"`, nil, "RFC 3339"},
		{stamp, `"2026-11-23T20:21:00,5Z"`, nil, "RFC 3339"}, {stamp, `"2026-11-23T20:21:00+25:00"`, nil, "RFC 3339"}, {stamp, `1.5`, nil, "milliseconds"}, {stamp, `true`, nil, "RFC 3339"},
		{date, `"2024-02-29"`, "2024-02-29", ""}, {date, `"2026-02-29"`, nil, "calendar"}, {date, `"0000-01-01"`, nil, "0001"}, {date, `"2026-1-2"`, nil, "YYYY-MM-DD"}, {date, `20260102`, nil, "YYYY-MM-DD"},
		{date, `"2026-01-02T00:00:00Z"`, nil, "YYYY-MM-DD"},
		{anyJSON, `{"b":1.0,"a":[ ]}`, JSON(`{"a":[],"b":1}`), ""}, {anyJSON, ` null `, nil, ""}, {anyJSON, `{"a":null}`, JSON(`{"a":null}`), ""}, {anyJSON, `{"a":1,"a":1}`, nil, "comes twice"},
		{enum, `"red"`, "red", ""}, {enum, `"Red"`, nil, `one of red, green, but "Red" was given`}, {enum, `1`, nil, "one of red, green"}, {enum, `null`, nil, ""},
		{required, `null`, nil, "required"}, {required, `""`, "", ""},
	} {
		got, err := Canonical(&c.col, json.RawMessage(c.raw))
		checkValue(t, string(c.col.Type)+" "+c.raw, got, err, c.want, c.err)
	}
}

func checkValue(t *testing.T, name string, got Value, err error, want Value, reason string) {
	t.Helper()
	if reason == "" {
		if err != nil || got != want {
			t.Errorf("%s: got %#v, %v, want %#v", name, got, err, want)
		}
		return
	}
	if err == nil {
		t.Errorf("%s: accepted as %#v", name, got)
		return
	}
	if code, sentence := reasonOf(t, err); code != fault.Invalid || !strings.Contains(sentence, reason) || got != nil {
		t.Errorf("%s: got %#v, %s %q, want %q", name, got, code, sentence, reason)
	}
}

func TestARefusalIsShort(t *testing.T) {
	_, err := Canonical(&Column{Name: "c", Type: Integer}, json.RawMessage(`"`+strings.Repeat("é", 100_000)+`"`))
	if _, reason := reasonOf(t, err); len(reason) > 300 || !strings.Contains(reason, "…") {
		t.Errorf("%d bytes: %.200s", len(reason), reason)
	}
	long := &Column{Name: "c", Type: Enum}
	for i := range 100 {
		long.Values = append(long.Values, strings.Repeat("x", i+1))
	}
	_, err = Canonical(long, json.RawMessage(`1`))
	if _, reason := reasonOf(t, err); len(reason) > 300 || !strings.Contains(reason, "and 87 others, but 1 was given") {
		t.Errorf("%d bytes: %s", len(reason), reason)
	}
}

func TestCanonicalJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for _, c := range []struct{ raw, want, err string }{
		// RFC 8785 section 3.2.2 and 3.2.3.
		{`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			"{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}", ""},
		{`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}", ""},
		{`{"ab":1,"a":2,"":3}`, `{"":3,"a":2,"ab":1}`, ""}, {"{\"\U0001F601\":1,\"\U0001F600\":2}", "{\"\U0001F600\":2,\"\U0001F601\":1}", ""},
		{` -0 `, `0`, ""}, {`null`, ``, ""}, {`"x"`, `"x"`, ""}, {deep(64), deep(64), ""},
		{deep(65), "", "deeper than 64"}, {`{"a":{"b":1,"b":2}}`, "", "comes twice"}, {`["\udead"]`, "", "lone surrogate"}, {`{"\u0000":1}`, "", "U+0000"}, {`"\u0000"`, "", "U+0000"},
		{`1e999`, "", "64-bit float"}, {`[12345678901234567890]`, "", "64-bit float"}, {`[100000000000000000000]`, `[100000000000000000000]`, ""},
		{`{`, "", "not valid JSON"}, {``, "", "not valid JSON"}, {`nul`, "", "not valid JSON"}, {`1 1`, "", "not valid JSON"},
	} {
		got, err := CanonicalJSON([]byte(c.raw))
		if c.err == "" {
			if err != nil || string(got) != c.want {
				t.Errorf("%.40s: got %s, %v, want %s", c.raw, got, err, c.want)
			}
			continue
		}
		if _, reason := reasonOf(t, err); !strings.Contains(reason, c.err) {
			t.Errorf("%.40s: %q, want %q", c.raw, reason, c.err)
		}
	}
}

// An operation around a json value of the deepest kind is no deeper than allowed.
func TestCanonicalOperation(t *testing.T) {
	value := strings.Repeat("[", MaxJSONDepth) + strings.Repeat("]", MaxJSONDepth)
	for _, c := range []struct {
		raw string
		ok  bool
	}{
		{`{"row":{"c":` + value + `},"op":"insert"}`, true}, {`{"columns":[{"default":` + value + `}]}`, true},
		{`[[[[[[[[` + value + `]]]]]]]]`, true}, {`[[[[[[[[[` + value + `]]]]]]]]]`, false}, {`{"a":1,"a":2}`, false},
	} {
		if _, err := CanonicalOperation([]byte(c.raw)); (err == nil) != c.ok {
			t.Errorf("%.40s: %v", c.raw, err)
		}
	}
	if got, err := CanonicalOperation([]byte(`{"op":"insert","id":1}`)); err != nil || got != `{"id":1,"op":"insert"}` {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, c := range []struct {
		err error
		ok  bool
	}{
		{ValidName("table", "a"), true}, {ValidName("table", "a_1"), true}, {ValidName("column", long), true},
		{ValidName("table", ""), false}, {ValidName("table", "1a"), false}, {ValidName("table", "_a"), false}, {ValidName("table", "A"), false},
		{ValidName("table", "a-b"), false}, {ValidName("table", long+"a"), false}, {ValidName("table", "é"), false},
		{ValidName("column", "id"), false}, {ValidName("table", "id"), true}, {ValidName("table", "sqlite_x"), false}, {ValidName("column", "sqlite_x"), true},
		{ValidRowID("A-z_0"), true}, {ValidRowID(strings.Repeat("x", 64)), true}, {ValidRowID(strings.Repeat("x", 65)), false}, {ValidRowID(""), false}, {ValidRowID("a b"), false},
		{ValidRoomID("0a-b"), true}, {ValidRoomID("-a"), false}, {ValidRoomID("a_b"), false}, {ValidRoomID(long), true}, {ValidRoomID(long + "a"), false}, {ValidRoomID(""), false},
	} {
		if (c.err == nil) != c.ok || c.err != nil && !fault.Is(c.err, fault.Invalid) {
			t.Errorf("got %v, want ok %t", c.err, c.ok)
		}
	}
}
