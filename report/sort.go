package report

import (
	"cmp"
	"slices"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
)

// Orders are the orders in which a report can list its tables: worst first; by name; by the age of the oldest deletion;
// or by another number, the largest first.
var Orders = []string{"health", "name", "ratio", "deleted", "total", "old", "oldest", "overdue", "bytes"}

// sorted returns the tables in the order of the report. Where a number is unknown the table comes last.
func (r Report) sorted() []*assess.TableHealth {
	all := make([]*assess.TableHealth, len(r.Tables))
	for i := range r.Tables {
		all[i] = &r.Tables[i]
	}
	switch r.Sort {
	case "", "health":
	case "name":
		slices.SortStableFunc(all, func(a, b *assess.TableHealth) int {
			return cmp.Or(cmp.Compare(a.Database, b.Database), cmp.Compare(a.FullName(), b.FullName()))
		})
	default:
		slices.SortStableFunc(all, func(a, b *assess.TableHealth) int {
			x, xKnown := r.value(a)
			y, yKnown := r.value(b)
			if xKnown != yKnown {
				if xKnown {
					return -1
				}
				return 1
			}
			return cmp.Compare(y, x)
		})
	}
	return all
}

// value returns the number by which the report is sorted, and whether it is known.
func (r Report) value(t *assess.TableHealth) (n float64, known bool) {
	if t.Numbers == nil {
		return 0, false
	}
	switch r.Sort {
	case "ratio":
		return t.Numbers.Ratio.Value, true
	case "deleted":
		return t.Numbers.Deleted.Value, true
	case "total":
		return t.Numbers.Total.Value, true
	case "old":
		if t.Numbers.Old != nil {
			return t.Numbers.Old.Value, true
		}
	case "oldest":
		if at := t.OldestDeletion(); !at.IsZero() {
			return -float64(at.Unix()), true
		}
	case "overdue":
		return float64(t.Overdue(r.Now)), !t.OldestDeletion().IsZero() && t.HasAges()
	case "bytes":
		if t.Numbers.DeletedBytes != nil {
			return *t.Numbers.DeletedBytes, true
		}
	}
	return 0, false
}
