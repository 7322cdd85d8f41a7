-- Some values of integer columns as ANALYZE saw them, including the smallest and the largest; for a partitioned table
-- those of its leaf partitions. It reads only catalogs.
WITH RECURSIVE tree (relation, attname, relid) AS (
  SELECT relation, attname, relation
  FROM unnest(:'relations'::oid[], :'attnames'::text[]) AS wanted (relation, attname)
  UNION ALL
  SELECT tree.relation, tree.attname, i.inhrelid
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.relid AND c.relkind = 'p'
  JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
)
SELECT tree.relation::int8 AS relation, tree.attname AS column, v.value::float8 AS value
FROM tree
JOIN pg_catalog.pg_class c ON c.oid = tree.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT (s.most_common_vals::text::text[])[1 : 10] || bounds[1 : 1] || bounds[cardinality(bounds) :] AS some
  FROM pg_catalog.pg_stats s
  CROSS JOIN LATERAL (SELECT s.histogram_bounds::text::text[]) AS h (bounds)
  WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = tree.attname
) stats
CROSS JOIN LATERAL unnest(stats.some) AS v (value)
WHERE v.value <> '0';
