package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// purgeFlags are the flags of the purge-script command.
type purgeFlags struct {
	chosen
	all, rehearsal bool
	minutes        int
	rest           float64
	accept, along  []string
}

// flags adds the flags that report and purge-script have in common.
func (c *chosen) flags(command *kingpin.CmdClause, timeout string) {
	command.Flag("timeout", timeout).Default("5m").DurationVar(&c.timeout)
	command.Flag("database", "Only this database.").StringVar(&c.database)
	command.Flag("table", "Only tables whose whole name, schema.table, matches this pattern.").StringVar(&c.table)
	command.Flag("service", "Only the tables of this service.").StringVar(&c.service)
}

// validate returns an error about the flags.
func (p purgeFlags) validate() error {
	switch {
	case !p.all && p.database+p.table+p.service == "":
		return errors.New("say which tables: --table, --service, --database or --all")
	case p.minutes < 1:
		return fmt.Errorf("--minutes: must be at least 1, not %d", p.minutes)
	case p.rest < 0 || p.rest > 100:
		return fmt.Errorf("--rest: must be from 0 to 100, not %g", p.rest)
	}
	return nil
}

// purgeScript prints a script for psql that removes the rows past retention of the chosen tables. For a table without
// a script it prints why. It returns an error if it printed no script at all.
func purgeScript(ctx context.Context, f flags, p purgeFlags, stdout, stderr io.Writer) error {
	if err := p.validate(); err != nil {
		return usage{err}
	}
	l, _, err := p.look(ctx, f, stderr)
	if err != nil {
		return err
	}
	defer l.inspector.Close()
	if ping := l.pings[len(l.pings)-1]; !ping.Up {
		return fmt.Errorf("cannot connect to the database: %s", ping.Err)
	}
	w := purgeWriter{purgeFlags: p, look: l, to: stdout, used: map[string]bool{}}
	if len(p.along) > 0 {
		if w.watched, err = watched(ctx, f); err != nil {
			return err
		}
	}
	var failed []error
	fmt.Fprint(stdout, queries.Comment(fmt.Sprintf("Printed by softdelete_exporter %s on %s. Run it with psql -X.",
		version.Version, time.Now().UTC().Format("2006-01-02 15:04 UTC"))))
	fmt.Fprintln(stdout, queries.StopOnError)
	for _, d := range l.snapshot.Load().Databases {
		if err := w.database(ctx, d); err != nil {
			failed = append(failed, err)
		}
	}
	failed = append(failed, w.unused())
	if w.tables == 0 {
		failed = append(failed,
			fmt.Errorf("no watched table matches%s; write a table as schema.table; check-config --connect lists the tables",
				p.asked()))
	} else if w.printed == 0 {
		failed = append(failed, fmt.Errorf("there is no script for %s: the output says why",
			softdelete.Plural(w.tables, "table")))
	}
	return errors.Join(failed...)
}

// purgeWriter writes the scripts of one run of the command.
type purgeWriter struct {
	purgeFlags
	look            *look
	to              io.Writer
	tables, printed int
	// watched are the tables with soft delete, as "database schema.table".
	watched map[string]bool
	// used are the given triggers and tables that exist.
	used map[string]bool
}

// watched returns all tables with soft delete, chosen or not.
func watched(ctx context.Context, f flags) (map[string]bool, error) {
	c, err := config.Load(defaults, f.configFile)
	if err != nil {
		return nil, usage{err}
	}
	inspector, _, err := inspectorOnce(f, c)
	if err != nil {
		return nil, usage{err}
	}
	defer inspector.Close()
	explained, err := inspector.Explain(ctx)
	all := map[string]bool{}
	for _, t := range explained.Tables {
		if t.Watched {
			all[t.Database+" "+t.Schema+"."+t.Table] = true
		}
	}
	return all, err
}

// database writes the scripts for the tables of one database, referencing tables before the tables that they
// reference.
func (w *purgeWriter) database(ctx context.Context, d softdelete.Database) error {
	tables := make([]*softdelete.Table, len(d.Tables))
	for i := range d.Tables {
		t := d.Tables[i] // a copy: the Snapshot does not change
		tables[i] = &t
	}
	if len(tables) == 0 {
		return nil
	}
	w.tables += len(tables)
	session, err := queries.PurgeSession(d.Name)
	if err != nil {
		return err
	}
	err = w.look.inspector.FindPurging(ctx, d.Name, tables, w.accept)
	fmt.Fprintf(w.to, "\n%s\n", session)
	for _, group := range softdelete.PurgeGroups(tables) {
		if len(group) > 1 {
			names := make([]string, len(group))
			for i, t := range group {
				names[i] = t.Schema + "." + t.Name
			}
			fmt.Fprintf(w.to, "\n%s",
				queries.Comment(
					fmt.Sprintf(
						"%s reference each other: run their scripts again until they remove nothing. Rows that reference each "+
							"other in a circle stay.", strings.Join(names, ", "))))
		}
		for _, t := range group {
			w.table(d.Name, t)
		}
	}
	return err
}

// goAlong returns those tables of --go-along that reference the given table and do not use soft delete.
func (w *purgeWriter) goAlong(database string, t *softdelete.Table) [][2]string {
	var along [][2]string
	for _, k := range t.Purging.Keys {
		name := k.Schema + "." + k.Name
		if k.Cascades && slices.Contains(w.along, name) && !w.watched[database+" "+name] {
			along = append(along, [2]string{k.Schema, k.Name})
			w.used[name] = true
		}
	}
	return along
}

// unused returns errors about given triggers and tables that had no effect.
func (w *purgeWriter) unused() error {
	var all []error
	for _, name := range w.accept {
		if !w.used["trigger "+name] {
			all = append(all, fmt.Errorf("--accept-trigger=%s: no chosen table has such a trigger on DELETE", name))
		}
	}
	for _, name := range w.along {
		if !w.used[name] {
			all = append(all,
				fmt.Errorf(
					"--go-along=%s: it must be a table without soft delete, triggers or rules on DELETE, which nothing "+
						"references and which references a chosen table by ON DELETE CASCADE", name))
		}
	}
	return errors.Join(all...)
}

// table writes the script for one table, or why there is none.
func (w *purgeWriter) table(database string, t *softdelete.Table) {
	var along [][2]string
	if t.Purging != nil {
		along = w.goAlong(database, t)
		for _, a := range t.Purging.Accepted {
			w.used["trigger "+a[:strings.LastIndex(a, " ")]] = true
		}
	}
	name := t.Schema + "." + t.Name
	if withheld := t.Withheld(); len(withheld) > 0 {
		lines := []string{fmt.Sprintf("No script for %s:", name)}
		for _, why := range withheld {
			lines = append(lines, "  "+why)
		}
		fmt.Fprintf(w.to, "\n%s", queries.Comment(lines...))
		return
	}
	w.printed++
	about := "No row is past retention now."
	if old := t.Numbers.Old; old != nil && old.Value > 0 {
		about = "Past retention now: "
		if old.Margin > 0 {
			about += "about "
		}
		about += softdelete.Plural(int(math.Round(old.Value)), "row")
		if !t.Numbers.Oldest.IsZero() {
			about += ", the oldest since " + t.Numbers.Oldest.UTC().Format("2006-01-02")
		}
		about += "."
	}
	purge := queries.Purge{Database: database, Table: t, GoAlong: along, Rehearsal: w.rehearsal, Minutes: w.minutes,
		Rest: w.rest}
	fmt.Fprintf(w.to, "\n%s\n", purge.Script(about))
}
