package room_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
)

func (w *world) people(e *room.Engine) {
	w.tb.Helper()
	w.den(e)
	w.commit(e, ada, `{"op":"createTable","table":"people","columns":[{"name":"name","type":"text"},{"name":"age","type":"integer"},
		{"name":"score","type":"number"},{"name":"ok","type":"boolean"},{"name":"seen","type":"timestamp"},{"name":"born","type":"date"},
		{"name":"data","type":"json"},{"name":"kind","type":"enum","values":["a","b"]}]}`)
	for i := range 30 {
		age := fmt.Sprint(i % 7)
		if i%5 == 0 {
			age = "null"
		}
		w.commit(e, bob, fmt.Sprintf(`{"op":"insert","table":"people","id":"p%02d","row":{"name":"Name %d","age":%s,"score":%d.5,"ok":%v,"seen":%d,"born":"2026-01-%02d","data":{"i":%d},"kind":"%s"}}`,
			i, i, age, i%3, i%2 == 0, 1_700_000_000_000+int64(i), i+1, i, []string{"a", "b"}[i%2]))
	}
}

func ids(rows []map[string]any) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = row["id"].(string)
	}
	return out
}

// TestListPages walks through every order by pages of every small size: the
// pages together are the list.
func TestListPages(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.people(e)
	all, _, err := w.list(e, bob, room.ListRequest{Table: "people"})
	must(t, err)
	for _, field := range []string{"id", "name", "age", "score", "ok", "seen", "born", "kind", "_version", "_createdAt", "_updatedAt"} {
		for _, order := range []string{field, "-" + field} {
			want := slices.Clone(all)
			slices.SortFunc(want, func(a, b map[string]any) int {
				c := compare(a[field], b[field])
				if c == 0 {
					c = cmp.Compare(a["id"].(string), b["id"].(string))
				}
				if order[0] == '-' {
					c = -c
				}
				return c
			})
			for _, limit := range []int{1, 4, 29, 30, 31} {
				var got []string
				cursor := ""
				for {
					rows, next, err := w.list(e, bob, room.ListRequest{Table: "people", Order: order, Limit: limit, Cursor: cursor})
					must(t, err)
					got = append(got, ids(rows)...)
					if cursor = next; next == "" {
						break
					}
				}
				if !slices.Equal(got, ids(want)) {
					t.Fatalf("order %s, limit %d:\n%v\n%v", order, limit, got, ids(want))
				}
			}
		}
	}
}

func compare(a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(rank(a), rank(b))
	case a == b:
		return 0
	}
	switch a := a.(type) {
	case float64:
		return cmp.Compare(a, b.(float64))
	case bool:
		return map[bool]int{true: 1, false: -1}[a]
	default:
		return strings.Compare(a.(string), b.(string))
	}
}

