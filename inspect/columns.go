package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	// columnQuestionsTime limits how long a refresh queries single columns of one database; the rest waits for the
	// next refresh.
	columnQuestionsTime = 5 * time.Second
	// probeAgain is when a search is repeated that found nothing, or took too long.
	probeAgain = 6 * time.Hour
	// probedPartitions is how many partitions of a partitioned table are searched.
	probedPartitions = 8
)

// columnAnswer are the facts about a column that are not in its catalog row.
type columnAnswer struct {
	// born and varies are as in discovery.Column; considered is true if they are needed.
	born               []string
	varies, considered bool
	meaning            softdelete.IntegerMeaning
	// evidence is what the table's unique indexes show about it.
	evidence discovery.Evidence
	// unborn and unread are why defaults or values could not be read this time; fault is the panic that prevented
	// it, which becomes the table's problem.
	unborn, unread string
	fault          error
}

// columnQuestion is a column for which something must be read.
type columnQuestion struct {
	column *column
	need   discovery.Need
	softdelete.ColumnFacts
}

func (q *columnQuestion) id() softdelete.ColumnID {
	return softdelete.ColumnID{Relation: q.column.OID, Attnum: q.column.Attnum}
}

// answerColumnQuestions reads what the rules and the configuration need to know about columns in addition to their
// catalog rows: defaults, the meaning of integers, and evidence from unique indexes. Facts of the last Snapshot that
// are still valid are not read again.
func (r *refresh) answerColumnQuestions(ctx context.Context, s *postgres.Session, tables [][]column,
	listed map[[2]string]*config.Table) {
	d := r.databases[s.Database]
	questions := r.columnQuestions(s, tables, listed, d.ColumnFacts)
	deadline := time.Now().Add(columnQuestionsTime)
	known := r.readDefaults(ctx, s, tables, d.ColumnFacts, deadline)
	r.readStatistics(ctx, s, questions)
	for i := range questions {
		q := &questions[i]
		var unread string
		if q.open(r.began) && unnamed(s, q.column.OID, q.column.Schema, q.column.Name) == nil {
			if time.Now().After(deadline) {
				unread = "there was no time left to read it"
				r.revisit(s.Database)
			} else if err := r.catchStep(s, "columns", q.column.Schema, q.column.Name,
				func() error { return q.ask(ctx, s, r.began) }); err != nil {
				unread = whyUnread(err)
				r.revisit(s.Database)
				if rescue.Is(err) {
					q.column.answer.fault = err
				}
				level.Warn(r.log(ctx)).Log("msg", "cannot inspect a column; will try again", "datname", s.Database, "schemaname",
					q.column.Schema, "relname", q.column.Name, "column", q.column.Column, "err", err)
			}
		}
		if q.need == discovery.NeedEvidence {
			r.noteEvidence(s, q, unread)
		} else {
			q.column.answer.meaning, q.column.answer.unread = q.Meaning, unread
		}
		q.Constants, q.Zero = known[q.id()].Constants, known[q.id()].Zero
		known[q.id()] = q.ColumnFacts
	}
	d.Name, d.ColumnFacts = s.Database, known
	r.databases[s.Database] = d
}

// columnQuestions returns the columns for which something is needed, with what is known already.
func (r *refresh) columnQuestions(s *postgres.Session, tables [][]column, listed map[[2]string]*config.Table,
	known map[softdelete.ColumnID]softdelete.ColumnFacts) []columnQuestion {
	var all []columnQuestion
	for _, columns := range tables {
		c := columns[0]
		entry := listed[[2]string{c.Schema, c.Name}]
		var needs map[string]discovery.Need
		var considered []string
		err := r.catchStep(s, "needs", c.Schema, c.Name, func() error {
			name, settings := r.settings(s, columns, entry)
			switch {
			case r.config.LeftOut(name, entry, settings) != "":
			case settings.Column != "":
				needs = settings.Marker().Needs(discoveryColumns(columns))
				considered = []string{settings.Column, settings.TimeColumn}
			default:
				needs = r.rules.Needs(c.Schema, c.Name, entry != nil, discoveryColumns(columns))
				considered = r.rules.Considered(c.Schema, c.Name, entry != nil, discoveryColumns(columns))
			}
			return nil
		})
		if err != nil {
			columns[0].answer.fault = err
		}
		for i := range columns {
			columns[i].answer.considered = slices.Contains(considered, columns[i].Column)
			if need := needs[columns[i].Column]; need != discovery.NeedNothing {
				q := columnQuestion{column: &columns[i], need: need}
				q.ColumnFacts = known[q.id()]
				all = append(all, q)
			}
		}
	}
	return all
}

