package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema/strictjson"
)

// Canonical brings a JSON value of a request into the canonical form of the
// column's type and checks it against all that the column asks for; null is
// nil. What it accepts:
//
//	text       a string without U+0000
//	integer    a whole number within ±MaxInteger, also written 1.0 or 1e3
//	number     a number that a double can carry, -0 becoming 0
//	boolean    true or false
//	timestamp  an RFC 3339 string of any offset, what is below a millisecond
//	           being left out, or whole milliseconds since 1970
//	date       a string YYYY-MM-DD that names a day of the calendar
//	json       anything that CanonicalJSON accepts
//	enum       one of the column's values
//
// Errors: a fault invalid without a path, telling what is allowed and,
// shortened, what was given.
func Canonical(col *Column, raw json.RawMessage) (Value, error) {
	v, err := parse(col, raw)
	if err == nil {
		err = check(col, v)
	}
	if v == nil && err == nil && col.Required {
		err = fault.New(fault.Invalid, "is required and must not be null")
	}
	return orNil(v, about(col.Name, err))
}

// about makes subject the subject of a fault's sentence.
func about(subject string, err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	c := *f
	c.Reason = subject + " " + c.Reason
	return &c
}

func parse(col *Column, raw []byte) (Value, error) {
	s := strictjson.New(raw)
	if s.Kind() == strictjson.Null {
		return nil, whole(s, s.Null())
	}
	switch col.Type {
	case Text, Enum:
		return parseText(col, s, raw)
	case Integer:
		return parseInteger(s, raw)
	case Number:
		return parseNumber(s, raw)
	case Boolean:
		return parseBoolean(s, raw)
	case Timestamp:
		return parseTimestamp(s, raw)
	case Date:
		return parseDate(s, raw)
	case JSONType:
		j, err := CanonicalJSON(raw)
		return orNil(j, err)
	}
	return nil, fault.New(fault.Internal, "there is no type %q", string(col.Type))
}

// whole turns an error of reading the one value of s into a fault.
func whole(s *strictjson.Scanner, err error) error {
	if err == nil {
		err = s.End()
	}
	if err == nil {
		return nil
	}
	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		return fault.New(fault.Invalid, "is not valid JSON: %s", syntax.Reason)
	}
	return err
}

// refuse tells what is allowed and, shortened, what was given.
func refuse(allowed string, given []byte) error {
	return fault.New(fault.Invalid, "must be %s, but %s was given", allowed, shorten(string(given)))
}

// shorten cuts text for an error message.
func shorten(text string) string {
	const most = 60
	text = strings.ToValidUTF8(strings.TrimSpace(text), "\ufffd")
	for i := range text {
		if i >= most {
			return text[:i] + "…"
		}
	}
	return text
}

// stringOf reads a string; allowed is said when it is something else.
func stringOf(s *strictjson.Scanner, raw []byte, allowed string) (string, error) {
	if s.Kind() != strictjson.String {
		return "", refuse(allowed, raw)
	}
	text, err := s.String()
	if err = whole(s, err); err != nil {
		return "", err
	}
	return text, noNUL(text)
}

func noNUL(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return fault.New(fault.Invalid, "must not contain the character U+0000")
	}
	return nil
}

func numberOf(s *strictjson.Scanner, raw []byte, allowed string) (string, error) {
	if s.Kind() != strictjson.Number {
		return "", refuse(allowed, raw)
	}
	number, err := s.Number()
	return string(number), whole(s, err)
}

func parseText(col *Column, s *strictjson.Scanner, raw []byte) (Value, error) {
	allowed := "text"
	if col.Type == Enum {
		allowed = oneOf(col.Values)
	}
	text, err := stringOf(s, raw, allowed)
	if err != nil {
		return nil, err
	}
	return text, nil
}

const wholeNumber = "a whole number between -9007199254740991 and 9007199254740991"

func parseInteger(s *strictjson.Scanner, raw []byte) (Value, error) {
	number, err := numberOf(s, raw, wholeNumber)
	if err != nil {
		return nil, err
	}
	n, err := strictjson.Int(number, MaxInteger)
	if err != nil {
		return nil, refuse(wholeNumber, raw)
	}
	return n, nil
}

func parseNumber(s *strictjson.Scanner, raw []byte) (Value, error) {
	number, err := numberOf(s, raw, "a number")
	if err != nil {
		return nil, err
	}
	f, err := strictjson.Float(number)
	switch {
	case errors.Is(err, strictjson.ErrInexact):
		return nil, refuse("a number that a 64-bit float can carry exactly (larger whole numbers can be kept as text)", raw)
	case err != nil:
		return nil, refuse("a finite number that a 64-bit float can carry", raw)
	}
	return f, nil
}

func parseBoolean(s *strictjson.Scanner, raw []byte) (Value, error) {
	if s.Kind() != strictjson.Bool {
		return nil, refuse("true or false", raw)
	}
	b, err := s.Bool()
	if err = whole(s, err); err != nil {
		return nil, err
	}
	return b, nil
}

// check tests a canonical value of the column's type against what the column
// asks for beside its type. Required is not checked here.
func check(col *Column, v Value) error {
	switch v := v.(type) {
	case string:
		return checkText(col, v)
	case int64:
		return checkRange(col, float64(v), v)
	case float64:
		return checkRange(col, v, v)
	}
	return nil
}

func checkText(col *Column, text string) error {
	if col.Type == Enum && !contains(col.Values, text) {
		return refuse(oneOf(col.Values), strictjson.AppendString(nil, text))
	}
	if col.MaxLength == 0 || len(text) <= col.MaxLength {
		return nil
	}
	if n := utf8.RuneCountInString(text); n > col.MaxLength {
		return fault.New(fault.Invalid, "must have at most %d characters, but has %d", col.MaxLength, n)
	}
	return nil
}

func checkRange(col *Column, f float64, v Value) error {
	switch {
	case col.Min != nil && f < *col.Min:
		return fault.New(fault.Invalid, "must be at least %s, but %s was given", formatNumber(*col.Min), AppendJSON(nil, v))
	case col.Max != nil && f > *col.Max:
		return fault.New(fault.Invalid, "must be at most %s, but %s was given", formatNumber(*col.Max), AppendJSON(nil, v))
	}
	return nil
}

func formatNumber(f float64) string { return string(strictjson.AppendNumber(nil, f)) }

func contains(values []string, text string) bool {
	for _, v := range values {
		if v == text {
			return true
		}
	}
	return false
}

// oneOf names the values of an enum, the first few when they are many or long.
func oneOf(values []string) string {
	const enough = 120
	list, separator := "one of ", ""
	for i, v := range values {
		if i > 0 && len(list)+len(v) > enough {
			return fmt.Sprintf("%s and %d others", list, len(values)-i)
		}
		list += separator + shorten(v)
		separator = ", "
	}
	return list
}
