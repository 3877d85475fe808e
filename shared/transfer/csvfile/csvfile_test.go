package csvfile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"nanotypedb/shared/transfer/csvfile"
)

// readAll gives records as lists of texts, null written <null>, and the lines
// they began at.
func readAll(r *csvfile.Reader) (records [][]string, lines []int, err error) {
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, lines, nil
		}
		if err != nil {
			return records, lines, err
		}
		record := make([]string, len(fields))
		for i, f := range fields {
			record[i] = string(f.Text)
			if f.Null {
				record[i] = "<null>"
			}
		}
		records, lines = append(records, record), append(lines, r.Line())
	}
}

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		want  string
		lines string
		fails string
	}{
		"plain":              {"a,b\nc,d\n", "[[a b] [c d]]", "[1 2]", ""},
		"no last line break": {"a,b\nc,d", "[[a b] [c d]]", "[1 2]", ""},
		"CRLF":               {"a,b\r\nc,d\r\n", "[[a b] [c d]]", "[1 2]", ""},
		"CR alone is data":   {"a\rb,c\r", "[[a\rb c\r]]", "[1]", ""},
		"null and empty":     {",\"\"\n", "[[<null> ]]", "[1]", ""},
		"one null":           {"a\n\nb\n", "[[a] [<null>] [b]]", "[1 2 3]", ""},
		"quotes":             {`"a ""b"" c","d,e"` + "\n", `[[a "b" c d,e]]`, "[1]", ""},
		"line breaks":        {"\"a\r\nb\n\nc\",d\ne,f", "[[a\r\nb\n\nc d] [e f]]", "[1 5]", ""},
		"spaces stay":        {" a , b\n", "[[ a   b]]", "[1]", ""},
		"quoted last":        {`"a"`, "[[a]]", "[1]", ""},
		"ragged":             {"a\nb,c\n", "[[a] [b c]]", "[1 2]", ""},
		"nothing":            {"", "[]", "[]", ""},
		"a quote inside":     {"x\na\"b\n", "", "", "line 2: there is a quote within"},
		"after a quote":      {`"a"b`, "", "", "line 1: there are characters after the quote"},
		"not closed":         {"x\ny,\"a\nb", "", "", "line 2: a quote is not closed"},
		"CR after a quote":   {"\"a\"\rb", "", "", "line 1: there are characters"},
	} {
		t.Run(name, func(t *testing.T) {
			records, lines, err := readAll(csvfile.NewReader(iotest.OneByteReader(strings.NewReader(c.text))))
			if c.fails != "" {
				var syntax *csvfile.SyntaxError
				if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("error %v, want %q", err, c.fails)
				}
				return
			}
			if err != nil || fmt.Sprint(records) != c.want || fmt.Sprint(lines) != c.lines {
				t.Errorf("%q %v %v, want %q %s", records, lines, err, c.want, c.lines)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for name, text := range map[string]string{
		"a long field":    strings.Repeat("x", 101),
		"a long record":   strings.Repeat("xx,", 34) + "x",
		"an open quote":   `"` + strings.Repeat("x\n", 60),
		"too many fields": strings.Repeat(",", 50),
	} {
		r := csvfile.NewReader(strings.NewReader(text))
		r.MaxRecord, r.MaxFields = 60, 50
		var syntax *csvfile.SyntaxError
		if _, err := r.Read(); !errors.As(err, &syntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadFails(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"a,b", `"a`, `"a"`, "a,\"b\"\r"} {
		r := csvfile.NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if _, err := r.Read(); !errors.Is(err, broken) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]byte{
		"a,b": ',', "a;b;c\n1,2": ';', "a\tb\n": '\t', "a|b": '|', "one": ',', "": ',', `"a;b;c",d`: ',', "a;b,c;d\n": ';',
	} {
		r := csvfile.NewReader(strings.NewReader(text))
		if r.Sniff(); r.Comma != want {
			t.Errorf("%q: %q, want %q", text, r.Comma, want)
		}
	}
}

// What is written comes back, nulls and empty texts kept apart.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		record := rapid.SliceOfN(rapid.SampledFrom([]string{"<null>", "", "a", "\"", "a\"\"b", ",", ";", "\r\n", "\n", "\r", " x ", "é\U0001f600", "=1+1"}), 1, 5)
		records := rapid.SliceOfN(record, 0, 5).Draw(t, "records")
		var file []byte
		for _, record := range records {
			for i, text := range record {
				if i > 0 {
					file = append(file, ',')
				}
				if text != "<null>" {
					file = csvfile.AppendField(file, []byte(text))
				}
			}
			file = append(file, "\r\n"...)
		}
		got, _, err := readAll(csvfile.NewReader(bytes.NewReader(file)))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(records) {
			t.Fatalf("%q: %q, want %q: %v", file, got, records, err)
		}
	})
}

// FuzzReader compares with encoding/csv where both mean the same.
func FuzzReader(f *testing.F) {
	for _, text := range []string{"a,b\nc,d\n", "\"a\"\"b\",\"c\nd\"\r\n", ",\"\"\n", "a\"", "\"", "a\rb\n\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := csvfile.NewReader(bytes.NewReader(data))
		r.MaxRecord, r.MaxFields = 1<<10, 100
		records, _, err := readAll(r)
		if err != nil || bytes.ContainsRune(data, '\r') {
			return
		}
		theirs := csv.NewReader(bytes.NewReader(data))
		theirs.FieldsPerRecord = -1
		want, err := theirs.ReadAll()
		if err != nil {
			t.Fatalf("%q: read as %q, but %v", data, records, err)
		}
		var got [][]string
		for _, record := range records {
			for i, text := range record {
				if text == "<null>" && !bytes.Contains(data, []byte("<null>")) {
					record[i] = ""
				}
			}
			got = append(got, record)
		}
		blank := func(record []string) bool { return len(record) == 1 && record[0] == "" }
		got, want = slices.DeleteFunc(got, blank), slices.DeleteFunc(want, blank)
		if !bytes.Contains(data, []byte("<null>")) && fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("%q: %q, want %q", data, got, want)
		}
	})
}
