package inspect

import (
	"fmt"
	"slices"
	"strings"
)

// bornTable is a generated table. For each of its rows it is known whether it is live.
type bornTable struct {
	// about says how the table is made and used.
	about string
	// column is its deciding column; script makes the table and its rows.
	column string
	script strings.Builder
	// live and deleted are the numbers of rows; old is the number of deleted rows that are past retention, if that can
	// be known.
	live, deleted, old int
	// decidable means that a careful person who sees the table knows which rows are deleted.
	decidable bool
}

// How many rows there are for each way to write live or deleted ones. A live row that is counted as deleted would show
// in the number.
const (
	bornLive    = 40
	bornDeleted = 3
)

// newBorn makes a table without rows. The deciding column is named in about.
func newBorn(column, columns string) *bornTable {
	b := &bornTable{about: columns, column: column, decidable: true}
	b.sql(`CREATE TABLE %%s (note int%s);`, columns)
	return b
}

// newKeyed makes a table whose rows have keys, which deleted rows may contain. The keys begin at numbers that look
// like seconds of 1973, or of 2020.
func newKeyed(column, columns string, start int) *bornTable {
	b := newBorn(column, fmt.Sprintf(", id bigint GENERATED ALWAYS AS IDENTITY (START %d) PRIMARY KEY%s", start, columns))
	b.about = columns
	return b
}

// sql adds a statement. %s is the table.
func (b *bornTable) sql(format string, values ...any) { fmt.Fprintf(&b.script, format+"\n", values...) }

// rows adds rows with these values in their columns; without values, with the defaults.
func (b *bornTable) rows(written string, n int) {
	if written == "" {
		b.sql(`INSERT INTO %%s (note) SELECT i FROM generate_series(1, %d) i;`, n)
		return
	}
	b.sql(`INSERT INTO %%s (%s, note) SELECT %s, i FROM generate_series(1, %d) i;`, b.column, written, n)
}

// lives adds live rows, some for each way to write them.
func (b *bornTable) lives(written ...string) *bornTable {
	for _, w := range written {
		b.rows(w, bornLive)
		b.live += bornLive
	}
	b.about += fmt.Sprintf(", live %q", written)
	return b
}

// deletes adds deleted rows, some for each way to write them.
func (b *bornTable) deletes(written ...string) *bornTable {
	for _, w := range written {
		b.rows(w, bornDeleted)
		b.deleted += bornDeleted
		if strings.Contains(w, "1 year") {
			b.old += bornDeleted
		}
	}
	b.about += fmt.Sprintf(", deleted %q", written)
	return b
}

// undecidable marks a table that nobody could decide.
func (b *bornTable) undecidable() *bornTable {
	b.decidable = false
	return b
}

// born is a default: its expression and its value; empty for NULL.
type born struct {
	sql, value string
	// varies means that it is not a constant, or perhaps not.
	varies bool
}

func (d born) String() string {
	if d.sql == "" {
		return ""
	}
	return " DEFAULT (" + d.sql + ")"
}

// literals returns defaults that are written as their values.
func literals(values ...string) []born {
	all := []born{{}, {sql: "NULL"}}
	for _, v := range values {
		all = append(all, born{sql: v, value: v})
	}
	return all
}

// bornTables returns all generated tables.
func bornTables() []*bornTable {
	return slices.Concat(bornTimes(), bornIntegers(), bornFlags(), bornLetters(), bornStatuses(), bornPairs())
}

// deletions are the ways to write deleted rows with a time: one by one, or many at once.
var deletions = [][]string{
	{"now() - i * interval '25 hours'", "now() - i * interval '3 hours' - interval '1 year'"},
	{"now() - interval '1 year' - interval '3 hours 7 seconds'"},
}

