package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func asJSON(t *testing.T, r Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := JSON(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaURL, parsed); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaURL)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSON(t *testing.T) {
	s := schema(t)
	for name, r := range scenes() {
		t.Run(name, func(t *testing.T) {
			got := asJSON(t, r)
			if slices.Contains([]string{"shop", "down", "none"}, name) {
				golden(t, name+".json", got)
			}
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(document); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
}

// The reports of two servers are told apart in every form.
func TestEveryFormOfTheReportSaysWhichServerItIs(t *testing.T) {
	for _, test := range []struct {
		server           *softdelete.Server
		told, name, json string
	}{
		{&db1, "Server db1.example.com:5432, database shop, PostgreSQL 17.2, primary.", "db1.example.com:5432/shop",
			`"host": "db1.example.com"`},
		{&softdelete.Server{Host: "::1", Port: 5433, Database: "shop", Version: "14.9", Role: softdelete.Standby},
			"Server [::1]:5433, database shop, PostgreSQL 14.9, standby.", "[::1]:5433/shop", `"port": 5433`},
		{&softdelete.Server{Tried: []string{"a:1", "b:2"}, Database: "shop"}, "Server a:1, b:2, database shop.",
			"a:1, b:2/shop", `"tried": [`},
		{nil, "", "", ""},
	} {
		lost := softdelete.Ping{At: noon, Err: "no answer in time"}
		all := []softdelete.Ping{{At: noon, Up: true}, {At: noon, Err: "lost", Server: test.server}, lost}
		r := Report{Assessment: assess.Assess(all, shop(), limits(), assess.AlertConditions{}, noon)}
		if test.server == nil {
			if text := asText(t, r, false) + string(asJSON(t, r)); strings.Contains(text, "Server ") ||
				strings.Contains(text, `"server"`) {
				t.Errorf("it makes a server up: %s", text)
			}
			continue
		}
		if text := asText(t, r, false); !strings.Contains(text, test.told+"\n") {
			t.Errorf("the text does not say %q", test.told)
		}
		if json := string(asJSON(t, r)); !strings.Contains(json, test.json) {
			t.Errorf("the JSON does not have %s", test.json)
		}
		html := asHTML(t, r, false)
		told := strings.TrimSuffix(strings.TrimPrefix(test.told, "Server "), ".")
		for _, want := range []string{"· " + test.name + " ·", "<bdi>" + told + "</bdi>"} {
			if !strings.Contains(html, want) {
				t.Errorf("the page does not have %q", want)
			}
		}
	}
}

// A sample gives fractions of rows, which nobody can count.
func TestCountsAreWholeNumbers(t *testing.T) {
	sampled := aged(table("s", "", 60000, 40000, 37500), 90, 30)
	n := sampled.Numbers
	for _, e := range []*softdelete.Estimate{&n.Total, &n.Active, &n.Deleted, n.Old} {
		*e = softdelete.Estimate{Value: e.Value + 0.4, Margin: 12.3}
	}
	for i := range n.Ages.Rows {
		n.Ages.Rows[i] = softdelete.Estimate{Value: n.Ages.Rows[i].Value + 0.3, Margin: 1.5}
	}
	size := 8192.7
	n.DeletedBytes = &size
	d := newTable(&assess.TableHealth{Table: &sampled})
	got := []*float64{d.Active, d.Deleted, d.Total, d.Old, d.OldMargin, d.DeletedBytes}
	for i := range d.Ages {
		got = append(got, &d.Ages[i].Rows, d.Ages[i].Margin)
	}
	for _, v := range got {
		if *v != float64(int64(*v)) {
			t.Errorf("%g is no whole number", *v)
		}
	}
	if *d.Total != 60000 || *d.OldMargin != 13 || len(d.Ages) < 10 {
		t.Errorf("total %g, margin %g, %d ages", *d.Total, *d.OldMargin, len(d.Ages))
	}
}

// PostgreSQL's times begin in 4713 BC, and one such row must not cost the document.
func TestATimeBeforeChristIsAbsent(t *testing.T) {
	for year, want := range map[int]bool{-4712: false, -1: false, 0: true, 1999: true} {
		orders := table("orders", "", 1000, 10, 10)
		orders.Numbers.Oldest = time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)
		s := &softdelete.Snapshot{Taken: noon,
			Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: []softdelete.Table{orders}}}}
		r := Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{}, noon)}
		if got := strings.Contains(string(asJSON(t, r)), "oldest_deletion_timestamp"); got != want {
			t.Errorf("year %d: the oldest deletion is shown %t, want %t", year, got, want)
		}
	}
}

