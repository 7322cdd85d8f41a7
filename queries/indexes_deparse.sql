-- The predicates and expressions of indexes of one table in PostgreSQL's canonical form, and the expressions of
-- generated columns. This waits for a lock on the table.
SELECT i.indexrelid::int8 AS oid, coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
       ARRAY(
         SELECT CASE i.indkey[n - 1] WHEN 0 THEN pg_get_indexdef(i.indexrelid, n, false) ELSE '' END
         FROM generate_series(1, i.indnkeyatts::int4) AS n
         ORDER BY n) AS expressions,
       ARRAY(
         SELECT coalesce((
           SELECT pg_get_expr(d.adbin, d.adrelid)
           FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1] AND a.attgenerated <> ''), '')
         FROM generate_series(1, i.indnkeyatts::int4) AS n
         ORDER BY n) AS generated
FROM pg_catalog.pg_index i
WHERE i.indexrelid = ANY (:'indexes'::oid[]);
