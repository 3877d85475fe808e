package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// SyntaxError is a place where the text is no CSV. Nothing after it can be
// read.
type SyntaxError struct {
	Line   int // from 1
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Reader reads records. Its memory is that of the largest record, which
// MaxRecord bounds.
type Reader struct {
	Comma     byte // between fields
	MaxRecord int  // bytes of a record
	MaxFields int  // of a record

	in     *bufio.Reader
	line   int // of the line that is read next
	begins int // the line that the last record began at
	text   []byte
	bounds []bound
	fields []Field
}

// bound is where a field lies in the record's text.
type bound struct {
	from, to int
	quoted   bool
}

// NewReader returns a reader of comma separated records of up to 1 MB and
// 1,000 fields.
func NewReader(r io.Reader) *Reader {
	return &Reader{Comma: ',', MaxRecord: 1 << 20, MaxFields: 1000, in: bufio.NewReaderSize(r, 64<<10), line: 1}
}

// Sniff sets Comma to the one of , ; tab and | that occurs most in the first
// line outside of quotes, and a comma when none does.
func (r *Reader) Sniff() {
	first, _ := r.in.Peek(r.in.Size()) // what went wrong is met again by Read
	counts, quoted := map[byte]int{}, false
	for _, c := range first {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			r.Comma = most(counts)
			return
		case !quoted:
			counts[c]++
		}
	}
	r.Comma = most(counts)
}

func most(counts map[byte]int) byte {
	best := byte(',')
	for _, c := range []byte(";\t|") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// Line is the line, from 1, that the last record began at.
func (r *Reader) Line() int { return r.begins }

// Read gives the next record, or io.EOF. The fields are the reader's until the
// next call. Errors: *SyntaxError, or what reading gave.
func (r *Reader) Read() ([]Field, error) {
	r.text, r.bounds, r.begins = r.text[:0], r.bounds[:0], r.line
	if _, err := r.in.Peek(1); err != nil {
		return nil, err
	}
	for {
		ended, err := r.field()
		if err != nil {
			return nil, err
		}
		if len(r.bounds) > r.MaxFields {
			return nil, r.fail("a record has more than %d fields", r.MaxFields)
		}
		if ended {
			return r.record(), nil
		}
	}
}

func (r *Reader) record() []Field {
	r.fields = r.fields[:0]
	for _, b := range r.bounds {
		r.fields = append(r.fields, Field{Text: r.text[b.from:b.to], Null: b.from == b.to && !b.quoted})
	}
	return r.fields
}

func (r *Reader) fail(format string, args ...any) error {
	return &SyntaxError{Line: r.begins, Reason: fmt.Sprintf(format, args...)}
}

// field reads one field and what ends it; ended: that was the record's end.
func (r *Reader) field() (ended bool, err error) {
	b := bound{from: len(r.text), quoted: r.follows('"')}
	if !b.quoted {
		ended, err = r.plain()
		b.to = len(r.text)
	} else if err = r.quoted(); err == nil {
		b.to = len(r.text)
		ended, err = r.separator()
	}
	r.bounds = append(r.bounds, b)
	return ended, err
}

// follows reports whether c is what is read next.
func (r *Reader) follows(c byte) bool {
	next, err := r.in.Peek(1)
	return err == nil && next[0] == c
}

// plain reads a field without quotes, with what ends it.
func (r *Reader) plain() (ended bool, err error) {
	for {
		c, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return false, err
		case c == r.Comma:
			return false, nil
		case c == '\n':
			r.line++
			return true, nil
		case c == '\r' && r.follows('\n'):
			continue
		case c == '"':
			return false, r.fail("there is a quote within a field without quotes; quote the field and double the quote")
		}
		if r.text = append(r.text, c); len(r.text) > r.MaxRecord {
			return false, r.fail("the record is longer than %d bytes", r.MaxRecord)
		}
	}
}

// quoted reads a field in quotes, up to the one that closes it.
func (r *Reader) quoted() error {
	_, _ = r.in.ReadByte() // the opening quote, which was seen
	for {
		part, err := r.in.ReadSlice('"')
		closed := err == nil
		if closed {
			part = part[:len(part)-1]
		}
		r.line += bytes.Count(part, []byte{'\n'})
		if r.text = append(r.text, part...); len(r.text) > r.MaxRecord {
			return r.fail("the record is longer than %d bytes; perhaps a quote is not closed", r.MaxRecord)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return r.fail("a quote is not closed")
		case err != nil:
			return err
		}
		if !r.follows('"') {
			return nil
		}
		_, _ = r.in.ReadByte()
		r.text = append(r.text, '"')
	}
}

// separator reads what follows a field in quotes.
func (r *Reader) separator() (ended bool, err error) {
	c, err := r.in.ReadByte()
	if c == '\r' && err == nil {
		if c, err = r.in.ReadByte(); err == nil && c != '\n' {
			c = '\r'
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil:
		return false, err
	case c == '\n':
		r.line++
		return true, nil
	case c == r.Comma:
		return false, nil
	}
	return false, r.fail("there are characters after the quote that closes a field")
}
