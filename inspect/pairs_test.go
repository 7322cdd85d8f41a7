package inspect

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pairTable is a table with a flag and a time.
type pairTable struct {
	// rows is how many it has, if not 2,000. Every fifth was deleted a year ago.
	rows int
	// pair are the two columns, deleted and live their values, if not a boolean and a timestamptz.
	pair, deleted, live string
	// after are statements about the table, %[1]s.
	after string
	// settings are those of the table's entry in the configuration; none if empty.
	settings string
	// want is what is told: the numbers, why the pair is disputed, and whether that keeps it from being purged.
	want string
}

// The parts of what is told about a pair.
const (
	byIndex = " index"
	byRows  = " rows"
	doubted = " doubt"
)

const (
	onTime = `CREATE UNIQUE INDEX i_%[1]s_time ON %[1]s (id) WHERE deleted_at IS NULL;`
	onFlag = `CREATE UNIQUE INDEX i_%[1]s_flag ON %[1]s (id) WHERE NOT is_deleted;`
	// timed deletes rows as a cascade does that sets only the time, timeless as a trigger that sets only the flag.
	timed    = `UPDATE %[1]s SET deleted_at = now() - interval '1 year 3 hours' WHERE id %% 50 = 1;`
	timeless = `UPDATE %[1]s SET is_deleted = true WHERE id %% 50 = 1;`
)

