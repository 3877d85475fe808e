// Package strictjson reads JSON without forgiving anything, and writes its
// strings and numbers in their one canonical form (RFC 8785).
//
// encoding/json replaces invalid UTF-8 and lone surrogates silently and lets
// the last of two equal keys win. What the log keeps for ever must not depend
// on such repairs, so here both are errors. Reading is one pass without
// reflection, because every entry of a room's log is read this way.
package strictjson

import (
	"fmt"
)

// MaxDepth is how deep arrays and objects may nest. It bounds the stack.
const MaxDepth = 128

// Kind is what the next value is.
type Kind byte

// The kinds of value. None is the end of the text or no value at all.
const (
	None   Kind = 0
	Null   Kind = 'n'
	Bool   Kind = 't'
	Number Kind = '0'
	String Kind = '"'
	Array  Kind = '['
	Object Kind = '{'
)

// SyntaxError says what is wrong, and at which byte.
type SyntaxError struct {
	Offset int
	Reason string
}

// Error gives the reason with its place.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}

// Scanner reads one JSON text value by value. Its methods consume the next
// value, or return a *SyntaxError; after an error it must not be used.
type Scanner struct {
	data  []byte
	pos   int
	depth int
}

// New returns a scanner of data, which must not change while it is used.
func New(data []byte) *Scanner { return &Scanner{data: data} }

// Kind tells what the next value is without consuming it.
func (s *Scanner) Kind() Kind {
	s.space()
	if s.pos == len(s.data) {
		return None
	}
	switch c := s.data[s.pos]; {
	case c == '"' || c == '[' || c == '{' || c == 'n':
		return Kind(c)
	case c == 't' || c == 'f':
		return Bool
	case c == '-' || isDigit(c):
		return Number
	}
	return None
}

// End checks that nothing but white space is left.
func (s *Scanner) End() error {
	if s.space(); s.pos < len(s.data) {
		return s.fail("there is more after the end of the value")
	}
	return nil
}

// Null consumes null.
func (s *Scanner) Null() error { return s.word("null") }

// Bool consumes true or false.
func (s *Scanner) Bool() (bool, error) {
	if s.space(); s.pos < len(s.data) && s.data[s.pos] == 't' {
		return true, s.word("true")
	}
	return false, s.word("false")
}

// Raw consumes any value and returns its text, a part of the scanned data.
func (s *Scanner) Raw() ([]byte, error) {
	s.space()
	start := s.pos
	if err := s.Skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}

// Skip consumes any value and checks it.
func (s *Scanner) Skip() (err error) {
	switch s.Kind() {
	case Null:
		return s.Null()
	case Bool:
		_, err = s.Bool()
	case Number:
		_, err = s.Number()
	case String:
		_, err = s.Bytes()
	case Array:
		return s.Array(func(int) error { return s.Skip() })
	case Object:
		return s.Object(func([]byte) error { return s.Skip() })
	default:
		return s.fail("a value is missing")
	}
	return err
}

// Array consumes an array; element must consume one value each time.
func (s *Scanner) Array(element func(i int) error) error {
	if err := s.open('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if done, err := s.next(']', i == 0); done || err != nil {
			return err
		}
		if err := element(i); err != nil {
			return err
		}
	}
}

// Object consumes an object; member must consume one value each time. The key
// is valid until member returns. A key that comes twice is an error.
func (s *Scanner) Object(member func(key []byte) error) error {
	if err := s.open('{'); err != nil {
		return err
	}
	var seen keySet
	for first := true; ; first = false {
		if done, err := s.next('}', first); done || err != nil {
			return err
		}
		key, err := s.key(&seen)
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

func (s *Scanner) key(seen *keySet) ([]byte, error) {
	key, err := s.Bytes()
	if err != nil {
		return nil, err
	}
	if !seen.add(key) {
		return nil, s.fail("the key %.60q comes twice", key)
	}
	return key, s.expect(':')
}

func (s *Scanner) open(c byte) error {
	if s.depth++; s.depth > MaxDepth {
		return s.fail("it nests deeper than %d levels", MaxDepth)
	}
	return s.expect(c)
}

// next steps to the next element, or over the closing bracket.
func (s *Scanner) next(closing byte, first bool) (done bool, err error) {
	if s.space(); s.pos < len(s.data) && s.data[s.pos] == closing {
		s.pos++
		s.depth--
		return true, nil
	}
	if first {
		return false, nil
	}
	return false, s.expect(',')
}

func (s *Scanner) expect(c byte) error {
	if s.space(); s.pos == len(s.data) || s.data[s.pos] != c {
		return s.fail("%q is missing", c)
	}
	s.pos++
	return nil
}

func (s *Scanner) word(w string) error {
	s.space()
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return s.fail("%s is missing", w)
	}
	s.pos += len(w)
	return nil
}

func (s *Scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *Scanner) fail(format string, args ...any) error {
	return &SyntaxError{Offset: s.pos, Reason: fmt.Sprintf(format, args...)}
}

// keySet finds repeated keys: by comparing while they are few, as they are in
// nearly every object, and by a map beyond, so that many keys stay cheap.
type keySet struct {
	few  [12][]byte
	n    int
	many map[string]struct{}
}

func (k *keySet) add(key []byte) bool {
	if k.many != nil {
		return k.addMany(string(key))
	}
	for i := range k.n {
		if string(k.few[i]) == string(key) {
			return false
		}
	}
	if k.n == len(k.few) {
		k.many = make(map[string]struct{}, 4*k.n)
		for _, old := range k.few {
			k.many[string(old)] = struct{}{}
		}
		return k.addMany(string(key))
	}
	k.few[k.n] = key
	k.n++
	return true
}

func (k *keySet) addMany(key string) bool {
	if _, ok := k.many[key]; ok {
		return false
	}
	k.many[key] = struct{}{}
	return true
}
