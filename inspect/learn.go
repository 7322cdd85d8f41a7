package inspect

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/go-kit/log/level"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/discovery"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

const (
	// learningTime bounds what a pass spends on asking after single columns of one
	// database; the rest waits for the next pass.
	learningTime = 5 * time.Second
	// probeAgain is how long a search that found nothing, or took too long, is not repeated.
	probeAgain = 6 * time.Hour
	// probedLeaves is how many leaves of a partitioned table are searched.
	probedLeaves = 8
)

// learnt is what had to be asked of a column beside its catalog row.
type learnt struct {
	def     string
	settled softdelete.IntegerMeaning
	// unread is why it could not be asked this time, fault the panic that kept it from being
	// asked, of which the table is told.
	unread string
	fault  error
}

// lesson is a column of which something is to be learnt.
type lesson struct {
	*column
	need discovery.Need
	softdelete.ColumnFacts
}

func (l *lesson) id() softdelete.ColumnID {
	return softdelete.ColumnID{Relation: l.OID, Attnum: l.Attnum}
}

// learn finds out what the rules and the configuration need to know of columns beyond
// their catalog rows: defaults, and what integers hold. What the last Snapshot knew is
// not asked again while it holds.
func (p *pass) learn(ctx context.Context, s *postgres.Session, tables [][]column, listed map[[2]string]*config.Table) {
	d := p.databases[s.Database]
	lessons := p.lessons(s, tables, listed, d.ColumnFacts)
	p.readStatistics(ctx, s, lessons)
	deadline := time.Now().Add(learningTime)
	known := map[softdelete.ColumnID]softdelete.ColumnFacts{}
	for i := range lessons {
		l := &lessons[i]
		if l.open(p.began) && unnamed(s, l.OID, l.Schema, l.Name) == nil {
			if time.Now().After(deadline) {
				l.learnt.unread = "there was no time left for it"
			} else if err := p.catch(s, "columns", l.Schema, l.Name, func() error { return l.ask(ctx, s, p.began) }); err != nil {
				l.learnt.unread = excuse(err)
				if rescue.Is(err) {
					l.learnt.fault = err
				}
				level.Warn(p.log(ctx)).Log("msg", "cannot look at column, will try again", "datname", s.Database, "schemaname", l.Schema, "relname", l.Name, "column", l.Column, "err", err)
			}
		}
		l.learnt.def, l.learnt.settled = l.Default, l.Meaning
		known[l.id()] = l.ColumnFacts
	}
	d.Name, d.ColumnFacts = s.Database, known
	p.databases[s.Database] = d
}

// lessons are what is needed, with what is known of it already.
func (p *pass) lessons(s *postgres.Session, tables [][]column, listed map[[2]string]*config.Table, known map[softdelete.ColumnID]softdelete.ColumnFacts) []lesson {
	var all []lesson
	for _, columns := range tables {
		c := columns[0]
		entry := listed[[2]string{c.Schema, c.Name}]
		var needs map[string]discovery.Need
		err := p.catch(s, "needs", c.Schema, c.Name, func() error {
			switch {
			case entry == nil && !p.config.Discovery.Admits(c.Schema, c.Name), entry != nil && entry.Ignore:
			case entry != nil && entry.Column != "":
				needs = entry.Marker().Needs(domain(columns))
			default:
				needs = p.rules.Needs(c.Name, entry != nil, domain(columns))
			}
			return nil
		})
		if err != nil {
			columns[0].learnt.fault = err
		}
		for i := range columns {
			if need := needs[columns[i].Column]; need != discovery.NeedNothing {
				l := lesson{column: &columns[i], need: need}
				l.ColumnFacts = known[l.id()]
				all = append(all, l)
			}
		}
	}
	return all
}

// open tells whether a lesson must be asked of the table.
func (l *lesson) open(now time.Time) bool {
	if l.need == discovery.NeedDefault {
		return l.Version != l.DefaultVersion
	}
	return l.Meaning.Kind == "" && l.Readable && l.Usage && !l.RowSecurity && now.Sub(l.Probed) >= probeAgain
}

// ask asks the table, in a transaction that gives way to whoever changes it.
func (l *lesson) ask(ctx context.Context, s *postgres.Session, now time.Time) error {
	if l.need == discovery.NeedDefault {
		rows, err := postgres.Query[struct {
			Attnum     int16
			Expression string
		}](ctx, s, queries.Defaults(l.OID, []int16{l.Attnum}))
		if err != nil {
			return err
		}
		for _, r := range rows {
			l.Version, l.Default = l.DefaultVersion, r.Expression
		}
		return nil
	}
	err := l.probe(ctx, s)
	if err == nil || postgres.Code(err) == postgres.QueryCanceled {
		l.Probed = now
	}
	return err
}

// probe looks for one value of a deleted row.
func (l *lesson) probe(ctx context.Context, s *postgres.Session) error {
	leaves := []leaf{{Schema: l.Schema, Name: l.Name}}
	if l.Relkind == "p" {
		var err error
		if leaves, err = postgres.Query[leaf](ctx, s, queries.Leaves([]uint32{l.OID})); err != nil {
			return err
		}
	}
	for _, leaf := range leaves[:min(len(leaves), probedLeaves)] {
		rows, err := postgres.Query[struct{ Value float64 }](ctx, s, queries.Probe(leaf.Schema, leaf.Name, l.Column))
		if err != nil {
			return err
		}
		for _, r := range rows {
			l.Meaning = discovery.ClassifyInteger(l.need, []float64{r.Value})
			return nil
		}
	}
	return nil
}

// readStatistics settles integers by what the statistics say, which reads no table.
func (p *pass) readStatistics(ctx context.Context, s *postgres.Session, lessons []lesson) {
	var relations []uint32
	var attnames []string
	type key struct {
		oid  uint32
		name string
	}
	open := map[key]*lesson{}
	for i := range lessons {
		if l := &lessons[i]; l.need != discovery.NeedDefault && l.Meaning.Kind == "" {
			relations, attnames = append(relations, l.OID), append(attnames, l.Column)
			open[key{l.OID, l.Column}] = l
		}
	}
	if len(open) == 0 {
		return
	}
	rows, err := postgres.Query[struct {
		Relation uint32
		Column   string
		Value    float64
	}](ctx, s, queries.Statistics(relations, attnames))
	if err != nil {
		level.Warn(p.log(ctx)).Log("msg", "cannot read the statistics of columns", "datname", s.Database, "err", err)
		return
	}
	values := map[key][]float64{}
	for _, r := range rows {
		k := key{r.Relation, r.Column}
		values[k] = append(values[k], r.Value)
	}
	for k, v := range values {
		open[k].Meaning = discovery.ClassifyInteger(open[k].need, v)
	}
}

// excuse says in a few words why a table could not be asked.
func excuse(err error) string {
	return cmp.Or(map[softdelete.Reason]string{
		softdelete.Locked:   "the table was locked",
		softdelete.TimedOut: "the search for a deleted row took too long",
	}[postgres.Problem(err).Reason], fmt.Sprint(err))
}