var pairTables = map[string]pairTable{
	"agree": {want: "2000 400 400"},
	// An index is partial on the time alone, or not.
	"is_unique":  {after: onTime, want: "2000 400 400" + byIndex},
	"not_unique": {after: `CREATE INDEX ON %[1]s (id) WHERE deleted_at IS NULL`, want: "2000 400 400" + byIndex},
	"on_flag":    {after: onFlag, want: "2000 400 400"},
	"on_each":    {after: onTime + onFlag, want: "2000 400 400"},
	"on_both": {after: `CREATE INDEX ON %[1]s (id) WHERE deleted_at IS NULL AND NOT is_deleted`,
		want: "2000 400 400"},
	"on_dead_flag": {after: onTime + `CREATE INDEX ON %[1]s (id) WHERE is_deleted`, want: "2000 400 400"},
	"on_dead_time": {after: `CREATE INDEX ON %[1]s (deleted_at) WHERE deleted_at IS NOT NULL`, want: "2000 400 400"},
	"keys":         {after: `CREATE INDEX ON %[1]s (is_deleted, deleted_at)`, want: "2000 400 400"},
	"or_tenant":    {after: `CREATE INDEX ON %[1]s (id) WHERE deleted_at IS NULL OR tenant = 1`, want: "2000 400 400"},
	"and_tenant": {after: `CREATE INDEX ON %[1]s (id) WHERE deleted_at IS NULL AND tenant IS NOT NULL`,
		want: "2000 400 400" + byIndex},
	"coalesced": {after: `CREATE INDEX ON %[1]s (id) WHERE coalesce(deleted_at, 'infinity') = 'infinity'`,
		want: "2000 400 400" + byIndex},
	"not_not": {after: `CREATE INDEX ON %[1]s (id) WHERE NOT (deleted_at IS NOT NULL)`, want: "2000 400 400" + byIndex},
	"excluding": {after: `ALTER TABLE %[1]s ADD EXCLUDE USING btree (id WITH =) WHERE (deleted_at IS NULL)`,
		want: "2000 400 400" + byIndex},
	// Rows disagree, or not.
	"three": {after: `UPDATE %[1]s SET deleted_at = now() WHERE id IN (1, 2, 3)`, want: "2000 400 400"},
	"three_indexed": {after: onTime + `UPDATE %[1]s SET deleted_at = now() WHERE id IN (1, 2, 3)`,
		want: "2000 400 400" + byIndex + doubted},
	"few_of_many": {after: `INSERT INTO %[1]s SELECT i, true, '2020-01-02 03:04:05' FROM generate_series(2001, 3600) i;
		UPDATE %[1]s SET is_deleted = true WHERE id IN (1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13)`, want: "3600 2011 2000"},
	"cascade":          {after: timed, want: "2000 400 400" + byRows + doubted},
	"trigger":          {after: timeless, want: "2000 440 400" + byRows + doubted},
	"cascade_for_flag": {after: timed + onFlag, want: "2000 400 400" + byRows + doubted},
	"null_flags":       {after: `UPDATE %[1]s SET is_deleted = NULL WHERE NOT is_deleted`, want: "2000 400 400"},
	"placeholders": {after: `UPDATE %[1]s SET deleted_at = '0001-01-01' WHERE NOT is_deleted AND id %% 2 = 0;
		UPDATE %[1]s SET deleted_at = 'infinity' WHERE NOT is_deleted AND id %% 3 = 0`, want: "2000 400 400"},
	// Both: nobody knows which rows are deleted.
	"cascade_for_time": {after: timed + onTime, want: "marker_unclear"},
	"trigger_for_time": {after: timeless + onTime, want: "marker_unclear"},
	"invalid_index": {after: timed + onTime + `UPDATE pg_index SET indisvalid = false
		WHERE indexrelid = 'i_%[1]s_time'::regclass`, want: "2000 400 400" + byRows + doubted},
	"number": {deleted: "1, now()", live: "0, '1970-01-01'",
		pair: `del_state smallint NOT NULL DEFAULT 0, delete_time timestamptz NOT NULL DEFAULT '1970-01-01'`,
		after: `CREATE INDEX ON %[1]s (id) WHERE delete_time = '1970-01-01 00:00:00+00';
			UPDATE %[1]s SET delete_time = now() WHERE id %% 50 = 1`, want: "marker_unclear"},
	"seconds": {deleted: "true, 1600000000 + i", live: "false, 0", pair: `is_deleted boolean, deleted_unix bigint`,
		after: `CREATE INDEX ON %[1]s (id) WHERE deleted_unix = 0;
		UPDATE %[1]s SET deleted_unix = 1700000000 WHERE id %% 50 = 1`, want: "marker_unclear"},
	"inverted": {deleted: "false, now()", live: "true, NULL", pair: `alive boolean, deleted_at timestamp`,
		after: `CREATE INDEX ON %[1]s (id) WHERE deleted_at IS NULL;
		UPDATE %[1]s SET deleted_at = now() WHERE id %% 50 = 1`, want: "marker_unclear"},
	"labelled": {deleted: "'deleted', now()", live: "'open', NULL", pair: `status text, deleted_at timestamptz`,
		after: onTime + timed, want: "marker_unclear"},
	// They cannot disagree.
	"generated": {deleted: "now() - interval '1 year'", live: "NULL",
		pair:  `deleted_at timestamptz, is_deleted boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED`,
		after: onTime, want: "2000 400 400"},
	// What the configuration says is not disputed.
	"named": {after: onTime + timed, settings: "column: is_deleted, time_column: deleted_at", want: "2000 400 400"},
	"named_kind": {after: onTime + timed, settings: "column: is_deleted, time_column: deleted_at, kind: flag",
		want: "2000 400 400"},
	"by_policy":  {after: onTime + timed, want: "2000 400 400"},
	"only_kept":  {after: onTime + timed, settings: "retention: 30d", want: "marker_unclear"},
	"named_time": {after: onTime + timed, settings: "column: deleted_at", want: "2000 440 440"},
	// Rows that were not read may disagree.
	"sampled":          {rows: 20000, after: timed, want: "20000 4000 4000" + byRows + doubted},
	"sampled_for_time": {rows: 20000, after: timed + onTime, want: "marker_unclear"},
	"sampled_agrees":   {rows: 20000, after: onTime, want: "20000 4000 4000" + byIndex + doubted},
	"statistics":       {settings: "method: statistics", want: "2000 400 -" + doubted},
}

// make returns the statements that make the table.
func (p pairTable) make(name string) string {
	pair := cmp.Or(p.pair, "is_deleted boolean DEFAULT false, deleted_at timestamptz")
	const ago = "now() - interval '1 year 3 hours'"
	return fmt.Sprintf(`CREATE TABLE %[1]s (id int, %[2]s, tenant int);
		INSERT INTO %[1]s SELECT i, %[3]s FROM generate_series(1, %[5]d) i WHERE i %% 5 = 0;
		INSERT INTO %[1]s SELECT i, %[4]s FROM generate_series(1, %[5]d) i WHERE i %% 5 > 0;`, name, pair,
		cmp.Or(p.deleted, "true, "+ago), cmp.Or(p.live, "false, NULL"), cmp.Or(p.rows, 2000)) +
		fmt.Sprintf(p.after+"%.0[1]s; ANALYZE %[1]s;", name)
}

