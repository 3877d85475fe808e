package arrows

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Imports returns a sentence for each import that goes the wrong way, and for each package that has no place.
func Imports(files []File) []string {
	var broken []string
	placed := map[string]bool{}
	for _, file := range files {
		if _, ok := levelOf(file.Dir()); !ok && !placed[file.Dir()] {
			broken = append(broken, fmt.Sprintf(
				"%s has no level: add a line for it to levels in infra/arrows/layout.go, above all that it imports", file.Dir()))
		}
		placed[file.Dir()] = true
		for _, imported := range file.Imports {
			if reason := forbidden(file, imported); reason != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", file.Name, imported, reason))
			}
		}
	}
	return broken
}

// forbidden says why the file must not import the package, or nothing.
func forbidden(file File, imported string) string {
	ours, ok := strings.CutPrefix(imported, Module+"/")
	if !ok {
		return forbiddenLibrary(file, imported)
	}
	from := file.Dir()
	// Tests have no level: they wire real parts, and the compiler refuses cycles.
	test := file.Test || matches(kits, from)
	switch {
	case ours == from:
		return ""
	case isFunction(from) && isFunction(ours):
		return "functions meet in queues, the feed and infra/local, never in code"
	case matches(kits, ours) && !test:
		return "test kits are for tests; no binary links them"
	case isAdapter(ours) && !test && !matches(wiring, from):
		return "only bootstraps, infra/local and shared/backend wire adapters; ask for the port"
	case file.Test:
		return ""
	}
	return wrongLevel(from, ours)
}

// Carried returns a sentence for each program that imports, over any number of packages, what it must not carry.
func Carried(files []File) []string {
	imports := map[string][]string{}
	for _, file := range files {
		if !file.Test {
			imports[file.Dir()] = append(imports[file.Dir()], file.Imports...)
		}
	}
	var broken []string
	for _, program := range slices.Sorted(maps.Keys(imports)) {
		for _, rule := range apart {
			if matches([]string{rule.program}, program) && reaches(imports, program, rule.carries, map[string]bool{}) {
				broken = append(broken, fmt.Sprintf("%s carries %s: %s", program, rule.carries, rule.reason))
			}
		}
	}
	return broken
}

func reaches(imports map[string][]string, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	return slices.ContainsFunc(imports[from], func(imported string) bool {
		ours, ok := strings.CutPrefix(imported, Module+"/")
		return ok && !seen[ours] && reaches(imports, ours, to, seen)
	})
}

func wrongLevel(from, to string) string {
	upper, known := levelOf(from)
	lower, placed := levelOf(to)
	if !known || !placed || lower < upper {
		return "" // packages without a level are reported once, by Imports
	}
	return fmt.Sprintf("it stands on level %d, not below level %d; imports go down (infra/arrows/layout.go)", lower, upper)
}

func forbiddenLibrary(file File, imported string) string {
	for _, rule := range libraries {
		if imported != rule.path && !strings.HasPrefix(imported, rule.path+"/") {
			continue
		}
		test := file.Test || matches(kits, file.Dir())
		if (test && rule.tests) || matches(rule.allowed, file.Dir()) {
			return ""
		}
		return rule.reason
	}
	return ""
}

func levelOf(dir string) (int, bool) {
	for _, place := range levels {
		if matches([]string{place.pattern}, dir) {
			return place.level, true
		}
	}
	return 0, false
}

// isFunction tells handlers from their programs and from what they share.
func isFunction(dir string) bool { return matches([]string{"functions/*"}, dir) }

func isAdapter(dir string) bool {
	return slices.Contains(ports, path.Dir(dir)) && !matches(kits, dir)
}

func matches(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		// A malformed pattern matches nothing, and a test says so.
		ok, err := path.Match(pattern, dir)
		return err == nil && ok
	})
}

// PackageComments returns a sentence for each package that has no comment, or more than one.
func PackageComments(files []File) []string {
	docs := map[string][]File{} // folder → its documented files
	only := map[string]File{}   // folder → a file that could carry the comment
	for _, file := range files {
		if strings.HasSuffix(file.Package, "_test") {
			continue
		}
		if shown, ok := only[file.Dir()]; !ok || shown.Test {
			only[file.Dir()] = file
		}
		if file.Doc != "" {
			docs[file.Dir()] = append(docs[file.Dir()], file)
		}
	}
	var broken []string
	for dir, file := range only {
		switch found := docs[dir]; {
		case len(found) == 0:
			broken = append(broken, fmt.Sprintf("%s: no package comment; say in one or two sentences what it is for", dir))
		case len(found) > 1:
			broken = append(broken, fmt.Sprintf("%s: package comments in %s and %s; keep one", dir, found[0].Name, found[1].Name))
		case file.Package != "main" && !strings.HasPrefix(found[0].Doc, "Package "+file.Package+" "):
			broken = append(broken, fmt.Sprintf("%s: the package comment must begin with %q", found[0].Name, "Package "+file.Package))
		}
	}
	slices.Sort(broken)
	return broken
}

// Sleeps returns a sentence for each call of time.Sleep outside the files that are allowed one.
func Sleeps(files []File, allowed map[string]string) []string {
	var broken []string
	for _, file := range files {
		if slices.ContainsFunc(slices.Collect(maps.Keys(allowed)), file.named) {
			continue
		}
		advice := "wait with a timer and the context"
		if file.Test {
			advice = "use a fake clock, a condition or testing/synctest"
		}
		for _, line := range file.Sleeps {
			broken = append(broken, fmt.Sprintf("%s:%d calls time.Sleep: %s", file.Name, line, advice))
		}
	}
	return broken
}

// Sizes returns a sentence for each file that is too long.
func Sizes(files []File) []string {
	var broken []string
	for _, file := range files {
		if file.Lines > maxLines {
			broken = append(broken, fmt.Sprintf("%s has %d lines, more than %d: split it by what a reader would look for",
				file.Name, file.Lines, maxLines))
		}
	}
	return broken
}
