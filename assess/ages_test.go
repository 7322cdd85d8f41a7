package assess_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// aged gives a table of 100,000 rows its oldest deletion, days ago, and classes: the rows deleted before the last 30
// days, in these days before the last 7, in the last 7, and in the future.
func aged(oldest float64, before, month, week, future int64) softdelete.Table {
	t := counted("orders", 100_000, before+month+week+future, 0)
	if oldest > 0 {
		t.Numbers.Oldest = noon.Add(-time.Duration(oldest * 24 * float64(time.Hour)))
	}
	edges := []time.Time{softdelete.AgeEdge(noon, 30), softdelete.AgeEdge(noon, 7), softdelete.AgeEdge(noon, 0)}
	t.Numbers.Ages = &softdelete.Ages{Edges: edges, Rows: []softdelete.Estimate{softdelete.Exactly(before),
		softdelete.Exactly(month), softdelete.Exactly(week), softdelete.Exactly(future)}}
	return t
}

// with changes a table.
func with(t softdelete.Table, change func(*softdelete.Table)) softdelete.Table {
	change(&t)
	return t
}

func TestWhatDeletionTimesShow(t *testing.T) {
	never := func(t *softdelete.Table) { t.Policy.Retention = 0 }
	keep := func(days int) func(*softdelete.Table) {
		return func(t *softdelete.Table) { t.Policy.Retention = time.Duration(days) * 24 * time.Hour }
	}
	const (
		// Until noon there are 29.5 days of the last 30, and 6.5 of the last 7.
		pace     = "about 1,000 of the rows still here were deleted a day in the last 30 days"
		forecast = "at this pace, with no rows added or purged, the ratio passes 50% in some "
		since    = "nothing deleted before 2025-09-29 is left"
	)
	for name, test := range map[string]struct {
		table softdelete.Table
		want  []string
	}{
		"nothing is known":       {counted("orders", 10, 1, 1), nil},
		"nothing is deleted":     {aged(0, 0, 0, 0, 0), nil},
		"no numbers":             {softdelete.Table{Schema: "public", Name: "orders"}, nil},
		"every row has its time": {aged(80, 3, 2, 1, 0), []string{"nothing deleted before 2025-12-11 is left"}},
		"a row has no time": {with(aged(80, 3, 2, 1, 0), func(t *softdelete.Table) { t.Numbers.Deleted.Value++ }),
			[]string{"the oldest deletion is of 2025-12-11"}},
		"without classes": {with(counted("orders", 10, 1, 1), func(t *softdelete.Table) {
			t.Numbers.Oldest = noon.AddDate(0, 0, -10)
		}), []string{"the oldest deletion is of 2026-02-19"}},
		"the oldest is planned": {aged(-3, 0, 0, 0, 1), nil},
		"less than a day late":  {aged(90.9, 3, 0, 0, 0), []string{"nothing deleted before 2025-11-30 is left"}},
		"a day late": {aged(91, 3, 0, 0, 0),
			[]string{"overdue by 1 day: the oldest deletion is of 2025-11-30, retention is 90 days"}},
		"months late": {aged(233.5, 3, 0, 0, 0),
			[]string{"overdue by 143 days: the oldest deletion is of 2025-07-11, retention is 90 days"}},
		"centuries late": {with(counted("orders", 10, 1, 1), func(t *softdelete.Table) {
			t.Numbers.Oldest = time.Date(4, 1, 1, 0, 0, 0, 0, time.UTC)
		}), []string{"overdue by 738,490 days: the oldest deletion is of 0004-01-01, retention is 90 days"}},
		"never purged": {with(aged(233.5, 3, 0, 0, 0), never),
			[]string{"nothing deleted before 2025-07-11 is left"}},
		"late in a sample": {with(aged(0, 3, 0, 0, 0), func(t *softdelete.Table) {
			t.Numbers.OldestSeen = noon.AddDate(0, 0, -100)
		}), []string{"overdue by at least 10 days: the sample has a deletion of 2025-11-21, retention is 90 days"}},
		"not late in a sample": {with(aged(0, 3, 0, 0, 0), func(t *softdelete.Table) {
			t.Numbers.OldestSeen = noon.AddDate(0, 0, -10)
		}), nil},

		// The pace. A row deleted in the future was not deleted.
		"a pace":            {with(aged(153, 0, 27_000, 2_500, 0), never), []string{since, pace}},
		"a pace and a plan": {with(aged(153, 0, 27_000, 2_500, 800), never), []string{since, pace}},
		"a pace in a sample": {with(aged(0, 0, 26_000, 3_500, 0), func(t *softdelete.Table) {
			t.Numbers.Ages.Rows[1].Margin = 1
		}), nil},
		"a shorter retention": {with(aged(8, 0, 100, 6_500, 0), keep(10)), []string{
			"nothing deleted before 2026-02-21 is left",
			"about 1,000 of the rows still here were deleted a day in the last 7 days"}},
		"a retention below a week": {with(aged(5, 0, 0, 6_500, 0), keep(6)),
			[]string{"nothing deleted before 2026-02-24 is left"}},

		// The forecast.
		"steady": {with(aged(153, 0, 23_000, 6_500, 0), never), []string{since, pace, forecast + "20 days"}},
		"steady, with older rows": {with(aged(153, 12_345, 23_000, 6_500, 0), never),
			[]string{since, pace, forecast + "8 days"}},
		"about to pass": {with(aged(153, 20_400, 23_000, 6_500, 0), never),
			[]string{since, pace, forecast + "1 day"}},
		"past the limit":            {with(aged(153, 20_501, 23_000, 6_500, 0), never), []string{since, pace}},
		"faster by more than twice": {with(aged(153, 0, 15_000, 14_500, 0), never), []string{since, pace}},
		"slower by more than twice": {with(aged(153, 0, 26_500, 3_000, 0), never), []string{since, pace}},
		"a low ratio": {with(aged(153, 0, 23_000, 6_500, 0), func(t *softdelete.Table) {
			t.Policy.Retention, t.Numbers.Ratio.Value = 0, 0.049
		}), []string{since, pace}},
		"more than a year ahead": {with(aged(153, 20_000, 700, 200, 0), never), []string{since,
			"about 31 of the rows still here were deleted a day in the last 30 days"}},
		"a small table": {with(aged(153, 0, 230, 65, 0), func(t *softdelete.Table) {
			t.Policy.Retention, t.Numbers.Total.Value, t.Numbers.Ratio.Value = 0, 999, 0.3
		}), []string{since,
			"about 10 of the rows still here were deleted a day in the last 30 days"}},
		"before the first purge": {with(aged(60, 0, 23_000, 6_500, 0), keep(90)), []string{
			"nothing deleted before 2025-12-31 is left", pace, forecast + "20 days"}},
		"a purge comes first": {with(aged(80, 0, 23_000, 6_500, 0), keep(90)),
			[]string{"nothing deleted before 2025-12-11 is left", pace}},
		"a purge runs": {with(aged(92, 0, 23_000, 6_500, 0), keep(90)), []string{
			"overdue by 2 days: the oldest deletion is of 2025-11-29, retention is 90 days", pace}},
		"no purge runs": {with(aged(97, 0, 23_000, 6_500, 0), keep(90)), []string{
			"overdue by 7 days: the oldest deletion is of 2025-11-24, retention is 90 days", pace,
			forecast + "20 days"}},
	} {
		if diff := cmp.Diff(test.want, assessed(t, test.table).Tables[0].Ages(noon)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAForecastIsOfTheTablesOwnLimit(t *testing.T) {
	never := func(t *softdelete.Table) { t.Policy.Retention = 0 }
	table := assessed(t, with(aged(153, 0, 23_000, 6_500, 0), never)).Tables[0]
	table.Limits.DeletionRatio.Poor = 0.695
	said := table.Ages(noon)
	const want = "at this pace, with no rows added or purged, the ratio passes 69.5% in some 40 days"
	if len(said) != 3 || said[2] != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	table.Limits.RatioMinRows.Poor = 100_001
	if said := table.Ages(noon); len(said) != 2 {
		t.Errorf("of a table whose ratio is not judged it says %q", said)
	}
}
