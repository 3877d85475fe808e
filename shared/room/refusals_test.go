package room_test

import (
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
)

func many(n int, op string) []string {
	ops := make([]string, n)
	for i := range ops {
		ops[i] = op
	}
	return ops
}

// TestRefusals asks for what must be refused: each with its code and path, and
// with nothing changed.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada,
		`{"op":"createTable","table":"notes","columns":[{"name":"text","type":"text"}],"access":"own"}`,
		`{"op":"createTable","table":"people","columns":[{"name":"email","type":"text","unique":true},{"name":"age","type":"integer","min":0,"max":150},{"name":"n","type":"text"}]}`,
		`{"op":"insert","table":"tasks","id":"t1","row":{"title":"one"}}`,
		`{"op":"insert","table":"people","id":"p1","row":{"email":"a@x","age":3,"n":"same"}}`,
		`{"op":"insert","table":"people","id":"p2","row":{"email":"b@x","n":"same"}}`,
		`{"op":"insert","table":"notes","id":"n1","row":{"text":"ada's"}}`)
	seq := w.state(e).Seq
	long := strings.Repeat("x", 300)

	tests := []struct {
		name string
		by   access.Principal
		ops  []string
		code fault.Code
		path string
	}{
		{"no operations", bob, nil, fault.Invalid, "ops"},
		{"too many operations", bob, many(1001, `{"op":"delete","table":"tasks","id":"t1"}`), fault.TooLarge, "ops"},
		{"too many bytes", bob, many(900, `{"op":"insert","table":"tasks","row":{"title":"`+long+`"}}`), fault.TooLarge, "ops"},
		{"no object", bob, []string{`[]`}, fault.Invalid, "ops[0]"},
		{"broken JSON", bob, []string{`{"op":"insert",}`}, fault.Invalid, "ops[0]"},
		{"no op", bob, []string{`{"table":"tasks"}`}, fault.Invalid, "ops[0].op"},
		{"op of another type", bob, []string{`{"op":1,"table":"tasks"}`}, fault.Invalid, "ops[0].op"},
		{"unknown op", bob, []string{`{"op":"upsert","table":"tasks"}`}, fault.Invalid, "ops[0].op"},
		{"op in capitals", bob, []string{`{"OP":"insert","table":"tasks","row":{}}`}, fault.Invalid, "ops[0].op"},
		{"unknown field", bob, []string{`{"op":"insert","table":"tasks","row":{"title":"x"},"ifVersion":1}`}, fault.Invalid, "ops[0].ifVersion"},
		{"repeated field", bob, []string{`{"op":"delete","table":"tasks","id":"t1","id":"t2"}`}, fault.Invalid, "ops[0]"},
		{"repeated column", bob, []string{`{"op":"insert","table":"tasks","row":{"title":"x","title":"y"}}`}, fault.Invalid, "ops[0]"},
		{"no row", bob, []string{`{"op":"insert","table":"tasks"}`}, fault.Invalid, "ops[0].row"},
		{"null id", bob, []string{`{"op":"insert","table":"tasks","id":null,"row":{"title":"x"}}`}, fault.Invalid, "ops[0].id"},
		{"bad id", bob, []string{`{"op":"insert","table":"tasks","id":"a b","row":{"title":"x"}}`}, fault.Invalid, "ops[0].id"},
		{"bad version", bob, []string{`{"op":"delete","table":"tasks","id":"t1","ifVersion":1.5}`}, fault.Invalid, "ops[0].ifVersion"},
		{"unknown table", bob, []string{`{"op":"insert","table":"nope","row":{}}`}, fault.NotFound, "ops[0].table"},
		{"unknown column", bob, []string{`{"op":"insert","table":"tasks","row":{"title":"x","colour":"red"}}`}, fault.Invalid, "ops[0].row.colour"},
		{"missing required", bob, []string{`{"op":"insert","table":"tasks","row":{}}`}, fault.Invalid, "ops[0].row.title"},
		{"required set to null", bob, []string{`{"op":"update","table":"tasks","id":"t1","set":{"title":null}}`}, fault.Invalid, "ops[0].set.title"},
		{"too long", bob, []string{`{"op":"insert","table":"tasks","row":{"title":"` + strings.Repeat("ä", 501) + `"}}`}, fault.Invalid, "ops[0].row.title"},
		{"no such enum value", bob, []string{`{"op":"insert","table":"tasks","row":{"title":"x","status":"open"}}`}, fault.Invalid, "ops[0].row.status"},
		{"above max", bob, []string{`{"op":"update","table":"people","id":"p1","set":{"age":151}}`}, fault.Invalid, "ops[0].set.age"},
		{"wrong type", bob, []string{`{"op":"update","table":"people","id":"p1","set":{"age":"3"}}`}, fault.Invalid, "ops[0].set.age"},
		{"row too large", bob, []string{`{"op":"update","table":"people","id":"p1","set":{"n":"` + strings.Repeat("x", 65<<10) + `"}}`}, fault.TooLarge, "ops[0].set"},
		{"id taken", bob, []string{`{"op":"insert","table":"tasks","id":"t1","row":{"title":"x"}}`}, fault.Conflict, "ops[0].id"},
		{"id taken in the same commit", bob, many(2, `{"op":"insert","table":"tasks","id":"t9","row":{"title":"x"}}`), fault.Conflict, "ops[1].id"},
		{"no such row to update", bob, []string{`{"op":"update","table":"tasks","id":"t9","set":{"title":"x"}}`}, fault.NotFound, "ops[0].id"},
		{"no such row to delete", bob, []string{`{"op":"delete","table":"tasks","id":"t9"}`}, fault.NotFound, "ops[0].id"},
		{"stale version", bob, []string{`{"op":"update","table":"tasks","id":"t1","set":{"title":"x"},"ifVersion":1}`}, fault.Conflict, "ops[0].ifVersion"},
		{"not unique", bob, []string{`{"op":"insert","table":"people","row":{"email":"a@x"}}`}, fault.Conflict, "ops[0].row.email"},
		{"not unique, behind an update that changes nothing", bob,
			[]string{`{"op":"update","table":"tasks","id":"t1","set":{"title":"one"}}`, `{"op":"update","table":"people","id":"p2","set":{"email":"a@x"}}`}, fault.Conflict, "ops[1].set.email"},
		{"one bad among good", bob, []string{`{"op":"insert","table":"tasks","row":{"title":"x"}}`, `{"op":"delete","table":"tasks","id":"t9"}`}, fault.NotFound, "ops[1].id"},
		{"foreign row of an own table", bob, []string{`{"op":"update","table":"notes","id":"n1","set":{"text":"x"}}`}, fault.NotFound, "ops[0].id"},
		{"deleting it", bob, []string{`{"op":"delete","table":"notes","id":"n1","ifVersion":3}`}, fault.NotFound, "ops[0].id"},
		{"viewer", vera, []string{`{"op":"insert","table":"tasks","row":{"title":"x"}}`}, fault.Forbidden, ""},
		{"stranger", simon, []string{`{"op":"insert","table":"tasks","row":{"title":"x"}}`}, fault.NotFound, ""},
		{"table exists", bob, []string{`{"op":"createTable","table":"tasks","columns":[]}`}, fault.Conflict, "ops[0].table"},
		{"bad table name", bob, []string{`{"op":"createTable","table":"Tasks","columns":[]}`}, fault.Invalid, "ops[0].table"},
		{"bad column type", bob, []string{`{"op":"createTable","table":"x","columns":[{"name":"a","type":"float"}]}`}, fault.Invalid, "ops[0].columns[0].type"},
		{"access by an editor", bob, []string{`{"op":"createTable","table":"x","columns":[],"access":"own"}`}, fault.Forbidden, "ops[0].access"},
		{"unknown access", ada, []string{`{"op":"createTable","table":"x","columns":[],"access":"mine"}`}, fault.Invalid, "ops[0].access"},
		{"altering access by an editor", bob, []string{`{"op":"alterTable","table":"tasks","access":"own"}`}, fault.Forbidden, "ops[0].access"},
		{"altering an own table by an editor", bob, []string{`{"op":"alterTable","table":"notes","drop":["text"]}`}, fault.Forbidden, "ops[0].table"},
		{"dropping an own table by an editor", bob, []string{`{"op":"dropTable","table":"notes"}`}, fault.Forbidden, "ops[0].table"},
		{"dropping an unknown table", bob, []string{`{"op":"dropTable","table":"nope"}`}, fault.NotFound, "ops[0].table"},
		{"altering nothing", bob, []string{`{"op":"alterTable","table":"tasks"}`}, fault.Invalid, "ops[0]"},
		{"renaming onto another", bob, []string{`{"op":"alterTable","table":"people","rename":{"email":"age"}}`}, fault.Conflict, "ops[0].rename.email"},
		{"making unique what is not", bob, []string{`{"op":"alterTable","table":"people","change":[{"name":"n","type":"text","unique":true}]}`}, fault.Conflict, "ops[0].change.n"},
		{"changing type against the rows", bob, []string{`{"op":"alterTable","table":"people","change":[{"name":"email","type":"integer"}]}`}, fault.Conflict, "ops[0].change[0]"},
		{"requiring what is missing", bob, []string{`{"op":"alterTable","table":"people","change":[{"name":"age","type":"integer","required":true}]}`}, fault.Conflict, "ops[0].change[0]"},
		{"adding a required column", bob, []string{`{"op":"alterTable","table":"people","add":[{"name":"x","type":"text","required":true}]}`}, fault.Conflict, "ops[0].add"},
		{"using a dropped column", bob, []string{`{"op":"alterTable","table":"people","drop":["age"]}`, `{"op":"update","table":"people","id":"p1","set":{"age":1}}`}, fault.Invalid, "ops[1].set.age"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := w.state(e)
			_, err := e.Commit(t.Context(), tt.by, den, request(tt.ops...))
			f := faultOf(t, err)
			if f.Code != tt.code || f.Path != tt.path || f.Reason == "" {
				t.Errorf("got %s at %q: %s", f.Code, f.Path, f.Reason)
			}
			if after := w.state(e); after.Sums != before.Sums || after.Seq != seq {
				t.Errorf("something changed: seq %d, then %d", before.Seq, after.Seq)
			}
		})
	}
}

