package local

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestMetricsFileStaysBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.jsonl")
	r, err := openRotating(path)
	if err != nil {
		t.Fatal(err)
	}
	line := append(bytes.Repeat([]byte("x"), 1<<20), '\n')
	for range 40 {
		if _, err := r.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		if err != nil || info.Size() > rotatingBytes || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if again, err := openRotating(path); err != nil || again.size == 0 {
		t.Errorf("opened anew: %+v, %v", again, err)
	}
	if _, err := openRotating(filepath.Join(t.TempDir(), "no", "such")); err == nil {
		t.Error("a folder that is not there")
	}
}
