// Softdelete_exporter is a Prometheus exporter that counts deleted rows in every PostgreSQL table that uses
// soft delete. The packages follow the flow of data: inspect queries PostgreSQL and makes a Snapshot, cache
// keeps it, collector turns it into metrics, and server answers requests.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // for images without a time zone database

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	health "github.com/softdelete-exporter/softdelete_exporter/report"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

//go:embed config.yaml
var defaults []byte

// The exit codes other than 0.
const (
	exitFailure     = 1   // failed while running
	exitUsage       = 2   // wrong flags, configuration or environment; nothing was started
	exitInterrupted = 130 // a signal ended a command that had not finished, as shells report it
)

var errInterrupted = errors.New("interrupted")

func main() { os.Exit(untilSignal()) }

// untilSignal runs the program until a signal ends it.
func untilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

func init() {
	// kingpin puts the whole text of --version into the first line, which must be one line.
	kingpin.ManPageTemplate = strings.NewReplacer(
		`1 {{.App.Version}} "{{.App.Author}}"`, `1 "" "softdelete_exporter `+version.Version+`"`,
		".SH \"NAME\"\n{{.App.Name}}\n", ".SH \"NAME\"\n{{.App.Name}} \\- counts deleted rows that are still there\n",
	).Replace(kingpin.ManPageTemplate)
}

// flags are the flags of the command line.
type flags struct {
	configFile          string
	logLevel, logFormat string
	profiling           bool
	lifecycle           bool
	web                 *web.FlagConfig
	// faults logs the exporter's own faults in commands that have no log.
	faults log.Logger
}

// run executes one command and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f flags
	app := kingpin.New("softdelete_exporter", "Prometheus exporter for PostgreSQL tables that use soft delete. "+
		"Set the variable DATA_SOURCE_NAME to the server's connection string, or DATA_SOURCE_NAME_FILE to a file with it. "+
		"Or set address, user and password separately, without encoding: DATA_SOURCE_URI (host:5432/database), "+
		"DATA_SOURCE_USER, DATA_SOURCE_PASS, "+
		"or files with DATA_SOURCE_URI_FILE, DATA_SOURCE_USER_FILE, DATA_SOURCE_PASS_FILE. "+
		"Without these, libpq's PGHOST, PGUSER and so on say where to connect.")
	app.UsageWriter(stdout)
	app.ErrorWriter(stderr)
	app.DefaultEnvars()
	app.HelpFlag.Short('h').NoEnvar()
	app.Version(version.Print("softdelete_exporter")).VersionFlag.Short('v').NoEnvar()
	// Keep the parser from exiting, so that run can finish its work.
	exit := -1
	app.Terminate(func(code int) { exit = code })
	app.Flag("config.file", "Configuration file. Without it the built-in defaults apply.").PlaceHolder("FILE").StringVar(
		&f.configFile)
	app.Flag("log.level", "Log only messages of this severity or above: debug, info, warn, error.").Default(
		"info").EnumVar(&f.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of the log: logfmt or json.").Default("logfmt").EnumVar(&f.logFormat, "logfmt", "json")
	serveCommand := app.Command("serve", "Serve metrics over HTTP.").Default()
	f.web = kingpinflag.AddFlags(serveCommand, ":10862")
	serveCommand.Flag("web.enable-pprof", "Serve the Go profiler's pages below /debug/pprof/.").BoolVar(&f.profiling)
	serveCommand.Flag("web.enable-lifecycle",
		"Also reload the configuration on a POST to /-/reload. SIGHUP always reloads it.").BoolVar(&f.lifecycle)
	checkCommand := app.Command("check-config",
		"Check the configuration file. With --connect also print for each table whether it is watched, and why not.")
	grantsCommand := app.Command("grants", "Print the SQL for a role that can read the watched tables and nothing else.")
	role := grantsCommand.Flag("role", "Name of the role.").Default("softdelete_exporter").String()
	check := checkCommand.Flag("connect", "Also connect, and check tables, columns and grants.").Bool()

	reportCommand := app.Command("report",
		"Print one health report. Exit with 1 if the health is bad, and with 2 if no table has a verdict.")
	var r reportFlags
	reportCommand.Flag("format", "Format of the report: text, json, html or csv (the tables).").Default(
		"text").EnumVar(&r.format, "text", "json", "html", "csv")
	reportCommand.Flag("full", "Text: show everything, also if it does not fit on the screen.").BoolVar(&r.full)
	reportCommand.Flag("sort", "Text and CSV: order of the tables: "+strings.Join(health.Orders, ", ")+".").Default(
		health.Orders[0]).EnumVar(&r.sort, health.Orders...)
	reportCommand.Flag("fail-on", "Exit with 1 at this health or worse: fair, unknown or poor, in this order.").Default(
		"poor").EnumVar(&r.failOn, "fair", "unknown", "poor")
	r.flags(reportCommand, "How long to wait until every table is counted. Tables not counted by then are unknown.")

	purgeCommand := app.Command("purge-script",
		"Print a script for psql that permanently removes rows past their retention: "+
			"softdelete_exporter purge-script --all | psql -X. The exporter never runs it.")
	var p purgeFlags
	p.flags(purgeCommand, "How long to wait until every table is counted. Tables not counted by then get no script.")
	purgeCommand.Flag("all", "Print the script for all watched tables.").BoolVar(&p.all)
	purgeCommand.Flag("rehearse",
		"Print the script as a rehearsal: it runs each batch and rolls it back.").BoolVar(&p.rehearsal)
	purgeCommand.Flag("minutes", "After how many minutes the script of a table stops. Run it again for the rest.").Default(
		"60").IntVar(&p.minutes)
	purgeCommand.Flag("rest", "How long it pauses after each batch, as a multiple of the batch's duration.").Default(
		"1").Float64Var(&p.rest)
	purgeCommand.Flag("accept-trigger",
		"Name of a trigger on DELETE that may run, because it only records. Can be repeated.").PlaceHolder("NAME").StringsVar(
		&p.accept)
	purgeCommand.Flag("go-along",
		"A table without soft delete, as schema.table, whose rows may be removed with the rows that they reference. "+
			"Its foreign key must have ON DELETE CASCADE. Can be repeated.").PlaceHolder("TABLE").StringsVar(&p.along)

	// The help of a command is about that command only.
	app.UsageTemplate(kingpin.LongHelpTemplate)
	if slices.ContainsFunc(args, func(arg string) bool { return app.GetCommand(arg) != nil }) {
		app.UsageTemplate(kingpin.DefaultUsageTemplate)
	}
	command, err := app.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "softdelete_exporter: %s; try --help\n",
			softdelete.PrintableLines(conninfo.Redact(argumentFault(args, flagFault(app, args, err)))))
		return exitUsage
	}
	f.faults = level.NewFilter(log.With(newLogger(stderr, f.logFormat), "ts", log.DefaultTimestampUTC),
		level.AllowError())
	err = rescue.Catch(func() error {
		switch command {
		case checkCommand.FullCommand():
			return checkConfig(ctx, f, *check, stdout)
		case grantsCommand.FullCommand():
			return grants(ctx, f, *role, stdout)
		case reportCommand.FullCommand():
			return writeReport(ctx, f, r, stdout, stderr)
		case purgeCommand.FullCommand():
			return purgeScript(ctx, f, p, stdout, stderr)
		default:
			return serve(ctx, f, stderr)
		}
	})
	rescue.Log(f.faults, err)
	if err != nil && ctx.Err() != nil && command != serveCommand.FullCommand() {
		err = errInterrupted
	}
	return exitCode(err, f.logFormat, stderr)
}