func TestRefusalCountsRows(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	ops := []string{`{"op":"createTable","table":"things","columns":[{"name":"a","type":"text"}]}`}
	for i := range 5 {
		ops = append(ops, fmt.Sprintf(`{"op":"insert","table":"things","id":"r%d","row":{"a":"x%d"}}`, i, i%2))
	}
	w.commit(e, bob, ops...)
	for change, rows := range map[string]int{
		`{"name":"a","type":"integer"}`:              5,
		`{"name":"a","type":"text","unique":true}`:   5,
		`{"name":"a","type":"enum","values":["x0"]}`: 2,
	} {
		_, err := e.Commit(t.Context(), bob, den, request(`{"op":"alterTable","table":"things","change":[`+change+`]}`))
		f := faultOf(t, err)
		ids, _ := f.Details["ids"].([]string)
		if f.Details["rows"] != rows || len(ids) != min(rows, 3) || !strings.Contains(f.Reason, ids[0]) {
			t.Errorf("%s: %s %v", change, f.Reason, f.Details)
		}
	}
}

func TestForeignRowLooksMissing(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.den(e)
	w.commit(e, ada, `{"op":"createTable","table":"notes","columns":[{"name":"text","type":"text"}],"access":"own"}`,
		`{"op":"insert","table":"notes","id":"there","row":{"text":"secret"}}`)
	for _, op := range []string{
		`{"op":"update","table":"notes","id":"%s","set":{"text":"x"}}`,
		`{"op":"update","table":"notes","id":"%s","set":{"text":"x"},"ifVersion":99}`,
		`{"op":"delete","table":"notes","id":"%s"}`,
	} {
		_, there := e.Commit(t.Context(), bob, den, request(fmt.Sprintf(op, "there")))
		_, missing := e.Commit(t.Context(), bob, den, request(fmt.Sprintf(op, "missing")))
		if there == nil || there.Error() != missing.Error() {
			t.Errorf("%s: %v, but of a missing row %v", op, there, missing)
		}
	}
	_, there := w.get(e, bob, "notes", "there")
	_, missing := w.get(e, bob, "notes", "missing")
	if there == nil || there.Error() != missing.Error() {
		t.Errorf("get: %v, but of a missing row %v", there, missing)
	}
}

