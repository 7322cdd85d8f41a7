package inspect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// In a database of encoding SQL_ASCII a name can be any bytes.
func TestNamesThatAreNoUTF8(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgserver.Options{Settings: map[string]string{"shared_buffers": "2MB"}})
	for _, encoding := range []string{"SQL_ASCII", "LATIN1"} {
		pgtest.Exec(t, server.DSN("postgres", superuser),
			fmt.Sprintf(`CREATE DATABASE %[1]s ENCODING '%[1]s' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`, encoding))
	}
	t.Run("cost their table only", func(t *testing.T) { illegibleNames(t, server.DSN("sql_ascii", superuser)) })
	t.Run("of databases", func(t *testing.T) { illegibleDatabases(t, server) })
	t.Run("are those of another encoding", func(t *testing.T) { foreignNames(t, server.DSN("latin1", superuser)) })
}

func illegibleNames(t *testing.T, dsn string) {
	pgtest.Exec(t, dsn, deletedAt("users")+deletedAt("größe")+deletedAt("\"caf\xe9\"")+deletedAt("\"th\xe9\"")+
		deletedAt(`"th\xe9"`)+
		"CREATE SCHEMA \"sch\xe9ma\";"+deletedAt("\"sch\xe9ma\".t")+deletedAt("\"sch\xe9ma\".u")+
		"CREATE TABLE \"unwatched\xe9\" (id int);"+`
		CREATE TABLE parted (id int, deleted_at timestamptz) PARTITION BY LIST (id);
			CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);`+
		"CREATE TABLE \"parted\xe9\" PARTITION OF parted FOR VALUES IN (2);"+
		"CREATE TABLE \"whole\xe9\" (id int, deleted_at timestamptz) PARTITION BY LIST (id);"+
		deletedAt("columns")+"ALTER TABLE columns ADD \"no\xe9\" int, ADD \"deleted\xe9\" boolean;"+
		deletedAt("indexed")+"CREATE INDEX \"i\xe9\" ON indexed (id);"+
		deletedAt("filtered")+"CREATE INDEX ON filtered (id) WHERE id::text <> '\xe9' AND deleted_at IS NULL;"+
		deletedAt("keyed")+"ALTER TABLE keyed ADD \"no\xe9\" int; CREATE INDEX ON keyed (\"no\xe9\");"+
		deletedAt("commented")+"COMMENT ON COLUMN commented.deleted_at IS 'supprim\xe9';"+
		deletedAt("parents")+"ALTER TABLE parents ADD PRIMARY KEY (id);"+
		"CREATE TABLE children (id int, parent int CONSTRAINT \"cl\xe9\" REFERENCES parents, \"no\xe9\" int CONSTRAINT "+
		"\"no\" REFERENCES parents, deleted_at timestamptz); INSERT INTO children SELECT i, i FROM "+
		"generate_series(1, 10) i;"+
		"CREATE TYPE state AS ENUM ('live', 'deleted', 'supprim\xe9'); CREATE TABLE states (id int, status state DEFAULT "+
		"'supprim\xe9'); INSERT INTO states VALUES (1, 'live'), (2, 'deleted'), (3, 'supprim\xe9');"+
		"CREATE TABLE texts (id int, status text DEFAULT 'supprim\xe9'); INSERT INTO texts VALUES (1, 'live'), (2, "+
		"'deleted'), (3, 'supprim\xe9'); ANALYZE;")
	i := inspector(t, dsn, `
integrity: true
discovery: {rules: {statuses: {status: on}}}
`)
	s := first(t, i)
	want := map[string]string{
		"public.users": "10 4 3", "public.größe": "10 4 3",
		`public.caf\xe9`: "unsupported", `public.th\xe9`: "unsupported",
		`sch\xe9ma.t`: "unsupported", `sch\xe9ma.u`: "unsupported", "public.parted": "unsupported",
		`public.whole\xe9`: "unsupported",
		"public.columns":   "10 4 3", "public.indexed": "10 4 3", "public.filtered": "10 4 3", "public.keyed": "10 4 3",
		"public.commented": "10 4 3",
		"public.parents":   "10 4 3", "public.children": "10 0 0", "public.states": "3 1 -", "public.texts": "3 1 -",
	}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := checks(s)["sql_ascii"]; got != passed {
		t.Errorf("checks = %+v", got)
	}
	allUTF8(t, s)
	for name, known := range map[string]bool{"users": true, "columns": true, "commented": true, "states": true,
		"indexed": false, "filtered": false, "keyed": false, `caf\xe9`: false, "parted": false} {
		if x := tableNamed(t, s, name).Indexing; (x != nil) != known {
			t.Errorf("of the indexes of %s it is known %+v", name, x)
		}
	}
	if checks := tableNamed(t, s, "children").Integrity; len(checks) != 3 || checks[1].Constraint != `cl\xe9` ||
		checks[1].Found == nil || *checks[1].Found.Orphaned != 4 ||
		checks[2].Constraint != "no" || checks[2].Problem == nil || checks[2].Problem.Reason != softdelete.Unsupported {
		t.Errorf("the checks of children are %+v, the last is %+v", checks, checks[2].Problem)
	}
	grants, err := i.Grants(t.Context(), "watcher")
	if text := fmt.Sprint(grants); err != nil || !strings.Contains(text, `"public"."users"`) ||
		strings.Contains(text, `\xe9`) || strings.Contains(text, "parted") {
		t.Errorf("%v, the grants are %s", err, text)
	}
	// The remedies work without writing the names.
	for name, expected := range map[string]string{`caf\xe9`: "10 4 3", "t": "10 4 3", `whole\xe9`: "0 0 0",
		"parted": "0 0 0"} {
		oid := tableNamed(t, s, name).OID
		pgtest.Exec(t, dsn, strings.ReplaceAll(tableNamed(t, s, name).Problem.Remedy, "new_name",
			fmt.Sprint("renamed_", oid)))
		want[name] = expected
	}
	healed := told(refreshAfter(t, i, s, nil))
	for _, gone := range []string{`public.caf\xe9`, `sch\xe9ma.t`, `sch\xe9ma.u`, `public.whole\xe9`} {
		if got, left := healed[gone]; left {
			t.Errorf("with the remedies %s is still there: %s", gone, got)
		}
	}
	if len(healed) != len(told(s)) || healed["public.parted"] != "0 0 0" ||
		strings.Count(fmt.Sprint(healed), "unsupported") != 1 {
		t.Errorf("with the remedies: %v", healed)
	}
}

