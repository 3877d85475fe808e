package schema

import (
	"reflect"
	"testing"

	"nanotypedb/shared/fault"
)

// rich is a schema with everything that a column can have.
func rich() *Schema {
	s := Default().WithTable(&Table{Num: 3, Name: "all", Access: Own, NextColumn: 20, Columns: []Column{
		{Num: 1, Name: "a", Type: Text, Required: true, Default: "x\n", MaxLength: 7, Unique: true},
		{Num: 2, Name: "b", Type: Integer, Default: int64(1), Min: num(-1), Max: num(1e21)},
		{Num: 3, Name: "c", Type: Number, Default: 1.0, Min: num(0)},
		{Num: 5, Name: "d", Type: Boolean, Default: true},
		{Num: 6, Name: "e", Type: Timestamp, Default: Millis(-5)},
		{Num: 7, Name: "f", Type: Date, Default: "2026-11-23"},
		{Num: 8, Name: "g", Type: JSONType, Default: JSON(`{"a":[1]}`)},
		{Num: 19, Name: "h", Type: Enum, Values: []string{"x", "\u2028"}, Default: "x"},
	}})
	s.NextTable = 9
	return s
}

func TestASchemaComesBack(t *testing.T) {
	for _, s := range []*Schema{{}, {NextTable: 4}, Default(), letters(), rich()} {
		got, err := DecodeSchema(EncodeSchema(s))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: got %+v, %v", EncodeSchema(s), got, err)
		}
	}
}

// The stored form is hashed: a change of the golden file is a new
// commitlog.Format.
func TestTheStoredFormNeverChanges(t *testing.T) {
	own := Own
	a := &Alteration{Table: 1, Was: "t", Name: "v", Access: &own, Add: rich().Tables[1].Columns[:2],
		Drop: []ColumnName{{Num: 1, Name: "a", Was: "a"}}, Change: Default().Tables[0].Columns, Rename: []ColumnName{{Num: 2, Name: "z", Was: "b"}}}
	golden(t, "testdata/stored.golden", string(EncodeSchema(rich()))+"\n"+string(AppendAlteration(nil, a))+"\n")
}

func TestDecodeSchemaRefusesWhatIsNotSound(t *testing.T) {
	for _, data := range []string{
		``, `[]`, `{"next":1,"x":2}`, `{"next":-1}`, `{"next":1.5}`, `{"next":1}{}`, `{"next":1,"tables":{}}`,
		`{"next":2,"tables":[{}]}`, `{"next":1,"tables":[{"num":1,"name":"a","next":1,"columns":[]}]}`,
		`{"next":3,"tables":[{"num":2,"name":"a","next":1},{"num":1,"name":"b","next":1}]}`,
		`{"next":3,"tables":[{"num":1,"name":"a","next":1},{"num":2,"name":"a","next":1}]}`,
		`{"next":2,"tables":[{"num":1,"name":"a","next":1,"access":"x"}]}`,
		`{"next":2,"tables":[{"num":1,"name":"a","next":2,"columns":[{"num":1,"name":"c"}]}]}`,
		`{"next":2,"tables":[{"num":1,"name":"a","next":2,"columns":[{"num":1,"name":"c","type":"text","x":1}]}]}`,
		`{"next":2,"tables":[{"num":1,"name":"a","next":2,"columns":[{"num":1,"name":"c","type":"text","default":1}]}]}`,
		`{"next":2,"tables":[{"num":1,"name":"a","next":2,"columns":[{"num":2,"name":"c","type":"text"}]}]}`,
	} {
		if s, err := DecodeSchema([]byte(data)); err == nil || fault.CodeOf(err) != fault.Internal {
			t.Errorf("%s: got %+v, %v", data, s, err)
		}
	}
}

func TestDefaultIsWhatANewRoomHas(t *testing.T) {
	var columns []string
	for i := range Default().Tables[0].Columns {
		columns = append(columns, string(AppendColumnJSON(nil, &Default().Tables[0].Columns[i])))
	}
	want := []string{
		`{"name":"title","type":"text","required":true,"maxLength":500,"embed":true}`,
		`{"name":"status","type":"enum","default":"pending","values":["pending","completed"]}`,
	}
	if !reflect.DeepEqual(columns, want) || Default().sound() != nil || Default().Tables[0].Name != "tasks" {
		t.Errorf("got %s", columns)
	}
}
