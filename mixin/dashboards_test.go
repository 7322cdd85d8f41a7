package mixin

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type dashboard struct {
	Title         string
	UID           string
	Description   string
	SchemaVersion int
	Tags          []string
	Panels        []panel
	Links         []struct{ Title, Type, URL string }
	Annotations   struct {
		List []struct {
			Name, Expr string
			Datasource *datasource
		}
	}
	Templating struct{ List []variable }
}

type variable struct {
	Name, Type, Definition string
	Query                  any
	Datasource             *datasource
}

type datasource struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               *datasource
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		RefID, Expr, LegendFormat, Format string
		Datasource                        *datasource
	}
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Thresholds struct{ Steps []struct{ Value *float64 } }
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Transformations []struct {
		ID      string
		Options struct {
			Include      struct{ Names []string }
			RenameByName map[string]string
		}
	}
	Options struct{ Content string }
}

const gridWidth = 24

var (
	panelTypes = []string{"timeseries", "stat", "bargauge", "table", "state-timeline", "heatmap", "text", "row"}
	// The units of Grafana that the dashboards use.
	units = []string{"none", "short", "percentunit", "s", "ms", "bytes", "reqps", "dateTimeFromNow", "suffix:days"}
	// The variables that every selector must use.
	narrowed = []string{`job=~"$job"`, `instance=~"$instance"`}
)

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	paths, err := filepath.Glob("dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	all := map[string]dashboard{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(content, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[d.UID] = d
	}
	if len(all) != len(paths) {
		t.Errorf("%d dashboards have %d different uids", len(paths), len(all))
	}
	return all
}

// panels calls check for every panel of every dashboard, except rows.
func panels(t *testing.T, check func(t *testing.T, d dashboard, p panel)) {
	for uid, d := range dashboards(t) {
		if len(d.Panels) == 0 {
			t.Errorf("%s has no panels", uid)
		}
		for _, p := range d.Panels {
			if p.Type != "row" {
				t.Run(uid+"/"+p.Title, func(t *testing.T) { check(t, d, p) })
			}
		}
	}
}

