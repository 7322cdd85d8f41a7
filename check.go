package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// checkConfig loads the configuration file and, with --connect, compares it with the database.
func checkConfig(ctx context.Context, f flags, connect bool, stdout io.Writer) error {
	c, err := config.Load(defaults, f.configFile)
	if err != nil {
		return usage{err}
	}
	fmt.Fprintln(stdout, "The configuration is valid.")
	if !connect {
		return nil
	}
	inspector, _, err := inspectorOnce(f, c)
	if err != nil {
		return usage{err}
	}
	explained, err := inspector.Explain(ctx)
	if err != nil && len(explained.Tables) == 0 {
		return usage{err}
	}
	if err := errors.Join(err, explain(stdout, explained, c.Discovery.MaxTables)); err != nil {
		return usage{err}
	}
	return nil
}

// explain prints for each table whether it is watched, which rule matched each column or why none did, and what
// to do about it. It returns an error if a table cannot be read.
func explain(w io.Writer, explained inspect.Explained, most int) error {
	watched, unread, left := 0, 0, 0
	for _, t := range explained.Tables {
		printf(w, "%s: %s.%s", t.Database, t.Schema, t.Table)
		if len(t.Markers) > 0 {
			printf(w, " (%s: %s)", t.Markers.KindLabel(), strings.Join(t.Markers.Columns(), ", "))
		}
		switch {
		case !t.Watched:
			printf(w, ": not watched")
			left++
		case t.Problem == nil:
			printf(w, ": watched")
			watched++
		default:
			printf(w, ": %s: %s", t.Problem.Reason, t.Problem.Message)
			unread++
		}
		if t.Decision.Left != "" && t.Problem == nil {
			printf(w, ": %s", t.Decision.Left)
		}
		fmt.Fprintln(w)
		if t.Watched {
			printf(w, "    %s\n", policy(t))
		}
		if t.Problem != nil {
			remedies(w, strings.Split(t.Problem.Remedy, "\n")...)
		}
		for _, p := range t.Unchecked {
			printf(w, "    not checked: %s\n", p.Message)
			remedies(w, p.Remedy)
		}
		for _, d := range t.Disputes {
			printf(w, "    not certain: %q decides, but %s\n", d.Marker.Column, d.Why())
			remedies(w, discovery.DecidingLines(t.Schema, t.Table, d.Marker)...)
		}
		for _, v := range t.Unseen {
			printf(w, "    no row holds the configured value %q\n", v)
		}
		for _, d := range t.Decision.Decisions {
			decide(w, d)
		}
	}
	if watched+unread == 0 {
		fmt.Fprintln(w, "No table that uses soft delete was found. List your tables under tables: in the configuration.")
	}
	if explained.Skipped > 0 {
		printf(w, "%d more tables are left out: discovery.max_tables is %d\n", explained.Skipped, most)
	}
	for _, warning := range explained.Unmatched {
		printf(w, "Warning: %s\n", warning)
	}
	printf(w, "Tables that may use soft delete: %d watched, %d cannot be read, %d not watched.\n", watched, unread, left)
	if unread > 0 {
		return fmt.Errorf("%d of %d tables cannot be read", unread, watched+unread)
	}
	return nil
}

// remedies prints what to do about a table, if that is known.
func remedies(w io.Writer, lines ...string) {
	for _, line := range lines {
		if line != "" {
			printf(w, "    remedy: %s\n", line)
		}
	}
}

// policy describes the settings of a table in a few words.
func policy(t inspect.Explanation) string {
	p, text := t.Policy, "retention none"
	switch {
	case len(t.Markers) > 0 && !t.Markers.Timed():
		text = "retention has no effect (the table does not record when a row was deleted)"
	case p.Retention > 0:
		text = "retention " + softdelete.Days(p.Retention)
	}
	text += fmt.Sprintf(", method %s", p.Method)
	if p.Service != "" {
		text += ", service " + p.Service
	}
	return text
}

// decide prints the decision on one column.
func decide(w io.Writer, d discovery.Decision) {
	what := "not used"
	if d.Taken {
		what = "matched by " + d.Rule
	}
	printf(w, "    %s is %s: %s\n", d.Column, what, d.Why)
	if d.Remedy != "" {
		printf(w, "        to change that: %s\n", d.Remedy)
	}
}

// printf prints texts that may be names, which can contain any character.
func printf(w io.Writer, format string, texts ...any) {
	for i, text := range texts {
		if text, ok := text.(string); ok {
			texts[i] = softdelete.Printable(text)
		}
	}
	fmt.Fprintf(w, format, texts...)
}

// grants prints the statements for a role that can read the watched tables and nothing else.
func grants(ctx context.Context, f flags, role string, stdout io.Writer) error {
	if role == "" {
		return usage{errors.New("--role: is empty; write the name of the role")}
	}
	c, err := config.Load(defaults, f.configFile)
	if err != nil {
		return usage{err}
	}
	inspector, _, err := inspectorOnce(f, c)
	if err != nil {
		return usage{err}
	}
	databases, err := inspector.Grants(ctx, role)
	if len(databases) == 0 {
		return err
	}
	fmt.Fprint(stdout,
		queries.Comment("Run with psql -X as the owner of the tables, and again when tables or partitions were added."))
	fmt.Fprintln(stdout, queries.StopOnError)
	for _, d := range databases {
		fmt.Fprintf(stdout, "\n%s\n", d.Connect)
		for _, statement := range d.Statements {
			fmt.Fprintln(stdout, statement)
		}
	}
	fmt.Fprint(stdout, "\n", queries.Comment(
		"With this right, from PostgreSQL 15 on, the exporter leaves its statements out of pg_stat_statements, so that",
		"those of others stay there. It then does not show what the exporter costs, as the metric",
		"softdelete_exporter_database_seconds_total still does. Run it as a superuser:"))
	fmt.Fprintln(stdout, "-- "+queries.GrantUntracked(role))
	return err
}

// inspectorOnce makes the inspector of a command that queries the connection string's server once. Datname is
// the database in the connection string.
func inspectorOnce(f flags, c *config.Config) (i *inspect.Inspector, datname string, err error) {
	if !config.HasDataSource() {
		return nil, "", config.ErrNoDataSource
	}
	if _, datname, err = source(); err != nil {
		return nil, "", err
	}
	return newInspector(c, f.faults), datname, nil
}
