package dynamostore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// forbiddenNames read a whole table, or let a query text do so.
var forbiddenNames = regexp.MustCompile(`^(Scan|ScanInput|ScanPaginator|NewScanPaginator|(Batch)?ExecuteStatement(Input)?|ExecuteTransaction(Input)?)$`)

// forbiddenGrants would allow it.
var forbiddenGrants = regexp.MustCompile(`^"dynamodb:(Scan|PartiQL\w*|\*)"$`)

// dynamoImport is what a file must import for its names to be looked at; other
// files have Scan methods of their own, as database/sql's.
const dynamoImport = `"github.com/aws/aws-sdk-go-v2/service/dynamodb"`

// TestNoScan reads every Go file of the module.
func TestNoScan(t *testing.T) {
	root := moduleRoot(t)
	files := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (entry.Name()[0] == '.' || slices.Contains([]string{"node_modules", "testdata", "cdk.out"}, entry.Name())):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, found := range scans(t, path, source) {
			t.Error(found)
		}
		return nil
	})
	if err != nil || files < 10 {
		t.Fatalf("read %d files of the module: %v", files, err)
	}
}

func TestScanIsFound(t *testing.T) {
	for _, name := range []string{"call", "input", "partiql", "grant"} {
		source, err := os.ReadFile(filepath.Join("testdata", "scan", name+".go.txt"))
		if err != nil {
			t.Fatal(err)
		}
		if found := scans(t, name, source); len(found) == 0 {
			t.Errorf("nothing was found in %s", name)
		}
	}
	harmless := "package p\nimport \"database/sql\"\nfunc f(r *sql.Rows) error { return r.Scan(nil) }\n"
	if found := scans(t, "harmless", []byte(harmless)); len(found) != 0 {
		t.Errorf("found %v in what does not speak to DynamoDB", found)
	}
}

// scans lists where a file could read a whole table.
func scans(t *testing.T, path string, source []byte) []string {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil // the compiler reports it
	}
	speaks := slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
		return strings.HasPrefix(i.Path.Value, strings.TrimSuffix(dynamoImport, `"`))
	})
	var found []string
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			if speaks && forbiddenNames.MatchString(n.Sel.Name) {
				found = append(found, set.Position(n.Pos()).String()+": "+n.Sel.Name)
			}
		case *ast.BasicLit:
			if forbiddenGrants.MatchString(n.Value) {
				found = append(found, set.Position(n.Pos()).String()+": "+n.Value)
			}
		}
		return true
	})
	return found
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("there is no go.mod above this package")
	return ""
}
