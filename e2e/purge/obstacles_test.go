//go:build e2e

package purge

import (
	"fmt"
	"slices"
	"strings"
)

// obstacle is something because of which a table must not be purged.
type obstacle struct {
	name string
	// sql has %[1]s for the table and is run by its owner; admin is run by a superuser.
	sql, admin string
	// alone is true if the table must not be partitioned.
	alone bool
}

var obstacles = []obstacle{
	{name: "trigger before DELETE",
		sql: `CREATE TRIGGER keep BEFORE DELETE ON %[1]s FOR EACH ROW EXECUTE FUNCTION app.keep()`},
	{name: "trigger after DELETE",
		sql: `CREATE TRIGGER "Odd ""trigger" AFTER DELETE ON %[1]s FOR EACH ROW EXECUTE FUNCTION app.log()`},
	{name: "trigger for each statement",
		sql: `CREATE TRIGGER log AFTER DELETE ON %[1]s FOR EACH STATEMENT EXECUTE FUNCTION app.log()`},
	{name: "constraint trigger",
		sql: `CREATE CONSTRAINT TRIGGER late AFTER DELETE ON %[1]s DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION app.log()`},
	{name: "trigger that always runs",
		sql: `CREATE TRIGGER always AFTER DELETE OR UPDATE ON %[1]s FOR EACH ROW EXECUTE FUNCTION app.log();
			ALTER TABLE %[1]s ENABLE ALWAYS TRIGGER always`},
	{name: "rule that does nothing", sql: `CREATE RULE "Odd ""rule" AS ON DELETE TO %[1]s DO INSTEAD NOTHING`,
		alone: true},
	{name: "rule that also does something",
		sql: `CREATE RULE also AS ON DELETE TO %[1]s DO ALSO INSERT INTO app.audit_log VALUES ('rule')`, alone: true},
	{name: "forced row security",
		sql: `ALTER TABLE %[1]s ENABLE ROW LEVEL SECURITY; ALTER TABLE %[1]s FORCE ROW LEVEL SECURITY;
			CREATE POLICY seen ON %[1]s USING (label = 'go')`},
	{name: "publication without identity", sql: `ALTER TABLE %[1]s REPLICA IDENTITY NOTHING`,
		admin: `CREATE PUBLICATION p FOR TABLE %[1]s`, alone: true},
	{name: "key that is switched off",
		admin: `CREATE TABLE app.side (id int, FOREIGN KEY (%[2]s) REFERENCES %[1]s ON DELETE CASCADE);
			ALTER TABLE app.side DISABLE TRIGGER ALL; ALTER TABLE app.side OWNER TO app_owner`, alone: true},
	{name: "reference without an index",
		sql: `CREATE TABLE app.large (%[3]s, label text DEFAULT 'keep', n int,
			FOREIGN KEY (%[2]s) REFERENCES %[1]s ON DELETE CASCADE);
				INSERT INTO app.large (n) SELECT i FROM generate_series(1, 9000) i`},
}

// harmless are things that must not prevent a purge.
var harmless = []string{
	`CREATE TRIGGER off BEFORE DELETE ON %[1]s FOR EACH ROW EXECUTE FUNCTION app.keep();
		ALTER TABLE %[1]s DISABLE TRIGGER off`,
	`CREATE TRIGGER upd BEFORE UPDATE OR INSERT ON %[1]s FOR EACH ROW EXECUTE FUNCTION app.keep()`,
	`CREATE RULE upd AS ON UPDATE TO %[1]s WHERE old.note = 'never' DO INSTEAD NOTHING`,
	`CREATE TRIGGER once AFTER UPDATE ON %[1]s FOR EACH STATEMENT EXECUTE FUNCTION app.log()`,
	`ALTER TABLE %[1]s ENABLE ROW LEVEL SECURITY; CREATE POLICY nobody ON %[1]s USING (false)`,
	`ALTER TABLE %[1]s ADD CHECK (note <> 'never')`,
	`ALTER TABLE %[1]s ADD COLUMN extra int DEFAULT 7`,
	`CREATE STATISTICS app.s%[2]s ON label, note FROM %[1]s`,
	`CREATE INDEX ON %[1]s (note) WHERE label IS NOT NULL`,
	`CREATE INDEX ON %[1]s ((lower(note)))`,
	`ALTER TABLE %[1]s REPLICA IDENTITY FULL`,
	heir,
}

