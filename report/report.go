// Package report shows an assessment to people and scripts: as text for a terminal, as JSON with a published
// schema, and as a single self-contained HTML page. All three have the same content.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Report is what the report shows.
type Report struct {
	*assess.Assessment
	// Version is the version of the exporter.
	Version string
	// ConnectionOnly is true if only the connection is checked, because SOFT_DELETE_ENABLE_MONITORING is false.
	ConnectionOnly bool
	// Sort is one of Orders: the order of the tables in text and CSV; empty means by health.
	Sort string
}

// order is the order in which verdicts are listed, worst first.
var order = []softdelete.Health{softdelete.Poor, softdelete.Unknown, softdelete.Fair, softdelete.Good}

// statements returns the SQL of a recommendation: what to run, and what to consider if that has worked.
func statements(r *assess.Recommendation) (run, consider []string) {
	switch {
	case r.Advice != nil:
		return steps(r, r.Advice.Do), steps(r, r.Advice.Consider)
	case r.Kind == assess.PurgeRows && len(r.Withheld) == 0:
		return []string{queries.Purge{Database: r.Database, Table: r.Table.Table, Minutes: queries.PurgeMinutes,
			Rest: 1}.Script("")}, nil
	case r.Locked:
		return []string{queries.SearchPath(), queries.LockHolders()}, nil
	case r.Contradiction != nil:
		return []string{queries.SearchPath(), queries.Contradicting(r.Table.Table, *r.Contradiction)}, nil
	default:
		return nil, nil
	}
}

// steps are the statements of an advice, safe from what else the search path finds.
func steps(r *assess.Recommendation, all []indexes.Step) []string {
	statements := queries.Steps(r.Table.Table, all)
	if queries.Resolves(all) {
		return append([]string{queries.SearchPath()}, statements...)
	}
	return statements
}

// summary describes the server in one sentence.
func (r Report) summary() string {
	switch {
	case r.Connection.Status == assess.Unhealthy:
		return r.Connection.Failure()
	case r.ConnectionOnly:
		return "Only the connection is checked: SOFT_DELETE_ENABLE_MONITORING is false."
	case r.Taken.IsZero():
		return strings.TrimSpace("No table has been checked yet." + r.unseen())
	case r.NothingWatched():
		return "Nothing is watched: no table with soft delete was found."
	case len(r.Tables) == 0:
		return "No table with soft delete was found." + r.unseen()
	}
	count, total := r.Count(), softdelete.Plural(len(r.Tables), "table")
	if len(count) == 1 {
		return allOf(len(r.Tables), r.Tables[0].Verdict.Health) + r.unseen()
	}
	var parts []string
	for _, h := range []softdelete.Health{softdelete.Poor, softdelete.Fair} {
		if n := count[h]; n > 0 && (h == softdelete.Poor || count[softdelete.Poor] == 0) {
			parts = append(parts, fmt.Sprintf("%s of %s %s %s", softdelete.Thousands(float64(n)), total,
				softdelete.OneOrMore(n, "is", "are"), h))
		}
	}
	if n := count[softdelete.Unknown]; n > 0 {
		of := ""
		if len(parts) == 0 {
			of = " of " + total
		}
		parts = append(parts, softdelete.Thousands(float64(n))+of+" could not be judged")
	}
	return strings.Join(parts, ", ") + "." + r.unseen()
}

// server describes the server in a few words; empty if it is not known.
func (r Report) server() string {
	s := r.Connection.Server()
	if s == nil {
		return ""
	}
	parts := []string{s.Address(), "database " + s.Database}
	if s.Version != "" {
		parts = append(parts, "PostgreSQL "+s.Version)
	}
	if s.Role != "" {
		parts = append(parts, string(s.Role))
	}
	return strings.Join(parts, ", ")
}

// alerts are those that a person is shown: all but that of the connection, which the summary tells already.
func (r Report) alerts() []assess.Alert {
	return slices.DeleteFunc(slices.Clone(r.Alerts), func(a assess.Alert) bool {
		return a.Condition == assess.ConnectionFailure
	})
}

