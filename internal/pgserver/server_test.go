//go:build unix

package pgserver_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// startForParent makes this test program start a server, print its process id and wait until it is killed.
const startForParent = "PGSERVER_TEST_START_FOR_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(startForParent) != "" {
		s, err := pgserver.Start(context.Background(), pgserver.Options{})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(s.Port, s.DataDir)
		select {}
	}
	os.Exit(pgtest.Main(m))
}

func postgresDSN(s *pgserver.Server) string { return s.DSN("postgres", pgserver.Superuser) }

func accepts(s *pgserver.Server) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, postgresDSN(s))
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

func TestSharedServerGivesEachTestADatabaseOfItsOwn(t *testing.T) {
	s := pgtest.Shared(t)
	var first, second string
	t.Run("databases", func(t *testing.T) {
		first, second = pgtest.NewDatabase(t, s), pgtest.NewDatabase(t, s)
		pgtest.Exec(t, first,
			`CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); BEGIN; DELETE FROM t WHERE id = 1; COMMIT`)
		if n := pgtest.Value[int](t, first, `SELECT count(*) FROM t`); n != 1 {
			t.Errorf("rows in the first database: got %d, want 1", n)
		}
		if exists := pgtest.Value[bool](t, second, `SELECT to_regclass('t') IS NOT NULL`); exists {
			t.Error("the second database sees the first one's table")
		}
	})
	if n := pgtest.Value[int](t, postgresDSN(s),
		`SELECT count(*) FROM pg_database WHERE datname LIKE 'testshared%'`); n != 0 {
		t.Errorf("databases left after the test: %d", n)
	}
}

func TestMajorThatIsAskedForRuns(t *testing.T) {
	for _, major := range []int{14, 18} {
		t.Run(strconv.Itoa(major), func(t *testing.T) {
			s := pgtest.Start(t, pgserver.Options{Version: strconv.Itoa(major)})
			if got := pgtest.Value[int](t, postgresDSN(s),
				`SELECT current_setting('server_version_num')::int / 10000`); got != major || s.Major != major {
				t.Errorf("major: the server says %d, Server.Major %d, want %d", got, s.Major, major)
			}
			// The server finds the library and the time zones next to its programs.
			pgtest.Exec(t, postgresDSN(s), `CREATE EXTENSION pageinspect; SET timezone = 'Europe/Berlin'`)
		})
	}
}

func TestSettingsInitArgsAndLoggerReachTheServer(t *testing.T) {
	var log strings.Builder
	s, err := pgserver.Start(t.Context(), pgserver.Options{
		Settings: map[string]string{"cluster_name": "it's mine", "log_statement": "all"},
		InitArgs: []string{"--data-checksums"},
		Logger:   &log,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	for setting, want := range map[string]string{"cluster_name": "it's mine", "data_checksums": "on", "fsync": "off"} {
		if got := pgtest.Value[string](t, postgresDSN(s), `SELECT current_setting($1)`, setting); got != want {
			t.Errorf("%s: got %q, want %q", setting, got, want)
		}
	}
	pgtest.Exec(t, postgresDSN(s), `SELECT 'seen in the log'`)
	// The log comes through a pipe, which is read completely when the server has ended.
	if err := s.Halt(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.LogPath)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"Logger": log.String(), "LogPath": string(text)} {
		if !strings.Contains(got, "seen in the log") {
			t.Errorf("%s lacks the statement:\n%s", name, got)
		}
	}
}

func TestRestartKeepsPortAndData(t *testing.T) {
	s := pgtest.Start(t, pgserver.Options{})
	port := s.Port
	pgtest.Exec(t, postgresDSN(s), `CREATE TABLE t AS SELECT 1 AS id`)
	for name, end := range map[string]func() error{
		"halt": s.Halt,
		"kill": s.Kill,
	} {
		if err := end(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if accepts(s) {
			t.Errorf("%s: the server still accepts connections", name)
		}
		if err := s.Restart(t.Context()); err != nil {
			t.Fatalf("restart after %s: %v", name, err)
		}
		if n := pgtest.Value[int](t, postgresDSN(s), `SELECT count(*) FROM t`); n != 1 || s.Port != port {
			t.Errorf("after %s: %d rows on port %d, want 1 on %d", name, n, s.Port, port)
		}
	}
}

func TestKillIsACrash(t *testing.T) {
	s := pgtest.Start(t, pgserver.Options{})
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.LogPath)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "was not properly shut down") {
		t.Errorf("no recovery in the log:\n%s", text)
	}
}

