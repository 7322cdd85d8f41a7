package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/softdelete-exporter/softdelete_exporter/cache"
	"github.com/softdelete-exporter/softdelete_exporter/conninfo"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// having returns a Snapshot with these tables, each with one deleted row of n.
func having(n int64, names ...string) *softdelete.Snapshot {
	d := softdelete.Database{Name: "sh\"o\np\\", Checks: softdelete.Checks{Connect: true, Discovery: true, Counting: true}}
	for _, name := range names {
		t := softdelete.Table{Schema: "public", Name: name}
		t.Succeed(softdelete.ExactNumbers(n, 1), time.Now())
		d.Tables = append(d.Tables, t)
	}
	return &softdelete.Snapshot{Taken: time.Now(), Databases: []softdelete.Database{{Name: "empty"}, d}}
}

// showing returns a server whose database has the Snapshot that next returns at each refresh.
func showing(t *testing.T, logger log.Logger, ttl string, next func() *softdelete.Snapshot) *Server {
	t.Helper()
	s := upAndEmpty(t, logger, nil)
	s.target.Close()
	s.Connect = func(string, func() (*conninfo.Info, error)) cache.Open {
		return func(*softdelete.Costs) cache.Source {
			return cache.Source{
				Ping: func(context.Context) softdelete.Ping { return softdelete.Ping{Up: true} },
				Refresh: func(_ context.Context, _ *softdelete.Snapshot, publish func(*softdelete.Snapshot)) {
					publish(next())
				},
				Close: func() {},
			}
		}
	}
	s.Settings.config.Store(configtest.Load(t, "max_stale: 5h\nttl: "+ttl))
	s.target = s.newTarget("", nil, "shop")
	return s
}

// asking is a request with these headers, in pairs.
func asking(method, path string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// decoded returns the text of an answer. A compressed one must be a single gzip member, with nothing behind it.
func decoded(t *testing.T, a *httptest.ResponseRecorder) string {
	t.Helper()
	body := a.Body.Bytes()
	if a.Header().Get("Content-Encoding") == "gzip" {
		in := bytes.NewReader(body)
		z, err := gzip.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		z.Multistream(false)
		if body, err = io.ReadAll(z); err != nil || in.Len() > 0 {
			t.Fatalf("%v, and %d bytes are left over", err, in.Len())
		}
	}
	return string(body)
}

var liveFamilies = []*dto.MetricFamily{{Name: new("db_up"), Help: new("Odd \\ \n help."),
	Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(1.0)}}}}}