func rank(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

func TestListWhere(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.people(e)
	tests := []struct {
		column, where string
		texts         bool
		want          int
	}{
		{"name", `"Name 3"`, false, 1},
		{"name", `{"contains":"NAME 1"}`, false, 11},
		{"age", `null`, false, 6},
		{"age", `{"ne":null}`, false, 24},
		{"age", `{"gte":2,"lt":4}`, false, 7},
		{"age", `"2"`, true, 4},
		{"age", `{"in":[1,2,null]}`, false, 14},
		{"score", `1.5`, false, 10},
		{"ok", `true`, false, 15},
		{"ok", `"true"`, true, 15},
		{"seen", `{"lte":"2023-11-14T22:13:20.004Z"}`, false, 5},
		{"born", `{"gt":"2026-01-29"}`, false, 1},
		{"data", `{"eq":{"i":3}}`, false, 1},
		{"kind", `{"in":["a"]}`, false, 15},
		{"id", `{"gte":"p20"}`, false, 10},
		{"_createdBy", `"bob"`, false, 30},
		{"_version", `{"lt":1}`, false, 0},
	}
	for _, tt := range tests {
		req := room.ListRequest{Table: "people", Where: map[string]json.RawMessage{tt.column: json.RawMessage(tt.where)}, Texts: tt.texts}
		rows, _, err := w.list(e, vera, req)
		if err != nil || len(rows) != tt.want {
			t.Errorf("%s %s: %d rows, want %d; %v", tt.column, tt.where, len(rows), tt.want, err)
		}
	}
}

func TestListRefusals(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.people(e)
	where := func(column, value string) map[string]json.RawMessage {
		return map[string]json.RawMessage{column: json.RawMessage(value)}
	}
	_, cursor, err := w.list(e, bob, room.ListRequest{Table: "people", Limit: 3, Order: "age"})
	must(t, err)
	tampered := []byte(cursor)
	tampered[len(tampered)/2] ^= 1
	tests := []struct {
		name string
		req  room.ListRequest
		code fault.Code
		path string
	}{
		{"unknown table", room.ListRequest{Table: "nope"}, fault.NotFound, "table"},
		{"limit", room.ListRequest{Table: "people", Limit: 1001}, fault.Invalid, "limit"},
		{"negative limit", room.ListRequest{Table: "people", Limit: -1}, fault.Invalid, "limit"},
		{"order", room.ListRequest{Table: "people", Order: "nope"}, fault.Invalid, "order"},
		{"order injection", room.ListRequest{Table: "people", Order: "age; DROP TABLE t1"}, fault.Invalid, "order"},
		{"order by json", room.ListRequest{Table: "people", Order: "data"}, fault.Invalid, "order"},
		{"unknown column", room.ListRequest{Table: "people", Where: where("nope", `1`)}, fault.Invalid, "where.nope"},
		{"unknown comparison", room.ListRequest{Table: "people", Where: where("age", `{"like":1}`)}, fault.Invalid, "where.age.like"},
		{"wrong type", room.ListRequest{Table: "people", Where: where("age", `{"gt":"x"}`)}, fault.Invalid, "where.age.gt"},
		{"text for a number", room.ListRequest{Table: "people", Where: where("age", `"2"`)}, fault.Invalid, "where.age"},
		{"above null", room.ListRequest{Table: "people", Where: where("age", `{"gt":null}`)}, fault.Invalid, "where.age.gt"},
		{"in nothing", room.ListRequest{Table: "people", Where: where("age", `{"in":[]}`)}, fault.Invalid, "where.age.in"},
		{"bad value in a list", room.ListRequest{Table: "people", Where: where("age", `{"in":[1,true]}`)}, fault.Invalid, "where.age.in[1]"},
		{"contains in a number", room.ListRequest{Table: "people", Where: where("age", `{"contains":"1"}`)}, fault.Invalid, "where.age.contains"},
		{"broken", room.ListRequest{Table: "people", Where: where("age", `{`)}, fault.Invalid, "where.age"},
		{"no cursor", room.ListRequest{Table: "people", Cursor: "abc"}, fault.Invalid, "cursor"},
		{"tampered cursor", room.ListRequest{Table: "people", Order: "age", Cursor: string(tampered)}, fault.Invalid, "cursor"},
		{"cursor of another order", room.ListRequest{Table: "people", Order: "-age", Cursor: cursor}, fault.Invalid, "cursor"},
		{"cursor of other filters", room.ListRequest{Table: "people", Order: "age", Cursor: cursor, Where: where("ok", "true")}, fault.Invalid, "cursor"},
		{"cursor of another table", room.ListRequest{Table: "tasks", Cursor: cursor}, fault.Invalid, "cursor"},
		{"bytes", room.ListRequest{Table: "people", MaxBytes: 50}, fault.TooLarge, ""},
	}
	for _, tt := range tests {
		_, _, err := w.list(e, bob, tt.req)
		if f := faultOf(t, err); f.Code != tt.code || f.Path != tt.path {
			t.Errorf("%s: %s at %q: %s", tt.name, f.Code, f.Path, f.Reason)
		}
	}
}

func TestListCutByBytes(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.people(e)
	var got []string
	for cursor := ""; ; {
		var rows []map[string]any
		must(t, e.Read(t.Context(), bob, den, func(v *room.View) error {
			page, err := v.List(t.Context(), room.ListRequest{Table: "people", Cursor: cursor, MaxBytes: 1000})
			if err != nil {
				return err
			}
			if len(page.Rows) > 1000 {
				t.Errorf("a page of %d bytes", len(page.Rows))
			}
			cursor = page.Cursor
			return json.Unmarshal(page.Rows, &rows)
		}))
		got = append(got, ids(rows)...)
		if cursor == "" {
			break
		}
	}
	if len(got) != 30 || !slices.IsSorted(got) {
		t.Errorf("got %v", got)
	}
}

// TestListAndGetWriteARowTheSame compares the two ways that a row is read.
func TestListAndGetWriteARowTheSame(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	w.people(e)
	texts := []string{"", `say "hi" \ back`, "line\nbreak\x01", "Grüße, 世界 🙂", strings.Repeat("long ", 200), strings.Repeat("x", 117), strings.Repeat(`"`, 300)}
	for i, text := range texts {
		raw, err := json.Marshal(text)
		must(t, err)
		w.commit(e, bob, fmt.Sprintf(`{"op":"insert","table":"people","id":"q%d","row":{"name":%s,"data":{"t":[%s,1.50]},"score":-1e-7,"seen":"1970-01-01T00:00:00Z","age":0,"ok":false}}`, i, raw, raw),
			fmt.Sprintf(`{"op":"insert","table":"people","id":"r%d","row":{"seen":"0001-01-01T00:00:00Z"}}`, i))
	}
	must(t, e.Read(t.Context(), bob, den, func(v *room.View) error {
		page, err := v.List(t.Context(), room.ListRequest{Table: "people"})
		must(t, err)
		var rows []json.RawMessage
		must(t, json.Unmarshal(page.Rows, &rows))
		if len(rows) != 30+2*len(texts) {
			t.Errorf("%d rows", len(rows))
		}
		for _, row := range rows {
			var key struct{ ID string }
			must(t, json.Unmarshal(row, &key))
			if one, err := v.Get(t.Context(), "people", key.ID); err != nil || string(one) != string(row) {
				t.Errorf("%v\nlist %s\nget  %s", err, row, one)
			}
		}
		return nil
	}))
}
