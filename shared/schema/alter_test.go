package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"nanotypedb/shared/fault"
)

func alterRequest(t interface{ Fatal(...any) }, raw string) AlterRequest {
	var req AlterRequest
	if err := json.Unmarshal([]byte(raw), &req); err != nil {
		t.Fatal(err)
	}
	return req
}

// letters is a schema with table t of the text columns a, b, c, numbered from
// 1, and a table u.
func letters() *Schema {
	t := Table{Num: 1, Name: "t", NextColumn: 5}
	for i, name := range []string{"a", "b", "c"} {
		t.Columns = append(t.Columns, Column{Num: i + 1, Name: name, Type: Text})
	}
	return &Schema{Tables: []Table{t, {Num: 3, Name: "u", NextColumn: 1}}, NextTable: 5}
}

// outline is a table as "name access next: num name type, …".
func outline(t *Table) string {
	var columns []string
	for _, c := range t.Columns {
		columns = append(columns, fmt.Sprintf("%d %s %s", c.Num, c.Name, c.Type))
	}
	return fmt.Sprintf("%s %s%d: %s", t.Name, t.Access, t.NextColumn, strings.Join(columns, ", "))
}

func TestAlter(t *testing.T) {
	const rest = ", 2 b text, 3 c text"
	for _, c := range []struct{ req, want string }{
		{`{"drop":["a","c"]}`, "t 5: 2 b text"},
		{`{"drop":["a"],"add":[{"name":"a","type":"date"}]}`, "t 6: 2 b text, 3 c text, 5 a date"},
		{`{"rename":{"a":"b","b":"a"}}`, "t 5: 1 b text, 2 a text, 3 c text"},
		{`{"rename":{"a":"z"},"add":[{"name":"a","type":"date"}]}`, "t 6: 1 z text" + rest + ", 5 a date"},
		{`{"drop":["b"],"rename":{"a":"b"}}`, "t 5: 1 b text, 3 c text"},
		{`{"change":[{"name":"a","type":"integer"}]}`, "t 5: 1 a integer" + rest},
		{`{"change":[{"name":"a","type":"integer"}],"rename":{"a":"z"}}`, "t 5: 1 z integer" + rest},
		{`{"change":[{"name":"a","type":"integer"},{"name":"b","type":"date"}],"rename":{"a":"b","b":"a"}}`, "t 5: 1 b integer, 2 a date, 3 c text"},
		{`{"name":"v"}`, "v 5: 1 a text" + rest}, {`{"access":"own"}`, "t own5: 1 a text" + rest},
		{`{"drop":["a","b","c"],"name":"v","access":"shared","add":[{"name":"x","type":"text"},{"name":"y","type":"text"}]}`, "v 7: 5 x text, 6 y text"},
	} {
		req := alterRequest(t, c.req)
		req.Table = "t"
		before := letters()
		a, err := ResolveAlter(before, req)
		if err != nil {
			t.Errorf("%s: %v", c.req, err)
			continue
		}
		after, err := before.Altered(a)
		if err != nil || outline(after.TableByNum(1)) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.req, outline(after.TableByNum(1)), err, c.want)
		}
		if !reflect.DeepEqual(before, letters()) {
			t.Errorf("%s: changed the schema it began from", c.req)
		}
	}
}

