//go:build e2e

package monitoring

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/demo/data"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
)

// dashboard has the parts of a dashboard that contain queries.
type dashboard struct {
	UID        string
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type, Definition, AllValue string
			Multi                            bool
		}
	}
	Annotations struct{ List []struct{ Name, Expr string } }
}

type panel struct {
	Type, Title     string
	Targets         []target
	Transformations []struct {
		Options struct{ Include struct{ Names []string } }
	}

	dashboard string
	raw       json.RawMessage
}

// UnmarshalJSON keeps the JSON, too, for Grafana's library.
func (p *panel) UnmarshalJSON(text []byte) error {
	type plain panel
	p.raw = slices.Clone(text)
	return json.Unmarshal(text, (*plain)(p))
}

// included returns the names of the fields that a table keeps.
func (p panel) included() (names []string) {
	for _, transformation := range p.Transformations {
		names = append(names, transformation.Options.Include.Names...)
	}
	return names
}

type target struct {
	RefID, Expr, LegendFormat string
	Instant                   bool
}

// request returns the path and the parameters that ask Prometheus for a choice.
func (q target) request(t *testing.T, c choice, now time.Time) (path string, parameters url.Values) {
	t.Helper()
	parameters = url.Values{"query": {c.substitute(t, q.Expr)}}
	if q.Instant {
		parameters.Set("time", fmt.Sprint(now.Unix()))
		return "query", parameters
	}
	parameters.Set("start", fmt.Sprint(now.Add(-15*time.Second).Unix()))
	parameters.Set("end", fmt.Sprint(now.Unix()))
	parameters.Set("step", "1")
	return "query_range", parameters
}

func dashboards(t *testing.T) (all []dashboard) {
	t.Helper()
	files, err := filepath.Glob("../../mixin/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, file := range files {
		var d dashboard
		if err := json.Unmarshal([]byte(read(t, file)), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, d)
	}
	return all
}

// choice has the chosen value of each variable.
type choice map[string]string

var variable = regexp.MustCompile(`\$\{?(\w+)\}?`)

// substitute replaces variables in a query as Grafana does.
func (c choice) substitute(t *testing.T, expr string) string {
	t.Helper()
	return variable.ReplaceAllStringFunc(expr, func(text string) string {
		name := variable.FindStringSubmatch(text)[1]
		value, known := c[name]
		if !known {
			t.Errorf("%s is no variable of the dashboard: %s", text, expr)
		}
		return value
	})
}

// Grafana's rate interval is at least four scrapes, and more if a panel is narrow.
var intervals = choice{"__rate_interval": "10s", "__range": "30s", "__interval": "10s"}

// everything is the choice of all values of all variables.
func (d dashboard) everything() choice {
	c := maps.Clone(intervals)
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			c[v.Name] = ".*"
		}
	}
	return c
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// choices returns all choices, variable by variable: everything if several values can be chosen at once, otherwise
// each value in turn.
func (d dashboard) choices(t *testing.T, p prometheus) []choice {
	t.Helper()
	all := []choice{maps.Clone(intervals)}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		definition := labelValues.FindStringSubmatch(v.Definition)
		if definition == nil {
			t.Fatalf("variable %s: %s", v.Name, v.Definition)
		}
		var next []choice
		for _, c := range all {
			found := ask[[]map[string]string](t, p, "series", url.Values{"match[]": {c.substitute(t, definition[1])}})
			values := map[string]bool{}
			for _, labels := range found {
				if value := labels[definition[2]]; value != "" {
					values[value] = true
				}
			}
			if len(values) == 0 {
				t.Errorf("variable %s offers nothing: %s", v.Name, v.Definition)
			}
			if v.Multi {
				values = map[string]bool{v.AllValue: true}
			}
			for value := range values {
				with := maps.Clone(c)
				with[v.Name] = value
				next = append(next, with)
			}
		}
		all = next
	}
	return all
}

// results returns the series of a query for the first choice that has any.
func results(t *testing.T, p prometheus, all []choice, q target) []series {
	t.Helper()
	for _, c := range all {
		path, parameters := q.request(t, c, time.Now())
		if found := ask[struct{ Result []series }](t, p, path, parameters).Result; len(found) > 0 {
			return found
		}
	}
	return nil
}

var legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// check runs a query and checks that its legend distinguishes the series.
func check(t *testing.T, p prometheus, all []choice, what string, q target) {
	t.Helper()
	found := results(t, p, all, q)
	if len(found) == 0 {
		t.Errorf("%s has no data: %s", what, q.Expr)
		return
	}
	for _, label := range legendLabel.FindAllStringSubmatch(q.LegendFormat, -1) {
		if !slices.ContainsFunc(found, func(s series) bool { return s.Metric[label[1]] != "" }) {
			t.Errorf("%s: no series has the label %s of the legend: %s", what, label[1], q.Expr)
		}
	}
}

// Runs every query of every dashboard, on the demo's shop with some faults in it.
func TestEveryPanelHasData(t *testing.T) {
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	if err := data.Load(t.Context(), dsn, 0.02); err != nil {
		t.Fatal(err)
	}
	// A table without a needed index and with a foreign key, and a table that cannot be counted.
	pgtest.Exec(t, dsn, `CREATE TABLE returns AS SELECT i AS id, repeat('It wobbles. ', 10) AS reason,
		CASE WHEN i <= 5000 THEN now() END AS deleted_at FROM generate_series(1, 25000) i;
		ALTER TABLE returns ADD customer_id bigint REFERENCES customers; ANALYZE returns`)
	holder, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.WithoutCancel(t.Context()))
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE gift_cards"); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	const down = "127.0.0.1:1/none" // a server that does not exist
	config := edit(t, string(data.Config),
		"ttl: 15s", "ttl: 1s\nintegrity: true\ndeleted_rows_by_age: true", "\ntables:\n",
		"\ntables:\n  - {table: returns, retention: 1h}\n")
	config += "probe: {allow: ['" + down + "']}\nauth_modules: {monitoring: {user: postgres}}\n"
	start(t, "http://"+address+"/-/ready", []string{"DATA_SOURCE_NAME=" + dsn}, build(t),
		"--config.file="+write(t, "config.yaml", config), "--web.listen-address="+address)
	rules := compile(t, "compressed.jsonnet")
	all := dashboards(t)
	for i, binary := range find(t, "prometheus") {
		p := startPrometheus(t, binary, watched{address, down}.watch(t, rules, freeAddress(t)))
		await(t, "an alert that fires", func() bool {
			return len(p.query(t, `ALERTS{alertstate="firing",severity="warning",relname!=""} offset 2s`)) > 0
		})
		for _, d := range all {
			asked := 0
			choices := d.choices(t, p)
			for _, panel := range d.Panels {
				for _, target := range panel.Targets {
					asked++
					check(t, p, choices, d.UID+"/"+panel.Title, target)
				}
			}
			if asked == 0 {
				t.Errorf("%s asks nothing", d.UID)
			}
			for _, annotation := range d.Annotations.List {
				check(t, p, choices, d.UID+"/"+annotation.Name, target{Expr: annotation.Expr})
			}
		}
		if i == 0 {
			checkPanels(t, p, all)
		}
	}
}
