package api

import (
	"encoding/json"
	"path"
	"reflect"
	"regexp"
	"strings"

	"nanotypedb/shared/access"
	"nanotypedb/shared/fault"
	"nanotypedb/shared/room"
	"nanotypedb/shared/schema"
	"nanotypedb/shared/search"
)

func openAPI(a *API, _ *exchange) (any, error) { return json.RawMessage(a.spec), nil }

// OpenAPI describes Routes as an OpenAPI 3.1 document. The schemas are made
// from the Go types of bodies and answers.
func OpenAPI() ([]byte, error) {
	d := describer{schemas: map[string]any{}, names: map[reflect.Type]string{}}
	paths := map[string]map[string]any{}
	for i := range Routes {
		route := &Routes[i]
		if paths[route.Path] == nil {
			paths[route.Path] = map[string]any{}
		}
		paths[route.Path][strings.ToLower(route.Method)] = d.operation(route)
	}
	d.schemas["Problem"] = problemSchema()
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Nanotype DB", "version": "1",
			"description": "Rooms: small typed databases that people and programs share live.",
			"license":     object{"name": "MIT", "identifier": "MIT"},
		},
		"servers":  []any{object{"url": "/"}},
		"security": []any{object{"bearer": []any{}}},
		"paths":    paths,
		"components": object{
			"securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer"}},
			"schemas":         d.schemas,
			"responses": object{"Problem": object{
				"description": "What went wrong (RFC 9457).",
				"content":     object{"application/problem+json": object{"schema": ref("Problem")}},
			}},
		},
	})
}

type object = map[string]any

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// describer collects the schemas of named types.
type describer struct {
	schemas map[string]any
	names   map[reflect.Type]string
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func (d *describer) operation(route *Route) object {
	op := object{
		"operationId": operationID(route),
		"summary":     route.Summary,
		"responses":   object{status(route.Status): d.success(route), "default": object{"$ref": "#/components/responses/Problem"}},
	}
	if parameters := d.parameters(route); len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if route.Body != nil {
		content := d.content(route.Body)
		if route.Takes != nil {
			content = files(object{}, route.Takes)
		}
		op["requestBody"] = object{"required": true, "content": content}
	}
	for code, means := range route.Also {
		op["responses"].(object)[status(code)] = object{"description": means}
	}
	if route.Open {
		op["security"] = []any{}
	}
	if route.Role != access.None {
		op["description"] = "Takes the role " + string(route.Role) + " in the room."
		op["x-role"] = route.Role
	}
	return op
}

func status(code int) string {
	digits := [3]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)}
	return string(digits[:])
}

// operationID makes a name of method and path, as getRoomsRoomMembers.
func operationID(route *Route) string {
	name := strings.ToLower(route.Method)
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(route.Path, "/v1"), func(r rune) bool {
		return strings.ContainsRune("/{}.", r)
	}) {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

func (d *describer) success(route *Route) object {
	switch {
	case route.Answer != nil:
		return object{"description": "The answer.", "content": files(d.content(route.Answer), route.Gives)}
	case route.Gives != nil:
		return object{"description": "The file.", "content": files(object{}, route.Gives)}
	}
	return object{"description": "Done."}
}

// files adds media types of which nothing more is said.
func files(content object, types []string) object {
	for _, media := range types {
		content[media] = object{}
	}
	return content
}

func (d *describer) content(example any) object {
	return object{"application/json": object{"schema": d.schema(reflect.TypeOf(example))}}
}

func (d *describer) parameters(route *Route) []any {
	var list []any
	for _, match := range placeholder.FindAllStringSubmatch(route.Path, -1) {
		list = append(list, object{"name": match[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range route.Query {
		kind := "string"
		if p.Integer {
			kind = "integer"
		}
		list = append(list, object{"name": p.Name, "in": "query", "description": p.Summary, "schema": object{"type": kind}})
	}
	if route.Filters {
		list = append(list, object{
			"name": "where", "in": "query", "style": "form", "explode": true,
			"description": "Conditions on columns: column=value, column[gt]=value; also gte, lt, lte, ne, contains, and in with a JSON array.",
			"schema":      object{"type": "object", "additionalProperties": object{"type": "string"}},
		})
	}
	return list
}

// known are types whose schema does not follow from their Go kind.
var known = map[reflect.Type]object{
	reflect.TypeFor[schema.Time]():     {"type": "string", "format": "date-time"},
	reflect.TypeFor[json.RawMessage](): {},
	reflect.TypeFor[access.Role]():     {"type": "string", "enum": []any{access.Viewer, access.Editor, access.Owner}},
	reflect.TypeFor[search.Mode]():     {"type": "string", "enum": []any{search.Hybrid, search.Semantic, search.Keyword}},
	reflect.TypeFor[schema.Type](): {"type": "string", "enum": []any{
		schema.Text, schema.Integer, schema.Number, schema.Boolean, schema.Timestamp, schema.Date, schema.JSONType, schema.Enum,
	}},
}

func (d *describer) schema(t reflect.Type) object {
	if s, ok := known[t]; ok {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Struct:
		return d.named(t)
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	default:
		return object{}
	}
}

// named describes a struct once and refers to it.
func (d *describer) named(t reflect.Type) object {
	name, known := d.names[t]
	if !known {
		name = d.name(t)
		d.names[t] = name
		d.schemas[name] = object{} // for types that contain themselves
		d.schemas[name] = d.structure(t)
	}
	return ref(name)
}

// name is the type's, after that of its package when another type has it: the
// names of packages tell requests and answers apart.
func (d *describer) name(t reflect.Type) string {
	if t == reflect.TypeFor[room.Request]() {
		return "CommitRequest"
	}
	name := t.Name()
	home := path.Base(t.PkgPath())
	if d.schemas[name] != nil || name == "Request" || name == "Answer" || name == "Result" {
		return strings.ToUpper(home[:1]) + home[1:] + name
	}
	return name
}

func (d *describer) structure(t reflect.Type) object {
	properties, required := object{}, []any{}
	for _, field := range reflect.VisibleFields(t) {
		name, options, tagged := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !tagged && name == "" { // or embedded: its fields are among the visible
			continue
		}
		properties[name] = d.schema(field.Type)
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func problemSchema() object {
	codes := make([]any, len(fault.Codes))
	for i, code := range fault.Codes {
		codes[i] = code
	}
	text := object{"type": "string"}
	return object{
		"type":     "object",
		"required": []any{"type", "title", "status", "detail", "code"},
		"properties": object{
			"type": text, "title": text, "status": object{"type": "integer"}, "detail": text,
			"code":         object{"type": "string", "enum": codes},
			"path":         object{"type": "string", "description": "The field that is wrong."},
			"retryAfterMs": object{"type": "integer"},
			"requestId":    text,
		},
	}
}
