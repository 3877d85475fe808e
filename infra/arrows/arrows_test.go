package arrows

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func module(t *testing.T) []File {
	t.Helper()
	files, err := Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("found only %d Go files; the tests look in the wrong place", len(files))
	}
	return files
}

func report(t *testing.T, broken []string) {
	t.Helper()
	for _, sentence := range broken {
		t.Error(sentence)
	}
}

func TestImportsGoOneWay(t *testing.T)          { report(t, Imports(module(t))) }
func TestProgramsCarryNoBallast(t *testing.T)   { report(t, Carried(module(t))) }
func TestEachPackageHasOneComment(t *testing.T) { report(t, PackageComments(module(t))) }
func TestNothingSleeps(t *testing.T)            { report(t, Sleeps(module(t), sleepers)) }
func TestFilesHaveAReadableSize(t *testing.T)   { report(t, Sizes(module(t))) }
func TestLoadFindsItself(t *testing.T) {
	for _, file := range module(t) {
		if file.Name == "infra/arrows/arrows_test.go" {
			return
		}
	}
	t.Error("infra/arrows/arrows_test.go is not among the files")
}

// An exception that no file needs any more misleads.
func TestExceptionsAreNeeded(t *testing.T) {
	files := module(t)
	for pattern, reason := range sleepers {
		needed := slices.ContainsFunc(files, func(file File) bool { return file.named(pattern) && len(file.Sleeps) > 0 })
		if !needed || reason == "" {
			t.Errorf("sleepers: nothing in %s sleeps, or no reason is given", pattern)
		}
	}
}

