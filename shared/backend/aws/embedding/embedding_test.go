package embedding_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"nanotypedb/shared/backend/aws"
	"nanotypedb/shared/backend/aws/embedding"
	"nanotypedb/shared/config"
	"nanotypedb/shared/embedder/bedrockembed"
	"nanotypedb/shared/embedder/embeddertest"
	"nanotypedb/shared/embedder/flakyembed"
)

// The configuration that opens table and bucket opens the embedder too, on an
// address of its own.
func TestOpen(t *testing.T) {
	bedrock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/model/"+bedrockembed.ModelID+"/invoke" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"embedding": flakyembed.Vector("x", bedrockembed.DefaultDim)})
	}))
	defer bedrock.Close()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_PROFILE": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.URL, "NO_PROXY": "127.0.0.1",
	} {
		t.Setenv(name, value)
	}
	connected, err := aws.Connect(t.Context(), config.Config{EndpointURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := embedding.Open(t.Context(), connected, config.Config{Embedder: config.Bedrock})
	if err != nil {
		t.Fatal(err)
	}
	embeddertest.Embed(t.Context(), t, e, "x")
	if _, err := embedding.Open(t.Context(), connected, config.Config{Embedder: config.Static}); err == nil || !strings.Contains(err.Error(), "NANO_EMBEDDER=static") {
		t.Errorf("the compiled in model: got %v", err)
	}
}

// Functions that do not embed open table and bucket without Bedrock's client.
func TestBedrockIsApart(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "nanotypedb/shared/backend/aws").Output()
	if err != nil || !strings.Contains(string(out), "service/dynamodb\n") {
		t.Fatalf("the list of imports is not one: %v", err)
	}
	if strings.Contains(string(out), "service/bedrockruntime") {
		t.Error("package aws imports the client of Bedrock")
	}
}
