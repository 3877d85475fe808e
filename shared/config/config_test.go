package config

import (
	"strings"
	"testing"
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

func TestReadReportsAllBadSettingsTogether(t *testing.T) {
	_, err := read(t, map[string]string{"NANO_BACKEND": "x", "NANO_LOG": "y", "NANO_RATE_AI": "z"})
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("want three lines, got %v", err)
	}
}
