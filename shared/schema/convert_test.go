package schema

import (
	"errors"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
)

func TestConvert(t *testing.T) {
	const midnight = Millis(1795392000000) // 2026-11-23T00:00:00Z
	for _, c := range []struct {
		from, to Type
		v, want  Value // want nil: refused
	}{
		{Text, Integer, "12", int64(12)}, {Text, Integer, "1e3", int64(1000)}, {Text, Integer, "1.5", nil}, {Text, Integer, " 12", nil}, {Text, Integer, "007", nil}, {Text, Integer, "", nil}, {Text, Integer, "9007199254740992", nil}, {Text, Integer, "null", nil},
		{Text, Number, "1.50", 1.5}, {Text, Number, "1e400", nil}, {Text, Number, "abc", nil}, {Text, Number, "12345678901234567890", nil}, {Text, Number, "Infinity", nil},
		{Text, Boolean, "true", true}, {Text, Boolean, "false", false}, {Text, Boolean, "1", nil}, {Text, Boolean, "TRUE", nil},
		{Text, Timestamp, "2026-11-23T02:00:00+02:00", midnight}, {Text, Timestamp, "2026-11-23", midnight}, {Text, Timestamp, "2026-11-23T00:00:00.0005Z", nil}, {Text, Timestamp, "5", nil},
		{Text, Date, "2026-11-23", "2026-11-23"}, {Text, Date, "2026-11-31", nil}, {Text, JSONType, ` {"b":1,"a":2}`, JSON(`{"a":2,"b":1}`)}, {Text, JSONType, `x`, nil}, {Text, JSONType, `null`, nil},
		{Text, Enum, "red", "red"}, {Text, Enum, "blue", nil},
		{Integer, Text, int64(-5), "-5"}, {Integer, Number, int64(MaxInteger), float64(MaxInteger)}, {Integer, Boolean, int64(1), true}, {Integer, Boolean, int64(2), nil}, {Integer, Timestamp, int64(midnight), midnight}, {Integer, Timestamp, int64(MaxInteger), nil}, {Integer, Date, int64(0), nil}, {Integer, JSONType, int64(7), JSON("7")}, {Integer, Enum, int64(1), "1"}, {Integer, Enum, int64(2), nil},
		{Number, Integer, 3.0, int64(3)}, {Number, Integer, 1e3, int64(1000)}, {Number, Integer, 0.5, nil}, {Number, Integer, 1e21, nil}, {Number, Text, 1e21, "1e+21"}, {Number, Text, 1.0, "1"}, {Number, Boolean, 0.0, false}, {Number, Boolean, 0.5, nil}, {Number, Timestamp, 5.0, nil}, {Number, JSONType, 0.1, JSON("0.1")},
		{Boolean, Text, true, "true"}, {Boolean, Integer, true, int64(1)}, {Boolean, Number, false, 0.0}, {Boolean, JSONType, false, JSON("false")}, {Boolean, Timestamp, true, nil}, {Boolean, Date, true, nil}, {Boolean, Enum, true, nil},
		{Timestamp, Text, midnight, "2026-11-23T00:00:00.000Z"}, {Timestamp, Integer, midnight, int64(midnight)}, {Timestamp, Date, midnight, "2026-11-23"}, {Timestamp, Date, midnight + 1, nil}, {Timestamp, Date, Millis(-dayMillis), "1969-12-31"}, {Timestamp, JSONType, midnight, JSON(`"2026-11-23T00:00:00.000Z"`)}, {Timestamp, Number, midnight, nil}, {Timestamp, Boolean, Millis(1), nil},
		{Date, Text, "2026-11-23", "2026-11-23"}, {Date, Timestamp, "2026-11-23", midnight}, {Date, Integer, "2026-11-23", nil}, {Date, JSONType, "2026-11-23", JSON(`"2026-11-23"`)},
		{JSONType, Text, JSON(`{"a":"x"}`), `{"a":"x"}`}, {JSONType, Text, JSON(`"x"`), `"x"`}, {JSONType, Integer, JSON("5"), int64(5)}, {JSONType, Integer, JSON(`"5"`), nil}, {JSONType, Boolean, JSON("true"), true}, {JSONType, Date, JSON(`"2026-11-23"`), "2026-11-23"}, {JSONType, Timestamp, JSON(`"2026-11-23T00:00:00Z"`), midnight}, {JSONType, Number, JSON("[1]"), nil},
		{Enum, Text, "red", "red"}, {Enum, Integer, "1", int64(1)}, {Enum, Integer, "red", nil}, {Enum, JSONType, "red", JSON(`"red"`)},
	} {
		from, to := &Column{Name: "c", Type: c.from}, &Column{Name: "c", Type: c.to}
		if c.to == Enum {
			to.Values = []string{"red", "1"}
		}
		got, err := Convert(from, to, c.v)
		if got != c.want || (err == nil) != (c.want != nil) || err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("%s to %s of %#v: got %#v, %v, want %#v", c.from, c.to, c.v, got, err, c.want)
		}
	}
}

