package queries

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Purge is a script that removes the rows of one table past their retention, for a person to run. The exporter never
// runs it. docs/report.md describes what it guarantees.
type Purge struct {
	Database string
	// Table must have deletion times, and its Purging must be known.
	Table *softdelete.Table
	// GoAlong are the tables, by schema and name, whose rows may be deleted by cascade.
	GoAlong [][2]string
	// Rehearsal rolls each batch back.
	Rehearsal bool
	// Minutes is when the script stops; it can be run again. Rest is the pause after each batch, as a multiple of the
	// batch's duration.
	Minutes int
	Rest    float64
}

// PurgeMinutes is the default of Minutes.
const PurgeMinutes = 60

// byIndex reports whether there are few old rows, and an index that finds them.
func (p Purge) byIndex() bool {
	n := p.Table.Numbers
	return indexes.PurgeColumn(p.Table) != "" && n != nil && n.Old != nil && n.Old.Value < fewRows &&
		n.Old.Value < fewShare*n.Total.Value
}

// With more rows, or a larger share of the rows, the script reads the whole table instead. docs/performance.md shows
// that this hardly takes longer even below these limits.
const (
	fewRows  = 100_000
	fewShare = 0.01
)

// SQL returns the script as one statement, which does not need psql.
func (p Purge) SQL() string {
	values := purgeParts()
	values["along_schemas"], values["along_tables"] = columns(p.GoAlong)
	maps.Copy(values, vars{
		"rehearsal": strconv.FormatBool(p.Rehearsal), "by_index": strconv.FormatBool(p.byIndex()),
		"minutes": strconv.Itoa(p.Minutes), "rest": strconv.FormatFloat(p.Rest, 'f', 1, 64),
		"database": p.Database, "schemaname": p.Table.Schema, "relname": p.Table.Name,
		"columns": texts(p.Table.Markers.Columns()), "column_facts": p.Table.Purging.Columns,
		"accepted": texts(p.Table.Purging.Accepted),
		"old":      pastRetention(p.Table),
	})
	tag := "purge"
	for strings.Contains(strings.Join([]string{p.Database, p.Table.Schema, p.Table.Name, p.Table.Purging.Columns,
		values["columns"], values["accepted"],
		values["along_schemas"], values["along_tables"], values["old"]}, " "), "$"+tag) {
		tag += "_"
	}
	values["tag"], values["old_tag"] = tag, tag+"_old"
	return ask("purge script", values)
}

// Script returns the statement after comments for its reader; about says more about the rows.
func (p Purge) Script(about string) string {
	t := p.Table
	name := identifier(t.Schema) + "." + identifier(t.Name)
	verb := "Permanently removes"
	if p.Rehearsal {
		verb = "A rehearsal: runs and rolls back what would permanently remove"
	}
	owner := identifier(t.Purging.Owner)
	lines := []string{
		fmt.Sprintf("%s the rows of %s that were soft-deleted more than %s ago, by %s.", verb, name,
			softdelete.Days(t.Policy.Retention), t.Purging.Columns),
		fmt.Sprintf(
			"Run it as %s, the owner of the table, not as a superuser. It needs SELECT, DELETE, and UPDATE on one "+
				"column (to lock rows)%s.", owner, p.reads()),
		"A row stays if its marker equals the column's default, or if another row references it. The script stops if it " +
			"finds a trigger, rule or foreign key that it does not know.",
	}
	if about != "" {
		lines = slices.Insert(lines, 1, about)
	}
	return Comment(lines...) + p.SQL()
}

// reads lists the tables in which the script looks for references.
func (p Purge) reads() string {
	var names []string
	for _, k := range p.Table.Purging.Keys {
		name := identifier(k.Schema) + "." + identifier(k.Name)
		if !k.Itself && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; and SELECT on " + strings.Join(names, ", ")
}

// Comment writes lines for the reader of a script. No text in them can end the comment.
func Comment(lines ...string) string {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString("-- " + numbered(line, `\%04X`, `\+%06X`) + "\n")
	}
	return text.String()
}

// PurgeSession returns psql's commands to connect to a database and to allow long statements.
func PurgeSession(database string) (string, error) {
	connect, err := Connect(database)
	return connect + "\nSET statement_timeout = 0;", err
}

// StopOnError makes psql stop at the first error.
const StopOnError = `\set ON_ERROR_STOP on`

// PurgeCheck returns what a purge of a table would find now: the marker columns, and why it would remove nothing.
// Accepted are names of triggers.
func PurgeCheck(t *softdelete.Table, accepted []string) string {
	values := purgeParts()
	values["relation"], values["columns"], values["accepted"] = fmt.Sprint(t.OID), texts(
		t.Markers.Columns()), texts(accepted)
	return lead + strings.TrimSuffix(ask("purge check", values), ";")
}

// columns writes the schemas and the names of tables as two arrays.
func columns(tables [][2]string) (schemas, names string) {
	var first, second []string
	for _, t := range tables {
		first, second = append(first, t[0]), append(second, t[1])
	}
	return texts(first), texts(second)
}

// purgeParts are the SQL that the script and PurgeCheck have in common.
func purgeParts() vars {
	parts := vars{}
	for _, name := range []string{"facts", "births", "triggers", "along", "keys", "problems",
		"code"} { // each may use those before it
		parts[name] = ask("purge "+name, parts)
	}
	return parts
}

// pastRetention returns the predicate of the rows that are certainly past retention: a local time that occurs twice,
// because clocks were set back, counts as the later one.
func pastRetention(t *softdelete.Table) string {
	before := retentionAgo(t.Policy.Retention)
	return join(t.Markers, " OR ", func(m softdelete.Marker) string {
		old := bare(t).aged("deleted_before", m, before)
		if m.Time.Type == softdelete.LocalTimestamp {
			old = ask("certainly", vars{"predicate": old, "time": m.Time.Column, "zone": t.Policy.TimeZone, "instant": before})
		}
		return old
	})
}

// retentionAgo returns the instant before which rows are past retention; in days if the retention is whole days.
func retentionAgo(retention time.Duration) string {
	const day = 24 * time.Hour
	if retention%day == 0 {
		return ask("ago", vars{"age": fmt.Sprintf("%d days", retention/day)})
	}
	return ago(retention)
}

// texts writes an array of texts.
func texts(elements []string) string {
	if len(elements) == 0 {
		return "'{}'"
	}
	return "ARRAY[" + list(elements) + "]"
}
