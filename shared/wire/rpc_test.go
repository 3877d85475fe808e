package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/wire"
)

func TestDecodeRequest(t *testing.T) {
	deep := `{"jsonrpc":"2.0","id":7,"method":"m","params":{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}`
	for _, c := range []struct {
		name, message string
		number        int
		id, reason    string
	}{
		{"whole", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}`, 0, `1`, ""},
		{"string id", ` {"id":"a\"b","method":"ping","jsonrpc":"2.0"} `, 0, `"a\"b"`, ""},
		{"without id", `{"jsonrpc":"2.0","method":"ping"}`, 0, ``, ""},
		{"empty", ``, -32700, `null`, "not JSON"},
		{"not JSON", `{"jsonrpc":`, -32700, `null`, "not JSON"},
		{"two texts", `{} {}`, -32700, `null`, "not JSON"},
		{"not UTF-8", "{\"jsonrpc\":\"\xff\"}", -32700, `null`, "UTF-8"},
		{"too deep", deep, -32700, `null`, "128 levels"},
		{"batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, -32600, `null`, "Batches"},
		{"number", `7`, -32600, `null`, "JSON object"},
		{"old version", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, -32600, `1`, "2.0"},
		{"no version", `{"id":1,"method":"ping"}`, -32600, `1`, "2.0"},
		{"null id", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, -32600, `null`, "id is"},
		{"fraction id", `{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, -32600, `null`, "id is"},
		{"huge id", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, -32600, `null`, "id is"},
		{"long id", `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 200) + `","method":"ping"}`, -32600, `null`, "id is"},
		{"no method", `{"jsonrpc":"2.0","id":1}`, -32600, `1`, "method"},
		{"empty method", `{"jsonrpc":"2.0","id":1,"method":""}`, -32600, `1`, "method"},
		{"method number", `{"jsonrpc":"2.0","id":1,"method":4}`, -32600, `1`, "method"},
		{"unknown member", `{"jsonrpc":"2.0","id":1,"method":"ping","meta":1}`, -32600, `1`, "meta"},
		{"member twice", `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, -32600, `1`, "twice"},
		{"params array", `{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}`, -32602, `1`, "object"},
		{"params null", `{"jsonrpc":"2.0","id":1,"method":"ping","params":null}`, -32602, `1`, "object"},
		{"too large", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", wire.MaxMessage) + `"}`, 4013, `null`, "131072 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := wire.DecodeRequest([]byte(c.message))
			if string(req.ID) != c.id {
				t.Errorf("id %s, want %s", req.ID, c.id)
			}
			if c.number == 0 {
				if err != nil || req.Method != "ping" {
					t.Fatalf("%+v, %v", req, err)
				}
				return
			}
			if err == nil || wire.Number(err) != c.number || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("got %v (%d), want %d %q", err, wire.Number(err), c.number, c.reason)
			}
		})
	}
}

type example struct {
	Table  string                     `json:"table"`
	Limit  int                        `json:"limit,omitempty"`
	Since  *int64                     `json:"since,omitempty"`
	Tables []string                   `json:"tables,omitempty"`
	Where  map[string]json.RawMessage `json:"where,omitempty"`
	Ops    []json.RawMessage          `json:"ops,omitempty"`
	Inner  *struct {
		On bool `json:"on"`
	} `json:"inner,omitempty"`
	Hidden int `json:"-"`
}

