package schema

import (
	"regexp"
	"time"

	"nanotypedb/shared/schema/strictjson"
)

// The moments and days that can be kept: the years 0001 to 9999 in UTC, which
// are what RFC 3339 can write.
const (
	minMillis = Millis(-62135596800000) // 0001-01-01T00:00:00.000Z
	maxMillis = Millis(253402300799999) // 9999-12-31T23:59:59.999Z
)

const moment = "an RFC 3339 time such as 2026-11-23T20:21:00Z, or whole milliseconds since 1970, in the years 0001 to 9999"

func parseTimestamp(s *strictjson.Scanner, raw []byte) (Value, error) {
	if s.Kind() == strictjson.Number {
		return parseMillis(s, raw)
	}
	text, err := stringOf(s, raw, moment)
	if err != nil {
		return nil, err
	}
	m, _, ok := momentOf(text)
	if !ok {
		return nil, refuse(moment, raw)
	}
	return m, nil
}

func parseMillis(s *strictjson.Scanner, raw []byte) (Value, error) {
	number, err := numberOf(s, raw, moment)
	if err != nil {
		return nil, err
	}
	n, err := strictjson.Int(number, MaxInteger)
	if m := Millis(n); err == nil && m.valid() {
		return m, nil
	}
	return nil, refuse(moment, raw)
}

func (m Millis) valid() bool { return minMillis <= m && m <= maxMillis }

// Time gives the moment as a time in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// String is the moment on the wire: RFC 3339 in UTC with milliseconds.
func (m Millis) String() string { return string(m.appendText(nil)) }

func (m Millis) appendText(dst []byte) []byte {
	return m.Time().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
}

// rfc3339 is the shape that time.Parse alone does not insist on.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// momentOf reads RFC 3339 of up to nine digits of a second's fraction and
// tells whether nothing below a millisecond was left out.
func momentOf(text string) (m Millis, exact, ok bool) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !rfc3339.MatchString(text) {
		return 0, false, false
	}
	m = Millis(t.UnixMilli())
	return m, t.Nanosecond()%int(time.Millisecond) == 0, m.valid()
}

const day = "a date YYYY-MM-DD of the calendar in the years 0001 to 9999"

func parseDate(s *strictjson.Scanner, raw []byte) (Value, error) {
	text, err := stringOf(s, raw, day)
	if err != nil {
		return nil, err
	}
	if !isDate(text) {
		return nil, refuse(day, raw)
	}
	return text, nil
}

func isDate(text string) bool {
	t, err := time.Parse(time.DateOnly, text)
	return err == nil && len(text) == len(time.DateOnly) && t.Year() >= 1
}
