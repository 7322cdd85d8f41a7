//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
)

// module is the exporter's main package.
const module = "github.com/softdelete-exporter/softdelete_exporter"

// command prepares a program that shuts down cleanly when the context ends. It runs in a process group of its
// own, so that Ctrl-C reaches only the demo.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 8 * time.Second // then it is killed
	return cmd
}

// build compiles the exporter into dir and returns the binary's path.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "softdelete_exporter")
	if out, err := command(ctx, "go", "build", "-o", binary, module).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the exporter (the demo runs inside its source tree): %w\n%s", err, out)
	}
	return binary, nil
}

// freeAddress returns the address or, if another program uses it, an address with a free port on the same host;
// taken then is true.
func freeAddress(address string) (free string, taken bool, err error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		taken = true
		host, _, _ := net.SplitHostPort(address) // valid: net.Listen accepted it
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return "", taken, fmt.Errorf("address of the exporter: %w", err)
	}
	return l.Addr().String(), taken, l.Close()
}

// exporter is the running exporter.
type exporter struct {
	// url is the address of its pages, without a slash at the end.
	url string
	// ended is closed when the exporter has ended; err then says why.
	ended chan struct{}
	err   error
}

// startExporter runs the binary on the database until the context ends, and returns when it has answered. Its
// log goes to the given writer.
func startExporter(ctx context.Context, binary, address, dsn string, log io.Writer) (*exporter, error) {
	config := filepath.Join(filepath.Dir(binary), "config.yaml")
	if err := os.WriteFile(config, data.Config, 0o600); err != nil {
		return nil, err
	}
	cmd := command(ctx, binary, "--config.file="+config, "--web.listen-address="+address, "--log.level=warn")
	// Not the caller's DATA_SOURCE_NAME, PG* and variables of the exporter's flags.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DATA_SOURCE_NAME=" + dsn}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the exporter: %w", err)
	}
	e := &exporter{url: "http://" + reachable(address), ended: make(chan struct{})}
	go func() {
		defer close(e.ended)
		e.err = cmd.Wait()
	}()
	for !answers(ctx, e.url+"/-/ready") {
		select {
		case <-e.ended:
			return nil, e.endedItself()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return e, nil
}

// endedItself returns the error of an exporter that ended without being stopped.
func (e *exporter) endedItself() error {
	return errors.Join(errors.New("the exporter ended by itself"), e.err)
}

// reachable returns the address in a form that a browser can use.
func reachable(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && net.ParseIP(host).IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}
