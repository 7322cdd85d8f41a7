package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/softdelete-exporter/softdelete_exporter"

// arrows are the allowed imports among our packages.
var arrows = map[string][]string{
	"softdelete": {},
	"sampling":   {},
	"mixin":      {},
	"conninfo":   {},
	"rescue":     {},
	"queries":    {"indexes", "softdelete"},
	"predicate":  {"softdelete"},
	"discovery":  {"softdelete"},
	"indexes":    {"predicate", "softdelete"},
	"assess":     {"indexes", "rescue", "softdelete"},
	"config":     {"conninfo", "softdelete", "discovery", "assess", "mixin"},
	"postgres":   {"conninfo", "queries", "rescue", "softdelete"},
	"inspect": {"postgres", "config", "queries", "sampling", "softdelete", "discovery", "predicate",
		"indexes", "rescue"},
	"cache":     {"rescue", "softdelete"},
	"collector": {"softdelete", "indexes", "rescue"},
	"report":    {"assess", "indexes", "queries", "softdelete"},
	"server":    {"cache", "collector", "report", "assess", "config", "conninfo", "rescue", "softdelete"},
}

// free are the folders that can import anything.
var free = []string{".", "demo", "e2e", "internal", "bench"}

func TestImportsPointOneWay(t *testing.T) {
	seen, used := map[string]bool{}, map[string]bool{}
	for file, imports := range goFiles(t) {
		room, _, _ := strings.Cut(filepath.ToSlash(filepath.Dir(file)), "/")
		seen[room] = true
		if slices.Contains(free, room) {
			continue
		}
		allowed, known := arrows[room]
		if !known {
			t.Errorf("%s: the design has no folder %s", file, room)
		}
		for _, imported := range imports {
			target, ours := strings.CutPrefix(imported, module+"/")
			used[room+" -> "+target] = true
			if ours && !slices.Contains(allowed, target) {
				t.Errorf("%s imports %s; the design allows only %v", file, target, allowed)
			}
			if room != "postgres" && strings.HasPrefix(imported, "github.com/jackc/pgx") {
				t.Errorf("%s imports pgx; only postgres may", file)
			}
		}
	}
	for room, targets := range arrows {
		if !seen[room] {
			t.Errorf("no file of %s was read", room)
		}
		for _, target := range targets {
			if !used[room+" -> "+target] {
				t.Errorf("%s does not import %s; take the arrow out of the design", room, target)
			}
		}
	}
}

// goFiles returns the imports of each of our Go files that is not a test.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != "." {
			return orSkip(err)
		}
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[file] = []string{}
		for _, i := range parsed.Imports {
			files[file] = append(files[file], strings.Trim(i.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// orSkip skips a hidden folder, unless the walk failed.
func orSkip(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}
