package bench

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/internal/exportertest"
)

// program is a running program.
type program struct {
	url     string
	command *exec.Cmd
	output  exportertest.Output
}

// build makes a stripped exporter from a directory with its source.
func build(b *testing.B, source string) (binary string) {
	b.Helper()
	binary = filepath.Join(b.TempDir(), "softdelete_exporter")
	command := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	command.Dir, command.Env = source, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// launch starts a program and waits until it listens.
func launch(b *testing.B, binary string, args func(address string) []string, env ...string) *program {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // the program will use its port
	p := &program{url: "http://" + address, command: exec.Command(binary, args(address)...)}
	p.command.Env = append(os.Environ(), env...)
	p.command.Stdout, p.command.Stderr = &p.output, &p.output
	if err := p.command.Start(); err != nil {
		b.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return p
		}
		if time.Now().After(deadline) {
			p.end()
			b.Fatalf("%s does not listen:\n%s", binary, p.output.String())
		}
	}
}

// end kills the program.
func (p *program) end() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// memory returns a line of the process's status in bytes, such as VmRSS.
func (p *program) memory(b *testing.B, line string) int64 {
	b.Helper()
	for text := range strings.Lines(p.proc(b, "status")) {
		if rest, found := strings.CutPrefix(text, line+":"); found {
			kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kB << 10
		}
	}
	b.Fatalf("no %s", line)
	return 0
}

// cpu returns how much processor time the process has used.
func (p *program) cpu(b *testing.B) time.Duration {
	b.Helper()
	text := p.proc(b, "stat")
	fields := strings.Fields(text[strings.LastIndex(text, ")"):]) // the name may have spaces
	var ticks int64
	for _, f := range fields[12:14] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func (p *program) proc(b *testing.B, file string) string {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.command.Process.Pid, file))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
