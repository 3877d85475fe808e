//go:build faultpoints

package dirblob_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nanotypedb/shared/blob"
	"nanotypedb/shared/blob/dirblob"
)

const childFolder = "NANO_TEST_CHILD_FOLDER"

var large = strings.Repeat("content ", 20_000)

// TestMain runs the test binary as the child that is killed.
func TestMain(m *testing.M) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		os.Exit(m.Run())
	}
	s, err := dirblob.Open(folder)
	if err == nil {
		err = errors.Join(
			s.PutNew(context.Background(), "deep/new", strings.NewReader(large), -1),
			s.Put(context.Background(), "deep/replaced", strings.NewReader(large), -1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
	}
	os.Exit(3)
}

// TestKilledAtEachPoint kills a child while it makes the first and then the
// second blob: each is whole or as it was, and no temporary file stays.
func TestKilledAtEachPoint(t *testing.T) {
	for _, point := range dirblob.Points {
		for hit := 1; hit <= 2; hit++ {
			t.Run(fmt.Sprint(point, " ", hit), func(t *testing.T) {
				folder, marker := t.TempDir(), filepath.Join(t.TempDir(), "marker")
				put(t, open(t, folder), "deep/replaced", "old")
				cmd := exec.CommandContext(t.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), childFolder+"="+folder, "NANO_FAULT_POINT="+string(point),
					"NANO_FAULT_MARKER="+marker, fmt.Sprint("NANO_FAULT_HIT=", hit))
				out, err := cmd.CombinedOutput()
				if reached, readErr := os.ReadFile(marker); readErr != nil || string(reached) != string(point) || cmd.ProcessState.ExitCode() != -1 {
					t.Fatalf("the point was not reached: %q, %v, %v, %s", reached, readErr, err, out)
				}
				verify(t, folder, point, hit)
			})
		}
	}
}

func verify(t *testing.T, folder string, point any, hit int) {
	t.Helper()
	s := open(t, folder)
	placed := point == dirblob.PointPlaced
	info, err := s.Stat(t.Context(), "deep/new")
	if made := hit == 2 || placed; made && info.Size != int64(len(large)) || !made && !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("deep/new has %d bytes, %v", info.Size, err)
	}
	want := int64(len("old"))
	if hit == 2 && placed {
		want = int64(len(large))
	}
	if info, err := s.Stat(t.Context(), "deep/replaced"); err != nil || info.Size != want {
		t.Errorf("deep/replaced has %d bytes, %v, want %d", info.Size, err, want)
	}
	for _, name := range files(t, folder) {
		if strings.HasPrefix(name, "~tmp") {
			t.Errorf("%s stayed", name)
		}
	}
}
