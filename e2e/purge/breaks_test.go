//go:build e2e && breaks

package purge

import (
	"errors"
	"flag"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

var only = flag.String("break", "", "a regular expression: break these rules only")

// rules are what makes a script safe. Replacing old by new breaks the rule.
var rules = []struct {
	name, old, new string
	// shows says in which databases the broken rule can be noticed; nil for rules that only matter with concurrent
	// clients.
	shows func(*world) bool
}{
	{"no name of a stranger's: the search path",
		"PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);\n    PERFORM set_config(s.name",
		"PERFORM set_config(s.name", hostile},
	{"nothing between a COMMIT and the search path", "    COMMIT;\n  END LOOP;",
		"    COMMIT;\n    began := now();\n  END LOOP;", hostile},
	{"types are keywords or qualified", "full_name pg_catalog.text;", "full_name text;", hostile},
	{"days of 24 hours", "('TimeZone', 'UTC'), ", "", zoned},
	{"one way of writing times", "('DateStyle', 'ISO, YMD'), ", "", dated},
	{"one way of writing names", "('quote_all_identifiers', 'off'), ", "", quoted},
	{"read committed", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;", "", nil},
	{"a stranger's code is refused to a superuser",
		"JOIN pg_roles o ON o.oid = COALESCE(p.proowner, q.oprowner) AND NOT o.rolsuper",
		"JOIN pg_roles o ON o.oid = COALESCE(p.proowner, q.oprowner) AND o.rolname = 'nobody'", climbs},
	{"code of operators", "IN ('pg_proc'::regclass, 'pg_operator'::regclass,", "IN ('pg_proc'::regclass,", operates},
	{"code of indexes",
		"UNION SELECT 'pg_class'::regclass, i.indexrelid FROM touched JOIN pg_index i ON i.indrelid = rel", "", climbs},
	{"code of statistics",
		"UNION SELECT 'pg_statistic_ext'::regclass, s.oid FROM touched JOIN pg_statistic_ext s ON s.stxrelid = rel",
		"", climbs},
	{"code of what references",
		"UNION SELECT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = ANY (chain)\n            " +
			"    UNION SELECT p.relid", "UNION SELECT p.relid", climbs},
	{"what equals its default is live",
		"SELECT COALESCE(string_agg(DISTINCT b.condition, '') FILTER (WHERE b.plain), ''), problems", "SELECT '', problems",
		defaulted},
	{"what equals its missing value is live", "SELECT (a.attmissingval::text::text[])[1], true WHERE a.atthasmissing",
		"SELECT NULL, true WHERE a.atthasmissing", missing},
	{"a local time is in its zone", " AT TIME ZONE 'Asia/Tokyo'", " AT TIME ZONE 'America/Los_Angeles'", local},
	{"references are looked up", "' AND NOT EXISTS (SELECT FROM %s AS referencing WHERE %s%s)'",
		"' AND NOT EXISTS (SELECT FROM %s AS referencing WHERE %s%s AND false)'", referencing},
	{"references with the key's own operator",
		"format(' OPERATOR(%I.%s) (referencing.%I)', opn.nspname, op.oprname, ca.attname)",
		"format(' OPERATOR(pg_catalog.=) (referencing.%I)', ca.attname)", citext},
	{"references in the operator's type",
		"CASE WHEN lt.typtype <> 'p' THEN format('::%I.%I', ln.nspname, lt.typname) END", "'::text'", citext},
	{"references in the parent's collation", "pa.attcollation <> ca.attcollation", "false", collated},
	{"references to any of the chain", "WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY (chain))",
		"WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = chain[1])", partitioned},
	{"a row may reference itself", "CASE WHEN k.itself THEN ' AND (referencing.ctid",
		"CASE WHEN false THEN ' AND (referencing.ctid", itself},
	{"rounds where a table references itself", "IF leaf IS NULL AND itself AND gone_round > 0",
		"IF false AND leaf IS NULL AND itself AND gone_round > 0", itself},
	{"only those go along that were named", "k.confdeltype = 'c' AND EXISTS (SELECT FROM unnest(go_along_schemas",
		"k.confdeltype = 'c' OR EXISTS (SELECT FROM unnest(go_along_schemas", along},
	{"a rehearsal is rolled back", "          IF rehearsal THEN\n            RAISE",
		"          IF false THEN\n            RAISE", anything},
	{"accepted triggers run under the session's path", "PERFORM set_config('search_path', session_path, true);",
		"", audited},
	{"leaf by leaf", "WHERE c.relkind = 'r' AND c.oid > leaf);",
		"WHERE c.relkind = 'r' AND c.oid > leaf AND c.oid = root);", partitioned},
	{"a ctid is one of a table alone", "'DELETE FROM ONLY %s AS purged WHERE", "'DELETE FROM %s AS purged WHERE",
		inherited},
	{"rows are locked",
		" FOR UPDATE SKIP LOCKED)', full_name, is_old, not_born, unreferenced)\n            INTO rows USING format(",
		")', full_name, is_old, not_born, unreferenced)\n            INTO rows USING format(", nil},
	{"rows are locked against new references", "FOR UPDATE SKIP LOCKED", "FOR NO KEY UPDATE SKIP LOCKED", nil},
	{"looked at again after the lock", ".=) ANY ($1)%s', full_name, unreferenced) USING rows",
		".=) ANY ($1)', full_name) USING rows", nil},
	{"old rows are looked at with the lock", "CASE WHEN (%s)%s THEN true END%s FOR UPDATE",
		"id IN (SELECT id FROM public.parent AS purged WHERE (%s)%s)%s FOR UPDATE", nil},
	{"what was moved to another partition is tried again", " OR serialization_failure THEN", " THEN", nil},
}

func some(w *world, is func(*table) bool) bool { return slices.ContainsFunc(w.tables, is) }

func anything(*world) bool  { return true }
func hostile(w *world) bool { return w.hostile }
func zoned(w *world) bool   { return strings.Contains(w.sql.String(), "New_York';") }
func dated(w *world) bool {
	return strings.Contains(w.sql.String(), "SQL, DMY") && (defaulted(w) || missing(w))
}
func quoted(w *world) bool    { return strings.Contains(w.sql.String(), "quote_all_identifiers") }
func climbs(w *world) bool    { return some(w, func(t *table) bool { return t.climbs }) }
func operates(w *world) bool  { return strings.Contains(w.sql.String(), "OPERATOR(app.===) 'x'") }
func inherited(w *world) bool { return some(w, func(t *table) bool { return t.harmless == heir }) }

func local(w *world) bool {
	return some(w, func(t *table) bool { return t.shape.name == "local time" })
}
func missing(w *world) bool {
	return some(w, func(t *table) bool { return t.shape.name == "missing value" })
}
func along(w *world) bool       { return some(w, func(t *table) bool { return len(t.keys) > 0 }) }
func audited(w *world) bool     { return some(w, func(t *table) bool { return t.audited }) }
func partitioned(w *world) bool { return some(w, func(t *table) bool { return t.partitioned }) }
func citext(w *world) bool      { return references(w, "citext") }
func collated(w *world) bool    { return references(w, "collation") }
func referencing(w *world) bool { return some(w, func(t *table) bool { return len(t.keys) > 0 }) }

func defaulted(w *world) bool {
	return some(w, func(t *table) bool {
		return t.shape.name == "nullable with a default" || t.shape.name == "a domain's default"
	})
}

func references(w *world, key string) bool {
	return some(w, func(t *table) bool {
		return slices.ContainsFunc(t.keys, func(k *foreignKey) bool { return k.parent.key.name == key })
	})
}

func itself(w *world) bool {
	return some(w, func(t *table) bool {
		return slices.ContainsFunc(t.keys, func(k *foreignKey) bool { return k.parent == t })
	})
}

// A test notices if a rule of the script is broken.
func TestEveryRuleThatIsBrokenIsFound(t *testing.T) {
	exporter := build(t)
	server := start(t, "15")
	wanted := regexp.MustCompile(*only)
	seeds := rand.New(rand.NewPCG(18, 18))
	for _, r := range rules {
		if !wanted.MatchString(r.name) {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			broken := 0
			breaking := func(script string) string {
				broken += strings.Count(script, r.old)
				return strings.ReplaceAll(script, r.old, r.new)
			}
			for tries := range 15 {
				if r.shows == nil {
					if tries == 8 {
						break
					}
					c := newCrowd(t, server, []string{" PARTITION BY LIST (region)", ""}[tries%2])
					err := c.purge(t, breaking(c.script(t, exporter)))
					var failed *pgconn.PgError
					if errors.As(err, &failed) && !strings.HasPrefix(failed.Code, "40") {
						t.Fatalf("it is broken in another way: %v", err)
					}
					if lost := c.lost(t); len(lost) > 0 || err != nil {
						t.Logf("found by %d rows that are lost, %v", len(lost), err)
						return
					}
					continue
				}
				w := newWorld(uint64(1000+seeds.IntN(1_000_000)), "15")
				for !r.shows(w) {
					w = newWorld(uint64(1000+seeds.IntN(1_000_000)), "15")
				}
				before := broken
				faults := w.run(t, server, exporter, &tally{}, breaking)
				if broken == before {
					if len(faults) > 0 {
						t.Fatalf("seed %d, unbroken: %s", w.seed, strings.Join(faults, "\n"))
					}
					continue
				}
				if len(faults) > 0 {
					t.Logf("found by database %d, seed %d: %.300s", tries+1, w.seed, strings.Join(strings.Fields(faults[0]), " "))
					return
				}
			}
			t.Errorf("it was broken %d times, and nothing found it", broken)
		})
	}
}
