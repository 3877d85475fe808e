package schema

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
)

func object(t *testing.T, raw string) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// article has its columns out of order of number, as a table never does, to
// see that cells are in order all the same.
func article() *Table {
	return &Table{Num: 4, Name: "articles", NextColumn: 8, Columns: []Column{
		{Num: 7, Name: "title", Type: Text, Required: true},
		{Num: 2, Name: "score", Type: Number, Default: 1.5},
		{Num: 3, Name: "done", Type: Boolean, Required: true, Default: false},
		{Num: 5, Name: "note", Type: Text},
	}}
}

func TestInsertRow(t *testing.T) {
	for _, c := range []struct {
		row  string
		want []Cell
		path string
		code fault.Code
	}{
		{`{"title":"a"}`, []Cell{{2, 1.5}, {3, false}, {7, "a"}}, "", ""},
		{`{"title":"a","score":null,"done":true,"note":"n"}`, []Cell{{3, true}, {5, "n"}, {7, "a"}}, "", ""},
		{`{}`, nil, "title", fault.Invalid},
		{`{"title":null}`, nil, "title", fault.Invalid},
		{`{"title":"a","done":null}`, nil, "done", fault.Invalid},
		{`{"title":"a","zz":1,"titel":2}`, nil, "titel", fault.Invalid},
		{`{"title":"a","id":"x"}`, nil, "id", fault.Invalid},
		{`{"title":5}`, nil, "title", fault.Invalid},
		{`{"title":"` + strings.Repeat("x", MaxRowBytes) + `"}`, nil, "", fault.TooLarge},
		{`{"title":"` + strings.Repeat("x", MaxRowBytes-10-3-2) + `"}`, []Cell{{2, 1.5}, {3, false}, {7, strings.Repeat("x", MaxRowBytes-15)}}, "", ""},
		{`{"title":"` + strings.Repeat("x", MaxRowBytes-10-3-2+1) + `"}`, nil, "", fault.TooLarge},
	} {
		got, err := InsertRow(article(), object(t, c.row))
		checkCells(t, c.row, got, err, c.want, c.path, c.code)
	}
}

func checkCells(t *testing.T, name string, got []Cell, err error, want []Cell, path string, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code || !reflect.DeepEqual(got, want) {
		t.Errorf("%.60s: got %.60v, %v", name, got, err)
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Path != path {
		t.Errorf("%.60s: path %q, want %q", name, f.Path, path)
	}
}

func TestUpdateSet(t *testing.T) {
	for _, c := range []struct {
		set  string
		want []Cell
		path string
		code fault.Code
	}{
		{`{}`, []Cell{}, "", ""},
		{`{"note":null,"score":2}`, []Cell{{2, 2.0}, {5, nil}}, "", ""},
		{`{"title":"b","score":null}`, []Cell{{2, nil}, {7, "b"}}, "", ""},
		{`{"title":null}`, nil, "title", fault.Invalid},
		{`{"nope":1}`, nil, "nope", fault.Invalid},
		{`{"note":"` + strings.Repeat("x", MaxRowBytes) + `"}`, nil, "", fault.TooLarge},
	} {
		got, err := UpdateSet(article(), object(t, c.set))
		checkCells(t, c.set, got, err, c.want, c.path, c.code)
	}
}

func TestRowBytes(t *testing.T) {
	cells := []Cell{{1, nil}, {2, "é"}, {3, int64(1)}, {4, 1.5}, {5, true}, {6, Millis(0)}, {7, JSON(`[1]`)}}
	if got := RowBytes(cells); got != 7*2+0+2+8+8+1+8+3 {
		t.Errorf("got %d", got)
	}
}

func BenchmarkInsertRow(b *testing.B) {
	tasks := &Default().Tables[0]
	row := map[string]json.RawMessage{"title": json.RawMessage(`"` + strings.Repeat("title ", 10) + `"`), "status": json.RawMessage(`"completed"`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := InsertRow(tasks, row); err != nil {
			b.Fatal(err)
		}
	}
}