// heir is a table that inherits from another one. Its rows belong to that table, too, and can have the same ctids.
const heir = `CREATE TABLE app.heir%[2]s () INHERITS (%[1]s)`

// putObstacles chooses obstacles and harmless things, before the rows are labelled.
func (w *world) putObstacles() {
	for _, t := range w.tables {
		if w.chance(40) {
			t.harmless = pick(w, harmless)
			if t.harmless == heir && (t.partitioned || t.shape.name == "generated flag") {
				t.harmless = ""
			}
		}
		if t.shape.name == "no marker" || len(t.obstacles) > 0 {
			continue
		}
		if o := pick(w, obstacles); w.chance(25) && !(o.alone && t.partitioned) && !w.uses(o.name) {
			t.obstacles = append(t.obstacles, o.name)
			t.code = strings.Contains(o.sql, "EXECUTE FUNCTION")
			t.harmless = ""
		}
		t.climbs = w.superuser && w.chance(15)
		t.audited = !w.hostile && len(t.obstacles) == 0 && w.chance(15)
		t.code = t.code || t.climbs || t.audited
	}
	w.reachParents()
	if !w.superuser {
		return
	}
	for _, t := range w.tables { // references are looked up in the referencing table
		if t.code = t.code || strings.Contains(t.harmless, "EXECUTE FUNCTION"); t.code {
			t.stop()
			for _, k := range t.keys {
				k.parent.stop()
			}
		}
	}
}

// reachParents adds obstacles for the parents of a table: its statement triggers and rules also run for the action of
// the foreign key, even if that finds no row, and it needs a replica identity if it is published; and rows that
// row-level security hides may reference anything.
func (w *world) reachParents() {
	has := func(t *table, names ...string) bool {
		return slices.ContainsFunc(t.obstacles, func(o string) bool { return slices.Contains(names, o) })
	}
	reach := map[*table]string{}
	for _, t := range w.tables {
		deletes := has(t, "trigger for each statement", "rule that does nothing", "rule that also does something")
		updates := strings.Contains(t.harmless, "TRIGGER once") || strings.Contains(t.harmless, "RULE upd")
		for _, k := range t.keys {
			switch {
			case k.parent.shape.name == "no marker":
			case t.partitioned && k.parent.key.name == "collation" && w.version != "18":
				reach[k.parent] = "index of another collation than the key's"
			case has(t, "forced row security"):
				reach[k.parent] = "forced row security of a table that references it"
			case k.action != "NO ACTION" && k.action != "RESTRICT" && has(t, "publication without identity"):
				reach[k.parent] = "publication without identity of a table that references it"
			case k.action == "CASCADE" && deletes, strings.HasPrefix(k.action, "SET") && updates:
				reach[k.parent] = "rule or trigger that acts with a foreign key"
			}
		}
	}
	for _, t := range w.tables {
		if reach[t] != "" && len(t.obstacles) == 0 {
			t.obstacles = append(t.obstacles, reach[t])
		}
	}
}

// ownersCode is an obstacle for superusers only. It is found when the script runs, not when it is printed.
const ownersCode = "the owner's code, for a superuser"

func (t *table) stop() {
	if len(t.obstacles) == 0 && t.shape.name != "no marker" {
		t.obstacles = append(t.obstacles, ownersCode)
	}
}

func (w *world) uses(name string) bool {
	for _, t := range w.tables {
		for _, o := range t.obstacles {
			if o == name {
				return true
			}
		}
	}
	return false
}

