package promises

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"nanotypedb/shared/awstest"
)

// mutation is a mistake in the code of which a promise depends, and the tests
// that must find it. Old must occur once in File.
type mutation struct {
	name     string
	file     string // below the module's folder
	old, new string
	pkg      string // below the module's folder
	run      string // -run
	dynamo   bool   // the tests need DynamoDB Local
}

// TestEveryMutationIsCaught makes one mistake after the other and wants a test
// to fail for each. It compiles much, so it runs when NANO_TEST_MUTATIONS=1,
// as in CI: where there is a DynamoDB, as in make test-aws, those that need it,
// else the others. Nothing is written into the source: the compiler is given the
// mutated file as an overlay, as are builds that the tests start themselves.
func TestEveryMutationIsCaught(t *testing.T) {
	if os.Getenv("NANO_TEST_MUTATIONS") != "1" {
		t.Skip("NANO_TEST_MUTATIONS is not 1")
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			if m.dynamo {
				awstest.DynamoDBLocal.Endpoint(t)
			} else if os.Getenv(string(awstest.DynamoDBLocal)) != "" {
				t.Skip("not one of those on DynamoDB, which is NANO_TEST_DYNAMODB here")
			}
			m.mustBeCaught(t)
		})
	}
}

// TestMutationsApply keeps the list true to the code: it is quick.
func TestMutationsApply(t *testing.T) {
	for _, m := range mutations {
		m.apply(t)
	}
}

const module = "../.."

// apply gives the mutated file.
func (m mutation) apply(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(module, m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Errorf("%s: what it replaces occurs %d times in %s, it must be once", m.name, n, m.file)
	}
	return strings.Replace(string(text), m.old, m.new, 1)
}

// overlay writes the mutated file and says that it stands for the other.
func (m mutation) overlay(t *testing.T) (path string) {
	t.Helper()
	dir := t.TempDir()
	original, err := filepath.Abs(filepath.Join(module, m.file))
	if err != nil {
		t.Fatal(err)
	}
	mutated := filepath.Join(dir, "mutated.go")
	listing, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "overlay.json")
	for name, text := range map[string][]byte{mutated: []byte(m.apply(t)), path: listing} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func (m mutation) mustBeCaught(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-failfast", "-timeout=60s", "-run", m.run, "./"+m.pkg)
	cmd.Dir = module
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NANO_TEST_MUTATIONS=") })
	cmd.Env = append(cmd.Env, "GOFLAGS=-overlay="+m.overlay(t))
	out, err := cmd.CombinedOutput()
	failed := failedTest.FindStringSubmatch(string(out))
	switch stuck := strings.Contains(string(out), "panic: test timed out"); {
	case err == nil && strings.Contains(string(out), "no tests to run"):
		t.Errorf("no test in %s matches %s", m.pkg, m.run)
	case err == nil:
		t.Errorf("no test of %s in %s finds it", m.run, m.pkg)
	case failed != nil:
		t.Logf("caught by %s", failed[1])
	case stuck:
		t.Logf("caught: %s does not end", m.run)
	case strings.Contains(string(out), "\npanic: ") || strings.HasPrefix(string(out), "panic: "):
		t.Logf("caught: %s panics", m.run)
	default:
		t.Errorf("the tests did not run: %v\n%s", err, out)
	}
}
