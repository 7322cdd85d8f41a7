package inspect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// A timestamp without time zone is in the configured zone, whatever the server's own zone is.
func TestTimeZones(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	// Rows that were deleted 1, 3 and 20 hours ago: as local times in UTC, as local times in a zone 9 hours ahead,
	// and as instants.
	pgtest.Exec(t, dsn, `
		CREATE TABLE utc AS SELECT (now() - h * interval '1 hour') AT TIME ZONE 'UTC' AS deleted_at
			FROM unnest('{1, 3, 20}'::int[]) h;
		CREATE TABLE tokyo AS SELECT (now() - h * interval '1 hour') AT TIME ZONE 'Asia/Tokyo' AS deleted_at
			FROM unnest('{1, 3, 20}'::int[]) h;
		CREATE TABLE instants AS SELECT now() - h * interval '1 hour' AS deleted_at
			FROM unnest('{1, 3, 20}'::int[]) h;
		ALTER DATABASE "`+database(t, dsn)+`" SET timezone = 'America/Los_Angeles'`)
	for _, test := range []struct {
		name, configuration string
		want                map[string]string
	}{
		{"the default", "defaults: {retention: 2h}",
			map[string]string{"public.utc": "3 3 2", "public.tokyo": "3 3 1", "public.instants": "3 3 2"}},
		{"of one table",
			"defaults: {retention: 2h}\ntables: [{table: tokyo, time_zone: Asia/Tokyo}, {table: instants, time_zone: " +
				"Asia/Tokyo}]",
			map[string]string{"public.utc": "3 3 2", "public.tokyo": "3 3 2", "public.instants": "3 3 2"}},
		{"of all", "defaults: {retention: 2h, time_zone: Asia/Tokyo}",
			map[string]string{"public.utc": "3 3 3", "public.tokyo": "3 3 2", "public.instants": "3 3 2"}},
		{"never purged", "defaults: {retention: none}",
			map[string]string{"public.utc": "3 3 -", "public.tokyo": "3 3 -", "public.instants": "3 3 -"}},
	} {
		if diff := cmp.Diff(test.want, told(first(t, inspector(t, dsn, test.configuration)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// Infinite times mark deleted rows, but count neither as old nor as recent. Times before there were databases may be
// values of live rows, so nothing is certain.
func TestInfiniteTimesTakeNoPartInAges(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for _, name := range []string{"timestamptz", "timestamp"} {
		pgtest.Exec(t, dsn, `CREATE TABLE "`+name+`" (deleted_at `+name+`);
			INSERT INTO "`+name+
			`" VALUES ('infinity'), ('1999-12-31'), ('294276-12-31'), (NULL);
			CREATE TABLE "minus_`+name+`" AS SELECT CAST('-infinity' AS `+name+`) AS deleted_at;
			CREATE TABLE "bc_`+name+`" AS SELECT CAST('4713-01-01 BC' AS `+name+`) AS deleted_at`)
	}
	want := map[string]string{"public.timestamptz": "4 3 1", "public.timestamp": "4 3 1",
		"public.minus_timestamptz": "marker_unclear", "public.minus_timestamp": "marker_unclear",
		"public.bc_timestamptz": "marker_unclear", "public.bc_timestamp": "marker_unclear"}
	if diff := cmp.Diff(want, told(first(t, inspector(t, dsn, "")))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A retention can begin before there were databases.
	pgtest.Exec(t, dsn, "CREATE TABLE fifties (deleted_at timestamptz); INSERT INTO fifties VALUES ('1950-01-01'), (NULL)")
	want["public.timestamptz"], want["public.timestamp"], want["public.fifties"] = "4 3 0", "4 3 0", "marker_unclear"
	s := first(t, inspector(t, dsn, "defaults: {retention: 36500d}"))
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("with a retention of a century (-want +got):\n%s", diff)
	}
}

// If the configuration changes the meaning of numbers, they disappear until the table was counted again.
func TestNumbersOfAnotherMeaningAreGone(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE users AS SELECT now()::timestamp AS deleted_at, true AS gone`)
	s := first(t, inspector(t, dsn, ""))
	for change, same := range map[string]bool{
		"":                                       true,
		"ttl: 1m":                                true,
		"defaults: {retention: 10d}":             false,
		"defaults: {time_zone: Europe/Paris}":    false,
		"tables: [{table: users, column: gone}]": false,
		"tables: [{table: users, service: accounts}]":              true,
		"policies: [{service: accounts, tables: ['public\\..*']}]": true,
		"tables: [{table: users, time_zone: UTC}]":                 false, // the zone is known now
		"tables: [{table: users, column: gone, retention: 10d}]":   false,
	} {
		got := told(refreshUntilDiscovered(t, inspector(t, dsn, change), s))["public.users"]
		if want := map[bool]string{true: "1 1 0", false: "pending"}[same]; got != want {
			t.Errorf("after %q the table is %q, want %q", change, got, want)
		}
	}
}
