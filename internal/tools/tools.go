// Package tools finds programs that tests need and that are not part of Go.
package tools

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Find returns the programs with this name in all directories of PATH, each once, so that a test can try all
// installed versions.
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
