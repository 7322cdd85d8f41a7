package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// view is the report in the form that the page needs: everything is decided, and all numbers are formatted.
type view struct {
	Health, Title, Summary string
	// Server describes the server, and Name is a short name for it; both are empty if it is not known.
	Server, Name string
	Version      string
	Made         stampView
	Looked       *stampView
	Databases    []databaseView
	Services     []serviceView
	Connection   connectionView
	Shares       []shareView
	Alerts       []string
	// ManyAlerts says how many there are of each condition; empty if they are few.
	ManyAlerts string
	Todo       []itemView
	// More are the items that are shown on request.
	More   []itemView
	Tables []tableView
	// ManyDatabases is true if a table's name alone may be ambiguous.
	ManyDatabases bool
	// AnyAges is true if a table has a picture of its ages.
	AnyAges bool
}

// stampView is a time, for people and for programs.
type stampView struct{ Machine, Text, Age string }

type databaseView struct{ Health, Name, Note string }

type serviceView struct {
	Health, Name, Note string
	Shares             []shareView
}

// shareView is the share of tables with one verdict. Start and Width are percentages.
type shareView struct {
	Health, Count string
	Start, Width  string
}

type connectionView struct {
	Health, Status, Time, Answers string
	Spark                         sparkline
}

// itemView is a recommendation or, if Title is not empty, several of one kind.
type itemView struct {
	Urgency, Title, Gain string
	Recommendations      []recommendationView
}

type recommendationView struct {
	ID                   int
	Urgency              string
	Title, Reason, Gain  string
	Notes                []string
	Statements, Consider string
	// Considering introduces Consider.
	Considering string
	Remedies    []string
	Source      string
}

type tableView struct {
	Health, Database, Schema, Name, Service string
	Verdict, Range                          string
	// Numbers are what the page sorts by: order of health, total, deleted, ratio, old rows, time of the last check,
	// age of the oldest deletion in days, days overdue, and bytes of deleted rows; -1 if unknown.
	Numbers                       string
	Known                         bool
	Active, Deleted, Total, Ratio string
	Old, Margin                   string
	Oldest, Overdue, Size         string
	Bar                           *barView
	Ages                          *agesView
	Checked                       *stampView
	Facts                         []string
	Recommendations               []int
}

// barView is a bar from 0 to 100, with a whisker for the margin.
type barView struct {
	Deleted              string
	Whisker              bool
	Low, High            string
	FairLimit, PoorLimit string
}

// fewAlerts is how many alerts are all visible at first.
const fewAlerts = 6

// shown is how many items are visible at first.
const shown = 5

func newView(r Report) view {
	v := view{
		Health: r.Health.String(), Title: title(r.Health.String()), Summary: r.summary(), Version: r.Version,
		Server: r.server(),
		Made:   newStamp(r.Now, r.Now), ManyDatabases: len(r.Databases) > 1, Connection: newConnection(r),
		Shares: shares(r.Count(), len(r.Tables)),
	}
	if s := r.Connection.Server(); s != nil {
		v.Name = s.Name()
	}
	if !r.Taken.IsZero() {
		looked := newStamp(r.Now, r.Taken)
		v.Looked = &looked
	}
	for _, d := range r.Databases {
		verdict := ""
		if d.Judged() {
			verdict = d.Health.String()
		}
		v.Databases = append(v.Databases, databaseView{verdict, d.Name, note(d)})
	}
	for _, s := range r.Services {
		n := total(s.Tables)
		v.Services = append(v.Services, serviceView{s.Health.String(), s.Name, softdelete.Plural(n, "table"),
			shares(s.Tables, n)})
	}
	for _, a := range r.alerts() {
		v.Alerts = append(v.Alerts, a.Message)
	}
	if len(r.alerts()) > fewAlerts {
		v.ManyAlerts = r.conditions()
	}
	of := map[*assess.TableHealth][]int{}
	recs, purges := make([]recommendationView, len(r.Recommendations)), 0
	for i := range r.Recommendations {
		recs[i] = newRecommendationView(i+1, &r.Recommendations[i])
		if r.Recommendations[i].Kind == assess.PurgeRows {
			if purges++; purges > scripts {
				recs[i].Statements = "" // its notes have the command that prints it
			}
		}
		if t := r.Recommendations[i].Table; t != nil {
			of[t] = append(of[t], i+1)
		}
	}
	for i, one := range r.items() {
		item := itemView{Urgency: one.Urgency.String()}
		if len(one.Of) > 1 {
			item.Title, item.Gain = one.Title, one.Gain
		}
		for _, n := range one.Of {
			item.Recommendations = append(item.Recommendations, recs[n])
		}
		if i < shown {
			v.Todo = append(v.Todo, item)
		} else {
			v.More = append(v.More, item)
		}
	}
	for i := range r.Tables {
		t := newTableView(r, i, &r.Tables[i])
		t.Recommendations = of[&r.Tables[i]]
		v.Tables, v.AnyAges = append(v.Tables, t), v.AnyAges || t.Ages != nil
	}
	return v
}

func newStamp(now, at time.Time) stampView {
	at = at.UTC()
	return stampView{at.Format(time.RFC3339), at.Format("2006-01-02 15:04:05 UTC"), age(now, at)}
}

