//go:build unix

package pgserver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// defaults make a server fast and small. synchronous_commit stays on: without fsync it costs next to nothing, and
// committed data survives a Kill.
var defaults = map[string]string{
	"listen_addresses":        "127.0.0.1",
	"unix_socket_directories": "",
	"fsync":                   "off",
	"full_page_writes":        "off",
	"shared_buffers":          "32MB",
	"max_connections":         "50",
	"wal_keep_size":           "128MB", // a standby finds its WAL without a slot
	"timezone":                "UTC",
	"log_timezone":            "UTC",
}

// configure writes both configuration files. Settings that came with the data directory stay, unless given here.
func (s *Server) configure(settings map[string]string) error {
	all := maps.Clone(defaults)
	maps.Copy(all, settings)
	text, err := s.files.ReadFile("postgresql.conf")
	if err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	var b strings.Builder
	b.Write(text)
	b.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(all[name], "'", "''"))
	}
	if err := s.files.WriteFile("postgresql.conf", []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("configure PostgreSQL: %w", err)
	}
	return s.writeHBA()
}

// writeHBA puts the rule for the superuser first, so that a test's own rules cannot lock out its preparations.
func (s *Server) writeHBA() error {
	lines := slices.Concat(
		[]string{"host all " + Superuser + " 127.0.0.1/32 trust", "host replication " + Superuser + " 127.0.0.1/32 trust"},
		s.hba,
		[]string{"host all all 127.0.0.1/32 trust", ""})
	if err := s.files.WriteFile("pg_hba.conf", []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		return fmt.Errorf("authentication rules of PostgreSQL: %w", err)
	}
	return nil
}

// AppendHBA adds lines to those of Options.HBA and reloads.
func (s *Server) AppendHBA(ctx context.Context, lines ...string) error {
	s.mu.Lock()
	s.hba = slices.Concat(s.hba, lines)
	err := s.writeHBA()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.Reload(ctx)
}

// Reload makes the server read its configuration again. It returns when new connections use the new one.
func (s *Server) Reload(ctx context.Context) error {
	before, err := s.loadTime(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	p := s.proc
	s.mu.Unlock()
	if p == nil {
		return errors.New("reload of PostgreSQL: it is not running")
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return fmt.Errorf("reload of PostgreSQL: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		now, err := s.loadTime(ctx)
		if err != nil {
			return err
		}
		if now.After(before) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// loadTime returns when the postmaster last read its configuration; a new session inherits that time.
func (s *Server) loadTime(ctx context.Context) (t time.Time, err error) {
	conn, err := pgx.Connect(ctx, s.DSN("postgres", Superuser))
	if err != nil {
		return t, err
	}
	err = conn.QueryRow(ctx, "SELECT pg_conf_load_time()").Scan(&t)
	return t, errors.Join(err, conn.Close(ctx))
}