func TestPatternsAreWellFormed(t *testing.T) {
	all := append(append([]string{}, kits...), wiring...)
	for _, place := range levels {
		all = append(all, place.pattern)
	}
	for _, rule := range libraries {
		all = append(all, rule.allowed...)
		if rule.reason == "" {
			t.Errorf("the rule for %s gives no reason", rule.path)
		}
	}
	for _, pattern := range all {
		if _, err := path.Match(pattern, "x"); err != nil {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
}

// parse makes a file from its name and what it imports.
func parse(t *testing.T, name, source string) File {
	t.Helper()
	file, err := Parse(name, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// expect checks that there is one broken rule that says the words, or none when there are no words.
func expect(t *testing.T, broken []string, words string) {
	t.Helper()
	switch {
	case words == "" && len(broken) > 0:
		t.Errorf("refused: %s", broken)
	case words != "" && (len(broken) != 1 || !strings.Contains(broken[0], words)):
		t.Errorf("got %q, want one sentence with %q", broken, words)
	}
}

func TestImports(t *testing.T) {
	for _, c := range []struct{ file, imports, says string }{
		// Levels.
		{"shared/room/a.go", Module + "/shared/replica", ""},
		{"shared/replica/a.go", Module + "/shared/room", "level 5, not below level 4"},
		{"shared/store/a.go", Module + "/shared/blob", "level 1, not below level 1"},
		{"shared/fault/a.go", Module + "/shared/store", "level 1, not below level 0"},
		{"shared/room/a.go", Module + "/functions/api", "level 9, not below level 5"},
		{"shared/room/a_test.go", Module + "/shared/audience", ""},
		{"shared/store/storetest/a.go", Module + "/shared/store", ""},
		{"shared/store/storetest/a.go", Module + "/shared/room", "level 5, not below level 2"},
		{"shared/room/roomtest/a.go", Module + "/shared/store/sqlitestore", ""},
		{"infra/topology/a.go", Module + "/shared/store", "level 1, not below level 1"},
		{"shared/novelty/a.go", "strings", "shared/novelty has no level: add a line"},
		{"shared/novelty/a.go", Module + "/shared/store", "shared/novelty has no level"},
		{"shared/room/deep/a.go", "strings", "shared/room/deep has no level"},
		{"shared/room/a_test.go", Module + "/shared/room", ""},

		// Functions.
		{"functions/api/a.go", Module + "/functions/live", "never in code"},
		{"functions/api/a_test.go", Module + "/functions/live", "never in code"},
		{"functions/api/a.go", Module + "/functions/internal/gateway", ""},
		{"functions/api/bootstrap/main.go", Module + "/functions/api", ""},
		{"infra/local/a.go", Module + "/functions/live", ""},

		// Adapters and test kits.
		{"shared/room/a.go", Module + "/shared/store/sqlitestore", "ask for the port"},
		{"shared/room/a_test.go", Module + "/shared/store/sqlitestore", ""},
		{"functions/api/a.go", Module + "/shared/blob/s3blob", "ask for the port"},
		{"functions/api/bootstrap/main.go", Module + "/shared/blob/s3blob", ""},
		{"infra/local/a.go", Module + "/shared/push/hubpush", ""},
		{"shared/backend/aws/a.go", Module + "/shared/store/dynamostore", ""},
		{"shared/room/a.go", Module + "/shared/store/storetest", "no binary links them"},
		{"shared/room/a_test.go", Module + "/shared/store/flakystore", ""},
		{"infra/local/a.go", Module + "/infra/promises", "no binary links them"},
		{"shared/store/dynamostore/a.go", Module + "/shared/awstest", "no binary links them"},

		// Libraries.
		{"shared/room/a.go", "github.com/aws/aws-sdk-go-v2/aws", "only AWS adapters"},
		{"shared/store/sqlitestore/a.go", "github.com/aws/aws-sdk-go-v2/service/dynamodb", "only AWS adapters"},
		{"shared/store/dynamostore/a.go", "github.com/aws/aws-sdk-go-v2/service/dynamodb", ""},
		{"shared/store/storetest/a.go", "github.com/aws/aws-sdk-go-v2/aws", ""},
		{"functions/api/a.go", "github.com/aws/smithy-go", "nobody else sees them"},
		{"shared/audience/a.go", "github.com/aws/aws-lambda-go/events", "translated at the edge"},
		{"functions/live/a.go", "github.com/aws/aws-lambda-go/events", ""},
		{"infra/stack/a.go", "github.com/aws/aws-cdk-go/awscdk/v2", ""},
		{"infra/local/a.go", "github.com/aws/aws-cdk-go/awscdk/v2", "everyday loop"},
		{"infra/local/a_test.go", "github.com/aws/aws-cdk-go/awscdk/v2/assertions", "everyday loop"},
		{"infra/topology/a.go", "github.com/aws/constructs-go/constructs/v10", "CDK app"},
		{"shared/room/a.go", "github.com/aws/jsii-runtime-go", "starts Node"},
		{"shared/room/a.go", "database/sql", "SQL lives in"},
		{"shared/room/a.go", "modernc.org/sqlite", "SQL lives in"},
		{"shared/replica/a.go", "database/sql", ""},
		{"shared/room/a.go", "testing", "no binary links the test framework"},
		{"shared/room/a.go", "testing/synctest", "no binary links the test framework"},
		{"shared/room/a.go", "testings", ""},
		{"shared/blob/blobtest/a.go", "testing", ""},
		{"shared/room/a.go", "pgregory.net/rapid", "property tests"},
		{"shared/room/a.go", "github.com/anishathalye/porcupine", "linearizability"},
		{"shared/room/a_test.go", "github.com/anishathalye/porcupine", ""},
	} {
		t.Run(c.file+" "+c.imports, func(t *testing.T) {
			source := "package a\nimport \"" + c.imports + "\"\n"
			expect(t, Imports([]File{parse(t, c.file, source)}), c.says)
		})
	}
}

func TestCarried(t *testing.T) {
	model := parse(t, "shared/backend/embedded/a.go", "package a\nimport \""+Module+"/shared/embedder/staticembed\"\n")
	user := func(file string) File {
		return parse(t, file, "package a\nimport \""+Module+"/shared/backend/embedded\"\n")
	}
	for file, says := range map[string]string{
		"functions/embed/bootstrap/main.go":      "functions/embed/bootstrap carries shared/embedder/staticembed",
		"functions/embed/bootstrap/main_test.go": "",
		"infra/local/bootstrap/main.go":          "",
	} {
		t.Run(file, func(t *testing.T) { expect(t, Carried([]File{model, user(file)}), says) })
	}
}

// A package without a level is reported once, however many files it has.
func TestAPackageIsReportedOnce(t *testing.T) {
	expect(t, Imports([]File{
		parse(t, "shared/novelty/a.go", "package novelty"), parse(t, "shared/novelty/b.go", "package novelty"),
	}), "no level")
}

func TestPackageComments(t *testing.T) {
	const name, commented = "shared/a/a.go", "// Package a is.\npackage a"
	for title, c := range map[string]struct {
		files []File
		says  string
	}{
		"one":           {[]File{parse(t, name, commented), parse(t, "shared/a/b.go", "package a")}, ""},
		"none":          {[]File{parse(t, name, "package a")}, "no package comment"},
		"directive":     {[]File{parse(t, name, "//go:build linux\npackage a")}, "no package comment"},
		"detached":      {[]File{parse(t, name, "// Package a is.\n\npackage a")}, "no package comment"},
		"two":           {[]File{parse(t, name, commented), parse(t, "shared/a/b.go", commented)}, "keep one"},
		"wrong opening": {[]File{parse(t, name, "// This is a.\npackage a")}, "must begin with"},
		"program":       {[]File{parse(t, name, "// A program.\npackage main")}, ""},
		"only tests":    {[]File{parse(t, "shared/a/a_test.go", "package a")}, "no package comment"},
		"outside test":  {[]File{parse(t, name, commented), parse(t, "shared/a/a_test.go", "package a_test")}, ""},
	} {
		t.Run(title, func(t *testing.T) { expect(t, PackageComments(c.files), c.says) })
	}
}

func TestSleeps(t *testing.T) {
	const plain = "package a\nimport \"time\"\nfunc f() { time.Sleep(1) }"
	for title, c := range map[string]struct {
		file, source string
		says         string
	}{
		"code":       {"shared/a/a.go", plain, "a.go:3 calls time.Sleep: wait with a timer"},
		"test":       {"shared/a/a_test.go", plain, "fake clock"},
		"allowed":    {"shared/a/slow_test.go", plain, ""},
		"renamed":    {"shared/a/a.go", "package a\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }", "a.go:3"},
		"dot":        {"shared/a/a.go", "package a\nimport . \"time\"\nfunc f() { Sleep(1) }", "a.go:3"},
		"as a value": {"shared/a/a.go", "package a\nimport \"time\"\nvar wait = time.Sleep", "a.go:3"},
		"another":    {"shared/a/a.go", "package a\nfunc f() { bed.Sleep(1) }", ""},
	} {
		t.Run(title, func(t *testing.T) {
			allowed := map[string]string{"shared/a/slow_test.go": "measures the clock itself"}
			expect(t, Sleeps([]File{parse(t, c.file, c.source)}, allowed), c.says)
		})
	}
}

func TestSizes(t *testing.T) {
	lines := func(n int) File { return parse(t, "shared/a/a.go", "package a"+strings.Repeat("\n", n)) }
	expect(t, Sizes([]File{lines(maxLines)}), "")
	expect(t, Sizes([]File{lines(maxLines + 1)}), "701 lines")
}

func TestParseRefusesBrokenCode(t *testing.T) {
	if _, err := Parse("a.go", []byte("pakcage a")); err == nil {
		t.Error("no error for a file that is not Go")
	}
}
