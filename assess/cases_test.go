package assess_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/configtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// suite is one suite of mixin/tests/health_cases.json.
type suite struct {
	Name       string
	Thresholds json.RawMessage
	Cases      []struct {
		Name  string
		Pings []struct {
			Up         bool
			ResponseMS float64 `json:"response_ms"`
		}
		Tables       []caseTable
		FailedChecks map[string][]string `json:"failed_checks"`
		Connection   assess.ConnectionStatus
		Services     map[string]softdelete.Health
		// Databases are the databases of the case with their expected verdicts; null if nothing is watched in one.
		Databases map[string]*softdelete.Health
		Instance  softdelete.Health
	}
}

type caseTable struct {
	Database, Schema, Table, Service string
	Numbers                          *struct {
		Method       softdelete.Method
		Active       int64    `json:"active_rows"`
		Deleted      int64    `json:"deleted_rows"`
		RatioMargin  *float64 `json:"deletion_ratio_margin"`
		OldRows      *float64 `json:"old_deleted_rows"`
		OldRowMargin *float64 `json:"old_deleted_rows_margin"`
	}
	Problem        softdelete.Reason
	Pending        bool
	IndexProblems  []indexes.Problem `json:"index_problems"`
	MissingIndexes []indexes.Purpose `json:"missing_indexes"`
	PresentIndexes []indexes.Purpose `json:"present_indexes"`
	Health         softdelete.Health
}

// The same cases drive the tests of the mixin's recording rules.
func TestVerdictsAreThoseOfTheRecordingRules(t *testing.T) {
	var cases struct{ Suites []suite }
	text, err := os.ReadFile("../mixin/tests/health_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, s := range cases.Suites {
		limits := thresholds(t, s.Thresholds)
		for _, c := range s.Cases {
			count++
			t.Run(s.Name+"/"+c.Name, func(t *testing.T) {
				pings := []softdelete.Ping{{At: noon, Up: true, Duration: 2 * time.Millisecond}}
				if c.Pings != nil {
					pings = nil
				}
				for _, p := range c.Pings {
					pings = append(pings, softdelete.Ping{At: noon, Up: p.Up,
						Duration: time.Duration(p.ResponseMS * float64(time.Millisecond))})
				}
				snapshot, look := snapshotOf(t, slices.Sorted(maps.Keys(c.Databases)), c.FailedChecks, c.Tables)
				a := assess.AssessWith(pings, snapshot, limits, assess.AlertConditions{}, noon, look)

				if want := c.Connection; want != "" && a.Connection.Status != want {
					t.Errorf("the connection is %s, want %s", a.Connection.Status, want)
				}
				if a.Health != c.Instance {
					t.Errorf("the instance is %s, want %s", a.Health, c.Instance)
				}
				services, databases := map[string]softdelete.Health{}, map[string]softdelete.Health{}
				tables, want := map[string]string{}, map[string]string{}
				for _, s := range a.Services {
					services[s.Name] = s.Health
				}
				for _, d := range a.Databases {
					if d.Judged() {
						databases[d.Name] = d.Health
					}
				}
				wantDatabases := map[string]softdelete.Health{}
				for name, verdict := range c.Databases {
					if verdict != nil {
						wantDatabases[name] = *verdict
					}
				}
				for _, table := range a.Tables {
					tables[table.Database+"."+table.FullName()] = table.Verdict.Health.String()
				}
				for _, table := range c.Tables {
					want[table.Database+"."+table.Schema+"."+table.Table] = table.Health.String()
				}
				for _, diff := range []string{cmp.Diff(want, tables), cmp.Diff(orEmpty(c.Services), services),
					cmp.Diff(wantDatabases, databases)} {
					if diff != "" {
						t.Errorf("verdicts (-want +got):\n%s", diff)
					}
				}
			})
		}
	}
	if count < 50 {
		t.Errorf("only %d cases were read", count)
	}
}

func orEmpty(m map[string]softdelete.Health) map[string]softdelete.Health {
	if m == nil {
		return map[string]softdelete.Health{}
	}
	return m
}

// thresholds returns the limits with overrides applied, as the configuration does.
func thresholds(t *testing.T, overrides []byte) assess.Thresholds {
	t.Helper()
	if overrides == nil {
		overrides = []byte("{}")
	}
	file := filepath.Join(t.TempDir(), "limits.json")
	if err := os.WriteFile(file, overrides, 0o600); err != nil {
		t.Fatal(err)
	}
	return configtest.Load(t, "thresholds_file: "+file).Thresholds
}

// snapshotOf makes the databases and tables of a case, and the findings about their indexes.
func snapshotOf(t *testing.T, databases []string, failed map[string][]string,
	tables []caseTable) (*softdelete.Snapshot, func(*softdelete.Table) ([]indexes.Finding, []indexes.Need)) {
	t.Helper()
	s := &softdelete.Snapshot{}
	for _, name := range databases {
		s.Taken = noon
		passed := func(check string) bool { return !slices.Contains(failed[name], check) }
		s.Databases = append(s.Databases, softdelete.Database{Name: name, Checks: softdelete.Checks{
			Connect: passed("connect"), Discovery: passed("discovery"), Counting: passed("counting"),
			Indexes: passed("indexes"),
		}})
	}
	of := map[uint32]caseTable{}
	for _, c := range tables {
		n := slices.Index(databases, c.Database)
		if n < 0 {
			t.Fatalf("the case has no verdict on database %s", c.Database)
		}
		// Tables have different OIDs: their names can be the same in two databases.
		table := softdelete.Table{
			OID: uint32(len(of) + 1), Schema: c.Schema, Name: c.Table, Policy: softdelete.Policy{Service: c.Service},
			Markers: softdelete.Markers{{Kind: softdelete.Flag, Column: "deleted"}}, Waiting: c.Pending,
		}
		of[table.OID] = c
		if c.Numbers != nil {
			numbers := softdelete.ExactNumbers(c.Numbers.Active+c.Numbers.Deleted, c.Numbers.Deleted)
			numbers.Method, numbers.Ratio.Margin = c.Numbers.Method, margin(c.Numbers.RatioMargin)
			if c.Numbers.OldRows != nil {
				numbers.Old = &softdelete.Estimate{Value: *c.Numbers.OldRows, Margin: margin(c.Numbers.OldRowMargin)}
			}
			table.Numbers, table.Counted, table.Checked = numbers, noon, noon
		}
		if c.Problem != "" {
			table.Problem = &softdelete.Problem{Reason: c.Problem}
		}
		s.Databases[n].Tables = append(s.Databases[n].Tables, table)
	}
	return s, func(t *softdelete.Table) (findings []indexes.Finding, needs []indexes.Need) {
		c := of[t.OID]
		for _, p := range c.IndexProblems {
			findings = append(findings, indexes.Finding{Problem: p})
		}
		for _, p := range c.MissingIndexes {
			needs = append(needs, indexes.Need{For: p})
		}
		for _, p := range c.PresentIndexes {
			needs = append(needs, indexes.Need{For: p, Present: true})
		}
		return findings, needs
	}
}

func margin(m *float64) float64 {
	if m == nil {
		return softdelete.NoMargin
	}
	return *m
}
