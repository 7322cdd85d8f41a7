package queries

import (
	"fmt"
	"strings"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// questions are the sections of markers.sql by name.
var questions = func() map[string]string {
	text, err := files.ReadFile("markers.sql")
	if err != nil {
		panic(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(text), "-- question: ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		sections[name] = body
	}
	return sections
}()

func ask(question string, values vars) string {
	template, ok := questions[question]
	if !ok {
		panic(fmt.Sprintf("queries: markers.sql does not answer %q", question))
	}
	return render(template, values)
}

// deleted is the predicate of the rows that any of the markers calls deleted.
func deleted(markers softdelete.Markers) string {
	return either(markers, func(m softdelete.Marker) string {
		return ask(string(m.Kind)+" deleted", vars{"column": m.Column})
	})
}

// deletedBefore is the predicate of the rows that were deleted longer than age
// ago, in the database's time. Every marker must keep a time.
func deletedBefore(markers softdelete.Markers, zone string, age time.Duration) string {
	before := ask("ago", vars{"age": fmt.Sprintf("%d seconds", int64(age.Seconds()))})
	return either(markers, func(m softdelete.Marker) string {
		return ask("deleted_before", vars{
			"deleted": ask(string(m.Kind)+" deleted", vars{"column": m.Column}),
			"time":    m.Time.Column,
			"instant": ask(string(m.Time.Type)+" instant", vars{"instant": before, "zone": zone}),
		})
	})
}

// either joins what is asked of each marker with OR.
func either(markers softdelete.Markers, predicate func(softdelete.Marker) string) string {
	predicates := make([]string, len(markers))
	for i, m := range markers {
		predicates[i] = "(" + predicate(m) + ")"
	}
	return strings.Join(predicates, " OR ")
}
