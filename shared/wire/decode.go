package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"nanotypedb/shared/fault"
)

// Decode reads a JSON object into the struct that into points to, strictly: a
// member that the struct does not name exactly, a member given twice, a member
// of the wrong type, and a missing one whose tag has no omitempty are refused
// with a fault invalid that carries the path of the member. null counts as
// absent for members that may be absent. Raw members are left for the domain.
func Decode(data []byte, into any) error {
	if err := check(data); err != nil {
		return fault.New(fault.Invalid, "%s", sentence(err.Error()))
	}
	return decodeChecked(data, into)
}

// decodeChecked is Decode for a text that check has accepted.
func decodeChecked(data json.RawMessage, into any) error {
	s := scanner{data: data}
	return decodeValue(s.value(), reflect.ValueOf(into).Elem())
}

var rawType = reflect.TypeFor[json.RawMessage]()

func decodeValue(raw json.RawMessage, v reflect.Value) error {
	if v.Type() == rawType {
		v.SetBytes(raw)
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decodeValue(raw, v.Elem())
	case reflect.Struct:
		return decodeStruct(raw, v)
	case reflect.Slice:
		return decodeSlice(raw, v)
	case reflect.Map:
		return decodeMap(raw, v)
	default:
		return decodeScalar(raw, v)
	}
}

func decodeScalar(raw json.RawMessage, v reflect.Value) error {
	want := typeName(v.Type())
	got := kind(raw)
	if got != want && (want != "integer" || got != "number") {
		return fault.New(fault.Invalid, "This must be %s, not %s.", article(want), article(got))
	}
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		return fault.New(fault.Invalid, "This must be %s in range.", article(want))
	}
	return nil
}

func decodeSlice(raw json.RawMessage, v reflect.Value) error {
	if kind(raw) != "array" {
		return fault.New(fault.Invalid, "This must be an array, not %s.", article(kind(raw)))
	}
	list := reflect.MakeSlice(v.Type(), 0, 1)
	err := elements(raw, func(i int, value json.RawMessage) error {
		list = reflect.Append(list, reflect.Zero(v.Type().Elem()))
		if err := decodeValue(value, list.Index(i)); err != nil {
			return fault.Under(fmt.Sprintf("[%d]", i), err)
		}
		return nil
	})
	v.Set(list)
	return err
}

func decodeMap(raw json.RawMessage, v reflect.Value) error {
	if kind(raw) != "object" {
		return fault.New(fault.Invalid, "This must be an object, not %s.", article(kind(raw)))
	}
	v.Set(reflect.MakeMap(v.Type()))
	return members(raw, func(name string, value json.RawMessage) error {
		key := reflect.ValueOf(name)
		if v.MapIndex(key).IsValid() {
			return fault.At(fault.Invalid, clip(name), "This member is given twice.")
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := decodeValue(value, element); err != nil {
			return fault.Under(clip(name), err)
		}
		v.SetMapIndex(key, element)
		return nil
	})
}

func decodeStruct(raw json.RawMessage, v reflect.Value) error {
	if kind(raw) != "object" {
		return fault.New(fault.Invalid, "This must be an object, not %s.", article(kind(raw)))
	}
	shape := shapeOf(v.Type())
	var seen uint64
	err := members(raw, func(name string, value json.RawMessage) error {
		at, known := shape.index[name]
		if !known {
			return fault.At(fault.Invalid, clip(name), "There is no such field here; known are %s.", shape.names)
		}
		if seen&(1<<at) != 0 {
			return fault.At(fault.Invalid, name, "This field is given twice.")
		}
		seen |= 1 << at
		if kind(value) == "null" && shape.fields[at].optional {
			return nil
		}
		return fault.Under(name, decodeValue(value, v.Field(shape.fields[at].index)))
	})
	if err != nil {
		return err
	}
	return shape.complete(seen)
}

// shape is what Decode needs to know about a struct type. At most 64 fields.
type shape struct {
	fields []field
	index  map[string]int
	names  string
}

type field struct {
	name     string
	index    int
	optional bool
}

var shapes sync.Map // reflect.Type → *shape

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{index: map[string]int{}}
	var names []string
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "-" || !t.Field(i).IsExported() {
			continue
		}
		s.index[name] = len(s.fields)
		s.fields = append(s.fields, field{name, i, strings.Contains(options, "omitempty")})
		names = append(names, name)
	}
	if s.names = strings.Join(names, ", "); s.names == "" {
		s.names = "none"
	}
	shapes.Store(t, s)
	return s
}

func (s *shape) complete(seen uint64) error {
	for i, f := range s.fields {
		if !f.optional && seen&(1<<i) == 0 {
			return fault.At(fault.Invalid, f.name, "This field is required.")
		}
	}
	return nil
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float32, reflect.Float64:
		return "number"
	default:
		return "integer"
	}
}

func article(kind string) string {
	switch kind {
	case "null", "nothing":
		return kind
	case "integer", "object", "array":
		return "an " + kind
	default:
		return "a " + kind
	}
}
