package schema

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema/strictjson"
)

// Limits of one column.
const (
	maxMaxLength  = MaxRowBytes // a longer text fits no row
	maxEnumValues = 100
	maxEnumLength = 200 // code points of one value
)

// types tells which types there are.
var types = map[Type]bool{
	Text: true, Integer: true, Number: true, Boolean: true, Timestamp: true, Date: true, JSONType: true, Enum: true,
}

const typeNames = "text, integer, number, boolean, timestamp, date, json, enum"

// ParseColumn reads a column as on the wire and checks it: which options its
// type has, their limits, and that the default is a value that the column
// allows. Errors: fault invalid with the option as path.
func ParseColumn(raw json.RawMessage) (Column, error) {
	p := columnParser{scanner: strictjson.New(raw)}
	if p.scanner.Kind() != strictjson.Object {
		return Column{}, refuse(`a column such as {"name":"title","type":"text"}`, raw)
	}
	if err := whole(p.scanner, p.scanner.Object(p.option)); err != nil {
		return Column{}, err
	}
	if err := p.finish(); err != nil {
		return Column{}, err
	}
	return p.column, nil
}

// columnParser keeps the default as given until the type is known.
type columnParser struct {
	scanner      *strictjson.Scanner
	column       Column
	defaultValue []byte
}

func (p *columnParser) option(key []byte) error {
	name := string(key)
	raw, err := p.scanner.Raw()
	if err != nil {
		return err
	}
	name = shorten(name)
	return fault.Under(name, about(name, p.set(name, raw)))
}

func (p *columnParser) set(name string, raw []byte) (err error) {
	c := &p.column
	switch name {
	case "name":
		c.Name, err = optionText(raw)
	case "type":
		var t string
		t, err = optionText(raw)
		c.Type = Type(t)
	case "required":
		c.Required, err = optionBool(raw)
	case "unique":
		c.Unique, err = optionBool(raw)
	case "embed":
		c.Embed, err = optionBool(raw)
	case "maxLength":
		c.MaxLength, err = optionLength(raw)
	case "min":
		c.Min, err = optionNumber(raw)
	case "max":
		c.Max, err = optionNumber(raw)
	case "values":
		c.Values, err = optionValues(raw)
	case "default":
		p.defaultValue = raw
	default:
		err = fault.New(fault.Invalid,
			"is no option of a column, which has name, type, required, default, maxLength, min, max, values, unique and embed")
	}
	return err
}

func optionText(raw []byte) (string, error) {
	return stringOf(strictjson.New(raw), raw, "text")
}

func optionBool(raw []byte) (bool, error) {
	v, err := parseBoolean(strictjson.New(raw), raw)
	b, _ := v.(bool)
	return b, err
}

func optionNumber(raw []byte) (*float64, error) {
	v, err := parseNumber(strictjson.New(raw), raw)
	f, ok := v.(float64)
	if !ok {
		return nil, err
	}
	return &f, nil
}

func optionLength(raw []byte) (int, error) {
	v, err := parseInteger(strictjson.New(raw), raw)
	n, _ := v.(int64)
	if err != nil || n < 1 || n > maxMaxLength {
		return 0, refuse("a whole number from 1 to "+strconv.Itoa(maxMaxLength), raw)
	}
	return int(n), nil
}

func optionValues(raw []byte) ([]string, error) {
	s := strictjson.New(raw)
	if s.Kind() != strictjson.Array {
		return nil, refuse("a list of texts", raw)
	}
	values := []string{}
	err := s.Array(func(int) error {
		element, err := s.Raw()
		if err != nil {
			return err
		}
		v, err := optionText(element)
		values = append(values, v)
		return err
	})
	return values, err
}

// finish checks the column as a whole.
func (p *columnParser) finish() error {
	c := &p.column
	for _, check := range []func(*Column) error{checkNameAndType, checkOptions, checkValues, checkBounds} {
		if err := check(c); err != nil {
			return err
		}
	}
	if p.defaultValue == nil {
		return nil
	}
	v, err := parse(c, p.defaultValue)
	if err == nil {
		err = check(c, v)
	}
	if err != nil {
		return fault.Under("default", about("the default of "+c.Name, err))
	}
	c.Default = v
	return nil
}