func TestAlterRefuses(t *testing.T) {
	columns := make([]string, 98)
	for i := range columns {
		columns[i] = fmt.Sprintf(`{"name":"n%d","type":"text"}`, i)
	}
	for _, c := range []struct {
		req  string
		code fault.Code
		path string
	}{
		{`{"table":"x","drop":["a"]}`, fault.NotFound, "table"},
		{`{"table":"t"}`, fault.Invalid, ""}, {`{"table":"t","add":[],"drop":[],"rename":{}}`, fault.Invalid, ""},
		{`{"table":"t","drop":["z"]}`, fault.NotFound, "drop[0]"}, {`{"table":"t","drop":["a","a"]}`, fault.Conflict, "drop[1]"},
		{`{"table":"t","drop":["a"],"change":[{"name":"a","type":"date"}]}`, fault.Conflict, "change[0]"},
		{`{"table":"t","drop":["a"],"rename":{"a":"z"}}`, fault.Conflict, "rename.a"},
		{`{"table":"t","change":[{"name":"a","type":"date"},{"name":"a","type":"text"}]}`, fault.Conflict, "change[1]"},
		{`{"table":"t","change":[{"name":"z","type":"date"}]}`, fault.NotFound, "change[0].name"},
		{`{"table":"t","change":[{"name":"z","type":"date"}],"rename":{"a":"z"}}`, fault.NotFound, "change[0].name"},
		{`{"table":"t","change":[{"name":"a","type":"x"}]}`, fault.Invalid, "change[0].type"},
		{`{"table":"t","rename":{"a":"b"}}`, fault.Conflict, "rename.a"}, {`{"table":"t","rename":{"a":"a"}}`, fault.Conflict, "rename.a"},
		{`{"table":"t","rename":{"a":"z","b":"z"}}`, fault.Conflict, "rename.b"}, {`{"table":"t","rename":{"z":"y"}}`, fault.NotFound, "rename.z"},
		{`{"table":"t","rename":{"a":"A"}}`, fault.Invalid, "rename.a"}, {`{"table":"t","rename":{"a":"id"}}`, fault.Invalid, "rename.a"},
		{`{"table":"t","add":[{"name":"a","type":"text"}]}`, fault.Conflict, "add[0].name"},
		{`{"table":"t","add":[{"name":"x","type":"text"},{"name":"x","type":"text"}]}`, fault.Conflict, "add[1].name"},
		{`{"table":"t","rename":{"a":"x"},"add":[{"name":"x","type":"text"}]}`, fault.Conflict, "add[0].name"},
		{`{"table":"t","add":[{"name":"x"}]}`, fault.Invalid, "add[0].type"}, {`{"table":"t","add":[` + strings.Join(columns, ",") + `]}`, fault.TooLarge, "add"},
		{`{"table":"t","name":"u"}`, fault.Conflict, "name"}, {`{"table":"t","name":"t"}`, fault.Conflict, "name"}, {`{"table":"t","name":""}`, fault.Invalid, "name"},
		{`{"table":"t","access":"public"}`, fault.Invalid, "access"},
	} {
		_, err := ResolveAlter(letters(), alterRequest(t, c.req))
		checkFault(t, c.req, err, c.code, c.path)
	}
}

func checkFault(t *testing.T, name string, err error, code fault.Code, path string) {
	t.Helper()
	var f *fault.Error
	errors.As(err, &f)
	switch {
	case fault.CodeOf(err) != code:
		t.Errorf("%.90s: got %v, want %s", name, err, code)
	case f != nil && f.Path != path:
		t.Errorf("%.90s: path %q, want %q", name, f.Path, path)
	}
}

func TestCreate(t *testing.T) {
	a, own := json.RawMessage(`{"name":"a","type":"text"}`), Access("own")
	full := &Schema{NextTable: 1}
	for i := range MaxTables {
		full = full.WithTable(&Table{Num: i + 1, Name: fmt.Sprintf("t%d", i), NextColumn: 1})
	}
	table, err := ResolveCreate(letters(), "v", []json.RawMessage{a, json.RawMessage(`{"name":"b","type":"date"}`)}, own)
	if err != nil || table.Num != 5 || outline(table) != "v own3: 1 a text, 2 b date" {
		t.Errorf("got %+v, %v", table, err)
	}
	for _, c := range []struct {
		s       *Schema
		name    string
		columns []json.RawMessage
		access  Access
		code    fault.Code
		path    string
	}{
		{letters(), "t", nil, Shared, fault.Conflict, "table"}, {letters(), "T", nil, Shared, fault.Invalid, "table"},
		{letters(), "v", []json.RawMessage{a, a}, Shared, fault.Conflict, "columns[1].name"}, {letters(), "v", []json.RawMessage{json.RawMessage(`1`)}, Shared, fault.Invalid, "columns[0]"},
		{letters(), "v", nil, "x", fault.Invalid, "access"}, {letters(), "v", make([]json.RawMessage, 101), Shared, fault.TooLarge, "columns"}, {full, "v", nil, Shared, fault.TooLarge, "table"},
		{full.WithoutTable(7), "t6", nil, "shared", "", ""},
	} {
		_, err := ResolveCreate(c.s, c.name, c.columns, c.access)
		checkFault(t, c.name, err, c.code, c.path)
	}
}

