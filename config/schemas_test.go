package config

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/predicate"
)

// application is a real application whose schema was read. Its truth is how a person judged each column: "deleted" if
// it marks deleted rows, "untold" if it does but the same name also marks wanted rows in other schemas, "no" if it
// does not.
type application struct {
	name, repository, commit, tables string
	// heldOut is true if the rules were written before the schema was looked at.
	heldOut bool
	// columns are, by table, those that could be mistaken for a marker; truth is by table and column.
	columns map[string][]discovery.Column
	truth   map[[2]string]string
	// unique are, by table, the predicates of its partial unique indexes.
	unique map[string][]string
	// indexed is true if the schema shows all partial indexes. Schemas of Diesel and Prisma do not: those indexes
	// are in migrations, which were not read.
	indexed bool
}

// literal matches the constants among the schemas' defaults.
var literal = regexp.MustCompile(`^(?:'([^']*)'(?:::[a-z ]+)?|(\d+|true|false))$`)

func applications(t *testing.T) []*application {
	t.Helper()
	var all []*application
	byName := map[string]*application{}
	for _, f := range rows(t, "applications.tsv", 6) {
		a := &application{name: f[0], repository: f[1], commit: f[2], tables: f[3], heldOut: f[4] == "held out",
			columns: map[string][]discovery.Column{}, truth: map[[2]string]string{}, unique: map[string][]string{},
			indexed: f[5] == "read"}
		all, byName[a.name] = append(all, a), a
	}
	for _, f := range rows(t, "indexes.tsv", 4) {
		if a := byName[f[0]]; a == nil || !a.indexed {
			t.Fatalf("indexes.tsv: no application %s whose indexes were read", f[0])
		} else if f[2] == "unique" {
			a.unique[f[1]] = append(a.unique[f[1]], f[3])
		}
	}
	for _, f := range rows(t, "columns.tsv", 7) {
		a := byName[f[0]]
		if a == nil {
			t.Fatalf("columns.tsv: no application %s", f[0])
		}
		c := discovery.Column{Name: f[2], Type: f[3], NotNull: f[4] == "not null"}
		if constant := literal.FindStringSubmatch(f[5]); constant != nil {
			c.Born = []string{constant[1] + constant[2]}
		} else if f[5] != "-" && f[5] != "" && f[5] != "?" {
			c.Varies = true
		}
		c.Evidence.OnlyNull = slices.ContainsFunc(a.unique[f[1]],
			func(p string) bool { return predicate.OnlyNull(c.Name, p) })
		a.columns[f[1]] = append(a.columns[f[1]], c)
		a.truth[[2]string{f[1], f[2]}] = f[6]
	}
	return all
}

// rows reads a table of tab-separated values, without its header.
func rows(t *testing.T, file string, fields int) [][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/schemas/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		row := strings.Split(line, "\t")
		if len(row) != fields {
			t.Fatalf("%s: %q has %d fields, want %d", file, line, len(row), fields)
		}
		all = append(all, row)
	}
	return all
}

// score counts what the default rules find in schemas.
type score struct {
	// told are the tables with a marker that its name reveals; untold are the others with a marker.
	told, untold int
	// found are the told ones that are watched; watched are all that are watched.
	found, watched int
	// byIndex are the untold ones that are watched because of an index; named are those of them for which
	// check-config reports that index.
	byIndex, named int
	// wrong are the markers that mean something else.
	wrong []string
}

func (s *score) add(o score) {
	s.told, s.untold, s.found, s.watched = s.told+o.told, s.untold+o.untold, s.found+o.found, s.watched+o.watched
	s.byIndex, s.named = s.byIndex+o.byIndex, s.named+o.named
	s.wrong = append(s.wrong, o.wrong...)
}

// recall is the percentage of the tables with soft delete that are watched. precision is the percentage of the
// watched tables that have soft delete.
func (s score) recall() float64 {
	return 100 * float64(s.found+s.byIndex) / float64(s.told+s.untold)
}

func (s score) precision() float64 { return 100 * (1 - float64(len(s.wrong))/float64(s.watched)) }

func (a *application) score(rules discovery.Rules) score {
	var s score
	for table, columns := range a.columns {
		truths := map[string]bool{}
		for _, c := range columns {
			truths[a.truth[[2]string{table, c.Name}]] = true
		}
		found := rules.Discover("public", table, false, columns)
		markers := found.Markers
		if len(markers) > 0 {
			s.watched++
		}
		switch {
		case truths["deleted"]:
			s.told++
			if len(markers) > 0 {
				s.found++
			}
		case truths["untold"]:
			s.untold++
			if len(markers) > 0 {
				s.byIndex++
			}
			for _, d := range found.Decisions {
				if strings.Contains(d.Why, "is off, but a unique index") {
					s.named++
				}
			}
		}
		for _, c := range markers.Columns() {
			if a.truth[[2]string{table, c}] == "no" {
				s.wrong = append(s.wrong, a.name+" "+table+"."+c)
			}
		}
	}
	return s
}

