package openai_test

import (
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/backend/openai"
	"nanotypedb/shared/config"
	"nanotypedb/shared/embedder/embeddertest"
	"nanotypedb/shared/embedder/flakyembed"
)

func TestOpenAsksForTheDimensionWhenItIsNotSaid(t *testing.T) {
	server := flakyembed.Start(t, 12)
	c := config.Config{EmbedderURL: server.URL, EmbedderModel: flakyembed.Model, EmbedderTimeout: 10 * time.Second}
	e, err := openai.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if e.Dim() != 12 {
		t.Errorf("%d components", e.Dim())
	}
	embeddertest.Embed(t.Context(), t, e, "x")
}

func TestAServerThatIsDownIsNamed(t *testing.T) {
	c := config.Config{EmbedderURL: "http://127.0.0.1:1/v1", EmbedderModel: "m", EmbedderTimeout: time.Second}
	if _, err := openai.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	c.EmbedderDim = 8
	if _, err := openai.Open(t.Context(), c); err != nil {
		t.Errorf("nothing need be asked when the dimension is said: %v", err)
	}
}