func TestDecodeIsStrict(t *testing.T) {
	for _, c := range []struct{ text, path, reason string }{
		{`{"table":"a","limit":3,"since":9,"tables":["x","y"],"where":{"a":[1,{"b":2}]},"ops":[{"op":1},2],"inner":{"on":true}}`, "", ""},
		{`{"table":"a","limit":null,"since":null}`, "", ""},
		{`{}`, "table", "required"},
		{`{"table":null}`, "table", "string"},
		{`{"table":7}`, "table", "not a number"},
		{`{"Table":"a"}`, "Table", "no such field"},
		{`{"table":"a","Hidden":1}`, "Hidden", "no such field"},
		{`{"table":"a","table":"b"}`, "table", "twice"},
		{`{"table":"a","limit":"3"}`, "limit", "an integer"},
		{`{"table":"a","limit":1.5}`, "limit", "an integer in range"},
		{`{"table":"a","since":1e99}`, "since", "an integer in range"},
		{`{"table":"a","tables":"x"}`, "tables", "an array"},
		{`{"table":"a","tables":["x",1]}`, "tables[1]", "a string"},
		{`{"table":"a","where":[]}`, "where", "an object"},
		{`{"table":"a","where":{"x":1,"x":2}}`, "where.x", "twice"},
		{`{"table":"a","inner":{"on":0}}`, "inner.on", "a boolean"},
		{`{"table":"a","inner":{}}`, "inner.on", "required"},
		{`[]`, "", "an object"},
		{`{"table":"a"`, "", "not JSON"},
	} {
		var e example
		err := wire.Decode([]byte(c.text), &e)
		if c.reason == "" {
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		f, ok := err.(*fault.Error)
		if !ok || f.Code != fault.Invalid || f.Path != c.path || !strings.Contains(f.Reason, c.reason) {
			t.Errorf("%s: got %v, want %q %q", c.text, err, c.path, c.reason)
		}
	}
}

func TestDecodeKeepsRawMembers(t *testing.T) {
	var e example
	text := `{ "table" : "a\u0062" , "ops" : [ {"op": "x", "s":"]}\"" } , -1.5e3,null ], "where":{ "q" : "\\" } }`
	if err := wire.Decode([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	if e.Table != "ab" || len(e.Ops) != 3 || string(e.Ops[0]) != `{"op": "x", "s":"]}\"" }` ||
		string(e.Ops[1]) != "-1.5e3" || string(e.Ops[2]) != "null" || string(e.Where["q"]) != `"\\"` {
		t.Errorf("%q %q %q", e.Table, e.Ops, e.Where)
	}
}

func TestAnswersAreJSON(t *testing.T) {
	for _, frame := range [][]byte{
		wire.AppendResult(nil, json.RawMessage("1"), json.RawMessage(`{"seq":1}`)),
		wire.AppendNotification(nil, "commit", json.RawMessage(`{"seq":1,"ops":[]}`)),
		wire.AppendTruncated(nil, 1<<53),
		wire.AppendReset(nil, 4, "a \"load\"\n<b>"),
		wire.AppendError(nil, json.RawMessage("null"), wire.UnknownMethod(strings.Repeat("x", 500)), ""),
	} {
		var frameObject struct {
			JSONRPC string `json:"jsonrpc"`
		}
		if err := json.Unmarshal(frame, &frameObject); err != nil || frameObject.JSONRPC != "2.0" {
			t.Errorf("%s: %v", frame, err)
		}
	}
}

// FuzzDecodeRequest: whatever comes in, nothing panics, what is accepted is
// what encoding/json reads, and the answer is always one JSON object.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"commit","params":{"ops":[{"op":"insert"}],"commitId":"a"}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":"\u00e9","method":"rows.list","params":{"table":"t","where":{"a":{"gt":1}}}}`))
	f.Add([]byte(`[{}]`))
	f.Add([]byte("{\"id\":\"\\\"\",\"id\":2}"))
	f.Fuzz(func(t *testing.T, message []byte) {
		req, err := wire.DecodeRequest(message)
		if err != nil {
			if frame := wire.AppendError(nil, req.ID, err, "r"); req.ID != nil && !json.Valid(frame) {
				t.Fatalf("answer %s", frame)
			}
			return
		}
		var want struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal(message, &want); err != nil {
			t.Fatalf("accepted %q: %v", message, err)
		}
		if want.Method != req.Method || string(want.ID) != string(req.ID) {
			t.Fatalf("%q: method %q id %q, want %q %q", message, req.Method, req.ID, want.Method, want.ID)
		}
		if req.Answered() && !json.Valid(wire.AppendResult(nil, req.ID, req.Params)) {
			t.Fatalf("answer to %q is not JSON", message)
		}
	})
}

// FuzzDecode: what Decode accepts, encoding/json reads the same.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"table":"a","limit":3,"since":9,"tables":["x"],"where":{"a":[1]},"ops":[{}],"inner":{"on":true}}`))
	f.Add([]byte(` {"table":"\ud83d\ude00","ops":[ ]} `))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want example
		if wire.Decode(data, &got) != nil {
			return
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("accepted %q: %v", data, err)
		}
		if got.Table != want.Table || got.Limit != want.Limit || len(got.Tables) != len(want.Tables) ||
			len(got.Ops) != len(want.Ops) || len(got.Where) != len(want.Where) {
			t.Fatalf("%q: %+v, want %+v", data, got, want)
		}
	})
}
