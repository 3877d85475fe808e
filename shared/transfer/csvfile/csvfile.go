// Package csvfile reads and writes CSV (RFC 4180) so that every value comes
// back as it was: what encoding/csv cannot do, which takes CRLF in a field for
// LF, a record of one empty field for no record, and an empty text for a
// missing one.
//
// A field without quotes and without characters is a null; one of two quotes
// is an empty text. Lines end in LF or CRLF. Nothing is trimmed, and nothing
// is put before a field that a spreadsheet would take for a formula: the file
// holds the data.
package csvfile

import "bytes"

// Field is one field of a record. Text is valid until the next record is
// read.
type Field struct {
	Text []byte
	Null bool // neither characters nor quotes
}

// AppendField appends a field, quoted where it must be.
func AppendField(dst []byte, text []byte) []byte {
	if len(text) > 0 && !bytes.ContainsAny(text, ",\"\r\n") {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return append(append(dst, text...), '"')
		}
		dst = append(append(dst, text[:i+1]...), '"')
		text = text[i+1:]
	}
}
