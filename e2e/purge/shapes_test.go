//go:build e2e

package purge

import "fmt"

// shape is a way in which a table marks deleted rows.
type shape struct {
	name string
	// columns are the definitions of the marker columns, column is the name of the first one, and settings is what
	// the configuration must say about them.
	columns, settings string
	// live and odd are values of rows that must stay, in several forms; odd ones look deleted.
	live, odd []string
	// deleted are values of a row that was deleted %s ago, an interval.
	deleted []string
	// names are the columns, in the order of the values.
	names string
	// days is true if the time has no more precision than a day.
	days bool
	// before is SQL that is run once for the database; after is SQL for the table, run after its live rows were
	// inserted.
	before, after string
	// obstacle is why the table must not be purged; empty if it must be purged.
	obstacle string
}

// shapes are certain and uncertain ways to mark deleted rows.
var shapes = []shape{
	{name: "timestamptz", columns: "deleted_at timestamptz", names: "deleted_at",
		live: []string{"NULL"}, odd: []string{"'infinity'", "'0001-01-01'"},
		deleted: []string{"now() - %s"}},
	{name: "timestamptz(0)", columns: `"deletedAt" timestamptz(0)`, names: `"deletedAt"`, live: []string{"NULL"},
		deleted: []string{"now() - %s"}},
	{name: "domain", before: "CREATE DOMAIN app.moment AS timestamptz", columns: "deleted_at app.moment",
		settings: "column: deleted_at", names: "deleted_at",
		live: []string{"NULL"}, deleted: []string{"now() - %s"}},
	{name: "sentinel", settings: "column: deleted_at\n    live_values: ['1970-01-01']",
		columns: "deleted_at timestamptz NOT NULL DEFAULT '1970-01-01'", names: "deleted_at", live: []string{"DEFAULT"},
		deleted: []string{"now() - %s"}},
	{name: "sentinel inferred", obstacle: "live value inferred",
		columns: "deleted_at timestamptz NOT NULL DEFAULT '2000-01-01'", names: "deleted_at", live: []string{"DEFAULT"},
		deleted: []string{"now() - %s"},
		after:   "ALTER TABLE %[1]s ALTER COLUMN deleted_at SET DEFAULT '1970-01-01'"},
	{name: "sentinel infinity", settings: "column: deleted_at\n    kind: sentinel",
		columns: "deleted_at timestamptz NOT NULL DEFAULT 'infinity'", names: "deleted_at", live: []string{"DEFAULT"},
		deleted: []string{"now() - %s"}},
	{name: "local time", columns: "deleted_at timestamp", settings: "time_zone: Asia/Tokyo", names: "deleted_at",
		live: []string{"NULL"}, deleted: []string{"(now() - %s) AT TIME ZONE 'Asia/Tokyo'"}},
	{name: "zone assumed", columns: "deleted_at timestamp", names: "deleted_at", live: []string{"NULL"},
		deleted: []string{"(now() - %s) AT TIME ZONE 'UTC'"}, obstacle: "zone assumed"},
	{name: "date", columns: "deleted_on date", settings: "time_zone: America/New_York", names: "deleted_on", days: true,
		live: []string{"NULL"}, deleted: []string{"((now() - %s) AT TIME ZONE 'America/New_York')::date"}},
	{name: "epoch", columns: "deleteat bigint NOT NULL DEFAULT 0", settings: "column: deleteat\n    unit: ms",
		names: "deleteat",
		live:  []string{"DEFAULT"}, odd: []string{"1", "-1"},
		deleted: []string{"(extract(epoch FROM now() - %s) * 1000)::bigint"}},
	{name: "unit guessed", columns: "deleted_at bigint", names: "deleted_at", live: []string{"NULL", "0"},
		deleted: []string{"extract(epoch FROM now() - %s)::bigint"}, obstacle: "unit guessed"},
	// Flag and time disagree in many rows, so the flag must be said to decide.
	{name: "pair", columns: "is_deleted boolean NOT NULL DEFAULT false, deleted_at timestamptz",
		settings: "column: is_deleted\n    time_column: deleted_at", names: "is_deleted, deleted_at",
		live: []string{"false, NULL", "false, now() - interval '900 days'"}, odd: []string{"true, NULL"},
		deleted: []string{"true, now() - %s"}},
	{name: "number pair", settings: "column: del_state\n    kind: number\n    time_column: delete_time",
		columns: "del_state smallint NOT NULL DEFAULT 0, delete_time timestamptz NOT NULL DEFAULT '1970-01-01'",
		names:   "del_state, delete_time",
		live:    []string{"0, DEFAULT", "0, now() - interval '900 days'"}, odd: []string{"1, DEFAULT"},
		deleted: []string{"1, now() - %s"}},
	{name: "status", before: "CREATE TYPE app.state AS ENUM ('open', 'removed')",
		columns: "state app.state NOT NULL DEFAULT 'open', changed timestamptz", names: "state, changed",
		settings: "column: state\n    deleted_values: [removed]\n    time_column: changed",
		live:     []string{"'open', now() - interval '900 days'"}, odd: []string{"'removed', NULL"},
		deleted: []string{"'removed', now() - %s"}},
	{name: "inverted flag", columns: "active boolean DEFAULT true, left_at timestamptz", names: "active, left_at",
		settings: "column: active\n    kind: inverted_flag\n    time_column: left_at",
		live:     []string{"true, now() - interval '900 days'"}, odd: []string{"false, NULL", "NULL, NULL"},
		deleted: []string{"false, now() - %s", "NULL, now() - %s"}},
	{name: "two markers", columns: "deleted_at timestamptz, trashed_at timestamptz", names: "deleted_at, trashed_at",
		live: []string{"NULL, NULL"}, deleted: []string{"now() - %s, NULL", "NULL, now() - %s"}},
	{name: "generated flag",
		columns: "is_deleted boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED, deleted_at timestamptz",
		names:   "is_deleted, deleted_at",
		live:    []string{"DEFAULT, NULL"}, deleted: []string{"DEFAULT, now() - %s"}},
	{name: "nullable with a default", settings: "column: deleted_at\n    kind: timestamp",
		columns: "deleted_at timestamptz DEFAULT '1999-01-01'", names: "deleted_at",
		live: []string{"DEFAULT", "NULL"}, deleted: []string{"now() - %s"}},
	{name: "a domain's default", before: "CREATE DOMAIN app.gone AS timestamptz DEFAULT '1999-01-01'",
		columns: "deleted_at app.gone", settings: "column: deleted_at\n    kind: timestamp", names: "deleted_at",
		live: []string{"DEFAULT"}, deleted: []string{"now() - %s"}},
	{name: "default now", columns: "deleted_at timestamptz DEFAULT now() - interval '900 days'", names: "deleted_at",
		live: []string{"DEFAULT", "NULL"}, deleted: []string{"now() - %s"}, obstacle: "default that is not a constant"},
	{name: "missing value", settings: "column: deleted_at\n    kind: timestamp", names: "deleted_at", live: []string{"-"},
		deleted: []string{"now() - %s"},
		after: "ALTER TABLE %[1]s ADD COLUMN deleted_at timestamptz DEFAULT '1999-01-01'; ALTER TABLE %[1]s ALTER " +
			"COLUMN deleted_at DROP DEFAULT"},
	{name: "no time", columns: "is_deleted boolean NOT NULL DEFAULT false", names: "is_deleted", live: []string{"false"},
		deleted: []string{"true"}, obstacle: "no time"},
	{name: "no marker", obstacle: "no marker"},
}

// age returns how long ago a row was deleted; old if that is more than its retention of 90 days.
func (s shape) age(old bool, n int) string {
	hours := []string{"2159 hours 40 minutes", "1 hour", "40 days", "2150 hours"}
	if old {
		hours = []string{"2160 hours 20 minutes", "100 days", "2000 days", "2161 hours"}
	}
	if s.days {
		hours = []string{"88 days", "1 hour", "40 days"}
		if old {
			hours = []string{"92 days", "100 days", "2000 days"}
		}
	}
	return fmt.Sprintf("interval '%s'", hours[n%len(hours)])
}
