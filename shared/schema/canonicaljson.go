package schema

import (
	"errors"
	"slices"
	"unicode/utf8"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema/strictjson"
)

// MaxJSONDepth is how deep the arrays and objects of a json value may nest.
const MaxJSONDepth = 64

// CanonicalJSON brings a JSON text into the form of RFC 8785: no white space,
// keys in order of their UTF-16 code units, strings and numbers as ECMAScript
// writes them. The text null gives the nil Value's stand-in, an empty JSON.
// It refuses a key that comes twice, U+0000, lone surrogates, numbers that a
// 64-bit float cannot carry, and nesting deeper than MaxJSONDepth.
func CanonicalJSON(raw []byte) (JSON, error) { return canonicalize(raw, MaxJSONDepth) }

// CanonicalOperation is CanonicalJSON for an operation of a request, which may
// nest deeper by what stands around a json value in it.
func CanonicalOperation(raw []byte) (JSON, error) { return canonicalize(raw, MaxJSONDepth+8) }

func canonicalize(raw []byte, depth int) (JSON, error) {
	c := canonicalizer{Scanner: strictjson.New(raw), left: depth}
	if c.Kind() == strictjson.Null {
		return "", whole(c.Scanner, c.Null())
	}
	err := c.value()
	if err = whole(c.Scanner, err); err != nil {
		return "", err
	}
	return JSON(c.out), nil
}

type canonicalizer struct {
	*strictjson.Scanner
	out  []byte
	left int // how many levels may still begin
}

func (c *canonicalizer) value() error {
	switch c.Kind() {
	case strictjson.String:
		return c.text()
	case strictjson.Number:
		return c.number()
	case strictjson.Array:
		return c.nested(c.array)
	case strictjson.Object:
		return c.nested(c.object)
	}
	word, err := c.Raw()
	c.out = append(c.out, word...)
	return err
}

func (c *canonicalizer) nested(body func() error) error {
	if c.left--; c.left < 0 {
		return fault.New(fault.Invalid, "must not nest deeper than %d levels", MaxJSONDepth)
	}
	err := body()
	c.left++
	return err
}

func (c *canonicalizer) text() error {
	text, err := c.String()
	if err == nil {
		err = noNUL(text)
	}
	c.out = strictjson.AppendString(c.out, text)
	return err
}

func (c *canonicalizer) number() error {
	number, err := c.Number()
	if err != nil {
		return err
	}
	f, err := strictjson.Float(string(number))
	if err != nil {
		return fault.New(fault.Invalid, "holds the number %s, which a 64-bit float cannot carry; it can be kept as text", shorten(string(number)))
	}
	c.out = strictjson.AppendNumber(c.out, f)
	return nil
}

func (c *canonicalizer) array() error {
	c.out = append(c.out, '[')
	err := c.Array(func(i int) error {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		return c.value()
	})
	c.out = append(c.out, ']')
	return err
}

// member is a key and the place of `"key":value` within the bytes of its object.
type member struct {
	key        string
	start, end int
}

func (c *canonicalizer) object() error {
	start := len(c.out)
	var members []member
	err := c.Object(func(key []byte) error {
		m := member{key: string(key), start: len(c.out) - start}
		c.out = append(strictjson.AppendString(c.out, m.key), ':')
		err := errors.Join(noNUL(m.key), c.value())
		m.end = len(c.out) - start
		members = append(members, m)
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.key, b.key) })
	unsorted := slices.Clone(c.out[start:])
	c.out = appendMembers(c.out[:start], unsorted, members)
	return nil
}

func appendMembers(dst, unsorted []byte, members []member) []byte {
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, unsorted[m.start:m.end]...)
	}
	return append(dst, '}')
}

// compareUTF16 orders valid UTF-8 by UTF-16 code units. That is the order of
// code points, save that those above U+FFFF, written with surrogates, come
// before U+E000 to U+FFFF.
func compareUTF16(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(a) || i == len(b) {
		return len(a) - len(b)
	}
	for i > 0 && !utf8.RuneStart(a[i]) {
		i--
	}
	x, _ := utf8.DecodeRuneInString(a[i:])
	y, _ := utf8.DecodeRuneInString(b[i:])
	if (x > 0xFFFF) != (y > 0xFFFF) {
		x, y = firstUnit(x), firstUnit(y)
	}
	return int(x - y)
}

// firstUnit stands for the first UTF-16 code unit of r: any high surrogate
// will do, as they are compared with other characters only.
func firstUnit(r rune) rune {
	if r > 0xFFFF {
		return 0xD800
	}
	return r
}
