// Softdelete_exporter tells Prometheus, for every PostgreSQL table that uses soft
// delete, how much dead weight it carries. It is made of a flow that the folders
// show: inspect asks PostgreSQL and makes a Snapshot, cache keeps it, collector
// turns it into metrics, and server answers.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // zones are known also where the image has none

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

//go:embed config.yaml
var defaults []byte

// The exit codes beside 0.
const (
	exitFailure = 1 // it ran, and failed
	exitUsage   = 2 // flags, configuration or environment are wrong; nothing was started
)

func main() { os.Exit(untilSignal()) }

// untilSignal runs the program until it is told to end.
func untilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// flags are what the command line says.
type flags struct {
	configFile          string
	logLevel, logFormat string
	profiling           bool
	lifecycle           bool
	web                 *web.FlagConfig
	// faults is told of our own faults, by commands that have no log.
	faults log.Logger
}

// run carries out one command and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var f flags
	app := kingpin.New("softdelete_exporter", "Prometheus exporter for PostgreSQL tables that use soft delete. "+
		"The variable DATA_SOURCE_NAME is the server's connection string, DATA_SOURCE_NAME_FILE a file that holds it. "+
		"Or give address, user and password apart, without encoding: DATA_SOURCE_URI (host:5432/database), DATA_SOURCE_USER, DATA_SOURCE_PASS, "+
		"or files by DATA_SOURCE_URI_FILE, DATA_SOURCE_USER_FILE, DATA_SOURCE_PASS_FILE. "+
		"Without them, libpq's PGHOST, PGUSER and so on say where to connect.")
	app.UsageWriter(stdout)
	app.ErrorWriter(stderr)
	app.DefaultEnvars()
	app.HelpFlag.Short('h').NoEnvar()
	app.Version(version.Print("softdelete_exporter")).VersionFlag.NoEnvar()
	app.UsageTemplate(kingpin.LongHelpTemplate)
	// An exit inside the parser must not skip what run still has to do.
	exit := -1
	app.Terminate(func(code int) { exit = code })
	app.Flag("config.file", "Configuration file; without it the built-in defaults hold.").PlaceHolder("FILE").StringVar(&f.configFile)
	app.Flag("log.level", "Only log messages of this severity or above: debug, info, warn, error.").Default("info").EnumVar(&f.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of the log: logfmt or json.").Default("logfmt").EnumVar(&f.logFormat, "logfmt", "json")
	serveCommand := app.Command("serve", "Serve metrics over HTTP.").Default()
	f.web = kingpinflag.AddFlags(serveCommand, ":10862")
	serveCommand.Flag("web.enable-pprof", "Serve the Go profiler's pages below /debug/pprof/.").BoolVar(&f.profiling)
	serveCommand.Flag("web.enable-lifecycle", "Reload the configuration at a POST to /-/reload, too; SIGHUP always does.").BoolVar(&f.lifecycle)
	checkCommand := app.Command("check-config", "Check the configuration file and, with --connect, say table by table what is watched and why not.")
	grantsCommand := app.Command("grants", "Print the SQL for a role that may see the watched tables and nothing else.")
	role := grantsCommand.Flag("role", "Name of the role.").Default("softdelete_exporter").String()
	check := checkCommand.Flag("connect", "Also connect, and check tables, columns and grants.").Bool()

	reportCommand := app.Command("report", "Write one health report, and exit with 1 when it is bad, 2 when nothing could be judged.")
	var r reportFlags
	reportCommand.Flag("format", "Format of the report: text, json or html.").Default("text").EnumVar(&r.format, "text", "json", "html")
	reportCommand.Flag("fail-on", "The best health at which to exit with 1: fair, unknown or poor, in this order.").Default("poor").EnumVar(&r.failOn, "fair", "unknown", "poor")
	r.flags(reportCommand, "How long to wait until every table is counted; the rest is then unknown.")

	purgeCommand := app.Command("purge-script", "Print the script for psql that removes for good what is past retention: softdelete_exporter purge-script --all | psql -X. It is never run by us.")
	var p purgeFlags
	p.flags(purgeCommand, "How long to wait until every table is counted; for the rest no script is printed.")
	purgeCommand.Flag("all", "Print it for all watched tables.").BoolVar(&p.all)
	purgeCommand.Flag("rehearse", "Print the same script as a rehearsal: it carries every batch out, and rolls it back.").BoolVar(&p.rehearsal)
	purgeCommand.Flag("minutes", "After how many minutes each table's script stops, to be run again.").Default("60").IntVar(&p.minutes)
	purgeCommand.Flag("rest", "How long it rests after each batch, as a multiple of what the batch took.").Default("1").Float64Var(&p.rest)
	purgeCommand.Flag("accept-trigger", "Name of a trigger on DELETE that only records, and may run. May be repeated.").PlaceHolder("NAME").StringsVar(&p.accept)
	purgeCommand.Flag("go-along", "A table, as schema.table, without soft delete, whose rows may be removed with the rows that they reference: where its foreign key says ON DELETE CASCADE. May be repeated.").PlaceHolder("TABLE").StringsVar(&p.along)

	command, err := app.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(stderr, "softdelete_exporter: %s; try --help\n", softdelete.PrintableLines(conninfo.Redact(argumentFault(args, flagFault(app, args, err)))))
		return exitUsage
	}
	f.faults = level.NewFilter(log.With(newLogger(stderr, f.logFormat), "ts", log.DefaultTimestampUTC), level.AllowError())
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
	return exitCode(err, f.logFormat, stderr)
}

// flagFault says which flag, or variable in its place, has a wrong value, if that is what is wrong.
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

// argumentFault says what is wrong with the command line, without an argument that may be
// a connection string.
func argumentFault(args []string, err error) string {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") && strings.ContainsAny(arg, "@=:") && strings.Contains(err.Error(), arg) {
			return "an argument is none of the commands; a connection string belongs into DATA_SOURCE_NAME"
		}
	}
	return err.Error()
}

// usage is an error of flags, configuration or environment.
type usage struct{ error }

// exitCode says what failed and returns the exit code that goes with it. It speaks to a
// person, unless the log is written for a program.
func exitCode(err error, logFormat string, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case logFormat == "json":
		level.Error(log.With(newLogger(stderr, logFormat), "ts", log.DefaultTimestampUTC)).Log("msg", err)
	default:
		fmt.Fprintf(stderr, "softdelete_exporter: %s\n", softdelete.PrintableLines(conninfo.Redact(err.Error())))
	}
	if errors.As(err, new(usage)) {
		return exitUsage
	}
	return exitFailure
}
