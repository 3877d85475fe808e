package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
)

func TestParseColumn(t *testing.T) {
	many := func(n int) string {
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprintf(`"v%d"`, i)
		}
		return strings.Join(values, ",")
	}
	for _, c := range []struct{ raw, path, err string }{
		{`{"name":"a","type":"text"}`, "", ""},
		{`{"name":"a","type":"text","required":true,"default":"x","maxLength":5,"unique":true,"embed":true}`, "", ""},
		{`{"default":1e3,"min":0,"max":1000,"type":"integer","name":"a"}`, "", ""},
		{`{"name":"a","type":"number","min":-0.5,"unique":false}`, "", ""},
		{`{"name":"a","type":"enum","values":["x","y"],"default":"y"}`, "", ""},
		{`{"name":"a","type":"enum","values":[` + many(100) + `]}`, "", ""},
		{`{"name":"a","type":"timestamp","default":"2026-11-23T20:21:00Z"}`, "", ""},
		{`{"name":"a","type":"json","default":{"b":[],"a":1}}`, "", ""},
		{`{"name":"a","type":"text","default":null}`, "", ""},
		{`[]`, "", "must be a column"}, {`{"name":"a"`, "", "not valid JSON"}, {`{"name":"a","type":"text","name":"b"}`, "", "comes twice"},
		{`{"type":"text"}`, "name", "no column name"}, {`{"name":"id","type":"text"}`, "name", "reserved"}, {`{"name":7,"type":"text"}`, "name", "must be text"},
		{`{"name":"a"}`, "type", "must be one of text, integer"}, {`{"name":"a","type":"string"}`, "type", `"string" was given`},
		{`{"name":"a","type":"text","nullable":true}`, "nullable", "no option"}, {`{"name":"a","type":"text","Required":true}`, "Required", "no option"},
		{`{"name":"a","type":"text","required":1}`, "required", "true or false"}, {`{"name":"a","type":"text","required":null}`, "required", "true or false"},
		{`{"name":"a","type":"text","maxLength":0}`, "maxLength", "1 to 65536"}, {`{"name":"a","type":"text","maxLength":65537}`, "maxLength", "65537 was given"}, {`{"name":"a","type":"integer","maxLength":5}`, "maxLength", "only text"},
		{`{"name":"a","type":"text","min":0}`, "min", "only integer and number"}, {`{"name":"a","type":"timestamp","max":0}`, "max", "only integer and number"},
		{`{"name":"a","type":"integer","min":2,"max":1}`, "min", "2 is above 1"}, {`{"name":"a","type":"number","min":"0"}`, "min", "a number"},
		{`{"name":"a","type":"text","values":["x"]}`, "values", "only enum"}, {`{"name":"a","type":"enum"}`, "values", "1 to 100 values, but 0"}, {`{"name":"a","type":"enum","values":[]}`, "values", "but 0"},
		{`{"name":"a","type":"enum","values":[` + many(101) + `]}`, "values", "but 101"}, {`{"name":"a","type":"enum","values":["x","x"]}`, "values", "comes twice"},
		{`{"name":"a","type":"enum","values":[""]}`, "values", "has 0"}, {`{"name":"a","type":"enum","values":["` + strings.Repeat("é", 201) + `"]}`, "values", "has 201"}, {`{"name":"a","type":"enum","values":[1]}`, "values", "must be text"},
		{`{"name":"a","type":"json","unique":true}`, "unique", "json cannot be unique"}, {`{"name":"a","type":"enum","values":["x"],"embed":true}`, "embed", "only text"},
		{`{"name":"a","type":"text","maxLength":2,"default":"abc"}`, "default", "at most 2 characters"}, {`{"name":"a","type":"enum","values":["x"],"default":"y"}`, "default", "one of x"},
		{`{"name":"a","type":"integer","default":"1"}`, "default", "whole number"}, {`{"name":"a","type":"integer","max":3,"default":4}`, "default", "at most 3"},
	} {
		col, err := ParseColumn(json.RawMessage(c.raw))
		checkColumn(t, c.raw, col, err, c.path, c.err)
	}
}

func checkColumn(t *testing.T, raw string, col Column, err error, path, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%.80s: %v", raw, err)
			return
		}
		again, err := ParseColumn(AppendColumnJSON(nil, &col))
		if err != nil || string(AppendColumnJSON(nil, &again)) != string(AppendColumnJSON(nil, &col)) {
			t.Errorf("%.80s: comes back as %s, %v", raw, AppendColumnJSON(nil, &col), err)
		}
		return
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != fault.Invalid || f.Path != path || !strings.Contains(f.Reason, want) {
		t.Errorf("%.80s: got %v, want %s: %s", raw, err, path, want)
	}
}

func TestAppendColumnJSONIsTheWireForm(t *testing.T) {
	for _, want := range []string{
		`{"name":"a","type":"text","required":true,"default":"x","maxLength":5,"unique":true,"embed":true}`,
		`{"name":"a","type":"number","default":1,"min":-0.5,"max":1e+21}`,
		`{"name":"a","type":"timestamp","default":"2026-11-23T20:21:00.000Z"}`,
		`{"name":"a","type":"json","default":{"a":1}}`,
		`{"name":"a","type":"enum","default":"y","values":["x","y"]}`,
	} {
		col, err := ParseColumn(json.RawMessage(want))
		if got := string(AppendColumnJSON(nil, &col)); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
