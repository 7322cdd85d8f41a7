//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// The printed command connects psql to the database with exactly that name.
func TestConnectReachesADatabaseOfAnyName(t *testing.T) {
	server := pgtest.Shared(t)
	admin := server.DSN("postgres", pgserver.Superuser)
	dir := t.TempDir()
	for _, name := range []string{
		"plain", "MiXed", "two words", `it's`, `"quoted"`, `back\slash`, `ends\`, `ends'`, `a"b'c\d`,
		"host=evil.invalid dbname=postgres", "postgres://evil.invalid/x",
		"postgresql://evil.invalid/", "dbname=postgres", "-", "- - evil.invalid 1", `:name :'name' :"name"`,
		"`touch touched`", "$HOME", "; DROP TABLE x; --", "Ünïcode ✓", "%s", "x -reuse-previous=off",
	} {
		t.Run(name, func(t *testing.T) {
			quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
			pgtest.Exec(t, admin, "CREATE DATABASE "+quoted)
			t.Cleanup(func() { pgtest.Exec(t, admin, "DROP DATABASE "+quoted+" WITH (FORCE)") })
			connect, err := queries.Connect(name)
			if err != nil {
				t.Fatal(err)
			}
			psql := exec.Command("psql", "-X", "-q", "-A", "-t", "-d", admin)
			psql.Dir = dir
			psql.Stdin = strings.NewReader(fmt.Sprintf("\\set name evil\n%s\n%s\nSELECT current_database();\n",
				queries.StopOnError, connect))
			out, err := psql.CombinedOutput()
			if got := strings.TrimSuffix(string(out), "\n"); err != nil || got != name {
				t.Errorf("%s leads to %q, %v", connect, got, err)
			}
		})
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*")); len(found) > 0 {
		t.Error("a name was run by a shell")
	}
	for _, name := range []string{"a\nb", "a\rb", "a\tb", "a\x1bb", "a\u202eb"} {
		if connect, err := queries.Connect(name); err == nil {
			t.Errorf("%q gives %q, want an error", name, connect)
		}
	}
}
