package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
	"nanotypedb/shared/transfer/csvfile"
)

// cell is a value as a file has it: the text of a CSV field, or a JSON value.
type cell struct {
	given bool
	null  bool
	text  []byte // of CSV
	json  []byte // of NDJSON
}

// record is one row of a file. Its cells are in the order of the file's
// columns; those beyond the end are not given. Both are valid until the next.
type record struct {
	line  int
	cells []cell
}

// records reads the rows of a file.
type records interface {
	// columns are the names met so far. CSV has met all before the first row.
	columns() []string
	// next gives the next row, or io.EOF. After a *rowError reading can go on,
	// after a *fileError not.
	next() (*record, error)
}

// rowError is a row that cannot be read. fileError ends the whole file.
type (
	rowError  struct{ problem Problem }
	fileError struct{ problem Problem }
)

func (e *rowError) Error() string  { return e.problem.Reason }
func (e *fileError) Error() string { return e.problem.Reason }

func badRow(line int, column, value, format string, args ...any) error {
	return &rowError{Problem{Line: line, Column: column, Value: value, Reason: fmt.Sprintf(format, args...)}}
}

// Limits of a file.
const (
	maxLine    = 1 << 20 // bytes of a row as written; escapes make it longer than it is
	maxSources = 500     // columns of a file, of which a table takes 100
	maxRows    = 2_000_000
)

// openRecords reads a file of a format, without its byte order mark. Errors:
// fault invalid for what is no UTF-8 from the beginning.
func openRecords(format Format, r io.Reader) (records, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if err := checkEncoding(in); err != nil {
		return nil, err
	}
	if format == CSV {
		return openCSV(in)
	}
	return &ndjsonRecords{in: in, index: map[string]int{}}, nil
}

// checkEncoding drops a byte order mark of UTF-8 and refuses other encodings.
func checkEncoding(in *bufio.Reader) error {
	first, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read file: %w", err)
	}
	switch {
	case bytes.HasPrefix(first, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // they were seen
	case bytes.HasPrefix(first, []byte("\xff\xfe")), bytes.HasPrefix(first, []byte("\xfe\xff")),
		len(first) >= 2 && (first[0] == 0) != (first[1] == 0):
		return fault.New(fault.Invalid, "The file is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8) and import that.")
	case bytes.HasPrefix(first, []byte("PK\x03\x04")):
		return fault.New(fault.Invalid, "The file is a zip or a spreadsheet; import the CSV in it, or save a sheet as CSV.")
	case bytes.HasPrefix(first, []byte("\x1f\x8b")):
		return fault.New(fault.Invalid, "The file is compressed; import what is in it.")
	case bytes.HasPrefix(first, []byte("SQLi")):
		return fault.New(fault.Invalid, "The file is a SQLite database; upload and restore it.")
	}
	return nil
}

// csvRecords reads CSV with a header.
type csvRecords struct {
	in     *csvfile.Reader
	header []string
	record record
}

func openCSV(in io.Reader) (*csvRecords, error) {
	c := &csvRecords{in: csvfile.NewReader(in)}
	c.in.MaxRecord, c.in.MaxFields = maxLine, maxSources
	c.in.Sniff()
	fields, err := c.in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "The file is empty; its first line must be the names of the columns.")
	}
	if err != nil {
		return nil, c.failed(err)
	}
	for i, f := range fields {
		if !utf8.Valid(f.Text) {
			return nil, &fileError{Problem{Line: 1, Reason: fmt.Sprintf("The name of column %d is not UTF-8; save the file as UTF-8.", i+1)}}
		}
		c.header = append(c.header, strings.TrimSpace(string(f.Text)))
	}
	c.record.cells = make([]cell, len(c.header))
	return c, nil
}

func (c *csvRecords) failed(err error) error {
	var syntax *csvfile.SyntaxError
	if errors.As(err, &syntax) {
		return &fileError{Problem{Line: syntax.Line, Reason: "The file cannot be read further: " + syntax.Reason + "."}}
	}
	return err
}

func (c *csvRecords) columns() []string { return c.header }

