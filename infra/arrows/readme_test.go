package arrows

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"nanotypedb/shared/config"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// README's table of settings and the settings themselves agree on names and defaults.
func TestReadmeListsEverySetting(t *testing.T) {
	readme := read(t, "../../README.md")
	known := map[string]bool{}
	for _, setting := range config.Settings {
		known[setting.Name] = true
		row := fmt.Sprintf("| `%s` | `%s` |", setting.Name, setting.Default)
		if setting.Default == "" {
			row = fmt.Sprintf("| `%s` | |", setting.Name)
		}
		if !strings.Contains(readme, row) {
			t.Errorf("README.md has no row %q; add it under Configuration", row)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `((?:NANO|AWS)_[A-Z_]+)` \\|").FindAllStringSubmatch(readme, -1) {
		if !known[row[1]] {
			t.Errorf("README.md explains %s, which no program reads", row[1])
		}
	}
}

// Every `make target` that README names exists.
func TestReadmeNamesRealTargets(t *testing.T) {
	makefile := read(t, "../../Makefile")
	named := regexp.MustCompile("`make ([a-z0-9-]+)`").FindAllStringSubmatch(read(t, "../../README.md"), -1)
	if len(named) == 0 {
		t.Fatal("README.md names no target")
	}
	for _, target := range named {
		if !regexp.MustCompile("(?m)^" + target[1] + ":.*## ").MatchString(makefile) {
			t.Errorf("README.md names make %s, but the Makefile has no such target with a ## help", target[1])
		}
	}
}
