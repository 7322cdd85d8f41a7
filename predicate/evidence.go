package predicate

import (
	"strings"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// OnlyNull reports whether a predicate includes only rows in which a time is NULL.
func OnlyNull(column, predicate string) bool {
	return keepsOut(softdelete.Marker{Column: column, Kind: softdelete.Timestamp}, predicate)
}

// LeavesOut reports whether a predicate mentions a word and includes no row with it in a column.
func LeavesOut(column, word, predicate string) bool {
	return strings.Contains(predicate, "'"+strings.ReplaceAll(word, "'", "''")+"'") &&
		keepsOut(softdelete.Marker{Column: column, Kind: softdelete.Status, Deleted: []string{word}}, predicate)
}

// keepsOut reports whether a predicate includes only live rows, if the marker is one.
func keepsOut(m softdelete.Marker, predicate string) bool {
	scope := ScopeOf(softdelete.Markers{m}, predicate)
	return scope.Deleted == softdelete.None && scope.Live != softdelete.None
}