// flagFault adds to the error the flag, or its environment variable, that has a wrong value, if there is one.
func flagFault(app *kingpin.Application, args []string, err error) error {
	parsed, unparsed := app.ParseContext(args)
	if unparsed != nil {
		return err
	}
	for _, e := range parsed.Elements {
		if flag, ok := e.Clause.(*kingpin.FlagClause); ok && e.Value != nil {
			if m := flag.Model(); m.Value.Set(*e.Value) != nil {
				return fmt.Errorf("--%s: %w", m.Name, err)
			}
		}
	}
	flags := app.Model().Flags
	for _, c := range app.Model().Commands {
		flags = append(flags, c.Flags...)
	}
	for _, m := range flags {
		if value, set := os.LookupEnv(m.Envar); set && m.Envar != "" && m.Value.Set(value) != nil {
			return fmt.Errorf("%s: %w", m.Envar, err)
		}
	}
	return err
}

// argumentFault returns what is wrong with the command line, without any argument that may be a connection
// string.
func argumentFault(args []string, err error) string {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") && strings.ContainsAny(arg, "@=:") && strings.Contains(err.Error(), arg) {
			return "an argument is not a command; put a connection string into DATA_SOURCE_NAME"
		}
	}
	return err.Error()
}

// usage is an error of flags, configuration or environment.
type usage struct{ error }

// exitCode prints what failed and returns the matching exit code. It writes plain text for people, or a log
// line if the log is JSON.
func exitCode(err error, logFormat string, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case logFormat == "json":
		level.Error(log.With(newLogger(stderr, logFormat), "ts", log.DefaultTimestampUTC)).Log("msg", err)
	default:
		fmt.Fprintf(stderr, "softdelete_exporter: %s\n", softdelete.PrintableLines(conninfo.Redact(err.Error())))
	}
	switch {
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, new(usage)):
		return exitUsage
	default:
		return exitFailure
	}
}
