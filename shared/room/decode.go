package room

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"nanotypedb/shared/fault"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/schema/strictjson"
)

// operation is one operation of a request: names not yet resolved, values not
// yet checked. Its fields are those of design.md section 3.
type operation struct {
	kind      string
	table     string
	id        string // empty: none given
	cells     map[string]json.RawMessage
	ifVersion *int64
	columns   []json.RawMessage
	access    *schema.Access
	alter     schema.AlterRequest
}

// field reads one field of an operation from its JSON.
type field func(o *operation, raw []byte) error

// operationFields are the fields that each operation may have; true marks
// those it must have.
var operationFields = map[string]map[string]bool{
	"insert":      {"table": true, "id": false, "row": true},
	"update":      {"table": true, "id": true, "set": true, "ifVersion": false},
	"delete":      {"table": true, "id": true, "ifVersion": false},
	"createTable": {"table": true, "columns": true, "access": false},
	"alterTable":  {"table": true, "add": false, "drop": false, "change": false, "rename": false, "name": false, "access": false},
	"dropTable":   {"table": true},
}

var fields = map[string]field{
	"table":     func(o *operation, raw []byte) error { return intoString(&o.table, raw) },
	"id":        intoID,
	"row":       func(o *operation, raw []byte) error { return intoCells(&o.cells, raw) },
	"set":       func(o *operation, raw []byte) error { return intoCells(&o.cells, raw) },
	"ifVersion": func(o *operation, raw []byte) error { return intoSeq(&o.ifVersion, raw) },
	"columns":   func(o *operation, raw []byte) error { return intoList(&o.columns, raw) },
	"add":       func(o *operation, raw []byte) error { return intoList(&o.alter.Add, raw) },
	"change":    func(o *operation, raw []byte) error { return intoList(&o.alter.Change, raw) },
	"drop":      func(o *operation, raw []byte) error { return intoNames(&o.alter.Drop, raw) },
	"rename":    func(o *operation, raw []byte) error { return intoRenames(&o.alter.Rename, raw) },
	"name":      func(o *operation, raw []byte) error { o.alter.Name = new(string); return intoString(o.alter.Name, raw) },
	"access":    intoAccess,
}

// decodeOperation reads one operation. Unknown, missing and repeated fields
// are refused; the path of an error begins at the operation.
func decodeOperation(raw []byte) (*operation, error) {
	members, err := members(raw)
	if err != nil {
		return nil, err
	}
	o := &operation{}
	given, ok := members.get("op")
	if !ok {
		return nil, fault.At(fault.Invalid, "op", "an operation needs op, one of %s", kinds)
	}
	if err := intoString(&o.kind, given); err != nil {
		return nil, fault.Under("op", err)
	}
	allowed, ok := operationFields[o.kind]
	if !ok {
		return nil, fault.At(fault.Invalid, "op", "%.60q is not an operation; there are %s", o.kind, kinds)
	}
	for _, m := range members {
		if m.name == "op" {
			continue
		}
		if _, ok := allowed[m.name]; !ok {
			return nil, fault.At(fault.Invalid, clip(m.name), "%s has no such field", o.kind)
		}
		if err := fields[m.name](o, m.raw); err != nil {
			return nil, fault.Under(m.name, err)
		}
	}
	for name, must := range allowed {
		if _, ok := members.get(name); must && !ok {
			return nil, fault.At(fault.Invalid, name, "%s needs %s", o.kind, needed(allowed))
		}
	}
	o.alter.Table, o.alter.Access = o.table, o.access
	return o, nil
}

var kinds = func() string {
	names := make([]string, 0, len(operationFields))
	for kind := range operationFields {
		names = append(names, kind)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}()

func needed(allowed map[string]bool) string {
	var names []string
	for name, must := range allowed {
		if must {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// clip shortens a name that a request made up, for use in a path.
func clip(name string) string {
	const most = 80
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

type member struct {
	name string
	raw  []byte
}

type memberList []member

func (l memberList) get(name string) ([]byte, bool) {
	for i := range l {
		if l[i].name == name {
			return l[i].raw, true
		}
	}
	return nil, false
}

// members splits a JSON object into its members, in order.
func members(raw []byte) (memberList, error) {
	s := strictjson.New(raw)
	if s.Kind() != strictjson.Object {
		return nil, fault.New(fault.Invalid, "it must be an object")
	}
	list := make(memberList, 0, 6)
	err := s.Object(func(key []byte) error {
		name := string(key)
		value, err := s.Raw()
		list = append(list, member{name, value})
		return err
	})
	if err == nil {
		err = s.End()
	}
	return list, syntax(err)
}

// syntax turns a syntax error into a refusal.
func syntax(err error) error {
	var broken *strictjson.SyntaxError
	if errors.As(err, &broken) {
		return fault.New(fault.Invalid, "it is not valid JSON: %s", broken.Error())
	}
	return err
}

func intoString(dst *string, raw []byte) error {
	s := strictjson.New(raw)
	if s.Kind() != strictjson.String {
		return fault.New(fault.Invalid, "it must be a string")
	}
	text, err := s.String()
	*dst = text
	return syntax(err)
}

func intoID(o *operation, raw []byte) error {
	if err := intoString(&o.id, raw); err != nil {
		return err
	}
	return schema.ValidRowID(o.id)
}

func intoSeq(dst **int64, raw []byte) error {
	n, err := strictjson.Int(string(raw), schema.MaxInteger)
	if !strictjson.IsNumber(string(raw)) || err != nil || n < 0 {
		return fault.New(fault.Invalid, "it must be a whole number, 0 or above")
	}
	*dst = &n
	return nil
}

func intoCells(dst *map[string]json.RawMessage, raw []byte) error {
	list, err := members(raw)
	if err != nil {
		return err
	}
	*dst = make(map[string]json.RawMessage, len(list))
	for _, m := range list {
		(*dst)[m.name] = m.raw
	}
	return nil
}

func intoList(dst *[]json.RawMessage, raw []byte) error {
	s := strictjson.New(raw)
	if s.Kind() != strictjson.Array {
		return fault.New(fault.Invalid, "it must be an array")
	}
	return syntax(s.Array(func(int) error {
		value, err := s.Raw()
		*dst = append(*dst, value)
		return err
	}))
}

func intoNames(dst *[]string, raw []byte) error {
	var values []json.RawMessage
	if err := intoList(&values, raw); err != nil {
		return err
	}
	for i, value := range values {
		var name string
		if err := intoString(&name, value); err != nil {
			return fault.Under(fmt.Sprintf("[%d]", i), err)
		}
		*dst = append(*dst, name)
	}
	return nil
}

func intoRenames(dst *map[string]string, raw []byte) error {
	list, err := members(raw)
	if err != nil {
		return err
	}
	*dst = make(map[string]string, len(list))
	for _, m := range list {
		var name string
		if err := intoString(&name, m.raw); err != nil {
			return fault.Under(clip(m.name), err)
		}
		(*dst)[m.name] = name
	}
	return nil
}

func intoAccess(o *operation, raw []byte) error {
	var text string
	if err := intoString(&text, raw); err != nil {
		return err
	}
	access := schema.Access(text)
	if access != schema.Own && access != sharedAccess {
		return fault.New(fault.Invalid, `access is "own" or "shared"`)
	}
	o.access = &access
	return nil
}

// sharedAccess is how requests name schema.Shared.
const sharedAccess schema.Access = "shared"
