// Package tools finds the programs that tests need and that Go does not bring.
package tools

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Find returns the programs of that name in all directories of PATH, each once:
// what must hold in several versions is tried with all that are installed.
func Find(name string) ([]string, error) {
	var found, real []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path, err := exec.LookPath(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(real, target) {
			found, real = append(found, path), append(real, target)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s is not on PATH: run scripts/tools.sh jsonnet e2e, and put .cache/bin on PATH", name)
	}
	return found, nil
}
