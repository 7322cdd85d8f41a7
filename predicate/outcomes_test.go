package predicate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

func TestOutcomesOfExpressions(t *testing.T) {
	at := softdelete.Marker{Kind: softdelete.Timestamp, Column: "deleted_at"}
	flag := softdelete.Marker{Kind: softdelete.Flag, Column: "is_deleted"}
	infinity := softdelete.Marker{Kind: softdelete.Sentinel, Column: "until", Live: []string{"infinity"},
		Time: &softdelete.Time{Column: "until", Type: softdelete.Timestamptz, NotNull: true}}
	for _, test := range []struct {
		marker     softdelete.Marker
		expression string
		// live and deleted: null, some (NULL or not), never (never NULL), or the values.
		live, deleted string
	}{
		{at, "deleted_at", "null", "never"},
		{at, "CASE WHEN (deleted_at IS NULL) THEN true ELSE NULL::boolean END", "true", "null"},
		{at, "CASE WHEN (deleted_at IS NULL) THEN true END", "true", "null"},
		{at, "CASE WHEN (deleted_at IS NOT NULL) THEN id ELSE 0 END", "0", "some"},
		{at, "CASE WHEN f(x) THEN 1 WHEN (deleted_at IS NULL) THEN CASE WHEN g(x) THEN 2 ELSE 3 END ELSE NULL::integer END",
			"1|2|3", "some 1"},
		{at, "CASE deleted_at WHEN now THEN 1 ELSE 2 END", "some", "some"},
		{at, "date_trunc('day'::text, deleted_at)", "null", "some"},
		{at, "date_trunc('day'::text, (deleted_at AT TIME ZONE 'UTC'::text))", "null", "some"},
		{at, "EXTRACT(epoch FROM deleted_at)", "null", "some"},
		{at, "(deleted_at)::date", "null", "never"},
		{at, "(deleted_at + '1 day'::interval)", "null", "never"},
		{at, "public.date_trunc('day'::text, deleted_at)", "some", "some"},
		{at, "concat(deleted_at)", "some", "some"},
		{at, "COALESCE(deleted_at, 'infinity'::timestamp with time zone)", "infinity", "never"},
		{at, "COALESCE(deleted_at, created_at)", "some", "never"},
		{at, "(deleted_at IS NULL)", "true", "false"},
		{at, "((deleted_at IS NULL))::integer", "true", "false"},
		{at, "NULLIF((deleted_at IS NULL), false)", "true", "null"},
		{at, "lower(email)", "some", "some"},
		{at, "email", "some", "some"},
		{at, "a ; b", "some", "some"},
		{flag, "is_deleted", "false", "true"},
		{flag, "NULLIF(is_deleted, true)", "false", "null"},
		{flag, "CASE WHEN is_deleted THEN NULL::integer ELSE 1 END", "1", "null"},
		{flag, "(NOT is_deleted)", "true", "false"},
		{infinity, "until", "infinity", "never"},
		{infinity, "NULLIF(until, 'infinity'::timestamp with time zone)", "null", "some"},
	} {
		live, deleted := OutcomesOf(softdelete.Markers{test.marker}, test.expression)
		if got := outcomeText(live); got != test.live {
			t.Errorf("%s in live rows: %s, want %s", test.expression, got, test.live)
		}
		if got := outcomeText(deleted); got != test.deleted {
			t.Errorf("%s in deleted rows: %s, want %s", test.expression, got, test.deleted)
		}
	}
}

func outcomeText(o Outcomes) string {
	null := map[softdelete.Cover]string{softdelete.All: "null", softdelete.None: "never", softdelete.Some: "some"}[o.Null]
	switch {
	case o.Values == nil:
		return null
	case o.Null == softdelete.None:
		return strings.Join(o.Values, "|")
	default:
		return fmt.Sprintf("%s %s", null, strings.Join(o.Values, "|"))
	}
}
