package report

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/softdelete-exporter/softdelete_exporter/assess"
	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// limits are the limits that this package's tests use.
func limits() (t assess.Thresholds) {
	text := `{"response_ms": {"slow": 100}, "deletion_ratio": {"fair": 0.25, "poor": 0.5},
		"old_deleted_rows": {"fair": 1000, "poor": 10000},
		"bulk_rows": 10000, "alert_min_rows": 1000}`
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		panic(err)
	}
	return t
}

var db1 = softdelete.Server{Host: "db1.example.com", Port: 5432, Database: "shop", Version: "17.2",
	Role: softdelete.Primary}

// pings are the last pings: most are fast, one is slow, and one has no answer.
func pings() []softdelete.Ping {
	var all []softdelete.Ping
	for i := range 30 {
		p := softdelete.Ping{At: noon.Add(time.Duration(i-30) * 15 * time.Second), Up: true, Server: &db1,
			Duration: time.Duration(1500+i*i%7*300) * time.Microsecond}
		switch i {
		case 12:
			p.Duration = 130 * time.Millisecond
		case 20:
			p = softdelete.Ping{At: p.At, Err: "no answer in time", Server: &db1}
		}
		all = append(all, p)
	}
	return all
}

var checks = softdelete.Checks{Connect: true, Discovery: true, Counting: true, Indexes: true}

func stamp(column string) softdelete.Markers {
	return softdelete.Markers{{Kind: softdelete.Timestamp, Column: column,
		Time: &softdelete.Time{Column: column, Type: softdelete.Timestamptz}}}
}

// table is a table that was counted exactly one minute ago.
func table(name, service string, total, deleted, old int64) softdelete.Table {
	n := softdelete.ExactNumbers(total, deleted)
	o := softdelete.Exactly(old)
	n.Old = &o
	t := softdelete.Table{Schema: "public", Name: name, Markers: stamp("deleted_at"),
		Policy: softdelete.Policy{Service: service, Retention: 90 * day, TimeZone: "UTC"}, Purging: &softdelete.Purging{}}
	t.Succeed(n, noon.Add(-time.Minute))
	return t
}

// aged gives a table its deletion times: a part of its rows was deleted a day for each of the last days before the
// retention, and of the old rows for each of the days before it.
func aged(t softdelete.Table, recentDays, oldDays int) softdelete.Table {
	n, kept := t.Numbers, int(t.Policy.Retention/day)
	edges := softdelete.AgeEdges(t.Counted, t.Policy.Retention)
	n.Ages = &softdelete.Ages{Edges: edges, Rows: make([]softdelete.Estimate, len(edges)+1)}
	spread := func(rows float64, after, days int) {
		for i := range days {
			at := softdelete.AgeEdge(t.Counted, after+i+1)
			class := len(slices.DeleteFunc(slices.Clone(edges), at.Before))
			n.Ages.Rows[class].Value += math.Round(rows*float64(i+1)/float64(days)) - math.Round(rows*float64(i)/float64(days))
		}
	}
	spread(n.Deleted.Value-n.Old.Value, 0, recentDays)
	spread(n.Old.Value, kept, oldDays)
	n.Oldest = softdelete.AgeEdge(t.Counted, recentDays).Add(time.Hour)
	if oldDays > 0 {
		n.Oldest = softdelete.AgeEdge(t.Counted, kept+oldDays).Add(time.Hour)
	}
	return t
}

func failed(t softdelete.Table, reason softdelete.Reason, message, remedy string) softdelete.Table {
	t.Fail(softdelete.Problem{Reason: reason, Message: message, Remedy: remedy}, true, noon, time.Minute)
	return t
}

func index(name string, bytes int64, columns ...string) softdelete.Index {
	i := softdelete.Index{OID: uint32(len(name)), Schema: "public", Name: name, Method: "btree", Valid: true,
		Bytes: bytes, Scans: 1}
	for _, c := range columns {
		i.Keys = append(i.Keys, softdelete.Key{Column: c})
	}
	return i
}