func TestASchemaHasALimitInBytes(t *testing.T) {
	values := make([]string, 100)
	for i := range values {
		values[i] = fmt.Sprintf(`"%d%s"`, i, strings.Repeat("x", 190))
	}
	column := `{"name":"e%d","type":"enum","values":[` + strings.Join(values, ",") + `]}`
	var columns []json.RawMessage
	for i := range 14 {
		columns = append(columns, json.RawMessage(strings.Replace(column, "%d", fmt.Sprint(i), 1)))
	}
	if _, err := ResolveCreate(letters(), "v", columns[:13], Shared); err != nil {
		t.Error(err)
	}
	if _, err := ResolveCreate(letters(), "v", columns, Shared); !fault.Is(err, fault.TooLarge) {
		t.Errorf("create: got %v", err)
	}
	if _, err := ResolveAlter(letters(), AlterRequest{Table: "t", Add: columns}); !fault.Is(err, fault.TooLarge) {
		t.Errorf("alter: got %v", err)
	}
}

func TestTableNumbersNeverComeBack(t *testing.T) {
	s := letters().WithTable(&Table{Num: 5, Name: "v", NextColumn: 1}).WithoutTable(5)
	table, err := ResolveCreate(s, "v", nil, Shared)
	if err != nil || table.Num != 6 {
		t.Fatalf("got %+v, %v", table, err)
	}
	if s = s.WithTable(&Table{Num: 2, Name: "w", NextColumn: 1}); s.NextTable != 6 || s.sound() != nil || len(s.Tables) != 3 {
		t.Errorf("got %+v", s)
	}
}

// drawAlter draws a request that is often allowed.
func drawAlter(t *rapid.T) AlterRequest {
	names := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
	types := rapid.SampledFrom([]string{`"text"`, `"integer"`, `"number","default":2`, `"date","unique":true`, `"json","default":{"x":[1]}`, `"enum","values":["x","y"],"default":"x"`, `"timestamp","default":7`})
	column := func() json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"name":%q,"type":%s}`, names.Draw(t, "name"), types.Draw(t, "type")))
	}
	req := AlterRequest{Table: "t", Drop: rapid.SliceOfN(names, 0, 1).Draw(t, "drop"), Rename: rapid.MapOfN(names, names, 0, 2).Draw(t, "rename")}
	for range rapid.IntRange(0, 2).Draw(t, "adds") {
		req.Add = append(req.Add, column())
	}
	for range rapid.IntRange(0, 1).Draw(t, "changes") {
		req.Change = append(req.Change, column())
	}
	return req
}

// What ResolveAlter allows can be stored, read and applied, any number of
// times, and no column ever gets a number that was used before.
func TestWhatIsResolvedCanBeApplied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, used := letters(), 4
		for range 10 {
			a, err := ResolveAlter(s, drawAlter(t))
			if err != nil {
				continue
			}
			read, err := DecodeAlteration(AppendAlteration(nil, a))
			if err != nil || !reflect.DeepEqual(read, a) {
				t.Fatalf("stored as %s: %v", AppendAlteration(nil, a), err)
			}
			after, err := s.Altered(read)
			if err != nil {
				t.Fatalf("%s: %v", AppendAlteration(nil, a), err)
			}
			for _, c := range a.Add {
				if c.Num <= used {
					t.Fatalf("number %d comes back", c.Num)
				}
				used = c.Num
			}
			s = after
			decoded, err := DecodeSchema(EncodeSchema(s))
			if err != nil || string(EncodeSchema(decoded)) != string(EncodeSchema(s)) {
				t.Fatalf("%s: %v", EncodeSchema(s), err)
			}
		}
	})
}

func TestAlteredRefusesForeignAlterations(t *testing.T) {
	for _, a := range []*Alteration{
		{Table: 2, Name: "x"}, {Table: 1, Drop: []ColumnName{{Num: 4}}}, {Table: 1, Rename: []ColumnName{{Num: 9, Name: "x"}}},
		{Table: 1, Change: []Column{{Num: 9, Name: "x", Type: Text}}}, {Table: 1, Add: []Column{{Num: 3, Name: "x", Type: Text}}},
		{Table: 1, Add: []Column{{Num: 9, Name: "a", Type: Text}}}, {Table: 1, Rename: []ColumnName{{Num: 1, Name: "b"}}}, {Table: 1, Name: "u"},
	} {
		if _, err := letters().Altered(a); err == nil || fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: got %v", AppendAlteration(nil, a), err)
		}
	}
}
