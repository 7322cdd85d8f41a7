package inspect

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// provedFor is how long an answer of the planner is trusted, and how long a question that took too long is not
// repeated.
const provedFor = 24 * time.Hour

// plan is a node of a plan, as EXPLAIN writes it.
type plan struct {
	NodeType     string `json:"Node Type"`
	RelationName string `json:"Relation Name"`
	IndexName    string `json:"Index Name"`
	IndexCond    string `json:"Index Cond"`
	Plans        []plan
}

// prove asks the planner how it would run a query, once a day for each relation and question. The proof is sound if
// every node that scans the relation suits.
func (c *count) prove(ctx context.Context, l partition, name, question string,
	suits func(plan) bool) (softdelete.Proof, error) {
	asked := softdelete.Asked{Relation: l.OID, Question: name}
	if known, found := c.kept.Proofs[asked]; found {
		return known, nil
	}
	rows, err := postgres.Query[struct {
		Plan []struct{ Plan plan } `db:"QUERY PLAN"`
	}](ctx, c.session, queries.Explain(question))
	if err != nil {
		return softdelete.Proof{}, fmt.Errorf("asking how %s.%s would be read: %w", l.Schema, l.Name, err)
	}
	scans := rows[0].Plan[0].Plan.scans(l.Name)
	proof := softdelete.Proof{At: c.refresh.began,
		Sound: len(scans) > 0 && !slices.ContainsFunc(scans, func(p plan) bool { return !suits(p) })}
	if len(scans) == 1 {
		proof.Index = scans[0].IndexName
	}
	c.note(asked, proof)
	return proof, nil
}

// note keeps a proof.
func (c *count) note(asked softdelete.Asked, proof softdelete.Proof) {
	if c.kept.Proofs == nil {
		c.kept.Proofs = map[softdelete.Asked]softdelete.Proof{}
	}
	c.kept.Proofs[asked] = proof
}

// disprove prevents a question for a day.
func (c *count) disprove(l partition, name string) {
	c.note(softdelete.Asked{Relation: l.OID, Question: name}, softdelete.Proof{At: c.refresh.began})
}

// scans returns the nodes that read the relation. For a bitmap scan it returns the index instead of the heap.
func (p plan) scans(relation string) []plan {
	if p.NodeType == "Bitmap Heap Scan" && len(p.Plans) == 1 {
		return []plan{p.Plans[0]}
	}
	var found []plan
	if p.RelationName == relation {
		found = append(found, p)
	}
	for _, child := range p.Plans {
		found = append(found, child.scans(relation)...)
	}
	return found
}
