package config

import (
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, env map[string]string) (Config, error) {
	t.Helper()
	return Read(func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	})
}

func TestReadDefaults(t *testing.T) {
	c, err := read(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Backend: Embedded, Addr: "127.0.0.1:8787", Data: ".nanotype", RoomMaxMB: 256, CacheMB: 512,
		Table: "nanotype", Bucket: "nanotype", LogLevel: "info",
		Embedder: Static, EmbedderTimeout: 30 * time.Second, EmbedConcurrency: 4, RetentionDays: 35, LogFormat: "text",
	}
	if c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if got := c.MaxRoomBytes(); got != 256<<20 {
		t.Errorf("MaxRoomBytes = %d", got)
	}
}

func TestReadRefusesEachBadSetting(t *testing.T) {
	tests := []struct{ name, value, says string }{
		{"NANO_BACKEND", "gcp", "one of embedded, aws"},
		{"NANO_ADDR", "8787", "host:port"},
		{"NANO_ADDR", "127.0.0.1:99999", "up to 65535"},
		{"NANO_ROOM_MAX_MB", "0", "from 1 to 4096"},
		{"NANO_CACHE_MB", "many", "whole number"},
		{"AWS_ENDPOINT_URL", "localhost:4566", "http or https"},
		{"NANO_RATE_READS", "-1", "from 0"},
		{"NANO_LOG", "loud", "one of debug"},
		{"NANO_LOG_FORMAT", "xml", "one of text, json"},
		{"NANO_EMBEDDER", "word2vec", "one of static, bedrock, openai"},
		{"NANO_EMBEDDER", "openai", "needs NANO_EMBEDDER_URL"},
		{"NANO_EMBEDDER_URL", "localhost", "http or https"},
		{"NANO_EMBEDDER_MODEL", "m", "for NANO_EMBEDDER=openai"},
		{"NANO_EMBEDDER_DIM", "512", "not for NANO_EMBEDDER=static"},
		{"NANO_EMBEDDER_TIMEOUT", "1h", "from 1s"},
		{"NANO_EMBED_CONCURRENCY", "0", "from 1"},
		{"NANO_BACKOFF_BASE", "2", "as 2s"},
		{"NANO_EMBEDDINGS_QUEUE", "http://q", "need each other"},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			_, err := read(t, map[string]string{tt.name: tt.value})
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), tt.name) {
				t.Errorf("got %v, want it to name %s and say %q", err, tt.name, tt.says)
			}
		})
	}
}

func TestTheEmbedderFollowsTheBackend(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want Embedder
	}{
		{map[string]string{"NANO_BACKEND": "aws"}, Bedrock},
		{map[string]string{"NANO_BACKEND": "aws", "NANO_EMBEDDER": "static"}, Static},
		{map[string]string{"NANO_EMBEDDER": "openai", "NANO_EMBEDDER_URL": "http://127.0.0.1:1/v1", "NANO_EMBEDDER_MODEL": "m"}, OpenAI},
	} {
		if c, err := read(t, tt.env); err != nil || c.Embedder != tt.want {
			t.Errorf("%v: got %q, %v; want %q", tt.env, c.Embedder, err, tt.want)
		}
	}
	if _, err := read(t, map[string]string{"NANO_BACKEND": "aws", "NANO_EMBEDDER_DIM": "300"}); err == nil {
		t.Error("300 components were taken for bedrock")
	}
}

func TestReadReportsAllBadSettingsTogether(t *testing.T) {
	_, err := read(t, map[string]string{"NANO_BACKEND": "x", "NANO_LOG": "y", "NANO_RATE_AI": "z"})
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("want three lines, got %v", err)
	}
}