// bornTimes returns tables with a time.
func bornTimes() []*bornTable {
	var all []*bornTable
	defaults := slices.Concat(literals("'1970-01-01'", "'0001-01-01'", "'1999-01-01'", "'infinity'", "'9999-12-31'",
		"'2000-02-03'"), []born{{sql: "now()", varies: true}, {sql: "born_at()", varies: true}})
	calls := []born{{sql: "to_timestamp(0)", value: "'1970-01-01'"},
		{sql: "'1970-01-01'::timestamp AT TIME ZONE 'UTC'", value: "'1970-01-01'"},
		{sql: "'1999-01-01'::text::timestamptz", varies: true}}
	for n, typ := range []string{"timestamptz", "timestamp", "timestamp(0)", "date", "moment", "checked_moment"} {
		for _, d := range slices.Concat(defaults, calls[:len(calls)*(1-min(n, 1))]) {
			for m, null := range []string{"", " NOT NULL"} {
				for k, live := range [][]string{{""}, {"NULL"}, {"", "NULL"}} {
					nulls := slices.Contains(live, "NULL") || d.value == "" && !d.varies
					if (null == "" || !nulls) && (n == 0 || (n+m+k)%2 == 0) {
						b := newBorn("deleted_at", fmt.Sprintf(", deleted_at %s%s%s", typ, null, d)).lives(live...)
						b.deletes(deletions[(n+m+k)%2]...).decidable = !d.varies
						all = append(all, b)
					}
				}
			}
		}
		// The zero time of Go's libraries, with NULL and another default, and other old times.
		for _, d := range []born{{}, {sql: "'1999-01-01'"}} {
			all = append(all,
				newBorn("deleted_at", fmt.Sprintf(", deleted_at %s%s", typ, d)).lives("", "'0001-01-01'").deletes(deletions[0]...),
				newBorn("deleted_at", fmt.Sprintf(", deleted_at %s%s", typ, d)).lives("'1900-01-01'").deletes(deletions[0]...).
					undecidable(),
				newBorn("deleted_at", fmt.Sprintf(", deleted_at %s%s", typ, d)).lives("'0001-01-01'", "'1970-01-01'").
					deletes(deletions[0]...).undecidable())
		}
		// A changed default, which the catalogs have forgotten.
		if typ != "date" {
			for _, d := range []born{{}, {sql: "'1970-01-01'"}} {
				all = append(all, newBorn("deleted_at", fmt.Sprintf(", deleted_at %s%s", typ, d)).
					lives("", "'2000-01-01'").deletes(deletions[0]...).undecidable())
			}
		}
		// The value that existing rows got when the column was added.
		for _, old := range []string{"'1999-01-01'", "'infinity'", "now() - interval '2 years'"} {
			if typ == "checked_moment" {
				break // the whole table is rewritten, and no default is left
			}
			b := newBorn("deleted_at", "").lives("")
			b.sql(`ALTER TABLE %%s ADD deleted_at %s DEFAULT %s; ALTER TABLE %%[1]s ALTER deleted_at DROP DEFAULT;`, typ, old)
			b.about = fmt.Sprintf("deleted_at %s added with %s", typ, old)
			all = append(all, b.lives("").deletes(deletions[0]...))
		}
	}
	// The default of a domain, and of a column that overrides it.
	all = append(all,
		newBorn("deleted_at", ", deleted_at since").lives("", "NULL").deletes(deletions[0]...),
		newBorn("deleted_at", ", deleted_at since DEFAULT NULL").lives("").deletes(deletions[0]...),
		newBorn("deleted_at", ", deleted_at since DEFAULT '2001-02-03'").lives("").deletes(deletions[0]...),
		newBorn("deleted_at", ", deleted_at since_now").lives("").deletes(deletions[0]...).undecidable())
	return all
}

// epochIn returns a time as a number of units.
func epochIn(unit string, time string) string {
	perSecond := map[string]string{"s": "1", "ms": "1000", "us": "1000000", "ns": "1000000000"}[unit]
	return fmt.Sprintf("(extract(epoch FROM %s) * %s)::int8", time, perSecond)
}

