package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/wire"
)

// golden is a frame that the TypeScript client's tests read too.
type golden struct {
	Name  string          `json:"name"`
	Frame json.RawMessage `json:"frame"`
}

// goldenFrame has the members of every kind of frame.
type goldenFrame struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code int            `json:"code"`
		Data map[string]any `json:"data"`
	} `json:"error"`
}

func TestGoldenFrames(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden frames, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var g golden
			var f goldenFrame
			if err := json.Unmarshal(data, &g); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(g.Frame, &f); err != nil {
				t.Fatal(err)
			}
			var compact bytes.Buffer
			if err := json.Compact(&compact, g.Frame); err != nil {
				t.Fatal(err)
			}
			checkGolden(t, f, compact.Bytes())
		})
	}
}

// checkGolden makes the frame anew with the server's encoders, or reads it with
// its decoder.
func checkGolden(t *testing.T, f goldenFrame, frame []byte) {
	var made []byte
	switch {
	case f.Error != nil:
		made = wire.AppendError(nil, orNull(f.ID), goldenFault(t, f), "")
	case f.Result != nil:
		made = wire.AppendResult(nil, f.ID, f.Result)
	case f.ID == nil:
		made = notification(f)
	default:
		req, err := wire.DecodeRequest(frame)
		if err != nil || req.Method != f.Method || string(req.ID) != string(f.ID) {
			t.Fatalf("request %+v, %v", req, err)
		}
		return
	}
	var got, want any
	if err := json.Unmarshal(made, &got); err != nil {
		t.Fatalf("%s: %v", made, err)
	}
	if err := json.Unmarshal(frame, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("made %s\nwant %s", made, frame)
	}
}

func orNull(id json.RawMessage) json.RawMessage {
	if id == nil {
		return json.RawMessage("null")
	}
	return id
}

func notification(f goldenFrame) []byte {
	var p struct {
		Seq       int64
		Truncated bool
		Reason    string
	}
	_ = json.Unmarshal(f.Params, &p)
	switch {
	case p.Truncated:
		return wire.AppendTruncated(nil, p.Seq)
	case f.Method == "reset":
		return wire.AppendReset(nil, p.Seq, p.Reason)
	default:
		return wire.AppendNotification(nil, f.Method, f.Params)
	}
}

// goldenFault makes the error that the golden frame is the answer to.
func goldenFault(t *testing.T, f goldenFrame) error {
	t.Helper()
	text := func(name string) string { s, _ := f.Error.Data[name].(string); return s }
	e := fault.At(fault.Code(text("code")), text("path"), "%s", text("reason"))
	for name, value := range f.Error.Data {
		switch name {
		case "code", "path", "reason":
		case "retryAfterMs":
			e = e.After(time.Duration(value.(float64)) * time.Millisecond)
		default:
			e = e.With(name, value)
		}
	}
	if f.Error.Code == wire.ParseError {
		return &wire.EdgeError{Number: wire.ParseError, Fault: e}
	}
	return e
}
