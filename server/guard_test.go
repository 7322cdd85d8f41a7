package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// pipes is a listener without a network, with a fake clock.
type pipes struct {
	conns chan net.Conn
	// tls is nil without TLS.
	tls *tls.Config
	// open counts the connections that the server has not closed.
	open atomic.Int64
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	if p.tls != nil {
		conn = tls.Server(conn, p.tls)
	}
	return conn, nil
}

func (p *pipes) Close() error { close(p.conns); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// connect opens a connection and sends text on it.
func (p *pipes) connect(t *testing.T, text string) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	p.conns <- server
	if _, err := io.WriteString(client, text); err != nil {
		t.Error(err)
	}
	return client
}

// listening runs a test against an exporter whose first refresh takes the given time.
func listening(t *testing.T, refresh time.Duration, test func(t *testing.T, p *pipes)) {
	t.Helper()
	loaded := configtest.Load(t, "")
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{
			Settings: NewSettings(loaded), Source: func() (*conninfo.Info, error) { return new(conninfo.Info), nil },
			Datname: "shop",
			Process: prometheus.NewRegistry(), Logger: log.NewNopLogger(), Profiling: true,
			Connect: func(string, func() (*conninfo.Info, error)) cache.Open {
				return func(*softdelete.Costs) cache.Source {
					return cache.Source{
						Ping: func(context.Context) softdelete.Ping { return softdelete.Ping{At: time.Now(), Up: true} },
						Refresh: func(_ context.Context, _ *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
							began := time.Now()
							time.Sleep(refresh)
							publish(&softdelete.Snapshot{Taken: began, Databases: []softdelete.Database{{Name: "counted"}}})
						},
						Close: func() {},
					}
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		p := &pipes{conns: make(chan net.Conn)}
		web := s.HTTP(nil)
		web.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				p.open.Add(1)
			case http.StateClosed:
				p.open.Add(-1)
			}
		}
		ended := make(chan error)
		go func() { ended <- web.Serve(p) }()
		test(t, p)
		if err := web.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		s.Close()
	})
}

const (
	head    = " HTTP/1.1\r\nHost: exporter\r\n"
	request = "GET /metrics" + head + "\r\n"
)

func TestWhoIsSlowHoldsNoConnectionForLong(t *testing.T) {
	const clients = 20
	for _, test := range []struct {
		name, text string
		read       bool
		within     time.Duration
	}{
		{"nothing", "", false, headTimeout},
		{"half a head", "GET /metrics" + head, false, headTimeout},
		{"a body that does not come", "POST /-/reload" + head + "Content-Length: 9\r\n\r\n", true, requestTimeout},
		{"a body of a page that wants none", "GET /report" + head + "Content-Length: 100000\r\n\r\n", true, requestTimeout},
		{"chunks", "GET /metrics" + head + "Transfer-Encoding: chunked\r\n\r\n1\r\n", true, requestTimeout},
		{"an answer that is not read", request, false, 10*time.Second + answerTimeout},
		{"an answer that is not read, of a patient scrape",
			"GET /metrics" + head + "X-Prometheus-Scrape-Timeout-Seconds: 1e300\r\n\r\n", false, longestScrape + answerTimeout},
		{"an error that is not read", "GET /nope" + head + "\r\n", false, answerTimeout},
		{"an idle connection", request, true, idleTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			listening(t, 0, func(t *testing.T, p *pipes) {
				for range clients {
					client := p.connect(t, test.text)
					defer client.Close()
					if test.read {
						go func() { _, _ = io.Copy(io.Discard, client) }() // until the server closes it
					}
				}
				synctest.Wait()
				if open := p.open.Load(); open != clients {
					t.Errorf("%d connections at first, want %d", open, clients)
				}
				time.Sleep(test.within - time.Millisecond)
				synctest.Wait()
				if open := p.open.Load(); open != clients {
					t.Errorf("%d connections shortly before the time is over, want %d", open, clients)
				}
				time.Sleep(time.Second) // the server waits before it closes, so that its answer arrives
				synctest.Wait()
				if open := p.open.Load(); open != 0 {
					t.Errorf("%d connections after %s", open, test.within)
				}
			})
		})
	}
}

// HTTP/2 has timeouts of its own, which are not those of http.Server.
func TestWhoDoesNotReadHTTP2HoldsNoConnectionForLong(t *testing.T) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // and no settings
	// GET https / in HPACK's static table, and the authority x.
	const get = "\x00\x00\x06\x01\x05\x00\x00\x00\x01" + "\x82\x87\x84" + "\x41\x01x"
	other := httptest.NewTLSServer(nil)
	other.Close()
	server := &tls.Config{Certificates: other.TLS.Certificates, NextProtos: []string{"h2"}}
	client := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com", NextProtos: []string{"h2"}}
	client.RootCAs.AddCert(other.Certificate())
	listening(t, 0, func(t *testing.T, p *pipes) {
		p.tls = server
		conn := tls.Client(p.connect(t, ""), client)
		defer conn.NetConn().Close()
		var read atomic.Int64
		stopped := make(chan struct{})
		go func() { // reads the server's settings, but no answer
			defer close(stopped)
			var frame [9]byte
			for acknowledged := false; !acknowledged; acknowledged = frame[3] == 4 && frame[4] == 1 {
				if _, err := io.ReadFull(conn, frame[:]); err != nil {
					t.Error(err)
					return
				}
				size := int64(frame[0])<<16 | int64(frame[1])<<8 | int64(frame[2])
				if _, err := io.CopyN(io.Discard, conn, size); err != nil {
					t.Error(err)
					return
				}
				read.Add(1)
			}
		}()
		if _, err := io.WriteString(conn, preface); err != nil {
			t.Fatal(err)
		}
		<-stopped
		if _, err := io.WriteString(conn, get); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if open := p.open.Load(); open != 1 || read.Load() == 0 {
			t.Errorf("%d connections at first, %d frames read", open, read.Load())
		}
		time.Sleep(2 * answerTimeout)
		synctest.Wait()
		if open := p.open.Load(); open != 0 {
			t.Errorf("%d connections after %s", open, 2*answerTimeout)
		}
	})
}

