package room

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/replica"
	"nanotypedb/shared/schema"
)

// FuzzDecodeOperation feeds any bytes as an operation: never a panic, and an
// error is always a refusal with a reason.
func FuzzDecodeOperation(f *testing.F) {
	for _, seed := range []string{
		`{"op":"insert","table":"tasks","id":"a","row":{"title":"x"}}`,
		`{"op":"update","table":"tasks","id":"a","set":{"title":null},"ifVersion":3}`,
		`{"op":"delete","table":"tasks","id":"a"}`,
		`{"op":"createTable","table":"x","columns":[{"name":"a","type":"text"}],"access":"own"}`,
		`{"op":"alterTable","table":"x","add":[],"drop":["a"],"change":[{}],"rename":{"a":"b"},"name":"y","access":"shared"}`,
		`{"op":"dropTable","table":"x"}`,
		`{"op":"insert","op":"insert"}`, `{"op":"insert","table":"\ud800","row":{}}`, `{"op":"delete","table":"t","id":"a","ifVersion":1e400}`, `[]`, `null`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		op, err := decodeOperation(raw)
		var known *fault.Error
		if err != nil {
			if !strings.Contains(err.Error(), "invalid") || fault.CodeOf(err) == fault.Internal {
				t.Fatalf("%q: %v is no refusal (%v)", raw, err, known)
			}
			return
		}
		if !json.Valid(raw) {
			t.Fatalf("%q was taken for JSON", raw)
		}
		if operationFields[op.kind] == nil {
			t.Fatalf("%q gave the kind %q", raw, op.kind)
		}
	})
}

// FuzzParse checks that a request is decoded or refused, and that requests
// with one digest are one request.
func FuzzParse(f *testing.F) {
	f.Add(`{"op":"delete","table":"t","id":"a"}`, "id", int64(-1))
	f.Add(`{ "id":"a","op":"delete","table":"t" }`, "01ARZ3NDEKTSV4RRFFQ69G5FAV", int64(7))
	now := time.Unix(1_900_000_000, 0)
	f.Fuzz(func(t *testing.T, raw, commitID string, ifSeq int64) {
		req := Request{CommitID: commitID, Ops: []json.RawMessage{json.RawMessage(raw)}, IfSeq: &ifSeq}
		c, err := parse(req, now)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Invalid && code != fault.Conflict && code != fault.TooLarge {
				t.Fatalf("%v", err)
			}
			return
		}
		req.Ops = append(req.Ops, req.Ops[0])
		twice, err := parse(req, now)
		if err == nil && commitID != "" && twice.digest == c.digest {
			t.Fatal("an operation twice has the digest of one")
		}
	})
}

// FuzzDecodeCursor checks that no bytes but those of encodeCursor are a cursor.
func FuzzDecodeCursor(f *testing.F) {
	col := &schema.Column{Name: "age", Type: schema.Integer}
	for _, v := range []schema.Value{nil, int64(5)} {
		f.Add(encodeCursor("list", replica.Position{ID: "a", Value: v}))
	}
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := decodeCursor("list", cursor, col)
		if err != nil {
			return
		}
		again, err := decodeCursor("list", encodeCursor("list", *p), col)
		if err != nil || *again != *p {
			t.Fatalf("%v became %v, %v", p, again, err)
		}
		if _, err := decodeCursor("other", cursor, col); err == nil {
			t.Fatal("the cursor of another list was taken")
		}
	})
}

// FuzzWhere checks that filters are parsed or refused.
func FuzzWhere(f *testing.F) {
	table := schema.Default().Tables[0]
	for _, seed := range []string{`"x"`, `{"gt":"a","in":["b"]}`, `{"contains":"x"}`, `{`, `null`, `{"in":[]}`, `{"eq":null,"eq":1}`} {
		f.Add("title", seed, false)
		f.Add("status", seed, true)
	}
	f.Fuzz(func(t *testing.T, column, raw string, texts bool) {
		filters, err := parseWhere(&table, map[string]json.RawMessage{column: json.RawMessage(raw)}, texts)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.Invalid && code != fault.TooLarge {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, filter := range filters {
			if len(filter.Values) == 0 || fieldColumn(&table, filter.Field) == nil {
				t.Fatalf("%+v", filter)
			}
		}
	})
}

// FuzzClock compares the times of rows with those of schema.
func FuzzClock(f *testing.F) {
	for _, at := range []int64{0, 1, -1, 1_800_000_000_123, 253_402_300_799_999, 253_402_300_800_000, 86_399_999, 86_400_000} {
		f.Add(at, at+1)
	}
	f.Fuzz(func(t *testing.T, one, two int64) {
		var c clock
		for _, at := range []schema.Millis{schema.Millis(one), schema.Millis(two), schema.Millis(one)} {
			if got, want := string(c.append(nil, at)), string(schema.AppendJSON(nil, at)); got != want {
				t.Fatalf("%d: %s, want %s", at, got, want)
			}
		}
	})
}