func TestConvertChecksWhatTheNewColumnAsksFor(t *testing.T) {
	text := &Column{Name: "c", Type: Text}
	for _, c := range []struct {
		from, to *Column
		v, want  Value
		err      string
	}{
		{text, &Column{Name: "c", Type: Text, MaxLength: 2}, "abc", nil, "at most 2 characters"},
		{text, &Column{Name: "c", Type: Text, MaxLength: 3}, "abc", "abc", ""},
		{text, &Column{Name: "c", Type: Integer, Min: num(5)}, "4", nil, "at least 5"},
		{&Column{Type: Enum, Values: []string{"x", "y"}}, &Column{Name: "c", Type: Enum, Values: []string{"x"}}, "y", nil, "one of x"},
		{text, &Column{Name: "c", Type: Text, Required: true}, nil, nil, "cannot be required"},
		{text, &Column{Name: "c", Type: Text, Required: true, Default: "d"}, nil, "d", ""},
		{text, &Column{Name: "c", Type: Integer, Default: int64(1)}, nil, nil, ""},
	} {
		got, err := Convert(c.from, c.to, c.v)
		var f *fault.Error
		errors.As(err, &f)
		if got != c.want || (err == nil) != (c.err == "") || f != nil && (!strings.Contains(f.Reason, c.err) || f.Path != "c" || strings.Contains(f.Reason, "invalid:")) {
			t.Errorf("%+v of %v: got %v, %v", c.to, c.v, got, err)
		}
	}
}

func TestWidensAndNeedsRewrite(t *testing.T) {
	for _, c := range []struct {
		from, to       Column
		widens, writes bool
	}{
		{Column{Type: Text}, Column{Type: Text}, true, false},
		{Column{Type: Text, MaxLength: 5}, Column{Type: Text}, true, false}, {Column{Type: Text}, Column{Type: Text, MaxLength: 5}, false, false}, {Column{Type: Text, MaxLength: 5}, Column{Type: Text, MaxLength: 6}, true, false}, {Column{Type: Text, MaxLength: 5}, Column{Type: Text, MaxLength: 4}, false, false},
		{Column{Type: Text, Required: true}, Column{Type: Text}, true, false}, {Column{Type: Text}, Column{Type: Text, Required: true}, false, false}, {Column{Type: Text}, Column{Type: Text, Required: true, Default: "x"}, false, true}, {Column{Type: Text}, Column{Type: Text, Default: "x"}, true, false},
		{Column{Type: Text}, Column{Type: Text, Unique: true}, false, false}, {Column{Type: Text, Unique: true}, Column{Type: Text}, true, false},
		{Column{Type: Integer}, Column{Type: Integer, Min: num(0)}, false, false}, {Column{Type: Integer, Min: num(1)}, Column{Type: Integer, Min: num(0)}, true, false}, {Column{Type: Integer, Max: num(1)}, Column{Type: Integer, Max: num(0)}, false, false}, {Column{Type: Integer, Max: num(1)}, Column{Type: Integer}, true, false},
		{Column{Type: Enum, Values: []string{"x"}}, Column{Type: Enum, Values: []string{"y", "x"}}, true, false}, {Column{Type: Enum, Values: []string{"x", "y"}}, Column{Type: Enum, Values: []string{"x"}}, false, false},
		{Column{Type: Text}, Column{Type: JSONType}, false, true}, {Column{Type: Integer}, Column{Type: Number}, false, true},
	} {
		c.from.Num, c.to.Num = 1, 1
		table := &Table{Columns: []Column{c.from}}
		if got := Widens(&c.from, &c.to); got != c.widens {
			t.Errorf("%+v to %+v: widens %t", c.from, c.to, got)
		}
		if got := NeedsRewrite(table, &Alteration{Change: []Column{c.to}}); got != c.writes {
			t.Errorf("%+v to %+v: needs rewrite %t", c.from, c.to, got)
		}
	}
	for _, c := range []struct {
		a           Alteration
		writes      bool
		withoutSome int
	}{
		{Alteration{Name: "x", Rename: []ColumnName{{Num: 1, Name: "y"}}}, false, 0}, {Alteration{Drop: []ColumnName{{Num: 1}}}, true, 0},
		{Alteration{Add: []Column{{Type: Text}}}, false, 0}, {Alteration{Add: []Column{{Type: Text, Default: "x"}}}, true, 0},
		{Alteration{Add: []Column{{Type: Text, Required: true}}}, false, 1}, {Alteration{Add: []Column{{Type: Text, Required: true, Default: "x"}}}, true, 0},
	} {
		if got := NeedsRewrite(&Table{}, &c.a); got != c.writes || len(NeedsDefault(&c.a)) != c.withoutSome {
			t.Errorf("%+v: needs rewrite %t, defaults %v", c.a, got, NeedsDefault(&c.a))
		}
	}
}
