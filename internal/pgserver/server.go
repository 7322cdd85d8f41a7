//go:build unix

// Package pgserver starts temporary PostgreSQL servers on 127.0.0.1, for tests and for the demo.
//
// It uses the programs on PATH, or else the newest that Debian, Red Hat or Homebrew installed, or else a pinned npm
// package in the user's cache directory. PostgreSQL does not run as root, so for root the server runs as nobody. A
// server ends with the process that started it (on Linux even if that process is killed), and Stop removes all its
// files.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// Superuser is the role that owns every server; it needs no password.
const Superuser = "postgres"

// Options are the differences from a default server. The zero value is a good choice.
type Options struct {
	// Version asks for a major version, "14" to "18"; empty takes what is installed.
	Version string
	// Settings are lines of postgresql.conf; they override the package's own.
	Settings map[string]string
	// HBA are lines of pg_hba.conf. They come after those for Superuser and before the one that trusts everybody.
	HBA []string
	// InitArgs are additional arguments of initdb.
	InitArgs []string
	// Logger gets the server's log, in addition to the file LogPath.
	Logger io.Writer
}

// Server is one PostgreSQL server. Its methods can be called from several goroutines.
type Server struct {
	// Port is where it listens on 127.0.0.1. It stays the same after a Restart.
	Port int
	// Major is the major version of PostgreSQL, such as 15.
	Major int
	// DataDir is the server's data directory.
	DataDir string
	// LogPath is the file with the server's log.
	LogPath string

	base    string // holds DataDir and the log; removed by Stop
	bin     string
	account *account
	files   *os.Root // DataDir, opened so that a symbolic link cannot lead elsewhere
	log     *os.File
	logger  io.Writer

	mu      sync.Mutex
	hba     []string
	proc    *process
	stopped bool
}

// Start creates a database cluster and starts a server on it. It returns when the server accepts connections; ctx
// limits the start, not the server's life.
func Start(ctx context.Context, o Options) (*Server, error) {
	i, err := find(ctx, o.Version)
	if err != nil {
		return nil, err
	}
	return start(ctx, i, o, func(s *Server) error {
		args := append([]string{"-D", s.DataDir, "-U", Superuser, "--auth=trust", "--encoding=UTF8", "--no-locale",
			"--no-sync"}, o.InitArgs...)
		if err := s.run(ctx, "initdb", args...); err != nil {
			return err
		}
		return s.openFiles()
	})
}

// start makes a server whose data directory is created by fill.
func start(ctx context.Context, i installation, o Options, fill func(*Server) error) (_ *Server, err error) {
	s := &Server{Major: i.major, bin: i.dir, hba: o.HBA, logger: o.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.account, err = serverAccount(); err != nil {
		return nil, err
	}
	sweep(tempDir())
	if s.base, err = os.MkdirTemp(tempDir(), dirPattern); err != nil {
		return nil, fmt.Errorf("directory for a PostgreSQL server: %w", err)
	}
	if err := s.account.own(s.base); err != nil {
		return nil, err
	}
	s.DataDir = filepath.Join(s.base, "data")
	s.LogPath = filepath.Join(s.base, logName)
	if s.log, err = os.OpenFile(s.LogPath, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, fmt.Errorf("log of a PostgreSQL server: %w", err)
	}
	if err := syscall.Flock(int(s.log.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock the log of a PostgreSQL server: %w", err)
	}
	if err := fill(s); err != nil {
		return nil, err
	}
	if err := s.configure(o.Settings); err != nil {
		return nil, err
	}
	return s, s.launchOnFreePort(ctx)
}

func (s *Server) openFiles() (err error) {
	if s.files, err = os.OpenRoot(s.DataDir); err != nil {
		return fmt.Errorf("data directory of PostgreSQL: %w", err)
	}
	return nil
}

// DSN returns the URL of a database of this server, for a role without a password.
func (s *Server) DSN(dbname, user string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(user),
		Host:     "127.0.0.1:" + strconv.Itoa(s.Port),
		Path:     "/" + dbname,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Bin returns the path of one of the server's programs, such as "postgres". Not every installation has all of them:
// those from npm have only postgres, initdb and pg_ctl.
func (s *Server) Bin(name string) string { return filepath.Join(s.bin, name) }

// Stop ends the server and removes its files. A second call has no effect.
func (s *Server) Stop() error {
	err := s.Halt()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	if s.files != nil {
		err = errors.Join(err, s.files.Close())
	}
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	if s.base != "" {
		err = errors.Join(err, os.RemoveAll(s.base))
	}
	return err
}