// shop has a table with each kind of problem, and some without any.
func shop() *softdelete.Snapshot {
	carts := aged(table("carts", "checkout", 420000, 300000, 12345), 75, 3)
	carts.Partitioned, carts.Purging = true, purging()
	messages := aged(table("messages", "support", 900000, 40000, 21000), 90, 700)
	invalid := index("messages_thread_idx", 3<<20, "thread_id")
	invalid.Valid = false
	messages.Indexing = &softdelete.Indexing{At: noon, Bytes: 400 << 20, HOT: 1,
		Indexes: []softdelete.Index{index("messages_pkey", 20<<20, "id"), invalid,
			index("messages_purge", 1<<20, "deleted_at")}}
	messages.Purging = purging()
	messages.Purging.Keys = []softdelete.PurgeKey{{Schema: "public", Name: "customers", Key: "customers_message_fkey",
		Columns: "message"}, {Schema: "public", Name: "read marks", Key: "read", Columns: "message", Cascades: true}}
	subscribers := table("subscribers", "checkout", 5000, 40, 0)
	unique := index("subscribers_email_key", 1<<20, "email", "deleted_at")
	unique.Unique = true
	subscribers.Indexing = &softdelete.Indexing{At: noon, Bytes: 1 << 20, Indexes: []softdelete.Index{unique}}
	events := table("events", "", 10_000_000, 5_500_000, 0)
	events.Numbers.Method = "sampled"
	for _, e := range []*softdelete.Estimate{&events.Numbers.Total, &events.Numbers.Active, &events.Numbers.Deleted} {
		e.Margin = 0.05 * e.Value
	}
	events.Numbers.Ratio.Margin = 0.1
	events.Numbers.Old = &softdelete.Estimate{Value: 8000, Margin: 5000}
	events.Numbers.OldestSeen = noon.AddDate(0, 0, -120)
	events.Numbers.Ages = &softdelete.Ages{
		Edges: []time.Time{softdelete.AgeEdge(noon, 30), softdelete.AgeEdge(noon, 7), softdelete.AgeEdge(noon, 0)},
		Rows:  []softdelete.Estimate{{Value: 4e6, Margin: 4e5}, {Value: 1e6, Margin: 2e5}, {Value: 5e5, Margin: 2e5}, {}}}
	events.Purging = purging("trigger audit of public.events would run function public.audit")
	rumour := table("a_table_with_a_name_that_is_as_long_as_postgresql_lets_a_name_be", "", 1e9, 100, 0)
	rumour.Numbers.Method, rumour.Numbers.Old = "statistics", nil
	rumour.Numbers.Ages = &softdelete.Ages{Edges: []time.Time{softdelete.AgeEdge(noon, 90), softdelete.AgeEdge(noon, 0)},
		Rows: []softdelete.Estimate{{Value: 30, Margin: softdelete.NoMargin}, {Value: 70, Margin: softdelete.NoMargin}, {}}}
	for _, e := range []*softdelete.Estimate{&rumour.Numbers.Total, &rumour.Numbers.Active, &rumour.Numbers.Deleted,
		&rumour.Numbers.Ratio} {
		e.Margin = softdelete.NoMargin
	}
	posts := aged(table("posts", "content", 90000, 25000, 900), 90, 10)
	bulk := softdelete.Exactly(11000)
	posts.Numbers.Recent = &bulk
	flags := table("flags", "content", 20000, 6000, 0)
	flags.Markers, flags.Numbers.Old = softdelete.Markers{{Kind: softdelete.Flag, Column: "is_deleted"}}, nil
	posts.Markers = softdelete.Markers{{Kind: softdelete.Pair, Column: "is_deleted", Time: stamp("deleted_at")[0].Time}}
	posts.Integrity = contradictions()
	return &softdelete.Snapshot{Taken: noon.Add(-90 * time.Second), Databases: []softdelete.Database{
		{Name: "archive", Problem: &softdelete.Problem{Reason: softdelete.OtherError,
			Message: `FATAL: database "archive" does not exist (SQLSTATE 3D000)`}},
		{Name: "shop", Checks: checks, Skipped: 7, Tables: []softdelete.Table{
			rumour, carts,
			aged(table("customers", "accounts", 120000, 900, 0), 60, 0),
			failed(table("denied", "accounts", 10, 1, 0), softdelete.PermissionDenied, "no SELECT on public.denied",
				`GRANT SELECT ("deleted_at", "ctid", "tableoid") ON "public"."denied" TO "monitoring";`),
			events, flags, table("gift_cards", "checkout", 0, 0, 0),
			failed(table("locked", "", 1000, 900, 900), softdelete.Locked, "canceling statement due to lock timeout", ""),
			messages,
			{Schema: "public", Name: "pending", Markers: stamp("deletedAt"),
				Policy: softdelete.Policy{Retention: 90 * day, TimeZone: "UTC"}},
			posts, subscribers,
			table("\x1b[31mred\n<script>alert(1)</script>", "accounts", 100, 1, 0),
		}},
	}}
}

