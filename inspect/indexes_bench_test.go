package inspect

import (
	"runtime"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/softdelete-exporter/softdelete_exporter/config"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver"
	"github.com/softdelete-exporter/softdelete_exporter/internal/pgserver/pgtest"
	"github.com/softdelete-exporter/softdelete_exporter/postgres"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// Discovery and the indexes of 10,000 unchanged tables with 30,000 indexes, 20,000 of which have something to
// deparse: this must cost the database less than two seconds.
//
//	go test -run '^$' -bench Catalog -benchtime 3x ./inspect
func BenchmarkUnchangedCatalog(b *testing.B) {
	server := pgtest.Start(b, pgserver.Options{Settings: map[string]string{"max_locks_per_transaction": "1024"}})
	dsn := pgtest.NewDatabase(b, server)
	pgtest.Exec(b, dsn, `CREATE PROCEDURE make(n int) LANGUAGE plpgsql AS $$
		BEGIN
			FOR i IN 1..n LOOP
				EXECUTE format('CREATE TABLE t%1$s (id int, email text, tenant_id int, deleted_at timestamptz);
					CREATE INDEX t%1$s_a ON t%1$s (id); CREATE INDEX t%1$s_b ON t%1$s (tenant_id, lower(email));
					CREATE UNIQUE INDEX t%1$s_c ON t%1$s (email) WHERE deleted_at IS NULL', i);
				IF i % 100 = 0 THEN COMMIT; END IF;
			END LOOP;
		END $$`)
	pgtest.Exec(b, dsn, `CALL make(10000)`)
	pgtest.Exec(b, dsn, `VACUUM ANALYZE pg_catalog.pg_index, pg_catalog.pg_class, pg_catalog.pg_attribute`)
	c := load(b, `{discovery: {max_tables: 20000}, limits: {statement_timeout: 10s}}`)
	i := New(func() *config.Config { return c }, postgres.NewServer(postgres.Options{
		Source:      source(b, dsn),
		Connections: postgres.NewConnections(4),
		Costs:       &softdelete.Costs{},
		Logger:      log.NewNopLogger(),
	}))
	defer i.Close()
	// look is a refresh without counting.
	look := func(previous *softdelete.Snapshot) *softdelete.Snapshot {
		r := i.newRefresh(previous, func(*softdelete.Snapshot) {})
		s, err := r.open(b.Context(), "")
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		d := &databaseRefresh{refresh: r, session: s}
		if d.tables, d.skipped, err = d.refresh.discover(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		for n := range d.tables {
			d.tables[n].carryOver(r.databases[s.Database].Tables)
		}
		if !d.indexAll(b.Context()) {
			b.Fatal("the indexes could not be read")
		}
		d.store(softdelete.Checks{Connect: true, Discovery: true, Indexes: true})
		return &softdelete.Snapshot{Databases: []softdelete.Database{r.databases[s.Database]}}
	}
	s := look(softdelete.Empty("none"))
	first := spent(i)
	b.ReportMetric(first.Database.Seconds(), "first-db-s")
	indexes := 0
	for _, t := range s.Databases[0].Tables {
		indexes += len(t.Indexing.Indexes)
	}
	if indexes != 30_000 {
		b.Fatalf("%d indexes were found", indexes)
	}
	began := time.Now()
	for b.Loop() {
		s = look(s)
	}
	took := time.Since(began)
	each := time.Duration(int64(spent(i).Database-first.Database) / int64(b.N))
	b.ReportMetric(each.Seconds(), "db-s/op")
	b.ReportMetric(float64(spent(i).Queries-first.Queries)/float64(b.N), "queries/op")
	if each > 2*time.Second {
		b.Errorf("an unchanged catalog costs %s of database time, %s in all", each, took/time.Duration(b.N))
	}
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "MB-kept")
	if memory.HeapAlloc > 64<<20 {
		b.Errorf("what is known of 10,000 tables takes %d bytes", memory.HeapAlloc)
	}
	runtime.KeepAlive(s)
}