// allUTF8 checks that everything in a Snapshot is UTF-8.
func allUTF8(t *testing.T, s *softdelete.Snapshot) {
	t.Helper()
	for _, d := range s.Databases {
		tables := slices.Clone(d.Tables)
		for i := range tables {
			tables[i].Counting = nil // JSON cannot contain it
			tables[i].Integrity = slices.Clone(tables[i].Integrity)
			for j := range tables[i].Integrity {
				tables[i].Integrity[j].Fingerprint = "" // it is not text
			}
		}
		text, err := json.Marshal([]any{d.Name, d.Problem, tables})
		if err != nil {
			t.Fatal(err)
		}
		if place := strings.Index(string(text), `\ufffd`); place >= 0 {
			t.Errorf("not all is UTF-8: …%s", text[max(place-50, 0):place+6])
		}
	}
}

// Objects that all databases share are written in the encoding of the database that created them.
func illegibleDatabases(t *testing.T, server *pgserver.Server) {
	pgtest.Exec(t, server.DSN("sql_ascii", superuser), "CREATE DATABASE \"caf\xe9\" TEMPLATE template0;")
	s := first(t, inspector(t, server.DSN("postgres", superuser), "databases: {all: true}"))
	allUTF8(t, s)
	problems := map[string]softdelete.Reason{}
	for _, d := range s.Databases {
		problems[d.Name] = ""
		if d.Problem != nil {
			problems[d.Name] = d.Problem.Reason
		}
	}
	if diff := cmp.Diff(map[string]softdelete.Reason{"postgres": "", "sql_ascii": "", "latin1": "",
		`caf\xe9`: softdelete.Unsupported}, problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// In a database with an encoding, names arrive in UTF-8. A name that it cannot represent cannot exist there, and does
// not prevent other tables from being found.
func foreignNames(t *testing.T, dsn string) {
	pgtest.Exec(t, dsn, deletedAt("users")+deletedAt("caf\xe9")+
		"CREATE TABLE listed (id int, supprim\xe9 boolean); INSERT INTO listed VALUES (1, true), (2, false);")
	s := first(t, inspector(t, dsn, `
tables:
  - {table: 顧客}
  - {table: listed, column: supprimé}
`))
	want := map[string]string{"public.users": "10 4 3", "public.café": "10 4 3", "public.listed": "2 1 -",
		"public.顧客": "marker_missing"}
	if diff := cmp.Diff(want, told(s)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
