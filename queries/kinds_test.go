package queries

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A section that no kind uses, or that a kind lacks, would otherwise be noticed late.
func TestSectionsAreThoseOfTheKinds(t *testing.T) {
	used := map[string]bool{}
	for _, d := range softdelete.KindTable {
		for _, section := range []string{d.Sections.Plain, d.Sections.Live, d.Sections.Nullable, d.Sections.Deleted} {
			for _, of := range []string{"live", "deleted", "live index", "purge index"} {
				if section != "" {
					used[section+" "+of] = true
				}
			}
		}
	}
	for name := range used {
		if _, found := questions[name]; !found {
			t.Errorf("no section is called %q", name)
		}
	}
	for _, file := range []string{"markers.sql", "partial.sql"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(
			`-- question: (\w+ (live|deleted|live index|purge index))\n`).FindAllStringSubmatch(string(text), -1) {
			if !used[m[1]] {
				t.Errorf("%s: no kind uses the section %q", file, m[1])
			}
		}
	}
}

// samples are values of each class of types, for meanings that do not list their values.
var samples = map[softdelete.Class][]string{
	softdelete.TimeClass:    {"2024-01-01", "infinity"},
	softdelete.IntegerClass: {"7", "5"},
	softdelete.TextClass:    {"s", "w"},
	softdelete.EnumClass:    {"draft", "trashed"},
	softdelete.FloatClass:   {"7", "5"},
	softdelete.BitClass:     {"0", "1"},
}

// kindMarker is a marker of a kind, with the type of its column.
type kindMarker struct {
	softdelete.Marker
	typ   string
	class softdelete.Class
}

func (k kindMarker) String() string {
	return fmt.Sprintf("%s of %s by %s, live %v, deleted %v", k.typ, k.Kind, k.Decides(), k.Live, k.Deleted)
}

// kindMarkers returns markers of every kind: for every type of its column, with every list of values that it may
// have, and with a time column of each class.
func kindMarkers(t *testing.T) []kindMarker {
	t.Helper()
	classes := maps.Clone(softdelete.Classes)
	classes["stage"] = softdelete.EnumClass
	var all []kindMarker
	for _, d := range softdelete.KindTable {
		var lists []softdelete.Marker
		if d.Sections.Plain != "" {
			lists = append(lists, softdelete.Marker{Kind: d.Kind})
		}
		paired := map[softdelete.Class]bool{}
		for _, typ := range slices.Sorted(maps.Keys(classes)) {
			class := classes[typ]
			if !d.Takes(class) {
				continue
			}
			of := slices.Clone(lists)
			if values := samples[class]; len(values) > 1 {
				if d.Sections.Live != "" {
					of = append(of, softdelete.Marker{Kind: d.Kind, Live: values[1:]})
				}
				if d.Sections.Deleted != "" {
					of = append(of, softdelete.Marker{Kind: d.Kind, Deleted: values[1:]})
				}
			}
			if len(of) == 0 {
				t.Fatalf("there are no samples of %s for a %s", class, d.Kind)
			}
			for _, m := range of {
				m.Column = "marker"
				if pair := m; !paired[class] {
					pair.Kind, pair.Flag = softdelete.Pair, m.Kind
					pair.Time = &softdelete.Time{Column: "at", Type: softdelete.Timestamptz}
					all = append(all, kindMarker{pair, typ, class})
				}
				isNumber := class == softdelete.IntegerClass || class == softdelete.FloatClass
				if d.KeepsTime && (class == softdelete.TimeClass || isNumber) {
					m.Time = &softdelete.Time{Column: "marker", Type: softdelete.TimeType(typ)}
					if isNumber {
						m.Time.Type, m.Time.Unit = softdelete.EpochTime, softdelete.Seconds
					}
				}
				all = append(all, kindMarker{m, typ, class})
			}
			paired[class] = true
		}
	}
	return all
}

