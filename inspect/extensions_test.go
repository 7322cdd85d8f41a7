package inspect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// If an extension keeps the rows, the table itself looks empty. Children take the place of shards and chunks here, as
// they do in TimescaleDB.
const distributed = `
	CREATE TABLE distributed (id int, deleted_at timestamptz);
	CREATE SCHEMA _timescaledb_internal;
	CREATE TABLE _timescaledb_internal.chunk_1 () INHERITS (distributed);
	INSERT INTO _timescaledb_internal.chunk_1 SELECT * FROM users;
	GRANT SELECT ON distributed, users TO watcher;`

const (
	likeCitus = `SET allow_system_table_mods = on;
		CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
		GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC;
		INSERT INTO pg_dist_partition VALUES ('distributed');`
	likeTimescale = `CREATE SCHEMA _timescaledb_catalog; GRANT USAGE ON SCHEMA _timescaledb_catalog TO PUBLIC;
		CREATE TABLE _timescaledb_catalog.hypertable (schema_name name, table_name name);
		GRANT SELECT ON _timescaledb_catalog.hypertable TO PUBLIC;
		INSERT INTO _timescaledb_catalog.hypertable VALUES ('public', 'distributed');`
)

func TestDistributedTablesAreNotEmpty(t *testing.T) {
	t.Parallel()
	for name, catalog := range map[string]string{"Citus": likeCitus, "TimescaleDB": likeTimescale} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
			name, its := role(t, dsn)
			pgtest.Exec(t, dsn, asRole(deletedAt("users")+distributed+catalog, name))
			i := inspector(t, its, "")
			want := map[string]string{"public.distributed": "10 4 3", "public.users": "10 4 3"}
			s := first(t, i)
			if diff := cmp.Diff(want, told(s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// Policies of the table apply to all of it.
			pgtest.Exec(t, dsn, "ALTER TABLE distributed ENABLE ROW LEVEL SECURITY")
			want["public.distributed"] = "10 4 3 row_security"
			s = refreshAfter(t, i, s, nil)
			if diff := cmp.Diff(want, told(s)); diff != "" {
				t.Errorf("with policies (-want +got):\n%s", diff)
			}
			if p := tableNamed(t, s, "distributed").Problem; p == nil || !strings.Contains(p.Remedy, "BYPASSRLS") {
				t.Errorf("no remedy is told: %v", p)
			}
		})
	}
}

// If the catalog cannot be read, it is not known which tables only look empty: no number is better than a wrong one.
func TestAnUnreadableCatalogMakesDiscoveryFail(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	name, its := role(t, dsn)
	pgtest.Exec(t, dsn, asRole(deletedAt("users")+distributed+likeTimescale+
		"REVOKE USAGE ON SCHEMA _timescaledb_catalog FROM PUBLIC", name))
	s := first(t, inspector(t, its, ""))
	if got := checks(s)[name]; !got.Connect || got.Discovery {
		t.Errorf("checks = %+v", got)
	}
	if got := told(s); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
