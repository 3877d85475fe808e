package schema

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"nanotypedb/shared/schema/strictjson"
)

// The tags of AppendCanonical. Fingerprints depend on them for ever.
const (
	tagNull   = 0x00
	tagFalse  = 0x01
	tagTrue   = 0x02
	tagInt    = 0x03 // 8 bytes, two's complement, big endian
	tagFloat  = 0x04 // 8 bytes, IEEE 754, big endian
	tagString = 0x05 // length in bytes as unsigned varint, then UTF-8
	tagMillis = 0x06 // 8 bytes, two's complement, big endian
	tagJSON   = 0x07 // length in bytes as unsigned varint, then UTF-8
)

// notCanonical is the panic of a Value that no function here could have made.
func notCanonical(v Value) string { return fmt.Sprintf("schema: %T is no canonical value", v) }

// AppendCanonical appends the bytes that are hashed for v. Different values
// give different bytes, none is the beginning of another, and they never
// change: fingerprints are made of them.
func AppendCanonical(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, tagNull)
	case bool:
		if v {
			return append(dst, tagTrue)
		}
		return append(dst, tagFalse)
	case int64:
		return binary.BigEndian.AppendUint64(append(dst, tagInt), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(v))
	case Millis:
		return binary.BigEndian.AppendUint64(append(dst, tagMillis), uint64(v))
	case string:
		return append(binary.AppendUvarint(append(dst, tagString), uint64(len(v))), v...)
	case JSON:
		return append(binary.AppendUvarint(append(dst, tagJSON), uint64(len(v))), v...)
	}
	panic(notCanonical(v))
}

// AppendJSON appends v as clients see it: timestamps as RFC 3339 strings,
// json as itself, everything else as the JSON of its kind (RFC 8785).
func AppendJSON(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return strictjson.AppendNumber(dst, v)
	case Millis:
		return append(v.appendText(append(dst, '"')), '"')
	case string:
		return strictjson.AppendString(dst, v)
	case JSON:
		return append(dst, v...)
	}
	panic(notCanonical(v))
}

// AppendStored appends v as JSON that tells its Go type without a schema:
// a string, 12 for int64, 1.0 or 1e+21 for float64 (always with . or e), true,
// null, {"t":milliseconds} for Millis and {"j":…} for JSON.
func AppendStored(dst []byte, v Value) []byte {
	switch v := v.(type) {
	case float64:
		return appendFloat(dst, v)
	case Millis:
		dst = strconv.AppendInt(append(dst, `{"t":`...), int64(v), 10)
		return append(dst, '}')
	case JSON:
		return append(append(append(dst, `{"j":`...), v...), '}')
	}
	return AppendJSON(dst, v)
}

func appendFloat(dst []byte, f float64) []byte {
	start := len(dst)
	dst = strictjson.AppendNumber(dst, f)
	if !bytes.ContainsAny(dst[start:], ".e") {
		dst = append(dst, '.', '0')
	}
	return dst
}

// DecodeStored reads what AppendStored wrote and refuses everything that is
// no canonical value. Its errors are not for users.
func DecodeStored(raw []byte) (Value, error) {
	s := strictjson.New(raw)
	v, err := ScanStored(s)
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("decode stored value: %v", err) // %v: a fault in it is not the user's
	}
	return v, nil
}

// ScanStored is DecodeStored for the next value of a larger text.
func ScanStored(s *strictjson.Scanner) (Value, error) {
	switch s.Kind() {
	case strictjson.Null:
		return nil, s.Null()
	case strictjson.Bool:
		b, err := s.Bool()
		return orNil(b, err)
	case strictjson.String:
		text, err := s.String()
		return orNil(text, err)
	case strictjson.Number:
		return scanNumber(s)
	}
	return scanTagged(s)
}

func orNil(v Value, err error) (Value, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func scanNumber(s *strictjson.Scanner) (Value, error) {
	number, err := s.Number()
	if err != nil {
		return nil, err
	}
	text := string(number)
	if strings.ContainsAny(text, ".eE") {
		f, err := strictjson.Float(text)
		return orNil(f, err)
	}
	n, err := strictjson.Int(text, MaxInteger)
	return orNil(n, err)
}

// scanTagged reads {"t":milliseconds} or {"j":value}.
func scanTagged(s *strictjson.Scanner) (v Value, err error) {
	err = s.Object(func(key []byte) (err error) {
		switch {
		case v != nil:
			err = fmt.Errorf("a value has two types")
		case string(key) == "t":
			v, err = scanMillis(s)
		case string(key) == "j":
			v, err = scanJSON(s)
		default:
			err = fmt.Errorf("a value has the unknown type %.20q", key)
		}
		return err
	})
	if err == nil && v == nil {
		err = fmt.Errorf("a value has no type")
	}
	return orNil(v, err)
}

func scanMillis(s *strictjson.Scanner) (Value, error) {
	n, err := ScanInt(s)
	if m := Millis(n); err != nil || m.valid() {
		return orNil(m, err)
	}
	return nil, fmt.Errorf("the time %d is out of range", n)
}

func scanJSON(s *strictjson.Scanner) (Value, error) {
	raw, err := s.Raw()
	if err != nil {
		return nil, err
	}
	j, err := CanonicalJSON(raw)
	if err != nil {
		return nil, err
	}
	if string(j) != string(raw) {
		return nil, fmt.Errorf("a json value is not in canonical form")
	}
	return j, nil
}

// ScanInt reads an integer within ±MaxInteger without fraction or exponent.
func ScanInt(s *strictjson.Scanner) (int64, error) {
	number, err := s.Number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil || n > MaxInteger || n < -MaxInteger {
		return 0, fmt.Errorf("%.40s is no integer within ±(2^53-1)", number)
	}
	return n, nil
}
