package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// volatile replaces what differs between two runs: times, durations, the number of blocks of a table whose partitions
// begin with the months, and ages in days of UTC, because the data is a number of hours old.
var volatile = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)`), "NOON"},
	{regexp.MustCompile(`(since|before|deletion is of) \d{4}-\d\d-\d\d`), "$1 NOON"},
	{regexp.MustCompile(`(<td class="number wid(?:e|est)-only">)[≤≥]?(\d{4}-\d\d-\d\d|\d+ days?|[\d.]+ [kM]B)<`),
		"${1}AGES<"},
	{regexp.MustCompile(`(?m)( +[≤≥]?\d{4}-\d\d-\d\d)?( +[≤≥]?[\d,]+ days?| +-)?( +[\d.]+ [kM]?B)$`), " AGES"},
	{regexp.MustCompile(`(?m)^( +(?:active +)?deleted +ratio.*)$`), " TITLES"},
	{regexp.MustCompile(`"deleted_bytes": [1-9][\d.]*`), `"deleted_bytes": 8192`},
	{regexp.MustCompile(`about [\d.]+ [kM]B of deleted`), "about 8 kB of deleted"},
	{regexp.MustCompile(`"response_time_ms": [\d.e-]+`), `"response_time_ms": 1`},
	{regexp.MustCompile(`[\d.]+ ms\b`), "1 ms"},
	{regexp.MustCompile(`\bjust now|\d+ s ago`), "now"},
	{regexp.MustCompile(`(data-n="(\S+ ){5})[^"]*"`), `${1}NOON"`},
	{regexp.MustCompile(`(?m)^( {11})[·▁▂▃▄▅▆▇█|]+ .*\n(?: {11}(?:[^i\n]|i[^n\n]|in[^d\n]).*\n)*`), "${1}AGES\n"},
	{regexp.MustCompile(`(<svg class="ages".*?>).*?</svg>`), "$1</svg>"},
	{regexp.MustCompile(`(<li id="a\d+">)[^<]*`), "${1}AGES"},
	{regexp.MustCompile(`about [\d,]+ of the rows|in some \d+ days?`), "AGES"},
	{regexp.MustCompile(`"ages": \[[^]]*\]`), `"ages": []`},
	{regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>`), ""},
	{regexp.MustCompile(`sha256-.*?&#39;`), "sha256-…&#39;"},
	{regexp.MustCompile(`(?s)\nServer 127\.0\.0\.1:.*?, PostgreSQL .*?primary\.\n`),
		"\nServer 127.0.0.1:5432, database shop, PostgreSQL 17.2, primary.\n"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:5432"},
	{regexp.MustCompile(`"port": \d+`), `"port": 5432`},
	{regexp.MustCompile(`PostgreSQL \d+(\.\d+)?, primary`), "PostgreSQL 17.2, primary"},
	{regexp.MustCompile(`"version": "[^"]*"`), `"version": "17.2"`},
	{regexp.MustCompile(`testthereportofthedemo_\d+`), "shop"},
}

// The demo's data is the same in every run, so its report is a page to read: would an expert say this about the shop?
// At a fifth of its size no table is sampled, so the numbers are also the same.
func TestTheReportOfTheDemo(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), dsn, 0.2); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_SOURCE_NAME", dsn)
	limits := filepath.Join(t.TempDir(), "limits.json")
	// A ping of a busy machine may be slow, and the report would say so.
	if err := os.WriteFile(limits, []byte(`{"response_ms": {"slow": 60000}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	configuration := configFile(t, string(data.Config)+"\nthresholds_file: "+limits+"\n")
	for format, file := range map[string]string{"text": "demo.txt", "json": "demo.json", "html": "demo.html"} {
		t.Run(format, func(t *testing.T) {
			code, got, stderr := command("report", "--config.file="+configuration, "--format="+format, "--full")
			if code != 1 || !strings.Contains(stderr, "the health is poor") {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			if format == "json" {
				validate(t, got)
			}
			for _, v := range volatile {
				got = v.pattern.ReplaceAllString(got, v.instead)
			}
			golden := filepath.Join("report", "testdata", file)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got), go test . -run TheReportOfTheDemo -update rewrites it:\n%s", golden, diff)
			}
		})
	}
}

// validate checks a document against the published schema.
func validate(t *testing.T, document string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("report/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(document)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(parsed); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
}