// Header and text are those of promhttp, whatever is requested.
func TestAStoredPageIsAsPromhttpWritesIt(t *testing.T) {
	s := upAndEmpty(t, log.NewNopLogger(), nil)
	names := []string{"plain", `"quoted"`, "new\nline", "carriage\rreturn", "tab\t\x00\x1b[31m", `back\slash\`, `\n`,
		"größe", "🐘", "\u202eleft", "\ufeffmark", "\u2028", `{a="b"} 1`, "# HELP x", "caf\xe9", "\xff\xfe", "",
		strings.Repeat("n", 63)}
	for i := range 100 { // more than a window of deflate
		names = append(names, fmt.Sprintf("t%d", i*i))
	}
	p := newPage(having(3, names...), false, s.Logger)
	families, err := gather(p.collector)
	if err != nil {
		t.Fatal(err)
	}
	plain := promhttp.HandlerFor(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		return slices.Concat(families, liveFamilies), nil
	}), promhttp.HandlerOpts{})
	const protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding="
	kept := map[string]bool{}
	for accept, keeps := range map[string]bool{
		"":                    true,
		"*/*":                 true,
		"text/html,*/*;q=0.8": true,
		"text/plain":          true,
		"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1":        true,
		"text/plain;version=0.0.4;escaping=values":                                                            true,
		"text/plain;version=0.0.4;escaping=dots":                                                              false,
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,application/openmetrics-text;q=0.75": true,
		protobuf + "delimited":                       true,
		protobuf + "delimited;escaping=allow-utf-8":  true,
		protobuf + "delimited;escaping=underscores":  true,
		protobuf + "delimited;escaping=dots":         false,
		protobuf + "text":                            false,
		protobuf + "compact-text":                    false,
		protobuf + "delimited;q=0.5,text/plain;q=.9": true,
	} {
		for _, coding := range []string{"", "gzip", "identity", "*", "gzip;q=0", "gzip;q=0, *", "zstd, gzip;q=0.5", "br",
			"GZIP", "gzip, deflate, br, zstd", "not-gzip", "gzip;q=nonsense"} {
			for range 2 {
				r := asking("GET", "/metrics", "Accept", accept, "Accept-Encoding", coding)
				got, want := httptest.NewRecorder(), httptest.NewRecorder()
				if stored := s.showStored(got, r, liveFamilies, p); stored != keeps {
					t.Errorf("%s is stored: %t", accept, stored)
				} else if !stored {
					continue
				}
				plain.ServeHTTP(want, r)
				if diff := cmp.Diff(want.Header(), got.Header()); diff != "" || got.Code != want.Code {
					t.Errorf("%s, %q: status %d, headers (-want +got):\n%s", accept, coding, got.Code, diff)
				}
				if decoded(t, got) != decoded(t, want) {
					t.Errorf("%s, %q: %d bytes, want %d", accept, coding, len(decoded(t, got)), len(decoded(t, want)))
				}
				kept[got.Header().Get("Content-Encoding")] = true
			}
		}
	}
	if len(p.stored) != 2 || !kept[""] || !kept["gzip"] {
		t.Errorf("%d formats are stored, not 2, and %v was requested", len(p.stored), kept)
	}
}

// A page is encoded only in the format that was requested, and only once.
func TestAPageIsEncodedOnce(t *testing.T) {
	s := having(3, "users")
	var of target
	of.logger = log.NewNopLogger()
	p := of.pageOf(s, false)
	if of.pageOf(s, false) != p || len(p.stored) != 0 {
		t.Error("it is made again, or encoded before the first scrape")
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[*stored]bool{}
	for range 20 {
		all.Go(func() {
			got, err := p.in(expfmt.TypeTextPlain)
			mu.Lock()
			defer mu.Unlock()
			if seen[got] = true; err != nil {
				t.Error(err)
			}
		})
	}
	if all.Wait(); len(seen) != 1 || len(p.stored) != 1 {
		t.Errorf("it was encoded %d times, in %d formats", len(seen), len(p.stored))
	}
	if of.pageOf(having(3, "users"), false) == p {
		t.Error("it is the page of another Snapshot, too")
	}
}

// A page lives as long as its Snapshot, even if nobody scrapes any more.
func TestAPageIsDroppedWithItsSnapshot(t *testing.T) {
	var refreshes atomic.Int64
	s := showing(t, log.NewNopLogger(), "1ms", func() *softdelete.Snapshot {
		return having(refreshes.Add(1), "users")
	})
	page := func() *page {
		s.target.mu.Lock()
		defer s.target.mu.Unlock()
		return s.target.page
	}
	ask(s, "GET", "/metrics")
	if page() == nil {
		t.Fatal("no page is kept")
	}
	pgtest.WaitFor(t, "the next refresh", func() bool {
		s.target.Snapshot(t.Context()) // like a look at the report
		return refreshes.Load() > 1 && page() == nil
	})
}

// values returns the values of a metric on a page.
func values(t *testing.T, page, metric string) (found []float64) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation) // refuses a metric that is there twice
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatalf("%v:\n%s", err, page)
	}
	for _, m := range families[metric].GetMetric() {
		found = append(found, m.GetGauge().GetValue())
	}
	return found
}

// Each answer shows one Snapshot, while others take its place.
func TestScrapesDuringRefreshes(t *testing.T) {
	const tables, scrapes = 20, 30
	var names []string
	for i := range tables {
		names = append(names, fmt.Sprint("t", i))
	}
	var n int64
	s := showing(t, log.NewNopLogger(), "1ms", func() *softdelete.Snapshot { n++; return having(n, names...) })
	ask(s, "GET", "/metrics")
	var all sync.WaitGroup
	var mu sync.Mutex
	shown := map[float64]bool{}
	for i := range 4 {
		headers := [][]string{{"Accept-Encoding", "gzip"}, nil}[i%2]
		all.Go(func() {
			for range scrapes {
				a := httptest.NewRecorder()
				s.ServeHTTP(a, asking("GET", "/metrics", headers...))
				rows := values(t, decoded(t, a), "softdelete_total_rows")
				if len(rows) != tables || slices.Min(rows) != slices.Max(rows) || values(t, decoded(t, a), "db_up")[0] != 1 {
					t.Errorf("an answer shows %v", rows)
					return
				}
				mu.Lock()
				shown[rows[0]] = true
				mu.Unlock()
			}
		})
	}
	if all.Wait(); len(shown) < 2 {
		t.Errorf("only %d Snapshots were shown", len(shown))
	}
}

// failing is a collector that sends one metric and fails.
type failing struct{}

func (failing) Describe(chan<- *prometheus.Desc) {}

func (failing) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(prometheus.NewDesc("sound", "Sound.", nil, nil), prometheus.GaugeValue, 1)
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("unsound", "Unsound.", nil, nil), errors.New("unsound"))
}

func TestWhatCouldBeGatheredIsShownBesideAnError(t *testing.T) {
	for name, test := range map[string]struct {
		tables  []string
		process prometheus.Collector
	}{
		"of the process":  {[]string{"users", "orders"}, failing{}},
		"of the Snapshot": {[]string{"users", "orders", "orders"}, nil},
	} {
		var out bytes.Buffer
		s := showing(t, log.NewLogfmtLogger(&out), "1h", func() *softdelete.Snapshot { return having(3, test.tables...) })
		if test.process != nil {
			s.Process.MustRegister(test.process)
		}
		for range 2 {
			a := httptest.NewRecorder()
			s.ServeHTTP(a, asking("GET", "/metrics", "Accept-Encoding", "gzip"))
			page := decoded(t, a)
			if a.Code != http.StatusOK || len(values(t, page, "softdelete_total_rows")) != 2 ||
				len(values(t, page, "db_up")) != 1 || test.process != nil && len(values(t, page, "sound")) != 1 {
				t.Errorf("%s: status %d:\n%s", name, a.Code, page)
			}
		}
		if n := len(s.target.page.stored); n != 0 || strings.Count(out.String(), "gathering metrics") != 2 {
			t.Errorf("%s: %d formats are stored, and the log is:\n%s", name, n, &out)
		}
	}
}

func TestMetricsCanBeRequestedByName(t *testing.T) {
	s := showing(t, log.NewNopLogger(), "1h", func() *softdelete.Snapshot { return having(3, "users") })
	for path, want := range map[string]int{
		"/metrics?name[]=db_up&name[]=softdelete_total_rows": 2,
		"/metrics?name%5B%5D=softdelete_total_rows":          1,
		"/metrics?name[]=unknown":                            0,
	} {
		a := httptest.NewRecorder()
		s.ServeHTTP(a, asking("GET", path, "Accept-Encoding", "gzip"))
		if page := decoded(t, a); strings.Count(page, "# TYPE ") != want || a.Code != http.StatusOK {
			t.Errorf("%s: status %d:\n%s", path, a.Code, page)
		}
	}
	if len(s.target.page.stored) != 0 {
		t.Error("a page is stored in vain")
	}
}

func TestHeadIsGetWithoutAnAnswer(t *testing.T) {
	s := showing(t, log.NewNopLogger(), "1h", func() *softdelete.Snapshot { return having(3, "users") })
	web := httptest.NewServer(s)
	defer web.Close()
	client := http.Client{Transport: &http.Transport{DisableCompression: true}}
	for _, path := range []string{"/metrics", "/metrics?name[]=db_up"} {
		for _, coding := range []string{"gzip", "identity"} {
			headers := map[string]http.Header{}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r := asking(method, web.URL+path, "Accept-Encoding", coding)
				r.RequestURI = ""
				a, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(a.Body)
				a.Body.Close()
				if err != nil || a.StatusCode != http.StatusOK || (len(body) > 0) != (method == http.MethodGet) {
					t.Errorf("%s %s, %s: %s, %v, %d bytes", method, path, coding, a.Status, err, len(body))
				}
				a.Header.Del("Content-Length")
				a.Header.Del("Date")
				headers[method] = a.Header
			}
			if diff := cmp.Diff(headers[http.MethodGet], headers[http.MethodHead]); diff != "" {
				t.Errorf("%s, %s (-GET +HEAD):\n%s", path, coding, diff)
			}
		}
	}
	client.CloseIdleConnections()
}