// open reports whether the table must be queried.
func (q *columnQuestion) open(now time.Time) bool {
	if q.need == discovery.NeedEvidence {
		return q.ColumnFacts.UniquenessVersion != q.column.UniquenessVersion
	}
	return q.Meaning.Kind == "" && q.column.Readable && q.column.Usage && !q.column.RowSecurity &&
		now.Sub(q.Probed) >= probeAgain
}

// ask queries the table, in a transaction that gives way to others that change it.
func (q *columnQuestion) ask(ctx context.Context, s *postgres.Session, now time.Time) error {
	if q.need == discovery.NeedEvidence {
		return q.askIndexes(ctx, s)
	}
	err := q.probe(ctx, s, now)
	if err == nil || postgres.Code(err) == postgres.QueryCanceled {
		q.Probed = now
	}
	return err
}

// probe looks for one value of a deleted row.
func (q *columnQuestion) probe(ctx context.Context, s *postgres.Session, now time.Time) error {
	partitions := []partition{{Schema: q.column.Schema, Name: q.column.Name}}
	if q.column.Relkind == "p" {
		var err error
		if partitions, err = postgres.Query[partition](ctx, s, queries.Partitions([]uint32{q.column.OID})); err != nil {
			return err
		}
	}
	for _, partition := range partitions[:min(len(partitions), probedPartitions)] {
		rows, err := postgres.Query[struct{ Value float64 }](ctx, s,
			queries.Probe(partition.Schema, partition.Name, q.column.Column, q.column.answer.born))
		if err != nil {
			return err
		}
		for _, r := range rows {
			q.Meaning = discovery.ClassifyInteger(q.need, []float64{r.Value}, q.column.answer.born, now)
			return nil
		}
	}
	return nil
}

// readStatistics determines the meaning of integers from the statistics, which reads no table.
func (p *refresh) readStatistics(ctx context.Context, s *postgres.Session, questions []columnQuestion) {
	var relations []uint32
	var attnames []string
	type key struct {
		oid  uint32
		name string
	}
	open := map[key]*columnQuestion{}
	for i := range questions {
		if q := &questions[i]; q.need != discovery.NeedEvidence && q.Meaning.Kind == "" {
			relations, attnames = append(relations, q.column.OID), append(attnames, q.column.Column)
			open[key{q.column.OID, q.column.Column}] = q
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
		p.revisit(s.Database)
		level.Warn(p.log(ctx)).Log("msg", "cannot read the statistics of columns", "datname", s.Database, "err", err)
		return
	}
	values := map[key][]float64{}
	for _, r := range rows {
		k := key{r.Relation, r.Column}
		values[k] = append(values[k], r.Value)
	}
	for k, v := range values {
		open[k].Meaning = discovery.ClassifyInteger(open[k].need, v, open[k].column.answer.born, p.began)
	}
}

// whyUnread says in a few words why a table could not be read.
func whyUnread(err error) string {
	return cmp.Or(map[softdelete.Reason]string{
		softdelete.Locked:   "the table was locked",
		softdelete.TimedOut: "the search for a deleted row took too long",
	}[postgres.Problem(err).Reason], fmt.Sprint(err))
}