func TestDashboardsAreOfTheClassicModel(t *testing.T) {
	for uid, d := range dashboards(t) {
		if d.SchemaVersion != 39 {
			t.Errorf("%s: schemaVersion %d, want 39", uid, d.SchemaVersion)
		}
		if d.Title == "" || d.Description == "" || uid == "" || len(uid) > 40 {
			t.Errorf("%q: a title, a description and a uid of at most 40 characters are needed", uid)
		}
		ids := map[int]bool{}
		for _, p := range d.Panels {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: panel id %d is not unique", uid, p.ID)
			}
			ids[p.ID] = true
			if !slices.Contains(panelTypes, p.Type) {
				t.Errorf("%s: panel %q is of type %q, want one of %v", uid, p.Title, p.Type, panelTypes)
			}
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	for uid, d := range dashboards(t) {
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			g := p.GridPos
			if g.X < 0 || g.Y < 0 || g.W <= 0 || g.H <= 0 || g.X+g.W > gridWidth {
				t.Errorf("%s: panel %q lies outside the grid: %+v", uid, p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok {
						t.Fatalf("%s: panels %q and %q overlap", uid, other, p.Title)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

func TestPanelsExplainThemselves(t *testing.T) {
	panels(t, func(t *testing.T, _ dashboard, p panel) {
		if p.Title == "" || p.Description == "" {
			t.Error("a title and a description are needed")
		}
		if p.Type == "text" {
			if p.Options.Content == "" {
				t.Error("no text")
			}
			return
		}
		if !slices.Contains(units, p.FieldConfig.Defaults.Unit) {
			t.Errorf("unit %q, want one of %v", p.FieldConfig.Defaults.Unit, units)
		}
		for _, override := range p.FieldConfig.Overrides {
			for _, property := range override.Properties {
				if property.ID == "unit" && !slices.Contains(units, property.Value.(string)) {
					t.Errorf("column %q: unit %q, want one of %v", override.Matcher.Options, property.Value, units)
				}
			}
		}
	})
}

func TestQueriesAreNarrowedByTheVariables(t *testing.T) {
	panels(t, func(t *testing.T, _ dashboard, p panel) {
		if p.Type == "text" {
			return
		}
		if len(p.Targets) == 0 {
			t.Error("no query")
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.RefID == "" {
				t.Errorf("refId %q is not unique", target.RefID)
			}
			refs[target.RefID] = true
			for _, fault := range selectorFaults(target.Expr, narrowed...) {
				t.Errorf("%s: %s", target.RefID, fault)
			}
			for _, source := range []*datasource{p.Datasource, target.Datasource} {
				if source == nil || source.UID != "${datasource}" {
					t.Errorf("%s: the data source is not the variable", target.RefID)
				}
			}
		}
	})
	for uid, d := range dashboards(t) {
		for _, annotation := range d.Annotations.List {
			for _, fault := range selectorFaults(annotation.Expr, narrowed...) {
				t.Errorf("%s: annotation %s: %s", uid, annotation.Name, fault)
			}
			if annotation.Datasource == nil || annotation.Datasource.UID != "${datasource}" {
				t.Errorf("%s: annotation %s: the data source is not the variable", uid, annotation.Name)
			}
		}
	}
}

func TestVariablesNarrowOneAnother(t *testing.T) {
	for uid, d := range dashboards(t) {
		var names []string
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				var before []string
				for _, name := range names[1:] {
					before = append(before, name+`=~"$`+name+`"`)
				}
				for _, fault := range selectorFaults(v.Definition, append(before, `job=~"softdelete.*"`)...) {
					t.Errorf("%s: variable %s: %s", uid, v.Name, fault)
				}
				if v.Datasource == nil || v.Datasource.UID != "${datasource}" {
					t.Errorf("%s: variable %s: the data source is not the variable", uid, v.Name)
				}
			}
			names = append(names, v.Name)
		}
		if len(names) < 3 || names[0] != "datasource" || names[1] != "job" || names[2] != "instance" {
			t.Errorf("%s: variables %v, want datasource, job, instance first", uid, names)
		}
		if d.Templating.List[0].Type != "datasource" || d.Templating.List[0].Query != "prometheus" {
			t.Errorf("%s: the variable datasource does not offer the Prometheus data sources", uid)
		}
	}
}

func TestCountersAreRatedOverTheRateInterval(t *testing.T) {
	counter := regexp.MustCompile(`\w+_total\b`)
	rated := regexp.MustCompile(`rate\(\w+_total\{[^}]*\}\[\$__rate_interval\]\)`)
	anyRate := regexp.MustCompile(`rate\(`)
	found := 0
	panels(t, func(t *testing.T, _ dashboard, p panel) {
		for _, target := range p.Targets {
			good := len(rated.FindAllString(target.Expr, -1))
			found += good
			if n := len(counter.FindAllString(target.Expr, -1)); n != good {
				t.Errorf("%s: %d counters, %d of them rated: %s", target.RefID, n, good, target.Expr)
			}
			if n := len(anyRate.FindAllString(target.Expr, -1)); n != good {
				t.Errorf("%s: a rate that is not over $__rate_interval: %s", target.RefID, target.Expr)
			}
		}
	})
	if found == 0 {
		t.Error("no panel shows a counter")
	}
}

// A column that no query returns would always be empty.
func TestColumnsOfTablesComeFromTheirQueries(t *testing.T) {
	by := regexp.MustCompile(`\bby \(([^)]*)\)`)
	panels(t, func(t *testing.T, _ dashboard, p panel) {
		if p.Type != "table" {
			return
		}
		known := map[string]bool{}
		for _, target := range p.Targets {
			if target.Format != "table" {
				t.Errorf("%s: format %q, want table", target.RefID, target.Format)
			}
			known["Value #"+target.RefID] = len(p.Targets) > 1
			known["Value"] = len(p.Targets) == 1
			// Without an aggregation, different metric names would prevent the join of rows.
			labels := by.FindStringSubmatch(target.Expr)
			if labels == nil {
				t.Fatalf("%s: no aggregation: %s", target.RefID, target.Expr)
			}
			for _, label := range strings.Split(labels[1], ", ") {
				known[label] = true
			}
		}
		var included []string
		for _, transformation := range p.Transformations {
			names := transformation.Options.Include.Names
			included = append(included, names...)
			for _, column := range append(names, slices.Collect(maps.Keys(transformation.Options.RenameByName))...) {
				if !known[column] {
					t.Errorf("column %q comes from no query", column)
				}
			}
		}
		if len(included) == 0 {
			t.Error("no column is included")
		}
	})
}

func TestLinksFindTheirDashboardAndItsVariables(t *testing.T) {
	all := dashboards(t)
	target := regexp.MustCompile(`^/d/([a-z-]+)\?`)
	named := regexp.MustCompile(`var-(\w+)=`)
	const report = "http://${__data.fields.instance}/report"
	found, reports := 0, 0
	panels(t, func(t *testing.T, _ dashboard, p panel) {
		for _, override := range p.FieldConfig.Overrides {
			for _, property := range override.Properties {
				if property.ID != "links" {
					continue
				}
				for _, link := range property.Value.([]any) {
					found++
					url := link.(map[string]any)["url"].(string)
					if url == report {
						reports++
						continue
					}
					match := target.FindStringSubmatch(url)
					if match == nil || all[match[1]].UID == "" {
						t.Fatalf("column %q links to nowhere: %s", override.Matcher.Options, url)
					}
					for _, v := range named.FindAllStringSubmatch(url, -1) {
						has := slices.ContainsFunc(all[match[1]].Templating.List,
							func(known variable) bool { return known.Name == v[1] })
						if !has {
							t.Errorf("column %q: %s has no variable %s", override.Matcher.Options, match[1], v[1])
						}
					}
				}
			}
		}
	})
	if found == 0 || reports == 0 {
		t.Errorf("%d links of columns, %d of them to the report", found, reports)
	}
}

func TestColoursComeFromTheLimits(t *testing.T) {
	var limits struct {
		ResponseMS     struct{ Slow float64 }       `json:"response_ms"`
		DeletionRatio  struct{ Fair, Poor float64 } `json:"deletion_ratio"`
		OldDeletedRows struct{ Fair, Poor float64 } `json:"old_deleted_rows"`
	}
	if err := json.Unmarshal(Thresholds, &limits); err != nil {
		t.Fatal(err)
	}
	want := map[string][]float64{
		"db_response_ms":              {limits.ResponseMS.Slow},
		"softdelete_deletion_ratio":   {limits.DeletionRatio.Fair, limits.DeletionRatio.Poor},
		"softdelete_old_deleted_rows": {limits.OldDeletedRows.Fair, limits.OldDeletedRows.Poor},
	}
	found := map[string]bool{}
	panels(t, func(t *testing.T, _ dashboard, p panel) {
		if p.Type == "table" || len(p.Targets) == 0 {
			return
		}
		// A sum over tables has no limit.
		match := selector.FindStringSubmatch(p.Targets[0].Expr)
		if want[match[1]] == nil || strings.HasPrefix(p.Targets[0].Expr, "sum") ||
			strings.HasPrefix(p.Targets[0].Expr, "count") {
			return
		}
		found[match[1]] = true
		var got []float64
		for _, step := range p.FieldConfig.Defaults.Thresholds.Steps {
			if step.Value != nil {
				got = append(got, *step.Value)
			}
		}
		if !slices.Equal(got, want[match[1]]) {
			t.Errorf("the colour changes at %v, want %v", got, want[match[1]])
		}
	})
	if len(found) != len(want) {
		t.Errorf("panels of %v were found, want all of %v", found, want)
	}
}
