package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
)

// pages returns all Markdown pages of the repository, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && len(d.Name()) > 1 && d.Name()[0] == '.': // .git, and what is built
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("%d pages: %v", len(all), err)
	}
	return all
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	notInAnchor    = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
	metricPattern  = regexp.MustCompile("`((?:softdelete|db)_[a-z_]+)")
	commandPattern = regexp.MustCompile("(?m)(?:^|`|\\| )(?:\\./)?softdelete_exporter((?: [^|>`&#\n]*)?)")
)

// anchors returns the anchors that GitHub gives the headings of a page.
func anchors(page string) (all []string) {
	for _, heading := range headingPattern.FindAllStringSubmatch(page, -1) {
		text := notInAnchor.ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	found := 0
	for page, text := range all {
		for _, link := range linkPattern.FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			found++
			target, anchor, _ := strings.Cut(link[1], "#")
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, link[1])
			} else if anchor != "" && !slices.Contains(anchors(all[file]), anchor) {
				t.Errorf("%s links to %s, but that page has no such heading", page, link[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links were found", found)
	}
}

func TestPagesNameMetricsThatExist(t *testing.T) {
	known := []string{"softdelete_exporter", "softdelete_exporter_build_info"}
	for _, m := range collector.Metrics() {
		known = append(known, m.Name)
	}
	for page, text := range pages(t) {
		for _, name := range metricPattern.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, name[1]) {
				t.Errorf("%s names the metric %s, which does not exist", page, name[1])
			}
		}
	}
}

// Every command of the pages has flags that exist.
func TestCommandsOfPagesAreAccepted(t *testing.T) {
	found := 0
	for page, text := range pages(t) {
		for _, command := range commandPattern.FindAllStringSubmatch(text, -1) {
			found++
			args := strings.Fields(strings.ReplaceAll(command[1], "'", ""))
			var out, complaints bytes.Buffer
			if code := run(t.Context(), append(args, "--help"), &out, &complaints); code != 0 {
				t.Errorf("%s: softdelete_exporter%s: %s", page, command[1], &complaints)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d commands were found", found)
	}
}
