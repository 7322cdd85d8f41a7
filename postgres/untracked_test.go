package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// A role that was given the right leaves its questions out of pg_stat_statements. Nobody else
// does, not even a superuser.
func TestOnlyARoleWithTheRightLeavesNoStatistics(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"14", "15"} {
		server := pgtest.Start(t, pgserver.Options{Version: version,
			Settings: map[string]string{"shared_preload_libraries": "pg_stat_statements"}})
		admin := server.DSN("postgres", pgserver.Superuser)
		pgtest.Exec(t, admin, "CREATE EXTENSION pg_stat_statements; CREATE ROLE plain LOGIN; CREATE ROLE hidden LOGIN")
		if version != "14" {
			pgtest.Exec(t, admin, queries.GrantUntracked("hidden"))
		}
		for role, tracked := range map[string]bool{"plain": true, "hidden": version == "14", pgserver.Superuser: true} {
			s := newSession(t, server.DSN("postgres", role), usual)
			for way, ask := range ways {
				question := fmt.Sprintf("SELECT 1 AS n /* %s %s */", role, way)
				ask(s, question)
				if _, err := Query[number](t.Context(), s, question); err != nil {
					t.Errorf("%s on %s: %v", role, version, err)
				}
				got := pgtest.Value[bool](t, admin, `SELECT EXISTS (
					SELECT FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
					WHERE r.rolname = $1 AND query LIKE 'SELECT $1 AS n%')`, role)
				if got != tracked {
					t.Errorf("%s on %s, %s: pg_stat_statements has its question: %t", role, version, way, got)
				}
				pgtest.Exec(t, admin, "SELECT pg_stat_statements_reset()")
			}
		}
	}
}

// The first questions of a session are asked before it is known which limits the server knows and the role may set.
func TestQuestionsBeforeTheLimitsAreSettled(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"15", "18"} {
		server := pgtest.Start(t, pgserver.Options{Version: version,
			Settings: map[string]string{"shared_preload_libraries": "pg_stat_statements"}})
		pgtest.Exec(t, server.DSN("postgres", pgserver.Superuser),
			"CREATE ROLE hidden LOGIN;"+queries.GrantUntracked("hidden"))
		s, err := newServer(t, server.DSN("postgres", "hidden")).Open(t.Context(), "", usual, func(datname string) []string {
			return []string{"SELECT 1 AS n /* " + datname + " */"}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if before := len(s.limits); before != map[string]int{"15": 23, "18": 24}[version] {
			t.Errorf("on %s there are %d limits", version, before)
		}
		if len(s.ahead.asked) != 1 {
			t.Errorf("%d questions were asked ahead", len(s.ahead.asked))
		}
		for range 2 { // asked ahead, and then not
			rows, err := Query[number](t.Context(), s, "SELECT 1 AS n /* postgres */")
			if err != nil || len(rows) != 1 || rows[0].N != 1 {
				t.Errorf("on %s: %v, %v", version, rows, err)
			}
		}
	}
}

func TestTheMajorVersionThatAServerReports(t *testing.T) {
	for version, want := range map[string]int{"15.18 (Debian 15.18-0+deb12u1)": 15, "18beta1": 18, "14.5": 14, "": 0,
		"devel": 0, strings.Repeat("9", 30) + ".1": 0} {
		if got := major(version); got != want {
			t.Errorf("%q is read as %d", version, got)
		}
	}
}