func TestAPurgeThatMayDoMoreHasNoStatement(t *testing.T) {
	for problem, statements := range map[string]int{"": 1, "public.items references it by key": 0} {
		carts := table("carts", "", 420000, 300000, 12345)
		if problem != "" {
			carts.Purging = &softdelete.Purging{Problems: []string{problem}}
		}
		s := &softdelete.Snapshot{Taken: noon,
			Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: []softdelete.Table{carts}}}}
		got := (Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{},
			noon)}).document().Recommendations[0]
		if got.Kind != "purge" || len(got.Statements) != statements || strings.Join(got.Withheld, "; ") != problem {
			t.Errorf("%q: %+v", problem, got)
		}
	}
}

func TestTheSchemaRefusesWhatIsNoReport(t *testing.T) {
	s, good := schema(t), string(asJSON(t, scenes()["shop"]))
	for name, replace := range map[string][2]string{
		"an unknown verdict": {`"overall_health": "poor"`, `"overall_health": "bad"`},
		"a ratio above all":  {`"deletion_ratio_percent": 30`, `"deletion_ratio_percent": 300`},
		"a time in words":    {`"timestamp": "2026-03-01T12:00:00Z"`, `"timestamp": "noon"`},
		"a missing field":    {`"healthy": false,`, ""},
		"another version":    {`"schema_version": 1`, `"schema_version": 2`},
	} {
		bad := strings.Replace(good, replace[0], replace[1], 1)
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == good {
			t.Fatalf("%s: nothing was replaced, or the result is not JSON: %v", name, err)
		}
		if s.Validate(document) == nil {
			t.Errorf("it accepts %s", name)
		}
	}
}

// The schema contains every field that the document can have, even if no test sets it.
func TestTheSchemaKnowsEveryField(t *testing.T) {
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(where string, of reflect.Type, schema map[string]any)
	walk = func(where string, of reflect.Type, node map[string]any) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			if of.Kind() == reflect.Slice {
				node, _ = node["items"].(map[string]any)
			}
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[document]().PkgPath() {
			return
		}
		if ref, ok := node["$ref"].(string); ok {
			node = schema["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		properties, _ := node["properties"].(map[string]any)
		known := map[string]bool{}
		for _, field := range reflect.VisibleFields(of) {
			if field.Anonymous {
				continue
			}
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			known[name] = true
			property, ok := properties[name].(map[string]any)
			if !ok {
				t.Errorf("the schema has no %s.%s", where, name)
				continue
			}
			count++
			walk(where+"."+name, field.Type, property)
		}
		for name := range properties {
			if !known[name] {
				t.Errorf("the document has no %s.%s", where, name)
			}
		}
	}
	walk("report", reflect.TypeFor[document](), schema)
	if count < 60 {
		t.Errorf("only %d fields were seen", count)
	}
}

// The schema lists every problem of an index.
func TestTheSchemaListsTheProblemsOfIndexes(t *testing.T) {
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range indexes.Descriptions() {
		if !strings.Contains(string(text), fmt.Sprintf("%q", p.Problem)) {
			t.Errorf("schema.json lacks the problem %s", p.Problem)
		}
	}
}
