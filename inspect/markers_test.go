package inspect

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// The configuration of a table overrides every rule.
func TestAConfiguredTableIsReadAsItSays(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE TYPE state AS ENUM ('new', 'gone', 'Lost');
		CREATE TABLE t (gone boolean, number int, big bigint, word text, state state, at timestamptz, local timestamp,
			day date,
			sentinel timestamptz NOT NULL DEFAULT '1900-01-01', set timestamp NOT NULL, stamp bigint, payload jsonb,
				deleted_at timestamptz);
		INSERT INTO t VALUES
			(true,  3, 1700000000000, 'x', 'gone', '2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01',
				1577836800, NULL, NULL),
			(false, 0, 0,             'N', 'new',  NULL,         NULL,         NULL,         DEFAULT,      '2000-01-01', 0,
				NULL, NULL),
			(NULL,  1, NULL,          'Y', 'Lost', NULL,         NULL,         NULL,         DEFAULT,      '2000-01-01', NULL,
				NULL, NULL)`)
	for _, test := range []struct{ name, entry, want string }{
		{"a boolean", `column: gone`, "flag: gone | 3 1 -"},
		{"an inverted boolean", `column: gone, kind: inverted_flag`, "inverted_flag: gone | 3 2 -"},
		{"an inverted boolean by its value", `column: gone, deleted_values: [false]`, "inverted_flag: gone | 3 2 -"},
		{"a boolean with a time", `column: gone, time_column: at`, "pair: gone,at | 3 1 1"},
		{"a boolean with a local time", `column: gone, time_column: local`, "pair: gone,local | 3 1 1"},
		{"a boolean with a day", `column: gone, time_column: day`, "pair: gone,day | 3 1 1"},
		{"a boolean with a sentinel", `column: gone, time_column: sentinel`, "pair: gone,sentinel | 3 1 1"},
		{"a boolean with an integer", `column: gone, time_column: stamp`, "pair: gone,stamp s | 3 1 1"},
		{"a boolean with an integer of a unit", `column: gone, time_column: stamp, unit: s`, "pair: gone,stamp s | 3 1 1"},
		{"an integer", `column: number`, "number: number | 3 2 -"},
		{"an integer, listed", `column: number, deleted_values: [3]`, "number: number | 3 1 -"},
		{"an integer, live listed", `column: number, live_values: [0, 1]`, "number: number | 3 1 -"},
		{"an integer with a time", `column: number, time_column: at`, "pair: number,at | 3 2 1"},
		{"an integer that is a time", `column: big`, "epoch: big ms | 3 1 1"},
		{"an integer of a unit", `column: big, unit: ms`, "epoch: big ms | 3 1 1"},
		{"an integer of a kind", `column: big, kind: number`, "number: big | 3 1 -"},
		{"letters", `column: word, kind: letter`, "letter: word | 3 2 -"},
		{"a text, listed", `column: word, deleted_values: [x]`, "status: word | 3 1 -"},
		{"a text, live listed", `column: word, live_values: [N]`, "status: word | 3 2 -"},
		{"an enum", `column: state, deleted_values: [gone, Lost]`, "status: state | 3 2 -"},
		{"an enum with a time", `column: state, deleted_values: [gone], time_column: at`, "pair: state,at | 3 1 1"},
		{"a time", `column: at`, "timestamp: at | 3 1 1"},
		{"a day", `column: day`, "timestamp: day | 3 1 1"},
		{"a sentinel", `column: sentinel`, "sentinel: sentinel | 3 1 1"},
		{"a sentinel of another constant", `column: set, live_values: [2000-01-01]`, "sentinel: set | 3 1 1"},
		{"a constant beside NULL", `column: at, live_values: [2020-01-01]`, "sentinel: at | 3 0 0"},
		{"two constants", `column: set, live_values: [2000-01-01, 2020-01-01]`, "sentinel: set | 3 0 0"},
		{"constants of an integer beside 0", `column: stamp, unit: s, live_values: [1577836800]`, "epoch: stamp s | 3 0 0"},
		{"a time that is always set", `column: set, kind: timestamp`, "timestamp: set | 3 3 3"},
		{"nothing of its marker", `retention: none`, "timestamp: deleted_at | 3 0 -"},

		{"a text without values", `column: word`,
			`column "word" is a status: write its deleted_values or its live_values`},
		{"no such column", `column: nowhere`, `public.t has no column "nowhere"; correct column: in the configuration`},
		{"no such time", `column: gone, time_column: nowhere`,
			`public.t has no column "nowhere"; correct time_column: in the configuration`},
		{"no such value", `column: state, deleted_values: [gone, lost]`,
			`column "state" has no value "lost", only new, gone, Lost`},
		{"no number", `column: number, deleted_values: [x]`, `column "number" is of type int4, which has no value "x"`},
		{"no boolean", `column: gone, deleted_values: [x]`, `column "gone" is a boolean, which has no value "x"`},
		{"no time", `column: gone, time_column: word`, `time_column "word" is of type text, which holds no time`},
		{"no kind of its type", `column: word, kind: epoch`, `column "word" is of type text, which is no epoch`},
		{"no marker", `column: payload`, `column "payload" is of type jsonb, which cannot mark deleted rows`},
		{"an enum without values", `column: state`,
			`column "state" is a status: write its deleted_values or its live_values`},
		{"always set", `column: set`,
			`column "set" is NOT NULL and has no constant as its default: write the value of live rows as live_values`},
		{"a time with deleted values", `column: at, deleted_values: [2000-01-01]`,
			`column "at" is a time: remove deleted_values, or write what live rows hold as live_values`},
	} {
		table := tableNamed(t, first(t, inspector(t, dsn, "tables: [{table: t, "+test.entry+"}]")), "t")
		got := reading(table)
		if table.Problem != nil {
			got = strings.TrimPrefix(table.Problem.Message, "public.t: ")
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// Each decision has a setting that changes it. Written into the configuration, it does.
func TestEveryRemedyChangesItsDecision(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `
		CREATE SCHEMA "odd: schema"; CREATE TYPE state AS ENUM ('new', 'it''s "old"');
		CREATE TABLE "odd: schema"."1" (deleted_at timestamptz);
		CREATE TABLE "no" (is_deleted boolean, deleted_at bigint);
		CREATE TABLE unknown (deleted_at bigint);
		CREATE TABLE log (deleted_at timestamptz NOT NULL DEFAULT now());
		CREATE TABLE opt_in (archived boolean, "revokedAt" timestamptz, state state);
		CREATE TABLE anchored (record_deleted_at timestamptz, was_deleted boolean, deletion_reason text, deletedby int);
		CREATE TABLE typed (deleted jsonb, deleted_at boolean);
		CREATE TABLE a_history (deleted boolean);
		CREATE TABLE labels (state state);
		CREATE TABLE unused (deleted boolean); COMMENT ON COLUMN unused.deleted IS 'unused'`)
	explain := func(configuration string) map[string]discovery.Decision {
		found, err := inspector(t, dsn, configuration).Explain(t.Context())
		tables := found.Tables
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]discovery.Decision{}
		for _, e := range tables {
			for _, d := range e.Decision.Decisions {
				all[e.Schema+"."+e.Table+"."+d.Column] = d
			}
		}
		return all
	}
	before := explain("")
	var without []string
	for name, d := range before {
		if d.Remedy == "" {
			without = append(without, name)
			continue
		}
		remedy := d.Remedy
		if strings.Contains(remedy, softdelete.FillIn) {
			// Unchanged it must not load, because only the reader knows the right value.
			if _, err := configtest.Loader(t, remedy)(); err == nil {
				t.Errorf("%s: %s loads", name, remedy)
			}
			right, other := map[string]string{"public.log.deleted_at": "2000-01-01", "public.unknown.deleted_at": "ms",
				"public.no.deleted_at": "ms"}[name]
			if !other {
				right = "new"
			}
			remedy = strings.ReplaceAll(remedy, softdelete.FillIn, right)
		}
		after := explain(remedy)[name]
		if after.Taken == d.Taken && after.Why == d.Why {
			t.Errorf("%s: %q (taken %v) stays so with %s", name, d.Why, d.Taken, remedy)
		}
		if !d.Taken && !after.Taken {
			t.Errorf("%s is not taken with %s: %s", name, remedy, after.Why)
		}
	}
	if want := []string{"public.typed.deleted"}; !slices.Equal(without, want) {
		t.Errorf("%v have no remedy, want %v", without, want)
	}
	if len(before) < 15 {
		t.Errorf("only %d decisions: %v", len(before), before)
	}
}

func TestTheExplanationNamesRuleAndReason(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (is_deleted boolean, deleted_at timestamptz, archived boolean, deleted_by int)`)
	found, err := inspector(t, dsn, "").Explain(t.Context())
	tables := found.Tables
	if err != nil {
		t.Fatal(err)
	}
	want := []discovery.Decision{
		{Column: "is_deleted", Rule: "flags.isdeleted", Taken: true, Kind: softdelete.Pair, Why: "TRUE means deleted",
			Remedy: "tables: [{schema: public, table: t, ignore: true}]"},
		{Column: "deleted_at", Rule: "times.deletedat", Taken: true, Kind: softdelete.Pair,
			Why:    "the deletion time of is_deleted",
			Remedy: "tables: [{schema: public, table: t, ignore: true}]"},
		{Column: "archived", Rule: "flags.archived",
			Why:    "flags.archived is off: the name is also used for rows that are not deleted",
			Remedy: "discovery: {rules: {flags: {archived: on}}}"},
		{Column: "deleted_by", Why: "no rule matches the name: it may mean that something else was deleted",
			Remedy: "tables: [{schema: public, table: t, column: deleted_by}]"},
	}
	if diff := cmp.Diff(want, tables[0].Decision.Decisions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