func (c *csvRecords) next() (*record, error) {
	for {
		fields, err := c.in.Read()
		if err != nil {
			return nil, c.failed(err)
		}
		if len(fields) == 1 && fields[0].Null && len(c.header) > 1 {
			continue // a blank line, as at the end of many files
		}
		if len(fields) != len(c.header) {
			return nil, badRow(c.in.Line(), "", "", "The row has %d fields, and the header %d.", len(fields), len(c.header))
		}
		c.record.line = c.in.Line()
		for i, f := range fields {
			c.record.cells[i] = cell{given: true, null: f.Null, text: f.Text}
		}
		return &c.record, nil
	}
}

// ndjsonRecords reads one JSON object a line.
type ndjsonRecords struct {
	in     *bufio.Reader
	line   int
	names  []string
	index  map[string]int
	buf    []byte
	record record
}

func (n *ndjsonRecords) columns() []string { return n.names }

func (n *ndjsonRecords) next() (*record, error) {
	for {
		text, err := n.readLine()
		if err != nil {
			return nil, err
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return n.parse(text)
		}
	}
}

// readLine gives the next line. The rest of one that is too long is left out.
func (n *ndjsonRecords) readLine() ([]byte, error) {
	n.buf = n.buf[:0]
	n.line++
	for {
		part, err := n.in.ReadSlice('\n')
		if len(n.buf) <= maxLine {
			n.buf = append(n.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(n.buf) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case len(n.buf) > maxLine:
			return nil, badRow(n.line, "", "", "The line is longer than %d bytes.", maxLine)
		}
		return n.buf, nil
	}
}

func (n *ndjsonRecords) parse(text []byte) (*record, error) {
	if !utf8.Valid(text) {
		return nil, badRow(n.line, "", "", "The line is not UTF-8.")
	}
	clear(n.record.cells)
	n.record.line = n.line
	s := strictjson.New(text)
	if s.Kind() != strictjson.Object {
		return nil, badRow(n.line, "", shorten(string(text)), `The line must be a JSON object, such as {"title":"First"}.`)
	}
	err := s.Object(func(key []byte) error {
		i, err := n.column(string(key))
		if err != nil {
			return err
		}
		raw, err := s.Raw()
		n.record.cells[i] = cell{given: true, null: string(raw) == "null", json: raw}
		return err
	})
	if err == nil {
		err = s.End()
	}
	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		return nil, badRow(n.line, "", "", "The line is no JSON object: %s.", syntax.Reason)
	}
	return &n.record, err
}

func (n *ndjsonRecords) column(name string) (int, error) {
	i, known := n.index[name]
	if !known {
		if i = len(n.names); i == maxSources {
			return 0, &fileError{Problem{Line: n.line, Reason: fmt.Sprintf("The rows have more than %d different columns.", maxSources)}}
		}
		n.names, n.index[name] = append(n.names, name), i
	}
	for len(n.record.cells) <= i {
		n.record.cells = append(n.record.cells, cell{})
	}
	return i, nil
}

// shorten cuts what a file holds for a report.
func shorten(text string) string {
	const most = 60
	text = strings.ToValidUTF8(text, "\ufffd")
	for i := range text {
		if i >= most {
			return text[:i] + "…"
		}
	}
	return text
}

// raw gives a cell as the JSON that a request would have for a column, and
// false for null. It may be written to buf.
func (c *cell) raw(buf *[]byte, t schema.Type) ([]byte, bool) {
	switch {
	case !c.given || c.null:
		return nil, false
	case c.json != nil:
		return c.json, true
	case len(c.text) == 0 && t != schema.Text:
		return nil, false // of a file that puts every field in quotes
	}
	text := bytes.TrimSpace(c.text)
	switch t {
	case schema.Integer, schema.Number, schema.Timestamp:
		if strictjson.IsNumber(string(text)) {
			return text, true
		}
	case schema.Boolean:
		if b, ok := booleans[string(text)]; ok {
			return b, true
		}
	case schema.JSONType:
		return text, true
	case schema.Text, schema.Enum:
		text = c.text
	default:
	}
	*buf = strictjson.AppendString((*buf)[:0], string(text))
	return *buf, true
}

// booleans are what CSV may say for a column that is one.
var booleans = map[string][]byte{
	"true": []byte("true"), "TRUE": []byte("true"), "True": []byte("true"), "1": []byte("true"),
	"false": []byte("false"), "FALSE": []byte("false"), "False": []byte("false"), "0": []byte("false"),
}

// show is a cell in a report.
func (c *cell) show() string {
	if c.json != nil {
		return shorten(string(c.json))
	}
	return shorten(string(c.text))
}
