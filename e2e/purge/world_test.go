//go:build e2e

package purge

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// world is one generated database: tables that reference each other, rows that are labelled when they are made, and
// other objects that a real database may have.
type world struct {
	*rand.Rand
	seed     uint64
	version  string
	database string
	tables   []*table
	// sql creates the schema and the rows; it is run as a superuser and as the owner.
	sql strings.Builder
	// entries are entries of the configuration, flags are flags of the command.
	entries strings.Builder
	flags   []string
	// superuser is true if a superuser runs the script instead of the owner.
	superuser bool
	// hostile is true if a stranger's functions and operators come first in the search path.
	hostile bool
	// byIndex makes the script list the old rows, as if there were few of them and an index.
	byIndex bool
}

// table is one table of a world.
type table struct {
	schema, name string
	shape        shape
	key          key
	partitioned  bool
	along        bool
	// obstacles are why the table must not be purged, as the generator knows.
	obstacles []string
	// harmless is something that must not prevent the purge. code is true if the table has code of its owner, which
	// a superuser must not run.
	harmless     string
	code, climbs bool
	// audited is true if a trigger on DELETE only records, and is accepted.
	audited bool
	rows    []*row
	keys    []*foreignKey
}

// row is one row; old is true if it was deleted longer ago than its retention.
type row struct {
	n          int
	old        bool
	values     string
	live       bool
	references map[*foreignKey]*row
	// goes is true if the row must be purged, along if it is deleted together with another one.
	goes, along bool
}

type foreignKey struct {
	child, parent *table
	n             int
	action        string
}

func (t *table) String() string { return ident(t.schema) + "." + ident(t.name) }

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func text(value string) string {
	return "E'" + strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), "'", `\'`) + "'"
}

// key is a kind of primary key.
type key struct {
	name                   string
	columns, types, parent []string
	// child is how a referencing column writes a value; childTypes is its type if it differs.
	child, childTypes []string
}

var keys = []key{
	{"int", []string{"id"}, []string{"int"}, []string{"%d"}, []string{"%d"}, []string{"bigint"}},
	{"bigint", []string{"id"}, []string{"bigint"}, []string{"%d"}, []string{"%d"}, nil},
	{"text", []string{"id"}, []string{"text"}, []string{"'k%d'"}, []string{"'k%d'"}, []string{"varchar(30)"}},
	{"citext", []string{"id"}, []string{"app.citext"}, []string{"'Key%d'"}, []string{"'kEY%d'"}, nil},
	{"domain", []string{"id"}, []string{"app.number"}, []string{"%d"}, []string{"%d"}, []string{"int"}},
	{"two columns", []string{"a", "b"}, []string{"int", "varchar(20)"}, []string{"%d", "'b%[1]d'"},
		[]string{"%d", "'b%[1]d'"}, nil},
	{"collation", []string{"id"}, []string{"text COLLATE app.ci"}, []string{"'Key%d'"}, []string{"'kEY%d'"},
		[]string{`text COLLATE "C"`}},
}

// refers returns the types of the columns that reference a key.
func (k key) refers(version string) []string {
	if k.childTypes == nil || k.name == "collation" && version == "18" { // version 18 requires equal collations
		return k.types
	}
	return k.childTypes
}

// odd are names that somebody may have chosen.
var odd = []string{`Order "items"`, "select", "50% $purge$", "tab\tand\nnewline", `back\slash`, "it's", "Ünïcode ✓",
	"x; DROP TABLE y; --", "$1 %I %s", "\u202ebidi", "a.b", "*/ comment"}

func newWorld(seed uint64, version string) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 18)), seed: seed, version: version}
	w.database = fmt.Sprintf("purge_%d", seed)
	if w.chance(30) {
		w.database = fmt.Sprintf(`%s %d`, pick(w, []string{`it's "x"`, `host evil`, `back\slash`, `50%% :name`, "ünïcode"}),
			seed)
	}
	w.superuser = w.chance(40)
	w.hostile = w.chance(40)
	w.byIndex = w.chance(30)
	w.sql.WriteString(
		"SET SESSION AUTHORIZATION app_owner; CREATE DOMAIN app.number AS int; CREATE TABLE app.audit_log (label text);\n")
	befores := map[string]bool{}
	for range 3 + w.IntN(3) {
		w.newTable(befores)
	}
	for _, t := range w.tables {
		w.makeRows(t)
	}
	w.reference()
	w.putObstacles()
	w.judge()
	w.write()
	w.decorate()
	return w
}

func (w *world) chance(percent int) bool { return w.IntN(100) < percent }

func pick[T any](w *world, from []T) T { return from[w.IntN(len(from))] }