func checkNameAndType(c *Column) error {
	if err := ValidName("column", c.Name); err != nil {
		return fault.Under("name", err)
	}
	if !types[c.Type] {
		return fault.At(fault.Invalid, "type", "the type of %s must be one of %s, but %q was given", c.Name, typeNames, shorten(string(c.Type)))
	}
	return nil
}

// checkOptions refuses options that the type does not have.
func checkOptions(c *Column) error {
	numeric := c.Type == Integer || c.Type == Number
	for _, o := range []struct {
		name         string
		given, known bool
		has          string
	}{
		{"maxLength", c.MaxLength != 0, c.Type == Text, "only text has it"},
		{"min", c.Min != nil, numeric, "only integer and number have it"},
		{"max", c.Max != nil, numeric, "only integer and number have it"},
		{"values", c.Values != nil, c.Type == Enum, "only enum has it"},
		{"embed", c.Embed, c.Type == Text, "only text can be embedded"},
		{"unique", c.Unique, c.Type != JSONType, "json cannot be unique"},
	} {
		if o.given && !o.known {
			return fault.At(fault.Invalid, o.name, "column %s is of type %s: %s", c.Name, c.Type, o.has)
		}
	}
	return nil
}

func checkValues(c *Column) error {
	if c.Type != Enum {
		return nil
	}
	if n := len(c.Values); n < 1 || n > maxEnumValues {
		return fault.At(fault.Invalid, "values", "an enum has 1 to %d values, but %d were given", maxEnumValues, n)
	}
	seen := make(map[string]bool, len(c.Values))
	for _, v := range c.Values {
		if n := utf8.RuneCountInString(v); n < 1 || n > maxEnumLength {
			return fault.At(fault.Invalid, "values", "a value has 1 to %d characters, but %q has %d", maxEnumLength, shorten(v), n)
		}
		if seen[v] {
			return fault.At(fault.Invalid, "values", "the value %q comes twice", shorten(v))
		}
		seen[v] = true
	}
	return nil
}

func checkBounds(c *Column) error {
	if c.Min != nil && c.Max != nil && *c.Min > *c.Max {
		return fault.At(fault.Invalid, "min", "min must not be above max, but %s is above %s", formatNumber(*c.Min), formatNumber(*c.Max))
	}
	return nil
}

// AppendColumnJSON appends a column as on the wire, options that are not set
// left out.
func AppendColumnJSON(dst []byte, c *Column) []byte {
	return append(appendOptions(append(dst, '{'), c, AppendJSON), '}')
}

// appendOptions appends all but the number; value writes the default.
func appendOptions(dst []byte, c *Column, value func([]byte, Value) []byte) []byte {
	dst = strictjson.AppendString(append(dst, `"name":`...), c.Name)
	dst = strictjson.AppendString(append(dst, `,"type":`...), string(c.Type))
	dst = appendFlag(dst, "required", c.Required)
	if c.Default != nil {
		dst = value(append(dst, `,"default":`...), c.Default)
	}
	if c.MaxLength != 0 {
		dst = strconv.AppendInt(append(dst, `,"maxLength":`...), int64(c.MaxLength), 10)
	}
	dst = appendBound(dst, "min", c.Min)
	dst = appendBound(dst, "max", c.Max)
	dst = appendValues(dst, c.Values)
	dst = appendFlag(dst, "unique", c.Unique)
	return appendFlag(dst, "embed", c.Embed)
}

func appendFlag(dst []byte, name string, set bool) []byte {
	if !set {
		return dst
	}
	return append(append(append(dst, `,"`...), name...), `":true`...)
}

func appendBound(dst []byte, name string, bound *float64) []byte {
	if bound == nil {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strictjson.AppendNumber(dst, *bound)
}

func appendValues(dst []byte, values []string) []byte {
	for i, v := range values {
		lead := ","
		if i == 0 {
			lead = `,"values":[`
		}
		dst = strictjson.AppendString(append(dst, lead...), v)
	}
	if len(values) == 0 {
		return dst
	}
	return append(dst, ']')
}
