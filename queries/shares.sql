-- What ANALYZE found out about a relation: the values of its marker column, with the share of the rows that have
-- each. Common values are listed themselves. For all others the bounds of the histogram are used, each of which
-- represents an equal number of rows.
WITH known AS MATERIALIZED (
  SELECT greatest(s.null_frac, 0)::float8 AS nulls,
         s.most_common_vals::text::text[]::text AS commons, s.most_common_freqs AS freqs,
         s.histogram_bounds::text::text[]::text AS bounds
  FROM pg_catalog.pg_stats s
  WHERE s.schemaname = :'schemaname' AND s.tablename = :'relname' AND s.attname = :'column' AND NOT s.inherited
), shares AS (
  SELECT NULL::text AS value, nulls AS share FROM known
  UNION ALL
  SELECT v, f::float8 FROM known, unnest(commons::text[], freqs) AS common (v, f)
  UNION ALL
  SELECT v, greatest(1 - nulls - COALESCE((SELECT sum(f) FROM unnest(freqs) AS f), 0), 0) / cardinality(bounds::text[])
  FROM known, unnest(bounds::text[]) AS bound (v)
), rows AS (SELECT CAST(value AS :type) AS :"column", share FROM shares)
SELECT c.reltuples::float8 AS rows,
       (greatest(c.relpages, 0) * pg_catalog.current_setting('block_size')::int8)::float8 AS bytes,
       (SELECT sum(share) FROM rows) AS known,
       COALESCE((SELECT sum(share) FROM rows WHERE :deleted), 0) AS deleted,
       COALESCE((SELECT sum(share) FROM rows WHERE :old), 0) AS old,
       shown.*
FROM pg_catalog.pg_class c
-- HAVING makes it one row even if nothing is aggregated.
CROSS JOIN (SELECT :since AS since, :observed FROM rows HAVING true) AS shown
WHERE c.oid = :'relation'::oid;