// In the schemas of real applications the rules find every table that name, type, nullability and default reveal, and
// hardly any other. docs/markers.md shows the result.
func TestTheRulesFindWhatRealApplicationsMean(t *testing.T) {
	c, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	rules := c.Discovery.Rules.Compiled()
	report := "| application | commit | tables | with soft delete | found | watched | wrong | not told by the name " +
		"| of these by an index | named |\n|---|---|---|---|---|---|---|---|---|---|\n"
	var tuned, heldOut score
	counts := map[bool]int{}
	for _, a := range applications(t) {
		s := a.score(rules)
		sum := &tuned
		if a.heldOut {
			sum = &heldOut
		}
		sum.add(s)
		counts[a.heldOut]++
		byIndex := "- | -"
		if a.indexed {
			byIndex = fmt.Sprintf("%d | %d", s.byIndex, s.named)
		}
		report += fmt.Sprintf("| %s (%s) | `%.8s` | %s | %d | %d | %d | %d | %d | %s |\n", a.name, a.repository, a.commit,
			a.tables, s.told, s.found, s.watched, len(s.wrong), s.untold, byIndex)
	}
	for _, sum := range []struct {
		name string
		score
	}{{"rules tuned on these", tuned}, {"held out", heldOut}} {
		report += fmt.Sprintf("| **%s** | | | %d | %d | %d | %d | %d | %d | %d |\n", sum.name, sum.told, sum.found,
			sum.watched,
			len(sum.wrong), sum.untold, sum.byIndex, sum.named)
		if sum.found != sum.told {
			t.Errorf("%s: %d of %d tables are found", sum.name, sum.found, sum.told)
		}
		if share := 1 - float64(len(sum.wrong))/float64(sum.watched); share < 0.98 {
			t.Errorf("%s: only %.1f%% of what is watched is soft delete; not so: %v", sum.name, 100*share, sum.wrong)
		}
	}
	if counts[false] < 4 || counts[true] < 4 || heldOut.watched < 30 {
		t.Errorf("too few schemas: %v, %d tables", counts, heldOut.watched)
	}
	shows(t, report)
}

// shows fails the test unless docs/markers.md contains the text.
func shows(t *testing.T, text string) {
	t.Helper()
	page, err := os.ReadFile("../docs/markers.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), text) {
		t.Errorf("docs/markers.md does not show the result; write there:\n%s", text)
	}
}

// Indexes may reveal more tables, but must not reveal wrong ones.
func TestEvidenceFindsNoWrongTable(t *testing.T) {
	var scores []score
	report := "| rules | with soft delete | found | wrong | recall | precision |\n|---|---|---|---|---|---|\n"
	for _, rules := range []struct{ name, text string }{
		{"names", "with_unique_index: {archived_at: off, removed_at: off, deactivated_at: off, disabled_at: off}"},
		{"names and unique indexes, the default", ""},
		{"and `revoked_at`", "with_unique_index: {revoked_at: on}"},
	} {
		c, err := load(t, "discovery: {rules: {"+rules.text+"}}")
		if err != nil {
			t.Fatal(err)
		}
		var sum score
		for _, a := range applications(t) {
			sum.add(a.score(c.Discovery.Rules.Compiled()))
		}
		scores = append(scores, sum)
		report += fmt.Sprintf("| %s | %d | %d | %d | %.1f%% | %.1f%% |\n", rules.name, sum.told+sum.untold,
			sum.found+sum.byIndex, len(sum.wrong), sum.recall(), sum.precision())
	}
	before, after, more := scores[0], scores[1], scores[2]
	if after.recall() < before.recall() || after.precision() < before.precision() {
		t.Errorf("with indexes recall and precision fall from %.1f and %.1f to %.1f and %.1f; wrong: %v", before.recall(),
			before.precision(), after.recall(), after.precision(), after.wrong)
	}
	if more.byIndex <= after.byIndex || more.named >= after.named {
		t.Errorf("the measure does not see indexes: %+v, %+v", after, more)
	}
	shows(t, report)
}

// The measure distinguishes good rules from bad ones.
func TestTheMeasureSeesBadRules(t *testing.T) {
	good, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		rules string
		want  func(good, bad score) bool
	}{
		{"times: {discarded_at: off}", func(good, bad score) bool { return bad.found < good.found }},
		{"flags: {del_flag: off}", func(good, bad score) bool { return bad.found < good.found }},
		{"times: {removed_at: on}", func(good, bad score) bool { return len(bad.wrong) > len(good.wrong) }},
		{"inverted_flags: {active: on}", func(good, bad score) bool { return len(bad.wrong) > len(good.wrong) }},
		{"copies: {'good_job_.*': off}", func(good, bad score) bool { return len(bad.wrong) > len(good.wrong) }},
	} {
		bad, err := load(t, "discovery: {rules: {"+test.rules+"}}")
		if err != nil {
			t.Fatal(err)
		}
		var g, b score
		for _, a := range applications(t) {
			g.add(a.score(good.Discovery.Rules.Compiled()))
			b.add(a.score(bad.Discovery.Rules.Compiled()))
		}
		if !test.want(g, b) {
			t.Errorf("%s makes no difference: %+v, %+v", test.rules, cmp.Diff(g.found, b.found), b.wrong)
		}
	}
}
