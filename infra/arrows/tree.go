package arrows

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// File is what the rules need to know of one Go file.
type File struct {
	Name    string // slash-separated, from the root of the module
	Package string // as in its package clause
	Doc     string // the comment above the package clause
	Test    bool   // ends in _test.go
	Imports []string
	Sleeps  []int // lines that call time.Sleep
	Lines   int
}

// Dir is the file's folder: its import path within the module.
func (f File) Dir() string { return path.Dir(f.Name) }

// named tells whether the file's name matches the pattern.
func (f File) named(pattern string) bool { return matches([]string{pattern}, f.Name) }

// Parse reads one Go file.
func Parse(name string, source []byte) (File, error) {
	positions := token.NewFileSet()
	tree, err := parser.ParseFile(positions, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return File{}, fmt.Errorf("parse %s: %w", name, err)
	}
	file := File{
		Name:    name,
		Package: tree.Name.Name,
		Doc:     strings.TrimSpace(tree.Doc.Text()),
		Test:    strings.HasSuffix(name, "_test.go"),
		Lines:   bytes.Count(source, []byte("\n")),
	}
	timeName := "" // the name by which this file calls package time
	for _, spec := range tree.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, fmt.Errorf("parse import %s of %s: %w", spec.Path.Value, name, err)
		}
		file.Imports = append(file.Imports, imported)
		if imported == "time" {
			timeName = "time"
			if spec.Name != nil {
				timeName = spec.Name.Name
			}
		}
	}
	file.Sleeps = sleeps(positions, tree, timeName)
	return file, nil
}

// sleeps finds every mention of time.Sleep, passed as a value too.
func sleeps(positions *token.FileSet, tree *ast.File, timeName string) []int {
	var lines []int
	ast.Inspect(tree, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.SelectorExpr:
			if of, ok := n.X.(*ast.Ident); ok && timeName != "" && of.Name == timeName && n.Sel.Name == "Sleep" {
				lines = append(lines, positions.Position(n.Pos()).Line)
			}
		case *ast.Ident:
			if timeName == "." && n.Name == "Sleep" {
				lines = append(lines, positions.Position(n.Pos()).Line)
			}
		}
		return true
	})
	return lines
}

// skipped are folders that hold no code of ours.
var skipped = []string{"node_modules", "testdata", "dist", "cdk.out", "vendor"}

// Load reads every Go file below root, ordered by name.
func Load(root string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(root, func(where string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && where != root && (strings.HasPrefix(entry.Name(), ".") || slices.Contains(skipped, entry.Name())):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(where) != ".go":
			return nil
		}
		source, err := os.ReadFile(where)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, where)
		if err != nil {
			return err
		}
		file, err := Parse(filepath.ToSlash(name), source)
		if err != nil {
			return err
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the Go files below %s: %w", root, err)
	}
	return files, nil
}
