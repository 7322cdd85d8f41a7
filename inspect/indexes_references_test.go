package inspect

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/softdelete-exporter/softdelete_exporter/indexes"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// A referencing column without an index makes each row of a purge read the other table whole.
func TestReferencingColumnsWithoutAnIndexAreAdvised(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const parent = `CREATE TABLE {parent} (id int PRIMARY KEY, region int NOT NULL DEFAULT 1, UNIQUE (id, region),
			deleted_at timestamptz);
		INSERT INTO {parent} (id, deleted_at) SELECT i, CASE WHEN i <= 50 THEN now() - interval '1 year' END
			FROM generate_series(1, 100) i;`
	const child = `CREATE TABLE {child} (parent int REFERENCES {parent}, region int);`
	const rows = `INSERT INTO {child} SELECT 51 + i % 50, 1 FROM generate_series(1, 20000) i;`
	tests := []struct {
		table, ddl string
		// want is how the reason ends; empty if nothing is advised. Do are the next steps.
		want, do string
	}{
		{"plain", child + rows, "of foreign key plain_child_parent_fkey.", "create_index"},
		{"indexed", child + rows + "CREATE INDEX ON {child} (parent, region)", "", ""},
		{"not_null", child + rows + "CREATE INDEX ON {child} (parent) WHERE parent IS NOT NULL", "", ""},
		{"small", child + "INSERT INTO {child} VALUES (51)", "", ""},
		{"behind", child + rows + "CREATE INDEX ON {child} (region, parent)",
			"Index behind_child_region_parent_idx would serve if it began with the columns of the key.", "create_index"},
		{"partial", child + rows + "CREATE INDEX ON {child} (parent) WHERE region > 7",
			"Index partial_child_parent_idx would serve if it held all rows.", "create_index"},
		{"method", child + rows + "CREATE INDEX ON {child} USING brin (parent)",
			"Index method_child_parent_idx would serve if it began with the columns of the key.", "create_index"},
		{"twice", child + rows + `ALTER TABLE {child} ADD FOREIGN KEY (parent, region) REFERENCES {parent} (id, region),
			ADD CONSTRAINT again FOREIGN KEY (parent) REFERENCES {parent}`, "of foreign key again.",
			"create_index create_index"},
		{"parted", `CREATE TABLE {child} (parent int REFERENCES {parent}, region int) PARTITION BY LIST (region);
			CREATE TABLE parted_1 PARTITION OF {child} FOR VALUES IN (1) PARTITION BY HASH (parent);
			CREATE TABLE parted_1_1 PARTITION OF parted_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0);` + rows,
			"of foreign key parted_child_parent_fkey.", "create_index"},
		{`Odd "näme`, child + rows + `ALTER TABLE {child} RENAME parent TO "Parent ""id"`,
			`of foreign key Odd "näme_child_parent_fkey.`, "create_index"},
	}
	for _, test := range tests {
		names := strings.NewReplacer("{parent}", pgx.Identifier{test.table}.Sanitize(),
			"{child}", pgx.Identifier{test.table + "_child"}.Sanitize())
		pgtest.Exec(t, dsn, names.Replace(parent+test.ddl)+"; ANALYZE")
	}
	s := first(t, inspector(t, dsn, patient))
	for _, test := range tests {
		table := tableNamed(t, s, test.table)
		var do []string
		reason := ""
		for _, a := range indexes.Advise(&table) {
			if a.Purpose != indexes.References {
				continue
			}
			if reason == "" {
				reason = a.Reason
			}
			for _, step := range a.Do {
				do = append(do, string(step.Action))
			}
			for _, statement := range queries.Steps(&table, a.Do) {
				pgtest.Exec(t, dsn, statement)
			}
		}
		if got := strings.Join(do, " "); got != test.do || !strings.HasSuffix(reason, test.want) ||
			test.want == "" && reason != "" {
			t.Errorf("table %s is advised to do %q: %s", test.table, got, reason)
		}
		if withheld := strings.Join(table.Withheld(),
			"; "); strings.Contains(withheld, "needs an index") != (test.want != "") {
			t.Errorf("table %s: %s", test.table, withheld)
		}
	}
	s = first(t, inspector(t, dsn, patient))
	for _, test := range tests {
		table := tableNamed(t, s, test.table)
		for _, a := range indexes.Advise(&table) {
			t.Errorf("table %s is still advised: %s", test.table, a.Reason)
		}
		if why := table.Withheld(); len(why) > 0 {
			t.Errorf("table %s still has no script: %v", test.table, why)
		}
	}
}

// An index whose build failed is repaired and not made again.
func TestAnInvalidIndexOnAReferencingColumnIsRepaired(t *testing.T) {
	near := softdelete.NearIndex{Index: softdelete.Index{Schema: "public", Name: "orders_customer"}, Lacks: "validity"}
	table := softdelete.Table{Schema: "public", Name: "customers", Indexing: &softdelete.Indexing{},
		Purging: &softdelete.Purging{Keys: []softdelete.PurgeKey{{Key: "customer_key", Unindexed: &softdelete.UnindexedKey{
			Table: softdelete.Partition{Schema: "public", Name: "orders"}, Columns: []string{"customer"},
			Near: []softdelete.NearIndex{near}}}}}}
	advice := indexes.Advise(&table)
	if len(advice) != 1 || len(advice[0].Do) != 1 {
		t.Fatalf("%+v", advice)
	}
	want := `REINDEX INDEX CONCURRENTLY "public"."orders_customer";`
	if got := queries.Steps(&table, advice[0].Do)[0]; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
