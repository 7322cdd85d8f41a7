//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
)

// bound is how long a demo with so little data may take, from start to end.
const bound = 3 * time.Minute

// There are two ways to end a program that go run has started. Ctrl-C reaches all processes of the terminal. A
// SIGTERM reaches only go run, which does not pass it on. A program that was built, as by make demo, gets both
// directly, and must not call either of them a failure.
func TestDemoServesAndLeavesNothingBehind(t *testing.T) {
	// Compile now, so that it takes no time later.
	built := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.Command("go", "build", "-o", built, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command("go", "build", "-o", os.DevNull, module).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctrlC := func(pid int) error { return syscall.Kill(-pid, syscall.SIGINT) }
	sigterm := func(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }
	for name, test := range map[string]struct {
		program []string
		end     func(pid int) error
		exits0  bool // go run does not exit with 0
	}{
		"Ctrl-C of go run":  {[]string{"go", "run", "."}, ctrlC, false},
		"SIGTERM of go run": {[]string{"go", "run", "."}, sigterm, false},
		"Ctrl-C":            {[]string{built}, ctrlC, true},
		"SIGTERM":           {[]string{built}, sigterm, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if exit := testDemo(t, test.program, test.end); exit != nil && test.exits0 {
				t.Errorf("it ends with %v", exit)
			}
		})
	}
}

// testDemo returns how the program ended.
func testDemo(t *testing.T, program []string, end func(pid int) error) (exit error) {
	t.Helper()
	temp := tempDir(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	demo := exec.Command(program[0], append(program[1:], "-scale=0.01", "-listen="+taken.Addr().String())...)
	demo.Env = append(os.Environ(), "TMPDIR="+temp)
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // like a terminal's shell
	said := &exportertest.Output{}
	demo.Stdout, demo.Stderr = said, said
	// Wait returns when no process can write to us any more.
	demo.WaitDelay = bound
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		exit = demo.Wait()
	}()
	fail := func(format string, args ...any) {
		t.Helper()
		_ = syscall.Kill(-demo.Process.Pid, syscall.SIGTERM) // it may have ended
		select {
		case <-ended:
		case <-time.After(10 * time.Second): // then the cleanup kills it
		}
		t.Fatalf(format+"\n%s", append(args, said)...)
	}
	deadline := time.Now().Add(bound)
	for !strings.Contains(said.String(), "Ctrl-C stops") {
		select {
		case <-ended:
			t.Fatalf("it ended by itself: %v\n%s", exit, said)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			fail("it is not ready")
		}
	}

	metrics, database := printed(t, said, `(http://\S+/metrics)\n`), printed(t, said, `psql '(\S+)'`)
	if metrics.Host == taken.Addr().String() {
		fail("it says that the exporter listens on a port that is taken")
	}
	page, err := scrape(metrics.String())
	if err != nil {
		fail("%v", err)
	}
	for _, want := range []string{"\ndb_up 1\n",
		`softdelete_deleted_rows{datname="shop",relname="carts",schemaname="public"}`} {
		if !strings.Contains(page, want) {
			fail("/metrics does not show %q:\n%s\n", want, page)
		}
	}
	if err := end(demo.Process.Pid); err != nil {
		fail("%v", err)
	}
	select {
	case <-ended:
	case <-time.After(time.Until(deadline)):
		fail("it does not end")
	}
	if !strings.Contains(said.String(), "Stopped.") {
		t.Errorf("it did not end in good order:\n%s", said)
	}
	for _, host := range []string{metrics.Host, database.Host} {
		if conn, err := net.Dial("tcp", host); err == nil {
			conn.Close()
			t.Errorf("somebody still listens on %s", host)
		}
	}
	left, err := filepath.Glob(filepath.Join(temp, "softdelete_exporter*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	for _, line := range processesOf(temp) {
		t.Errorf("still running: %s", line)
	}
	return exit
}

// tempDir returns a directory for temporary files that the server's account can enter, unlike t.TempDir.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "demo-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What a failed demo leaves behind must not disturb the next test.
		for pid := range processesOf(dir) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		os.RemoveAll(dir)
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// printed returns the URL in the demo's output that the group of the pattern matches.
func printed(t *testing.T, said *exportertest.Output, pattern string) *url.URL {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(said.String())
	if found == nil {
		t.Errorf("it does not say %s:\n%s", pattern, said)
		return &url.URL{}
	}
	u, err := url.Parse(found[1])
	if err != nil {
		t.Error(err)
		return &url.URL{}
	}
	return u
}

func scrape(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", response.Status)
	}
	return string(page), err
}

// processesOf returns the processes whose command line contains the directory, with their command lines. It needs
// /proc; on other systems the test only checks that the ports are free.
func processesOf(dir string) map[int]string {
	found := map[int]string{}
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte(dir)) {
			continue // it has ended, or belongs to another user
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			found[pid] = string(bytes.ReplaceAll(line, []byte{0}, []byte(" ")))
		}
	}
	return found
}
