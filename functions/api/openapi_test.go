package api_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"nanotypedb/functions/api"
)

func TestOpenAPIIsValid(t *testing.T) {
	w := newWorld(t)
	spec, err := jsonschema.UnmarshalJSON(w.send(request{method: "GET", path: "/openapi.json"}).Body)
	must(t, err)
	schema, err := jsonschema.NewCompiler().Compile("testdata/openapi-3.1-schema.json")
	must(t, err)
	if err := schema.Validate(spec); err != nil {
		t.Errorf("%v", err)
	}
	spec.(map[string]any)["paths"].(map[string]any)["/v1/me"] = 7
	if schema.Validate(spec) == nil {
		t.Error("the schema accepts anything")
	}
}

// The schemas of the description compile, and answers of the server match them.
func TestAnswersAreAsDescribed(t *testing.T) {
	w := newWorld(t)
	w.den()
	w.asking = "ada"
	spec, err := jsonschema.UnmarshalJSON(w.send(request{method: "GET", path: "/openapi.json"}).Body)
	must(t, err)
	compiler := jsonschema.NewCompiler()
	must(t, compiler.AddResource("openapi.json", spec))
	for i := range api.Routes {
		route := &api.Routes[i]
		try := trials[route.Method+" "+route.Path]
		if try.path == "" || route.Answer == nil {
			continue
		}
		pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(route.Path)
		schema, err := compiler.Compile("openapi.json#/paths/" + pointer + "/" + strings.ToLower(route.Method) +
			"/responses/" + strconv.Itoa(route.Status) + "/content/application~1json/schema")
		must(t, err)
		answer, err := jsonschema.UnmarshalJSON(strings.NewReader(w.ask("ada", route.Method, w.path(try.path), w.path(try.body))))
		must(t, err)
		if err := schema.Validate(answer); err != nil {
			t.Errorf("%s %s: %v", route.Method, route.Path, err)
		}
	}
}

// described is what a test reads of the description.
type described struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Role        string `json:"x-role"`
		RequestBody any    `json:"requestBody"`
		Parameters  []struct{ Name, In string }
		Responses   map[string]any
	}
	Components struct {
		Schemas map[string]struct {
			Required   []string
			Properties map[string]any
		}
	}
}

func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	spec, err := api.OpenAPI()
	must(t, err)
	var d described
	must(t, json.Unmarshal(spec, &d))
	operations, ids, probe := 0, map[string]bool{}, newWorld(t)
	for path, methods := range d.Paths {
		for method, op := range methods {
			operations++
			if ids[op.OperationID] {
				t.Errorf("%s is used twice", op.OperationID)
			}
			ids[op.OperationID] = true
			// What is described is served: anything but 404 and 405 of the mux.
			answer := probe.send(request{method: strings.ToUpper(method), path: fill(path)})
			if answer.Code == 404 || answer.Code == 405 {
				t.Errorf("%s %s is described and not served", method, path)
			}
		}
	}
	if operations != len(api.Routes) {
		t.Errorf("%d operations for %d routes", operations, len(api.Routes))
	}
	for _, route := range api.Routes {
		op, found := d.Paths[route.Path][strings.ToLower(route.Method)]
		if !found || op.Role != string(route.Role) || (op.RequestBody != nil) != (route.Body != nil) {
			t.Errorf("%s %s: %+v", route.Method, route.Path, op)
		}
	}
	request := d.Components.Schemas["CommitRequest"]
	if len(request.Properties) != 3 || len(request.Required) != 1 || request.Required[0] != "ops" {
		t.Errorf("commit request: %+v", request)
	}
}

func fill(path string) string {
	return strings.NewReplacer("{room}", "r", "{user}", "u", "{table}", "t", "{id}", "i").Replace(path)
}