// bornIntegers returns tables with an integer that has the name of a time or of a flag.
func bornIntegers() []*bornTable {
	var all []*bornTable
	const largest, distant = "9223372036854775807", "253402300799"
	for _, column := range []string{"deleted_at", "is_deleted"} {
		for _, typ := range []string{"smallint", "int", "bigint", "numeric"} {
			defaults := slices.Concat(literals("0", "-1", "1"),
				[]born{{sql: "(random() * 0)::int", varies: true}, {sql: "born_as()", varies: true}})
			deleted := []string{"1", "2"}
			if typ == "bigint" || typ == "numeric" {
				defaults = append(defaults, born{sql: largest, value: largest}, born{sql: distant, value: distant})
				deleted = append(deleted, "s", "ms", "us", "ns", "1 + currval(pg_get_serial_sequence('%[1]s', 'id'))")
			}
			if typ == "int" {
				deleted = append(deleted, "s", "4711 + i")
			}
			for n, d := range defaults {
				for m, null := range []string{"", " NOT NULL"} {
					for k, live := range [][]string{{""}, {"NULL"}, {"", "0"}} {
						nulls := slices.Contains(live, "NULL") || d.value == "" && !d.varies && live[0] == ""
						for l, w := range deleted {
							if null != "" && (nulls || d.sql == "NULL") || (n+m+k+l)%4 > 0 {
								continue
							}
							start := []int{120_000_000, 1_600_000_000}[(n+l)%2]
							b := newKeyed(column, fmt.Sprintf(", %s %s%s%s", column, typ, null, d), start).lives(live...)
							isTime := len(w) == 1 && w > "9" || len(w) == 2
							if isTime {
								for _, w := range deletions[(n+l)%2] {
									b.deletes(epochIn(deleted[l], w))
								}
							} else {
								b.deletes(w)
							}
							b.decidable = !d.varies && (d.value == "" || d.value == "0" || column == "deleted_at" && isTime)
							all = append(all, b)
						}
					}
				}
			}
		}
	}
	return all
}

// bornFlags returns tables with a boolean.
func bornFlags() []*bornTable {
	var all []*bornTable
	for _, typ := range []string{"boolean", "truth"} {
		for _, d := range slices.Concat(literals("false", "true", "1 > 2", "'yes'::boolean"),
			[]born{{sql: "random() < 0", varies: true}, {sql: "NOT born_flag()", varies: true}}) {
			isTrue := d.value == "true" || d.value == "'yes'::boolean"
			for _, live := range [][]string{{""}, {"false"}, {"", "NULL"}} {
				b := newBorn("is_deleted", fmt.Sprintf(", is_deleted %s%s", typ, d)).lives(live...).deletes("true")
				b.decidable = !d.varies && !isTrue
				all = append(all, b)
			}
			for _, deleted := range []string{"false", "NULL"} {
				b := newBorn("alive", fmt.Sprintf(", alive %s%s", typ, d)).lives("true").deletes(deleted)
				b.decidable = !d.varies && (d.value == "" || isTrue)
				all = append(all, b)
			}
		}
		for _, old := range []string{"false", "true"} {
			b := newBorn("is_deleted", "").lives("")
			b.sql(`ALTER TABLE %%s ADD is_deleted %s DEFAULT %s; ALTER TABLE %%[1]s ALTER is_deleted SET DEFAULT false;`, typ,
				old)
			b.about = fmt.Sprintf("is_deleted %s added with %s", typ, old)
			b.lives("").deletes("true").decidable = old == "false"
			all = append(all, b)
		}
	}
	return all
}