// saidOfPair returns what is told about a table.
func saidOfPair(t softdelete.Table) string {
	if t.Numbers != nil { // of a sample, they are not whole
		n := *t.Numbers
		n.Total.Value, n.Deleted.Value = math.Round(n.Total.Value), math.Round(n.Deleted.Value)
		if n.Old != nil {
			n.Old = &softdelete.Estimate{Value: math.Round(n.Old.Value)}
		}
		t.Numbers = &n
	}
	_, said, _ := strings.Cut(reading(t), " | ")
	if t.Problem != nil {
		return said
	}
	for _, d := range t.Disputes() {
		if d.Index != "" {
			said += byIndex
		}
		if strings.Contains(d.Why(), "calls deleted") {
			said += byRows
		}
	}
	if slices.ContainsFunc(t.Doubts(), func(d softdelete.Doubt) bool { return len(d.Settings) > 1 }) {
		said += doubted
	}
	return said
}

// pairDatabase makes the tables, and returns the configuration for them.
func pairDatabase(t *testing.T) (dsn, settings string) {
	t.Helper()
	dsn = pgtest.NewDatabase(t, pgtest.Shared(t))
	settings = `discovery: {rules: {inverted_flags: {alive: on}, statuses: {status: on}}}
counting: {exact_max_bytes: 512kB, blocks: 400, target_margin: 0}
policies: [{tables: ['public\.by_policy'], column: is_deleted, time_column: deleted_at}]
tables:
`
	script := ""
	for name, p := range pairTables {
		script += p.make(name)
		if p.settings != "" {
			settings += fmt.Sprintf("  - {table: %s, %s}\n", name, p.settings)
		}
	}
	pgtest.Exec(t, dsn, script)
	return dsn, settings
}

// The flag of a pair that a rule found is not taken to decide against evidence: an index that is partial on the time
// alone, or more than a few rows in which the two disagree. Where there is both, the table has no numbers.
func TestAFlagIsNotTakenToDecideAgainstEvidence(t *testing.T) {
	t.Parallel()
	dsn, settings := pairDatabase(t)
	s := first(t, inspector(t, dsn, settings))
	for name, p := range pairTables {
		if got := saidOfPair(tableNamed(t, s, name)); got != p.want {
			t.Errorf("%s: %q, want %q", name, got, p.want)
		}
	}
	cascade := tableNamed(t, s, "cascade")
	d := cascade.Disputes()[0]
	if got, want := d.Why(), `of the 440 rows that "is_deleted" or "deleted_at" calls deleted, only the time says so `+
		`of 40 and only the flag of 0`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p := tableNamed(t, s, "cascade_for_time").Problem
	want := `public.cascade_for_time: ` + d.Why() + `, and index "i_cascade_for_time_time" leaves out the rows with a ` +
		`time in "deleted_at", and no index is partial on "is_deleted": which of the two decides is not known`
	if p.Message != want {
		t.Errorf("%q, want %q", p.Message, want)
	}
	sampled := tableNamed(t, s, "sampled")
	if why := sampled.Disputes()[0].Why(); !strings.HasPrefix(why, "of 4,400 sampled rows that") {
		t.Errorf("of a sample: %q", why)
	}
}

