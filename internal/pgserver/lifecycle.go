//go:build unix

package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startLimit = time.Minute
	// A fast shutdown disconnects everybody and writes a checkpoint.
	haltLimit = 15 * time.Second
	// PostgreSQL itself kills its children 5 s after an immediate shutdown.
	killLimit = 10 * time.Second
)

// errPortTaken is the error if another process has taken the port meanwhile.
var errPortTaken = errors.New("port is taken")

// process is one run of the postmaster.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // valid once done is closed
}

// begin starts cmd. The kernel sends the death signal when the *thread* that forked ends, so the fork happens on a
// thread that waits for the child.
func begin(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// command prepares one of PostgreSQL's programs: it runs as the server's account, in a directory that this account
// can enter, and without the caller's PG* variables.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.Bin(name), args...)
	cmd.Dir = s.base
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.base, "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = sysProcAttr(s.account)
	// Wait must not wait for pipes that orphaned children hold open.
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// run runs one of PostgreSQL's programs to its end. The error contains its output.
func (s *Server) run(ctx context.Context, name string, args ...string) error {
	var out strings.Builder
	cmd := s.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := begin(cmd)
	if err != nil {
		return fmt.Errorf("start %s%s: %w", cmd.Path, s.account.describe(), err)
	}
	<-p.done
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Path, p.err, out.String())
	}
	return nil
}

// launchOnFreePort starts the server on a free port.
func (s *Server) launchOnFreePort(ctx context.Context) (err error) {
	for range 5 {
		if s.Port, err = FreePort(); err != nil {
			return err
		}
		if err = s.launch(ctx); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// FreePort returns a port of 127.0.0.1 on which nobody listens. It is below the range that systems use for outgoing
// connections, so none of these can take it while the server is down.
func FreePort() (int, error) {
	var err error
	for range 50 {
		port := 15000 + rand.IntN(15000)
		var l net.Listener
		if l, err = net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("free port on 127.0.0.1: %w", err)
}

// launch starts the postmaster and waits until it accepts connections.
func (s *Server) launch(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("this PostgreSQL server was stopped and its files are gone: start another one")
	}
	cmd := s.command(context.Background(), "postgres", "-D", s.DataDir, "-p", strconv.Itoa(s.Port))
	cmd.Stderr = s.log
	if s.logger != nil {
		cmd.Stderr = io.MultiWriter(s.log, s.logger)
	}
	written, err := s.log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	p, err := begin(cmd)
	if err != nil {
		return fmt.Errorf("start %s%s: %w", cmd.Path, s.account.describe(), err)
	}
	s.proc = p
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for !s.accepts(p.cmd.Process.Pid) {
		select {
		case <-ctx.Done():
			err := fmt.Errorf("PostgreSQL in %s is not ready: %w\n%s", s.DataDir, context.Cause(ctx), s.logSince(written))
			return errors.Join(err, s.end(syscall.SIGQUIT, killLimit))
		case <-p.done:
			s.proc = nil
			said := s.logSince(written)
			if strings.Contains(said, "could not bind") {
				return fmt.Errorf("%w: %d\n%s", errPortTaken, s.Port, said)
			}
			return fmt.Errorf("PostgreSQL in %s ended at once: %w\n%s", s.DataDir, p.err, said)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// accepts reads the eighth line of postmaster.pid, in which the postmaster writes its state. This works without a
// connection, and so despite authentication rules and connection limits.
func (s *Server) accepts(pid int) bool {
	text, err := s.files.ReadFile("postmaster.pid")
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) > 7 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

func (s *Server) logSince(offset int64) string {
	text, err := os.ReadFile(s.LogPath)
	if err != nil || int64(len(text)) < offset {
		return ""
	}
	return string(text[offset:])
}

// end sends the postmaster a signal, if it runs, and waits for its end. If that takes too long, it kills it. The
// caller holds mu.
func (s *Server) end(sig os.Signal, limit time.Duration) error {
	p := s.proc
	if p == nil {
		return nil
	}
	s.proc = nil
	for _, step := range []struct {
		sig   os.Signal
		limit time.Duration
	}{{sig, limit}, {syscall.SIGQUIT, killLimit}, {os.Kill, killLimit}} {
		// An error means that it has ended already.
		_ = p.cmd.Process.Signal(step.sig)
		select {
		case <-p.done:
			return nil
		case <-time.After(step.limit):
		}
	}
	return fmt.Errorf("PostgreSQL (process %d) does not end, not even when killed", p.cmd.Process.Pid)
}

// Halt shuts the server down cleanly and keeps its data for a Restart.
func (s *Server) Halt() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(os.Interrupt, haltLimit)
}

// Kill makes the server crash: sessions are cut, nothing is saved, and the next Restart has to recover. The data
// stays.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(syscall.SIGQUIT, killLimit)
}

// Restart starts the server again on its port, after a Halt if it still runs.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Halt(); err != nil {
		return err
	}
	return s.launch(ctx)
}