// purging is a purge that the given problems prevent.
func purging(problems ...string) *softdelete.Purging {
	return &softdelete.Purging{At: noon, Columns: "deleted_at timestamp with time zone", Owner: "shop_owner",
		Problems: problems}
}

// contradictions has every kind of contradiction, a check that found none, and checks that could not be made.
func contradictions() []softdelete.Check {
	number := func(n float64) *float64 { return &n }
	key := func(parent string) *softdelete.Reference {
		return &softdelete.Reference{Schema: "public", Name: parent, Markers: stamp("deleted_at"),
			Columns: []string{"author"}, Referenced: []string{"id"}, Operators: []string{"OPERATOR(pg_catalog.=)"}}
	}
	return []softdelete.Check{
		{Found: &softdelete.Found{Inconsistent: number(3), Future: number(1)}},
		{Constraint: "flags_author_fkey", Key: key("customers"), Found: &softdelete.Found{Orphaned: number(1234)}},
		{Constraint: "flags_event_fkey", Key: key("events"),
			Problem: &softdelete.Problem{Reason: softdelete.TooLarge,
				Message: "what it reads is larger than counting.exact_max_bytes (64MB)"}},
		{Constraint: "flags_post_fkey", Key: key("posts"),
			Problem: &softdelete.Problem{Reason: softdelete.PermissionDenied,
				Message: `no SELECT on column "id" of public.posts`,
				Remedy:  `GRANT SELECT ("id", "ctid", "tableoid") ON "public"."posts" TO "monitoring";`}},
	}
}

// troubles has a table for each reason why a table cannot be read, and one for each problem of an index.
func troubles() *softdelete.Snapshot {
	var tables []softdelete.Table
	for reason, remedy := range map[softdelete.Reason]string{
		softdelete.PermissionDenied: `GRANT SELECT ("deleted_at", "ctid", "tableoid") ON "public"."t" TO "monitoring";`,
		softdelete.RowSecurity:      `ALTER ROLE "monitoring" BYPASSRLS;`,
		softdelete.Locked:           "",
		softdelete.TimedOut:         "",
		softdelete.MarkerMissing:    "correct column: in the configuration",
		softdelete.MarkerUnclear:    "tables: [{schema: public, table: t, column: is_deleted, kind: flag}]",
		softdelete.Unsupported:      "ask the primary instead",
		softdelete.OtherError:       "",
	} {
		tables = append(tables, failed(table(string(reason), "", 1000, 100, 0), reason,
			"what PostgreSQL said of it", remedy))
	}
	unread := func(i softdelete.Index) softdelete.Index { i.Scans = 0; return i }
	unique := func(i softdelete.Index) softdelete.Index { i.Unique = true; return i }
	broken := index("name_idx", 4<<20, "name")
	broken.Valid = false
	live := index("live_idx", 1<<20, "name")
	live.Predicate, live.Scope = "(deleted_at IS NULL)", softdelete.Scope{Mentions: true, Live: softdelete.All,
		Deleted: softdelete.None}
	twin := index("name_idx1", 4<<20, "name")
	for problem, has := range map[indexes.Problem][]softdelete.Index{
		indexes.Invalid:                   {broken},
		indexes.Unused:                    {unread(index("name_idx", 4<<20, "name"))},
		indexes.Duplicate:                 {index("name_idx", 4<<20, "name"), twin},
		indexes.PlainFlag:                 {unread(index("flag_idx", 4<<20, "is_deleted"))},
		indexes.HoldsDeleted:              {index("name_idx", 40<<20, "name"), live},
		indexes.UniqueIgnoresDeleted:      {unique(index("email_key", 4<<20, "email"))},
		indexes.UniqueAllowsLiveDuplicate: {unique(index("email_key", 4<<20, "email", "deleted_at"))},
	} {
		t := table(string(problem), "", 100_000, 20_000, 0)
		switch problem {
		case indexes.HoldsDeleted:
			t = table(string(problem), "", 100_000, 80_000, 0)
		case indexes.PlainFlag:
			t.Markers, t.Numbers.Old = softdelete.Markers{{Kind: softdelete.Flag, Column: "is_deleted"}}, nil
		}
		t.Indexing = &softdelete.Indexing{At: noon, Since: noon.Add(-60 * day), Bytes: 20 << 20, HOT: 1, Indexes: has}
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b softdelete.Table) int { return a.Compare(&b) })
	return &softdelete.Snapshot{Taken: noon,
		Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: tables}}}
}

