package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// schemaVersion changes if a field of the document is removed or changes its meaning. New fields do not change it.
const schemaVersion = 1

// schemaURL is where schema.json is published.
const schemaURL = "https://raw.githubusercontent.com/softdelete-exporter/softdelete_exporter/main/report/schema.json"

// JSON writes the report as the document that schema.json describes. An unknown value is absent, never 0.
func JSON(w io.Writer, r Report) error {
	return encode(w, r.document())
}

// escaped escapes characters that a terminal would act on and that the encoder leaves as they are (RFC 8259,
// 7). They occur only in strings.
func escaped(document string) string {
	var out strings.Builder
	for _, r := range document {
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// The field names are those of the Python health checker (docs/report.md), if it has them.
type document struct {
	Schema            string              `json:"$schema"`
	SchemaVersion     int                 `json:"schema_version"`
	ExporterVersion   string              `json:"exporter_version,omitempty"`
	Timestamp         time.Time           `json:"timestamp"`
	SnapshotTimestamp *time.Time          `json:"snapshot_timestamp,omitempty"`
	OverallHealth     softdelete.Health   `json:"overall_health"`
	Healthy           bool                `json:"healthy"`
	Summary           string              `json:"summary"`
	Server            *serverDoc          `json:"server,omitempty"`
	Connection        connectionDoc       `json:"connection"`
	Databases         []databaseDoc       `json:"databases"`
	Services          []serviceDoc        `json:"services"`
	Tables            []tableDoc          `json:"tables"`
	Alerts            []alertDoc          `json:"alerts"`
	Recommendations   []recommendationDoc `json:"recommendations"`
}

// serverDoc says which server it is. Tried is there if none of several hosts answered.
type serverDoc struct {
	Host     string          `json:"host,omitempty"`
	Port     int             `json:"port,omitempty"`
	Tried    []string        `json:"tried,omitempty"`
	Database string          `json:"database"`
	Version  string          `json:"version,omitempty"`
	Role     softdelete.Role `json:"role,omitempty"`
}

type connectionDoc struct {
	pingDoc
	Status assess.ConnectionStatus `json:"status"`
	Pings  []pingDoc               `json:"pings"`
}

type pingDoc struct {
	Timestamp      *time.Time `json:"timestamp,omitempty"`
	Connected      bool       `json:"connected"`
	ResponseTimeMS *float64   `json:"response_time_ms,omitempty"`
	Error          string     `json:"error,omitempty"`
}

type databaseDoc struct {
	Database string `json:"database"`
	// Health is absent if nothing is watched.
	Health        *softdelete.Health `json:"health,omitempty"`
	Checks        map[string]bool    `json:"checks"`
	Tables        int                `json:"tables"`
	TablesSkipped int                `json:"tables_skipped"`
	Problem       *problemDoc        `json:"problem,omitempty"`
}

type serviceDoc struct {
	Service string                    `json:"service"`
	Health  softdelete.Health         `json:"health"`
	Tables  map[softdelete.Health]int `json:"tables"`
}

// tableKey identifies a table in the document.
type tableKey struct {
	Database string `json:"database,omitempty"`
	Schema   string `json:"schema,omitempty"`
	Table    string `json:"table,omitempty"`
}

type tableDoc struct {
	tableKey
	Service            string            `json:"service,omitempty"`
	Marker             []string          `json:"marker"`
	MarkerKind         string            `json:"marker_kind"`
	Health             softdelete.Health `json:"health"`
	HealthAtWorst      softdelete.Health `json:"health_at_worst"`
	HealthStatus       string            `json:"health_status"`
	CleanupRecommended bool              `json:"cleanup_recommended"`
	State              softdelete.State  `json:"state"`
	Method             softdelete.Method `json:"method,omitempty"`
	Counted            *time.Time        `json:"counted_timestamp,omitempty"`
	Checked            *time.Time        `json:"checked_timestamp,omitempty"`
	Active             *float64          `json:"active_records,omitempty"`
	Deleted            *float64          `json:"deleted_records,omitempty"`
	Total              *float64          `json:"total_records,omitempty"`
	Ratio              *float64          `json:"deletion_ratio_percent,omitempty"`
	RatioMargin        *float64          `json:"deletion_ratio_margin_percent,omitempty"`
	Old                *float64          `json:"old_deleted_records,omitempty"`
	OldMargin          *float64          `json:"old_deleted_records_margin,omitempty"`
	Recent             *float64          `json:"recently_deleted_records,omitempty"`
	Oldest             *time.Time        `json:"oldest_deletion_timestamp,omitempty"`
	OldestBound        *time.Time        `json:"oldest_deletion_bound_timestamp,omitempty"`
	Ages               []ageDoc          `json:"ages,omitempty"`
	DeletedBytes       *float64          `json:"deleted_bytes,omitempty"`
	RetentionSeconds   *float64          `json:"retention_seconds,omitempty"`
	Problem            *problemDoc       `json:"problem,omitempty"`
	IndexesFound       []string          `json:"indexes_found,omitempty"`
	MissingIndexes     []indexes.Purpose `json:"missing_indexes"`
	IndexProblems      []indexDoc        `json:"index_problems"`
	Inconsistent       *float64          `json:"inconsistent_records,omitempty"`
	FutureDeleted      *float64          `json:"future_deleted_records,omitempty"`
	Orphaned           []orphansDoc      `json:"orphaned_records,omitempty"`
	Unchecked          []uncheckedDoc    `json:"integrity_problems,omitempty"`
}

// ageDoc are the rows deleted from one time until before another one. Without a time there is no such limit.
type ageDoc struct {
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	Rows   float64    `json:"rows"`
	Margin *float64   `json:"margin,omitempty"`
}

type orphansDoc struct {
	Constraint string  `json:"constraint"`
	Parent     string  `json:"parent"`
	Records    float64 `json:"records"`
}

type uncheckedDoc struct {
	Constraint string `json:"constraint,omitempty"`
	problemDoc
}

type problemDoc struct {
	Reason  softdelete.Reason `json:"reason"`
	Message string            `json:"message"`
	Remedy  string            `json:"remedy,omitempty"`
}

func newProblem(p *softdelete.Problem) *problemDoc {
	if p == nil {
		return nil
	}
	return &problemDoc{p.Reason, p.Message, p.Remedy}
}

type indexDoc struct {
	Index   string          `json:"index"`
	Problem indexes.Problem `json:"problem"`
}

type alertDoc struct {
	Condition assess.Condition `json:"condition"`
	Message   string           `json:"message"`
	tableKey
}

type recommendationDoc struct {
	Kind    assess.RecommendationKind `json:"kind"`
	Urgency softdelete.Health         `json:"urgency"`
	tableKey
	Recommendation string   `json:"recommendation"`
	Reason         string   `json:"reason"`
	Gain           gainDoc  `json:"gain"`
	Statements     []string `json:"statements"`
	Consider       []string `json:"consider_statements,omitempty"`
	Withheld       []string `json:"withheld,omitempty"`
	Remedies       []string `json:"remedies,omitempty"`
	Notes          []string `json:"notes,omitempty"`
	Source         string   `json:"source,omitempty"`
}

type gainDoc struct {
	Text      string `json:"text"`
	Rows      int64  `json:"rows,omitempty"`
	Bytes     int64  `json:"bytes,omitempty"`
	Estimated bool   `json:"estimated"`
}

func (r Report) document() document {
	d := document{
		Schema: schemaURL, SchemaVersion: schemaVersion, ExporterVersion: r.Version,
		Timestamp: r.Now.UTC(), SnapshotTimestamp: instant(r.Taken),
		OverallHealth: r.Health, Healthy: r.Healthy, Summary: r.summary(),
		Server:     newServer(r.Connection.Server()),
		Connection: connectionDoc{pingDoc: newPing(r.Connection.Ping), Status: r.Connection.Status, Pings: []pingDoc{}},
		Databases:  []databaseDoc{}, Services: []serviceDoc{}, Tables: []tableDoc{}, Alerts: []alertDoc{},
		Recommendations: []recommendationDoc{},
	}
	for _, p := range r.Connection.Pings {
		d.Connection.Pings = append(d.Connection.Pings, newPing(p))
	}
	for _, db := range r.Databases {
		c := db.Checks
		var health *softdelete.Health
		if db.Judged() {
			health = &db.Health
		}
		d.Databases = append(d.Databases, databaseDoc{
			Database: db.Name, Health: health, Tables: len(db.Tables), TablesSkipped: db.Skipped,
			Checks: map[string]bool{"connect": c.Connect, "discovery": c.Discovery, "counting": c.Counting,
				"indexes": c.Indexes},
			Problem: newProblem(db.Problem),
		})
	}
	for _, s := range r.Services {
		d.Services = append(d.Services, serviceDoc{Service: s.Name, Health: s.Health, Tables: s.Tables})
	}
	for i := range r.Tables {
		d.Tables = append(d.Tables, newTable(&r.Tables[i]))
	}
	for _, a := range r.Alerts {
		d.Alerts = append(d.Alerts, alertDoc{Condition: a.Condition, Message: a.Message, tableKey: keyOf("", a.Table)})
	}
	for i := range r.Recommendations {
		d.Recommendations = append(d.Recommendations, newRecommendation(&r.Recommendations[i]))
	}
	return d
}

func newServer(s *softdelete.Server) *serverDoc {
	if s == nil {
		return nil
	}
	return &serverDoc{s.Host, s.Port, s.Tried, s.Database, s.Version, s.Role}
}

func newPing(p softdelete.Ping) pingDoc {
	d := pingDoc{Timestamp: instant(p.At), Connected: p.Up, Error: p.Err}
	if p.Up {
		ms := p.Milliseconds()
		d.ResponseTimeMS = &ms
	}
	return d
}

func newTable(t *assess.TableHealth) tableDoc {
	d := tableDoc{
		tableKey: keyOf("", t), Service: t.Policy.Service, Marker: t.Markers.Columns(), MarkerKind: t.Markers.KindLabel(),
		Health: t.Verdict.Health, HealthAtWorst: t.Verdict.AtWorst, HealthStatus: t.Verdict.String(),
		CleanupRecommended: t.CleanupRecommended(),
		State:              t.State(), Problem: newProblem(t.Problem), MissingIndexes: []indexes.Purpose{},
		IndexProblems: []indexDoc{},
	}
	if d.Marker == nil {
		d.Marker = []string{}
	}
	if n := t.Numbers; n != nil {
		d.Method, d.Counted, d.Checked = n.Method, instant(t.Counted), instant(t.Checked)
		d.Active, d.Deleted, d.Total = whole(n.Active.Value), whole(n.Deleted.Value), whole(n.Total.Value)
		percent := 100 * n.Ratio.Value
		d.Ratio, d.RatioMargin = &percent, margin(n.Ratio, 100)
		if n.Old != nil {
			d.Old, d.OldMargin = whole(n.Old.Value), wholeMargin(*n.Old)
		}
		if n.Recent != nil {
			d.Recent = whole(n.Recent.Value)
		}
		d.Oldest, d.Ages = instant(n.Oldest), newAgeDocs(n.Ages)
		if n.Oldest.IsZero() {
			d.OldestBound = instant(n.OldestSeen)
		}
		if n.DeletedBytes != nil {
			d.DeletedBytes = whole(*n.DeletedBytes)
		}
	}
	if t.HasAges() {
		seconds := t.Policy.Retention.Seconds()
		d.RetentionSeconds = &seconds
	}
	if t.Indexing != nil {
		for _, i := range t.Indexing.Indexes {
			d.IndexesFound = append(d.IndexesFound, i.Name)
		}
	}
	d.MissingIndexes = append(d.MissingIndexes, missing(t)...)
	for _, f := range t.Findings {
		d.IndexProblems = append(d.IndexProblems, indexDoc{f.Index.Name, f.Problem})
	}
	d.integrity(t.Integrity)
	return d
}

// newAgeDocs leaves out classes without rows.
func newAgeDocs(a *softdelete.Ages) (docs []ageDoc) {
	if a == nil {
		return nil
	}
	for _, c := range a.Classes(func(time.Time) bool { return true }) {
		if c.Rows != (softdelete.Estimate{}) {
			docs = append(docs, ageDoc{instant(c.From), instant(c.To), *whole(c.Rows.Value), wholeMargin(c.Rows)})
		}
	}
	return docs
}

func (d *tableDoc) integrity(checks []softdelete.Check) {
	for _, c := range checks {
		if p := c.Problem; p != nil {
			d.Unchecked = append(d.Unchecked, uncheckedDoc{c.Constraint, *newProblem(p)})
		}
		switch {
		case c.Found == nil:
		case c.Key == nil:
			d.Inconsistent, d.FutureDeleted = c.Found.Inconsistent, c.Found.Future
		default:
			d.Orphaned = append(d.Orphaned, orphansDoc{c.Constraint, c.Key.Parent(), *c.Found.Orphaned})
		}
	}
}

func newRecommendation(r *assess.Recommendation) recommendationDoc {
	d := recommendationDoc{
		Kind: r.Kind, Urgency: r.Urgency, tableKey: keyOf(r.Database, r.Table),
		Recommendation: r.Title, Reason: r.Reason,
		Gain:     gainDoc{r.Gain.Text, r.Gain.Rows, r.Gain.Bytes, r.Gain.Estimated},
		Withheld: r.Withheld, Remedies: r.Remedies, Notes: r.Notes, Source: r.Source,
	}
	d.Statements, d.Consider = statements(r)
	if d.Statements == nil {
		d.Statements = []string{}
	}
	return d
}

func keyOf(database string, t *assess.TableHealth) tableKey {
	if t == nil {
		return tableKey{Database: database}
	}
	return tableKey{t.Database, t.Schema, t.Name}
}

// whole rounds a number of rows or bytes: also an estimate is about whole ones.
func whole(n float64) *float64 {
	n = math.Round(n)
	return &n
}

// wholeMargin is the margin of a number of rows, rounded up; absent if it has none.
func wholeMargin(e softdelete.Estimate) *float64 {
	m := margin(e, 1)
	if m != nil {
		*m = math.Ceil(*m)
	}
	return m
}

// margin is absent if a number has none.
func margin(e softdelete.Estimate, scale float64) *float64 {
	if !e.Bounded() {
		return nil
	}
	m := scale * e.Margin
	return &m
}

// instant is absent if a time is unknown, or before the years that RFC 3339 can write.
func instant(t time.Time) *time.Time {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 {
		return nil
	}
	return &t
}