// note describes a database, in addition to its verdict.
func note(d assess.DatabaseHealth) string {
	var parts []string
	if d.Watched() {
		parts = append(parts, softdelete.Plural(len(d.Tables), "table"))
	}
	if !d.Checks.Connect || !d.Checks.Discovery {
		parts = append(parts, "could not be read")
	}
	if d.Skipped > 0 {
		parts = append(parts, softdelete.Thousands(float64(d.Skipped))+" more skipped")
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing watched")
}

// total returns the number of tables in a count by verdict.
func total(counts map[softdelete.Health]int) int {
	n := 0
	for _, tables := range counts {
		n += tables
	}
	return n
}

// unseen names the databases that could not be read, if there are any.
func (r Report) unseen() string {
	var names []string
	for _, d := range r.Databases {
		if !d.Checks.Connect || !d.Checks.Discovery {
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s %s could not be read.", softdelete.OneOrMore(len(names), "Database", "Databases"),
		strings.Join(names, ", "))
}

// allOf says that all tables have the same verdict.
func allOf(n int, h softdelete.Health) string {
	verdict := h.String()
	if h == softdelete.Unknown {
		verdict = "unknown: no table has a verdict"
	}
	if n == 1 {
		return "The one table is " + verdict + "."
	}
	return fmt.Sprintf("All %s are %s.", softdelete.Plural(n, "table"), verdict)
}

// counts returns how many tables have each verdict, worst first.
func (r Report) counts() string {
	var parts []string
	for _, h := range order {
		if n := r.Count()[h]; n > 0 {
			parts = append(parts, softdelete.Thousands(float64(n))+" "+h.String())
		}
	}
	return strings.Join(parts, ", ")
}

// seen returns the names of the databases that could be read.
func (r Report) seen() (names []string) {
	for _, d := range r.Databases {
		if d.Checks.Connect && d.Checks.Discovery {
			names = append(names, d.Name)
		}
	}
	return names
}

// answers describes the last pings.
func (r Report) answers() string {
	var times []float64
	for _, p := range r.Connection.Pings {
		if p.Up {
			times = append(times, p.Milliseconds())
		}
	}
	asked := softdelete.Plural(len(r.Connection.Pings), "ping")
	if len(times) == 0 {
		return "None of the last " + asked + " was answered."
	}
	slices.Sort(times)
	lost := ""
	if n := len(r.Connection.Pings) - len(times); n > 0 {
		lost = fmt.Sprintf(", %d unanswered", n)
	}
	return fmt.Sprintf("Of the last %s: median %s, slowest %s%s.", asked, milliseconds(times[len(times)/2]),
		milliseconds(times[len(times)-1]), lost)
}

// integrity lists rows that contradict each other, and what could not be checked.
func integrity(t *assess.TableHealth) []string {
	var all []string
	for _, c := range t.Contradictions() {
		all = append(all, c.String())
	}
	for _, c := range t.Integrity {
		if c.Problem != nil {
			all = append(all, c.Unchecked()+": "+c.Problem.Message)
		}
	}
	return all
}

// considering introduces the statements to consider after those to run.
func considering(run []string) string {
	if len(run) == 0 {
		return "Consider:"
	}
	return "If that works, consider:"
}

// missing returns the purposes for which an index would help but does not exist.
func missing(t *assess.TableHealth) []indexes.Purpose {
	var purposes []indexes.Purpose
	for _, p := range t.IndexNeeds {
		if !p.Present {
			purposes = append(purposes, p.For)
		}
	}
	return purposes
}

// milliseconds writes a response time with sensible precision.
func milliseconds(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return softdelete.Thousands(ms) + " ms"
}

// age says how long ago a time was, in one unit.
func age(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	switch d := now.Sub(then); {
	case d < time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	}
}

// rows writes a number of rows; a tilde marks one whose error is unknown.
func rows(e softdelete.Estimate) string {
	if e.Margin != 0 {
		return "~" + softdelete.Thousands(e.Value)
	}
	return softdelete.Thousands(e.Value)
}

// ratio writes a ratio with its margin in percentage points.
func ratio(e softdelete.Estimate) string {
	switch {
	case !e.Bounded():
		return "~" + strings.TrimPrefix(softdelete.Percent(e.Value), "<")
	case e.Margin > 0:
		return softdelete.Percent(e.Value) + " ±" + strings.TrimSuffix(softdelete.Percent(e.Margin), "%")
	default:
		return softdelete.Percent(e.Value)
	}
}
