package schema

import (
	"bytes"
	"encoding/json"
	"testing"

	"nanotypedb/shared/fault"
)

// The seeds of all targets are in testdata/fuzz.

func FuzzCanonicalJSON(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		j, err := CanonicalJSON(raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		if j == "" {
			return
		}
		again, err := CanonicalJSON([]byte(j))
		if err != nil || again != j {
			t.Fatalf("%q: %s becomes %s, %v", raw, j, again, err)
		}
		checkMeaning(t, raw, []byte(j))
	})
}

// checkMeaning compares with what encoding/json makes of both texts.
func checkMeaning(t *testing.T, raw, canonical []byte) {
	var before, after any
	if err := json.Unmarshal(raw, &before); err != nil {
		t.Fatalf("%q was accepted: %v", raw, err)
	}
	if err := json.Unmarshal(canonical, &after); err != nil {
		t.Fatalf("%q is no JSON: %v", canonical, err)
	}
	a, _ := json.Marshal(before)
	b, _ := json.Marshal(after)
	if a, b = bytes.ReplaceAll(a, []byte("-0"), []byte("0")), bytes.ReplaceAll(b, []byte("-0"), []byte("0")); !bytes.Equal(a, b) {
		t.Fatalf("%q means %s, %q means %s", raw, a, canonical, b)
	}
}

// FuzzCanonical gives each text to a column of every type.
func FuzzCanonical(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = Canonical(&Column{Type: Enum}, raw) // as a stored schema may have it: must not panic
		for kind := range types {
			col := &Column{Name: "c", Type: kind, Values: []string{"red", "a"}}
			v, err := Canonical(col, raw)
			if err != nil {
				if !fault.Is(err, fault.Invalid) || len(err.Error()) > 1000 {
					t.Fatalf("%s %q: %v", kind, raw, err)
				}
				continue
			}
			checkCanonical(t, col, raw, v)
		}
	})
}

// checkCanonical tests that a canonical value is one: both of its forms come
// back as the same value.
func checkCanonical(t *testing.T, col *Column, raw []byte, v Value) {
	if !json.Valid(raw) || !holds(col.Type, v) {
		t.Fatalf("%s %q was accepted as %#v", col.Type, raw, v)
	}
	again, err := Canonical(col, AppendJSON(nil, v))
	if err != nil || again != v {
		t.Fatalf("%s %q: %#v comes back from the wire as %#v, %v", col.Type, raw, v, again, err)
	}
	stored, err := DecodeStored(AppendStored(nil, v))
	if err != nil || stored != v {
		t.Fatalf("%s %q: %#v comes back from the log as %#v, %v", col.Type, raw, v, stored, err)
	}
}

func FuzzDecodeStored(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := DecodeStored(raw)
		if err != nil {
			return
		}
		again, err := DecodeStored(AppendStored(nil, v))
		if err != nil || again != v {
			t.Fatalf("%q: %#v comes back as %#v, %v", raw, v, again, err)
		}
		AppendCanonical(nil, v) // must not panic
	})
}

func FuzzParseColumn(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		col, err := ParseColumn(raw)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", raw, err)
			}
			return
		}
		wire := AppendColumnJSON(nil, &col)
		again, err := ParseColumn(wire)
		if err != nil || string(AppendColumnJSON(nil, &again)) != string(wire) {
			t.Fatalf("%q: %s comes back as %s, %v", raw, wire, AppendColumnJSON(nil, &again), err)
		}
	})
}

func FuzzDecodeSchema(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeSchema(data)
		if err != nil {
			return
		}
		stored := EncodeSchema(s)
		again, err := DecodeSchema(stored)
		if err != nil || string(EncodeSchema(again)) != string(stored) {
			t.Fatalf("%q: %s: %v", data, stored, err)
		}
	})
}

// FuzzConvert converts what the text is in one type to every other.
func FuzzConvert(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		for from := range types {
			source := &Column{Name: "c", Type: from, Values: []string{"red", "1"}}
			v, err := Canonical(source, raw)
			if err != nil {
				continue
			}
			for to := range types {
				target := &Column{Name: "c", Type: to, Values: source.Values}
				w, err := Convert(source, target, v)
				if err == nil {
					checkCanonical(t, target, AppendJSON(nil, w), w)
				} else if !fault.Is(err, fault.Conflict) {
					t.Fatalf("%s to %s of %#v: %v", from, to, v, err)
				}
			}
		}
	})
}