func (w *world) newTable(befores map[string]bool) {
	t := &table{schema: "public", name: fmt.Sprintf("t%d", len(w.tables)), shape: pick(w, shapes), key: pick(w, keys)}
	if w.chance(60) { // otherwise half of the shapes would be uncertain
		t.shape = shapes[w.IntN(4)]
	}
	if w.chance(40) {
		t.name = pick(w, odd) + fmt.Sprint(len(w.tables))
	}
	if w.chance(20) {
		t.schema = `Odd "schema"`
	}
	t.partitioned = w.chance(20) && t.shape.name != "no marker"
	if before := t.shape.before; before != "" && !befores[before] {
		w.sql.WriteString(before + ";\n")
		befores[before] = true
	}
	if t.shape.obstacle != "" {
		t.obstacles = append(t.obstacles, t.shape.obstacle)
	}
	w.tables = append(w.tables, t)
}

func (w *world) makeRows(t *table) {
	for n := range 20 + w.IntN(20) {
		r := &row{n: n + 1, references: map[*foreignKey]*row{}}
		s := t.shape
		switch {
		case s.name == "no marker":
		case n == 0: // a table without a live row is not certain to call the right rows deleted
			r.values, r.live = pick(w, s.live), true
		case w.chance(55):
			r.old = true
			r.values = strings.ReplaceAll(pick(w, s.deleted), "%s", s.age(true, w.IntN(9)))
		case w.chance(30):
			r.values = strings.ReplaceAll(pick(w, s.deleted), "%s", s.age(false, w.IntN(9)))
		case w.chance(20) && len(s.odd) > 0:
			r.values = pick(w, s.odd)
			// Several infinities could have been a default, and be live.
			if r.values == "'infinity'" && slices.ContainsFunc(t.rows, func(o *row) bool { return o.values == r.values }) {
				r.values, r.live = pick(w, s.live), true
			}
		default:
			r.values, r.live = pick(w, s.live), true
		}
		t.rows = append(t.rows, r)
	}
}

// reference makes rows reference rows: of earlier tables, of the same table, and sometimes of a later one, so that
// there are circles.
func (w *world) reference() {
	add := func(child, parent *table) {
		k := &foreignKey{child, parent, len(child.keys),
			pick(w, []string{"NO ACTION", "RESTRICT", "CASCADE", "CASCADE", "SET NULL", "SET DEFAULT"})}
		if parent.key.name == "collation" && w.version == "14" && k.action == "SET DEFAULT" {
			k.action = "SET NULL" // that version writes a query that it cannot parse
		}
		child.keys = append(child.keys, k)
		for i, r := range child.rows {
			to := parent.rows[w.IntN(len(parent.rows)*6/10)]
			if child == parent && w.chance(70) { // chains, mostly
				to = parent.rows[max(0, i-1)]
			}
			if w.chance(50) {
				r.references[k] = to
			}
		}
	}
	for i, t := range w.tables {
		for range w.IntN(3) {
			if i > 0 {
				add(t, w.tables[w.IntN(i)])
			}
		}
		if w.chance(20) {
			add(t, t)
		}
		if i > 0 && w.chance(10) {
			add(w.tables[w.IntN(i)], t)
		}
	}
	for i, t := range w.tables { // rows of some tables are deleted along with others
		referenced := slices.ContainsFunc(w.tables, func(o *table) bool {
			return slices.ContainsFunc(o.keys, func(k *foreignKey) bool { return k.parent == t })
		})
		if t.shape.name == "no marker" && i > 0 && !referenced && len(t.keys) == 1 &&
			t.keys[0].parent.shape.name != "no marker" && w.chance(60) {
			t.along, t.keys[0].action = true, "CASCADE"
			w.flags = append(w.flags, "--go-along="+t.schema+"."+t.name)
		}
	}
}

// judge labels the rows: a row goes if it is old and all rows that reference it go.
func (w *world) judge() {
	referencing := map[*row][]*row{}
	for _, t := range w.tables {
		for _, r := range t.rows {
			for _, k := range slices.SortedFunc(maps.Keys(r.references), func(a, b *foreignKey) int { return a.n - b.n }) {
				if to := r.references[k]; to != r && !t.along {
					referencing[to] = append(referencing[to], r)
				}
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, t := range w.tables {
			for _, r := range t.rows {
				if r.goes || !r.old || len(t.obstacles) > 0 {
					continue
				}
				if !slices.ContainsFunc(referencing[r], func(o *row) bool { return !o.goes }) {
					r.goes, changed = true, true
				}
			}
		}
	}
	for _, t := range w.tables {
		for _, r := range t.rows {
			for _, to := range r.references {
				r.along = r.along || t.along && to.goes
			}
		}
	}
}

func (r *row) label() string {
	switch {
	case r.goes:
		return "go"
	case r.along:
		return "along"
	default:
		return "keep"
	}
}
