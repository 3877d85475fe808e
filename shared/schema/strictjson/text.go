package strictjson

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// String consumes a string.
func (s *Scanner) String() (string, error) {
	b, err := s.Bytes()
	return string(b), err
}

// Bytes consumes a string and returns its UTF-8, a part of the scanned data
// where it has no escapes.
func (s *Scanner) Bytes() ([]byte, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	start := s.pos
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; {
		case c == '"':
			text := s.data[start:s.pos]
			return text, s.closeString(text)
		case c == '\\':
			return s.unescape(start)
		case c < 0x20:
			return nil, s.fail("a control character in a string must be escaped")
		}
	}
	return nil, s.fail("a string does not end")
}

func (s *Scanner) closeString(text []byte) error {
	if !utf8.Valid(text) {
		return s.fail("a string is not valid UTF-8")
	}
	s.pos++
	return nil
}

// unescape goes on with the string from start at its first backslash.
func (s *Scanner) unescape(start int) ([]byte, error) {
	text := append([]byte(nil), s.data[start:s.pos]...)
	for s.pos < len(s.data) {
		var err error
		switch c := s.data[s.pos]; {
		case c == '"':
			return text, s.closeString(text)
		case c == '\\':
			if text, err = s.escape(text); err != nil {
				return nil, err
			}
		case c < 0x20:
			return nil, s.fail("a control character in a string must be escaped")
		default:
			text = append(text, c)
			s.pos++
		}
	}
	return nil, s.fail("a string does not end")
}

// escapes gives the character of each one-letter escape.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (s *Scanner) escape(text []byte) ([]byte, error) {
	if s.pos+1 == len(s.data) {
		return nil, s.fail("a string does not end")
	}
	c := s.data[s.pos+1]
	if c == 'u' {
		return s.escapeUnicode(text)
	}
	if escapes[c] == 0 {
		return nil, s.fail("a string has an unknown escape")
	}
	s.pos += 2
	return append(text, escapes[c]), nil
}

func (s *Scanner) escapeUnicode(text []byte) ([]byte, error) {
	r, ok := s.hex4()
	if !ok {
		return nil, s.fail(`\u takes four hexadecimal digits`)
	}
	if utf16.IsSurrogate(r) {
		low, ok := s.hex4()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return nil, s.fail("a string has a lone surrogate, which is no character")
		}
	}
	return utf8.AppendRune(text, r), nil
}

// hex4 consumes \uXXXX.
func (s *Scanner) hex4() (rune, bool) {
	if len(s.data)-s.pos < 6 || s.data[s.pos] != '\\' || s.data[s.pos+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s.data[s.pos+2 : s.pos+6] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | d
	}
	s.pos += 6
	return r, true
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case isDigit(c):
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a JSON string in the form of RFC 8785 section
// 3.2.2.2: only what must be escaped is. Bytes that are no UTF-8 become U+FFFD.
func AppendString(dst []byte, text string) []byte {
	start := len(dst) + 1
	dst = append(append(dst, '"'), text...)
	if Plain(dst[start:]) {
		return append(dst, '"')
	}
	return appendEscaped(dst[:start], text)
}

// Plain reports whether text is a JSON string as it is, but for the quotes
// around it: UTF-8 with nothing to escape.
func Plain(text []byte) bool {
	whole, high := text, uint64(0)
	for len(text) >= 8 {
		word := binary.LittleEndian.Uint64(text)
		if mustEscape(word) {
			return false
		}
		high |= word & highs
		text = text[8:]
	}
	for _, c := range text {
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
		high |= uint64(c & 0x80)
	}
	return high == 0 || utf8.Valid(whole)
}

// A byte of ones or of high bits in each place of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// mustEscape reports whether one of eight bytes is a control character, a quote
// or a backslash. x-n*ones borrows into the high bit of a byte below n, and
// &^x leaves out those whose own high bit is set ("Bit Twiddling Hacks",
// Determine if a word has a byte less than n). A borrow may reach a byte beside
// it, but only from one that is found itself.
func mustEscape(x uint64) bool {
	quote, backslash := x^('"'*ones), x^('\\'*ones)
	found := (x-0x20*ones)&^x | (quote-ones)&^quote | (backslash-ones)&^backslash
	return found&highs != 0
}

func appendEscaped(dst []byte, text string) []byte {
	start := 0
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if c < 0x20 || c == '"' || c == '\\' {
				dst = appendEscape(append(dst, text[start:i]...), c)
				start = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(append(dst, text[start:i]...), "\ufffd"...)
			start = i + 1
		}
		i += size
	}
	return append(append(dst, text[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
