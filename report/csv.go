package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// CSV writes a row for each table (RFC 4180), with the numbers of the JSON document under the same names. An unknown
// value is empty, never 0.
func CSV(w io.Writer, r Report) error {
	out := csv.NewWriter(w)
	columns := []string{"database", "schema", "table", "service", "health", "health_status", "method",
		"checked_timestamp", "active_records", "deleted_records", "total_records", "deletion_ratio_percent",
		"deletion_ratio_margin_percent", "old_deleted_records", "retention_seconds", "oldest_deletion_timestamp",
		"overdue_days", "deleted_bytes"}
	for i := range softdelete.AgeDays {
		columns = append(columns, ageColumn(i))
	}
	_ = out.Write(append(columns, ageColumn(len(softdelete.AgeDays)))) // Error tells of it
	for _, t := range r.sorted() {
		_ = out.Write(csvRow(r, t))
	}
	out.Flush()
	return out.Error()
}

// ageColumn is the name of the column with the rows of an age, the youngest first.
func ageColumn(i int) string {
	days := softdelete.AgeDays
	switch {
	case i == 0:
		return fmt.Sprintf("deleted_%d_days", days[0])
	case i == len(days):
		return fmt.Sprintf("deleted_over_%d_days", days[i-1])
	default:
		return fmt.Sprintf("deleted_%d_to_%d_days", days[i-1]+1, days[i])
	}
}

func csvRow(r Report, t *assess.TableHealth) []string {
	d := newTable(t)
	overdue := ""
	if t.HasAges() && !t.OldestDeletion().IsZero() {
		overdue = strconv.Itoa(t.Overdue(r.Now))
	}
	row := []string{cell(d.Database), cell(d.Schema), cell(d.Table), cell(d.Service), d.Health.String(), d.HealthStatus,
		string(d.Method), csvTime(d.Checked), csvNumber(d.Active), csvNumber(d.Deleted), csvNumber(d.Total),
		csvNumber(d.Ratio), csvNumber(d.RatioMargin), csvNumber(d.Old), csvNumber(d.RetentionSeconds),
		csvTime(d.Oldest), overdue, csvNumber(d.DeletedBytes)}
	return append(row, csvAges(t)...)
}

// cell writes a name. A spreadsheet would run one that begins like a formula.
func cell(name string) string {
	if name != "" && slices.Contains([]byte("=+-@"), name[0]) {
		name = "'" + name
	}
	return softdelete.Printable(name)
}

func csvNumber(n *float64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', -1, 64)
}

func csvTime(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// csvAges returns the rows of each age, the youngest first. Deletions in the future are in none.
func csvAges(t *assess.TableHealth) []string {
	ages := make([]string, len(softdelete.AgeDays)+1)
	if t.Numbers == nil || t.Numbers.Ages == nil {
		return ages
	}
	days := append([]int{0}, softdelete.AgeDays...)
	edge := func(n int) time.Time { return softdelete.AgeEdge(t.Counted, days[n]) }
	classes := t.Numbers.Ages.Classes(func(at time.Time) bool {
		return slices.ContainsFunc(days, func(n int) bool { return softdelete.AgeEdge(t.Counted, n).Equal(at) })
	})
	for _, c := range classes {
		for i := range ages {
			if c.To.Equal(edge(i)) && (i == len(ages)-1 && c.From.IsZero() || i < len(ages)-1 && c.From.Equal(edge(i+1))) {
				ages[i] = strconv.FormatFloat(c.Rows.Value, 'f', -1, 64)
			}
		}
	}
	return ages
}
