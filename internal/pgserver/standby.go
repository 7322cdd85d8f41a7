//go:build unix

package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Standby starts a streaming standby of the server with the same programs. Stop it like any other server. It copies
// the data directory itself, because the programs from npm lack pg_basebackup.
func (s *Server) Standby(ctx context.Context, o Options) (*Server, error) {
	o.Settings = withDefault(o.Settings, "primary_conninfo",
		fmt.Sprintf("host=127.0.0.1 port=%d user=%s", s.Port, Superuser))
	return start(ctx, installation{dir: s.bin, major: s.Major}, o, func(standby *Server) error {
		if err := os.Mkdir(standby.DataDir, 0o700); err != nil {
			return err
		}
		if err := standby.openFiles(); err != nil {
			return err
		}
		if err := s.backup(ctx, standby); err != nil {
			return fmt.Errorf("base backup for a standby: %w", err)
		}
		return standby.account.ownAll(standby.DataDir)
	})
}

func withDefault(settings map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for k, v := range settings {
		all[k] = v
	}
	return all
}

// backup copies the data directory between calls of the two functions that make such a copy consistent. Both must be
// called in one session.
func (s *Server) backup(ctx context.Context, to *Server) error {
	begin, end := "SELECT pg_backup_start('standby', fast => true)", "SELECT labelfile FROM "+
		"pg_backup_stop(wait_for_archive => false)"
	if s.Major < 15 {
		begin, end = "SELECT pg_start_backup('standby', fast => true, exclusive => false)", "SELECT labelfile FROM "+
			"pg_stop_backup(exclusive => false, wait_for_archive => false)"
	}
	conn, err := pgx.Connect(ctx, s.DSN("postgres", Superuser))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, begin); err != nil {
		return err
	}
	if err := copyDir(s.files, to.files); err != nil {
		return err
	}
	var label string
	if err := conn.QueryRow(ctx, end).Scan(&label); err != nil {
		return err
	}
	return errors.Join(
		to.files.WriteFile("backup_label", []byte(label), 0o600),
		to.files.WriteFile("standby.signal", nil, 0o600))
}

// A copy leaves these directories and files out, as PostgreSQL's manual says about base backups: the standby streams
// its WAL, and creates the rest again.
var (
	emptied = []string{"pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp",
		"pg_subtrans", "pg_wal"}
	left = []string{"postmaster.pid", "postmaster.opts"}
)

// copyDir copies a live data directory. It ignores files that vanish meanwhile.
func copyDir(from, to *os.Root) error {
	return fs.WalkDir(from.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && slices.Contains(left, path):
			return nil
		case err != nil:
			return err
		case path == ".":
			return nil
		case d.IsDir():
			return to.Mkdir(path, 0o700)
		case slices.Contains(emptied, filepath.Dir(path)):
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s: a tablespace or a link cannot be copied", path)
		}
		if err := copyFile(from, to, path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func copyFile(from, to *os.Root, path string) error {
	in, err := from.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// ownAll gives a directory and everything in it to the account.
func (a *account) ownAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return a.own(path)
	})
}
