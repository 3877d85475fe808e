package schema

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"unicode/utf8"
)

var errCanonical = errors.New("there is no canonical value")

// DecodeCanonical reads a value that AppendCanonical wrote at the beginning of
// src, and gives what follows it. It refuses what is no canonical value, but
// for one thing: of JSON it is only checked that it is UTF-8 without U+0000.
// The texts it returns are copies. Its errors are not for users.
func DecodeCanonical(src []byte) (v Value, rest []byte, err error) {
	if len(src) == 0 {
		return nil, nil, errCanonical
	}
	tag, src := src[0], src[1:]
	switch tag {
	case tagNull:
		return nil, src, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, src, nil
	case tagString, tagJSON:
		return decodeText(tag, src)
	case tagInt, tagFloat, tagMillis:
		return decodeWord(tag, src)
	}
	return nil, nil, errCanonical
}

func decodeText(tag byte, src []byte) (Value, []byte, error) {
	n, used := binary.Uvarint(src)
	if used <= 0 || n > uint64(len(src)-used) {
		return nil, nil, errCanonical
	}
	text, rest := string(src[used:used+int(n)]), src[used+int(n):]
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return nil, nil, errCanonical
	}
	if tag == tagJSON {
		if text == "" || text == "null" {
			return nil, nil, errCanonical
		}
		return JSON(text), rest, nil
	}
	return text, rest, nil
}

func decodeWord(tag byte, src []byte) (Value, []byte, error) {
	if len(src) < 8 {
		return nil, nil, errCanonical
	}
	word, rest := binary.BigEndian.Uint64(src), src[8:]
	switch tag {
	case tagInt:
		if n := int64(word); -MaxInteger <= n && n <= MaxInteger {
			return n, rest, nil
		}
	case tagMillis:
		if m := Millis(word); m.valid() {
			return m, rest, nil
		}
	case tagFloat:
		if f := math.Float64frombits(word); !math.IsNaN(f) && !math.IsInf(f, 0) && word != 1<<63 {
			return f, rest, nil
		}
	}
	return nil, nil, errCanonical
}