func shares(counts map[softdelete.Health]int, total int) []shareView {
	var all []shareView
	start := 0.0
	for _, h := range order {
		if n := counts[h]; n > 0 {
			width := 100 * float64(n) / float64(total)
			all = append(all, shareView{h.String(), softdelete.Thousands(float64(n)), percentage(start), percentage(width)})
			start += width
		}
	}
	return all
}

func newConnection(r Report) connectionView {
	c := connectionView{Health: r.Connection.Health.String(), Status: string(r.Connection.Status)}
	if r.Connection.Ping.Up {
		c.Time = milliseconds(r.Connection.Ping.Milliseconds())
	}
	if len(r.Connection.Pings) > 1 {
		c.Answers, c.Spark = r.answers(), spark(r.Connection.Pings)
	}
	return c
}

// scripts is how many scripts of purges a page has: each takes 25 kB.
const scripts = 10

func newRecommendationView(id int, r *assess.Recommendation) recommendationView {
	run, consider := statements(r)
	return recommendationView{
		ID: id, Urgency: r.Urgency.String(), Title: r.Title, Reason: r.Reason, Gain: r.Gain.Text, Notes: r.Notes,
		Statements: strings.Join(run, "\n"), Consider: strings.Join(consider, "\n"), Considering: considering(run),
		Remedies: r.Remedies, Source: r.Source,
	}
}

func newTableView(r Report, order int, t *assess.TableHealth) tableView {
	v := tableView{
		Health: t.Verdict.Health.String(), Database: t.Database, Schema: t.Schema, Name: t.Name, Service: t.Policy.Service,
		Verdict: t.Reasons(), Range: t.Verdict.Range(),
	}
	sort := []float64{float64(order), -1, -1, -1, -1, -1, -1, -1, -1}
	if n := t.Numbers; n != nil {
		checked := newStamp(r.Now, t.Checked)
		v.Known, v.Checked = true, &checked
		v.Active, v.Deleted, v.Total, v.Ratio = rows(n.Active), rows(n.Deleted), rows(n.Total), ratio(n.Ratio)
		v.Bar = bar(n.Ratio, t.Limits.DeletionRatio)
		if a := newAges(t); a != nil {
			v.Ages = a.view(order)
		}
		sort[1], sort[2], sort[3], sort[5] = n.Total.Value, n.Deleted.Value, n.Ratio.Value, float64(t.Checked.Unix())
		if n.Old != nil {
			v.Old, sort[4] = rows(*n.Old), n.Old.Value
		}
		v.Oldest, v.Overdue, v.Size = oldest(t), overdue(r, t), deadSize(t)
		if at := t.OldestDeletion(); !at.IsZero() {
			sort[6] = max(0, r.Now.Sub(at).Hours()/24)
			if t.HasAges() {
				sort[7] = float64(t.Overdue(r.Now))
			}
		}
		if n.DeletedBytes != nil {
			sort[8] = *n.DeletedBytes
		}
	}
	numbers := make([]string, len(sort))
	for i, n := range sort {
		numbers[i] = strconv.FormatFloat(math.Round(n*1e4)/1e4, 'f', -1, 64)
	}
	v.Numbers = strings.Join(numbers, " ")
	v.Facts = facts(r.Now, t)
	return v
}

// facts returns what does not fit into the row, in a few words each.
func facts(now time.Time, t *assess.TableHealth) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if p := t.Problem; p != nil {
		add("%s", p.Message)
	}
	if n := t.Numbers; n != nil {
		add("%s active, %s deleted", rows(n.Active), rows(n.Deleted))
		if n.Old != nil {
			old := rows(*n.Old)
			if n.Old.Bounded() && n.Old.Margin > 0 {
				old += " ±" + softdelete.Thousands(n.Old.Margin)
			}
			add("%s past the retention of %s", old, softdelete.Days(t.Policy.Retention))
		}
		if n.Recent != nil {
			add("%s%s deleted recently", n.AtLeast(), rows(*n.Recent))
		}
		for _, words := range t.Ages(now) {
			add("%s", words)
		}
		if n.DeletedBytes != nil && *n.DeletedBytes > 0 {
			add("about %s of deleted rows", softdelete.Size(int64(*n.DeletedBytes)))
		}
		add("%s, counted in %s", n.Method, milliseconds(float64(n.Duration)/float64(time.Millisecond)))
	}
	if len(t.Markers) > 0 {
		add("marked by %s (%s)", t.Markers.Label(), t.Markers.KindLabel())
	}
	if t.Policy.Service != "" {
		add("service %s", t.Policy.Service)
	}
	for _, f := range t.Findings {
		add("index %s: %s", f.Index.Name, f.Problem.Label())
	}
	for _, p := range missing(t) {
		add("%s", p.Missing())
	}
	return append(all, integrity(t)...)
}

func bar(ratio softdelete.Estimate, limits assess.Levels) *barView {
	b := &barView{
		Deleted:   percentage(100 * ratio.Value),
		FairLimit: percentage(100 * limits.Fair), PoorLimit: percentage(100 * limits.Poor),
	}
	if ratio.Bounded() && ratio.Margin > 0 {
		b.Whisker = true
		b.Low, b.High = percentage(100*ratio.Low()), percentage(100*min(1, ratio.High()))
	}
	return b
}

// percentage writes a length for SVG, accurate to less than a pixel.
func percentage(p float64) string { return strconv.FormatFloat(p, 'f', 2, 64) + "%" }
