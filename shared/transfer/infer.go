package transfer

import (
	"bytes"
	"strconv"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// types is a set of column types.
type types uint

const (
	isBoolean types = 1 << iota
	isInteger
	isNumber
	isDate
	isTimestamp
	isJSON
	isText
	anything = 1<<iota - 1
)

// choices are the types of a set, the one to choose first. JSON that is no
// text comes before text in CSV; in NDJSON texts are no JSON worth the name.
var (
	csvChoices = []struct {
		is   types
		name schema.Type
	}{
		{isBoolean, schema.Boolean}, {isInteger, schema.Integer}, {isNumber, schema.Number}, {isDate, schema.Date},
		{isTimestamp, schema.Timestamp}, {isJSON, schema.JSONType}, {isText, schema.Text},
	}
	ndjsonChoices = append(append(csvChoices[:5:5], csvChoices[6]), csvChoices[5])
)

// inferred is what the values of one column have in common.
type inferred struct {
	fits   types
	seen   bool
	values []string        // different texts, in their order, for an enum
	known  map[string]bool // nil: no enum is asked for
}

// maxEnum is how many values an enum has at most.
const maxEnum = 100

func newInferred(enum bool) *inferred {
	c := &inferred{fits: anything}
	if enum {
		c.known = map[string]bool{}
	}
	return c
}

// add looks at one more value.
func (c *inferred) add(v *cell) {
	if !v.given || v.null {
		return
	}
	c.seen = true
	if v.json != nil {
		c.fits &= typesOfJSON(v.json)
	} else if len(v.text) > 0 {
		c.fits &= typesOfText(v.text)
	}
	if c.known == nil || len(c.values) > maxEnum {
		return
	}
	text := v.plain()
	if text != "" && !c.known[text] {
		c.known[text] = true
		c.values = append(c.values, text)
	}
}

// plain is a cell as a text.
func (c *cell) plain() string {
	if c.json == nil {
		return string(c.text)
	}
	if text, err := strictjson.New(c.json).String(); err == nil && c.json[0] == '"' {
		return text
	}
	return string(c.json)
}

// column is the definition that the values suggest.
func (c *inferred) column(name string, format Format) schema.Column {
	col := schema.Column{Name: name, Type: schema.Text}
	if c.known != nil {
		col.Type, col.Values = schema.Enum, c.values
		return col
	}
	choices := csvChoices
	if format == NDJSON {
		choices = ndjsonChoices
	}
	for _, choice := range choices {
		if c.seen && c.fits != anything && c.fits&choice.is != 0 {
			col.Type = choice.name
			break
		}
	}
	return col
}

// typesOfText are the types that a field of CSV may be of. A number that
// would be written differently, as 007, is a text: it may be a code.
func typesOfText(text []byte) types {
	fits := isText
	switch s := string(text); {
	case s == "true", s == "TRUE", s == "True", s == "false", s == "FALSE", s == "False":
		fits |= isBoolean
	case strictjson.IsNumber(s):
		fits |= typesOfNumber(s)
	case text[0] == '{' || text[0] == '[':
		if _, err := schema.CanonicalJSON(text); err == nil {
			fits |= isJSON
		}
	default:
		fits |= typesOfTime(strictjson.AppendString(nil, s))
	}
	return fits
}

func typesOfNumber(s string) types {
	fits := types(0)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= -schema.MaxInteger && n <= schema.MaxInteger && s != "-0" {
		fits |= isInteger
	}
	if _, err := strictjson.Float(s); err == nil {
		fits |= isNumber
	}
	return fits
}

var (
	aDate = &schema.Column{Type: schema.Date}
	aTime = &schema.Column{Type: schema.Timestamp}
)

// typesOfTime are date and timestamp, where a JSON string is one.
func typesOfTime(raw []byte) types {
	const shortest, longest = len(`"2026-11-23"`), 40
	if len(raw) < shortest || len(raw) > longest || raw[1] < '0' || raw[1] > '9' {
		return 0
	}
	if _, err := schema.Canonical(aDate, raw); err == nil {
		return isDate
	}
	if _, err := schema.Canonical(aTime, raw); err == nil {
		return isTimestamp
	}
	return 0
}

// typesOfJSON are the types that a JSON value may be of.
func typesOfJSON(raw []byte) types {
	raw = bytes.TrimSpace(raw)
	switch strictjson.New(raw).Kind() {
	case strictjson.Bool:
		return isBoolean | isJSON
	case strictjson.Number:
		return typesOfNumber(string(raw)) | isJSON
	case strictjson.String:
		return typesOfTime(raw) | isText | isJSON
	default:
		return isJSON
	}
}

// parseType reads a type that a request names.
func parseType(name string) (schema.Type, error) {
	switch t := schema.Type(name); t {
	case schema.Text, schema.Integer, schema.Number, schema.Boolean, schema.Timestamp, schema.Date, schema.JSONType, schema.Enum:
		return t, nil
	}
	return "", fault.New(fault.Invalid, "A type is one of text, integer, number, boolean, timestamp, date, json and enum.")
}
