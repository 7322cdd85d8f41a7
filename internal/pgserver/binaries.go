//go:build unix

package pgserver

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first major version that the exporter supports.
const oldest = 14

// fetched is the major version that is downloaded if none is installed and none is requested.
const fetched = 18

// installation is a directory with PostgreSQL's programs.
type installation struct {
	dir   string
	major int
}

// places are where packages put PostgreSQL's programs: Debian, Red Hat, Homebrew.
var places = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// find returns an installation of the wanted major version, or of any if version is empty.
func find(ctx context.Context, version string) (installation, error) {
	want := 0
	if version != "" {
		var err error
		if want, err = strconv.Atoi(version); err != nil || npmVersions[want] == "" {
			return installation{}, fmt.Errorf("PostgreSQL %q: want a major version that the exporter supports, 14 to 18",
				version)
		}
	}
	for _, i := range installed(ctx) {
		if want == 0 || i.major == want {
			return i, nil
		}
	}
	if want == 0 {
		want = fetched
	}
	dir, err := fetch(ctx, want)
	if err != nil {
		return installation{},
			fmt.Errorf("no PostgreSQL server of version %d on PATH or in %s, and it could not be fetched: %w\n"+
				"Install it (Debian: apt-get install postgresql-%d, or plain postgresql where any version will do; macOS: brew "+
				"install postgresql@%d)",
				want, strings.Join(places, ", "), err, want, want)
	}
	return installation{dir: filepath.Join(dir, "bin"), major: want}, nil
}

// installed returns the usable installations: the one on PATH, then the newest first.
func installed(ctx context.Context) []installation {
	var found []installation
	for _, pattern := range places {
		dirs, _ := filepath.Glob(pattern) // the patterns are well-formed
		for _, dir := range dirs {
			if i, ok := inspect(ctx, filepath.Join(dir, "postgres")); ok {
				found = append(found, i)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b installation) int { return cmp.Compare(b.major, a.major) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if i, ok := inspect(ctx, path); ok {
			found = slices.Insert(found, 0, i)
		}
	}
	return found
}

var versionPattern = regexp.MustCompile(`^postgres \(PostgreSQL\) (\d+)`)

// inspect gets the version of a postgres program. initdb must be in the same directory, and the account that will run
// both must have access.
func inspect(ctx context.Context, postgres string) (i installation, ok bool) {
	postgres, err := filepath.EvalSymlinks(postgres)
	if err != nil || !openToServer(postgres) {
		return i, false
	}
	dir := filepath.Dir(postgres)
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return i, false
	}
	out, err := exec.CommandContext(ctx, postgres, "--version").Output()
	m := versionPattern.FindSubmatch(out)
	if err != nil || m == nil {
		return i, false
	}
	major, err := strconv.Atoi(string(m[1]))
	return installation{dir: dir, major: major}, err == nil && major >= oldest
}