// Each line that is printed about a pair settles it: nothing is unclear or disputed any more, and nothing keeps the
// table from being purged. Both lines together do not load, so nobody takes them without a choice.
func TestEachLineAboutAPairSettlesIt(t *testing.T) {
	t.Parallel()
	dsn, settings := pairDatabase(t)
	others, _, _ := strings.Cut(settings, "policies:")
	s := first(t, inspector(t, dsn, settings))
	for name, want := range map[string][2]string{ // by the time, by the flag
		"cascade": {"2000 440 440", "2000 400 400"}, "trigger": {"2000 400 400", "2000 440 400"},
		"cascade_for_time": {"2000 440 440", "2000 400 400"}, "trigger_for_time": {"2000 400 400", "2000 440 400"},
		"is_unique": {"2000 400 400", "2000 400 400"}, "number": {"2000 440 0", "2000 400 0"},
		"labelled": {"2000 440 40", "2000 400 0"}, "sampled_for_time": {"20000 4400 4400", "20000 4000 4000"},
		"seconds": {"2000 440 440", "2000 400 400"}, "inverted": {"2000 440 0", "2000 400 0"},
	} {
		table := tableNamed(t, s, name)
		remedy := strings.Join(discovery.DecidingLines("public", name, table.Markers[0]), "\n")
		if p := table.Problem; p != nil && p.Remedy != remedy {
			t.Errorf("%s: the remedy is %q, want %q", name, p.Remedy, remedy)
		}
		if _, err := configtest.Loader(t, remedy)(); err == nil {
			t.Errorf("%s: both lines load: %s", name, remedy)
		}
		for n, line := range strings.Split(remedy, "\n") {
			only := strings.Replace(others, "discovery: {", `discovery: {include: ['public\.`+name+`'], `, 1)
			settled := tableNamed(t, first(t, inspector(t, dsn, only+line)), name)
			if got := saidOfPair(settled); got != want[n] {
				t.Errorf("%s: with %s it is %q, want %q", name, line, got, want[n])
			}
		}
	}
}

// An index that comes after the count makes a disputed table unclear at the next refresh, though the table is
// unchanged. The numbers come back when the index is gone.
func TestAnIndexThatComesLaterMakesADisputedTableUnclear(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, pairTable{after: timed}.make("t")+pairTable{after: timed, rows: 20000}.make("sampled"))
	i := inspector(t, dsn, `counting: {exact_max_bytes: 512kB, blocks: 400, target_margin: 0}`)
	s := first(t, i)
	said := func() [2]string {
		return [2]string{saidOfPair(tableNamed(t, s, "t")), saidOfPair(tableNamed(t, s, "sampled"))}
	}
	all := [][2]string{said()}
	for _, change := range []string{"CREATE INDEX i_%[1]s ON %[1]s (id) WHERE deleted_at IS NULL", "DROP INDEX i_%s"} {
		for _, name := range []string{"t", "sampled"} {
			pgtest.Exec(t, dsn, fmt.Sprintf(change, name))
		}
		s = refreshAfter(t, i, s, nil) // this one notices the index
		s = refreshAfter(t, i, s, nil)
		all = append(all, said())
	}
	counted := [2]string{"2000 400 400" + byRows + doubted, "20000 4000 4000" + byRows + doubted}
	want := [][2]string{counted, {"marker_unclear", "marker_unclear"}, counted}
	if diff := gocmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The count sees a disagreement in every partition, and an index of the partitioned table.
func TestAPairOfPartitionsIsOnePair(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	for _, name := range []string{"parted", "parted_for_time"} {
		pgtest.Exec(t, dsn, fmt.Sprintf(`CREATE TABLE %[1]s (id int, is_deleted boolean, deleted_at timestamptz)
				PARTITION BY LIST (id);
			CREATE TABLE %[1]s_1 PARTITION OF %[1]s FOR VALUES IN (1);
			CREATE TABLE %[1]s_2 PARTITION OF %[1]s FOR VALUES IN (2);
			INSERT INTO %[1]s SELECT 1 + i %% 2, i %% 3 = 0, CASE WHEN i %% 20 = 0 THEN now() END
				FROM generate_series(1, 120) i`, name))
	}
	pgtest.Exec(t, dsn, `CREATE INDEX ON parted_for_time (id) WHERE deleted_at IS NULL`)
	s := first(t, inspector(t, dsn, ""))
	want := []string{"120 40 0" + byRows + doubted, "marker_unclear"}
	got := []string{saidOfPair(tableNamed(t, s, "parted")), saidOfPair(tableNamed(t, s, "parted_for_time"))}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a := *tableNamed(t, s, "parted").Numbers.Agreements[0]
	if a != (softdelete.Agreement{Both: 2, Timeless: 38, Timed: 4}) {
		t.Errorf("%+v", a)
	}
}
