package inspect

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

func TestTheConfigurationSaysWhichTablesAreWatched(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE SCHEMA app;
		CREATE TABLE alpha (deleted_at timestamptz);
		CREATE TABLE beta (deleted_at timestamptz);
		CREATE TABLE app.gamma (deleted_at timestamptz);
		CREATE TABLE odd (gone_on timestamptz);
		CREATE TABLE plain (id int)`)
	for _, test := range []struct {
		name, configuration string
		watched             []string
		skipped             int
	}{
		{"by default", "", []string{"alpha", "beta", "gamma"}, 0},
		{"ignored", "tables: [{table: beta, ignore: true}]", []string{"alpha", "gamma"}, 0},
		{"included", `discovery: {include: ['app\..*']}`, []string{"gamma"}, 0},
		{"excluded", `discovery: {exclude: ['public\.(alpha|beta)']}`, []string{"gamma"}, 0},
		{"listed although excluded", "discovery: {exclude: ['.*']}\ntables: [{table: beta}]", []string{"beta"}, 0},
		{"listed only", "discovery: {enabled: false}\ntables: [{table: odd, column: gone_on}]", []string{"odd"}, 0},
		{"for this database", "tables: [{database: " + database(t, dsn) + ", table: odd, column: gone_on}]",
			[]string{"alpha", "beta", "gamma", "odd"}, 0},
		{"for another database", "tables: [{database: other, table: odd, column: gone_on}]",
			[]string{"alpha", "beta", "gamma"}, 0},
		{"beyond the cap", "discovery: {max_tables: 1}", []string{"gamma"}, 2},
		{"listed goes before the cap", "discovery: {max_tables: 1}\ntables: [{table: beta}]", []string{"beta"}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := first(t, inspector(t, dsn, test.configuration))
			watched := []string{}
			for _, table := range s.Databases[0].Tables {
				watched = append(watched, table.Name)
			}
			slices.Sort(watched)
			if diff := cmp.Diff(test.watched, watched); diff != "" {
				t.Errorf("watched (-want +got):\n%s", diff)
			}
			if got := s.Databases[0].Skipped; got != test.skipped {
				t.Errorf("%d tables are skipped, want %d", got, test.skipped)
			}
		})
	}
}

func TestServicesGroupTables(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE alpha (deleted_at timestamptz); CREATE TABLE beta (deleted_at timestamptz);
		CREATE TABLE other (deleted_at timestamptz)`)
	s := first(t, inspector(t, dsn, `
policies: [{service: letters, tables: ['public\.(alpha|beta)']}]
tables: [{table: beta, service: own}]
`))
	got := map[string]string{}
	for _, table := range s.Databases[0].Tables {
		got[table.Name] = table.Policy.Service
	}
	if want := map[string]string{"alpha": "letters", "beta": "own", "other": ""}; !maps.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
}

// An entry without a database applies to every watched database that has the table, and says nothing about the
// others, on the same server or on probed ones.
func TestAnEntryForAllDatabasesNeedNotHoldInEach(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, deletedAt("users"))
	const listed = "tables: [{table: orders, column: gone_on}]\n"
	for _, test := range []struct {
		name, configuration string
		want                map[string]string
	}{
		{"the only database", listed, map[string]string{"public.users": "10 4 3", "public.orders": "marker_missing"}},
		{"one of those probed", listed + "probe: {allow: ['.*']}", map[string]string{"public.users": "10 4 3"}},
		{"named", "tables: [{database: " + database(t, dsn) + ", table: orders, column: gone_on}]\nprobe: {allow: ['.*']}",
			map[string]string{"public.users": "10 4 3", "public.orders": "marker_missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := inspector(t, dsn, test.configuration)
			if diff := cmp.Diff(test.want, told(first(t, i))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// A reported problem of a table is an error in the configuration, and nothing else is.
			err := i.Check(t.Context())
			if _, reported := test.want["public.orders"]; reported != errors.As(err, new(*ConfigError)) {
				t.Errorf("Check: %v", err)
			}
		})
	}
}