func TestRoomSize(t *testing.T) {
	w := newWorld(t)
	w.max = 20_000
	e := w.engine()
	w.den(e)
	row := `{"op":"insert","table":"tasks","id":"r%d","row":{"title":"` + strings.Repeat("x", 400) + `"}}`
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = e.Commit(t.Context(), bob, den, request(fmt.Sprintf(row, n)))
	}
	if f := faultOf(t, err); f.Code != fault.TooLarge || !strings.Contains(f.Reason, "20000") {
		t.Fatalf("after %d rows: %v", n, err)
	}
	w.commit(e, bob, `{"op":"update","table":"tasks","id":"r0","set":{"title":"short"}}`)
	w.commit(e, bob, `{"op":"delete","table":"tasks","id":"r1"}`)
	w.commit(e, bob, fmt.Sprintf(row, 1))

	// A room above its limit, since that was lowered, can only shrink.
	w.max = 10_000
	e = w.engine()
	if _, err := e.Commit(t.Context(), bob, den, request(fmt.Sprintf(row, 99))); !fault.Is(err, fault.TooLarge) {
		t.Errorf("an insert above the limit: %v", err)
	}
	w.commit(e, bob, `{"op":"update","table":"tasks","id":"r2","set":{"title":"short"}}`)
	w.commit(e, bob, `{"op":"delete","table":"tasks","id":"r3"}`, `{"op":"insert","table":"tasks","id":"s","row":{"title":"short"}}`)
}
