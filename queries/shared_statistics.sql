-- The same as ANALYZE saw it, without reading the table.
SELECT common.:"column"::text AS value, common.rows
FROM (
  SELECT CAST(v AS :type) AS :"column", f * greatest(c.reltuples, 0)::float8 AS rows
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_stats s ON s.schemaname = :'schemaname' AND s.tablename = :'relname' AND s.attname = :'column'
    AND NOT s.inherited
  CROSS JOIN unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS common (v, f)
  WHERE c.oid = :'relation'::oid) AS common
WHERE (:deleted) AND (:round)
ORDER BY 2 DESC;
