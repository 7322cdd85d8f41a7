package report

import (
	"fmt"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// item is what a list of recommendations shows as one: a recommendation, or all of one kind.
type item struct {
	Title, Gain string
	Urgency     softdelete.Health
	// Of are the positions of its recommendations, in order.
	Of []int
}

// fewest is how many recommendations of one kind become one item.
const fewest = 3

// items groups the recommendations by kind. An item is where its first recommendation is.
func (r Report) items() []item {
	of := map[kind][]int{}
	for i := range r.Recommendations {
		if k := kindOf(&r.Recommendations[i]); k != (kind{}) {
			of[k] = append(of[k], i)
		}
	}
	var items []item
	for i := range r.Recommendations {
		rec := &r.Recommendations[i]
		switch all := of[kindOf(rec)]; {
		case len(all) < fewest:
			items = append(items, item{rec.Title, rec.Gain.Text, rec.Urgency, []int{i}})
		case all[0] == i:
			items = append(items, r.group(kindOf(rec), all))
		}
	}
	return items
}

// kind is what recommendations of one item have in common; empty for one that stays alone.
type kind struct {
	kind    assess.RecommendationKind
	problem indexes.Problem
	purpose indexes.Purpose
}

func kindOf(r *assess.Recommendation) kind {
	switch {
	case r.Advice != nil:
		return kind{r.Kind, r.Advice.Problem, r.Advice.Purpose}
	case r.Kind == assess.PurgeRows || r.Contradiction != nil:
		return kind{kind: r.Kind}
	default:
		return kind{}
	}
}

// group makes one item of several recommendations.
func (r Report) group(k kind, of []int) item {
	all := item{Of: of}
	tables := map[*assess.TableHealth]bool{}
	var rows, bytes int64
	about := ""
	for _, i := range of {
		rec := &r.Recommendations[i]
		all.Urgency = max(all.Urgency, rec.Urgency)
		tables[rec.Table] = true
		rows, bytes = rows+rec.Gain.Rows, bytes+rec.Gain.Bytes
		if rec.Gain.Estimated {
			about = "about "
		}
	}
	number := softdelete.Plural(len(tables), "table")
	switch {
	case k.kind == assess.PurgeRows:
		all.Title = fmt.Sprintf("Purge %s: %s%s rows.", number, about, softdelete.Millions(rows))
		all.Gain = "They are past their retention, and every scan and backup still reads them."
	case k.kind == assess.FixIntegrity:
		all.Title = fmt.Sprintf("Look at rows of %s that contradict each other.", number)
		all.Gain = "Every row is either live or deleted."
	case k.purpose == indexes.Purge:
		all.Title = fmt.Sprintf("Index the deletion times of %s for their purges.", number)
		all.Gain = lessOf(bytes, "for the purges to read")
	case k.purpose == indexes.References:
		all.Title = fmt.Sprintf("Index the rows that reference %s, for their purges.", number)
		all.Gain = lessOf(bytes, "for the purges to read")
	case k.problem == "":
		all.Title = fmt.Sprintf("Make indexes without deleted rows for %s.", number)
		all.Gain = lessOf(bytes, "to keep in memory")
	default:
		all.Title = fmt.Sprintf("Look at %s indexes of %s: %s.", softdelete.Thousands(float64(len(of))), number,
			k.problem.Label())
		all.Gain = lessOf(bytes, "to store, to keep in memory and to write")
	}
	return all
}

// lessOf says what a number of bytes is saved for; empty if there are none.
func lessOf(bytes int64, purpose string) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("About %s less %s.", softdelete.Size(bytes), purpose)
}