// decorate writes the obstacles and the harmless things.
func (w *world) decorate() {
	for n, t := range w.tables {
		for _, name := range t.obstacles {
			for _, o := range obstacles {
				if o.name != name {
					continue
				}
				var columns, defined []string
				for i, c := range t.key.columns {
					columns, defined = append(columns, "ref_"+c), append(defined, "ref_"+c+" "+t.key.types[i])
				}
				list := strings.Join(columns, ", ")
				if o.name == "key that is switched off" {
					o.admin = strings.ReplaceAll(o.admin, "(id int, ", "("+strings.Join(defined, ", ")+", label text, ")
				}
				if o.sql != "" {
					fmt.Fprintf(&w.sql, "%s;\n", fill(o.sql, t.String(), list, strings.Join(defined, ", ")))
				}
				if o.admin != "" {
					fmt.Fprintf(&w.sql, "RESET SESSION AUTHORIZATION; %s; SET SESSION AUTHORIZATION app_owner;\n",
						fill(o.admin, t.String(), list, strings.Join(defined, ", ")))
				}
			}
		}
		if t.climbs {
			fmt.Fprintf(&w.sql, "%s;\n", fill(pick(w, []string{
				`CREATE INDEX ON %[1]s (label) WHERE app.climb(1) = 1`,
				`CREATE INDEX ON %[1]s ((app.climb(length(note))))`,
				`CREATE STATISTICS app.c%[2]s ON (app.climb(length(note))), label FROM %[1]s`,
				`ALTER TABLE %[1]s ADD CHECK (app.climb(length(note)) = 1)`,
				`CREATE INDEX ON %[1]s (label) WHERE label OPERATOR(app.===) 'x'`,
			}), t.String(), fmt.Sprint(n)))
		}
		if t.audited {
			fmt.Fprintf(&w.sql, "CREATE TRIGGER audit AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION app.record();\n", t)
			w.flags = append(w.flags, "--accept-trigger=audit")
		}
		if t.harmless != "" {
			fmt.Fprintf(&w.sql, "%s;\n", fill(t.harmless, t.String(), fmt.Sprint(n)))
		}
		if t.harmless == heir {
			columns := strings.Join(t.key.columns, ", ")
			marked := ""
			if t.shape.names != "" {
				marked = ", " + t.shape.names
			}
			fmt.Fprintf(&w.sql, "INSERT INTO app.heir%d (%s, label%s) SELECT %[2]s, 'keep'%[3]s FROM ONLY %s;\n", n,
				columns, marked, t)
			fmt.Fprintf(&w.entries, "  - schema: app\n    table: heir%d\n    ignore: true\n", n)
		}
	}
	w.environment()
}

func fill(form string, values ...string) string {
	for i, v := range values {
		form = strings.ReplaceAll(form, fmt.Sprintf("%%[%d]s", i+1), v)
	}
	return form
}

// settings are settings of a database that must not affect a script.
var settings = []string{
	"TimeZone = 'America/New_York'", "TimeZone = 'Asia/Kathmandu'", "DateStyle = 'SQL, DMY'",
	"IntervalStyle = 'sql_standard'",
	"standard_conforming_strings = off", "quote_all_identifiers = on", "enable_tidscan = off",
	"default_transaction_isolation = 'serializable'",
	"default_transaction_isolation = 'repeatable read'", "statement_timeout = '30s'", "lock_timeout = '1ms'",
	"row_security = off", "client_min_messages = notice",
	"plan_cache_mode = force_custom_plan", "enable_nestloop = off", "constraint_exclusion = on",
	"extra_float_digits = -15", "bytea_output = escape",
}

// environment sets them for the database's sessions.
func (w *world) environment() {
	w.sql.WriteString("RESET SESSION AUTHORIZATION;\n")
	for range w.IntN(4) {
		fmt.Fprintf(&w.sql, "ALTER DATABASE %s SET %s;\n", ident(w.database), pick(w, settings))
	}
	path := pick(w, []string{`"$user", public`, "app, public", `"Odd ""schema""", app`})
	if len(w.flags) > 0 {
		path = "app"
	}
	if w.hostile {
		path = "public, pg_catalog"
	}
	fmt.Fprintf(&w.sql, "ALTER DATABASE %s SET search_path = %s;\n", ident(w.database), path)
}
