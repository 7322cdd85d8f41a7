package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/version"
	"golang.org/x/term"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/inspect"
	health "github.com/softdelete-exporter/softdelete_exporter/report"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// reportFlags are the flags of the report command.
type reportFlags struct {
	chosen
	format, failOn, sort string
	full                 bool
}

// chosen says which tables a command looks at, and for how long.
type chosen struct {
	database, table, service string
	timeout                  time.Duration
}

// writeReport refreshes until every table is counted or the time is over, and prints the report. It returns an
// error if the health is as bad as --fail-on.
func writeReport(ctx context.Context, f flags, r reportFlags, stdout, stderr io.Writer) error {
	l, c, err := r.look(ctx, f, stderr)
	if err != nil {
		return err
	}
	defer l.inspector.Close()

	a := assess.Assess(l.pings, l.snapshot.Load(), c.Thresholds, c.Alerts, time.Now())
	rescue.Log(f.faults, errors.Join(a.Faults...))
	if r.table+r.service != "" && a.NothingWatched() {
		return usage{fmt.Errorf(
			"no watched table matches%s; write a table as schema.table; check-config --connect lists the tables", r.asked())}
	}
	shown := health.Report{Assessment: a, Version: version.Version, ConnectionOnly: !c.Monitoring, Sort: r.sort}
	switch r.format {
	case "json":
		err = health.JSON(stdout, shown)
	case "html":
		err = health.HTML(stdout, shown, nil)
	case "csv":
		err = health.CSV(stdout, shown)
	default:
		err = health.Text(stdout, shown, r.screen(stdout))
	}
	return errors.Join(err, outcome(a, r.failOn))
}

// screen returns what the text is written for.
func (r reportFlags) screen(stdout io.Writer) health.Screen {
	s := health.Page
	if file, ok := stdout.(*os.File); ok && isTerminal(stdout) {
		s.Colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 0 {
			s.Width, s.Height = width, height-1 // the prompt needs a line
		}
	}
	if r.full {
		s.Height = 0
	}
	return s
}

// look refreshes until the chosen tables are counted.
func (r chosen) look(ctx context.Context, f flags, stderr io.Writer) (*look, *config.Config, error) {
	if r.timeout <= 0 {
		return nil, nil, usage{fmt.Errorf("--timeout: must be more than 0, not %s", r.timeout)}
	}
	c, err := config.Load(defaults, f.configFile)
	if err != nil {
		return nil, nil, usage{err}
	}
	if c, err = c.Narrow(r.database, r.table, r.service); err != nil {
		return nil, nil, usage{fmt.Errorf("--table: %w", err)}
	}
	inspector, datname, err := inspectorOnce(f, c)
	if err != nil {
		return nil, nil, usage{err}
	}
	l := &look{inspector: inspector}
	l.snapshot.Store(softdelete.Empty(datname))
	if !c.Monitoring {
		l.snapshot.Store(&softdelete.Snapshot{})
	}
	arrived := func() {}
	if isTerminal(stderr) {
		arrived = l.progress(stderr)
	}
	limited, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	l.run(limited, c.Monitoring)
	arrived()
	if ctx.Err() != nil {
		l.inspector.Close()
		return nil, nil, errInterrupted
	}
	return l, c, nil
}

// asked returns the flags that select tables.
func (r chosen) asked() string {
	text := ""
	for _, flag := range [][2]string{{"database", r.database}, {"table", r.table}, {"service", r.service}} {
		if flag[1] != "" {
			text += fmt.Sprintf(" --%s=%q", flag[0], flag[1])
		}
	}
	return text
}

// outcome returns the error that decides the exit code.
func outcome(a *assess.Assessment, failOn string) error {
	var limit softdelete.Health
	if err := limit.UnmarshalText([]byte(failOn)); err != nil {
		return usage{fmt.Errorf("--fail-on: %w", err)}
	}
	switch {
	case !a.Connection.Ping.Up:
		return errors.New("cannot connect to the database")
	case a.Health == softdelete.Unknown && a.NothingWatched():
		return usage{errors.New("nothing is watched")}
	case a.Health == softdelete.Unknown && a.Count()[softdelete.Unknown] == len(a.Tables):
		return usage{errors.New("no table has a verdict")}
	case a.Health >= limit:
		return fmt.Errorf("the health is %s, and --fail-on=%s does not accept that", a.Health, limit)
	default:
		return nil
	}
}

// look runs as many refreshes as needed to count all tables.
type look struct {
	inspector *inspect.Inspector
	pings     []softdelete.Ping
	snapshot  atomic.Pointer[softdelete.Snapshot]
}

// run refreshes until no table waits to be counted.
func (l *look) run(ctx context.Context, monitoring bool) {
	for waiting := -1; ; {
		ping := l.inspector.Ping(ctx)
		l.pings = append(l.pings, ping)
		if !ping.Up || !monitoring {
			return
		}
		l.inspector.Refresh(ctx, l.snapshot.Load(), func(s *softdelete.Snapshot) { l.snapshot.Store(s) })
		before := waiting
		if _, waiting = l.tables(); waiting == 0 || ctx.Err() != nil {
			return
		}
		if waiting == before { // the cause may be temporary
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
		}
	}
}

// tables returns the number of known tables, and how many of them wait to be counted.
func (l *look) tables() (known, waiting int) {
	for _, d := range l.snapshot.Load().Databases {
		known += len(d.Tables)
		for i := range d.Tables {
			if d.Tables[i].State() == softdelete.Pending {
				waiting++
			}
		}
	}
	return known, waiting
}

// progress updates a line on a terminal until the function that it returns is called, which removes the line.
func (l *look) progress(w io.Writer) (done func()) {
	began, stop, stopped := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		// A fault here costs only the line, not the report.
		_ = rescue.Catch(func() error {
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					known, waiting := l.tables()
					fmt.Fprintf(w, "\r%s of %s tables, %s ", softdelete.Thousands(float64(known-waiting)),
						softdelete.Thousands(float64(known)), time.Since(began).Round(time.Second))
				case <-stop:
					fmt.Fprint(w, "\r"+strings.Repeat(" ", 60)+"\r")
					return nil
				}
			}
		})
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// isTerminal reports whether the output is a terminal.
func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