func TestStopRemovesEverythingAndMayBeRepeated(t *testing.T) {
	s, err := pgserver.Start(t.Context(), pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{s.DataDir, s.LogPath} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	if accepts(s) {
		t.Error("a stopped server accepts connections")
	}
	if err := s.Restart(t.Context()); err == nil {
		t.Error("a stopped server was started again")
	}
}

func TestOtherRolesMustGiveTheirPassword(t *testing.T) {
	s := pgtest.Start(t, pgserver.Options{HBA: []string{"host all all 127.0.0.1/32 scram-sha-256"}})
	pgtest.Exec(t, postgresDSN(s), `CREATE ROLE monitor LOGIN PASSWORD 'right'`)
	for password, want := range map[string]bool{"right": true, "wrong": false} {
		u, err := url.Parse(s.DSN("postgres", "monitor"))
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("monitor", password)
		conn, err := pgx.Connect(t.Context(), u.String())
		if got := err == nil; got != want {
			t.Errorf("password %q lets the role in: %t, want %t (%v)", password, got, want, err)
		}
		if conn != nil {
			conn.Close(t.Context())
		}
	}
}

func TestAppendedRulesHoldAtOnceButNotForTheSuperuser(t *testing.T) {
	s := pgtest.Start(t, pgserver.Options{})
	pgtest.Exec(t, postgresDSN(s), `CREATE ROLE monitor LOGIN`)
	pgtest.Exec(t, s.DSN("postgres", "monitor"), `SELECT 1`)
	if err := s.AppendHBA(t.Context(), "host all all 127.0.0.1/32 reject"); err != nil {
		t.Fatal(err)
	}
	if conn, err := pgx.Connect(t.Context(), s.DSN("postgres", "monitor")); err == nil {
		conn.Close(t.Context())
		t.Error("a rejected role was let in")
	}
	pgtest.Exec(t, postgresDSN(s), `SELECT 1`)
}

func TestStandbyFollows(t *testing.T) {
	for _, version := range []string{"", "14"} {
		t.Run("version "+version, func(t *testing.T) {
			primary := pgtest.Start(t, pgserver.Options{Version: version})
			pgtest.Exec(t, postgresDSN(primary), `CREATE TABLE before AS SELECT 1 AS id`)
			standby := pgtest.Standby(t, primary, pgserver.Options{})
			if !pgtest.Value[bool](t, postgresDSN(standby), `SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM before)`) {
				t.Error("the standby is not in recovery")
			}
			pgtest.Exec(t, postgresDSN(primary), `CREATE TABLE after AS SELECT 1 AS id`)
			for deadline := time.Now().Add(time.Minute); !pgtest.Value[bool](t, postgresDSN(standby),
				`SELECT to_regclass('after') IS NOT NULL`); {
				if time.Now().After(deadline) {
					t.Fatal("the standby does not follow")
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

func TestFailedStartShowsWhatPostgresSaid(t *testing.T) {
	_, err := pgserver.Start(t.Context(), pgserver.Options{Settings: map[string]string{"shared_buffers": "a lot"}})
	if err == nil || !strings.Contains(err.Error(), `invalid value for parameter "shared_buffers"`) {
		t.Errorf("got %v", err)
	}
	_, err = pgserver.Start(t.Context(), pgserver.Options{InitArgs: []string{"--no-such-option"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("got %v", err)
	}
}

func TestServerDiesWithAKilledParentAndItsFilesAreSwept(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), startForParent+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var s pgserver.Server
	_, scanErr := fmt.Fscan(out, &s.Port, &s.DataDir)
	running := scanErr == nil && accepts(&s)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if !running {
		t.Fatalf("the child's server does not run: %v", scanErr)
	}
	for deadline := time.Now().Add(time.Minute); accepts(&s); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server outlived the process that started it")
		}
	}

	base := filepath.Dir(s.DataDir)
	living := pgtest.Start(t, pgserver.Options{})
	if _, err := os.Stat(base); err != nil {
		t.Errorf("files that are new were swept: %v", err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	for _, log := range []string{filepath.Join(base, "server.log"), living.LogPath} {
		if err := os.Chtimes(log, hourAgo, hourAgo); err != nil {
			t.Fatal(err)
		}
	}
	pgtest.Start(t, pgserver.Options{})
	if _, err := os.Stat(base); !os.IsNotExist(err) {
		t.Errorf("the killed process's files are still there: %v", err)
	}
	if _, err := os.Stat(living.LogPath); err != nil {
		t.Errorf("a living server's files were swept: %v", err)
	}
}
