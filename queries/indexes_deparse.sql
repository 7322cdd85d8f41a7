-- The predicates and expressions of indexes of one table in PostgreSQL's canonical form. This waits for a lock on the
-- table.
SELECT i.indexrelid::int8 AS oid, coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
       ARRAY(
         SELECT CASE i.indkey[n - 1] WHEN 0 THEN pg_get_indexdef(i.indexrelid, n, false) ELSE '' END
         FROM generate_series(1, i.indnkeyatts::int4) AS n
         ORDER BY n) AS expressions
FROM pg_catalog.pg_index i
WHERE i.indexrelid = ANY (:'indexes'::oid[]);
