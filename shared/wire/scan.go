package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// scanner walks a JSON text that json.Valid has accepted; on any other text
// its behaviour is undefined.
type scanner struct {
	data []byte
	at   int
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// take skips one byte when it is the next one after white space.
func (s *scanner) take(b byte) bool {
	s.space()
	if s.at < len(s.data) && s.data[s.at] == b {
		s.at++
		return true
	}
	return false
}

// value skips one value and returns its text.
func (s *scanner) value() json.RawMessage {
	s.space()
	start := s.at
	for depth := 0; s.at < len(s.data); {
		switch s.data[s.at] {
		case '"':
			s.quoted()
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\n', '\r':
			s.at++
			continue
		default:
			s.literal()
		}
		if depth <= 0 {
			break
		}
	}
	return s.data[start:s.at]
}

func (s *scanner) quoted() {
	for s.at++; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return
		}
	}
}

func (s *scanner) literal() {
	end := bytes.IndexAny(s.data[s.at:], ",:]}[{\" \t\n\r")
	if end < 0 {
		end = len(s.data) - s.at
	}
	s.at += max(end, 1)
}

// members calls fn for each member of an object, in order.
func members(object json.RawMessage, fn func(name string, value json.RawMessage) error) error {
	s := scanner{data: object}
	for more := s.take('{') && !s.take('}'); more; more = s.take(',') {
		name, err := text(s.value())
		if err != nil {
			return err
		}
		s.take(':')
		if err := fn(name, s.value()); err != nil {
			return err
		}
	}
	return nil
}

// elements calls fn for each element of an array, in order.
func elements(array json.RawMessage, fn func(i int, value json.RawMessage) error) error {
	s := scanner{data: array}
	i := 0
	for more := s.take('[') && !s.take(']'); more; more = s.take(',') {
		if err := fn(i, s.value()); err != nil {
			return err
		}
		i++
	}
	return nil
}

// text decodes a JSON string.
func text(raw json.RawMessage) (string, error) {
	if len(raw) >= 2 && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// kind names the type of a JSON value: object, array, string, number, boolean
// or null.
func kind(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// check accepts one JSON text in UTF-8 that is not nested too deeply.
func check(data []byte) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("the text is not UTF-8")
	}
	if tooDeep(data) {
		return fmt.Errorf("more than %d levels of arrays and objects", MaxDepth)
	}
	if !json.Valid(data) {
		return fmt.Errorf("the text is not JSON")
	}
	return nil
}

func tooDeep(data []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case inText && b == '\\':
			i++
		case b == '"':
			inText = !inText
		case inText:
		case b == '{' || b == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}