// texts writes values as SQL, one for each meaning; NULL is written without quotes.
func (k kindMarker) texts(values []softdelete.Value) []string {
	all := make([]string, len(values))
	for i, v := range values {
		switch v.Class {
		case softdelete.Null:
			all[i] = "NULL"
			continue
		case softdelete.Known:
			all[i] = v.Text
		case softdelete.Positive:
			all[i] = "7"
		default:
			left := slices.DeleteFunc(slices.Clone(samples[k.class]),
				func(s string) bool { return slices.Contains(v.Except, s) })
			all[i] = left[0]
		}
		all[i] = literal(all[i])
	}
	return all
}

// Every question about markers has an answer for every kind, and the SQL agrees with the table of kinds about every
// value.
func TestEveryQuestionIsAskedOfEveryKind(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TYPE stage AS ENUM ('draft', 'trashed')`)
	for _, k := range kindMarkers(t) {
		typ := k.typ
		if typ == "char" {
			typ = `"char"` // a bare char means bpchar
		}
		meaning := k.Meaning()
		if k.typ == "char" { // a single byte: no word fits
			isWord := func(v softdelete.Value) bool { return len(v.Text) > 1 }
			meaning.Live = slices.DeleteFunc(slices.Clone(meaning.Live), isWord)
			meaning.Deleted = slices.DeleteFunc(slices.Clone(meaning.Deleted), isWord)
		}
		alive, gone := k.texts(append(slices.Clone(meaning.Live), meaning.Odd...)), k.texts(meaning.Deleted)
		script := fmt.Sprintf("DROP TABLE IF EXISTS t; CREATE TABLE t (marker %s, state text, at timestamptz);", typ)
		for state, values := range map[string][]string{"live": alive, "deleted": gone} {
			for _, v := range values { // twice, so that the statistics list it as common
				script += fmt.Sprintf("INSERT INTO t SELECT %s, '%s', now() FROM generate_series(1, 2);", v, state)
			}
		}
		pgtest.Exec(t, dsn, script+"ANALYZE t")

		ms := softdelete.Markers{k.Marker}
		for where, state := range map[string]string{clock{}.live(ms): "live", provablyLive(ms): "live",
			clock{}.deleted(ms): "deleted", provablyDeleted(ms): "deleted"} {
			wrong := pgtest.Value[string](t, dsn, fmt.Sprintf(`
				SELECT COALESCE(string_agg(DISTINCT COALESCE(marker::text, 'NULL'), ' '), '')
				FROM t WHERE ((%s) IS TRUE) <> (state = '%s')`, where, state))
			if wrong != "" {
				t.Errorf("%v: of a row with %s it is not so that %s says whether it is %s", k, wrong, where, state)
			}
		}

		table := &softdelete.Table{Schema: "public", Name: "t", Markers: ms, Policy: softdelete.Policy{
			Retention: 24 * time.Hour, TimeZone: "UTC", ZoneKnown: true, Recent: time.Hour}}
		relation := Relation{Now: time.Now(), Schema: "public", Name: "t",
			OID:   pgtest.Value[uint32](t, dsn, "SELECT 't'::regclass::oid"),
			Table: table}
		questions := []string{
			relation.Count(math.MaxInt64), relation.CountMarked(math.MaxInt64), relation.Sample([]int64{0}),
			relation.SampleSystem(1, 1),
			relation.Deleted("t_live_idx", math.MaxInt64), relation.Contradictions(math.MaxInt64),
			LiveContradicts("public", "t", "state = ''", ms), DeletedContradicts("public", "t", "state = ''", ms),
		}
		if table.HasAgeClasses() {
			questions = append(questions, relation.Classes(math.MaxInt64), cmp.Or(relation.Strange(math.MaxInt64), Ping()))
		}
		if table.HasAges() {
			questions = append(questions, relation.Recent(), relation.Oldest())
		}
		pgtest.Exec(t, dsn, strings.Join(questions, ";\n"))

		share := pgtest.Value[float64](t, dsn,
			fmt.Sprintf("SELECT deleted / known FROM (%s) AS shares", relation.Shares()))
		if want := float64(len(gone)) / float64(len(alive)+len(gone)); math.Abs(share-want) > 1e-6 {
			t.Errorf("%v: the statistics say that %.3f of the rows are deleted, want %.3f", k, share, want)
		}

		for rows, want := range map[indexes.Purpose]softdelete.Scope{
			indexes.LiveRows: {Mentions: true, Live: softdelete.All, Deleted: softdelete.None},
			indexes.Purge:    {Mentions: true, Live: softdelete.None, Deleted: softdelete.All},
		} {
			name := string(rows)
			pgtest.Exec(t, dsn, Steps(table, []indexes.Step{{Action: indexes.CreateIndex, New: &indexes.NewIndex{
				Name: name, Method: "btree", Keys: []softdelete.Key{{Column: "state"}}, Rows: rows, Markers: ms}}})[0])
			text := pgtest.Value[string](t, dsn,
				`SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = $1::regclass`, name)
			if got := predicate.ScopeOf(ms, text); got != want {
				t.Errorf("%v: %s is read as %+v, want %+v", k, text, got, want)
			}
		}
	}
}

// In the words of these predicates the planner can prove something: an index that says "not deleted" in one of these
// ways contains no deleted row, and the other way round.
func TestThePlannerSeesThatPredicatesContradictAMarker(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	pgtest.Exec(t, dsn, `CREATE TABLE t (b boolean, n int, l text)`)
	contradicts := func(question string) bool {
		plan := pgtest.Value[string](t, dsn+"&options=-c%20constraint_exclusion%3Don", question)
		return strings.Contains(plan, `"One-Time Filter": "false"`)
	}
	for _, test := range []struct {
		marker softdelete.Marker
		// live and deleted are predicates of indexes on only such rows. PostgreSQL 14 to 18 can prove each of these,
		// but not COALESCE and IS NOT FALSE.
		live, deleted []string
	}{
		{softdelete.Marker{Kind: softdelete.Flag, Column: "b"},
			[]string{"NOT b", "b = false", "b <> true", "b IS NOT TRUE", "b IS FALSE"},
			[]string{"b", "b = true", "b <> false"}},
		{softdelete.Marker{Kind: softdelete.InvertedFlag, Column: "b"},
			[]string{"b", "b = true", "b <> false"},
			[]string{"NOT b", "b = false", "b <> true", "b IS NOT TRUE", "b IS FALSE"}},
		{softdelete.Marker{Kind: softdelete.Number, Column: "n"},
			[]string{"n = 0", "n IS NULL", "n = 0 OR n IS NULL"}, []string{"n = 1", "n <> 0", "n > 0", "n IN (1, 2)"}},
		{softdelete.Marker{Kind: softdelete.Letter, Column: "l"},
			[]string{"l = 'N'", "l IS NULL"}, []string{"l = 'Y'", "l IN ('Y', 'y')"}},
		{softdelete.Marker{Kind: softdelete.Status, Column: "l", Live: []string{"new", "open"}},
			[]string{"l = 'new'", "l IN ('new', 'open')"}, []string{"l = 'gone'", "l <> 'new' AND l <> 'open'"}},
	} {
		ms := softdelete.Markers{test.marker}
		for _, p := range test.live {
			if !contradicts(DeletedContradicts("public", "t", p, ms)) || contradicts(LiveContradicts("public", "t", p, ms)) {
				t.Errorf("%s: the planner does not see that %s holds live rows alone", test.marker.Kind, p)
			}
		}
		for _, p := range test.deleted {
			if !contradicts(LiveContradicts("public", "t", p, ms)) || contradicts(DeletedContradicts("public", "t", p, ms)) {
				t.Errorf("%s: the planner does not see that %s holds deleted rows alone", test.marker.Kind, p)
			}
		}
	}
}