// scenes are reports of all situations, by name.
func scenes() map[string]Report {
	conditions := assess.AlertConditions{HighDeletionRatio: true, BulkOperations: true}
	scene := func(pings []softdelete.Ping, s *softdelete.Snapshot) Report {
		return Report{Assessment: assess.Assess(pings, s, limits(), conditions, noon), Version: "1.2.3"}
	}
	down := []softdelete.Ping{{At: noon, Err: `dial tcp 10.0.0.1:5432: connect: connection refused`,
		Server: &softdelete.Server{Host: "10.0.0.1", Port: 5432, Database: "shop"}}}
	one := func(tables ...softdelete.Table) *softdelete.Snapshot {
		return &softdelete.Snapshot{Taken: noon,
			Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: tables}}}
	}
	off := scene(pings(), &softdelete.Snapshot{})
	off.ConnectionOnly = true
	slow := softdelete.Ping{At: noon, Up: true, Duration: 250 * time.Millisecond, Server: &db1}
	return map[string]Report{
		"shop":    scene(pings(), shop()),
		"trouble": scene(pings(), troubles()),
		"good":    scene(pings(), one(table("customers", "", 120000, 900, 0), table("orders", "", 1234567, 1000, 0))),
		"down":    scene(down, softdelete.Empty("shop")),
		"gone":    scene(down, one(table("customers", "", 120000, 900, 0))),
		"slow":    scene(append(pings(), slow), one(table("customers", "", 120000, 900, 0))),
		"unknown": scene(pings(), one(softdelete.Table{Schema: "public", Name: "a"},
			failed(table("b", "", 10, 1, 0), softdelete.TimedOut, "canceling statement due to statement timeout", ""))),
		"none":  scene(pings(), one()),
		"first": scene(pings()[:1], softdelete.Empty("shop")),
		"off":   off,
	}
}

// thousand is a report about n tables, for benchmarks.
func thousand(n int) Report {
	services := []string{"accounts", "billing", "checkout", "content", "support", ""}
	var tables []softdelete.Table
	for i := range n {
		deleted := int64(i*i%997) * 10
		t := table(fmt.Sprintf("table_%04d", i), services[i%len(services)], 10000+int64(i), deleted, deleted/10)
		t = aged(t, 90, 300)
		switch i % 50 {
		case 7:
			t = failed(t, softdelete.Locked, "canceling statement due to lock timeout", "")
		case 9:
			t.Numbers.Method, t.Numbers.Ratio.Margin = "sampled", 0.08
		}
		tables = append(tables, t)
	}
	s := &softdelete.Snapshot{Taken: noon,
		Databases: []softdelete.Database{{Name: "shop", Checks: checks, Tables: tables}}}
	return Report{Assessment: assess.Assess(pings(), s, limits(), assess.AlertConditions{HighDeletionRatio: true}, noon),
		Version: "1.2.3"}
}
