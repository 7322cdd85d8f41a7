package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// Grants, discovery, counting, partitions and a locked table work in every supported version.
func TestEverySupportedVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"14", "15", "16", "17", "18"} {
		t.Run(version, func(t *testing.T) {
			server := pgtest.Start(t, pgserver.Options{Version: version, Settings: map[string]string{"shared_buffers": "2MB"}})
			dsn := server.DSN("postgres", superuser)
			pgtest.Exec(t, dsn, "CREATE ROLE watcher LOGIN;"+aSchemaToGrant+deletedAt("users")+deletedAt("locked"))
			grants, err := inspector(t, dsn, "").Grants(t.Context(), "watcher")
			if err != nil {
				t.Fatal(err)
			}
			pgtest.Exec(t, dsn, strings.Join(grants[0].Statements, "\n"))
			m := newMigration(t, dsn)
			m.do("BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
			i := inspector(t, server.DSN("postgres", "watcher"), "")
			if p := i.Ping(t.Context()); !p.Up {
				t.Errorf("ping: %s", p.Err)
			}
			want := map[string]string{"public.users": "10 4 3", "public.locked": "locked", "app.pairs": "2 1 0",
				"public.parted": "1 1 0"}
			s := first(t, i)
			if diff := cmp.Diff(want, told(s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			m.do("COMMIT")
			want["public.locked"] = "10 4 3"
			if diff := cmp.Diff(want, told(refreshAfter(t, i, s, nil))); diff != "" {
				t.Errorf("after the lock (-want +got):\n%s", diff)
			}
		})
	}
}

// A server that claims to be older, in one of its databases, takes the place of an older server.
func TestAnOlderServerIsRefused(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users")+`
		CREATE OR REPLACE FUNCTION pg_catalog.current_setting(name text) RETURNS text LANGUAGE sql STABLE AS $$
			SELECT CASE name WHEN 'server_version_num' THEN '130014' WHEN 'server_version' THEN '13.14'
				ELSE pg_catalog.current_setting(name, false) END $$`)
	i := inspector(t, dsn, "")
	s := first(t, i)
	if got := checks(s)[database(t, dsn)]; got.Connect || len(told(s)) != 0 || !s.Taken.IsZero() {
		t.Errorf("it was asked all the same: %+v", s)
	}
	err := i.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "PostgreSQL 13.14 is too old: version 14 or newer is needed") {
		t.Errorf("err = %v", err)
	}
}
