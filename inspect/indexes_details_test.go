package inspect

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/queries"
)

// Collations and operator classes are read once, or looked up by an index, however many indexes there are: not all of
// them again for each index.
func TestTheDetailsOfManyIndexesReadOtherCatalogsOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t, pgtest.Shared(t))
	const tables = 100
	var sql strings.Builder
	for n := range tables {
		fmt.Fprintf(&sql, `CREATE TABLE t%d (id int, email text, deleted_at timestamptz);
			CREATE INDEX ON t%[1]d (email COLLATE "C", id DESC) WHERE deleted_at IS NULL;`, n)
	}
	pgtest.Exec(t, dsn, sql.String())
	oids := pgtest.Value[[]uint32](t, dsn,
		"SELECT array_agg(indexrelid) FROM pg_index WHERE indrelid::regclass::text ~ '^t[0-9]+$'")
	type node struct {
		Relation string  `json:"Relation Name"`
		Rows     float64 `json:"Actual Rows"`
		Removed  float64 `json:"Rows Removed by Filter"`
		Loops    float64 `json:"Actual Loops"`
		Plans    []node
	}
	var plans []struct{ Plan node }
	text := pgtest.Value[string](t, dsn, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+queries.IndexDetails(oids))
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		t.Fatal(err)
	}
	read := map[string]float64{}
	var walk func(node)
	walk = func(n node) {
		read[n.Relation] += n.Loops * (n.Rows + n.Removed)
		for _, p := range n.Plans {
			walk(p)
		}
	}
	walk(plans[0].Plan)
	for _, catalog := range []string{"pg_collation", "pg_opclass"} {
		all := pgtest.Value[float64](t, dsn, "SELECT count(*)::float8 FROM "+catalog)
		if read[catalog] == 0 || read[catalog] > all+2*tables {
			t.Errorf("%.0f rows of %s were read, which has %.0f, for %d indexes: %s", read[catalog], catalog, all, len(oids),
				text)
		}
	}
}