// The timeouts do not affect a client that has a reason to take long.
func TestAnswersMayTakeAsLongAsTheyNeed(t *testing.T) {
	for _, test := range []struct {
		name, text string
		takes      time.Duration
		says       string
	}{
		{"a patient scrape", "GET /metrics" + head + "X-Prometheus-Scrape-Timeout-Seconds: 290\r\n\r\n", 280 * time.Second,
			`datname="counted"`},
		{"a scrape", request, 9 * time.Second, `datname="counted"`},
		{"a profile", "GET /debug/pprof/heap?debug=0&seconds=200" + head + "\r\n", 200 * time.Second, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			listening(t, test.takes, func(t *testing.T, p *pipes) {
				client := p.connect(t, test.text)
				defer client.Close()
				began := time.Now()
				answer, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer answer.Body.Close()
				body, err := io.ReadAll(answer.Body)
				if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), test.says) {
					t.Errorf("status %d, %v: %.300q", answer.StatusCode, err, body)
				}
				if took := time.Since(began); took != test.takes {
					t.Errorf("it took %s, want %s", took, test.takes)
				}
			})
		})
	}
}

// Prometheus does not open a new connection for each scrape.
func TestAConnectionOutlivesTheIntervalOfScrapes(t *testing.T) {
	listening(t, 0, func(t *testing.T, p *pipes) {
		client := p.connect(t, "")
		defer client.Close()
		reader := bufio.NewReader(client)
		for range 3 {
			if _, err := io.WriteString(client, request); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			time.Sleep(2 * time.Minute)
		}
	})
}

func TestEveryPageIsGuarded(t *testing.T) {
	c := counted{settings: NewSettings(configtest.Load(t, ""))}
	s, err := New(Options{Settings: c.settings, Connect: c.connect,
		Source: func() (*conninfo.Info, error) { return new(conninfo.Info), nil }, Process: prometheus.NewRegistry(),
		Logger: log.NewNopLogger(), Profiling: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for path, want := range map[string]int{
		"GET /": 200, "GET /metrics": 200, "HEAD /metrics": 200, "GET /health": 200, "GET /report": 200,
		"GET /report?format=json": 200, "GET /-/ready": 200,
		"GET /debug/pprof/": 200, "GET /debug/pprof/goroutine?debug=1": 200, "GET /debug/pprof": 301, "GET //metrics": 301,
		"GET /probe": 400, "GET /report?format=pdf": 400, "POST /-/reload": 403, "GET /nope": 404,
		"GET /debug/pprof/nope": 404, "POST /metrics": 405, "GET /-/reload": 405,
	} {
		method, path, _ := strings.Cut(path, " ")
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		header := answer.Header()
		if answer.Code != want && !(want == 301 && answer.Code/100 == 3) {
			t.Errorf("%s %s: status %d, want %d", method, path, answer.Code, want)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("X-Frame-Options") != "DENY" ||
			!strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s %s: the headers are %v", method, path, header)
		}
	}
	answer := httptest.NewRecorder()
	answer.Header().Set("X-Frame-Options", "sameorigin")
	s.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if got := answer.Header().Get("X-Frame-Options"); got != "sameorigin" {
		t.Errorf("what the file of --web.config.file says becomes %q", got)
	}
}

// Otherwise the files of a form would be written to the disk, and its fields taken for the query.
func TestNoPageReadsABody(t *testing.T) {
	c := counted{settings: NewSettings(configtest.Load(t, ""))}
	s, err := New(Options{Settings: c.settings, Connect: c.connect,
		Source: func() (*conninfo.Info, error) { return new(conninfo.Info), nil }, Process: prometheus.NewRegistry(),
		Logger: log.NewNopLogger()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, path := range []string{"/report", "/probe", "/metrics", "/health"} {
		var body strings.Builder
		form := multipart.NewWriter(&body)
		if err := form.WriteField("format", "pdf"); err != nil {
			t.Fatal(err)
		}
		if err := form.WriteField("target", "db:5432/shop"); err != nil {
			t.Fatal(err)
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		unread := strings.NewReader(body.String())
		request := httptest.NewRequest("GET", path, unread)
		request.Header.Set("Content-Type", form.FormDataContentType())
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, request)
		if want := map[bool]int{true: 400, false: 200}[path == "/probe"]; answer.Code != want || unread.Len() != body.Len() {
			t.Errorf("%s: status %d, and %d of %d bytes were read: %s", path, answer.Code, body.Len()-unread.Len(), body.Len(),
				answer.Body)
		}
	}
}
