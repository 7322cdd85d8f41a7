//go:build e2e

package monitoring

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/tools"
)

// within is the time limit for something that takes a moment on an idle machine.
const within = 2 * time.Minute

// program is a running program.
type program struct {
	cmd   *exec.Cmd
	ended chan struct{}
	log   exportertest.Output
}

// start runs a program, at most until the test ends. The program is ready when it answers at the URL. It gets only
// PATH and HOME of the environment.
func start(t testing.TB, ready string, env []string, name string, args ...string) *program {
	t.Helper()
	p := &program{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.cmd.Dir}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%v; scripts/tools.sh jsonnet e2e gets what is missing", err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // its exit status matters only if its log is shown
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s wrote:\n%s", filepath.Base(name), p.log.String())
		}
	})
	await(t, name+" to answer at "+ready, func() bool {
		select {
		case <-p.ended:
			t.Fatalf("%s ended:\n%s", name, p.log.String())
		default:
		}
		response, err := http.Get(ready)
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return p
}

// stop asks the program to end, and kills it if it does not.
func (p *program) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Errorf("%s does not end", p.cmd.Path)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// await waits until something is done.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// freeAddress is an address on which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	port, err := pgserver.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// find returns the programs of this name, in all installed versions.
func find(t testing.TB, name string) []string {
	t.Helper()
	found, err := tools.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// run returns the output of a program, which must succeed.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	var said strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, said.String())
	}
	return string(out)
}

// build compiles the exporter.
func build(t testing.TB) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "softdelete_exporter")
	run(t, "go", "build", "-o", binary, "../..")
	return binary
}

// get returns a page.
func get(t testing.TB, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", url, response.Status, err, body)
	}
	return string(body)
}

// read returns the text of a file.
func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes a text into a new file and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// edit replaces parts of an example with those that the test needs. Every part must exist, so that a changed example
// makes the test fail.
func edit(t testing.TB, text string, replacements ...string) string {
	t.Helper()
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(text, replacements[i]) {
			t.Fatalf("no %q in:\n%s", replacements[i], text)
		}
		text = strings.ReplaceAll(text, replacements[i], replacements[i+1])
	}
	return text
}