// bornLetters returns tables with a short text.
func bornLetters() []*bornTable {
	var all []*bornTable
	words := [][2]string{{"no", "yes"}, {"No", "Yes"}, {"off", "on"}, {"OFF", "ON"}, {"", "X"}, {" ", "X"}, {"N", "S"}}
	for _, typ := range []string{"varchar(5)", "text", "letter"} {
		for _, alphabet := range words {
			no, yes := "'"+alphabet[0]+"'", "'"+alphabet[1]+"'"
			all = append(all, newBorn("is_deleted", ", is_deleted "+typ).lives(no, "NULL").deletes(yes))
		}
		for _, alphabet := range [][2]string{{"A", "B"}, {"N", "weg"}} {
			no, yes := "'"+alphabet[0]+"'", "'"+alphabet[1]+"'"
			all = append(all, newBorn("is_deleted", ", is_deleted "+typ).lives(no).deletes(yes).undecidable())
		}
	}
	for n, typ := range []string{"char(1)", "varchar(5)", "text", "letter"} {
		for m, alphabet := range [][2]string{{"N", "Y"}, {"n", "y"}, {"0", "1"}, {"0", "2"}, {"F", "T"}, {"", "D"}} {
			no, yes := "'"+alphabet[0]+"'", "'"+alphabet[1]+"'"
			for _, d := range append(literals(no, yes), born{sql: "born_text()", varies: true}) {
				for k, live := range [][]string{{""}, {no}, {"", "NULL"}} {
					if (n+m+k)%3 > 0 {
						continue
					}
					b := newBorn("del_flag", fmt.Sprintf(", del_flag %s%s", typ, d)).lives(live...).deletes(yes)
					b.decidable = !d.varies && d.value != yes
					all = append(all, b)
				}
			}
		}
	}
	return all
}

// bornStatuses returns tables with a status.
func bornStatuses() []*bornTable {
	var all []*bornTable
	for _, typ := range []string{"text", "varchar(20)", "state", "a_state"} {
		for _, d := range literals("'active'", "'deleted'") {
			b := newBorn("status", fmt.Sprintf(", status %s%s", typ, d)).lives("", "'pending'").deletes("'deleted'")
			b.decidable = d.value != "'deleted'"
			all = append(all, b)
		}
	}
	return all
}

// bornPairs returns tables with a flag and a time.
func bornPairs() []*bornTable {
	var all []*bornTable
	for _, flag := range []born{{sql: "false"}, {sql: "true"}} {
		for _, d := range append(literals("'1970-01-01'", "'0001-01-01'", "'infinity'", "'1999-01-01'"),
			born{sql: "now() - interval '2 years'"}) {
			b := newBorn("is_deleted, deleted_at",
				fmt.Sprintf(", is_deleted boolean DEFAULT %s, deleted_at timestamptz%s", flag.sql, d))
			b.lives("")
			for _, w := range deletions[0] {
				b.deletes("true, " + w)
			}
			b.decidable = flag.sql == "false"
			all = append(all, b)
		}
	}
	return append(all, bornDisputes()...)
}

// bornDisputes returns tables in which a flag and a time disagree, with the indexes that show which of them decides. A
// table in which only the time decides, though nothing in it shows that, is not among them.
func bornDisputes() []*bornTable {
	const time, flag = " WHERE deleted_at IS NULL", " WHERE is_deleted IS NOT TRUE"
	both := []string{"true, " + deletions[0][0], "true, " + deletions[0][1]}
	var all []*bornTable
	add := func(index string, live, deleted []string) *bornTable {
		b := newBorn("is_deleted, deleted_at", ", is_deleted boolean DEFAULT false, deleted_at timestamptz")
		if index != "" {
			b.sql(`CREATE INDEX ON %%s (note)%s;`, index)
			b.about += index
		}
		all = append(all, b.lives(live...).deletes(deleted...))
		return b
	}
	onlyTime := []string{"false, now() - interval '1 year 1 hour'", "false, now() - interval '1 year 2 hours'",
		"NULL, now() - interval '3 hours'", "false, now() - i * interval '1 hour'"}
	for _, live := range [][]string{{""}, {"", "NULL, NULL"}, {"false, NULL", "NULL, '0001-01-01'"}} {
		add(time, live, both)
		add(flag, live, both)
		// Restored, or deleted before there was a time.
		add(flag, slices.Concat(live, onlyTime), slices.Concat(both, []string{"true, NULL"}))
		add("", slices.Concat(live, onlyTime), both).undecidable()
		add(time, live, slices.Concat(both, onlyTime)).undecidable()               // a cascade sets only the time
		add(time, slices.Concat(live, []string{"true, NULL"}), both).undecidable() // a trigger sets only the flag
		add(time, slices.Concat(live, []string{"true, NULL"}), slices.Concat(both, onlyTime)).undecidable()
		add("", live, slices.Concat(both, onlyTime)).undecidable()
	}
	return all
}
