package strictjson

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Errors of Int and Float: why a number is not one of those asked for.
var (
	ErrNotIntegral = errors.New("it is not a whole number")
	ErrRange       = errors.New("it is out of range")
	ErrInexact     = errors.New("it has more digits than a number can carry")
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// Number consumes a number and returns its text, a part of the scanned data.
func (s *Scanner) Number() ([]byte, error) {
	s.space()
	n := numberLen(s.data[s.pos:])
	if n == 0 {
		return nil, s.fail("a number is malformed")
	}
	s.pos += n
	return s.data[s.pos-n : s.pos], nil
}

// IsNumber reports whether text is a JSON number and nothing else.
func IsNumber(text string) bool {
	return text != "" && numberLen([]byte(text)) == len(text)
}

// numberLen is the length of the number (RFC 8259 section 6) that data begins
// with, 0 when it begins with none.
func numberLen(data []byte) int {
	i := 0
	if i < len(data) && data[i] == '-' {
		i++
	}
	n := digits(data[i:])
	if n == 0 || n > 1 && data[i] == '0' {
		return 0
	}
	i += n
	if i < len(data) && data[i] == '.' {
		if n = digits(data[i+1:]); n == 0 {
			return 0
		}
		i += 1 + n
	}
	return exponentEnd(data, i)
}

func exponentEnd(data []byte, i int) int {
	if i == len(data) || data[i]|0x20 != 'e' {
		return i
	}
	i++
	if i < len(data) && (data[i] == '+' || data[i] == '-') {
		i++
	}
	n := digits(data[i:])
	if n == 0 {
		return 0
	}
	return i + n
}

func digits(data []byte) int {
	for i, c := range data {
		if !isDigit(c) {
			return i
		}
	}
	return len(data)
}

// Int gives the value of a JSON number that is whole and within ±limit; 1.0
// and 1e3 are whole. It never rounds. Errors: ErrNotIntegral, ErrRange.
func Int(number string, limit int64) (int64, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		n, err = parseDecimal(number)
	}
	if err == nil && (n > limit || n < -limit) {
		err = ErrRange
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// parseDecimal reads a number with a fraction or an exponent as digits times
// a power of ten, so that neither precision nor the size of the exponent matters.
func parseDecimal(number string) (int64, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	text, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	all := strings.TrimLeft(whole+fraction, "0")
	if all == "" {
		return 0, nil
	}
	significant := strings.TrimRight(all, "0")
	power := parseExponent(exponent) - len(fraction) + len(all) - len(significant)
	switch {
	case power < 0:
		return 0, ErrNotIntegral
	case len(significant)+power > 18:
		return 0, ErrRange
	}
	n, err := strconv.ParseInt(significant+strings.Repeat("0", power), 10, 64)
	if negative {
		n = -n
	}
	return n, err
}

// parseExponent reads an exponent, cut at a billion, beyond every text we read.
func parseExponent(text string) int {
	const most = 1_000_000_000
	n, err := strconv.Atoi(text)
	switch {
	case text == "":
		return 0
	case err != nil && text[0] == '-':
		return -most
	case err != nil:
		return most
	}
	return max(-most, min(n, most))
}

// Float gives the double next to a JSON number, -0 as 0. A whole number with
// more digits than a double carries, one too large, and one that would become
// 0 are refused. Errors: ErrInexact, ErrRange.
func Float(number string) (float64, error) {
	f, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || f == 0 && !isZero(number):
		return 0, ErrRange
	case f == 0:
		return 0, nil
	case len(number) > 15 && !strings.ContainsAny(number, ".eE") && strconv.FormatFloat(f, 'f', -1, 64) != number:
		return 0, ErrInexact
	}
	return f, nil
}

func isZero(number string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(number), "e")
	return !strings.ContainsAny(mantissa, "123456789")
}

// AppendNumber appends a finite number as ECMAScript writes it (RFC 8785
// section 3.2.2.3), which is the shortest text that reads back as f.
func AppendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0') // also -0
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1] // ECMAScript writes 1e-7 where Go writes 1e-07
		dst = dst[:n-1]
	}
	return dst
}
